//! Control messages, once `hello` has checked.

use super::{Node, Stage};
use crate::bounds::close_code;
use crate::call::incoming::Ringer;
use crate::event::Event;
use crate::ids::{ContactId, LinkId};
use crate::io::Output;
use crate::message::{Frame, Message, Unsupported};
use crate::session::Receipt;
use crate::time::Now;

impl Node {
    pub(super) fn handle_control(&mut self, link: LinkId, bytes: &[u8], now: Now) {
        let Some((device, stage)) = self.links.get(&link).map(|link| (link.peer, link.stage)) else {
            return;
        };
        self.stir(link, now);
        let Ok((frame, message)) = Frame::parse(bytes) else {
            return self.close(link, close_code::GARBAGE, now);
        };
        if let Message::Hello(hello) = &message {
            return self.handle_hello(link, hello, now);
        }
        // Whoever is being judged has nothing to say but that it has heard.
        let is_heard = match stage {
            Stage::AwaitingHello => false,
            Stage::Judging => message == Message::Ack,
            Stage::Redeeming | Stage::Ready => true,
        };
        if !is_heard {
            return self.close(link, close_code::BAD_HELLO, now);
        }
        let Some(peer) = self.peers.get_mut(&device) else {
            return;
        };
        let Ok(receipt) = peer.session.receive(&frame) else {
            return self.close(link, close_code::GARBAGE, now);
        };
        let contact = peer.contact;
        if frame.number > 0 {
            self.send_on(link, Message::Ack, now);
        }
        if let (Receipt::Fresh, Some(contact)) = (receipt, contact) {
            self.apply(link, contact, &message, now);
        }
    }

    fn apply(&mut self, link: LinkId, contact: ContactId, message: &Message, now: Now) {
        match message {
            Message::Redeemed => self.handle_redeemed(link, contact, now),
            Message::Refused(refused) => self.handle_refused(link, contact, refused.why, now),
            Message::Held(held) => self.handle_held(contact, held.held, now),
            Message::Watch(watch) => self.handle_watch(link, watch),
            Message::Pass(pass) => self.handle_pass(link, contact, pass, now),
            Message::Finding(finding) => self.handle_finding(link, contact, finding),
            Message::Addresses(named) => {
                self.note_nat(contact, named.nat);
                self.handle_addresses(contact, &named.addresses);
            }
            Message::Ring(ring) => {
                if let Some(ringer) = self.ringer(contact, link) {
                    self.calls.ring(&ringer, ring, now.boot);
                }
            }
            Message::Renew(_)
            | Message::Ringing(_)
            | Message::Accept(_)
            | Message::End(_)
            | Message::Sends(_)
            | Message::Takes(_) => {
                self.calls.handle_message(contact, message, now.boot);
            }
            Message::SafetyAsk
            | Message::SafetyCommit(_)
            | Message::SafetyAnswer(_)
            | Message::SafetyReveal(_)
            | Message::SafetyLater => self.handle_safety(link, contact, message, now),
            Message::RelayOffer(offer) => self.handle_relay_offer(link, offer.offered, now),
            Message::RelayAsk(ask) => self.handle_relay_ask(link, contact, ask, now),
            Message::RelayGrant(grant) => self.handle_relay_grant(link, grant, now),
            Message::RelayEnd(end) => {
                self.withdraw_ask(link, contact, end, now);
                self.handle_relay_end(link, end, now);
            }
            Message::Unsupported(answer) if Message::is_safety_kind(answer.kind) => {
                self.safety_unsupported(link, contact, now);
            }
            Message::Unknown(kind) => self.send_on(link, Message::Unsupported(Unsupported { kind: *kind }), now),
            // Strangers say these to each other.
            Message::Show(_) | Message::Keep(_) => self.close(link, close_code::GARBAGE, now),
            Message::Hello(_) | Message::Ack | Message::Unsupported(_) => {}
        }
    }

    fn ringer(&self, id: ContactId, from: LinkId) -> Option<Ringer> {
        let contact = self.state.contact(id)?;
        // A RING may have been sent just before the peer moved to a newer connection.
        let link = self.link_to(id).map_or(from, |link| link.id);
        Some(Ringer {
            contact: id,
            name: contact.name.clone(),
            may_ring: contact.accepted && !contact.contested,
            will_ring: self.state.will_ring && !self.calls.is_quiet(id),
            waits: self.state.second_call_waits,
            own_is_lower: self.root < contact.root,
            link,
        })
    }

    fn handle_held(&mut self, id: ContactId, held: bool, now: Now) {
        let Some(contact) = self.state.contact_mut(id).filter(|contact| contact.held != held) else {
            return;
        };
        contact.held = held;
        self.store();
        self.tell_finding(id, now);
        self.event(Event::Contact(id));
    }

    fn handle_addresses(&mut self, id: ContactId, named: &[std::net::SocketAddr]) {
        let usable = self.own.usable(named);
        let Some(contact) = self.state.contact_mut(id).filter(|contact| contact.accepted) else {
            return;
        };
        let before = contact.addresses.clone();
        super::knocks::merge_addresses(contact, &usable);
        self.unstored |= contact.addresses != before;
    }

    /// Sends to a contact's device, now or when the session goes on.
    pub(super) fn tell(&mut self, contact: ContactId, message: Message, now: Now) {
        if self.visits.contains_key(&contact) {
            return self.say(contact, message, now);
        }
        let linked = self.link_to(contact).map(|link| link.id);
        match linked {
            Some(link) => self.send_on(link, message, now),
            None => {
                let mut devices = self.peers.values_mut().filter(|peer| peer.contact == Some(contact));
                // Where even the queue is full the peer has been gone for long: the session will not go on.
                let _ = devices.next().map(|peer| peer.session.send(message));
            }
        }
    }

    /// What earlier links have swallowed comes first on a link: a number that is missing would be garbage there.
    pub(super) fn say_again(&mut self, link: LinkId) {
        let device = self.links.get(&link).map(|link| link.peer);
        let Some(peer) = device.and_then(|device| self.peers.get(&device)) else {
            return;
        };
        for frame in peer.session.resend() {
            self.push(Output::Send {
                link,
                bytes: frame.to_bytes(),
            });
        }
    }

    fn stir(&mut self, link: LinkId, now: Now) {
        if let Some(link) = self.links.get_mut(&link) {
            link.stirred = now.boot;
        }
    }

    pub(super) fn send_on(&mut self, link: LinkId, message: Message, now: Now) {
        self.stir(link, now);
        let Some(device) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(&device) else {
            return;
        };
        match peer.session.send(message) {
            Ok(frame) => self.push(Output::Send {
                link,
                bytes: frame.to_bytes(),
            }),
            Err(_) => self.close(link, close_code::TOO_MUCH, now),
        }
    }
}
