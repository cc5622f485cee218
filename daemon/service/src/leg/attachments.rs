//! The legs of one call: which replaces which, and which one speaks.
//!
//! At most one leg per direction. Legs of different directions coexist, and where two of them can send, a send-only
//! one (a camera that somebody attached on purpose) speaks before one that merely could; among equals the newest.

use std::sync::Arc;

use twocan_core::ids::LegId;

use super::gate::{Direction, Leg};

/// An immutable set: the gate swaps it whole, so that packets cross it without holding a lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachments {
    legs: Vec<Arc<dyn Leg>>,
}

impl Attachments {
    /// The set with `leg` in it, and the leg that it replaces.
    pub(super) fn with(&self, leg: Arc<dyn Leg>) -> (Self, Option<Arc<dyn Leg>>) {
        let same = |other: &Arc<dyn Leg>| other.direction() == leg.direction();
        let replaced = self.legs.iter().find(|other| same(other)).cloned();
        let mut legs: Vec<_> = self.legs.iter().filter(|other| !same(other)).cloned().collect();
        legs.push(leg);
        (Self { legs }, replaced)
    }

    /// The set without that leg, and the leg if it was there.
    pub(super) fn without(&self, id: LegId) -> (Self, Option<Arc<dyn Leg>>) {
        let (gone, legs) = self.legs.iter().cloned().partition::<Vec<_>, _>(|leg| leg.id() == id);
        (Self { legs }, gone.into_iter().next())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<dyn Leg>> {
        self.legs.iter()
    }

    /// Those that take media from the far side.
    pub(super) fn receivers(&self) -> impl Iterator<Item = &Arc<dyn Leg>> {
        self.legs.iter().filter(|leg| leg.direction().receives())
    }

    /// The one whose audio and video reach the far side.
    pub(super) fn speaker(&self) -> Option<&Arc<dyn Leg>> {
        let rank = |leg: &&Arc<dyn Leg>| (leg.direction() == Direction::Send, leg.id());
        self.legs.iter().filter(|leg| leg.direction().sends()).max_by_key(rank)
    }
}
