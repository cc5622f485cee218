//! Two people in a call, each behind the routers of some home, and the network of one of them changes.
//!
//! [`keeps`] is the reference: it says from the nature of both homes alone whether the two can go on by themselves. Where they can,
//! media passes again within [`GAP`].

use std::net::Ipv4Addr;
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::ids::CallId;
use twocan_core::io::Input;
use twocan_core::reach::candidates::OwnAddresses;

use super::calls::{HEARD, Pair};
use crate::sim::happening::Cause;
use crate::sim::homes::{Change, Home, Path, keeps, path};
use crate::sim::mutant::Mutant;
use crate::sim::nat::Mapping;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

/// Two seconds are promised to people, whose processors and disks take time, too.
const GAP: Duration = Duration::from_millis(1400);
/// Long enough for what was replaced to be closed.
const SETTLED: Duration = Duration::from_secs(4);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 2, Conditions::HOME, mutant, trace);
    let pair = world.two_homes();
    if world.join_homes(pair, Duration::ZERO).is_none() || path(pair[0], pair[1]) == Path::Nothing {
        return world;
    }
    world.run_for(SETTLED);
    let caller = world.dice.index(2);
    let callee = 1 - caller;
    let talk = Pair {
        caller,
        callee,
        third: caller,
    };
    if let Some(call) = world.talk(talk).filter(|_| world.is_well()) {
        let change = world.dice.pick(Change::ALL);
        world.change(call, pair, change);
    }
    world
}

impl World {
    /// Any two, but for the router whose pairs may take minutes to be joined at all.
    pub(super) fn two_homes(&mut self) -> [Home; 2] {
        let usual: Vec<Home> = Home::ALL
            .iter()
            .copied()
            .filter(|home| *home != Home::LinuxClash)
            .collect();
        [self.dice.pick(&usual), self.dice.pick(&usual)]
    }

    /// The network of the first host changes.
    fn change(&mut self, call: CallId, pair: [Home; 2], change: Change) {
        note!(self, "== {change:?} {pair:?}");
        let keeps = keeps(change, pair[0], pair[1]);
        match change {
            Change::Rebound => self.reboot_router(),
            Change::Renumbered => self.renumber(),
            Change::Moved => self.move_home(pair[0]),
            Change::Slept => {
                let time = self.dice.ms(500, 20_000);
                self.sleep(0, time);
                self.run_for(time);
            }
            Change::Unplugged => self.unplug(),
        }
        self.disturb(0);
        if !keeps {
            return;
        }
        let what = format!("media after {change:?}, {pair:?}");
        let passes = |world: &Self| world.media_passes(call, 0, 1);
        if self.expect(Invariant::Gap, &what, GAP, passes) {
            self.run_for(SETTLED);
            self.expect(Invariant::Gap, &what, Duration::from_millis(1), passes);
            self.expect_active(Invariant::Survives, 0, 1);
        }
    }

    fn reboot_router(&mut self) {
        if let Some(router) = self.hosts[0].router {
            self.network.routers.borrow_mut().0[router].reboot();
        }
    }

    /// The outermost router gets another address.
    fn renumber(&mut self) {
        if let Some(router) = self.hosts[0].router {
            let mut routers = self.network.routers.borrow_mut();
            let outermost = routers.outermost(router);
            // Without translation it is the machine's address that the Internet sees.
            if routers.0[outermost].manner.mapping != Mapping::Nothing {
                routers.0[outermost].renumber(Ipv4Addr::new(11, 0, 1, 201));
            }
        }
    }

    /// Another home with routers of the same kind, at another address.
    fn move_home(&mut self, home: Home) {
        if let Some(router) = self.hosts[0].router {
            let mut routers = self.network.routers.borrow_mut();
            let left = routers.outermost(router);
            routers.0[left].ip = Ipv4Addr::UNSPECIFIED;
        }
        self.settle(0, home);
        self.renumber();
        self.tell_addresses();
    }

    fn tell_addresses(&mut self) {
        let own = self.hosts[0].own_addresses();
        self.feed(0, Input::Interfaces(own), Cause::Other);
    }

    /// For less than half a minute there is no way out, and no address. The call says so.
    fn unplug(&mut self) {
        let time = self.dice.ms(1000, 25_000);
        self.block(0, 1);
        self.block(1, 0);
        let nowhere = OwnAddresses {
            interfaces: Vec::new(),
            ..self.hosts[0].own_addresses()
        };
        self.feed(0, Input::Interfaces(nowhere), Cause::Other);
        let silence = bounds::RECONNECTING + HEARD;
        if time > silence {
            self.run_for(silence);
            let says = |world: &Self| {
                let says = |host: usize| world.hosts[host].seen.calls.values().any(|call| call.reconnecting);
                says(0) && says(1)
            };
            self.expect(Invariant::SaysSilence, "reconnecting", Duration::from_millis(1), says);
            self.run_for(time - silence);
        } else {
            self.run_for(time);
        }
        self.heal(0, 1);
        self.tell_addresses();
    }
}
