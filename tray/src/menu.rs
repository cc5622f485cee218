//! The menu: a pure function of what is known.
//!
//! What waits for an answer stands first, so that a ring can be answered where notifications have no buttons. A label
//! holds nothing that changes by itself, such as a round trip: a menu that lies open must not move under the pointer.

use twocan_api::{Call, Contact, ContactState, Presence, Reachable};

use crate::act::{Act, With};
use crate::settings::{Loudness, Settings};
use crate::state::{Daemon, State, name, peer};
use crate::strings as s;

/// People who stand in the menu itself; the others stand one level lower.
const PEOPLE: usize = 12;

/// The most characters of a reason that fit a line.
const REASON_CHARS: usize = 70;

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A line between groups.
    Rule,
    /// Something to read.
    Note(String),
    /// Something to press.
    Act {
        /// What it says.
        label: String,
        /// What it does.
        act: Act,
        /// Whether it can be pressed.
        enabled: bool,
    },
    /// Something that is on or off.
    Check {
        /// What it says.
        label: String,
        /// What pressing it does.
        act: Act,
        /// Whether it is on.
        on: bool,
    },
    /// A menu of its own.
    Sub {
        /// What it says.
        label: String,
        /// What is in it.
        items: Vec<Self>,
    },
}

impl Item {
    fn act(label: impl Into<String>, act: Act) -> Self {
        Self::Act {
            label: label.into(),
            act,
            enabled: true,
        }
    }
}

/// The menu for what is known.
pub(crate) fn menu(state: &State, settings: &Settings) -> Vec<Item> {
    let groups = match &state.daemon {
        Daemon::Up => vec![
            calls(state),
            people(state),
            vec![
                Item::act(s::COPY_LINK, Act::CopyLink),
                Item::act(s::CALL_CLIPBOARD, Act::CallClipboard),
            ],
            vec![presence(state), ring(state, settings)],
            service(state),
        ],
        Daemon::Starting => vec![vec![Item::Note(s::STARTING.into())]],
        Daemon::Waits(why) => vec![vec![Item::Note(why.text.clone()), Item::Note(shorten(&why.fix))]],
        Daemon::Gone => vec![vec![Item::Note(s::NOT_RUNNING.into()), Item::act(s::START, Act::Start)]],
        Daemon::Failed(why) => vec![vec![
            Item::Note(s::NOT_STARTED.into()),
            Item::Note(shorten(why)),
            Item::act(s::START, Act::Start),
        ]],
    };
    let mut items = Vec::new();
    for group in groups.into_iter().chain([vec![quit(state)]]) {
        if !items.is_empty() && !group.is_empty() {
            items.push(Item::Rule);
        }
        items.extend(group);
    }
    items
}

/// The acts that a menu offers, with their keys.
pub(crate) fn acts(items: &[Item]) -> Vec<Act> {
    let mut acts = Vec::new();
    for item in items {
        match item {
            Item::Rule | Item::Note(_) => {}
            Item::Act { act, enabled, .. } => acts.extend(enabled.then(|| act.clone())),
            Item::Check { act, .. } => acts.push(act.clone()),
            Item::Sub { items, .. } => acts.extend(self::acts(items)),
        }
    }
    acts
}

/// The daemon itself, and where its key is.
fn service(state: &State) -> Vec<Item> {
    let mut items = vec![Item::act(s::OPEN, Act::Open), Item::act(s::DOCTOR, Act::Doctor)];
    let store = state.status.as_ref().map(|status| status.key.store);
    items.extend(store.map(|store| Item::Note(s::key(store).into())));
    items
}

/// What rings, what is up, and what went by.
fn calls(state: &State) -> Vec<Item> {
    let mut items = Vec::new();
    for call in state.ringing() {
        items.push(Item::Note(s::rings(&peer(call))));
        items.extend(answers(call, state.is_one_click(call)));
    }
    if let Some(call) = state.live() {
        items.push(Item::Note(live(call)));
        items.push(Item::act(s::SHOW_CALL, Act::Show(call.id.clone())));
        items.push(Item::act(s::HANG_UP, Act::HangUp(call.id.clone())));
    }
    for call in state.calls.iter().filter(|call| call.missed) {
        items.push(Item::act(s::missed(&peer(call)), Act::Show(call.id.clone())));
    }
    items
}

/// What can be done about a call that rings, and what it is called: in the menu as in the notification.
pub(crate) fn answers(call: &Call, at_once: bool) -> Vec<Item> {
    let answer = |with| Act::Answer {
        call: call.id.clone(),
        with,
        at_once,
    };
    let mut items = vec![Item::act(s::ANSWER, answer(With::All))];
    if call.media.video {
        items.push(Item::act(s::ANSWER_VOICE, answer(With::Voice)));
    }
    items.push(Item::act(s::DECLINE, Act::Decline(call.id.clone())));
    items
}

