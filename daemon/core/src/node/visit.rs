//! What two strangers say to each other through a door.
//!
//! First the call alone: RING to the one, RINGING, ACCEPT or END to the other. Once both people accepted, each side shows
//! who it is ([`Show`]): its device list, and the device's signature over this connection's exporter, since the TLS keys
//! are throw-away ones. Then they make safety words by themselves. Who does not do both within
//! [`bounds::SAFETY_RUN`] is cut off: somebody in the middle must not get away with being silent.
//! How the two may become contacts is in [`super::keeping`].

use std::time::Duration;

use super::Node;
use super::commands::{Outcome, Result};
use super::door::Visit;
use crate::bounds::{self, close_code};
use crate::call::Phase;
use crate::call::incoming::Ringer;
use crate::command::{Refusal, Reply};
use crate::crypto;
use crate::event::{Event, SafetyState, SafetyView, StrangerView};
use crate::identity::SignedList;
use crate::identity::sas::{self, Exchange, Parties, Party, Words};
use crate::ids::{CallId, ContactId, DeviceKey, RootKey};
use crate::io::Output;
use crate::message::{Frame, Message, Ring, Show, Unsupported};
use crate::session::Receipt;
use crate::time::Now;

const LABEL: &[u8] = b"twocan door 1";

/// How far two strangers have come.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Whether we have shown who we are.
    shown: bool,
    /// When words must be there.
    words_by: Option<Duration>,
    pub(super) who: Option<Who>,
    exchange: Option<Exchange>,
    words: Option<Words>,
    /// What the own user found.
    pub(super) same: Option<bool>,
    /// What the own user wants.
    pub(super) keep: Option<bool>,
    /// What he calls himself, once he wants to keep us.
    pub(super) peer_name: Option<String>,
    /// The contact that he is.
    pub(super) contact: Option<ContactId>,
    /// Whether both hold each other.
    pub(super) kept: bool,
}

/// Who somebody has shown to be.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) root: RootKey,
    pub(super) device: DeviceKey,
    pub(super) list: SignedList,
}

impl Talk {
    /// The contact that the stranger is, or has become.
    pub(super) const fn contact(&self) -> Option<ContactId> {
        self.contact
    }

    /// Whether somebody may still become a contact.
    pub(super) fn is_undecided(&self) -> bool {
        self.who.is_some() && !self.kept && self.keep != Some(false) && self.same != Some(false)
    }

    /// When the stranger must have shown himself.
    pub(super) const fn next_timeout(&self) -> Option<Duration> {
        self.words_by
    }

    /// The connection is gone: nothing more comes.
    pub(super) fn line_lost(&mut self) {
        self.words_by = None;
        self.exchange = None;
    }

    const fn safety_state(&self) -> SafetyState {
        match (self.words, self.same) {
            (Some(_), Some(true)) => SafetyState::Same,
            (Some(_), Some(false)) => SafetyState::Different,
            (Some(_), None) => SafetyState::Compare,
            (None, _) if self.words_by.is_some() => SafetyState::Running,
            (None, _) => SafetyState::None,
        }
    }
}

/// What a device signs to show that it is at this end of this connection.
fn statement(exporter: &[u8; 32], dialed: bool, list: &SignedList) -> Vec<u8> {
    let role: &[u8] = if dialed { b"dialer" } else { b"listener" };
    [LABEL, exporter, role, &crypto::hash(&list.list)].concat()
}

impl Node {
    /// Takes a frame of a visit's control stream.
    pub(super) fn visit_control(&mut self, id: ContactId, bytes: &[u8], now: Now) {
        let Some(line) = self.visits.get_mut(&id).and_then(Visit::line_mut) else {
            return;
        };
        let Ok((frame, message)) = Frame::parse(bytes) else {
            return self.close_visit(id, close_code::GARBAGE, now);
        };
        let Ok(receipt) = line.session.receive(&frame) else {
            return self.close_visit(id, close_code::GARBAGE, now);
        };
        if frame.number > 0 {
            self.say(id, Message::Ack, now);
        }
        if receipt == Receipt::Fresh {
            self.hear(id, &message, now);
        }
    }

    fn hear(&mut self, id: ContactId, message: &Message, now: Now) {
        match message {
            Message::Ring(ring) => self.stranger_rings(id, ring, now),
            Message::Renew(_)
            | Message::Ringing(_)
            | Message::Accept(_)
            | Message::End(_)
            | Message::Sends(_)
            | Message::Takes(_) => {
                self.calls.handle_message(id, message, now.boot);
            }
            Message::Show(show) => self.stranger_shows(id, show, now),
            Message::Keep(keep) => self.stranger_keeps(id, keep, now),
            Message::SafetyCommit(_) | Message::SafetyAnswer(_) | Message::SafetyReveal(_) => {
                self.stranger_safety(id, message, now);
            }
            Message::Unknown(kind) => self.say(id, Message::Unsupported(Unsupported { kind: *kind }), now),
            Message::Ack | Message::Unsupported(_) => {}
            // Contacts say these to each other.
            Message::Hello(_)
            | Message::Redeemed
            | Message::Refused(_)
            | Message::Held(_)
            | Message::Addresses(_)
            | Message::RelayOffer(_)
            | Message::RelayAsk(_)
            | Message::RelayGrant(_)
            | Message::RelayEnd(_)
            | Message::Finding(_)
            | Message::Watch(_)
            | Message::Pass(_)
            | Message::SafetyAsk
            | Message::SafetyLater => self.close_visit(id, close_code::GARBAGE, now),
        }
    }

