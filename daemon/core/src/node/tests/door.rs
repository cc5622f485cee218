//! Calls through a door, between nodes that know nothing of each other.

use std::time::Duration;

use super::BOTH;
use super::lab::Lab;
use crate::bounds::{self, close_code};
use crate::call::EndReason;
use crate::call::end_reason::FailCode;
use crate::command::{Command, Refusal, Reply};
use crate::event::{CallState, CallView, Event, FromOutside, Reachable, SafetyState, StrangerView, WhyNot};
use crate::ids::CallId;
use crate::io::Input;
use crate::message::{Message, Nonce, Show};

const MINUTE: Duration = Duration::from_secs(60);

impl Lab {
    /// Bob's door (1) is open for ten minutes, and Ann (0) knows his address.
    fn open() -> Self {
        let mut lab = Self::new(2);
        lab.set_door(1, Some(600));
        lab
    }

    fn set_door(&mut self, index: usize, open_for_s: Option<u64>) {
        let for_s = open_for_s.unwrap_or(bounds::DOOR_LIFE_S);
        let open = open_for_s.is_some();
        assert_eq!(self.ask(index, Command::SetDoor { open, for_s }), Reply::Done);
    }

    fn call_address(&mut self, index: usize, there: usize) -> CallId {
        let to = format!("11.0.0.{}:2226", there + 1).parse().unwrap();
        let reply = self.ask(index, Command::CallAddress { to, media: BOTH });
        let Reply::CallStarted(call) = reply else {
            panic!("{reply:?}")
        };
        call
    }

    /// Ann calls, Bob answers, and both have words.
    fn met(&mut self) -> CallId {
        let call = self.call_address(0, 1);
        assert_eq!(self.call(1, call).state, CallState::Ringing);
        assert_eq!(self.ask(1, Command::Answer { call }), Reply::Call(call));
        assert_eq!(self.call(0, call).state, CallState::Active);
        call
    }

    fn stranger(&self, index: usize, call: CallId) -> StrangerView {
        self.call(index, call).stranger.unwrap()
    }

    fn keep(&mut self, index: usize, call: CallId, keep: bool) -> Reply {
        self.ask(index, Command::Keep { call, keep })
    }

    fn contacts(&self, index: usize) -> usize {
        self.hosts[index].node.snapshot(self.now).contacts.len()
    }

    /// Whether the door of a host is open, in its own eyes and on the wire.
    fn is_open(&self, index: usize) -> bool {
        let seen = self.hosts[index].node.snapshot(self.now).door.open_until.is_some();
        assert_eq!(seen, self.hosts[index].door.is_some());
        seen
    }

    fn ended(&self, index: usize, call: CallId) -> EndReason {
        self.call(index, call).reason.unwrap()
    }

    /// All calls of a host that are not over.
    fn open_calls(&self, index: usize) -> Vec<CallView> {
        let calls = self.hosts[index].node.snapshot(self.now).calls;
        calls
            .into_iter()
            .filter(|call| call.state != CallState::Ended)
            .collect()
    }
}

#[test]
fn a_stranger_rings_and_is_nobody_until_both_accepted() {
    let mut lab = Lab::open();
    let call = lab.call_address(0, 1);
    let rung = lab.call(1, call);
    assert_eq!(
        (rung.incoming, rung.state, rung.contact),
        (true, CallState::Ringing, None)
    );
    assert_eq!(rung.peer_name, "");
    let stranger = rung.stranger.unwrap();
    assert_eq!(stranger.address.to_string(), "11.0.0.1:2226");
    assert_eq!(
        (stranger.safety.state, stranger.safety.number.as_str()),
        (SafetyState::None, "")
    );
    assert!(!stranger.can_keep);
    assert_eq!(lab.call(0, call).state, CallState::Ringing);
    lab.pass(Duration::from_secs(20));
    assert_eq!(lab.call(1, call).state, CallState::Ringing, "the caller renews it");
    assert!(lab.hosts.iter().all(|host| host.opened.is_empty()));

    lab.ask(1, Command::Answer { call });
    assert!(lab.hosts.iter().all(|host| host.opened == [call]));
    let (here, there) = (lab.stranger(0, call), lab.stranger(1, call));
    assert_eq!(here.safety.state, SafetyState::Compare);
    assert!(here.safety.words.is_some() && !here.safety.number.is_empty());
    assert_eq!(here.safety, there.safety);
    assert!(here.can_keep && there.can_keep);
    lab.pass(MINUTE);
    assert_eq!(
        lab.call(0, call).state,
        CallState::Active,
        "the path is proven all the time"
    );

    assert_eq!(lab.ask(0, Command::HangUp { call }), Reply::Call(call));
    for index in 0..2 {
        assert_eq!(lab.ended(index, call), EndReason::HungUp);
        assert_eq!(lab.contacts(index), 0);
    }
}

