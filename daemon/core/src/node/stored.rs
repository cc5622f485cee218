//! What waits for the disk: answers and acknowledgements that would be lies if the change were lost.

use super::Node;
use crate::bounds::close_code;
use crate::command::{Refusal, Reply};
use crate::event::Event;
use crate::ids::{CommandId, ContactId, InviteId, LinkId};
use crate::io::Output;
use crate::state::{Contact, Invite};
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
    /// Tells a redeemer that both sides hold each other.
    Acknowledge {
        /// Over which link.
        link: LinkId,
        /// The new contact.
        contact: ContactId,
        /// The invite it redeemed.
        invite: InviteId,
        /// How to take the change back.
        undo: Undo,
    },
}

/// How a change is taken back.
#[derive(Debug)]
pub(super) enum Undo {
    RemoveContact(ContactId),
    RestoreContact(Box<Contact>),
    RemoveInvite(InviteId),
    RestoreInvite(Box<Invite>),
    RestoreMe { name: String, will_ring: bool },
    RestoreSecondCall(bool),
}

impl Node {
    /// Writes the state; nobody waits for it.
    pub(super) fn store(&mut self) {
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
                    self.push(Output::Reply { id: command, reply });
                    self.out.extend(event.map(Output::Event));
                }
                Pending::Acknowledge {
                    link,
                    contact,
                    invite,
                    undo: _,
                } => {
                    self.acknowledge_redeemer(link, contact, invite, now);
                }
            }
        }
    }

    pub(super) fn handle_store_failed(&mut self, generation: u64, now: Now) {
        for pending in self.take_pending(generation) {
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
                Pending::Acknowledge {
                    link,
                    contact: _,
                    invite,
                    undo,
                } => {
                    if let Some(invite) = self.state.invites.iter_mut().find(|known| known.id == invite) {
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
                let id = contact.id;
                self.state.contacts.retain(|known| known.id != id);
                let is_blocked = contact.blocked;
                self.state.contacts.push(*contact);
                self.meet_all();
                if is_blocked {
                    self.silence(id, now);
                }
                self.event(Event::Contact(id));
            }
            Undo::RemoveInvite(id) => self.state.invites.retain(|invite| invite.id != id),
            Undo::RestoreInvite(invite) => self.state.invites.push(*invite),
            Undo::RestoreMe { name, will_ring } => {
                self.state.identity.name = name;
                self.state.will_ring = will_ring;
            }
            Undo::RestoreSecondCall(waits) => self.state.second_call_waits = waits,
        }
        self.keyring_stale = true;
    }
}
