//! Calls: the pure machine of both roles, for all calls of this device.
//!
//! Messages, commands and time go in; [`Deed`]s come out. Invariants: at most one call is ringing or active with a
//! contact; [`Deed::OpenGate`] is pushed in one function only and only for a call that both people accepted; every call
//! that ends pushes [`Deed::EndMedia`] exactly once.

pub mod end_reason;
mod glare;
pub mod incoming;
mod manners;
mod one;
pub mod outgoing;
mod picture;
#[cfg(test)]
mod tests;
mod time;

use std::collections::BTreeMap;
use std::time::Duration;

pub use end_reason::{EndReason, FailCode};
pub use one::{Call, Phase};

use crate::bounds;
use crate::call::end_reason::WireReason;
use crate::event::{CallView, WhyNot};
use crate::ids::{CallId, ContactId, LegId, LinkId};
use crate::io::LegFact;
use crate::media::flow::Role;
use crate::media::formats::Formats;
use crate::message::{End, Message, OfCall};

/// What the calls want done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A message to a contact's device; kept until it can be sent.
    Tell(ContactId, Message),
    /// Media of a call will use this link and base.
    Route {
        /// The call.
        call: CallId,
        /// The link.
        link: LinkId,
        /// The base of its flow ids.
        base: u64,
        /// Our side.
        role: Role,
    },
    /// A picture that goes out must be in one of these formats.
    FarTakes(CallId, Formats),
    /// Media may pass.
    OpenGate(CallId),
    /// Media stops and all legs close.
    EndMedia(CallId),
    /// Clients should look at a call again.
    Changed(CallId),
}

/// What the calls may know of a contact's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFacts {
    /// The ready link, if there is one.
    pub link: Option<LinkId>,
    /// When it was last proven.
    pub last_proof: Option<Duration>,
    /// Why there is none.
    pub why_not: WhyNot,
}

/// All calls of this device.
#[derive(Debug, Default)]
pub struct Calls {
    all: BTreeMap<CallId, Call>,
    manners: manners::Rings,
    deeds: Vec<Deed>,
}

impl Calls {
    /// Takes what has to be done, in order.
    pub fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    /// A call by id.
    #[must_use]
    pub fn get(&self, id: CallId) -> Option<&Call> {
        self.all.get(&id)
    }