/// Nothing but the call itself is said before the answer, and the keys of TLS are no lasting ones.
#[test]
fn before_the_answer_nothing_shows_who_somebody_is() {
    let mut lab = Lab::open();
    let said = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let heard = std::rc::Rc::clone(&said);
    lab.bend = Box::new(move |_, message| {
        heard.borrow_mut().push(message.clone());
        Some(message)
    });
    let first = lab.hosts[1].door;
    assert_ne!(first, Some(lab.hosts[1].node.device()));
    let call = lab.call_address(0, 1);
    lab.pass(Duration::from_secs(5));
    let silent = |message: &Message| {
        matches!(
            message,
            Message::Ring(_) | Message::Ringing(_) | Message::Renew(_) | Message::Ack
        )
    };
    assert!(said.borrow().iter().all(silent), "{:?}", said.borrow());
    lab.ask(1, Command::Decline { call });
    assert_eq!(lab.ended(0, call), EndReason::Declined);
    assert!(
        said.borrow()
            .iter()
            .all(|message| silent(message) || matches!(message, Message::End(_)))
    );
    lab.pass(bounds::CAMERA_OFF);
    assert!(lab.hosts.iter().any(|host| host.closed == [close_code::GOING]));
    lab.set_door(1, Some(600));
    assert_ne!(lab.hosts[1].door, first, "each opening has its own key");
}

#[test]
fn a_closed_door_is_silence_and_the_caller_hears_no_answer() {
    let mut lab = Lab::new(2);
    assert!(!lab.is_open(1));
    let call = lab.call_address(0, 1);
    lab.pass(bounds::DIAL);
    assert_eq!(lab.ended(0, call), EndReason::Unreachable(WhyNot::NoAnswer));
    assert_eq!(lab.hosts[1].visitors, [0; 3]);
}

#[test]
fn it_closes_by_itself_by_hand_and_when_the_daemon_goes() {
    let mut lab = Lab::open();
    lab.pass(Duration::from_secs(599));
    assert!(lab.is_open(1));
    lab.hosts[1].events.clear();
    lab.pass(Duration::from_secs(1));
    assert!(!lab.is_open(1));
    assert!(lab.hosts[1].events.contains(&Event::Door));
    lab.set_door(1, Some(3600));
    assert!(lab.is_open(1));
    lab.set_door(1, None);
    assert!(!lab.is_open(1));
    lab.set_door(1, None);
    lab.set_door(1, Some(1));
    lab.waiting.push_back((1, Input::Going));
    lab.settle();
    assert!(!lab.is_open(1));
}

/// A wrong time changes nothing, whichever way the door was to go.
#[test]
fn a_time_out_of_bounds_neither_opens_nor_closes() {
    let mut lab = Lab::open();
    for for_s in [0, 3601, u64::MAX] {
        for open in [true, false] {
            for index in [0, 1] {
                let refused = lab.ask(index, Command::SetDoor { open, for_s });
                assert_eq!(refused, Reply::Refused(Refusal::OutOfBounds));
            }
        }
    }
    assert_eq!((lab.is_open(0), lab.is_open(1)), (false, true));
}

/// Closing it means that nobody else comes in; whoever rings or talks is not thrown out.
#[test]
fn a_call_outlives_the_door() {
    let mut lab = Lab::open();
    let call = lab.call_address(0, 1);
    lab.set_door(1, None);
    lab.ask(1, Command::Answer { call });
    lab.pass(MINUTE);
    assert_eq!(lab.call(0, call).state, CallState::Active);
    assert_eq!(lab.stranger(1, call).safety.state, SafetyState::Compare);
}