    /// Says something to a stranger, where there is a connection.
    pub(super) fn say(&mut self, id: ContactId, message: Message, now: Now) {
        let Some(line) = self.visits.get_mut(&id).and_then(Visit::line_mut) else {
            return;
        };
        let link = line.link;
        match line.session.send(message) {
            Ok(frame) => self.push(Output::Send {
                link,
                bytes: frame.to_bytes(),
            }),
            Err(_) => self.close_visit(id, close_code::TOO_MUCH, now),
        }
    }

    /// One ring a visit, from whoever came in.
    fn stranger_rings(&mut self, id: ContactId, ring: &Ring, now: Now) {
        let is_new = self.calls.get(ring.call).is_none();
        let visit = self.visits.get_mut(&id);
        let Some(visit) = visit.filter(|visit| is_new && visit.call.is_none()) else {
            return self.close_visit(id, close_code::GARBAGE, now);
        };
        let Some(line) = visit.line().filter(|line| !line.dialed) else {
            return self.close_visit(id, close_code::GARBAGE, now);
        };
        let ringer = Ringer {
            contact: id,
            name: String::new(),
            may_ring: true,
            will_ring: self.state.will_ring,
            waits: self.state.second_call_waits,
            own_is_lower: false,
            link: line.link,
        };
        visit.call = Some(ring.call);
        self.door.rang(now.boot);
        self.calls.ring(&ringer, ring, now.boot);
    }

    fn phase_of(&self, id: ContactId) -> Option<Phase> {
        let call = self.visits.get(&id)?.call?;
        self.calls.get(call).map(|call| call.phase)
    }

    /// Shows who we are, once both people accepted.
    pub(super) fn introduce(&mut self, id: ContactId, now: Now) {
        let is_active = matches!(self.phase_of(id), Some(Phase::Active { .. }));
        let list = &self.state.identity.list;
        let Some(visit) = self
            .visits
            .get_mut(&id)
            .filter(|visit| is_active && !visit.talk.shown && visit.line().is_some())
        else {
            return;
        };
        visit.talk.shown = true;
        visit.talk.words_by = Some(now.boot + bounds::SAFETY_RUN);
        let Some(line) = visit.line() else { return };
        let signed = statement(&line.exporter, line.dialed, list);
        let show = Show {
            list: list.clone(),
            device: self.device,
            signature: crypto::sign(&self.state.identity.device_seed, &signed),
        };
        self.say(id, Message::Show(show), now);
    }

    /// The stranger shows who he is. Before the answer that is no business of ours.
    fn stranger_shows(&mut self, id: ContactId, show: &Show, now: Now) {
        match self.phase_of(id) {
            Some(Phase::Active { .. }) => {}
            // Said before our END arrived.
            Some(Phase::Ended { .. }) => return,
            Some(Phase::Dialing { .. } | Phase::Ringing { .. }) | None => {
                return self.close_visit(id, close_code::GARBAGE, now);
            }
        }
        let Some(who) = self.judge_show(id, show) else {
            return self.close_visit(id, close_code::BAD_HELLO, now);
        };
        let known = self.state.contact_of(&who.root);
        if known.is_some_and(|contact| contact.blocked) {
            self.calls.forget_contact(id, now.boot);
            return;
        }
        let contact = known.filter(|contact| contact.accepted).map(|contact| contact.id);
        if let Some(visit) = self.visits.get_mut(&id) {
            visit.talk.contact = contact;
            visit.talk.who = Some(who);
        }
        self.visit_changed(id);
        self.begin_words(id, now);
    }

    /// Who it is, if what he shows is of this connection, and nobody else's.
    fn judge_show(&self, id: ContactId, show: &Show) -> Option<Who> {
        let visit = self.visits.get(&id).filter(|visit| visit.talk.who.is_none())?;
        let line = visit.line()?;
        let list = show.list.verify().ok().filter(|list| list.contains(&show.device))?;
        let signed = statement(&line.exporter, !line.dialed, &show.list);
        if list.root == self.root || !crypto::verify(&show.device.0, &signed, &show.signature) {
            return None;
        }
        let mut others = self.state.contacts.iter().filter(|contact| contact.root != list.root);
        if others.any(|contact| contact.proven.contains(&show.device)) {
            return None;
        }
        let pinned = self.state.contact_of(&list.root).and_then(|known| known.list.as_ref());
        show.list.verify_after(&list.root, pinned).ok()?;
        Some(Who {
            root: list.root,
            device: show.device,
            list: show.list.clone(),
        })
    }