    /// All listed calls.
    pub fn views(&self) -> impl Iterator<Item = CallView> + '_ {
        self.all.values().map(Call::view)
    }

    /// Whether a call is under way, in either direction and with whomever.
    #[must_use]
    pub fn any_open(&self) -> bool {
        self.open().next().is_some()
    }

    /// Calls that are not over.
    fn open(&self) -> impl Iterator<Item = &Call> {
        self.all.values().filter(|call| !call.is_over())
    }

    /// The call under way with a contact.
    #[must_use]
    pub fn current_with(&self, contact: ContactId) -> Option<&Call> {
        self.all
            .values()
            .find(|call| call.contact == contact && !call.is_over())
    }

    /// Whether a call with this contact rings or runs, so that its path must be watched closely.
    #[must_use]
    pub fn is_busy_with(&self, contact: ContactId) -> bool {
        self.current_with(contact).is_some()
    }

    /// Takes one message about a call from a contact's device.
    pub fn handle_message(&mut self, from: ContactId, message: &Message, now: Duration) {
        match message {
            Message::Renew(of) => self.renewed(from, of.call, now),
            Message::Ringing(of) => self.rings_there(from, of.call, now),
            Message::Accept(of) => self.accepted_there(from, of.call, now),
            Message::End(end) => self.ended_there(from, end, now),
            Message::Sends(sends) => self.sends_there(from, sends),
            Message::Takes(takes) => self.takes_there(from, takes),
            // RING needs facts about the contact: see `Self::ring`.
            Message::Ring(_)
            | Message::Hello(_)
            | Message::Ack
            | Message::Redeemed
            | Message::Refused(_)
            | Message::Held(_)
            | Message::Addresses(_)
            | Message::Finding(_)
            | Message::Watch(_)
            | Message::Pass(_)
            | Message::Show(_)
            | Message::Keep(_)
            | Message::SafetyAsk
            | Message::SafetyCommit(_)
            | Message::SafetyAnswer(_)
            | Message::SafetyReveal(_)
            | Message::SafetyLater
            | Message::RelayOffer(_)
            | Message::RelayAsk(_)
            | Message::RelayGrant(_)
            | Message::RelayEnd(_)
            | Message::Unsupported(_)
            | Message::Unknown(_) => {}
        }
    }

    /// The path to a contact stands. `goes_on` where the peer still remembers the session, and so its calls.
    pub fn path_up(&mut self, contact: ContactId, link: LinkId, goes_on: bool, now: Duration) {
        let Some(id) = self.current_with(contact).map(|call| call.id) else {
            return;
        };
        if !goes_on {
            self.forgotten_there(id, now);
        }
        let Some(call) = self.all.get_mut(&id).filter(|call| !call.is_over()) else {
            return;
        };
        if let Phase::Dialing { rung: false } = call.phase {
            call.phase = Phase::Dialing { rung: true };
            let ring = call.ring();
            self.deeds.push(Deed::Tell(contact, Message::Ring(ring)));
        }
        self.route(id, link);
    }

    /// A leg of a call came or went.
    pub fn handle_leg(&mut self, call: CallId, leg: LegId, fact: LegFact, now: Duration) {
        let Some(noted) = self.all.get_mut(&call) else { return };
        noted.note_leg(leg, fact, now);
        self.picture_changed(call);
    }

    /// A contact is gone for good: so are its calls.
    pub fn forget_contact(&mut self, contact: ContactId, now: Duration) {
        if let Some(id) = self.current_with(contact).map(|call| call.id) {
            self.end(id, EndReason::HungUp, Some(WireReason::HungUp), now);
        }
    }

    /// The user found the safety words of a contact different: whoever is at the other end is not trusted any more.
    pub fn distrust(&mut self, contact: ContactId, now: Duration) {
        if let Some(id) = self.current_with(contact).map(|call| call.id) {
            let reason = EndReason::Failed(FailCode::WordsDiffer);
            self.end(id, reason, Some(WireReason::Failed), now);
        }
    }

    /// A contact's daemon said that it exits: what it knew of a call is gone.
    pub fn went_away(&mut self, contact: ContactId, now: Duration) {
        let Some((id, phase, incoming)) = self
            .current_with(contact)
            .map(|call| (call.id, call.phase, call.incoming))
        else {
            return;
        };
        let reason = match phase {
            Phase::Active { .. } => EndReason::Failed(FailCode::PeerStopped),
            Phase::Dialing { .. } | Phase::Ringing { .. } if incoming => EndReason::Cancelled,
            Phase::Dialing { .. } | Phase::Ringing { .. } => EndReason::Unreachable(WhyNot::WentAway),
            Phase::Ended { .. } => return,
        };
        self.end(id, reason, None, now);
    }

    /// Nothing comes of the call with whom this is, or no longer: it ends here, and the far side cannot be told.
    pub fn give_up(&mut self, contact: ContactId, reason: EndReason, now: Duration) {
        if let Some(id) = self.current_with(contact).map(|call| call.id) {
            self.end(id, reason, None, now);
        }
    }

    /// The only connection to whom this is has broken, and no other will be made.
    pub fn cut_off(&mut self, contact: ContactId, now: Duration) {
        let reason = match self.current_with(contact).map(|call| (call.phase, call.incoming)) {
            Some((Phase::Active { alive }, _)) => EndReason::Lost {
                after_s: now.saturating_sub(alive).as_secs(),
            },
            Some((Phase::Dialing { .. } | Phase::Ringing { .. }, true)) => EndReason::Missed,
            Some((Phase::Dialing { .. } | Phase::Ringing { .. }, false)) => EndReason::Unreachable(WhyNot::Silent),
            Some((Phase::Ended { .. }, _)) | None => return,
        };
        self.give_up(contact, reason, now);
    }

    /// The daemon exits: all calls end.
    pub fn shut_down(&mut self, now: Duration) {
        let open: Vec<CallId> = self.open().map(|call| call.id).collect();
        for id in open {
            self.end(
                id,
                EndReason::Failed(FailCode::ShuttingDown),
                Some(WireReason::Stopped),
                now,
            );
        }
    }

    /// The user has seen that a call was missed. False where there is none such.
    pub fn see_missed(&mut self, id: CallId) -> bool {
        let Some(call) = self.all.get_mut(&id).filter(|call| call.is_missed()) else {
            return false;
        };
        if let Phase::Ended { seen, .. } = &mut call.phase {
            *seen = true;
        }
        self.deeds.push(Deed::Changed(id));
        true
    }

    fn route(&mut self, id: CallId, link: LinkId) {
        let Some(call) = self.all.get_mut(&id).filter(|call| call.routed != Some(link)) else {
            return;
        };
        call.routed = Some(link);
        self.deeds.push(Deed::Route {
            call: id,
            link,
            base: call.base,
            role: call.role(),
        });
    }

    /// The one place where media is let through.
    fn activate(&mut self, id: CallId, now: Duration) {
        let Some(call) = self.all.get_mut(&id) else { return };
        call.phase = Phase::Active { alive: now };
        let (contact, differs) = (call.contact, call.sends_told() != call.media);
        self.manners.answered(contact);
        // A page that was closed while it rang has its time to come back from here on.
        call.leg_lost = call.leg_lost.map(|_| now);
        self.deeds.extend([Deed::OpenGate(id), Deed::Changed(id)]);
        if differs {
            self.tell_sends(id);
        }
        self.picture_changed(id);
    }

    fn end(&mut self, id: CallId, reason: EndReason, tell: Option<WireReason>, now: Duration) {
        let Some(call) = self.all.get_mut(&id).filter(|call| !call.is_over()) else {
            return;
        };
        // Whoever was in the call has not missed it, however it ended.
        let seen = matches!(call.phase, Phase::Active { .. });
        call.phase = Phase::Ended { at: now, reason, seen };
        let contact = call.contact;
        if let Some(reason) = tell {
            self.deeds
                .push(Deed::Tell(contact, Message::End(End { call: id, reason })));
        }
        self.deeds.extend([Deed::EndMedia(id), Deed::Changed(id)]);
        self.bound_missed();
    }

    /// A call that never rang, listed as missed.
    fn list_missed(&mut self, call: Call) {
        let id = call.id;
        self.all.insert(id, call);
        self.deeds.push(Deed::Changed(id));
        self.bound_missed();
    }

    fn bound_missed(&mut self) {
        let missed = self.all.values().filter(|call| call.is_missed());
        if missed.clone().count() > bounds::MISSED
            && let Some(oldest) = missed.min_by_key(|call| call.born).map(|call| call.id)
        {
            self.see_missed(oldest);
        }
    }

    fn tell(&mut self, contact: ContactId, message: Message) {
        self.deeds.push(Deed::Tell(contact, message));
    }

    fn tell_end(&mut self, contact: ContactId, call: CallId, reason: WireReason) {
        self.tell(contact, Message::End(End { call, reason }));
    }

    fn ended_there(&mut self, from: ContactId, end: &End, now: Duration) {
        let Some(call) = self.all.get(&end.call).filter(|call| call.contact == from) else {
            return;
        };
        let reason = match call.phase {
            Phase::Dialing { .. } | Phase::Ringing { .. } if call.incoming => incoming::ended_by_caller(end.reason),
            Phase::Dialing { .. } | Phase::Ringing { .. } => outgoing::ended_by_callee(end.reason),
            Phase::Active { alive } => ended_while_active(end.reason, now.saturating_sub(alive)),
            Phase::Ended { .. } => return,
        };
        self.end(end.call, reason, None, now);
    }

    /// The far daemon restarted: what it knew of the call is gone.
    fn forgotten_there(&mut self, id: CallId, now: Duration) {
        let Some(call) = self.all.get_mut(&id) else { return };
        match call.phase {
            Phase::Dialing { .. } => call.phase = Phase::Dialing { rung: false },
            Phase::Ringing { .. } if call.incoming => self.end(id, EndReason::Missed, None, now),
            Phase::Ringing { .. } => self.end(id, EndReason::Unreachable(WhyNot::Silent), None, now),
            Phase::Active { .. } => self.end(id, EndReason::Failed(FailCode::PeerRestarted), None, now),
            Phase::Ended { .. } => {}
        }
    }
}

const fn ended_while_active(reason: WireReason, silent_for: Duration) -> EndReason {
    match reason {
        WireReason::Lost => EndReason::Lost {
            after_s: silent_for.as_secs(),
        },
        WireReason::Cancelled => EndReason::Cancelled,
        WireReason::GlareMerged => EndReason::GlareMerged,
        WireReason::Stopped => EndReason::Failed(FailCode::PeerStopped),
        WireReason::Failed
        | WireReason::HungUp
        | WireReason::Declined
        | WireReason::Busy
        | WireReason::Missed
        | WireReason::WillNotRing
        | WireReason::NotAccepted => EndReason::HungUp,
    }
}

const fn of(call: CallId) -> OfCall {
    OfCall { call }
}
