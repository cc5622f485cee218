//! A nap for whoever hears nothing but keep-alives.
//!
//! All contacts' keep-alives come within a second around the common tick, each of which would wake this thread and then the loop. When
//! nothing else has passed for a while, nobody waits for an answer: the thread that reads the socket sleeps for a moment after each
//! batch, and the next batch is larger. What does matter and happens to come meanwhile is late by [`NAP`] at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a nap is.
const NAP: Duration = Duration::from_millis(100);
/// Nothing else must have passed for this long.
const QUIET: Duration = Duration::from_secs(1);
/// With fewer links there is little to be put together.
const LINKS: usize = 8;

/// What has passed beside keep-alives.
#[derive(Debug, Default)]
pub(super) struct Lull {
    stirs: AtomicU64,
    /// The count when it was last looked at, and since when it is the same.
    seen: Mutex<Option<(u64, Instant)>>,
}

impl Lull {
    /// Something else passes, in or out.
    pub(super) fn stir(&self) {
        self.stirs.fetch_add(1, Ordering::Relaxed);
    }

    /// How much has passed.
    pub(super) fn stirs(&self) -> u64 {
        self.stirs.load(Ordering::Relaxed)
    }

    /// A batch of nothing but keep-alives has been handed over: for how long to leave the socket alone, if at all.
    pub(super) fn nap(&self, links: usize, now: Instant) -> Option<Duration> {
        let stirs = self.stirs();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((count, since)) if count == stirs => {
                (links >= LINKS && now.saturating_duration_since(since) >= QUIET).then_some(NAP)
            }
            Some(_) | None => {
                *seen = Some((stirs, now));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hears_keep_alives_alone_naps_and_anything_else_ends_it() {
        let (lull, start) = (Lull::default(), Instant::now());
        let nap = |links, ms| lull.nap(links, start + Duration::from_millis(ms));
        assert_eq!(
            [nap(50, 0), nap(50, 999)],
            [None, None],
            "not yet quiet for long enough"
        );
        assert_eq!([nap(50, 1000), nap(50, 1100)], [Some(NAP); 2]);
        assert_eq!(nap(LINKS - 1, 1200), None, "few links");
        lull.stir();
        assert_eq!([nap(50, 1300), nap(50, 2299)], [None, None]);
        assert_eq!(nap(50, 2300), Some(NAP));
    }
}
