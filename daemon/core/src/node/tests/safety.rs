//! Safety words between two nodes.

use std::time::Duration;

use super::lab::Lab;
use crate::bounds::{self, close_code};
use crate::call::EndReason;
use crate::call::end_reason::FailCode;
use crate::command::{Command, Media, Refusal, Reply};
use crate::crypto::{self, Secret};
use crate::event::{CallState, Event, Notice, SafetyState};
use crate::identity::{DeviceEntry, DeviceList};
use crate::ids::{CommandId, DeviceKey, RootKey};
use crate::io::Input;
use crate::message::{Frame, Message, Nonce, Unsupported};
use crate::state::{Alarm, State};

const PAUSE: Duration = bounds::SAFETY_PAUSE;

impl Lab {
    /// A host asks for words; gives the number of its command.
    fn verify(&mut self, index: usize) -> CommandId {
        let contact = self.id(index, 1 - index);
        self.begin(index, Command::Verify { contact })
    }

    fn compared(&mut self, index: usize, same: bool) -> Reply {
        let contact = self.id(index, 1 - index);
        self.ask(index, Command::Compared { contact, same })
    }

    fn safety(&self, index: usize) -> crate::event::SafetyView {
        self.contact(index, 1 - index).safety
    }

    fn refused(&self, index: usize, id: CommandId) -> Option<Refusal> {
        match self.reply(index, id) {
            Some(Reply::Refused(why)) => Some(why),
            _ => None,
        }
    }

    /// Both show the same words, which wait for an answer.
    fn both_compare(&self) {
        let (one, other) = (self.safety(0), self.safety(1));
        assert_eq!(one.state, SafetyState::Compare);
        assert!(one.words.is_some());
        assert_eq!(one, other);
    }

    /// Messages of safety exchanges are lost from here on.
    fn lose_safety_messages(&mut self) {
        self.bend = Box::new(|_, message| (!message.is_safety()).then_some(message));
    }

    fn lose_nothing(&mut self) {
        self.bend = Box::new(|_, message| Some(message));
    }
}

#[test]
fn whoever_asks_both_show_the_same_words() {
    for asker in 0..2 {
        let mut lab = Lab::pair();
        assert_eq!(lab.safety(0).state, SafetyState::None);
        assert_eq!(lab.safety(0).number, lab.safety(1).number);
        let id = lab.verify(asker);
        assert!(matches!(lab.reply(asker, id), Some(Reply::Contact(_))));
        lab.both_compare();
    }
}

#[test]
fn both_may_ask_at_once() {
    let mut lab = Lab::pair();
    for index in 0..2 {
        let contact = lab.id(index, 1 - index);
        let id = CommandId(900);
        let command = Command::Verify { contact };
        lab.waiting.push_back((index, Input::Command { id, command }));
    }
    lab.settle();
    for index in 0..2 {
        assert!(matches!(lab.reply(index, CommandId(900)), Some(Reply::Contact(_))));
    }
    lab.both_compare();
}

#[test]
fn only_the_own_yes_verifies_and_it_is_kept() {
    let mut lab = Lab::pair();
    assert_eq!(lab.compared(0, true), Reply::Refused(Refusal::WrongState));
    lab.verify(0);
    assert!(matches!(lab.compared(0, true), Reply::Contact(_)));
    assert_eq!(lab.safety(0).state, SafetyState::Same);
    assert!(lab.contact(0, 1).verified && !lab.contact(1, 0).verified);
    assert_eq!(lab.safety(1).state, SafetyState::Compare);
    lab.restart(0);
    assert!(lab.contact(0, 1).verified);
    assert_eq!(lab.safety(0).state, SafetyState::None);
}

#[test]
fn an_answer_that_cannot_be_stored_does_not_count() {
    let mut lab = Lab::pair();
    lab.verify(0);
    lab.hosts[0].disk_fails = true;
    assert_eq!(lab.compared(0, true), Reply::Refused(Refusal::StoreFailed));
    assert!(!lab.contact(0, 1).verified);
    assert_eq!(lab.safety(0).state, SafetyState::Compare);
}

#[test]
fn asking_again_shows_the_same_words() {
    let mut lab = Lab::pair();
    lab.verify(0);
    let words = lab.safety(0).words;
    for asker in [0, 1, 1] {
        lab.verify(asker);
        assert_eq!(lab.safety(0).words, words);
    }
    lab.cut();
    lab.both_compare();
    assert_eq!(lab.safety(0).words, words, "words outlive their link for a while");
    lab.pass(bounds::SAFETY_SHOWN + Duration::from_secs(30));
    assert_eq!(lab.safety(0).state, SafetyState::None);
    lab.verify(0);
    lab.both_compare();
    assert_ne!(lab.safety(0).words, words);
}

