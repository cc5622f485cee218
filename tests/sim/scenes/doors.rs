//! Calls to an address, between people who know nothing of each other.

use std::time::Duration;

use twocan_core::bounds;
use twocan_core::call::{EndReason, FailCode};
use twocan_core::command::Command;
use twocan_core::event::{CallState, SafetyState, WhyNot};
use twocan_core::ids::CallId;

use super::calls::{HEARD, Pair};
use crate::sim::host::Then;
use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::people::VIDEO;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

/// How a ring at a door ends.
#[derive(Clone, Copy, Debug)]
enum Scene {
    Closed,
    ClosedByItself,
    Declined,
    GivenUp,
    TwoAtOnce,
    TooSoon,
    HungUp,
    BothKeep,
    OneKeeps,
    Cut,
    Dies,
    Leaves,
}

const SCENES: [Scene; 13] = [
    Scene::Closed,
    Scene::ClosedByItself,
    Scene::Declined,
    Scene::GivenUp,
    Scene::TwoAtOnce,
    Scene::TooSoon,
    Scene::HungUp,
    Scene::BothKeep,
    Scene::BothKeep,
    Scene::OneKeeps,
    Scene::Cut,
    Scene::Dies,
    Scene::Leaves,
];

/// Two who kept each other are green within this time.
const KEPT: Duration = Duration::from_secs(10);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 3, Conditions::HOME, mutant, trace);
    world.network.conditions = world.dice.pick(&[Conditions::LAN, Conditions::HOME]);
    let scene = world.dice.pick(&SCENES);
    let caller = world.dice.index(3);
    let pair = Pair {
        caller,
        callee: (caller + 1) % 3,
        third: (caller + 2) % 3,
    };
    note!(world, "== {scene:?} {pair:?}");
    world.play_door(scene, pair);
    world
}

impl World {
    fn play_door(&mut self, scene: Scene, pair: Pair) {
        match scene {
            Scene::Closed => self.stays_closed(pair),
            Scene::ClosedByItself => self.closed_by_itself(pair),
            Scene::Declined => self.unanswered(pair, pair.callee, EndReason::Declined),
            Scene::GivenUp => self.unanswered(pair, pair.caller, EndReason::Cancelled),
            Scene::TwoAtOnce => self.two_at_once(pair),
            Scene::TooSoon => self.too_soon(pair),
            Scene::HungUp => self.talk_through_the_door(pair),
            Scene::BothKeep => self.both_keep(pair),
            Scene::OneKeeps => self.one_keeps(pair),
            Scene::Cut => self.cut_in_the_door(pair),
            Scene::Dies => self.gone_in_the_door(pair, false),
            Scene::Leaves => self.gone_in_the_door(pair, true),
        }
    }

    fn open(&mut self, host: usize, for_s: u64) {
        self.command(host, Command::SetDoor { open: true, for_s }, Then::Nothing);
    }

    fn on_call(&mut self, host: usize, command: Command) {
        self.command(host, command, Then::Nothing);
    }

    /// Calls the address where a host is.
    fn call_at(&mut self, from: usize, there: usize) -> Option<CallId> {
        let to = self.hosts[there].address;
        self.command(from, Command::CallAddress { to, media: VIDEO }, Then::Nothing);
        let placed = |world: &Self| world.open_call(from).is_some();
        self.expect(Invariant::Rings, "a call to an address", HEARD, placed);
        self.open_call(from).map(|(call, _)| call)
    }

    fn ring_at(&mut self, pair: Pair) -> Option<CallId> {
        self.open(pair.callee, bounds::DOOR_LIFE_S);
        let call = self.call_at(pair.caller, pair.callee)?;
        let rings = |world: &Self| {
            world.is_calling(pair.caller, CallState::Ringing) && world.is_calling(pair.callee, CallState::Ringing)
        };
        self.expect(Invariant::Rings, "it rings through the door", HEARD, rings)
            .then_some(call)
    }

    fn talk_at(&mut self, pair: Pair) -> Option<CallId> {
        let call = self.ring_at(pair)?;
        self.on_call(pair.callee, Command::Answer { call });
        self.expect_active(Invariant::Answer, pair.caller, pair.callee);
        let words = |world: &Self, host: usize| {
            let stranger = world.hosts[host].seen.calls.get(&call)?.stranger.clone()?;
            (stranger.safety.state == SafetyState::Compare).then_some(stranger.safety.words)?
        };
        let same = |world: &Self| {
            let here = words(world, pair.caller);
            here.is_some() && here == words(world, pair.callee)
        };
        self.expect(Invariant::Words, "the same words on both sides", HEARD, same)
            .then_some(call)
    }

    fn ends_at(&mut self, host: usize, call: CallId, limit: Duration, reason: EndReason) {
        let is = move |world: &Self| world.reason(host, call).is_some();
        if self.expect(Invariant::BothEnd, "the call is over", limit, is) {
            let was = self.reason(host, call);
            let lost = |reason: Option<EndReason>| matches!(reason, Some(EndReason::Lost { .. }));
            if was != Some(reason) && !(lost(was) && lost(Some(reason))) {
                self.fail(Invariant::Reasons, format!("{was:?} at {host}, not {reason:?}"));
            }
        }
    }

