//! One round of pings to nodes of the DHT: strangers, each of whom says where it sees our socket (BEP 42).
//!
//! A few nodes, drawn by chance from those that the shell knows, are asked beside the STUN servers, with the same patience. They
//! are nobody's servers in particular, so they answer also where somebody shuts STUN out, and one that lies is one among several.
//!
//! Invariant: a reply counts only if its transaction is outstanding and it comes from the address that was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use crate::bounds;
use crate::reach::krpc::{self, Ping, Transaction};
use crate::reach::survey::Contacted;
use crate::rng::Rng;

/// One round.
#[derive(Debug)]
pub struct Pings {
    began: Duration,
    id: [u8; 20],
    asked: BTreeMap<Transaction, Asked>,
    seen: BTreeMap<SocketAddr, SocketAddr>,
}

/// A ping that may still be answered.
#[derive(Debug)]
struct Asked {
    to: SocketAddr,
    sent: usize,
}

impl Pings {
    /// Begins a round with [`bounds::DHT_NODES_ASKED`] of these nodes, no two at one IP address.
    #[must_use]
    pub fn begin(nodes: &[SocketAddr], rng: &mut Rng, now: Duration) -> Self {
        let mut ips = BTreeSet::new();
        let mut known: Vec<SocketAddr> = nodes.iter().copied().filter(|node| ips.insert(node.ip())).collect();
        let mut asked = BTreeMap::new();
        while asked.len() < bounds::DHT_NODES_ASKED && !known.is_empty() {
            let chosen = usize::try_from(rng.below(known.len() as u64)).unwrap_or_default();
            let to = known.swap_remove(chosen);
            asked.insert(rng.bytes(), Asked { to, sent: 0 });
        }
        Self {
            began: now,
            id: rng.bytes(),
            asked,
            seen: BTreeMap::new(),
        }
    }

    /// Where each node that answered saw us.
    #[must_use]
    pub const fn seen(&self) -> &BTreeMap<SocketAddr, SocketAddr> {
        &self.seen
    }

    /// Whether there is nothing left to wait for.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        self.asked.is_empty() || now >= self.began + bounds::STUN_PATIENCE
    }

    /// When [`Self::poll`] has something to do next, or the round is over.
    #[must_use]
    pub fn next_timeout(&self) -> Duration {
        if self.asked.is_empty() {
            return self.began;
        }
        let sends = self.asked.values().filter_map(|asked| self.due(asked));
        sends.fold(self.began + bounds::STUN_PATIENCE, Duration::min)
    }

    fn due(&self, asked: &Asked) -> Option<Duration> {
        bounds::STUN_SENDS.get(asked.sent).map(|offset| self.began + *offset)
    }

    /// What is to be sent now.
    pub fn poll(&mut self, contacted: &mut Contacted, now: Duration) -> Vec<(SocketAddr, Vec<u8>)> {
        let (began, id) = (self.began, self.id);
        let mut sends = Vec::new();
        for (tx, asked) in &mut self.asked {
            let due = bounds::STUN_SENDS.get(asked.sent);
            if due.is_some_and(|offset| now >= began + *offset) {
                asked.sent += 1;
                contacted.note(asked.to, now);
                sends.push((asked.to, Ping { tx: *tx, id }.to_bytes()));
            }
        }
        sends
    }

    /// Takes a message in. True where it answered something.
    pub fn handle(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let Some(pong) = krpc::parse(bytes) else { return false };
        let is_it = |asked: &Asked| asked.to == from && asked.sent > 0;
        if !self.asked.get(&pong.tx).is_some_and(is_it) {
            return false;
        }
        self.asked.remove(&pong.tx);
        self.seen.insert(from, pong.seen);
        true
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;
    use crate::reach::krpc::Pong;

    const NOW: Duration = Duration::from_secs(1000);

    fn nodes(count: u8) -> Vec<SocketAddr> {
        let node = |last: u8| SocketAddr::from(([198, 51, 100, last], 6881));
        (0..count).map(node).collect()
    }

    fn begun(count: u8) -> (Pings, Vec<(SocketAddr, Vec<u8>)>) {
        let mut rng = Rng::new([1; 32]);
        let mut pings = Pings::begin(&nodes(count), &mut rng, NOW);
        let sends = pings.poll(&mut Contacted::default(), NOW);
        (pings, sends)
    }

    fn reply(ping: &[u8], seen: &str) -> Vec<u8> {
        let at = ping.windows(5).position(|window| window == b"1:t4:").unwrap() + 5;
        let pong = Pong {
            tx: ping[at..at + 4].try_into().unwrap(),
            seen: seen.parse().unwrap(),
        };
        pong.to_bytes(&[9; 20])
    }

    #[test]
    fn few_are_asked_and_who_answers_is_asked_once() {
        let (mut pings, sends) = begun(20);
        assert_eq!(sends.len(), bounds::DHT_NODES_ASKED);
        for (to, ping) in &sends {
            assert!(pings.handle(*to, &reply(ping, "203.0.113.7:4000")));
            assert!(!pings.handle(*to, &reply(ping, "203.0.113.7:4001")), "a second time");
        }
        assert!(pings.is_over(NOW));
        assert_eq!(pings.seen().len(), sends.len());
        assert!(pings.seen().values().all(|seen| seen.port() == 4000));
    }

    #[test]
    fn only_who_was_asked_answers_and_only_what_was_asked() {
        let (mut pings, sends) = begun(3);
        let (to, ping) = &sends[0];
        let elsewhere = SocketAddr::new(to.ip(), to.port() + 1);
        assert!(
            !pings.handle(elsewhere, &reply(ping, "203.0.113.7:1")),
            "from another port"
        );
        assert!(
            !pings.handle(sends[1].0, &reply(ping, "203.0.113.7:1")),
            "from another node"
        );
        let mut guessed = ping.clone();
        let at = guessed.windows(5).position(|window| window == b"1:t4:").unwrap() + 5;
        guessed[at] ^= 1;
        assert!(!pings.handle(*to, &reply(&guessed, "203.0.113.7:1")), "a guess");
        assert!(pings.seen().is_empty());
        assert!(pings.handle(*to, &reply(ping, "203.0.113.7:2")));
    }

    #[test]
    fn silence_is_bounded_in_packets_and_time() {
        let (mut pings, sends) = begun(20);
        let (mut sent, mut now) = (sends.len(), NOW);
        while !pings.is_over(now) {
            now = now.max(pings.next_timeout());
            sent += pings.poll(&mut Contacted::default(), now).len();
        }
        assert_eq!(sent, bounds::DHT_NODES_ASKED * bounds::STUN_SENDS.len());
        assert_eq!(now, NOW + bounds::STUN_PATIENCE);
        let (nobody, sends) = begun(0);
        assert!(nobody.is_over(NOW) && sends.is_empty());
    }

    #[test]
    fn one_ip_address_is_one_node() {
        let at = |port: u16| SocketAddr::from(([198, 51, 100, 1], port));
        let mut pings = Pings::begin(&[at(1), at(2), at(3)], &mut Rng::new([1; 32]), NOW);
        assert_eq!(pings.poll(&mut Contacted::default(), NOW).len(), 1);
    }
}
