//! What happens to packets: latency, jitter (and so reordering), loss, duplication, and who cannot hear whom.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::dice::Dice;
use super::nat::Routers;

/// No packet is under way for longer, unless it waits in the socket of a sleeping machine.
pub(crate) const SLOWEST: Duration = Duration::from_millis(800);

/// How the network is at the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) latency_ms: u64,
    pub(crate) jitter_ms: u64,
    pub(crate) loss: u64,
    pub(crate) duplicates: u64,
}

impl Conditions {
    pub(crate) const LAN: Self = Self {
        latency_ms: 1,
        jitter_ms: 2,
        loss: 0,
        duplicates: 0,
    };
    pub(crate) const HOME: Self = Self {
        latency_ms: 20,
        jitter_ms: 15,
        loss: 0,
        duplicates: 0,
    };
    pub(crate) const FAR: Self = Self {
        latency_ms: 140,
        jitter_ms: 60,
        loss: 1,
        duplicates: 1,
    };
    pub(crate) const BAD: Self = Self {
        latency_ms: 80,
        jitter_ms: 300,
        loss: 15,
        duplicates: 5,
    };
}

/// The network between all hosts.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) conditions: Conditions,
    /// Pairs of which the first is not heard by the second.
    blocked: BTreeSet<(usize, usize)>,
    /// A packet changes what routers remember, also one that is only looked for.
    pub(crate) routers: RefCell<Routers>,
}

impl Network {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Self {
            conditions,
            blocked: BTreeSet::new(),
            routers: RefCell::default(),
        }
    }

    pub(crate) fn hears(&self, from: usize, to: usize) -> bool {
        !self.blocked.contains(&(from, to))
    }

    pub(crate) fn block(&mut self, from: usize, to: usize) {
        self.blocked.insert((from, to));
    }

    pub(crate) fn unblock(&mut self, one: usize, other: usize) {
        self.blocked.remove(&(one, other));
        self.blocked.remove(&(other, one));
    }

    pub(crate) fn unblock_all(&mut self) {
        self.blocked.clear();
    }

    pub(crate) fn delay(&self, dice: &mut Dice) -> Duration {
        let micros = dice.below(1000 * self.conditions.jitter_ms.max(1));
        (Duration::from_millis(self.conditions.latency_ms) + Duration::from_micros(micros)).min(SLOWEST)
    }

    pub(crate) fn loses(&self, dice: &mut Dice) -> bool {
        dice.chance(self.conditions.loss)
    }

    /// After which delays the copies of one packet arrive.
    pub(crate) fn fates(&self, dice: &mut Dice) -> Vec<Duration> {
        let mut fates = Vec::new();
        if !self.loses(dice) {
            fates.push(self.delay(dice));
        }
        if dice.chance(self.conditions.duplicates) {
            fates.push(self.delay(dice));
        }
        fates
    }
}
