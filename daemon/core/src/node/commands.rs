//! The actions of the local API.

use super::Node;
use super::stored::{Pending, Undo};
use crate::bounds;
use crate::call::outgoing::{NewCall, Placed};
use crate::command::{Command, Media, Refusal, Reply};
use crate::crypto::Secret;
use crate::event::Event;
use crate::ids::{CallId, CommandId, ContactId, InviteId};
use crate::invite::{InviteKeys, Link, Whereabouts};
use crate::io::Output;
use crate::media::flow;
use crate::message::{Held, Message};
use crate::names;
use crate::state::{Contact, Invite, Redemption};
use crate::time::Now;

/// Bases come round again after this many calls, which keeps flow ids at two bytes.
const BASES: u64 = 1000;

/// What a command leads to at once.
pub(super) enum Outcome {
    /// The answer.
    Reply(Reply),
    /// An answer that waits for the disk.
    Store(Reply, Option<Event>, Undo),
    /// An answer that comes later by itself.
    Later,
}

pub(super) type Result = std::result::Result<Outcome, Refusal>;

impl Node {
    pub(super) fn handle_command(&mut self, id: CommandId, command: Command, now: Now) {
        let result = self.carry_out(id, command, now);
        self.conclude(id, result);
    }

    /// Answers a command with what came of it.
    pub(super) fn conclude(&mut self, id: CommandId, result: Result) {
        match result {
            Ok(Outcome::Reply(reply)) => self.push(Output::Reply { id, reply }),
            Ok(Outcome::Store(reply, event, undo)) => self.store_then(Pending::Answer {
                command: id,
                reply,
                event,
                undo,
            }),
            Ok(Outcome::Later) => {}
            Err(refusal) => self.push(Output::Reply {
                id,
                reply: Reply::Refused(refusal),
            }),
        }
    }

    fn carry_out(&mut self, id: CommandId, command: Command, now: Now) -> Result {
        match command {
            Command::CreateInvite { expires_in_s } => self.create_invite(id, expires_in_s, now),
            Command::DeleteInvite { invite } => self.delete_invite(invite),
            Command::AddContact { link, name, temporary } => self.add_contact(&link, name.as_deref(), temporary, now),
            Command::TakeReply { text } => self.take_reply(&text, now),
            Command::LookAtPaste { text } => self.look_at_paste(&text, now),
            Command::EditContact { contact, name, accept } => self.edit_contact(contact, name.as_deref(), accept, now),
            Command::SetIntroducer { contact, introduces } => self.set_introducer(contact, introduces),
            Command::Block { contact, blocked } => self.block(contact, blocked, now),
            Command::SetRelays {
                contact,
                relay,
                relay_only,
            } => self.set_relays(contact, relay, relay_only, now),
            Command::SetOneClick { contact, one_click } => self.set_one_click(contact, one_click),
            Command::Verify { contact } => self.verify(id, contact, now),
            Command::Compared { contact, same } => self.compared(contact, same, now),
            Command::DeleteContact { contact } => self.delete_contact(contact, now),
            Command::Ping { contact } => self.ping(id, contact, now),
            Command::EditMe { name, will_ring } => self.edit_me(name.as_deref(), will_ring, now),
            Command::SetSecondCall { waits } => Ok(self.set_second_call(waits)),
            Command::SetSends { call, audio, video } => {
                self.on_call(call, |node| node.calls.set_sends(call, audio, video))
            }
            Command::StartCall { contact, media } => self.start_call(contact, media, now),
            Command::CallAddress { to, media } => self.call_address(to, media, now),
            Command::SetDoor { open, for_s } => self.set_door(open, for_s, now),
            Command::Keep { call, keep } => self.keep(id, call, keep, now),
            Command::ComparedWithStranger { call, same } => self.compared_with_stranger(call, same, now),
            Command::CheckNetwork => Ok(self.check_network_for(id, now)),
            Command::Answer { call } => self.on_call(call, |node| node.calls.accept(call, now.boot)),
            Command::Decline { call } => self.on_call(call, |node| node.calls.decline(call, now.boot)),
            Command::HangUp { call } => self.on_call(call, |node| node.calls.hang_up(call, now.boot)),
            Command::SeeMissed { call } => self.on_call(call, |node| node.calls.see_missed(call)),
        }
    }