    fn stays_closed(&mut self, pair: Pair) {
        let Some(call) = self.call_at(pair.caller, pair.callee) else {
            return;
        };
        let over = move |world: &Self| world.reason(pair.caller, call).is_some();
        self.expect(Invariant::BothEnd, "the call is given up", bounds::DIAL + HEARD, over);
        let silence = Some(EndReason::Unreachable(WhyNot::NoAnswer));
        if self.reason(pair.caller, call) != silence || !self.hosts[pair.callee].seen.calls.is_empty() {
            self.fail(Invariant::Door, "a closed door answers".to_owned());
        }
    }

    fn closed_by_itself(&mut self, pair: Pair) {
        let seconds = 1 + self.dice.below(100);
        self.open(pair.callee, seconds);
        self.run_for(Duration::from_secs(seconds) + HEARD);
        self.stays_closed(pair);
    }

    fn unanswered(&mut self, pair: Pair, by: usize, reason: EndReason) {
        let Some(call) = self.ring_at(pair) else { return };
        let wait = self.dice.ms(0, 20_000);
        self.run_for(wait);
        self.on_call(by, Command::HangUp { call });
        self.ends(call, HEARD, [(pair.caller, reason), (pair.callee, reason)]);
    }

    fn two_at_once(&mut self, pair: Pair) {
        if self.ring_at(pair).is_none() {
            return;
        }
        let Some(second) = self.call_at(pair.third, pair.callee) else {
            return;
        };
        self.ends_at(pair.third, second, HEARD, EndReason::Busy);
        if self.hosts[pair.callee].seen.calls.contains_key(&second) {
            self.fail(Invariant::Door, "two stand in one door".to_owned());
        }
    }

    fn too_soon(&mut self, pair: Pair) {
        self.unanswered(pair, pair.callee, EndReason::Declined);
        if !self.is_well() {
            return;
        }
        let Some(again) = self.call_at(pair.caller, pair.callee) else {
            return;
        };
        self.ends_at(pair.caller, again, HEARD, EndReason::Busy);
        self.run_for(bounds::DOOR_PAUSE);
        let _ = self.ring_at(pair);
    }

    fn talk_through_the_door(&mut self, pair: Pair) {
        let Some(call) = self.talk_at(pair) else { return };
        // Longer than a proof lasts: the path is kept alive.
        let wait = self.dice.ms(0, 90_000);
        self.run_for(wait);
        self.on_call(pair.callee, Command::HangUp { call });
        let reasons = [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)];
        self.ends(call, HEARD, reasons);
    }

    fn both_keep(&mut self, pair: Pair) {
        let Some(call) = self.talk_at(pair) else { return };
        let (first, second) = if self.dice.chance(50) {
            (pair.caller, pair.callee)
        } else {
            (pair.callee, pair.caller)
        };
        if self.dice.chance(40) {
            self.on_call(first, Command::HangUp { call });
            self.run_for(HEARD);
        }
        self.on_call(first, Command::Keep { call, keep: true });
        let wait = self.dice.pick(&[0, 0, 50, 3000, 20_000]);
        self.run_for(Duration::from_millis(wait));
        self.on_call(second, Command::Keep { call, keep: true });
        let green = |world: &Self| world.is_linked(first, second);
        self.expect(Invariant::Kept, "both kept each other and are green", KEPT, green);
        if self.reason(first, call).is_none() {
            self.expect_active(Invariant::Survives, first, second);
        }
    }

    fn one_keeps(&mut self, pair: Pair) {
        let Some(call) = self.talk_at(pair) else { return };
        self.on_call(pair.caller, Command::Keep { call, keep: true });
        if self.dice.chance(50) {
            self.on_call(pair.callee, Command::Keep { call, keep: false });
        }
        self.run_for(HEARD);
        self.on_call(pair.callee, Command::HangUp { call });
        self.run_for(bounds::ENDED_LISTED + HEARD);
        let holds = |one: usize, other: usize| self.hosts[one].contact_for(other).is_some();
        if holds(pair.caller, pair.callee) || holds(pair.callee, pair.caller) {
            self.fail(
                Invariant::Kept,
                "somebody is kept whom one side did not want".to_owned(),
            );
        }
    }

    fn cut_in_the_door(&mut self, pair: Pair) {
        let Some(call) = self.talk_at(pair) else { return };
        self.block(pair.caller, pair.callee);
        self.block(pair.callee, pair.caller);
        let lost = EndReason::Lost { after_s: 0 };
        let limit = bounds::LOST + 2 * HEARD;
        self.ends(call, limit, [(pair.caller, lost), (pair.callee, lost)]);
    }

    fn gone_in_the_door(&mut self, pair: Pair, in_order: bool) {
        let Some(call) = self.talk_at(pair) else { return };
        let (gone, left) = if self.dice.chance(50) {
            (pair.caller, pair.callee)
        } else {
            (pair.callee, pair.caller)
        };
        let (limit, reason) = if in_order {
            self.leave(gone);
            (HEARD, EndReason::Failed(FailCode::PeerStopped))
        } else {
            self.crash(gone);
            (bounds::LOST + 2 * HEARD, EndReason::Lost { after_s: 0 })
        };
        self.ends_at(left, call, limit, reason);
    }
}