#[test]
fn one_at_a_time_one_a_minute_six_an_hour() {
    let mut lab = Lab::new(9);
    lab.set_door(8, Some(3600));
    let first = lab.call_address(0, 8);
    let second = lab.call_address(1, 8);
    assert_eq!(lab.ended(1, second), EndReason::Busy, "one stands in the door");
    lab.ask(8, Command::Decline { call: first });
    let second = lab.call_address(1, 8);
    assert_eq!(
        lab.ended(1, second),
        EndReason::Busy,
        "the same network, within a minute"
    );
    for ring in 2..=6 {
        lab.pass(MINUTE);
        let call = lab.call_address(ring, 8);
        assert_eq!(lab.call(8, call).state, CallState::Ringing);
        lab.ask(ring, Command::HangUp { call });
    }
    lab.pass(MINUTE);
    let seventh = lab.call_address(7, 8);
    assert_eq!(lab.ended(7, seventh), EndReason::Busy, "the seventh within an hour");
    let [asked, entered, turned_away] = lab.hosts[8].visitors;
    assert_eq!(
        (asked, entered, turned_away),
        (9, 6, 3),
        "nobody is shaken hands with for nothing"
    );
    lab.set_door(8, Some(3600));
    let again = lab.call_address(7, 8);
    assert_eq!(lab.ended(7, again), EndReason::Busy, "opening it again forgives nobody");
    lab.pass(Duration::from_secs(3300));
    let late = lab.call_address(7, 8);
    assert_eq!(lab.call(8, late).state, CallState::Ringing);
}

#[test]
fn during_a_call_the_door_is_busy_and_the_ring_is_listed() {
    let mut lab = Lab::new(3);
    lab.acquaint(0, 1);
    lab.set_door(1, Some(600));
    let contact = lab.id(0, 1);
    let Reply::CallStarted(call) = lab.ask(0, Command::StartCall { contact, media: BOTH }) else {
        panic!("no call");
    };
    lab.ask(1, Command::Answer { call });
    let strange = lab.call_address(2, 1);
    assert_eq!(lab.ended(2, strange), EndReason::Busy);
    let missed = lab.call(1, strange);
    assert!(missed.missed && missed.contact.is_none());
    assert_eq!(lab.call(1, call).state, CallState::Active);
    lab.pass(Duration::from_secs(3600));
    assert!(lab.call(1, strange).stranger.is_some(), "until it was seen");
    lab.ask(1, Command::SeeMissed { call: strange });
    assert!(lab.hosts[1].node.visits.is_empty());
}

#[test]
fn whoever_comes_in_and_does_not_ring_is_put_out() {
    let mut lab = Lab::open();
    lab.bend = Box::new(|_, message| (!matches!(message, Message::Ring(_))).then_some(message));
    let call = lab.call_address(0, 1);
    lab.pass(bounds::DOOR_ENTRY);
    assert_eq!(lab.hosts[1].closed, [close_code::SILENT]);
    assert_eq!(lab.ended(0, call), EndReason::Unreachable(WhyNot::Silent));
    assert!(lab.hosts[1].node.visits.is_empty());
}

#[test]
fn do_not_disturb_holds_for_strangers() {
    let mut lab = Lab::open();
    let quiet = Command::EditMe {
        name: None,
        will_ring: Some(false),
    };
    lab.ask(1, quiet);
    let call = lab.call_address(0, 1);
    assert_eq!(lab.ended(0, call), EndReason::Unreachable(WhyNot::WillNotRing));
    assert!(lab.call(1, call).missed);
}

#[test]
fn nobody_can_be_called_at_impossible_addresses_or_during_a_call() {
    let mut lab = Lab::open();
    for to in [
        "224.0.0.1:2226",
        "0.0.0.0:2226",
        "11.0.0.2:0",
        "169.254.0.1:1",
        "[ff02::1]:2226",
    ] {
        let to = to.parse().unwrap();
        let reply = lab.ask(0, Command::CallAddress { to, media: BOTH });
        assert_eq!(reply, Reply::Refused(Refusal::BadAddress), "{to}");
    }
    let call = lab.call_address(0, 1);
    let to = "11.0.0.2:2226".parse().unwrap();
    let reply = lab.ask(0, Command::CallAddress { to, media: BOTH });
    assert_eq!(reply, Reply::Refused(Refusal::InCall));
    lab.ask(0, Command::HangUp { call });
    assert!(lab.call(1, call).missed);
    assert_eq!(lab.open_calls(0), []);
}

