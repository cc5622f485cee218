//! Which addresses were sent a ping of the DHT's protocol from the one socket, so that their answers are let in.
//!
//! Such a message begins like a short QUIC packet, and the receive path looks here only at what the QUIC stack does not get. Nothing
//! of it is ever answered: the core reads it, and takes what it has asked for.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use twocan_core::bounds;

/// Whoever has not answered by then has not answered; the core's patience is shorter.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses kept; a round asks fewer.
const KEPT: usize = bounds::DHT_NODES_ASKED * 4;

/// The addresses, each with the moment of the last ping.
#[derive(Debug, Default)]
pub(super) struct Pinged(Mutex<Vec<(SocketAddr, Instant)>>);

impl Pinged {
    /// A ping leaves.
    pub(super) fn note(&self, to: SocketAddr) {
        let now = Instant::now();
        let mut pinged = self.lock();
        pinged.retain(|(at, sent)| *at != to && now.duration_since(*sent) < PATIENCE);
        if pinged.len() < KEPT {
            pinged.push((to, now));
        }
    }

    /// Whether an answer may come from there.
    pub(super) fn awaits(&self, from: SocketAddr) -> bool {
        let pinged = self.lock();
        pinged.iter().any(|(at, sent)| *at == from && sent.elapsed() < PATIENCE)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(SocketAddr, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_who_was_asked_is_awaited_and_they_are_few() {
        let pinged = Pinged::default();
        let node = |last: u8| SocketAddr::from(([198, 51, 100, last], 6881));
        assert!(!pinged.awaits(node(0)));
        for last in 0..200 {
            pinged.note(node(last));
        }
        let awaited = (0..200).filter(|last| pinged.awaits(node(*last))).count();
        assert_eq!(awaited, KEPT);
        assert!(!pinged.awaits("198.51.100.0:6882".parse().unwrap()), "another port");
    }
}
