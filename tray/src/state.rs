//! What the tray knows: what the daemon last said, and whether there is a daemon.
//!
//! A snapshot replaces everything, an event one thing; nothing here is guessed in between. While the daemon is away
//! nothing of what it said holds, so it is forgotten.

use std::collections::BTreeMap;

use twocan_api::{Call, CallState, Contact, ContactState, Direction, Event, Network, Presence, Reachable, Status, Why};

use crate::strings;

/// The most characters of a name that fit a menu.
const NAME_CHARS: usize = 40;

/// The daemon, seen from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// Being started or looked for.
    #[default]
    Starting,
    /// It answers.
    Up,
    /// It is there and waits for something before it answers, such as a keyring: what, and what to do.
    Waits(Why),
    /// It is gone, and may come back by itself.
    Gone,
    /// It does not start, for this reason.
    Failed(String),
}

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The daemon.
    pub(crate) daemon: Daemon,
    /// Whether this tray started it.
    pub(crate) is_ours: bool,
    /// What it is.
    pub(crate) status: Option<Status>,
    /// People, by id.
    pub(crate) contacts: BTreeMap<String, Contact>,
    /// Calls, in the order in which they came.
    pub(crate) calls: Vec<Call>,
    /// The network.
    pub(crate) network: Option<Network>,
}

impl State {
    /// The daemon is here, or is not. What it said counts only while it is.
    pub(crate) fn daemon(&mut self, daemon: Daemon) {
        if daemon != Daemon::Up {
            *self = Self {
                is_ours: self.is_ours,
                ..Self::default()
            };
        }
        self.daemon = daemon;
    }

    /// Takes an event of the daemon's.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Snapshot(snapshot) => {
                self.status = Some(snapshot.status);
                self.contacts = snapshot.contacts.into_iter().map(|it| (it.id.clone(), it)).collect();
                self.calls = snapshot.calls;
            }
            Event::Contact(contact) => {
                self.contacts.insert(contact.id.clone(), *contact);
            }
            Event::ContactRemoved(removed) => {
                self.contacts.remove(&removed.id);
            }
            Event::Call(call) => match self.calls.iter_mut().find(|known| known.id == call.id) {
                Some(known) => *known = *call,
                None => self.calls.push(*call),
            },
            Event::CallRemoved(removed) => self.calls.retain(|call| call.id != removed.id),
            Event::Me(me) => {
                if let Some(status) = &mut self.status {
                    status.person = me.person;
                    status.presence = me.presence;
                }
            }
            Event::Network(network) => self.network = Some(*network),
            Event::Key(key) => {
                if let Some(status) = &mut self.status {
                    status.key = key;
                }
            }
            Event::Warning(_) | Event::Invite(_) | Event::InviteRemoved(_) | Event::Door(_) | Event::Gap(_) => {}
        }
    }

    /// Calls that ring here and wait for an answer.
    pub(crate) fn ringing(&self) -> impl Iterator<Item = &Call> {
        self.calls
            .iter()
            .filter(|call| call.direction == Direction::In && call.state == CallState::Ringing)
    }

    /// The call in which the user is, or which the user placed.
    pub(crate) fn live(&self) -> Option<&Call> {
        let is_live = |call: &&Call| match call.state {
            CallState::Dialing | CallState::Ringing => call.direction == Direction::Out,
            CallState::Active => true,
            CallState::Ended => false,
        };
        self.calls.iter().find(is_live)
    }

    /// Whether one click answers a call: the user said so of its contact, nothing speaks against that contact, and no other
    /// call would be ended by it.
    pub(crate) fn is_one_click(&self, call: &Call) -> bool {
        let contact = call.contact.as_ref().and_then(|id| self.contacts.get(id));
        let allows = |contact: &Contact| {
            contact.one_click && contact.state == ContactState::Accepted && !contact.blocked && contact.alarm.is_none()
        };
        call.stranger.is_none() && self.live().is_none() && contact.is_some_and(allows)
    }

    /// Whether do not disturb is on.
    pub(crate) fn is_quiet(&self) -> bool {
        let presence = self.status.as_ref().map(|status| status.presence);
        presence == Some(Presence::DoNotDisturb)
    }

    /// Whether a ring may be heard: no `ring_sound = false` in the configuration.
    pub(crate) fn may_sound(&self) -> bool {
        self.status.as_ref().is_none_or(|status| status.ring_sound)
    }

    /// Whether nobody can get through because there is no network: no address, or no STUN server answered and no
    /// contact is there to prove the contrary.
    pub(crate) fn is_offline(&self) -> bool {
        let Some(network) = &self.network else { return false };
        let is_silent = network.addresses.is_empty() || network.summary.code == "no_answer";
        is_silent
            && self
                .contacts
                .values()
                .all(|contact| contact.reachable != Reachable::Yes)
    }
}

/// Who is at the other end of a call, as it is shown.
pub(crate) fn peer(call: &Call) -> String {
    match (&call.peer.address, call.peer.name.is_empty()) {
        (Some(address), true) => strings::stranger(&name(host(address))),
        (Some(_) | None, _) => name(&call.peer.name),
    }
}

/// An address without its port, which says nothing about a caller.
fn host(address: &str) -> &str {
    let bare = address.rsplit_once(':').map_or(address, |(host, _)| host);
    bare.trim_start_matches('[').trim_end_matches(']')
}

