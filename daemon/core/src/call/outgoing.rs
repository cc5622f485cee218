//! The caller's side of a call that is not active yet.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bounds;
use crate::call::end_reason::WireReason;
use crate::call::picture::Picture;
use crate::call::{Call, Calls, Deed, EndReason, Phase};
use crate::command::Media;
use crate::event::WhyNot;
use crate::ids::{CallId, ContactId, LinkId};
use crate::message::{Message, Ring};

/// What placing a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// A new call.
    Started(CallId),
    /// The contact's own call was ringing here; it is answered now.
    Answered(CallId),
    /// There is one with this contact already.
    Already(CallId),
    /// There is one with somebody else.
    Occupied,
}

/// What a new outgoing call needs.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// Drawn at random.
    pub id: CallId,
    /// Whom.
    pub contact: ContactId,
    /// The petname.
    pub name: String,
    /// What to send.
    pub media: Media,
    /// The base of its flow ids.
    pub base: u64,
}

impl Call {
    pub(super) const fn ring(&self) -> Ring {
        Ring {
            call: self.id,
            audio: self.media.audio,
            video: self.media.video,
            base: self.base,
            alone: true,
        }
    }
}

impl Calls {
    /// Places a call. `link` is the ready link to the contact, if there is one.
    pub fn start(&mut self, new: NewCall, link: Option<LinkId>, now: Duration) -> Placed {
        if let Some(call) = self.current_with(new.contact) {
            let (id, rings_here) = (call.id, call.incoming && matches!(call.phase, Phase::Ringing { .. }));
            if rings_here {
                self.accept(id, now);
                return Placed::Answered(id);
            }
            return Placed::Already(id);
        }
        if self.all.values().any(|call| !call.is_over()) {
            return Placed::Occupied;
        }
        let (id, contact) = (new.id, new.contact);
        self.all.insert(id, new.into_call(now));
        self.deeds.push(Deed::Changed(id));
        if let Some(link) = link {
            self.path_up(contact, link, true, now);
        }
        Placed::Started(id)
    }

    pub(super) fn rings_there(&mut self, from: ContactId, id: CallId, now: Duration) {
        let Some(call) = self
            .all
            .get_mut(&id)
            .filter(|call| call.contact == from && !call.incoming)
        else {
            return;
        };
        if let Phase::Dialing { .. } = call.phase {
            call.phase = Phase::Ringing {
                since: now,
                lease: now + bounds::RING_RENEWAL,
            };
            self.deeds.push(Deed::Changed(id));
        }
    }

    pub(super) fn accepted_there(&mut self, from: ContactId, id: CallId, now: Duration) {
        let Some(call) = self.all.get(&id).filter(|call| call.contact == from && !call.incoming) else {
            self.tell_end(from, id, WireReason::HungUp);
            return;
        };
        match call.phase {
            Phase::Dialing { .. } | Phase::Ringing { .. } => self.activate(id, now),
            Phase::Active { .. } => {}
            Phase::Ended { .. } => self.tell_end(from, id, WireReason::Cancelled),
        }
    }

    /// Gives a call up before it was accepted.
    pub(super) fn cancel(&mut self, id: CallId, now: Duration) {
        let unheard = self
            .all
            .get(&id)
            .is_some_and(|call| matches!(call.phase, Phase::Dialing { rung: false }));
        let tell = (!unheard).then_some(WireReason::Cancelled);
        self.end(id, EndReason::Cancelled, tell, now);
    }

    pub(super) fn renew(&mut self, id: CallId, contact: ContactId, now: Duration) {
        if let Some(Phase::Ringing { lease, .. }) = self.all.get_mut(&id).map(|call| &mut call.phase) {
            *lease = now + bounds::RING_RENEWAL;
            self.tell(contact, Message::Renew(super::of(id)));
        }
    }
}

impl NewCall {
    fn into_call(self, now: Duration) -> Call {
        Call {
            id: self.id,
            incoming: false,
            contact: self.contact,
            name: self.name,
            media: self.media,
            sends: self.media,
            peer_sends: self.media,
            base: self.base,
            phase: Phase::Dialing { rung: false },
            routed: None,
            legs: BTreeMap::new(),
            picture: Picture::default(),
            leg_lost: None,
            born: now,
            reconnecting: false,
        }
    }
}

/// The caller's reason for a call that the callee ended before it was active.
pub(super) const fn ended_by_callee(reason: WireReason) -> EndReason {
    match reason {
        WireReason::Busy => EndReason::Busy,
        WireReason::Missed | WireReason::Lost => EndReason::Missed,
        WireReason::GlareMerged => EndReason::GlareMerged,
        WireReason::WillNotRing => EndReason::Unreachable(WhyNot::WillNotRing),
        WireReason::Stopped => EndReason::Unreachable(WhyNot::WentAway),
        WireReason::NotAccepted => EndReason::Unreachable(WhyNot::Contested),
        WireReason::Declined | WireReason::HungUp | WireReason::Cancelled | WireReason::Failed => EndReason::Declined,
    }
}
