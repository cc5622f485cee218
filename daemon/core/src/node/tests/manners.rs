//! Ring limits, blocking, second calls, and what each side sends.

use std::time::Duration;

use super::lab::Lab;
use crate::bounds;
use crate::call::EndReason;
use crate::command::{Command, Media, Refusal, Reply};
use crate::event::{CallState, InviteRefusal, Reachable, WhyNot};
use crate::ids::CallId;

const VIDEO: Media = Media {
    audio: true,
    video: true,
};

impl Lab {
    fn start_call(&mut self, from: usize, to: usize) -> CallId {
        let contact = self.id(from, to);
        let reply = self.ask(from, Command::StartCall { contact, media: VIDEO });
        let Reply::CallStarted(call) = reply else {
            panic!("no call: {reply:?}");
        };
        call
    }

    fn talk(&mut self, from: usize, to: usize) -> CallId {
        let call = self.start_call(from, to);
        assert_eq!(self.ask(to, Command::Answer { call }), Reply::Call(call));
        assert_eq!(self.call(from, call).state, CallState::Active);
        call
    }

    fn block(&mut self, index: usize, other: usize, blocked: bool) -> Reply {
        let contact = self.id(index, other);
        self.ask(index, Command::Block { contact, blocked })
    }

    fn rings(&self, index: usize, call: CallId) -> bool {
        self.call(index, call).state == CallState::Ringing
    }
}

#[test]
fn three_unanswered_rings_and_no_more_for_ten_minutes() {
    let mut lab = Lab::pair();
    for _ in 0..bounds::RINGS {
        assert!(lab.is_green(0, 1));
        let call = lab.start_call(0, 1);
        assert!(lab.rings(1, call));
        lab.ask(0, Command::HangUp { call });
        lab.pass(Duration::from_secs(1));
    }
    let quiet = Reachable::No(WhyNot::WillNotRing);
    assert_eq!(lab.contact(0, 1).reachable, quiet, "no dot lies");
    assert!(lab.contact(1, 0).quiet && lab.is_green(1, 0));
    let call = lab.start_call(0, 1);
    let refused = lab.call(0, call).reason;
    assert_eq!(refused, Some(EndReason::Unreachable(WhyNot::WillNotRing)));
    let listed = lab.call(1, call);
    assert!(listed.missed && listed.reason == Some(EndReason::Missed), "{listed:?}");

    lab.pass(bounds::RINGS_WINDOW);
    assert!(lab.is_green(0, 1) && !lab.contact(1, 0).quiet);
    let call = lab.start_call(0, 1);
    assert!(lab.rings(1, call));
}

#[test]
fn an_answer_forgives_earlier_rings() {
    let mut lab = Lab::pair();
    for _ in 0..3 {
        for _ in 0..bounds::RINGS - 1 {
            let call = lab.start_call(0, 1);
            lab.ask(1, Command::Decline { call });
        }
        let call = lab.talk(0, 1);
        lab.ask(0, Command::HangUp { call });
    }
    assert!(lab.is_green(0, 1));
}

#[test]
fn who_is_quiet_can_still_be_called() {
    let mut lab = Lab::pair();
    for _ in 0..bounds::RINGS {
        let call = lab.start_call(0, 1);
        lab.ask(1, Command::Decline { call });
    }
    assert!(lab.contact(1, 0).quiet);
    let call = lab.talk(1, 0);
    lab.ask(1, Command::HangUp { call });
    assert!(!lab.contact(1, 0).quiet);
    lab.pass(Duration::from_secs(1));
    assert!(lab.is_green(0, 1));
}

#[test]
fn a_blocked_contact_meets_silence() {
    let mut lab = Lab::pair();
    let contact = lab.id(0, 1);
    assert_eq!(lab.block(0, 1, true), Reply::Contact(contact));
    assert_eq!(lab.contact(0, 1).reachable, Reachable::No(WhyNot::Blocked));
    assert!(lab.contact(0, 1).blocked);
    let knocks = lab.hosts[0].knocks;
    lab.pass(Duration::from_secs(300));
    assert_eq!(lab.hosts[0].knocks, knocks, "a blocked contact drew an answer");
    assert_eq!(lab.contact(1, 0).reachable, Reachable::No(WhyNot::NoAnswer));
    let call = lab.start_call(1, 0);
    lab.pass(bounds::DIAL);
    let reason = lab.call(1, call).reason;
    assert_eq!(reason, Some(EndReason::Unreachable(WhyNot::NoAnswer)));
    let media = VIDEO;
    let back = lab.ask(0, Command::StartCall { contact, media });
    assert_eq!(back, Reply::Refused(Refusal::Blocked));
    let words = lab.ask(0, Command::Verify { contact });
    assert_eq!(words, Reply::Refused(Refusal::Blocked));

    lab.restart(0);
    assert!(lab.contact(0, 1).blocked);
    assert_eq!(lab.contact(0, 1).path, None);
    lab.block(0, 1, false);
    lab.pass(Duration::from_secs(70));
    assert!(lab.is_green(0, 1) && lab.is_green(1, 0));
}