    /// With a relay server of one's own the link waits for the address there, which may be the only one that leads here.
    fn create_invite(&mut self, id: CommandId, expires_in_s: u64, now: Now) -> Result {
        if !(bounds::INVITE_LIFE_LEAST_S..=bounds::INVITE_LIFE_MOST_S).contains(&expires_in_s) {
            return Err(Refusal::OutOfBounds);
        }
        let open = self.state.invites.iter().filter(|invite| invite.is_open(now.wall));
        if open.count() + self.invites_awaited() >= bounds::INVITES {
            return Err(Refusal::TooMany);
        }
        if self.await_server(id, expires_in_s, now) {
            return Ok(Outcome::Later);
        }
        Ok(self.make_invite(expires_in_s, now))
    }

    /// Makes an invite with the addresses that there are.
    pub(super) fn make_invite(&mut self, expires_in_s: u64, now: Now) -> Outcome {
        let keys = InviteKeys {
            secret: self.rng.bytes(),
            one_time: Secret(self.rng.bytes()),
        };
        let expiry = now.wall.saturating_add(expires_in_s);
        let name = &self.state.identity.name;
        let report = self.network.report();
        let at = Whereabouts {
            candidates: self.offered_addresses(),
            nat: report.kind(),
            shut: report.is_shut(),
        };
        let link = Link::new(self.root, self.device, &keys, at, expiry, name).to_text();
        let id = InviteId(self.rng.bytes());
        self.state.invites.push(Invite {
            id,
            keys,
            link,
            expiry,
            redeemer: None,
            closed: false,
            created: Some(now.wall),
        });
        self.keyring_stale = true;
        Outcome::Store(Reply::Invite(id), Some(Event::Invite(id)), Undo::RemoveInvite(id))
    }

    fn delete_invite(&mut self, id: InviteId) -> Result {
        let place = self
            .state
            .invites
            .iter()
            .position(|invite| invite.id == id && invite.redeemer.is_none());
        let invite = self.state.invites.remove(place.ok_or(Refusal::NotFound)?);
        self.keyring_stale = true;
        Ok(Outcome::Store(
            Reply::Done,
            Some(Event::Invite(id)),
            Undo::RestoreInvite(Box::new(invite)),
        ))
    }

    fn add_contact(&mut self, pasted: &str, name: Option<&str>, temporary: bool, now: Now) -> Result {
        let link = Link::find(pasted)?;
        let known = self.redeemable(&link, now)?.cloned();
        let name = name
            .map(|name| names::checked(name).ok_or(Refusal::BadName))
            .transpose()?;
        let redemption = Redemption {
            ephemeral: Secret(self.rng.bytes()),
            link,
            since: Some(now.wall),
        };
        match known {
            Some(known) => Ok(self.add_again(&known, redemption, temporary)),
            None => Ok(self.add_new(redemption, name, temporary)),
        }
    }

    /// The search begins when the contact is on the disk: else the inviter might hold somebody who has forgotten it.
    fn add_new(&mut self, redemption: Redemption, name: Option<String>, temporary: bool) -> Outcome {
        let id = ContactId(self.rng.bytes());
        let name = self.untaken_name(&name.unwrap_or_else(|| redemption.link.name.clone()));
        let contact = super::redeem::blank_contact(id, name, redemption.link.root);
        self.state.contacts.push(Contact {
            redeeming: Some(redemption),
            temporary,
            ..contact
        });
        self.meet_all();
        Outcome::Store(Reply::Contact(id), Some(Event::Contact(id)), Undo::RemoveContact(id))
    }

    /// The invite of somebody who is a contact already: redeemed all the same, for he may have forgotten us. Where there is
    /// a link to him, that happens on the next one.
    fn add_again(&mut self, known: &Contact, redemption: Redemption, temporary: bool) -> Outcome {
        let id = known.id;
        if let Some(contact) = self.state.contact_mut(id) {
            contact.redeeming = Some(redemption);
            contact.temporary &= temporary;
        }
        self.meet_all();
        Outcome::Store(
            Reply::Contact(id),
            Some(Event::Contact(id)),
            Undo::RestoreRedemption(id, known.redeeming.clone().map(Box::new)),
        )
    }

