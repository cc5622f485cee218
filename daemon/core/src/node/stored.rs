//! What waits for the disk: answers and acknowledgements that would be lies if the change were lost.

use super::Node;
use crate::bounds::close_code;
use crate::command::{Refusal, Reply};
use crate::event::Event;
use crate::ids::{CallId, CommandId, ContactId, InviteId, LinkId};
use crate::io::Output;
use crate::state::{Alarm, Contact, Invite, Redemption};
use crate::time::Now;

/// One thing to do when a generation is on the disk, or to undo when it cannot be written.
#[derive(Debug)]
pub(super) enum Pending {
    /// Answers a command.
    Answer {
        /// Which command.
        command: CommandId,
        /// With what.
        reply: Reply,
        /// What clients hear of then.
        event: Option<Event>,
        /// How to take the change back.
        undo: Undo,
    },
    /// Tells a stranger, who wants to keep us, that we keep him.
    Keep {
        /// Which command asked for it.
        command: CommandId,
        /// The call with him.
        call: CallId,
        /// What stands for him.
        visit: ContactId,
        /// The contact that he becomes.
        contact: ContactId,
        /// How to take the change back.
        undo: Undo,
    },
    /// Tells a redeemer that both sides hold each other.
    Acknowledge {
        /// Over which link.
        link: LinkId,
        /// The new contact.
        contact: ContactId,
        /// The invite it redeemed.
        invite: InviteId,
        /// Whether it had redeemed it before.
        again: bool,
        /// How to take the change back.
        undo: Undo,
    },
}

/// How a change is taken back.
#[derive(Debug)]
pub(super) enum Undo {
    RemoveContact(ContactId),
    RestoreContact(Box<Contact>),
    RestoreRedemption(ContactId, Option<Box<Redemption>>),
    RestoreEdit {
        contact: ContactId,
        name: String,
        contested: bool,
    },
    RemoveInvite(InviteId),
    RestoreInvite(Box<Invite>),
    RestoreMe {
        name: String,
        will_ring: bool,
    },
    RestoreSecondCall(bool),
    RestoreIntroducer(ContactId, bool),
    RestoreOneClick(ContactId, Option<bool>),
    RestoreBlock(ContactId, bool),
    RestoreRelays {
        contact: ContactId,
        relay: bool,
        relay_only: bool,
    },
    RestoreMarks {
        contact: ContactId,
        verified: bool,
        alarm: Option<Alarm>,
    },
}

impl Node {
    /// Writes the state; nobody waits for it.
    pub(super) fn store(&mut self) {
        self.unstored = false;
        self.generation += 1;
        self.push(Output::Store {
            generation: self.generation,
            state: self.state.to_bytes(),
        });
    }

    /// Writes the state, and does the rest when it is written.
    pub(super) fn store_then(&mut self, pending: Pending) {
        self.store();
        self.pending.push((self.generation, pending));
    }

