//! Calls between people who are green to each other: a small model says how each ends on both sides.

use std::time::Duration;

use twocan_core::call::EndReason;
use twocan_core::event::CallState;
use twocan_core::ids::CallId;

use super::call_ends::{ENDS, End};
use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

/// A change of a call's state reaches the other side within this time.
pub(super) const HEARD: Duration = Duration::from_secs(3);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 3, Conditions::HOME, mutant, trace);
    world.network.conditions = world.some_weather_without_loss();
    if !world.befriend(0, 1) || !world.befriend(2, 0) || !world.befriend(1, 2) {
        return world;
    }
    for _ in 0..3 {
        let end = world.dice.pick(&ENDS);
        world.one_call(end);
        if !world.is_well() {
            break;
        }
        // Whatever an end did to the hosts is undone, and the next call begins on green dots.
        world.calm();
        // Who rang in vain for the third time meanwhile does not see green for a while, and should not.
        let may_rest = |world: &World, (one, other)| world.is_quiet(one, other) || world.is_linked(one, other);
        let green = |world: &World| [(0, 1), (0, 2), (1, 2)].iter().all(|pair| may_rest(world, *pair));
        if !world.expect(
            Invariant::GreenInTime,
            "all green again",
            Duration::from_secs(150),
            green,
        ) {
            break;
        }
        world.run_for(Duration::from_secs(62));
    }
    world
}

/// The two sides of a call in a scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) caller: usize,
    pub(super) callee: usize,
    /// Somebody else, whom both know.
    pub(super) third: usize,
}

impl World {
    fn some_weather_without_loss(&mut self) -> Conditions {
        self.dice.pick(&[Conditions::LAN, Conditions::HOME])
    }

    fn one_call(&mut self, end: End) {
        let mut people = vec![0, 1, 2];
        let mut draw = || {
            let place = self.dice.index(people.len());
            people.remove(place)
        };
        let pair = Pair {
            caller: draw(),
            callee: draw(),
            third: draw(),
        };
        note!(self, "== {end:?} {pair:?}");
        self.play(end, pair);
    }

    /// Both sides list the call with these reasons.
    pub(super) fn ends(&mut self, call: CallId, limit: Duration, reasons: [(usize, EndReason); 2]) {
        for (host, reason) in reasons {
            let over = move |world: &Self| world.reason(host, call).is_some();
            if !self.expect(Invariant::BothEnd, "the call is over", limit, over) {
                return;
            }
            let is = self.reason(host, call);
            let fits = match (is, reason) {
                // How long the silence lasted is not predicted to the second.
                (Some(EndReason::Lost { .. }), EndReason::Lost { .. }) => true,
                (Some(is), reason) => is == reason,
                (None, _) => false,
            };
            if !fits {
                self.fail(
                    Invariant::Reasons,
                    format!("the call ended at {host} with {is:?}, not {reason:?}"),
                );
            }
        }
    }

    pub(super) fn reason(&self, host: usize, call: CallId) -> Option<EndReason> {
        self.hosts[host].seen.calls.get(&call).and_then(|call| call.reason)
    }

    /// A call that rings on both sides.
    pub(super) fn ring(&mut self, pair: Pair) -> Option<CallId> {
        self.call(pair.caller, pair.callee);
        let rings = |world: &Self| {
            world.is_calling(pair.caller, CallState::Ringing) && world.is_calling(pair.callee, CallState::Ringing)
        };
        self.expect(Invariant::Rings, "it rings on both sides", HEARD, rings);
        self.open_call(pair.caller).map(|(call, _)| call)
    }

    /// Both sides are in one and the same call, and hear each other.
    pub(super) fn expect_active(&mut self, invariant: Invariant, one: usize, other: usize) {
        self.expect(invariant, "both are in one call", HEARD, |world| {
            let (here, there) = (world.open_call(one), world.open_call(other));
            let hears = |at: usize| !world.hosts[at].seen.calls.values().any(|call| call.reconnecting);
            here.is_some() && here == there && world.is_calling(one, CallState::Active) && hears(one) && hears(other)
        });
    }
}
