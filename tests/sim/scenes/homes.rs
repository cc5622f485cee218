//! Two people who know each other, each behind the routers of some home: whoever can be joined is, soon, and nobody else is
//! shown green.

use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::reach::lifetime::Lifetime;
use twocan_core::reach::nat_report::NatKind;
use twocan_core::state::State;

use crate::sim::homes::{Home, Path, path, path_after_reboot};
use crate::sim::host::Gift;
use crate::sim::mutant::Mutant;
use crate::sim::nat::Filtering;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

/// Both knock, and a third attempt may be needed where the first ones crossed.
const SOON: Duration = Duration::from_secs(6);
/// A guess a fiftieth of a second, and one birthday in a thousand comes to nothing.
const BIRTHDAY: Duration = Duration::from_secs(110);
/// Where a packet that came too early stands in the way, it must be forgotten and both must knock at the same moment.
const CLASH: Duration = Duration::from_secs(190);
/// What a first contact takes before both know of each other: a word on the DHT, which may be lost.
const WORD: Duration = Duration::from_secs(60);
/// Before a link is made, one's own network has been looked at.
const LOOKED: Duration = Duration::from_secs(15);
/// A path that fell silent is given up and found anew.
const AGAIN: Duration = Duration::from_secs(105);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 2, Conditions::HOME, mutant, trace);
    let pair = [world.dice.pick(Home::ALL), world.dice.pick(Home::ALL)];
    let apart = world.dice.ms(0, 2000);
    if world.dice.chance(40) {
        world.strangers(pair);
        return world;
    }
    let Some(_) = world.join_homes(pair, apart) else {
        return world;
    };
    if path_after_reboot(pair[0], pair[1]) != Path::Nothing && world.is_well() {
        world.lose_places(pair);
    }
    world
}

/// Two homes, from the moment when both know of each other; how long it took until both were green.
pub(crate) fn joined(seed: u64, pair: [Home; 2]) -> Result<Option<Duration>, String> {
    let mut world = World::new(seed, 2, Conditions::HOME, None, false);
    let took = world.join_homes(pair, Duration::ZERO);
    match &world.watch.violation {
        Some(violation) => Err(format!("{violation:?}")),
        None => Ok(took.filter(|_| path(pair[0], pair[1]) != Path::Nothing)),
    }
}

/// For how long a way through the routers of a home may be silent, as the daemon there has measured it by itself after some
/// minutes; and what its routers truly do.
pub(crate) fn measured(seed: u64, home: Home, forgets_after: Duration) -> Result<Lifetime, String> {
    let mut world = World::new(seed, 1, Conditions::HOME, None, false);
    world.run_for(Duration::from_secs(1));
    world.crash(0);
    world.settle(0, home);
    for router in &mut world.network.routers.borrow_mut().0 {
        router.manner.lives = [Duration::from_secs(5), forgets_after];
    }
    world.start(0);
    world.run_for(bounds::LIFETIME_AFTER + bounds::LIFETIME_AFTER);
    if let Some(violation) = &world.watch.violation {
        return Err(format!("{violation:?}"));
    }
    let now = world.hosts[0].clock(world.now);
    let node = world.hosts[0].node.as_ref().ok_or("it does not run")?;
    if !world.hosts[0].shell.spares.is_empty() {
        return Err("spares are left open".to_owned());
    }
    Ok(node.snapshot(now).network.report.lifetime)
}

/// Two strangers behind these homes, from the moment when one has the other's link; how long it took until both were green.
pub(crate) fn met(seed: u64, pair: [Home; 2]) -> Result<Option<Duration>, String> {
    let mut world = World::new(seed, 2, Conditions::HOME, None, true);
    let took = world.strangers(pair);
    match &world.watch.violation {
        Some(violation) => Err(format!("{violation:?}\n{}", world.trace.unwrap_or_default().join("\n"))),
        None => Ok(took),
    }
}

impl World {
    /// One person behind a home gives a link to somebody behind another; nothing but it and the DHT brings them together.
    fn strangers(&mut self, pair: [Home; 2]) -> Option<Duration> {
        note!(self, "== strangers, {pair:?}");
        for (host, home) in pair.into_iter().enumerate() {
            self.crash(host);
            self.settle(host, home);
            self.start(host);
        }
        self.run_for(LOOKED);
        let gift = Gift {
            to: 1,
            after: Duration::from_millis(100),
            damaged: false,
        };
        self.invite(0, vec![gift], 3600);
        let began = self.now;
        let limit = match path(pair[0], pair[1]) {
            Path::Nothing => {
                self.run_until(AGAIN, |world| world.is_green(0, 1) || world.is_green(1, 0));
                self.check_possible(pair);
                return None;
            }
            Path::Soon if may_clash(pair) => WORD + CLASH,
            Path::Soon => WORD,
            Path::Birthday => WORD + BIRTHDAY,
        };
        let what = format!("{pair:?} met");
        let came = self.expect(Invariant::Punched, &what, limit, |world| world.is_linked(0, 1));
        came.then(|| self.now - began)
    }

