//! Homes behind one router, routers that forget soon, and people who come back after hours.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::event::PathKind;

use crate::sim::homes::{Home, Path, path, path_after_reboot};
use crate::sim::listed::listed;
use crate::sim::mutant::Mutant;
use crate::sim::nat::{Filtering, Manner, Mapping, PORT};
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

listed! {
    /// What is played.
    Scene {
        /// Two machines of one home.
        OneHome,
        /// Two homes of one carrier, whose router turns packets to itself round.
        OneCarrier,
        /// The same without that.
        OneCarrierShut,
        /// Routers forget a place after half a minute.
        ShortMemory,
        /// Somebody was away for hours.
        LongAway,
    }
}

/// Both knock, and a third attempt may be needed where the first ones crossed.
const SOON: Duration = Duration::from_secs(6);
/// A meeting, its knocks and a dial.
const MEETING: Duration = Duration::from_secs(bounds::MEETING_PAUSE.as_secs() + bounds::MEETING.as_secs() + 6);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 2, Conditions::HOME, mutant, trace);
    let scene = world.dice.pick(Scene::ALL);
    note!(world, "== {scene:?}");
    match scene {
        Scene::OneHome => world.one_home(),
        Scene::OneCarrier => world.one_carrier(true),
        Scene::OneCarrierShut => world.one_carrier(false),
        Scene::ShortMemory => world.short_memory(),
        Scene::LongAway => world.long_away(),
    }
    world
}

impl World {
    /// Both start anew where `settle` has put them, and know where the other one is seen from outside and from within.
    fn meet_there(&mut self, settle: impl FnOnce(&mut Self)) -> bool {
        if !self.befriend(0, 1) {
            return false;
        }
        self.run_for(Duration::from_secs(2));
        (0..2).for_each(|host| self.crash(host));
        settle(self);
        self.run_for(Duration::from_secs(1));
        self.introduce([Home::Linux; 2]);
        (0..2).for_each(|host| self.start(host));
        true
    }

    fn one_home(&mut self) {
        let home = self.dice.pick(Home::ALL);
        let met = self.meet_there(|world| {
            world.settle(0, home);
            let IpAddr::V4(ip) = world.hosts[0].address.ip() else {
                return;
            };
            let next = Ipv4Addr::from(ip.to_bits() + 1);
            world.hosts[1].router = world.hosts[0].router;
            world.hosts[1].address = SocketAddr::new(next.into(), PORT);
        });
        let near = |world: &Self, one: usize, other: usize| {
            let path = world.hosts[one]
                .contact_for(other)
                .and_then(|contact| contact.path.as_ref());
            path.is_some_and(|path| path.kind == PathKind::Lan)
        };
        if met {
            self.expect(Invariant::Punched, &format!("in one home, {home:?}"), SOON, |world| {
                world.is_linked(0, 1) && near(world, 0, 1) && near(world, 1, 0)
            });
        }
    }

    /// Both homes have the same inner address, so that only the carrier's outer one leads from one to the other.
    fn one_carrier(&mut self, hairpin: bool) {
        let carrier = Manner {
            hairpin,
            ..Manner::new(Mapping::Independent, Filtering::ByAddressAndPort)
        };
        let met = self.meet_there(|world| {
            let mut routers = world.network.routers.borrow_mut();
            let carrier = routers.add(carrier, Ipv4Addr::new(11, 0, 1, 200), None);
            for host in 0..2 {
                let linux = Manner::new(Mapping::Conntrack, Filtering::ByAddressAndPort);
                let ip = Ipv4Addr::new(100, 64, 0, 1 + u8::try_from(host).unwrap());
                world.hosts[host].router = Some(routers.add(linux, ip, Some(carrier)));
                world.hosts[host].address = SocketAddr::from(([192, 168, 1, 10], PORT));
            }
        });
        if !met {
            return;
        }
        if hairpin {
            self.expect(Invariant::Punched, "behind one carrier", SOON, |world| {
                world.is_linked(0, 1)
            });
        } else if self.run_until(MEETING, |world| world.is_green(0, 1) || world.is_green(1, 0)) {
            self.fail(
                Invariant::Impossible,
                "green past a carrier that turns nothing round".to_owned(),
            );
        }
    }

    /// A dot that is green stays so, though nothing but keep-alives passes.
    fn short_memory(&mut self) {
        let pair = self.two_homes();
        if self.join_homes(pair, Duration::ZERO).is_none() || path(pair[0], pair[1]) == Path::Nothing {
            return;
        }
        let life = Duration::from_secs(if self.is(Mutant::HastyRouters) { 10 } else { 30 });
        self.network.routers.borrow_mut().forget_after(life);
        self.run_for(bounds::TICK * 3);
        let lost = |world: &Self| !world.is_green(0, 1) || !world.is_green(1, 0);
        if self.run_until(Duration::from_secs(1200), lost) && self.is_well() {
            let text = format!("{pair:?}: not green where routers forget after {life:?}");
            self.fail(Invariant::HoldsPlace, text);
        }
    }

    /// Whoever stayed has seen the other one go hours ago, and knocks rarely.
    fn long_away(&mut self) {
        let pair = self.two_homes();
        if self.join_homes(pair, Duration::ZERO).is_none() {
            return;
        }
        self.leave(1);
        let away = self.dice.ms(3600 * 1000, 6 * 3600 * 1000);
        self.run_for(away);
        self.start(1);
        // Whoever was away is forgotten by all his routers, the carrier's among them.
        let is_drawn_again = pair[1] == Home::CarrierEasy;
        let back = if is_drawn_again { Home::PortRestricted } else { pair[1] };
        let can = path_after_reboot(back, pair[0]) == Path::Soon && path_after_reboot(pair[0], pair[1]) == Path::Soon;
        if can {
            let what = format!("{pair:?} after {away:?}");
            // Who stayed behind a hard router knocks at every fourth meeting alone, at one of two places.
            let limit = if pair[0].is_hard() { 8 * MEETING } else { MEETING };
            self.expect(Invariant::Punched, &what, limit, |world| world.is_linked(0, 1));
        }
    }
}
