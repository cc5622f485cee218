//! Contacts and invites: nobody gets lost, one redeemer an invite, the contested cannot ring.

use std::collections::BTreeMap;

use twocan_core::command::{Command, Reply};
use twocan_core::event::{ContactState, ContactView, InviteRefusal};
use twocan_core::ids::ContactId;
use twocan_core::invite::Link;

use super::invariant::Invariant;
use crate::sim::host::Asked;
use crate::sim::world::World;

impl World {
    pub(super) fn look_at_contacts(&mut self, index: usize, contacts: Vec<ContactView>) {
        for contact in &contacts {
            let device = contact.devices.first().map(|device| device.key);
            let peer = self.hosts.iter().position(|host| Some(host.device) == device);
            if let Some(peer) = peer {
                self.hosts[index].seen.people.insert(contact.id, peer);
            }
        }
        let fresh: BTreeMap<ContactId, ContactView> =
            contacts.into_iter().map(|contact| (contact.id, contact)).collect();
        let before = std::mem::replace(&mut self.hosts[index].seen.contacts, fresh);
        for other in 0..self.hosts.len() {
            let was = before
                .values()
                .find(|contact| self.hosts[index].seen.people.get(&contact.id) == Some(&other));
            let is = self.hosts[index].contact_for(other);
            if was.into_iter().chain(is).any(|contact| contact.quiet) {
                self.watch.quiet_until[index][other] = self.now;
            }
            let (was, is) = (was.map(|contact| contact.state), is.map(|contact| contact.state));
            self.watch_acquaintance(index, other, was, is);
            self.note_path(index, other);
        }
        let lost = self.watch.must_hold[index]
            .iter()
            .copied()
            .find(|peer| self.hosts[index].contact_for(*peer).is_none());
        if let Some(peer) = lost {
            self.fail(
                Invariant::ContactLost,
                format!("host {index} has lost its contact {peer}"),
            );
        }
    }

    fn watch_acquaintance(&mut self, index: usize, other: usize, was: Option<ContactState>, is: Option<ContactState>) {
        let since = &mut self.watch.accepted_since[index][other];
        match is {
            Some(ContactState::Accepted) => *since = since.or(Some(self.now)),
            Some(ContactState::Pending | ContactState::Contested) | None => *since = None,
        }
        let redeemed = was == Some(ContactState::Pending) && is == Some(ContactState::Accepted);
        let Some(secret) = self.watch.redeeming.get(&(index, other)).copied().filter(|_| redeemed) else {
            return;
        };
        self.watch.redeeming.remove(&(index, other));
        // The inviter said that it holds this contact.
        self.watch.must_hold[other].insert(index);
        let redeemers = self.watch.redeemers.entry(secret).or_default();
        redeemers.insert(index);
        if redeemers.len() > 1 {
            let text = format!("an invite of host {other} was redeemed by {redeemers:?}");
            self.fail(Invariant::OneRedeemer, text);
        }
    }

    pub(crate) fn watch_command(&mut self, index: usize, command: &Command) {
        self.watch_relay_command(index, command, None);
        match command {
            Command::DeleteContact { contact } => {
                self.release(index, *contact);
                self.disturb(index);
            }
            Command::EditContact {
                contact, accept: true, ..
            } => {
                if let Some(peer) = self.hosts[index].seen.people.get(contact).copied() {
                    self.watch.contested[index].remove(&peer);
                }
            }
            Command::StartCall { contact, .. } => self.watch_intent(index, *contact),
            Command::Answer { call } => self.watch_answer(index, *call),
            Command::EditMe { .. } => self.hosts[index].seen.will_ring_since = self.now,
            Command::Block { .. } | Command::SetRelays { .. } => self.disturb(index),
            Command::SetSecondCall { waits } => self.watch.lets_wait[index] |= waits,
            Command::AddContact { .. }
            | Command::EditContact { .. }
            | Command::CreateInvite { .. }
            | Command::DeleteInvite { .. }
            | Command::TakeReply { .. }
            | Command::LookAtPaste { .. }
            | Command::SetIntroducer { .. }
            | Command::SetOneClick { .. }
            | Command::Ping { .. }
            | Command::Decline { .. }
            | Command::HangUp { .. }
            | Command::Verify { .. }
            | Command::Compared { .. }
            | Command::SetSends { .. }
            | Command::SetDoor { .. }
            | Command::CallAddress { .. }
            | Command::Keep { .. }
            | Command::ComparedWithStranger { .. }
            | Command::CheckNetwork
            | Command::SeeMissed { .. } => {}
        }
    }

    pub(crate) fn watch_reply(&mut self, index: usize, asked: &Asked, reply: &Reply) {
        self.watch_relay_command(index, &asked.command, Some(reply));
        let (Command::AddContact { link, .. }, Reply::Contact(id)) = (&asked.command, reply) else {
            return;
        };
        let Ok(link) = Link::find(link) else {
            return self.fail(Invariant::DamagedRefused, format!("host {index} took a damaged link"));
        };
        let Some(inviter) = self.hosts.iter().position(|host| host.root == link.root) else {
            return;
        };
        if inviter == index {
            return self.fail(Invariant::OwnRefused, format!("host {index} took its own link"));
        }
        if link.expiry <= self.hosts[index].clock(asked.at).wall {
            return self.fail(Invariant::ExpiredRefused, format!("host {index} took an expired link"));
        }
        // A refusal may have been quicker than the disk: then the contact is gone, and its client was told.
        let snapshot = self.snapshot(index);
        if !snapshot.is_some_and(|snapshot| snapshot.contacts.iter().any(|contact| contact.id == *id)) {
            return;
        }
        self.hosts[index].seen.people.insert(*id, inviter);
        if !self.is_accepted(index, inviter) {
            self.watch.redeeming.insert((index, inviter), link.secret);
        }
        self.watch.must_hold[index].insert(inviter);
        self.watch.links.insert((index, inviter), link);
    }

    /// A redemption does not stay pending where the inviter is still where its link says.
    pub(crate) fn check_pending(&mut self) {
        let found = self.watch.links.iter().find(|((one, other), link)| {
            let there = &self.hosts[*other];
            // Who has blocked the inviter meanwhile does not want it to come to an end.
            let pending = self.hosts[*one]
                .contact_for(*other)
                .is_some_and(|contact| contact.state == ContactState::Pending && !contact.blocked);
            let reachable = link.root == there.root && link.candidates.contains(&there.address);
            let valid = link.expiry > there.clock(self.now).wall && there.clock_was_right;
            pending && reachable && valid
        });
        if let Some((pair, _)) = found {
            self.fail(
                Invariant::Pending,
                format!("a redemption does not come to an end: {pair:?}"),
            );
        }
    }

    pub(super) fn contact_removed(&mut self, index: usize, id: ContactId, why: Option<InviteRefusal>) {
        self.watch.refused[index].extend(why);
        if why.is_some() {
            self.release(index, id);
        }
    }

    fn release(&mut self, index: usize, id: ContactId) {
        if let Some(peer) = self.hosts[index].seen.people.get(&id).copied() {
            self.watch.must_hold[index].remove(&peer);
            self.watch.contested[index].remove(&peer);
        }
    }
}
