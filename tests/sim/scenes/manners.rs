//! What people do about calls that they do not want, or not yet, and how they find out who is there.

use std::time::Duration;

use twocan_core::bounds;
use twocan_core::call::EndReason;
use twocan_core::command::{Command, Media};
use twocan_core::event::{CallState, SafetyState, WhyNot};
use twocan_core::ids::CallId;

use super::calls::{HEARD, Pair};
use crate::sim::watch::Invariant;
use crate::sim::world::World;

/// A click that must be on the disk before it counts is there within this time.
const STORED: Duration = Duration::from_secs(1);
/// After whatever went wrong, a dot is green within this time.
const GREEN_AGAIN: Duration = Duration::from_secs(150);

impl World {
    /// Three rings in vain are enough; whoever talks is forgiven.
    pub(super) fn ring_limit(&mut self, pair: Pair) {
        self.talk_and_hang_up(pair);
        for _ in 0..bounds::RINGS {
            let Some(call) = self.ring(pair) else { return };
            let wait = self.dice.ms(0, 9000);
            self.run_for(wait);
            self.click_on(pair.caller, Command::HangUp { call });
            let reasons = [(pair.caller, EndReason::Cancelled), (pair.callee, EndReason::Cancelled)];
            self.ends(call, HEARD, reasons);
        }
        let grey = |world: &Self| !world.is_green(pair.caller, pair.callee);
        self.expect(Invariant::RingLimit, "the dot is not green", HEARD, grey);
        self.call(pair.caller, pair.callee);
        let Some((call, _)) = self.open_call(pair.caller) else {
            return;
        };
        let why = EndReason::Unreachable(WhyNot::WillNotRing);
        self.ends(call, HEARD, [(pair.caller, why), (pair.callee, EndReason::Missed)]);
        let back = Pair {
            caller: pair.callee,
            callee: pair.caller,
            ..pair
        };
        self.talk_and_hang_up(back);
        let green = |world: &Self| world.is_green(pair.caller, pair.callee);
        self.expect(Invariant::RingLimit, "forgiven after a call", HEARD, green);
    }

    fn talk_and_hang_up(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        self.hang_up(pair, call);
    }

