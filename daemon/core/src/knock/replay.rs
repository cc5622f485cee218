//! What is not answered twice, and not too often.
//!
//! A nonce is remembered while its tag lives, in bounded number; how many questions are answered in a second is counted by lock.

use std::collections::{BTreeMap, VecDeque};

use super::{HOUR, LockId};
use crate::bounds;
use crate::crypto::NONCE;
use crate::reach::via::Place;
use crate::time::Now;

/// How many questions under each lock were answered in this second: a valid question costs more to answer than to ask,
/// and may name somebody else as its source.
#[derive(Debug, Default)]
pub struct Answers {
    second: u64,
    used: BTreeMap<LockId, u32>,
}

impl Answers {
    /// Whether one more may be answered.
    pub fn take(&mut self, lock: LockId, now: Now) -> bool {
        if self.second != now.boot.as_secs() {
            self.second = now.boot.as_secs();
            self.used.clear();
        }
        let used = self.used.entry(lock).or_default();
        *used = used.saturating_add(1);
        *used <= bounds::ANSWERS_PER_S
    }
}

/// Remembers nonces while their tags live, and how often each may still be answered.
#[derive(Debug, Default)]
pub struct ReplayGuard {
    seen: BTreeMap<[u8; NONCE], Seen>,
    ages: VecDeque<([u8; NONCE], u64)>,
}

#[derive(Debug)]
struct Seen {
    first: Place,
    second_answered: bool,
}

impl ReplayGuard {
    /// Whether a knock with this nonce, from this source, is to be handled: the first one, and one duplicate from
    /// another source (the same packet over a second path).
    pub fn admit(&mut self, nonce: [u8; NONCE], from: Place, now: Now) -> bool {
        self.forget(now);
        if let Some(seen) = self.seen.get_mut(&nonce) {
            let second = seen.first != from && !seen.second_answered;
            seen.second_answered |= second;
            return second;
        }
        self.seen.insert(
            nonce,
            Seen {
                first: from,
                second_answered: false,
            },
        );
        self.ages.push_back((nonce, now.boot.as_secs()));
        true
    }

    fn forget(&mut self, now: Now) {
        // A tag is tried for the hours around its own: three in all.
        let is_old = |born: u64| now.boot.as_secs().saturating_sub(born) > 3 * HOUR;
        while self.ages.len() >= bounds::NONCES || self.ages.front().is_some_and(|(_, born)| is_old(*born)) {
            if let Some((nonce, _)) = self.ages.pop_front() {
                self.seen.remove(&nonce);
            }
        }
    }
}