    /// Both people, contacts of each other, start behind these homes, and know where the other one is seen. How long it took
    /// until they were joined, or that they were not, as it should be; nothing where that is wrong.
    pub(super) fn join_homes(&mut self, pair: [Home; 2], apart: Duration) -> Option<Duration> {
        if !self.befriend(0, 1) {
            return None;
        }
        self.run_for(Duration::from_secs(2));
        note!(self, "== {pair:?}, {apart:?} apart");
        for (host, home) in pair.into_iter().enumerate() {
            self.crash(host);
            self.settle(host, home);
        }
        self.run_for(Duration::from_secs(1));
        self.introduce(pair);
        self.start(0);
        self.run_for(apart);
        self.start(1);
        let began = self.now;
        let way = path(pair[0], pair[1]);
        let limit = match way {
            Path::Nothing => {
                self.run_until(AGAIN, |world| world.is_green(0, 1) || world.is_green(1, 0));
                self.check_possible(pair);
                return Some(self.now - began);
            }
            Path::Soon if may_clash(pair) => CLASH,
            Path::Soon => SOON,
            Path::Birthday => BIRTHDAY,
        };
        let what = format!("{pair:?} joined");
        let came = self.expect(Invariant::Punched, &what, limit, |world| world.is_linked(0, 1));
        came.then(|| self.now - began)
    }

    /// Each knows what the other one says of itself: where it is seen from outside, and where from within.
    pub(super) fn introduce(&mut self, pair: [Home; 2]) {
        let seen: Vec<Vec<SocketAddr>> = (0..pair.len())
            .map(|host| {
                let outer = self.seen_from_outside(host);
                outer.into_iter().chain([self.hosts[host].address]).collect()
            })
            .collect();
        for host in 0..pair.len() {
            let written = self.hosts[host].disk.written.as_deref();
            let mut state = State::from_bytes(written.unwrap()).unwrap();
            for contact in &mut state.contacts {
                contact.addresses.clone_from(&seen[1 - host]);
                let is_hard = pair[1 - host].is_hard();
                contact.nat = if is_hard { NatKind::Hard } else { NatKind::Easy };
            }
            self.hosts[host].disk.written = Some(state.to_bytes());
        }
    }

    /// One side's router starts anew: it forgets all places, and may give others.
    fn lose_places(&mut self, pair: [Home; 2]) {
        let Some(router) = self.hosts[0].router else { return };
        note!(self, "== the router of A starts anew");
        self.network.routers.borrow_mut().0[router].reboot();
        self.disturb(0);
        let limit = match path(pair[0], pair[1]) {
            Path::Soon | Path::Nothing => AGAIN,
            Path::Birthday => 2 * AGAIN,
        };
        self.run_for(Duration::from_secs(31));
        let what = format!("{pair:?} joined again");
        self.expect(Invariant::Punched, &what, limit + CLASH, |world| world.is_linked(0, 1));
    }

    /// Nobody is shown green to whom no packet can be made to pass.
    fn check_possible(&mut self, pair: [Home; 2]) {
        if path(pair[0], pair[1]) == Path::Nothing && (self.is_green(0, 1) || self.is_green(1, 0)) {
            self.fail(Invariant::Impossible, format!("green though {pair:?} cannot be joined"));
        }
    }
}

fn may_clash(pair: [Home; 2]) -> bool {
    let is_strict = |home: Home| {
        matches!(
            home,
            Home::PublicFirewall | Home::PortRestricted | Home::Linux | Home::LinuxClash | Home::CarrierEasy
        )
    };
    let [one, other] = pair;
    (one == Home::LinuxClash && is_strict(other)) || (other == Home::LinuxClash && is_strict(one))
}

/// What a mutant makes of a router.
pub(crate) fn leaky(manner: crate::sim::nat::Manner) -> crate::sim::nat::Manner {
    crate::sim::nat::Manner {
        filtering: Filtering::Everybody,
        mapping: crate::sim::nat::Mapping::Preserved,
        blocks: false,
        ..manner
    }
}