#[test]
fn both_keep_and_are_contacts_although_the_call_goes_on() {
    let mut lab = Lab::open();
    let call = lab.met();
    assert_eq!(lab.keep(0, call, true), Reply::Call(call));
    assert_eq!(lab.contacts(0) + lab.contacts(1), 0);
    let waiting = lab.stranger(1, call);
    assert_eq!((waiting.keep, waiting.peer_keeps), (None, true));
    assert_eq!(
        lab.keep(0, call, false),
        Reply::Refused(Refusal::WrongState),
        "it was told"
    );
    assert_eq!(lab.keep(1, call, true), Reply::Call(call));
    lab.pass(Duration::from_secs(5));
    for (here, there) in [(0, 1), (1, 0)] {
        let contact = lab.contact(here, there);
        assert_eq!(contact.name, format!("Person {there}"));
        assert_eq!(contact.reachable, Reachable::Yes, "over a link of its own");
        assert!(!contact.verified);
        assert_eq!(lab.call(here, call).contact, Some(contact.id));
        assert_eq!(lab.call(here, call).state, CallState::Active);
        assert!(!lab.stranger(here, call).can_keep);
    }
    lab.ask(1, Command::HangUp { call });
    lab.restart(1);
    assert!(lab.is_green(0, 1) && lab.is_green(1, 0));
    let contact = lab.id(1, 0);
    let back = lab.ask(1, Command::StartCall { contact, media: BOTH });
    assert!(matches!(back, Reply::CallStarted(_)), "{back:?}");
}

#[test]
fn both_may_keep_after_the_call_as_long_as_it_is_listed() {
    let mut lab = Lab::open();
    let call = lab.met();
    lab.ask(0, Command::HangUp { call });
    lab.pass(Duration::from_secs(50));
    assert!(lab.stranger(0, call).can_keep);
    lab.keep(1, call, true);
    lab.keep(0, call, true);
    lab.pass(bounds::CAMERA_OFF);
    assert!(lab.hosts.iter().any(|host| host.closed.contains(&close_code::GOING)));
    lab.pass(Duration::from_secs(5));
    assert!(lab.is_green(0, 1) && lab.is_green(1, 0));
    lab.pass(MINUTE);
    assert!(lab.hosts.iter().all(|host| host.node.visits.is_empty()));
}

#[test]
fn one_keeps_or_none_and_nobody_is_a_contact() {
    for (here, there) in [
        (None, None),
        (Some(true), None),
        (Some(true), Some(false)),
        (Some(false), Some(false)),
    ] {
        let mut lab = Lab::open();
        let call = lab.met();
        lab.ask(0, Command::HangUp { call });
        for (index, wish) in [(0, here), (1, there)] {
            if let Some(keep) = wish {
                assert_eq!(lab.keep(index, call, keep), Reply::Call(call));
            }
        }
        lab.pass(Duration::from_secs(70));
        for host in &lab.hosts {
            assert!(host.node.visits.is_empty(), "{here:?} {there:?}");
            assert!(host.node.state.contacts.is_empty());
        }
        assert_eq!(lab.keep(0, call, true), Reply::Refused(Refusal::NotFound));
    }
}

#[test]
fn nobody_is_kept_who_did_not_answer_or_is_gone() {
    let mut lab = Lab::open();
    let call = lab.call_address(0, 1);
    assert_eq!(lab.keep(0, call, true), Reply::Refused(Refusal::CannotKeep));
    lab.ask(1, Command::Answer { call });
    lab.cut();
    assert_eq!(lab.ended(0, call), EndReason::Lost { after_s: 0 });
    assert_eq!(lab.keep(1, call, true), Reply::Refused(Refusal::CannotKeep));
}

#[test]
fn a_disk_that_fails_keeps_nobody_and_tells_nobody() {
    let mut lab = Lab::open();
    let call = lab.met();
    lab.keep(0, call, true);
    lab.hosts[1].disk_fails = true;
    assert_eq!(lab.keep(1, call, true), Reply::Refused(Refusal::StoreFailed));
    assert_eq!((lab.contacts(0), lab.contacts(1)), (0, 0));
    lab.hosts[1].disk_fails = false;
    assert_eq!(lab.keep(1, call, true), Reply::Call(call));
    lab.pass(Duration::from_secs(5));
    assert!(lab.is_green(0, 1) && lab.is_green(1, 0));
}

#[test]
fn words_verify_whoever_is_kept_and_different_ones_end_the_call() {
    let mut lab = Lab::open();
    let call = lab.met();
    let same = |call, same| Command::ComparedWithStranger { call, same };
    assert_eq!(lab.ask(0, same(call, true)), Reply::Call(call));
    lab.keep(0, call, true);
    lab.keep(1, call, true);
    assert!(lab.contact(0, 1).verified && !lab.contact(1, 0).verified);
    lab.ask(1, same(call, true));
    assert!(lab.contact(1, 0).verified);
    lab.ask(1, same(call, false));
    assert_eq!(lab.ended(1, call), EndReason::Failed(FailCode::WordsDiffer));
    assert_eq!(lab.ended(0, call), EndReason::HungUp);
    let contact = lab.contact(1, 0);
    assert!(!contact.verified && contact.alarm.is_some());

    let mut lab = Lab::open();
    let call = lab.met();
    lab.ask(0, same(call, false));
    assert_eq!(lab.keep(0, call, true), Reply::Refused(Refusal::CannotKeep));
    lab.pass(bounds::CAMERA_OFF);
    assert!(lab.hosts[1].node.visits.values().all(|visit| visit.line().is_none()));
}

