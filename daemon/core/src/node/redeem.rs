//! Redeeming an invite: one paste on one side makes both each other's contact.
//!
//! The invitee proves on the link that he holds the secret; the inviter judges. The same root may redeem again (an
//! acknowledgement may have been lost); another root is refused, and the first one is contested until the user decides.

use super::stored::{Pending, Undo};
use super::{Node, Stage};
use crate::bounds::{self, close_code};
use crate::crypto::{self, Secret};
use crate::event::{Event, InviteRefusal, Notice};
use crate::ids::{ContactId, DeviceKey, InviteId, LinkId, RootKey};
use crate::invite::{self, Side};
use crate::io::Output;
use crate::message::{Held, Hello, Message, Redeem, Refused};
use crate::names;
use crate::state::{Contact, Invite};
use crate::time::Now;

/// A refused guest's link is closed this long after the refusal was sent, unless the guest closes it first.
const REFUSAL_LINGER: std::time::Duration = std::time::Duration::from_secs(2);

impl Node {
    /// Inviter: judges a redemption.
    pub(super) fn redeem(&mut self, link: LinkId, root: &RootKey, hello: &Hello, redeem: &Redeem, now: Now) {
        match self.judge(link, root, redeem, now) {
            Ok(invite) => self.accept_redeemer(link, invite, root, hello, redeem),
            Err(why) => self.refuse_redeemer(link, redeem, why, now),
        }
    }

    pub(super) fn invite_named(&self, redeem: &Redeem) -> Option<&Invite> {
        self.state
            .invites
            .iter()
            .find(|invite| invite::hint(&invite.keys.secret) == redeem.hint)
    }

    fn judge(&self, link: LinkId, root: &RootKey, redeem: &Redeem, now: Now) -> Result<InviteId, InviteRefusal> {
        let invite = self.invite_named(redeem).ok_or(InviteRefusal::Unknown)?;
        let link = self.links.get(&link).ok_or(InviteRefusal::BadProof)?;
        let expected = invite::proof(
            &invite.keys.secret,
            &link.exporter,
            Side::Invitee,
            &self.device,
            &link.peer,
        );
        if !crypto::mac_eq(&expected, &redeem.proof) {
            return Err(InviteRefusal::BadProof);
        }
        if self.state.contact_of(root).is_some_and(|contact| contact.blocked) {
            // To a blocked person every invite looks taken back.
            return Err(InviteRefusal::Unknown);
        }
        let is_expired = invite.expiry <= now.wall;
        match invite.redeemer {
            _ if invite.closed => Err(InviteRefusal::Used),
            // An acknowledgement may have been lost, however long ago.
            Some(first) if first == *root => Ok(invite.id),
            Some(_) | None if is_expired => Err(InviteRefusal::Expired),
            Some(_) => Err(InviteRefusal::Used),
            None => Ok(invite.id),
        }
    }

    fn accept_redeemer(&mut self, link: LinkId, invite: InviteId, root: &RootKey, hello: &Hello, redeem: &Redeem) {
        let Some((device, exporter)) = self.links.get(&link).map(|link| (link.peer, link.exporter)) else {
            return;
        };
        let before = self.state.contact_of(root).cloned();
        let usable = self.own.usable(&hello.addresses);
        let id = self.contact_for(root, &redeem.name);
        let key = self.pair_key(&exporter, root);
        if let Some(contact) = self.state.contact_mut(id) {
            contact.accepted = true;
            contact.held = false;
            contact.redeeming = None;
            contact.list = Some(hello.list.clone());
            contact.prove(device);
            contact.add_key(key);
            super::knocks::merge_addresses(contact, &usable);
        }
        let mut again = false;
        if let Some(invite) = self.state.invites.iter_mut().find(|known| known.id == invite) {
            again = invite.redeemer.replace(*root).is_some();
        }
        self.note_nat(id, hello.nat);
        self.adopt(device, id);
        let undo = before.map_or(Undo::RemoveContact(id), |contact| {
            Undo::RestoreContact(Box::new(contact))
        });
        self.store_then(Pending::Acknowledge {
            link,
            contact: id,
            invite,
            again,
            undo,
        });
    }