/// Somebody else's name, made fit for a menu: one line, of a bounded length, written in the menu's direction.
pub(crate) fn name(raw: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let clean: String = raw.chars().filter(|letter| !steers(*letter)).collect();
    let clean = clean.trim();
    if clean.chars().count() <= NAME_CHARS {
        return clean.to_owned();
    }
    let cut: String = clean.chars().take(NAME_CHARS - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde::Deserialize as _;
    use twocan_api::{CallRemoved, ContactRemoved};

    use super::*;

    /// A contact, as the API writes it.
    pub(crate) fn contact(id: &str, name: &str, reachable: Reachable) -> Contact {
        Contact {
            id: id.into(),
            name: name.into(),
            state: ContactState::Accepted,
            verified: false,
            reachable,
            why: None,
            path: None,
            devices: Vec::new(),
            safety: twocan_api::Safety::default(),
            blocked: false,
            quiet: false,
            alarm: None,
            relay: false,
            relay_only: false,
            one_click: false,
            reply: None,
            introduces: false,
        }
    }

    /// A call with a contact called Ann.
    pub(crate) fn call(id: &str, direction: Direction, state: CallState) -> Call {
        Call {
            id: id.into(),
            direction,
            state,
            contact: Some("ann".into()),
            peer: twocan_api::Peer {
                name: "Ann".into(),
                address: None,
            },
            stranger: None,
            media: twocan_api::Media::default(),
            own_media: twocan_api::Media::default(),
            peer_media: twocan_api::Media::default(),
            peer_takes: None,
            picture_held: None,
            reconnecting: false,
            missed: false,
            reason: None,
        }
    }

    /// A daemon that runs, and these people.
    pub(crate) fn up(contacts: Vec<Contact>) -> State {
        State {
            daemon: Daemon::Up,
            status: Some(status()),
            contacts: contacts.into_iter().map(|it| (it.id.clone(), it)).collect(),
            ..State::default()
        }
    }

    fn status() -> Status {
        let text = r#"
            version = "0.1.0"
            pid = 1
            udp = []
            control = ""
            page = ""
            presence = "available"
            warnings = []
            person = { id = "p", name = "Me" }
            device = { id = "d", name = "here" }
        "#;
        Status::deserialize(toml::Deserializer::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn events_change_one_thing() {
        let mut state = up(vec![contact("ann", "Ann", Reachable::Yes)]);
        state.apply(Event::Call(Box::new(call("c", Direction::In, CallState::Ringing))));
        assert_eq!(state.ringing().count(), 1);
        assert!(state.live().is_none());
        state.apply(Event::Call(Box::new(call("c", Direction::In, CallState::Active))));
        assert_eq!(state.ringing().count(), 0);
        assert_eq!(state.live().unwrap().id, "c");
        state.apply(Event::CallRemoved(CallRemoved { id: "c".into() }));
        assert!(state.live().is_none());
        state.apply(Event::ContactRemoved(ContactRemoved {
            id: "ann".into(),
            why: None,
        }));
        assert!(state.contacts.is_empty());
    }

    #[test]
    fn one_click_answers_whom_the_user_allowed_it_and_nobody_else() {
        let ring = call("c", Direction::In, CallState::Ringing);
        let allowed = |change: fn(&mut Contact)| {
            let mut ann = contact("ann", "Ann", Reachable::Yes);
            ann.one_click = true;
            change(&mut ann);
            up(vec![ann])
        };
        assert!(allowed(|_| {}).is_one_click(&ring));
        assert!(!allowed(|ann| ann.one_click = false).is_one_click(&ring));
        assert!(!allowed(|ann| ann.blocked = true).is_one_click(&ring));
        assert!(!allowed(|ann| ann.state = ContactState::Contested).is_one_click(&ring));
        let alarm = |ann: &mut Contact| {
            ann.alarm = Some(Why {
                code: "words_differ".into(),
                text: String::new(),
                fix: String::new(),
            });
        };
        assert!(!allowed(alarm).is_one_click(&ring));
        let mut others = ring.clone();
        others.contact = Some("bob".into());
        assert!(!allowed(|_| {}).is_one_click(&others));
        others.contact = None;
        assert!(!allowed(|_| {}).is_one_click(&others));
        let mut busy = allowed(|_| {});
        busy.calls = vec![call("d", Direction::In, CallState::Active), ring.clone()];
        assert!(!busy.is_one_click(&ring), "it would end the other call");
    }

    #[test]
    fn a_daemon_that_is_gone_rings_no_more() {
        let mut state = up(vec![contact("ann", "Ann", Reachable::Yes)]);
        state.is_ours = true;
        state.apply(Event::Call(Box::new(call("c", Direction::In, CallState::Ringing))));
        state.daemon(Daemon::Gone);
        assert_eq!(state.ringing().count(), 0);
        assert!(state.contacts.is_empty() && state.status.is_none() && state.is_ours);
    }

    #[test]
    fn names_fit_a_menu() {
        assert_eq!(name(" Zoë\u{202e}\n李 "), "Zoë李");
        let long = name(&"x".repeat(1000));
        assert_eq!(long.chars().count(), 40);
    }

    #[test]
    fn a_stranger_has_an_address() {
        let mut it = call("c", Direction::In, CallState::Ringing);
        it.contact = None;
        it.peer = twocan_api::Peer {
            name: String::new(),
            address: Some("[2001:db8::1]:2226".into()),
        };
        assert_eq!(peer(&it), "Unknown caller from 2001:db8::1");
    }
}
