//! The ways a call can go, and what each side is told.

use std::time::Duration;

use twocan_core::bounds;
use twocan_core::call::{EndReason, FailCode};
use twocan_core::command::Command;
use twocan_core::event::{CallState, WhyNot};
use twocan_core::ids::CallId;

use super::calls::{HEARD, Pair};
use crate::sim::happening::Happening;
use crate::sim::host::Then;
use crate::sim::watch::Invariant;
use crate::sim::world::World;

/// Who slept is green again within this time: a whole search by either side, after the longest pause between two.
const AWAKE: Duration = Duration::from_secs(70);

/// One way a call can go.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    CallerHangsUp,
    CalleeHangsUp,
    Declined,
    Cancelled,
    NobodyAnswers,
    Busy,
    DoesNotRing,
    Glare,
    CallingBackAnswers,
    CallerDiesRinging,
    CalleeDiesRinging,
    CallerDiesTalking,
    CalleeSleepsTalking,
    CalleeNodsTalking,
    CalleeExitsTalking,
    PathDies,
    PathRecovers,
    CalleeMoves,
    Restart,
    RingLimit,
    Blocked,
    Muted,
    SecondCall,
    Words,
}

/// All of them; glare more often, for it depends on who is faster.
pub(super) const ENDS: [End; 27] = [
    End::CallerHangsUp,
    End::CalleeHangsUp,
    End::Declined,
    End::Cancelled,
    End::NobodyAnswers,
    End::Busy,
    End::DoesNotRing,
    End::Glare,
    End::Glare,
    End::Glare,
    End::Glare,
    End::CallingBackAnswers,
    End::CallerDiesRinging,
    End::CalleeDiesRinging,
    End::CallerDiesTalking,
    End::CalleeSleepsTalking,
    End::CalleeNodsTalking,
    End::CalleeExitsTalking,
    End::PathDies,
    End::PathRecovers,
    End::CalleeMoves,
    End::Restart,
    End::RingLimit,
    End::Blocked,
    End::Muted,
    End::SecondCall,
    End::Words,
];

impl World {
    pub(super) fn play(&mut self, end: End, pair: Pair) {
        match end {
            End::CallerHangsUp => self.hang_up_scene(pair, pair.caller),
            End::CalleeHangsUp => self.hang_up_scene(pair, pair.callee),
            End::Declined => self.declined(pair),
            End::Cancelled => self.cancelled(pair),
            End::NobodyAnswers => self.nobody_answers(pair),
            End::Busy => self.busy(pair),
            End::DoesNotRing => self.does_not_ring(pair),
            End::Glare => self.glare(pair),
            End::CallingBackAnswers => self.calling_back(pair),
            End::CallerDiesRinging => self.caller_dies_ringing(pair),
            End::CalleeDiesRinging => self.callee_dies_ringing(pair),
            End::CallerDiesTalking => self.dies_talking(pair),
            End::CalleeSleepsTalking => self.sleeps_talking(pair),
            End::CalleeNodsTalking => self.nods_talking(pair),
            End::CalleeExitsTalking => self.exits_talking(pair),
            End::PathDies => self.path_dies(pair),
            End::PathRecovers => self.path_recovers(pair),
            End::CalleeMoves => self.callee_moves(pair),
            End::Restart => self.restart_scene(pair),
            End::RingLimit => self.ring_limit(pair),
            End::Blocked => self.blocked(pair),
            End::Muted => self.muted(pair),
            End::SecondCall => self.second_call(pair),
            End::Words => self.words_are_compared(pair),
        }
    }

    pub(super) fn click_on(&mut self, host: usize, command: Command) {
        self.command(host, command, Then::Nothing);
    }

    /// Calls, rings, is answered after a while.
    pub(super) fn talk(&mut self, pair: Pair) -> Option<CallId> {
        let call = self.ring(pair)?;
        let wait = self.dice.ms(0, 9000);
        self.run_for(wait);
        self.click_on(pair.callee, Command::Answer { call });
        self.expect_active(Invariant::Answer, pair.caller, pair.callee);
        let wait = self.dice.ms(0, 30_000);
        self.run_for(wait);
        Some(call)
    }

