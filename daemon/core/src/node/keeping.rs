//! How a stranger becomes a contact: both users want it, and each side makes a contact out of what was shown, with the pair
//! key of this connection.
//!
//! Whoever says it second stores the contact before he says so, and takes it back if the other is gone by then. A wish that was
//! told is not taken back.

use super::Node;
use super::commands::{Outcome, Result};
use super::stored::{Pending, Undo};
use crate::bounds::{self, close_code};
use crate::command::{Refusal, Reply};
use crate::event::Event;
use crate::ids::{CallId, CommandId, ContactId};
use crate::message::{Keep, Message};
use crate::names;
use crate::state::Contact;
use crate::time::Now;

impl Node {
    /// The own user says whether he wants to keep the stranger of a call.
    pub(super) fn keep(&mut self, command: CommandId, call: CallId, keep: bool, now: Now) -> Result {
        let has_room = self.state.contacts.len() < bounds::CONTACTS;
        let visit = self.visit_of_call(call)?;
        let (id, talk) = (visit.id, &mut visit.talk);
        if talk.keep == Some(true) {
            return if keep {
                Ok(Outcome::Reply(Reply::Call(call)))
            } else {
                Err(Refusal::WrongState)
            };
        }
        if !keep {
            talk.keep = Some(false);
            self.visit_changed(id);
            return Ok(Outcome::Reply(Reply::Call(call)));
        }
        let is_known = talk.who.is_some() && talk.same != Some(false);
        if !is_known || visit.line().is_none() {
            return Err(Refusal::CannotKeep);
        }
        if !has_room {
            return Err(Refusal::TooMany);
        }
        visit.talk.keep = Some(true);
        let is_wanted = visit.talk.peer_name.is_some();
        self.visit_changed(id);
        if !is_wanted {
            self.tell_wish(id, now);
            return Ok(Outcome::Reply(Reply::Call(call)));
        }
        let (contact, undo) = self.make_contact(id).ok_or(Refusal::CannotKeep)?;
        self.store_then(Pending::Keep {
            command,
            call,
            visit: id,
            contact,
            undo,
        });
        Ok(Outcome::Later)
    }

    fn tell_wish(&mut self, id: ContactId, now: Now) {
        let name = self.state.identity.name.clone();
        self.say(id, Message::Keep(Keep { name }), now);
    }

    /// The stranger wants to keep us. Where we have said so before, he has stored it, or our messages crossed.
    pub(super) fn stranger_keeps(&mut self, id: ContactId, keep: &Keep, now: Now) {
        let has_room = self.state.contacts.len() < bounds::CONTACTS;
        let visit = self.visits.get_mut(&id);
        let Some(visit) = visit.filter(|visit| visit.talk.who.is_some() && visit.talk.peer_name.is_none()) else {
            return self.close_visit(id, close_code::GARBAGE, now);
        };
        visit.talk.peer_name = Some(names::presentable(&keep.name, "somebody"));
        let is_mutual = visit.talk.keep == Some(true) && visit.talk.same != Some(false);
        if is_mutual
            && has_room
            && let Some((contact, _)) = self.make_contact(id)
        {
            self.store();
            self.kept(id, contact, now);
        }
        self.visit_changed(id);
    }

    /// The contact that a stranger becomes, and how to take it back.
    fn make_contact(&mut self, id: ContactId) -> Option<(ContactId, Undo)> {
        let visit = self.visits.get(&id)?;
        let (line, who) = (visit.line()?, visit.talk.who.as_ref()?);
        let (root, device, list) = (who.root, who.device, who.list.clone());
        let (exporter, address) = (line.exporter, visit.address);
        let is_verified = visit.talk.same == Some(true);
        let name = visit.talk.peer_name.clone().unwrap_or_default();
        let before = self.state.contact_of(&root).cloned();
        let contact = self.contact_for(&root, &name);
        let key = self.pair_key(&exporter, &root);
        let usable = self.own.usable(&[address]);
        let known = self.state.contact_mut(contact)?;
        known.accepted = true;
        known.held = false;
        known.redeeming = None;
        known.verified |= is_verified;
        known.list = Some(list);
        known.prove(device);
        known.add_key(key);
        super::knocks::merge_addresses(known, &usable);
        self.meet_all();
        let undo = before.map_or(Undo::RemoveContact(contact), |before: Contact| {
            Undo::RestoreContact(Box::new(before))
        });
        Some((contact, undo))
    }

    /// Both hold each other.
    fn kept(&mut self, id: ContactId, contact: ContactId, now: Now) {
        if let Some(visit) = self.visits.get_mut(&id) {
            visit.talk.kept = true;
            visit.talk.contact = Some(contact);
        }
        self.event(Event::Contact(contact));
        self.visit_changed(id);
        self.search_for(contact, now);
    }

    /// The contact is on the disk: now the stranger hears of it. False where he is gone, and so does not hold us.
    pub(super) fn tell_kept(&mut self, id: ContactId, contact: ContactId, now: Now) -> bool {
        let is_there = self.visits.get(&id).is_some_and(|visit| visit.line().is_some());
        if is_there {
            self.tell_wish(id, now);
            self.kept(id, contact, now);
        }
        is_there
    }

    /// The contact could not be stored, or the stranger is gone.
    pub(super) fn forget_wish(&mut self, id: ContactId) {
        if let Some(visit) = self.visits.get_mut(&id) {
            visit.talk.keep = None;
        }
        self.visit_changed(id);
    }
}
