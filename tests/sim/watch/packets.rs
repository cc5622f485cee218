//! Silence towards strangers, and few bytes to addresses that have proven nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::reach::krpc;

use super::Watch;
use super::invariant::Invariant;
use crate::sim::delivery::Parcel;
use crate::sim::happening::{Cause, Happening};
use crate::sim::nat::Air;
use crate::sim::world::{World, note};

/// Packets of one search to one address.
const SEARCH: usize = 5;
/// A knock may be answered, and asked back in two sizes.
const ANSWERS: usize = 3;
/// Bytes to one address in a minute. A restart of the daemon forgets what it has sent.
const BYTES: usize = 2 * bounds::UNANSWERED as usize * bounds::MTU_PROVEN as usize;
/// Knocks kept for replays.
const RECORDED: usize = 32;

/// What was sent to whom.
#[derive(Debug)]
pub(super) struct Packets {
    proven: Vec<BTreeSet<SocketAddr>>,
    /// How many each host sent to each address.
    all: BTreeMap<(usize, SocketAddr), u64>,
    sent: BTreeMap<(usize, SocketAddr), VecDeque<Duration>>,
    /// Bytes of a minute, and when it began.
    bytes: BTreeMap<(usize, SocketAddr), (Duration, usize)>,
    stirs: Vec<VecDeque<Duration>>,
    recorded: VecDeque<(SocketAddr, Vec<u8>)>,
    strangers: u8,
    /// The nonce of the knock that is being handled.
    nonce: Vec<u8>,
    /// Which addresses got something in answer to one nonce, by host and run.
    answered: BTreeMap<(usize, u32, Vec<u8>), BTreeSet<SocketAddr>>,
}

impl Packets {
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            proven: vec![BTreeSet::new(); hosts],
            all: BTreeMap::new(),
            sent: BTreeMap::new(),
            bytes: BTreeMap::new(),
            stirs: vec![VecDeque::new(); hosts],
            recorded: VecDeque::new(),
            strangers: 0,
            nonce: Vec::new(),
            answered: BTreeMap::new(),
        }
    }

    pub(super) fn forget_proofs(&mut self, host: usize) {
        self.proven[host].clear();
    }

    pub(super) fn stir(&mut self, host: usize, now: Duration) {
        self.stirs[host].push_back(now);
    }
}

impl Watch {
    /// Knocks that a host has sent to an address.
    pub(crate) fn knocks_to(&self, host: usize, address: SocketAddr) -> u64 {
        self.packets.all.get(&(host, address)).copied().unwrap_or_default()
    }
}

fn is_stranger(address: SocketAddr, kind: u8) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.octets()[..2] == [12, kind],
        IpAddr::V6(_) => false,
    }
}

/// Whether nothing may ever be sent from one address to another: to whom that may do harm, or where nobody can be.
fn is_forbidden(own: IpAddr, to: IpAddr) -> bool {
    let (IpAddr::V4(own), IpAddr::V4(to)) = (own, to) else {
        return true;
    };
    let ([a, b, c, _], [own_a, own_b, own_c, _]) = (to.octets(), own.octets());
    match (a, b) {
        (0 | 127 | 224..=255, _) | (169, 254) => true,
        (10, _) | (192, 168) | (172, 16..=31) | (100, 64..=127) => (a, b, c) != (own_a, own_b, own_c),
        (_, _) => false,
    }
}

const GARBAGE: u8 = 0;
const REPLAY: u8 = 1;

impl World {
    /// Random bytes, now and then in the form of a knock, from somebody nobody knows.
    pub(crate) fn stranger_knocks(&mut self, at: usize) {
        let to = self.hosts[at].address;
        for _ in 0..3 {
            let from = self.stranger(GARBAGE);
            let mut bytes = self.dice.bytes::<400>().to_vec();
            bytes[0] = self.dice.pick(&[4, 5, 6, 7, 8, 9, 15, krpc::FORM]);
            bytes.truncate(self.dice.pick(&[1, 9, 21, 53, 60, 399, 400]));
            let air = Air::outside(from, to);
            self.later(
                Duration::ZERO,
                Happening::Datagram {
                    air,
                    sender: None,
                    bytes,
                },
            );
        }
    }

    fn stranger(&mut self, kind: u8) -> SocketAddr {
        self.watch.packets.strangers = self.watch.packets.strangers.wrapping_add(1);
        SocketAddr::from(([12, kind, 0, self.watch.packets.strangers], 999))
    }