    /// The caller's side commits as soon as both have shown themselves.
    fn begin_words(&mut self, id: ContactId, now: Now) {
        let nonce = self.rng.bytes();
        let parties = self.visit_parties(id);
        let visit = self.visits.get_mut(&id);
        let visit = visit.filter(|visit| visit.talk.shown && visit.line().is_some_and(|line| line.dialed));
        let (Some(visit), Some(parties)) = (visit, parties) else {
            return;
        };
        let (exchange, commitment) = Exchange::dial(parties, nonce);
        visit.talk.exchange = Some(exchange);
        self.say(id, commitment, now);
    }

    fn visit_parties(&self, id: ContactId) -> Option<Parties> {
        let visit = self.visits.get(&id)?;
        let (line, who) = (visit.line()?, visit.talk.who.as_ref()?);
        let far = Party {
            root: who.root,
            device: who.device,
            list: crypto::hash(&who.list.list),
        };
        Some(self.parties_with(far, line.exporter, line.dialed))
    }

    /// Takes a message of the one exchange that a visit has.
    fn stranger_safety(&mut self, id: ContactId, message: &Message, now: Now) {
        let nonce = self.rng.bytes();
        let parties = self.visit_parties(id);
        let Some(visit) = self.visits.get_mut(&id) else { return };
        let is_listener = visit.line().is_some_and(|line| !line.dialed);
        if let (None, None, true, Some(parties)) = (&visit.talk.exchange, visit.talk.words, is_listener, parties) {
            visit.talk.exchange = Some(Exchange::listen(parties, nonce));
        }
        let progress = visit.talk.exchange.as_mut().map(|exchange| exchange.take(message));
        let Some(Ok(progress)) = progress else {
            return self.close_visit(id, close_code::GARBAGE, now);
        };
        if let Some(words) = progress.words {
            visit.talk.words = Some(words);
            visit.talk.exchange = None;
            visit.talk.words_by = None;
        }
        if let Some(message) = progress.send {
            self.say(id, message, now);
        }
        self.visit_changed(id);
    }

    /// Cuts off whoever does not show himself.
    pub(super) fn watch_words(&mut self, id: ContactId, now: Now) {
        let due = self.visits.get(&id).and_then(|visit| visit.talk.words_by);
        if due.is_some_and(|due| now.boot >= due) {
            self.close_visit(id, close_code::SILENT, now);
        }
    }

    pub(super) fn visit_of_call(&mut self, call: CallId) -> std::result::Result<&mut Visit, Refusal> {
        self.calls.get(call).ok_or(Refusal::NotFound)?;
        let visit = self.visits.values_mut().find(|visit| visit.call == Some(call));
        visit.ok_or(Refusal::NoStranger)
    }

    /// The own user has compared the words with a stranger.
    pub(super) fn compared_with_stranger(&mut self, call: CallId, same: bool, now: Now) -> Result {
        let visit = self.visit_of_call(call)?;
        let id = visit.id;
        visit.talk.words.ok_or(Refusal::WrongState)?;
        visit.talk.same = Some(same);
        let contact = visit.talk.contact;
        if !same {
            self.calls.distrust(id, now.boot);
        }
        self.visit_changed(id);
        Ok(match contact.and_then(|id| Some((id, self.mark(id, same)?))) {
            Some((id, undo)) => Outcome::Store(Reply::Call(call), Some(Event::Contact(id)), undo),
            None => Outcome::Reply(Reply::Call(call)),
        })
    }

    /// A contact is blocked or deleted: a call with it through a door ends as well.
    pub(super) fn leave_visits_of(&mut self, contact: ContactId, now: Now) {
        let with = self.visits.values().filter(|visit| visit.talk.contact == Some(contact));
        let ids: Vec<ContactId> = with.map(|visit| visit.id).collect();
        for id in ids {
            self.calls.forget_contact(id, now.boot);
        }
    }

    /// How clients see a stranger.
    pub(super) fn stranger_view(&self, visit: &Visit) -> StrangerView {
        let talk = &visit.talk;
        let number = talk.who.as_ref().map(|who| sas::number(&self.root, &who.root));
        StrangerView {
            address: visit.address,
            safety: SafetyView {
                state: talk.safety_state(),
                words: talk.words,
                number: number.unwrap_or_default(),
            },
            keep: talk.keep,
            peer_keeps: talk.peer_name.is_some(),
            path: self.stranger_path(visit),
            can_keep: visit.line().is_some() && talk.is_undecided(),
        }
    }
}
