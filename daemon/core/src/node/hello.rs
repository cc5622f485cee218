//! `hello`: both sides show who they are before anything else is said.

use super::{Node, Stage};
use crate::bounds::close_code;
use crate::event::{Event, Notice};
use crate::ids::{ContactId, DeviceKey, LinkId, RootKey};
use crate::invite::{self, Side};
use crate::io::Output;
use crate::message::{Hello, Message, Redeem};
use crate::reach::via::Via;
use crate::state::{Alarm, Contact};
use crate::time::{Now, UnixSeconds, signed};

impl Node {
    pub(super) fn send_hello(&mut self, link: LinkId, now: Now) {
        let Some((device, exporter)) = self.links.get(&link).map(|link| (link.peer, link.exporter)) else {
            return;
        };
        let redeem = self.redeem_field(&device, &exporter);
        if let Some(link) = self.links.get_mut(&link) {
            link.redeems = redeem.as_ref().map(|redeem| redeem.hint);
        }
        let (addresses, nat) = (self.candidates_for(&device), self.nat_for(&device));
        let through_server = self.links.get(&link).is_some_and(|link| link.remote.via == Via::Turn);
        let Some(peer) = self.peers.get_mut(&device) else {
            return;
        };
        let memory = peer.session.memory();
        let contact = peer.contact.and_then(|id| self.state.contact(id));
        let hello = Hello {
            list: self.state.identity.list.clone(),
            session: memory.session,
            remembers: memory.remembers,
            received: memory.received,
            addresses,
            keys: contact.map(|contact| contact.keys.clone()).unwrap_or_default(),
            redeem,
            held: contact.is_some_and(|contact| contact.contested),
            time: Some(now.wall),
            through_server: through_server.then_some(true),
            nat,
        };
        if let Ok(frame) = peer.session.send(Message::Hello(Box::new(hello))) {
            self.push(Output::Send {
                link,
                bytes: frame.to_bytes(),
            });
        }
    }

    /// Remembers the peer's wall clock as it stands to our boot clock, so that a correction of our own is seen at once.
    fn note_clock(&mut self, link: LinkId, time: Option<UnixSeconds>, now: Now) {
        if let Some(link) = self.links.get_mut(&link) {
            link.clock = time.map(|time| signed(time).saturating_sub(signed(now.boot.as_secs())));
        }
    }

    /// The proof for an invite that this link is about: ours as the invitee, or ours as the inviter of a guest.
    fn redeem_field(&self, device: &DeviceKey, exporter: &[u8; 32]) -> Option<Redeem> {
        let peer = self.peers.get(device)?;
        let contact = peer.contact.and_then(|id| self.state.contact(id));
        let (secret, proof) = if let Some(redemption) = contact.and_then(|contact| contact.redeeming.as_ref()) {
            let secret = redemption.link.secret;
            (
                secret,
                invite::proof(&secret, exporter, Side::Invitee, device, &self.device),
            )
        } else {
            let secret = self.state.invite(peer.guest.as_ref()?.invite)?.keys.secret;
            (
                secret,
                invite::proof(&secret, exporter, Side::Inviter, &self.device, device),
            )
        };
        Some(Redeem {
            hint: invite::hint(&secret),
            proof,
            name: self.state.identity.name.clone(),
        })
    }

    pub(super) fn handle_hello(&mut self, link: LinkId, hello: &Hello, now: Now) {
        let Some(known) = self.links.get(&link) else { return };
        if known.stage != Stage::AwaitingHello {
            return self.close(link, close_code::GARBAGE, now);
        }
        let (device, dialed) = (known.peer, self.dials(&known.peer));
        self.note_clock(link, hello.time, now);
        if let Some(link) = self.links.get_mut(&link) {
            link.their_server = hello.through_server.unwrap_or(false);
        }
        let Ok(list) = hello.list.verify() else {
            return self.close(link, close_code::BAD_HELLO, now);
        };
        self.settle_claim(&device, &list.root);
        let Some(peer) = self
            .peers
            .get(&device)
            .filter(|_| list.contains(&device) && list.root != self.root)
        else {
            return self.close(link, close_code::BAD_HELLO, now);
        };
        match (peer.contact, &hello.redeem) {
            (Some(contact), redeem) => {
                if !self.hello_fits(contact, hello) {
                    self.warn_of_other_root(contact, &list.root);
                    return self.close(link, close_code::BAD_HELLO, now);
                }
                // Said before the session is judged: the answer must show what was remembered until now.
                if !dialed {
                    self.send_hello(link, now);
                }
                let is_ours = |redeem: &Redeem| self.invite_named(redeem).is_some();
                let is_guest = self.peers.get(&device).is_some_and(|peer| peer.guest.is_some());
                let redeems_again = redeem.as_ref().is_some_and(|redeem| is_guest || is_ours(redeem));
                self.meet_contact(link, contact, hello, now);
                if let (true, Some(redeem)) = (redeems_again, redeem) {
                    self.redeem(link, &list.root, hello, redeem, now);
                }
            }
            (None, Some(redeem)) => {
                if !dialed {
                    self.send_hello(link, now);
                }
                self.meet_session(link, hello);
                if let Some(link) = self.links.get_mut(&link) {
                    link.stage = Stage::Judging;
                }
                self.redeem(link, &list.root, hello, redeem, now);
            }
            (None, None) => self.close(link, close_code::STRANGER, now),
        }
    }

