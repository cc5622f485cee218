//! Both called each other at once: exactly one call, both connected, nobody sees "missed".
//!
//! The call of the lower root goes on. Its owner ignores the other's RING; the other drops his own call and accepts,
//! because pressing call was his consent.

use std::time::Duration;

use crate::call::end_reason::WireReason;
use crate::call::incoming::Ringer;
use crate::call::{Calls, EndReason, Phase};
use crate::ids::CallId;
use crate::message::{Message, Ring};

impl Calls {
    /// A RING came from the contact that `own` is placed to.
    pub(super) fn glare(&mut self, ringer: &Ringer, ring: &Ring, own: CallId, now: Duration) {
        if ringer.own_is_lower {
            return;
        }
        self.end(own, EndReason::GlareMerged, Some(WireReason::GlareMerged), now);
        let phase = Phase::Ringing { since: now, lease: now };
        let id = self.insert_incoming(ringer, ring, phase, now);
        self.tell(ringer.contact, Message::Accept(super::of(id)));
        self.route(id, ringer.link);
        self.activate(id, now);
    }
}
