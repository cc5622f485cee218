//! Packets that leave or come by something else than the one socket.
//!
//! quinn knows a far side by its address alone, so a place behind a [`Via`] is shown to it as an address of the
//! discard-only block 100::/64 (RFC 6666), which no packet has for its source or its destination. The address is made of
//! what it stands for and nothing is kept about it:
//!
//! ```text
//! 100:0:0:0 : kind : number : IPv4 address, and its port
//! ```
//!
//! So only IPv4 addresses can be reached through anything. A [`Carrier`] takes what goes out, [`Vias::push`] what came in
//! and passed the gate. The plain socket pays for this with one comparison a packet.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::IoSliceMut;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use quinn::udp::RecvMeta;
use twocan_core::ids::RelayId;
use twocan_core::reach::via::Via;

/// Packets that may wait for quinn; more are lost, as on any network.
const WAITING: usize = 512;

/// Takes packets to wherever they go.
pub(super) trait Carrier: fmt::Debug + Send + Sync {
    /// Sends one packet, or loses it.
    fn carry(&self, to: SocketAddr, ttl: Option<u8>, packet: &[u8]);
}

/// All ways beside the plain socket.
#[derive(Debug, Default)]
pub(super) struct Vias {
    carriers: Mutex<HashMap<Via, Arc<dyn Carrier>>>,
    /// What came in for quinn.
    arrived: Mutex<VecDeque<(SocketAddr, Vec<u8>)>>,
    waiting: AtomicUsize,
    reader: AtomicWaker,
}

impl Vias {
    /// Opens a way.
    pub(super) fn attach(&self, via: Via, carrier: Arc<dyn Carrier>) {
        lock(&self.carriers).insert(via, carrier);
    }

    /// Closes a way. What is sent through it from now on is lost.
    pub(super) fn detach(&self, via: Via) {
        lock(&self.carriers).remove(&via);
    }

    /// Sends packets of `size` bytes each, the last one of what is left.
    pub(super) fn carry(&self, via: Via, to: SocketAddr, ttl: Option<u8>, packets: &[u8], size: usize) {
        let Some(carrier) = lock(&self.carriers).get(&via).cloned() else {
            return;
        };
        for packet in packets.chunks(size.max(1)) {
            carrier.carry(to, ttl, packet);
        }
    }

    /// Takes a packet for quinn, from an address that [`join`] made.
    pub(super) fn push(&self, from: SocketAddr, packet: &[u8]) {
        let mut arrived = lock(&self.arrived);
        if arrived.len() < WAITING {
            arrived.push_back((from, packet.to_vec()));
            self.waiting.store(arrived.len(), Ordering::Release);
            drop(arrived);
            self.reader.wake();
        }
    }

    /// Hands over what has come in, as many packets as there are buffers.
    pub(super) fn take(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) -> usize {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return 0;
        }
        let mut arrived = lock(&self.arrived);
        let mut taken = 0;
        for (buffer, meta) in buffers.iter_mut().zip(metas) {
            let Some((from, packet)) = arrived.pop_front() else {
                break;
            };
            let len = packet.len().min(buffer.len());
            for (to, byte) in buffer.iter_mut().zip(&packet) {
                *to = *byte;
            }
            *meta = RecvMeta {
                addr: from,
                len,
                stride: len.max(1),
                ecn: None,
                dst_ip: None,
            };
            taken += 1;
        }
        self.waiting.store(arrived.len(), Ordering::Release);
        taken
    }

    /// Wakes this reader when something comes in. Whoever calls this looks once more afterwards.
    pub(super) fn wake_later(&self, reader: &Waker) {
        self.reader.register(reader);
    }

    /// Whether something waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }
}

/// The address that stands for a place; `None` where it can have none.
pub(super) fn join(via: Via, at: SocketAddr) -> Option<SocketAddr> {
    let (kind, number) = match via {
        Via::Own => return Some(at),
        Via::Spare(number) => (1, number),
        Via::Relay(RelayId(number)) => (2, number),
        Via::Turn => (3, 0),
    };
    let SocketAddr::V4(v4) = super::socket::plain(at) else {
        return None;
    };
    let [a, b, c, d] = v4.ip().octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let ip = Ipv6Addr::new(0x100, 0, 0, 0, kind, number, high, low);
    Some(SocketAddrV6::new(ip, v4.port(), 0, 0).into())
}

/// The place that an address stands for: itself, unless [`join`] made it.
pub(super) fn split(address: SocketAddr) -> (SocketAddr, Via) {
    if let SocketAddr::V6(v6) = address
        && let [0x100, 0, 0, 0, kind @ 1..=3, number, high, low] = v6.ip().segments()
    {
        let via = match kind {
            1 => Via::Spare(number),
            2 => Via::Relay(RelayId(number)),
            _ => Via::Turn,
        };
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        return (SocketAddr::from(([a, b, c, d], v6.port())), via);
    }
    (super::socket::plain(address), Via::Own)
}

/// Whether [`join`] made an address.
pub(super) const fn is_made(address: &SocketAddr) -> bool {
    match address {
        SocketAddr::V6(v6) => matches!(v6.ip().octets(), [1, 0, 0, 0, 0, 0, 0, 0, ..]),
        SocketAddr::V4(_) => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_place_is_found_again_in_its_address() {
        let v4: SocketAddr = "203.0.113.9:4711".parse().unwrap();
        let relays = [Via::Relay(RelayId(0)), Via::Relay(RelayId(u16::MAX)), Via::Turn];
        for via in [Via::Own, Via::Spare(0), Via::Spare(u16::MAX)]
            .into_iter()
            .chain(relays)
        {
            let made = join(via, v4).unwrap();
            assert_eq!(split(made), (v4, via));
            assert_eq!(is_made(&made), via != Via::Own);
        }
        let v6 = "[2001:db8::1]:5".parse().unwrap();
        assert_eq!(split(v6), (v6, Via::Own));
        assert_eq!((join(Via::Own, v6), join(Via::Spare(1), v6)), (Some(v6), None));
    }

    #[test]
    fn what_came_in_waits_and_is_bounded() {
        let vias = Vias::default();
        let from = join(Via::Spare(3), "203.0.113.9:4711".parse().unwrap()).unwrap();
        for _ in 0..WAITING + 10 {
            vias.push(from, &[64; 30]);
        }
        let (mut bytes, mut metas) = ([0; 1500], [RecvMeta::default(); 1]);
        let mut taken = 0;
        while vias.take(&mut [IoSliceMut::new(&mut bytes)], &mut metas) == 1 {
            assert_eq!((metas[0].addr, metas[0].len), (from, 30));
            taken += 1;
        }
        assert_eq!((taken, vias.is_waiting()), (WAITING, false));
    }
}