/// A far side that restarted shows nothing: old words here would differ from what it shows next.
#[test]
fn words_do_not_outlive_the_far_sides_memory() {
    let mut lab = Lab::pair();
    lab.verify(0);
    lab.settle();
    lab.both_compare();
    let before = lab.safety(0).words;
    lab.restart(1);
    lab.pass(Duration::from_secs(40));
    assert!(lab.is_green(0, 1), "the link is back");
    assert_eq!((lab.safety(0).state, lab.safety(0).words), (SafetyState::None, None));
    lab.verify(0);
    lab.settle();
    lab.both_compare();
    assert_ne!(lab.safety(0).words, before);
}

#[test]
fn a_deviation_ends_the_run_and_the_link() {
    for asker in 0..2 {
        let mut lab = Lab::pair();
        lab.bend = Box::new(|_, mut message| {
            if let Message::SafetyReveal(reveal) = &mut message {
                *reveal = Nonce { nonce: [0; 32] };
            }
            Some(message)
        });
        lab.verify(asker);
        let dialer = usize::from(lab.hosts[0].node.device() > lab.hosts[1].node.device());
        let listener = 1 - dialer;
        assert_eq!(lab.safety(listener).state, SafetyState::None);
        assert!(lab.hosts[listener].closed.contains(&close_code::GARBAGE));
        lab.lose_nothing();
        lab.pass(Duration::from_secs(10));
        assert!(lab.is_green(0, 1));
        let early = lab.verify(listener);
        assert_eq!(lab.refused(listener, early), Some(Refusal::SafetyPause));
        lab.pass(PAUSE);
        lab.cut();
        lab.verify(listener);
        lab.both_compare();
    }
}

/// The far side had a run that ended badly and pauses; this side has not noticed.
#[test]
fn a_side_that_pauses_says_so() {
    let mut lab = Lab::pair();
    lab.lose_safety_messages();
    lab.verify(1);
    lab.pass(bounds::SAFETY_RUN);
    lab.lose_nothing();
    lab.pass(Duration::from_secs(10));
    let id = lab.verify(0);
    assert_eq!(lab.refused(0, id), Some(Refusal::SafetyPause));
    assert_eq!(lab.safety(0).state, SafetyState::None);
    lab.pass(PAUSE);
    assert!(lab.is_green(0, 1), "nobody deviated, so the link stood");
    lab.verify(0);
    lab.both_compare();
}

#[test]
fn a_run_that_falls_silent_ends() {
    for asker in 0..2 {
        let mut lab = Lab::pair();
        lab.lose_safety_messages();
        let id = lab.verify(asker);
        assert_eq!(lab.reply(asker, id), None);
        assert_eq!(lab.safety(asker).state, SafetyState::Running);
        lab.pass(bounds::SAFETY_RUN);
        assert_eq!(lab.refused(asker, id), Some(Refusal::SafetyFailed));
        assert_eq!(lab.safety(asker).state, SafetyState::None);
        assert_eq!(lab.hosts[asker].closed.last(), Some(&close_code::SILENT));
    }
}

#[test]
fn a_run_ends_when_its_link_is_replaced() {
    let mut lab = Lab::pair();
    lab.lose_safety_messages();
    let id = lab.verify(0);
    lab.lose_nothing();
    lab.cut();
    assert_eq!(lab.refused(0, id), Some(Refusal::SafetyFailed));
    assert!(lab.is_green(0, 1));
    assert_eq!(
        lab.safety(1).state,
        SafetyState::None,
        "nothing of the run was sent again"
    );
}

#[test]
fn a_day_has_five_runs() {
    let mut lab = Lab::pair();
    for _ in 0..bounds::SAFETY_RUNS {
        lab.verify(0);
        lab.both_compare();
        lab.compared(0, false);
        lab.cut();
    }
    let id = lab.verify(0);
    assert_eq!(lab.refused(0, id), Some(Refusal::SafetyLimit));
    lab.pass(bounds::SAFETY_DAY);
    lab.verify(0);
    lab.both_compare();
}

#[test]
fn different_ends_the_call_and_marks_the_contact() {
    let mut lab = Lab::pair();
    let contact = lab.id(0, 1);
    let media = Media {
        audio: true,
        video: true,
    };
    let Reply::CallStarted(call) = lab.ask(0, Command::StartCall { contact, media }) else {
        panic!("no call");
    };
    lab.ask(1, Command::Answer { call });
    assert_eq!(lab.call(0, call).state, CallState::Active);
    lab.verify(1);
    lab.both_compare();
    lab.compared(1, true);
    lab.compared(0, false);
    let ours = lab.call(0, call).reason;
    assert_eq!(ours, Some(EndReason::Failed(FailCode::WordsDiffer)));
    assert_eq!(lab.call(1, call).reason, Some(EndReason::HungUp));
    assert_eq!(lab.safety(0).state, SafetyState::Different);
    let marked = lab.contact(0, 1);
    assert_eq!((marked.verified, marked.alarm), (false, Some(Alarm::WordsDiffer)));
    assert!(lab.contact(1, 0).verified, "each side decides for itself");
    lab.restart(0);
    assert_eq!(lab.contact(0, 1).alarm, Some(Alarm::WordsDiffer));
    lab.verify(0);
    lab.compared(0, true);
    let cleared = lab.contact(0, 1);
    assert_eq!((cleared.verified, cleared.alarm), (true, None));
}

