//! The callee's side of a call that is not active yet.
//!
//! A ring is a lease: the caller renews it, and it ends by itself where the caller vanished.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bounds;
use crate::call::end_reason::WireReason;
use crate::call::picture::Picture;
use crate::call::{Call, Calls, Deed, EndReason, Phase};
use crate::command::Media;
use crate::ids::{CallId, ContactId, LinkId};
use crate::message::{Message, Ring};

/// What the machine must know about the contact that rings.
#[derive(Clone, Debug)]
pub struct Ringer {
    /// The contact.
    pub contact: ContactId,
    /// Its petname.
    pub name: String,
    /// Whether it may ring at all.
    pub may_ring: bool,
    /// Whether this device rings at the moment.
    pub will_ring: bool,
    /// Whether it rings during another call as well; else it hears that we are busy.
    pub waits: bool,
    /// Whether our root is the lower one, so that our call survives a glare.
    pub own_is_lower: bool,
    /// The link that RING came over.
    pub link: LinkId,
}

impl Calls {
    /// Takes a RING.
    pub fn ring(&mut self, ringer: &Ringer, ring: &Ring, now: Duration) {
        if self.all.contains_key(&ring.call) {
            return;
        }
        if !ringer.may_ring {
            return self.tell_end(ringer.contact, ring.call, WireReason::NotAccepted);
        }
        match self
            .current_with(ringer.contact)
            .map(|call| (call.id, call.incoming, call.phase))
        {
            Some((own, false, Phase::Dialing { .. } | Phase::Ringing { .. })) => self.glare(ringer, ring, own, now),
            Some((old, true, Phase::Ringing { .. })) => {
                self.end(old, EndReason::Cancelled, None, now);
                if ringer.will_ring {
                    self.begin_ringing(ringer, ring, now);
                } else {
                    self.refuse_as_missed(ringer, ring, WireReason::WillNotRing, now);
                }
            }
            Some(_) => self.tell_end(ringer.contact, ring.call, WireReason::Busy),
            None if !ringer.will_ring => self.refuse_as_missed(ringer, ring, WireReason::WillNotRing, now),
            None if !self.has_room(ringer.waits) => {
                self.refuse_as_missed(ringer, ring, WireReason::Busy, now);
            }
            None => self.begin_ringing(ringer, ring, now),
        }
    }

    /// Whether another call may ring: there is none, or the only one is active and a second one may wait.
    fn has_room(&self, waits: bool) -> bool {
        let open: Vec<Phase> = self.open().map(|call| call.phase).collect();
        match open.as_slice() {
            [] => true,
            [Phase::Active { .. }] => waits,
            _ => false,
        }
    }

    /// The user accepts; whatever other call there is ends. False where the call does not ring here.
    pub fn accept(&mut self, id: CallId, now: Duration) -> bool {
        let Some(call) = self.all.get(&id).filter(|call| call.incoming) else {
            return false;
        };
        let Phase::Ringing { .. } = call.phase else {
            return false;
        };
        let contact = call.contact;
        let others: Vec<CallId> = self.open().map(|call| call.id).filter(|other| *other != id).collect();
        for other in others {
            self.hang_up(other, now);
        }
        self.tell(contact, Message::Accept(super::of(id)));
        self.activate(id, now);
        true
    }

    /// The user declines. False where the call does not ring here.
    pub fn decline(&mut self, id: CallId, now: Duration) -> bool {
        let rings = self
            .all
            .get(&id)
            .is_some_and(|call| call.incoming && matches!(call.phase, Phase::Ringing { .. }));
        if rings {
            self.end(id, EndReason::Declined, Some(WireReason::Declined), now);
        }
        rings
    }

    /// The user ends a call, whatever its state. False where it is over.
    pub fn hang_up(&mut self, id: CallId, now: Duration) -> bool {
        let Some(call) = self.all.get(&id) else { return false };
        match call.phase {
            Phase::Dialing { .. } => self.cancel(id, now),
            Phase::Ringing { .. } if call.incoming => return self.decline(id, now),
            Phase::Ringing { .. } => self.cancel(id, now),
            Phase::Active { .. } => self.end(id, EndReason::HungUp, Some(WireReason::HungUp), now),
            Phase::Ended { .. } => return false,
        }
        true
    }

    pub(super) fn renewed(&mut self, from: ContactId, id: CallId, now: Duration) {
        let Some(call) = self
            .all
            .get_mut(&id)
            .filter(|call| call.contact == from && call.incoming)
        else {
            return;
        };
        if let Phase::Ringing { lease, .. } = &mut call.phase {
            *lease = now + bounds::RING_LEASE;
        }
    }

    pub(super) fn insert_incoming(&mut self, ringer: &Ringer, ring: &Ring, phase: Phase, now: Duration) -> CallId {
        let media = Media {
            audio: ring.audio,
            video: ring.video,
        };
        let call = Call {
            id: ring.call,
            incoming: true,
            contact: ringer.contact,
            name: ringer.name.clone(),
            media,
            sends: media,
            peer_sends: media,
            base: ring.base,
            phase,
            routed: None,
            legs: BTreeMap::new(),
            picture: Picture::default(),
            leg_lost: None,
            born: now,
            reconnecting: false,
        };
        self.all.insert(ring.call, call);
        ring.call
    }

    fn begin_ringing(&mut self, ringer: &Ringer, ring: &Ring, now: Duration) {
        let phase = Phase::Ringing {
            since: now,
            lease: now + bounds::RING_LEASE,
        };
        let id = self.insert_incoming(ringer, ring, phase, now);
        self.manners.rang(ringer.contact, now);
        self.tell(ringer.contact, Message::Ringing(super::of(id)));
        self.route(id, ringer.link);
        self.deeds.push(Deed::Changed(id));
    }

    fn refuse_as_missed(&mut self, ringer: &Ringer, ring: &Ring, why: WireReason, now: Duration) {
        self.tell_end(ringer.contact, ring.call, why);
        let phase = Phase::Ended {
            at: now,
            reason: EndReason::Missed,
            seen: false,
        };
        let id = self.insert_incoming(ringer, ring, phase, now);
        if let Some(call) = self.all.remove(&id) {
            self.list_missed(call);
        }
    }
}

/// The callee's reason for a call that the caller ended while it rang.
pub(super) const fn ended_by_caller(reason: WireReason) -> EndReason {
    match reason {
        WireReason::Missed | WireReason::Lost => EndReason::Missed,
        WireReason::GlareMerged => EndReason::GlareMerged,
        WireReason::Cancelled
        | WireReason::HungUp
        | WireReason::Declined
        | WireReason::Busy
        | WireReason::WillNotRing
        | WireReason::NotAccepted
        | WireReason::Failed
        | WireReason::Stopped => EndReason::Cancelled,
    }
}
