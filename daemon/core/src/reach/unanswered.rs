//! How many packets have gone to addresses that do not answer.
//!
//! A peer may name anybody's address, and may find ways to make us look for it again and again. So an address that has not
//! answered gets a bounded number of packets, whoever named it and however often.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::bounds;

/// Addresses remembered at most; while there are so many, new ones get nothing.
const ADDRESSES: usize = 20_000;

/// The packets that nobody has answered.
#[derive(Debug, Default)]
pub struct Unanswered(BTreeMap<SocketAddr, Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Duration,
    packets: u32,
}

impl Unanswered {
    /// Whether one more packet may go to an address; it is counted as sent.
    pub fn take(&mut self, to: SocketAddr, now: Duration) -> bool {
        if self.0.len() >= ADDRESSES {
            self.forget(now);
        }
        let is_full = self.0.len() >= ADDRESSES;
        let fresh = Count { since: now, packets: 0 };
        let count = match self.0.get_mut(&to) {
            Some(count) => count,
            None if is_full => return false,
            None => self.0.entry(to).or_insert(fresh),
        };
        if now >= count.since + bounds::COOL_DOWN {
            *count = fresh;
        }
        count.packets = count.packets.saturating_add(1);
        count.packets <= bounds::UNANSWERED
    }

    /// An address has answered one of our questions.
    pub fn answered(&mut self, at: &SocketAddr) {
        self.0.remove(at);
    }

    /// Drops what is long past.
    pub fn forget(&mut self, now: Duration) {
        self.0.retain(|_, count| now < count.since + bounds::COOL_DOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_does_not_answer_gets_no_more_than_its_share() {
        let at = |port: u16| SocketAddr::from(([203, 0, 113, 1], port));
        let mut unanswered = Unanswered::default();
        let mut sent = |seconds: u64, port: u16, count: usize| {
            (0..count)
                .filter(|_| unanswered.take(at(port), Duration::from_secs(seconds)))
                .count()
        };
        assert_eq!((sent(0, 1, 100), sent(59, 1, 100), sent(59, 2, 5)), (40, 0, 5));
        assert_eq!(sent(60, 1, 100), 40);
        unanswered.answered(&at(1));
        assert!(unanswered.take(at(1), Duration::from_secs(61)));
        unanswered.forget(Duration::from_secs(200));
        assert!(unanswered.0.is_empty());
    }
}