    /// A device that only somebody's link has named belongs to whoever it says itself: TLS has shown that it is the
    /// device, and its own person has signed for it.
    fn settle_claim(&mut self, device: &DeviceKey, root: &RootKey) {
        let owner = self.state.contact_of(root).filter(|contact| !contact.blocked);
        let owner = owner.map(|contact| contact.id);
        let claimed = self.peers.get(device).and_then(|peer| peer.contact);
        let is_proven = claimed
            .and_then(|id| self.state.contact(id))
            .is_some_and(|contact| contact.root == *root || contact.proven.contains(device));
        if let (false, Some(claimed)) = (is_proven, claimed) {
            self.warn_of_other_root(claimed, root);
        }
        if !is_proven && let Some(peer) = self.peers.get_mut(device) {
            peer.contact = owner.filter(|_| claimed.is_some());
        }
    }

    /// Whether a hello may come from this contact's device. Of an inviter nothing more is asked: its TLS key and its root
    /// are the ones that its link named.
    fn hello_fits(&self, id: ContactId, hello: &Hello) -> bool {
        let Some(contact) = self.state.contact(id) else {
            return false;
        };
        hello.list.verify_after(&contact.root, contact.list.as_ref()).is_ok()
    }

    /// The pinned root does not change. Whoever shows another one is refused, and the user hears of it.
    fn warn_of_other_root(&mut self, id: ContactId, root: &RootKey) {
        let Some(contact) = self.state.contact_mut(id) else {
            return;
        };
        if contact.root == *root || contact.alarm == Some(Alarm::OtherRoot) {
            return;
        }
        contact.alarm = Some(Alarm::OtherRoot);
        self.store();
        self.event(Event::Contact(id));
        self.event(Event::Notice(Notice::OtherRoot(id)));
    }

    /// A contact, or the inviter of a redemption under way, has shown itself.
    fn meet_contact(&mut self, link: LinkId, id: ContactId, hello: &Hello, now: Now) {
        let usable = self.own.usable(&hello.addresses);
        let Some(device) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let Some(contact) = self.state.contact_mut(id) else {
            return;
        };
        let before = contact.clone();
        contact.list = Some(hello.list.clone());
        contact.prove(device);
        contact.held = hello.held;
        let is_accepted = contact.accepted;
        if is_accepted {
            learn(contact, hello);
            contact.redeeming = contact
                .redeeming
                .take()
                .filter(|redemption| now.wall < redemption.link.expiry);
            super::knocks::merge_addresses(contact, &usable);
        }
        let differs = *contact != before;
        self.keyring_stale |= contact.keys != before.keys;
        let held_differs = contact.held != before.held;
        if differs {
            self.store();
        }
        if held_differs {
            self.event(Event::Contact(id));
        }
        self.note_nat(id, hello.nat);
        let goes_on = self.meet_session(link, hello);
        if !goes_on {
            self.forget_unanswered_words(id);
        }
        if is_accepted {
            self.make_ready(link, goes_on, now);
        } else if let Some(link) = self.links.get_mut(&link) {
            link.stage = Stage::Redeeming;
        }
    }

    /// Whether the session goes on.
    fn meet_session(&mut self, link: LinkId, hello: &Hello) -> bool {
        let device = self.links.get(&link).map(|link| link.peer);
        device
            .and_then(|device| self.peers.get_mut(&device))
            .is_some_and(|peer| peer.session.meet(hello))
    }

    /// Whether a peer must not learn our addresses: a guest, who has those of the link and may be refused, and a contact
    /// until the user has decided who it is.
    pub(super) fn is_held_back(&self, device: &DeviceKey) -> bool {
        let contact = self
            .peers
            .get(device)
            .and_then(|peer| peer.contact)
            .and_then(|id| self.state.contact(id));
        contact.is_none_or(|contact| contact.contested)
    }
}

fn learn(contact: &mut Contact, hello: &Hello) {
    for key in hello.keys.iter().rev().take(crate::bounds::PAIR_KEYS) {
        if !contact.keys.contains(key) && contact.keys.len() < crate::bounds::PAIR_KEYS {
            contact.keys.push(key.clone());
        }
    }
}