    /// The contact of a root: the one that exists, or a new one with an untaken name.
    pub(super) fn contact_for(&mut self, root: &RootKey, name: &str) -> ContactId {
        if let Some(contact) = self.state.contact_of(root) {
            return contact.id;
        }
        let id = ContactId(self.rng.bytes());
        let name = self.untaken_name(&names::presentable(name, "somebody"));
        self.state.contacts.push(blank_contact(id, name, *root));
        id
    }

    pub(super) fn untaken_name(&self, wanted: &str) -> String {
        let taken: Vec<&str> = self
            .state
            .contacts
            .iter()
            .map(|contact| contact.name.as_str())
            .collect();
        names::untaken(wanted, &taken)
    }

    fn adopt(&mut self, device: DeviceKey, contact: ContactId) {
        if let Some(peer) = self.peers.get_mut(&device) {
            peer.contact = Some(contact);
        }
        self.keyring_stale = true;
    }

    /// HKDF(exporter of the link of the redemption, both roots), the same on both sides.
    pub(super) fn pair_key(&self, exporter: &[u8; 32], other: &RootKey) -> Secret {
        let (low, high) = if self.root < *other {
            (&self.root, other)
        } else {
            (other, &self.root)
        };
        crypto::derive(exporter, "pair key", &[&low.0, &high.0])
    }

    /// Inviter: the contact is on the disk.
    pub(super) fn acknowledge_redeemer(&mut self, link: LinkId, contact: ContactId, invite: InviteId, now: Now) {
        self.event(Event::Contact(contact));
        self.event(Event::Invite(invite));
        let Some(stage) = self.links.get(&link).map(|link| link.stage) else {
            return;
        };
        if stage == Stage::Ready {
            return self.send_on(link, Message::Redeemed, now);
        }
        // Other things may have been said to the peer since its `hello`: they go first, as they are numbered.
        let device = self.links.get(&link).map(|link| link.peer);
        let peer = device.and_then(|device| self.peers.get_mut(&device));
        let queued = peer.is_some_and(|peer| peer.session.send(Message::Redeemed).is_ok());
        if queued {
            self.make_ready(link, false, now);
            // A guest was told no address; a contact is.
            if let Some(contact) = self.contact_on(link) {
                self.tell_addresses(contact, now);
            }
        }
    }

    /// The user has judged whoever redeemed an invite: it brings nobody any more, and nobody into doubt.
    pub(super) fn close_invites_of(&mut self, root: &RootKey) {
        let redeemed = |invite: &&mut Invite| invite.redeemer == Some(*root);
        for invite in self.state.invites.iter_mut().filter(redeemed) {
            invite.closed = true;
        }
    }

    fn refuse_redeemer(&mut self, link: LinkId, redeem: &Redeem, why: InviteRefusal, now: Now) {
        let is_ready = self.links.get(&link).is_some_and(|link| link.stage == Stage::Ready);
        if !is_ready {
            self.say_again(link);
        }
        self.send_on(link, Message::Refused(Refused { why }), now);
        if let Some(link) = self.links.get_mut(&link).filter(|_| !is_ready) {
            link.closing = Some((now.boot + REFUSAL_LINGER, close_code::STRANGER));
        }
        if why == InviteRefusal::Used
            && let Some(invite) = self.invite_named(redeem).filter(|invite| !invite.closed)
            && let Some(first) = invite.redeemer
        {
            self.contest(&first, now);
        }
    }

    /// Two people hold the same invite: until the user decides, the first one cannot ring and learns no addresses.
    fn contest(&mut self, first: &RootKey, now: Now) {
        let contact = self.state.contacts.iter_mut().find(|contact| contact.root == *first);
        let Some(contact) = contact.filter(|contact| !contact.verified && !contact.contested) else {
            return;
        };
        contact.contested = true;
        let id = contact.id;
        self.store();
        self.tell(id, Message::Held(Held { held: true }), now);
        self.rotate_finding(now);
        self.event(Event::Contact(id));
        self.event(Event::Notice(Notice::Contested(id)));
    }