#[test]
fn blocking_ends_the_call_for_both() {
    let mut lab = Lab::pair();
    let call = lab.talk(1, 0);
    lab.block(0, 1, true);
    assert_eq!(lab.call(0, call).reason, Some(EndReason::HungUp));
    assert_eq!(lab.call(1, call).reason, Some(EndReason::HungUp));
    lab.pass(Duration::from_secs(60));
    assert_eq!(lab.contact(1, 0).reachable, Reachable::No(WhyNot::NoAnswer));
}

#[test]
fn an_invite_does_not_bring_a_blocked_contact_back() {
    let mut lab = Lab::pair();
    lab.block(0, 1, true);
    let link = lab.invite(0);
    lab.ask(
        1,
        Command::AddContact {
            link,
            name: None,
            temporary: false,
        },
    );
    lab.pass(Duration::from_secs(10));
    assert!(lab.contact(0, 1).blocked);
    assert_eq!(lab.contact(0, 1).path, None);
    let refused = crate::event::Event::ContactRemoved(lab.id(1, 0), Some(InviteRefusal::Unknown));
    assert!(!lab.hosts[1].events.contains(&refused), "an old contact stays");
    let link = lab.invite(1);
    let pasted = lab.ask(
        0,
        Command::AddContact {
            link,
            name: None,
            temporary: false,
        },
    );
    assert_eq!(pasted, Reply::Refused(Refusal::Blocked));
}

#[test]
fn a_block_that_cannot_be_stored_is_undone() {
    let mut lab = Lab::pair();
    lab.hosts[0].disk_fails = true;
    assert_eq!(lab.block(0, 1, true), Reply::Refused(Refusal::StoreFailed));
    lab.pass(Duration::from_secs(90));
    assert!(!lab.contact(0, 1).blocked && lab.is_green(0, 1));

    lab.hosts[0].disk_fails = false;
    lab.block(0, 1, true);
    lab.hosts[0].disk_fails = true;
    assert_eq!(lab.block(0, 1, false), Reply::Refused(Refusal::StoreFailed));
    lab.pass(Duration::from_secs(90));
    assert!(lab.contact(0, 1).blocked);
    assert_eq!(lab.contact(0, 1).path, None);
}

#[test]
fn a_second_caller_hears_busy_unless_told_otherwise() {
    let mut lab = Lab::new(3);
    lab.acquaint(0, 1);
    lab.acquaint(0, 2);
    let first = lab.talk(1, 0);
    let second = lab.start_call(2, 0);
    assert_eq!(lab.call(2, second).reason, Some(EndReason::Busy));
    assert!(lab.call(0, second).missed);

    assert_eq!(lab.ask(0, Command::SetSecondCall { waits: true }), Reply::Done);
    let waiting = lab.start_call(2, 0);
    assert!(lab.rings(0, waiting) && lab.rings(2, waiting));
    assert_eq!(lab.call(0, first).state, CallState::Active);
    lab.ask(0, Command::Answer { call: waiting });
    assert_eq!(lab.call(0, first).reason, Some(EndReason::HungUp));
    assert_eq!(lab.call(1, first).reason, Some(EndReason::HungUp));
    assert_eq!(lab.call(2, waiting).state, CallState::Active);
    lab.restart(0);
    assert!(lab.hosts[0].node.snapshot(lab.now).me.unwrap().second_call_waits);
}

#[test]
fn a_waiting_call_rings_on_when_the_first_one_ends() {
    let mut lab = Lab::new(3);
    lab.acquaint(0, 1);
    lab.acquaint(0, 2);
    lab.ask(0, Command::SetSecondCall { waits: true });
    let first = lab.talk(0, 1);
    let waiting = lab.start_call(2, 0);
    lab.ask(1, Command::HangUp { call: first });
    assert!(lab.rings(0, waiting));
    lab.ask(0, Command::Answer { call: waiting });
    assert_eq!(lab.call(2, waiting).state, CallState::Active);
    assert!(lab.hosts[0].opened.contains(&waiting));
}

#[test]
fn muted_and_camera_off_show_on_the_far_side() {
    let mut lab = Lab::pair();
    let call = lab.start_call(0, 1);
    let sends = |audio, video| Command::SetSends { call, audio, video };
    // Said while it rings, told when both talk.
    lab.ask(1, sends(None, Some(false)));
    assert_eq!(lab.call(0, call).peer_media, VIDEO);
    lab.ask(1, Command::Answer { call });
    let dark = Media {
        audio: true,
        video: false,
    };
    assert_eq!(
        (lab.call(0, call).peer_media, lab.call(1, call).own_media),
        (dark, dark)
    );
    lab.ask(0, sends(Some(false), None));
    let muted = Media {
        audio: false,
        video: true,
    };
    assert_eq!(
        (lab.call(1, call).peer_media, lab.call(0, call).own_media),
        (muted, muted)
    );
    lab.cut();
    lab.ask(0, sends(Some(true), None));
    assert_eq!(lab.call(1, call).peer_media, VIDEO);
    lab.ask(0, Command::HangUp { call });
    let late = lab.ask(0, sends(Some(false), None));
    assert_eq!(late, Reply::Refused(Refusal::WrongState));
}