    fn hang_up_scene(&mut self, pair: Pair, by: usize) {
        let Some(call) = self.talk(pair) else { return };
        self.click_on(by, Command::HangUp { call });
        self.ends(
            call,
            HEARD,
            [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)],
        );
    }

    fn declined(&mut self, pair: Pair) {
        let Some(call) = self.ring(pair) else { return };
        self.click_on(pair.callee, Command::Decline { call });
        self.ends(
            call,
            HEARD,
            [(pair.caller, EndReason::Declined), (pair.callee, EndReason::Declined)],
        );
    }

    fn cancelled(&mut self, pair: Pair) {
        let Some(call) = self.ring(pair) else { return };
        let wait = self.dice.ms(0, 9000);
        self.run_for(wait);
        self.click_on(pair.caller, Command::HangUp { call });
        self.ends(
            call,
            HEARD,
            [(pair.caller, EndReason::Cancelled), (pair.callee, EndReason::Cancelled)],
        );
    }

    fn nobody_answers(&mut self, pair: Pair) {
        let Some(call) = self.ring(pair) else { return };
        let limit = bounds::RING + HEARD;
        self.ends(
            call,
            limit,
            [(pair.caller, EndReason::Missed), (pair.callee, EndReason::Missed)],
        );
    }

    fn busy(&mut self, pair: Pair) {
        let Some(first) = self.talk(pair) else { return };
        self.call(pair.third, pair.callee);
        let Some((second, _)) = self.open_call(pair.third) else {
            return;
        };
        self.ends(
            second,
            HEARD,
            [(pair.third, EndReason::Busy), (pair.callee, EndReason::Missed)],
        );
        self.hang_up(pair, first);
    }

    fn does_not_ring(&mut self, pair: Pair) {
        self.set_presence(pair.callee, false);
        let grey = |world: &Self| !world.is_green(pair.caller, pair.callee);
        self.expect(Invariant::WillRing, "the dot is not green", HEARD, grey);
        self.call(pair.caller, pair.callee);
        let Some((call, _)) = self.open_call(pair.caller) else {
            return;
        };
        let why = EndReason::Unreachable(WhyNot::WillNotRing);
        self.ends(call, HEARD, [(pair.caller, why), (pair.callee, EndReason::Missed)]);
        self.set_presence(pair.callee, true);
    }

    fn glare(&mut self, pair: Pair) {
        let began = self.now;
        self.call(pair.caller, pair.callee);
        if let Some(contact) = self.contact_id(pair.callee, pair.caller) {
            let (after, run) = (self.dice.ms(0, 60), self.hosts[pair.callee].run);
            let command = Command::StartCall {
                contact,
                media: crate::sim::people::VIDEO,
            };
            self.later(
                after,
                Happening::Do {
                    host: pair.callee,
                    run,
                    command,
                    then: Then::Nothing,
                },
            );
        }
        self.expect_active(Invariant::Glare, pair.caller, pair.callee);
        let mut shown = self.watch.stories.values().filter(|story| story.began >= began);
        let kind = |reason: &EndReason| *reason == EndReason::GlareMerged;
        if !shown.all(|story| story.reasons.values().all(kind)) {
            self.fail(
                Invariant::Glare,
                "somebody who called is shown a missed call".to_owned(),
            );
        }
        let Some((call, _)) = self.open_call(pair.caller) else {
            return;
        };
        self.hang_up(pair, call);
    }

    fn calling_back(&mut self, pair: Pair) {
        let Some(call) = self.ring(pair) else { return };
        self.call(pair.callee, pair.caller);
        self.expect_active(Invariant::Answer, pair.caller, pair.callee);
        self.click_on(pair.callee, Command::HangUp { call });
        self.ends(
            call,
            HEARD,
            [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)],
        );
    }

    fn caller_dies_ringing(&mut self, pair: Pair) {
        let Some(call) = self.ring(pair) else { return };
        let wait = self.dice.ms(0, 9000);
        self.run_for(wait);
        self.crash(pair.caller);
        let limit = bounds::RING_LEASE + HEARD;
        self.ends(
            call,
            limit,
            [(pair.callee, EndReason::Missed), (pair.callee, EndReason::Missed)],
        );
    }

    fn callee_dies_ringing(&mut self, pair: Pair) {
        let Some(call) = self.ring(pair) else { return };
        self.crash(pair.callee);
        let why = EndReason::Unreachable(WhyNot::Silent);
        let limit = bounds::RING_LEASE + 2 * HEARD;
        self.ends(call, limit, [(pair.caller, why), (pair.caller, why)]);
    }

    fn dies_talking(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        self.crash(pair.caller);
        let why = EndReason::Lost { after_s: 0 };
        let limit = bounds::LOST + HEARD;
        self.ends(call, limit, [(pair.callee, why), (pair.callee, why)]);
    }

    /// Two minutes of sleep and more: the call is lost on both sides, each told when it can be, and the way is found again.
    fn sleeps_talking(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        let time = self.dice.ms(120_000, 7_200_000);
        self.sleep(pair.callee, time);
        let why = EndReason::Lost { after_s: 0 };
        self.ends(call, bounds::LOST + HEARD, [(pair.caller, why), (pair.caller, why)]);
        self.ends(call, time + HEARD, [(pair.callee, why), (pair.callee, why)]);
        self.expect(Invariant::GreenInTime, "green again after a sleep", AWAKE, |world| {
            world.is_linked(pair.caller, pair.callee)
        });
    }

    /// A sleep shorter than it takes to lose a call is heard as a pause.
    fn nods_talking(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        let time = self.dice.ms(500, 20_000);
        self.sleep(pair.callee, time);
        self.run_for(time + Duration::from_secs(10));
        self.expect_active(Invariant::Survives, pair.caller, pair.callee);
        self.hang_up(pair, call);
    }

    fn exits_talking(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        self.leave(pair.callee);
        let why = EndReason::Failed(FailCode::PeerStopped);
        self.ends(call, HEARD, [(pair.caller, why), (pair.caller, why)]);
    }

    fn path_dies(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        self.block(pair.caller, pair.callee);
        self.block(pair.callee, pair.caller);
        let why = EndReason::Lost { after_s: 0 };
        let limit = bounds::LOST + HEARD;
        self.ends(call, limit, [(pair.caller, why), (pair.callee, why)]);
    }

    fn path_recovers(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        self.block(pair.caller, pair.callee);
        self.block(pair.callee, pair.caller);
        let wait = self.dice.ms(500, 20_000);
        self.run_for(wait);
        self.heal(pair.caller, pair.callee);
        self.run_for(Duration::from_secs(10));
        self.expect_active(Invariant::Survives, pair.caller, pair.callee);
        self.hang_up(pair, call);
    }

    fn callee_moves(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        let mover = if self.dice.chance(50) { pair.caller } else { pair.callee };
        let routes = self.hosts[mover].shell.next_link;
        self.move_away(mover);
        self.expect(
            Invariant::Survives,
            "the call has moved to a new connection",
            HEARD,
            |world| world.hosts[mover].shell.next_link > routes,
        );
        self.expect_active(Invariant::Survives, pair.caller, pair.callee);
        self.click_on(pair.callee, Command::HangUp { call });
        self.ends(
            call,
            HEARD,
            [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)],
        );
    }

    /// A daemon that restarts in a call comes back without it; the other side is told.
    fn restart_scene(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        self.crash(pair.callee);
        let wait = self.dice.ms(0, 2000);
        self.run_for(wait);
        self.later(Duration::ZERO, Happening::Start { host: pair.callee });
        let why = EndReason::Failed(FailCode::PeerRestarted);
        self.ends(call, bounds::LOST, [(pair.caller, why), (pair.caller, why)]);
        if self.is_calling(pair.callee, CallState::Active) {
            self.fail(Invariant::BothEnd, "a restarted daemon is in a call".to_owned());
        }
    }
}