/// Somebody in the middle cannot do without words, nor with wrong ones.
#[test]
fn whoever_does_not_show_himself_rightly_is_cut_off() {
    type Bend = fn(Message) -> Option<Message>;
    let bends: [(Bend, u32); 4] = [
        (
            |message| (!matches!(message, Message::Show(_))).then_some(message),
            close_code::SILENT,
        ),
        (|message| (!message.is_safety()).then_some(message), close_code::SILENT),
        (
            |message| {
                let Message::Show(show) = message else {
                    return Some(message);
                };
                Some(Message::Show(Show {
                    signature: vec![1; 64],
                    ..show
                }))
            },
            close_code::BAD_HELLO,
        ),
        (
            |message| {
                let is_last = matches!(message, Message::SafetyReveal(_));
                let wrong = Message::SafetyReveal(Nonce { nonce: [1; 32] });
                Some(if is_last { wrong } else { message })
            },
            close_code::GARBAGE,
        ),
    ];
    for (bend, code) in bends {
        let mut lab = Lab::open();
        lab.bend = Box::new(move |_, message| bend(message));
        let call = lab.call_address(0, 1);
        lab.ask(1, Command::Answer { call });
        lab.pass(bounds::SAFETY_RUN);
        let closed = lab.hosts.iter().flat_map(|host| &host.closed);
        assert!(
            closed.clone().any(|closed| *closed == code),
            "{code}: {:?}",
            closed.collect::<Vec<_>>()
        );
        assert!(lab.open_calls(0).is_empty() && lab.open_calls(1).is_empty());
    }
}

#[test]
fn contacts_meet_as_such_and_blocked_ones_hear_nothing_more() {
    let mut lab = Lab::pair();
    lab.set_door(1, Some(600));
    let call = lab.met();
    assert_eq!(lab.call(1, call).contact, Some(lab.id(1, 0)));
    assert_eq!(lab.call(1, call).peer_name, "Person 0");
    let contact = lab.id(1, 0);
    lab.ask(1, Command::Block { contact, blocked: true });
    assert_eq!(lab.ended(1, call), EndReason::HungUp);
    lab.pass(MINUTE);
    let call = lab.call_address(0, 1);
    assert_eq!(lab.call(1, call).contact, None);
    lab.ask(1, Command::Answer { call });
    assert_eq!(lab.ended(0, call), EndReason::HungUp);
}

#[test]
fn what_strangers_may_not_say_ends_the_visit() {
    let wrong = [Message::SafetyAsk, Message::Redeemed, Message::SafetyLater];
    for wrong in wrong {
        let mut lab = Lab::open();
        let sent = wrong.clone();
        lab.bend = Box::new(move |from, message| {
            let is_first = matches!(message, Message::Ring(_)) && sent.is_numbered();
            let is_unnumbered = message == Message::Ack && !sent.is_numbered();
            Some(if from == 0 && (is_first || is_unnumbered) {
                sent.clone()
            } else {
                message
            })
        });
        lab.call_address(0, 1);
        assert_eq!(lab.hosts[1].closed, [close_code::GARBAGE], "{wrong:?}");
        assert!(lab.open_calls(1).is_empty());
    }
}

#[test]
fn whether_there_is_a_way_from_outside_shows_when_somebody_came() {
    let mut lab = Lab::open();
    let door = |lab: &Lab| lab.hosts[1].node.snapshot(lab.now).door;
    assert_eq!(door(&lab).from_outside, FromOutside::Unknown);
    assert_eq!(door(&lab).addresses.len(), 1);
    lab.call_address(0, 1);
    assert_eq!(
        door(&lab).from_outside,
        FromOutside::Unknown,
        "Ann is in the same network"
    );
    let from = "12.0.0.1:5".parse().unwrap();
    lab.pass(MINUTE);
    let visitor = crate::ids::VisitorId(1);
    lab.hosts[1].node.handle(Input::Visitor { visitor, from }, lab.now);
    assert_eq!(door(&lab).from_outside, FromOutside::Yes);
}