#[test]
fn an_old_far_side_is_told_from_a_bad_one() {
    let mut lab = Lab::pair();
    lab.lose_safety_messages();
    let id = lab.verify(0);
    let link = lab.hosts[0].node.links.keys().next().copied().unwrap();
    let answer = Message::Unsupported(Unsupported { kind: 9 });
    let bytes = Frame::new(0, 0, &answer).to_bytes();
    lab.waiting.push_back((0, Input::Control { link, bytes }));
    lab.settle();
    assert_eq!(lab.refused(0, id), Some(Refusal::SafetyUnsupported));
    assert!(lab.is_green(0, 1));
}

#[test]
fn without_a_link_there_is_only_the_number() {
    let mut lab = Lab::new(1);
    let link = {
        let mut other = Lab::new(2);
        other.invite(1)
    };
    lab.ask(
        0,
        Command::AddContact {
            link,
            name: None,
            temporary: false,
        },
    );
    let contact = lab.hosts[0].node.snapshot(lab.now).contacts.remove(0);
    let refused = lab.ask(0, Command::Verify { contact: contact.id });
    assert_eq!(refused, Reply::Refused(Refusal::NotAccepted));
    assert_eq!(contact.safety.number.len(), 71);
}

/// A list of another root with this device in it.
fn other_root(device: DeviceKey) -> crate::identity::SignedList {
    let seed = Secret([77; 32]);
    let entry = DeviceEntry {
        key: device,
        name: "desk".into(),
        kind: "computer".into(),
    };
    let list = DeviceList {
        root: RootKey(crypto::sign_public(&seed)),
        sequence: 1,
        previous: [0; 32],
        devices: vec![entry],
        removed: Vec::new(),
    };
    list.sign(&seed)
}

#[test]
fn another_root_behind_a_known_device_is_a_loud_stop() {
    let mut lab = Lab::pair();
    let list = other_root(lab.hosts[1].node.device());
    lab.bend = Box::new(move |from, mut message| {
        if let Message::Hello(hello) = &mut message
            && from == 1
        {
            hello.list = list.clone();
        }
        Some(message)
    });
    lab.cut();
    lab.pass(Duration::from_secs(60));
    let contact = lab.contact(0, 1);
    assert_eq!(contact.alarm, Some(Alarm::OtherRoot));
    assert_eq!(contact.path, None);
    assert!(lab.hosts[0].closed.contains(&close_code::BAD_HELLO));
    let told = |event: &&Event| matches!(event, Event::Notice(Notice::OtherRoot(_)));
    assert_eq!(lab.hosts[0].events.iter().filter(told).count(), 1, "told once");
    let stored = State::from_bytes(&lab.hosts[0].disk).unwrap();
    assert_eq!(stored.contacts[0].root, lab.hosts[1].node.root());
    assert_eq!(stored.contacts[0].alarm, Some(Alarm::OtherRoot));

    // The right one comes back: the alarm stays until somebody has compared words.
    lab.lose_nothing();
    lab.pass(Duration::from_secs(120));
    assert!(lab.is_green(0, 1));
    assert_eq!(lab.contact(0, 1).alarm, Some(Alarm::OtherRoot));
    lab.verify(0);
    lab.compared(0, true);
    assert_eq!(lab.contact(0, 1).alarm, None);
}

/// A person whose own list names somebody else's device would take that device's place.
#[test]
fn a_list_with_a_foreign_device_takes_nobodys_place() {
    let mut lab = Lab::new(3);
    lab.acquaint(0, 1);
    lab.acquaint(0, 2);
    let foreign = lab.hosts[1].node.device();
    let state = State::from_bytes(&lab.hosts[2].disk).unwrap();
    let mut list: DeviceList = state.identity.list.verify().unwrap();
    list.sequence += 1;
    list.devices.push(DeviceEntry {
        key: foreign,
        name: "stolen".into(),
        kind: "computer".into(),
    });
    let signed = list.sign(&state.identity.root_seed);
    lab.bend = Box::new(move |from, mut message| {
        if let Message::Hello(hello) = &mut message
            && from == 2
        {
            hello.list = signed.clone();
        }
        Some(message)
    });
    lab.cut();
    lab.pass(Duration::from_secs(60));
    assert!(lab.is_green(0, 1) && lab.is_green(0, 2));
    assert_eq!(lab.contact(0, 1).alarm, None);
}