    pub(super) fn hang_up(&mut self, pair: Pair, call: CallId) {
        self.click_on(pair.caller, Command::HangUp { call });
        let reasons = [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)];
        self.ends(call, HEARD, reasons);
    }

    /// The blocked sees a machine that is switched off, and gets no packet; unblocked, it is green again.
    pub(super) fn blocked(&mut self, pair: Pair) {
        if self.dice.chance(50) {
            let Some(call) = self.talk(pair) else { return };
            self.block_contact(pair, true);
            let reasons = [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)];
            self.ends(call, HEARD, reasons);
        } else {
            self.block_contact(pair, true);
        }
        let grey = |world: &Self| !world.is_linked(pair.caller, pair.callee);
        self.expect(Invariant::Blocked, "neither dot is green", HEARD, grey);
        let sent = self.watch.knocks_to(pair.callee, self.hosts[pair.caller].address);
        self.call(pair.caller, pair.callee);
        if let Some((call, _)) = self.open_call(pair.caller) {
            let over = move |world: &Self| world.reason(pair.caller, call).is_some();
            self.expect(
                Invariant::Blocked,
                "the call comes to nothing",
                bounds::DIAL + HEARD,
                over,
            );
            if self.hosts[pair.callee].seen.calls.contains_key(&call) {
                self.fail(Invariant::Blocked, "the call of a blocked contact is listed".to_owned());
            }
        }
        if self.watch.knocks_to(pair.callee, self.hosts[pair.caller].address) != sent {
            self.fail(Invariant::Blocked, "a blocked contact got a packet".to_owned());
        }
        self.block_contact(pair, false);
        let green = |world: &Self| world.is_linked(pair.caller, pair.callee);
        self.expect(Invariant::Blocked, "green again when unblocked", GREEN_AGAIN, green);
    }

    fn block_contact(&mut self, pair: Pair, blocked: bool) {
        if let Some(contact) = self.contact_id(pair.callee, pair.caller) {
            self.click_on(pair.callee, Command::Block { contact, blocked });
        }
    }

    /// Somebody's microphone or camera goes off and on.
    pub(super) fn muted(&mut self, pair: Pair) {
        let Some(call) = self.talk(pair) else { return };
        for _ in 0..2 {
            let (from, to) = self
                .dice
                .pick(&[(pair.caller, pair.callee), (pair.callee, pair.caller)]);
            let (audio, video) = (self.dice.chance(50), self.dice.chance(50));
            let sends = Command::SetSends {
                call,
                audio: Some(audio),
                video: Some(video),
            };
            self.click_on(from, sends);
            let told = move |world: &Self| {
                let there = world.hosts[to].seen.calls.get(&call);
                there.is_some_and(|there| there.peer_media == Media { audio, video })
            };
            self.expect(Invariant::Sends, "the far side sees what is sent", HEARD, told);
        }
        self.hang_up(pair, call);
    }

    /// Where the user wants that, a second call rings during the first, which ends before or because it is answered.
    pub(super) fn second_call(&mut self, pair: Pair) {
        self.click_on(pair.callee, Command::SetSecondCall { waits: true });
        self.run_for(STORED);
        let Some(first) = self.talk(pair) else { return };
        self.call(pair.third, pair.callee);
        let Some((second, _)) = self.open_call(pair.third) else {
            return;
        };
        let state = |world: &Self, call: CallId| world.hosts[pair.callee].seen.calls.get(&call).map(|call| call.state);
        let waits = |world: &Self| {
            (state(world, first), state(world, second)) == (Some(CallState::Active), Some(CallState::Ringing))
        };
        self.expect(Invariant::SecondCall, "the second call rings", HEARD, waits);
        if self.dice.chance(50) {
            self.hang_up(pair, first);
            let rings = |world: &Self| state(world, second) == Some(CallState::Ringing);
            self.expect(Invariant::SecondCall, "it rings on", HEARD, rings);
        }
        self.click_on(pair.callee, Command::Answer { call: second });
        self.expect_active(Invariant::SecondCall, pair.third, pair.callee);
        let reasons = [(pair.caller, EndReason::HungUp), (pair.callee, EndReason::HungUp)];
        self.ends(first, HEARD, reasons);
        let others = Pair {
            caller: pair.third,
            ..pair
        };
        self.hang_up(others, second);
        self.click_on(pair.callee, Command::SetSecondCall { waits: false });
        self.run_for(STORED);
    }

    /// Words of an earlier link are shown on, also where the far side has started again since and shows none.
    fn shows_old_words(&self, one: usize, other: usize) -> bool {
        let shows = |at: usize, whom: usize| {
            let contact = self.hosts[at].contact_for(whom);
            contact.is_some_and(|contact| contact.safety.words.is_some())
        };
        shows(one, other) && !shows(other, one)
    }

    /// Safety words are the same on both screens; who finds them so is marked.
    pub(super) fn words_are_compared(&mut self, pair: Pair) {
        let mut sides = [(pair.caller, pair.callee), (pair.callee, pair.caller)];
        if self.dice.chance(50) {
            sides.swap(0, 1);
        }
        let (asks, other) = sides[0];
        let Some(contact) = self.contact_id(asks, other) else {
            return;
        };
        self.click_on(asks, Command::Verify { contact });
        if self.dice.chance(50) || self.shows_old_words(asks, other) {
            let wait = self.dice.ms(0, 1000);
            self.run_for(wait);
            if let Some(contact) = self.contact_id(other, asks) {
                self.click_on(other, Command::Verify { contact });
            }
        }
        let words = |world: &Self, (one, other): (usize, usize)| {
            world.hosts[one].contact_for(other).and_then(|it| it.safety.words)
        };
        let same = |world: &Self| words(world, sides[0]).is_some() && words(world, sides[0]) == words(world, sides[1]);
        self.expect(Invariant::Words, "both show the same words", bounds::SAFETY_RUN, same);
        let command = Command::Compared { contact, same: true };
        self.click_on(asks, command);
        self.expect(Invariant::Words, "the contact is verified", STORED, |world| {
            let contact = world.hosts[asks].contact_for(other);
            contact.is_some_and(|contact| contact.verified && contact.safety.state == SafetyState::Same)
        });
    }
}