    /// Invitee: the inviter holds us as a contact.
    pub(super) fn handle_redeemed(&mut self, link: LinkId, id: ContactId, now: Now) {
        let Some((exporter, remote)) = self.links.get(&link).map(|link| (link.exporter, link.remote)) else {
            return;
        };
        let Some(root) = self.state.contact(id).map(|contact| contact.root) else {
            return;
        };
        let key = self.pair_key(&exporter, &root);
        let Some(contact) = self.state.contact_mut(id) else {
            return;
        };
        let Some(redemption) = contact.redeeming.take() else {
            // The far side has made a key of this link all the same, and may seal with it from here on.
            if contact.accepted && contact.add_key(key) {
                self.keyring_stale = true;
                self.store();
            }
            return;
        };
        contact.accepted = true;
        contact.add_key(key);
        super::knocks::merge_addresses(contact, &redemption.link.candidates);
        if remote.via.is_direct() {
            super::knocks::merge_addresses(contact, &[remote.at]);
        }
        self.keyring_stale = true;
        // Were this store to fail and the daemon to die, the redemption would still be stored, and be repeated.
        self.store();
        self.make_ready(link, true, now);
        self.event(Event::Contact(id));
    }

    /// Invitee: the inviter said no.
    pub(super) fn handle_refused(&mut self, link: LinkId, id: ContactId, why: InviteRefusal, now: Now) {
        let refused = self.links.get(&link).and_then(|link| link.redeems);
        let Some(contact) = self.state.contact_mut(id) else {
            return;
        };
        let Some(redemption) = contact.redeeming.take() else {
            return;
        };
        if refused != Some(invite::hint(&redemption.link.secret)) {
            // Another invite has been pasted meanwhile: it has its own turn.
            contact.redeeming = Some(redemption);
            return self.close(link, close_code::REFUSED, now);
        }
        let was_pending = !contact.accepted;
        self.keyring_stale = true;
        if was_pending {
            self.remove_contact(id, now);
            self.event(Event::ContactRemoved(id, Some(why)));
            self.close(link, close_code::REFUSED, now);
        }
        self.store();
    }

    /// Takes a contact out of everything but what is under way on its links.
    pub(super) fn remove_contact(&mut self, id: ContactId, now: Now) -> Option<Contact> {
        let place = self.state.contacts.iter().position(|contact| contact.id == id)?;
        self.end_calls_with(id, now);
        let contact = self.state.contacts.remove(place);
        for device in self.devices_of(id) {
            self.leave(device, now);
        }
        self.keyring_stale = true;
        self.forget_observer(id, now);
        Some(contact)
    }

    fn leave(&mut self, device: DeviceKey, now: Now) {
        let Some(peer) = self.peers.get_mut(&device) else {
            return;
        };
        peer.contact = None;
        peer.search.stop();
        if let Some(token) = peer.admitted.take() {
            self.out.push_back(Output::Revoke { token });
        }
        match peer.link {
            // What was said last gets a moment to arrive.
            Some(link) => {
                if let Some(link) = self.links.get_mut(&link) {
                    link.closing = Some((now.boot + bounds::LAST_WORDS, close_code::STRANGER));
                }
            }
            None => self.drop_idle_guest(&device),
        }
    }
}

/// A contact of which nothing is known but who it is.
pub(super) const fn blank_contact(id: ContactId, name: String, root: RootKey) -> Contact {
    Contact {
        id,
        name,
        root,
        list: None,
        proven: Vec::new(),
        keys: Vec::new(),
        accepted: false,
        verified: false,
        contested: false,
        held: false,
        addresses: Vec::new(),
        redeeming: None,
        blocked: false,
        alarm: None,
        relay: false,
        relay_only: false,
        one_click: None,
        temporary: false,
        finding: None,
        introduces: false,
        nat: crate::reach::nat_report::NatKind::Unknown,
    }
}