    /// What waited for this generation or an earlier one: a later state contains the earlier ones.
    fn take_pending(&mut self, generation: u64) -> Vec<Pending> {
        let (due, later) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|(wanted, _)| *wanted <= generation);
        self.pending = later;
        let due: Vec<(u64, Pending)> = due;
        due.into_iter().map(|(_, pending)| pending).collect()
    }

    pub(super) fn handle_stored(&mut self, generation: u64, now: Now) {
        for pending in self.take_pending(generation) {
            match pending {
                Pending::Answer {
                    command,
                    reply,
                    event,
                    undo: _,
                } => {
                    self.look_for_inviter(&reply, now);
                    let reply = self.still_true(reply);
                    self.push(Output::Reply { id: command, reply });
                    self.out.extend(event.map(Output::Event));
                }
                Pending::Keep {
                    command,
                    call,
                    visit,
                    contact,
                    undo,
                } => {
                    let reply = if self.tell_kept(visit, contact, now) {
                        Reply::Call(call)
                    } else {
                        self.undo(undo, now);
                        self.forget_wish(visit);
                        self.store();
                        Reply::Refused(Refusal::CannotKeep)
                    };
                    self.push(Output::Reply { id: command, reply });
                }
                Pending::Acknowledge {
                    link,
                    contact,
                    invite,
                    again: _,
                    undo: _,
                } => {
                    self.acknowledge_redeemer(link, contact, invite, now);
                }
            }
        }
    }

    /// What was to be answered, unless the contact has been refused or forgotten meanwhile.
    fn still_true(&self, reply: Reply) -> Reply {
        match &reply {
            Reply::Contact(id) if self.state.contact(*id).is_none() => Reply::Refused(Refusal::NotFound),
            Reply::Contact(_)
            | Reply::Done
            | Reply::Invite(_)
            | Reply::CallStarted(_)
            | Reply::Call(_)
            | Reply::Pong { .. }
            | Reply::Paste(_)
            | Reply::Refused(_) => reply,
        }
    }

    /// A redemption that is on the disk may begin.
    fn look_for_inviter(&mut self, reply: &Reply, now: Now) {
        let Reply::Contact(id) = reply else { return };
        let redeems = self
            .state
            .contact(*id)
            .is_some_and(|contact| contact.redeeming.is_some());
        if redeems {
            self.search_for(*id, now);
        }
    }

    /// Nothing is taken back while a later state is on its way to the disk: it contains the change, so the change shares
    /// its fate. When the last one has failed, all of them go, the newest first.
    pub(super) fn handle_store_failed(&mut self, generation: u64, now: Now) {
        self.unstored = true;
        if generation < self.generation {
            return;
        }
        for pending in self.take_pending(generation).into_iter().rev() {
            match pending {
                Pending::Answer {
                    command,
                    reply: _,
                    event: _,
                    undo,
                } => {
                    self.undo(undo, now);
                    self.push(Output::Reply {
                        id: command,
                        reply: Reply::Refused(Refusal::StoreFailed),
                    });
                }
                Pending::Keep {
                    command,
                    call: _,
                    visit,
                    contact: _,
                    undo,
                } => {
                    self.undo(undo, now);
                    self.forget_wish(visit);
                    self.push(Output::Reply {
                        id: command,
                        reply: Reply::Refused(Refusal::StoreFailed),
                    });
                }
                Pending::Acknowledge {
                    link,
                    contact: _,
                    invite,
                    again,
                    undo,
                } => {
                    let mut invites = self.state.invites.iter_mut().filter(|_| !again);
                    if let Some(invite) = invites.find(|known| known.id == invite) {
                        invite.redeemer = None;
                    }
                    self.undo(undo, now);
                    self.close(link, close_code::TOO_MUCH, now);
                }
            }
        }
    }

    fn undo(&mut self, undo: Undo, now: Now) {
        match undo {
            Undo::RemoveContact(id) => {
                self.remove_contact(id, now);
                self.event(Event::ContactRemoved(id, None));
            }
            Undo::RestoreContact(contact) => {
                let (id, root) = (contact.id, contact.root);
                self.state.contacts.retain(|known| known.id != id && known.root != root);
                self.state.contacts.push(*contact);
                self.meet_all();
                self.keep_links(id, now);
                self.event(Event::Contact(id));
            }
            Undo::RestoreRedemption(id, redemption) => {
                if let Some(contact) = self.state.contact_mut(id) {
                    contact.redeeming = redemption.map(|redemption| *redemption);
                }
                self.event(Event::Contact(id));
            }
            Undo::RestoreEdit {
                contact: id,
                name,
                contested,
            } => {
                if let Some(contact) = self.state.contact_mut(id) {
                    contact.name = name;
                    contact.contested = contested;
                }
                self.event(Event::Contact(id));
            }
            Undo::RemoveInvite(id) => self.state.invites.retain(|invite| invite.id != id),
            Undo::RestoreInvite(invite) => self.state.invites.push(*invite),
            Undo::RestoreMe { name, will_ring } => {
                self.state.identity.name = name;
                if self.state.will_ring != will_ring {
                    self.state.will_ring = will_ring;
                    self.ask_all(now);
                }
            }
            Undo::RestoreBlock(id, blocked) => {
                if let Some(contact) = self.state.contact_mut(id) {
                    contact.blocked = blocked;
                }
                self.apply_block(id, now);
                self.event(Event::Contact(id));
            }
            Undo::RestoreRelays {
                contact: id,
                relay,
                relay_only,
            } => {
                if let Some(contact) = self.state.contact_mut(id) {
                    let made = (contact.relay, contact.relay_only);
                    contact.relay = relay;
                    contact.relay_only = relay_only;
                    self.apply_relays(id, made, now);
                }
                self.event(Event::Contact(id));
            }
            Undo::RestoreMarks {
                contact: id,
                verified,
                alarm,
            } => {
                if let Some(contact) = self.state.contact_mut(id) {
                    contact.verified = verified;
                    contact.alarm = alarm;
                }
                self.event(Event::Contact(id));
            }
            Undo::RestoreIntroducer(id, introduces) => {
                if let Some(contact) = self.state.contact_mut(id) {
                    contact.introduces = introduces;
                }
                self.event(Event::Contact(id));
            }
            Undo::RestoreOneClick(id, one_click) => {
                if let Some(contact) = self.state.contact_mut(id) {
                    contact.one_click = one_click;
                }
                self.event(Event::Contact(id));
            }
            Undo::RestoreSecondCall(waits) => self.state.second_call_waits = waits,
        }
        self.keyring_stale = true;
    }
}