/// With whom the user is, or would be.
pub(crate) fn live(call: &Call) -> String {
    match call.state {
        twocan_api::CallState::Dialing | twocan_api::CallState::Ringing => s::calling(&peer(call)),
        twocan_api::CallState::Active | twocan_api::CallState::Ended => s::in_call(&peer(call)),
    }
}

/// Everybody, whoever can be called first, else by name.
fn people(state: &State) -> Vec<Item> {
    let mut people: Vec<&Contact> = state.contacts.values().collect();
    if people.is_empty() {
        return vec![Item::Note(s::NO_CONTACTS.into())];
    }
    people.sort_by_key(|it| (it.blocked, order(it.reachable), it.name.to_lowercase(), it.id.clone()));
    let is_busy = state.live().is_some();
    let mut items: Vec<Item> = people.iter().map(|it| person(it, is_busy)).collect();
    if items.len() > PEOPLE {
        let more = items.split_off(PEOPLE);
        items.push(Item::Sub {
            label: s::MORE.into(),
            items: more,
        });
    }
    items
}

/// One person, with the dot, and the ways to call.
fn person(contact: &Contact, is_busy: bool) -> Item {
    let why = why_not(contact).or_else(|| is_busy.then(|| s::IN_CALL.to_owned()));
    let call = |label: &str, video| Item::Act {
        label: label.into(),
        act: Act::Call {
            contact: contact.id.clone(),
            video,
        },
        enabled: why.is_none(),
    };
    let mut items = vec![call(s::VIDEO_CALL, true), call(s::VOICE_CALL, false)];
    items.extend(why.iter().map(|why| Item::Note(shorten(why))));
    Item::Sub {
        label: format!("{} {}", dot(contact.reachable), name(&contact.name)),
        items,
    }
}

/// Why this person cannot be called; nothing where a call would ring.
fn why_not(contact: &Contact) -> Option<String> {
    if contact.blocked {
        return Some(s::BLOCKED.into());
    }
    match (contact.state, contact.reachable) {
        (ContactState::Pending, _) => Some(s::PENDING.into()),
        (ContactState::Contested, _) => Some(s::CONTESTED.into()),
        (ContactState::Accepted, Reachable::Yes) => None,
        (ContactState::Accepted, Reachable::Checking) => Some(reason(contact, s::CHECKING)),
        (ContactState::Accepted, Reachable::No) => Some(reason(contact, s::OUT_OF_REACH)),
    }
}

/// The daemon's reason, else ours.
fn reason(contact: &Contact, usual: &str) -> String {
    let why = contact.why.as_ref().map(|why| why.text.clone());
    why.unwrap_or_else(|| usual.to_owned())
}

const fn order(reachable: Reachable) -> u8 {
    match reachable {
        Reachable::Yes => 0,
        Reachable::Checking => 1,
        Reachable::No => 2,
    }
}

const fn dot(reachable: Reachable) -> &'static str {
    match reachable {
        Reachable::Yes => "●",
        Reachable::Checking => "◌",
        Reachable::No => "○",
    }
}

fn presence(state: &State) -> Item {
    let other = if state.is_quiet() {
        Presence::Available
    } else {
        Presence::DoNotDisturb
    };
    Item::Check {
        label: s::DO_NOT_DISTURB.into(),
        act: Act::Presence(other),
        on: state.is_quiet(),
    }
}

fn ring(state: &State, settings: &Settings) -> Item {
    if !state.may_sound() {
        return Item::Note(s::RING_OFF.into());
    }
    let step = |loudness: Loudness| Item::Check {
        label: match loudness {
            Loudness::Loud => s::RING_LOUD,
            Loudness::Medium => s::RING_MEDIUM,
            Loudness::Soft => s::RING_SOFT,
            Loudness::Silent => s::RING_SILENT,
        }
        .into(),
        act: Act::Ring(loudness),
        on: settings.loudness() == loudness.volume(),
    };
    Item::Sub {
        label: s::RING.into(),
        items: Loudness::ALL.map(step).into(),
    }
}

/// The end of the tray, and of the daemon where the tray started it.
fn quit(state: &State) -> Item {
    let label = match (state.is_ours, state.live()) {
        (true, Some(_)) => s::HANG_UP_AND_QUIT,
        (true, None) => s::QUIT,
        (false, _) if state.daemon == Daemon::Up => s::CLOSE_ICON,
        (false, _) => s::QUIT,
    };
    Item::act(label, Act::Quit)
}

/// A reason on one line.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= REASON_CHARS {
        return line.to_owned();
    }
    let cut: String = line.chars().take(REASON_CHARS - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
