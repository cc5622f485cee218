//! Two who do not hear each other, and a friend whose device may pass their packets on.

use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::event::PathKind;

use super::calls::HEARD;
use crate::sim::host::Then;
use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::World;

/// A silent path is noticed, a search comes to nothing, the relay is asked by both sides.
const RELAYED: Duration = Duration::from_secs(100);
/// The relay has to be found by both first.
const RELAYED_ANEW: Duration = Duration::from_secs(200);
/// A direct path is looked for once a minute, on the tick.
const DIRECT: Duration = Duration::from_secs(110);
/// A click that must be on the disk before it counts is there within this time.
const STORED: Duration = Duration::from_secs(1);
/// A dot without proof is grey after this time.
const GREY: Duration = Duration::from_secs(70);

/// Who is who in a run.
#[derive(Clone, Copy, Debug)]
struct Trio {
    one: usize,
    other: usize,
    relay: usize,
}

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 3, Conditions::LAN, mutant, trace);
    world.network.conditions = world.dice.pick(&[Conditions::LAN, Conditions::HOME]);
    let relay = world.dice.index(3);
    let trio = Trio {
        one: (relay + 1) % 3,
        other: (relay + 2) % 3,
        relay,
    };
    let pairs = [(trio.one, trio.other), (relay, trio.one), (trio.other, relay)];
    if !pairs.iter().all(|(from, to)| world.befriend(*from, *to)) {
        return world;
    }
    world.play_relays(trio);
    world
}

impl World {
    fn play_relays(&mut self, trio: Trio) {
        self.mark_relay(trio, true);
        self.part(trio);
        let green = |world: &Self| world.is_relayed(trio);
        if !self.expect(Invariant::Relayed, "green through the friend", RELAYED, green) {
            return;
        }
        let ways = self.ways_of(trio.one);
        self.flood(trio.one, &ways, 6000);
        self.run_for(Duration::from_secs(15));
        self.expect(Invariant::Relayed, "green after a flood", RELAYED, green);
        match self.dice.below(4) {
            0 => self.goes_direct(trio),
            1 => self.mark_is_taken_back(trio),
            2 => self.one_hides(trio),
            _ => self.relay_restarts(trio),
        }
    }

    fn part(&mut self, trio: Trio) {
        self.block(trio.one, trio.other);
        if self.dice.chance(70) {
            self.block(trio.other, trio.one);
        }
    }

    fn mark_relay(&mut self, trio: Trio, relay: bool) {
        for user in [trio.one, trio.other] {
            self.mark(trio.relay, user, Some(relay), None);
        }
        self.run_for(STORED);
    }

    fn mark(&mut self, at: usize, whom: usize, relay: Option<bool>, relay_only: Option<bool>) {
        if let Some(contact) = self.contact_id(at, whom) {
            let marks = Command::SetRelays {
                contact,
                relay,
                relay_only,
            };
            self.command(at, marks, Then::Nothing);
        }
    }

    fn path_kind(&self, one: usize, other: usize) -> Option<PathKind> {
        Some(self.hosts[one].contact_for(other)?.path.as_ref()?.kind)
    }

    fn is_relayed(&self, trio: Trio) -> bool {
        let by_friend = |one, other| {
            let kind = self.path_kind(one, other);
            self.is_green(one, other) && matches!(kind, Some(PathKind::Relay(_)))
        };
        by_friend(trio.one, trio.other) && by_friend(trio.other, trio.one)
    }

    fn is_direct(&self, trio: Trio) -> bool {
        let straight = |one, other| {
            let kind = self.path_kind(one, other);
            self.is_green(one, other) && matches!(kind, Some(PathKind::Direct | PathKind::Lan))
        };
        straight(trio.one, trio.other) && straight(trio.other, trio.one)
    }

    fn goes_direct(&mut self, trio: Trio) {
        self.heal(trio.one, trio.other);
        let direct = |world: &Self| world.is_direct(trio);
        self.expect(Invariant::DirectAgain, "a direct path is taken", DIRECT, direct);
    }

    fn mark_is_taken_back(&mut self, trio: Trio) {
        let user = self.dice.pick(&[trio.one, trio.other]);
        let ways = self.ways_of(trio.one);
        self.mark(trio.relay, user, Some(false), None);
        self.run_for(STORED);
        self.flood(trio.one, &ways, 3);
        self.run_for(GREY);
        let grey = |world: &Self| !world.is_green(trio.one, trio.other) && !world.is_green(trio.other, trio.one);
        self.expect(Invariant::RelayAllowed, "neither is green", HEARD, grey);
    }

    fn one_hides(&mut self, trio: Trio) {
        self.mark(trio.one, trio.other, None, Some(true));
        self.run_for(STORED);
        self.heal(trio.one, trio.other);
        let green = |world: &Self| world.is_relayed(trio);
        self.expect(Invariant::Relayed, "green through the friend, hidden", RELAYED, green);
        self.move_away(trio.one);
        self.expect(Invariant::Relayed, "green after a move", RELAYED_ANEW, green);
        self.run_for(DIRECT);
        self.mark(trio.one, trio.other, None, Some(false));
        let direct = |world: &Self| world.is_direct(trio);
        self.expect(Invariant::DirectAgain, "a direct path is taken", DIRECT, direct);
    }

    fn relay_restarts(&mut self, trio: Trio) {
        self.crash(trio.relay);
        let away = self.dice.ms(100, 20_000);
        self.run_for(away);
        self.start(trio.relay);
        let green = |world: &Self| world.is_relayed(trio);
        self.expect(Invariant::Relayed, "green when the friend is back", RELAYED_ANEW, green);
    }
}
