//! One call, as one side sees it.
//!
//! Outgoing: dialing → ringing (only after the callee's device said RINGING) → active → ended. Incoming: ringing →
//! active → ended. Whether the path stands, whether it rings and whether somebody accepted are independent facts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bounds;
use crate::call::EndReason;
use crate::call::picture::Picture;
use crate::command::Media;
use crate::event::{CallState, CallView};
use crate::ids::{CallId, ContactId, LegId, LinkId};
use crate::io::LegFact;
use crate::media::flow::Role;
use crate::media::formats::Formats;

/// One side's call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Named by the caller.
    pub id: CallId,
    /// Whether it came in.
    pub incoming: bool,
    /// With whom.
    pub contact: ContactId,
    /// The petname when it began.
    pub name: String,
    /// What it carries.
    pub media: Media,
    /// What our page sends at the moment, as it said.
    pub sends: Media,
    /// What the far side sends at the moment, as it said.
    pub peer_sends: Media,
    /// The base of its flow ids.
    pub base: u64,
    /// Where it stands.
    pub phase: Phase,
    /// The link that media was last routed to.
    pub routed: Option<LinkId>,
    /// Its warm media legs, each with what it can show, where it receives.
    pub legs: BTreeMap<LegId, Option<Formats>>,
    /// What both sides can show, and whether ours goes out.
    pub picture: Picture,
    /// Since when there is none, where the last one was lost and not closed by its owner.
    pub leg_lost: Option<Duration>,
    /// When it began.
    pub born: Duration,
    /// Whether the path is silent for longer than a moment; meaningful while active.
    pub reconnecting: bool,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Outgoing, not ringing yet. `rung` once RING was sent over the link of this session.
    Dialing {
        /// Whether RING was sent.
        rung: bool,
    },
    /// Ringing since a moment; outgoing: the next renewal; incoming: the end of the lease.
    Ringing {
        /// When it began to ring.
        since: Duration,
        /// The next renewal or the end of the lease.
        lease: Duration,
    },
    /// Both people accepted.
    Active {
        /// When the path, or the acceptance, was last known to be good.
        alive: Duration,
    },
    /// Over.
    Ended {
        /// When.
        at: Duration,
        /// Why.
        reason: EndReason,
        /// Whether the user has seen that it was missed.
        seen: bool,
    },
}

impl Call {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// Our side of it.
    #[must_use]
    pub const fn role(&self) -> Role {
        if self.incoming { Role::Callee } else { Role::Caller }
    }

    /// How clients see it.
    #[must_use]
    pub fn view(&self) -> CallView {
        let (state, reason) = match self.phase {
            Phase::Dialing { .. } => (CallState::Dialing, None),
            Phase::Ringing { .. } => (CallState::Ringing, None),
            Phase::Active { .. } => (CallState::Active, None),
            Phase::Ended { reason, .. } => (CallState::Ended, Some(reason)),
        };
        CallView {
            id: self.id,
            incoming: self.incoming,
            state,
            contact: Some(self.contact),
            stranger: None,
            peer_name: self.name.clone(),
            media: self.media,
            own_media: self.sends,
            peer_media: self.peer_sends,
            peer_takes: self.picture.far,
            held: self.picture.held.map(|(_, why)| why),
            reconnecting: self.reconnecting && state == CallState::Active,
            missed: self.is_missed(),
            reason,
        }
    }

    /// Whether an ended call is no longer listed.
    #[must_use]
    pub fn is_forgotten(&self, now: Duration) -> bool {
        match self.phase {
            Phase::Ended { at, .. } => !self.is_missed() && now >= at + bounds::ENDED_LISTED,
            Phase::Dialing { .. } | Phase::Ringing { .. } | Phase::Active { .. } => false,
        }
    }

    /// When time alone changes something about it.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        let own = match self.phase {
            Phase::Dialing { .. } => self.born + bounds::DIAL,
            Phase::Ringing { since, lease } => lease.min(since + bounds::RING),
            Phase::Active { alive } => {
                alive
                    + if self.reconnecting {
                        bounds::LOST
                    } else {
                        bounds::RECONNECTING
                    }
            }
            Phase::Ended { .. } if self.is_missed() => return None,
            Phase::Ended { at, .. } => at + bounds::ENDED_LISTED,
        };
        Some(self.legs_deadline().map_or(own, |legs| legs.min(own)))
    }

    /// When a lost leg ends the call. An incoming call that still rings can be answered without one.
    #[must_use]
    pub fn legs_deadline(&self) -> Option<Duration> {
        let needs_one = match self.phase {
            Phase::Dialing { .. } | Phase::Ringing { .. } => !self.incoming,
            Phase::Active { .. } => true,
            Phase::Ended { .. } => false,
        };
        self.leg_lost.filter(|_| needs_one).map(|at| at + bounds::LEG_RETURN)
    }

    /// Takes note of what became of a leg.
    pub fn note_leg(&mut self, leg: LegId, fact: LegFact, now: Duration) {
        match fact {
            LegFact::Warm(takes) => {
                self.legs.insert(leg, takes);
                self.leg_lost = None;
            }
            LegFact::Lost => {
                let was_last = self.legs.remove(&leg).is_some() && self.legs.is_empty();
                self.leg_lost = was_last.then_some(now).or(self.leg_lost);
            }
            LegFact::Closed => {
                self.legs.remove(&leg);
            }
            LegFact::Held(held) => self.picture.hold(leg, held),
        }
        self.picture.held = self.picture.held.filter(|(leg, _)| self.legs.contains_key(leg));
    }

    /// Whether it came in and went by unanswered, and the user has not seen that.
    #[must_use]
    pub const fn is_missed(&self) -> bool {
        matches!(
            self.phase,
            Phase::Ended { reason: EndReason::Missed | EndReason::Cancelled, seen: false, .. } if self.incoming
        )
    }
}