    /// A knock that somebody recorded comes again, whole or bent, from somewhere else.
    pub(crate) fn replay(&mut self, _: usize) {
        if self.watch.packets.recorded.is_empty() {
            return;
        }
        let place = self.dice.index(self.watch.packets.recorded.len());
        let (to, mut bytes) = self.watch.packets.recorded[place].clone();
        let bent = self.dice.chance(30);
        if bent {
            let place = self.dice.index(bytes.len());
            bytes[place] ^= 1;
        }
        for _ in 0..3 {
            let kind = if bent { GARBAGE } else { REPLAY };
            let (from, bytes) = (self.stranger(kind), bytes.clone());
            let air = Air::outside(from, to);
            self.later(
                Duration::ZERO,
                Happening::Datagram {
                    air,
                    sender: None,
                    bytes,
                },
            );
        }
    }

    pub(crate) fn watch_datagram(&mut self, index: usize, from: SocketAddr, sender: Option<usize>, bytes: &[u8]) {
        let packets = &mut self.watch.packets;
        packets.nonce = bytes.get(9..21).unwrap_or_default().to_vec();
        if sender.is_some() {
            packets.proven[index].insert(from);
        }
    }

    pub(crate) fn watch_transmit(&mut self, index: usize, parcel: &Parcel, cause: Cause, before: usize) {
        let Parcel { to, ttl, ref bytes, .. } = *parcel;
        // What opens the own router is counted elsewhere.
        self.watch.knocks_sent[index] += u64::from(bytes.len() > 1);
        *self.watch.packets.all.entry((index, to)).or_default() += 1;
        let size = bytes.len();
        note!(self, "       ({size} bytes)");
        if is_forbidden(self.hosts[index].address.ip(), to.ip()) {
            return self.fail(Invariant::Forbidden, format!("host {index} sent something to {to}"));
        }
        if is_stranger(to, GARBAGE) {
            return self.fail(
                Invariant::Silence,
                format!("host {index} sent {size} bytes to a stranger"),
            );
        }
        if !is_stranger(to, REPLAY) {
            self.record(to, bytes);
        }
        // A STUN server answers everybody; how often it is asked is bounded elsewhere.
        if crate::sim::stun::is_server(to) {
            return;
        }
        // What lives for a few hops only goes to nobody.
        if self.watch.packets.proven[index].contains(&to) || ttl.is_some() {
            return;
        }
        match cause {
            Cause::Datagram { from, size: asked } if from == to => self.watch_answer_to(index, to, size, asked, before),
            Cause::Datagram { .. } | Cause::Other => {
                self.watch_search(index, to);
                self.watch_bytes(index, to, size);
            }
        }
    }

    /// A minute's bytes, in windows that begin with the first packet.
    fn watch_bytes(&mut self, index: usize, to: SocketAddr, size: usize) {
        let now = self.now;
        let (since, bytes) = self.watch.packets.bytes.entry((index, to)).or_insert((now, 0));
        if now >= *since + bounds::COOL_DOWN {
            (*since, *bytes) = (now, 0);
        }
        *bytes += size;
        if *bytes > BYTES {
            let text = format!("host {index} sent {bytes} bytes to {to} in a minute");
            self.fail(Invariant::UnprovenBytes, text);
        }
    }

    fn record(&mut self, to: SocketAddr, bytes: &[u8]) {
        if self.watch.packets.recorded.len() >= RECORDED {
            self.watch.packets.recorded.pop_front();
        }
        self.watch.packets.recorded.push_back((to, bytes.to_vec()));
    }

    fn watch_answer_to(&mut self, index: usize, to: SocketAddr, size: usize, asked: usize, before: usize) {
        let run = self.hosts[index].run;
        let packets = &mut self.watch.packets;
        let answered = packets.answered.entry((index, run, packets.nonce.clone())).or_default();
        answered.insert(to);
        let places = answered.len();
        if places > 2 {
            return self.fail(
                Invariant::Replays,
                format!("host {index} answered one knock at {places} addresses"),
            );
        }
        if before >= ANSWERS || (before == 0 && size > asked) {
            let text = format!("host {index} answered {asked} bytes with packet {before} of {size}");
            self.fail(Invariant::Amplification, text);
        }
    }

    fn watch_search(&mut self, index: usize, to: SocketAddr) {
        let now = self.now;
        let packets = &mut self.watch.packets;
        let stirs = super::recent(&mut packets.stirs[index], now, bounds::KNOCK_PATIENCE);
        let sent = packets.sent.entry((index, to)).or_default();
        sent.push_back(now);
        let count = super::recent(sent, now, bounds::KNOCK_PATIENCE);
        // A path that falls silent again begins another search; more than one in this time, only inputs begin.
        if count > SEARCH * (2 + stirs) {
            self.fail(
                Invariant::Unproven,
                format!("host {index} sent {count} packets to {to} within one search"),
            );
        }
    }
}