    fn edit_contact(&mut self, id: ContactId, name: Option<&str>, accept: bool, now: Now) -> Result {
        let before = self.state.contact(id).cloned().ok_or(Refusal::NotFound)?;
        let name = name
            .map(|name| names::checked(name).ok_or(Refusal::BadName))
            .transpose()?;
        if accept && !before.contested {
            return Err(Refusal::WrongState);
        }
        let others = self.state.contacts.iter().filter(|contact| contact.id != id);
        let taken: Vec<String> = others.map(|contact| contact.name.clone()).collect();
        let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
        if let Some(contact) = self.state.contact_mut(id) {
            contact.name = name.map_or_else(|| before.name.clone(), |name| names::untaken(&name, &taken));
            contact.contested &= !accept;
        }
        if accept {
            self.close_invites_of(&before.root);
            self.tell(id, Message::Held(Held { held: false }), now);
            self.tell_finding(id, now);
        }
        Ok(Outcome::Store(
            Reply::Contact(id),
            Some(Event::Contact(id)),
            Undo::RestoreEdit {
                contact: id,
                name: before.name,
                contested: before.contested,
            },
        ))
    }

    fn delete_contact(&mut self, id: ContactId, now: Now) -> Result {
        let contact = self.remove_contact(id, now).ok_or(Refusal::NotFound)?;
        self.close_invites_of(&contact.root);
        if contact.accepted {
            self.rotate_finding(now);
        }
        let event = Event::ContactRemoved(id, None);
        Ok(Outcome::Store(
            Reply::Done,
            Some(event),
            Undo::RestoreContact(Box::new(contact)),
        ))
    }

    fn ping(&mut self, command: CommandId, id: ContactId, now: Now) -> Result {
        self.state.contact(id).ok_or(Refusal::NotFound)?;
        let linked = self.link_to(id).map(|link| (link.id, link.peer));
        let (link, peer) = linked.ok_or(Refusal::Unreachable)?;
        let rings = self.rings_for(&peer);
        let link = self.links.get_mut(&link).ok_or(Refusal::Unreachable)?;
        let bytes = link.keepalive.ask(rings, now.boot);
        let link = link.id;
        self.push(Output::SendAlive { link, bytes });
        self.pings.entry(id).or_default().push((command, now.boot));
        Ok(Outcome::Later)
    }

    fn edit_me(&mut self, name: Option<&str>, will_ring: Option<bool>, now: Now) -> Result {
        let name = name
            .map(|name| names::checked(name).ok_or(Refusal::BadName))
            .transpose()?;
        let undo = Undo::RestoreMe {
            name: self.state.identity.name.clone(),
            will_ring: self.state.will_ring,
        };
        if let Some(name) = name {
            self.state.identity.name = name;
        }
        if let Some(will_ring) = will_ring.filter(|wanted| *wanted != self.state.will_ring) {
            self.state.will_ring = will_ring;
            self.ask_all(now);
        }
        Ok(Outcome::Store(Reply::Done, Some(Event::Me), undo))
    }

    fn start_call(&mut self, id: ContactId, media: Media, now: Now) -> Result {
        let contact = self.state.contact(id).ok_or(Refusal::NotFound)?;
        if contact.blocked {
            return Err(Refusal::Blocked);
        }
        if !contact.may_call() {
            return Err(Refusal::NotAccepted);
        }
        let (name, even) = (contact.name.clone(), self.root < contact.root);
        let base = self.next_base(even);
        let new = NewCall {
            id: CallId(self.rng.bytes()),
            contact: id,
            name,
            media,
            base,
        };
        let link = self.link_to(id).map(|link| link.id);
        self.search_for(id, now);
        self.seek_anew(id, now);
        match self.calls.start(new, link, now.boot) {
            Placed::Started(call) => Ok(Outcome::Reply(Reply::CallStarted(call))),
            Placed::Answered(call) | Placed::Already(call) => Ok(Outcome::Reply(Reply::Call(call))),
            Placed::Occupied => Err(Refusal::InCall),
        }
    }

    /// A base that neither side has used on a link for long: each side counts its own, one the even, one the odd.
    pub(super) fn next_base(&mut self, even: bool) -> u64 {
        self.base = (self.base + 1) % BASES;
        flow::FIRST_CALL_BASE + flow::CALL_STRIDE * (2 * self.base + u64::from(!even))
    }

    fn on_call(&mut self, call: CallId, act: impl FnOnce(&mut Self) -> bool) -> Result {
        self.calls.get(call).ok_or(Refusal::NotFound)?;
        if act(self) {
            Ok(Outcome::Reply(Reply::Call(call)))
        } else {
            Err(Refusal::WrongState)
        }
    }
}
