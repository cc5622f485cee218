//! Frames of relays: those in which contacts pass packets on to us, and those that we pass on between contacts.
//!
//! The loop says which ways and pairs there are; each frame is judged here, by pure functions of the core, and never
//! crosses the loop.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use twocan_core::ids::{PairId, RelayHandle, RelayId};
use twocan_core::reach::relay::{self, Forwards, Pair};
use twocan_core::reach::via::{Place, Via};

use super::socket::Gate;
use super::vias::Carrier;
use crate::clock;

/// What is known of relays, ours and those that we are.
#[derive(Debug, Default)]
pub(super) struct Relays {
    forwards: Mutex<Forwards>,
    ways: Mutex<HashMap<RelayHandle, (RelayId, SocketAddr)>>,
}

impl Relays {
    /// Takes one frame, from an address as people write it.
    pub(super) fn take(&self, gate: &Gate, from: SocketAddr, frame: &[u8]) {
        let Some((handle, packet)) = relay::unwrap(frame) else {
            return;
        };
        let way = lock(&self.ways).get(&handle).copied();
        if let Some((id, _)) = way.filter(|(_, at)| *at == from) {
            let Place { at, via } = Place::relayed(id);
            return gate.arrive(at, via, packet);
        }
        let mut frame = frame.to_vec();
        let to = lock(&self.forwards).forward(from, &mut frame, clock::now().boot);
        if let Some(to) = to {
            gate.transmit(to, Via::Own, None, &frame);
        }
    }

    /// Opens a way, or moves it.
    pub(super) fn use_relay(&self, gate: &Arc<Gate>, id: RelayId, at: SocketAddr, handle: RelayHandle) {
        let mut ways = lock(&self.ways);
        ways.retain(|_, (known, _)| *known != id);
        ways.insert(handle, (id, at));
        let carrier = Frames {
            gate: Arc::downgrade(gate),
            at,
            handle,
        };
        gate.vias().attach(Via::Relay(id), Arc::new(carrier));
    }

    pub(super) fn leave_relay(&self, gate: &Gate, id: RelayId) {
        lock(&self.ways).retain(|_, (known, _)| *known != id);
        gate.vias().detach(Via::Relay(id));
    }

    pub(super) fn forward(&self, pair: &Pair) {
        lock(&self.forwards).open(pair, clock::now().boot);
    }

    pub(super) fn end_forward(&self, pair: PairId) {
        lock(&self.forwards).close(pair);
    }
}

/// Puts packets into the frames of one way.
#[derive(Debug)]
struct Frames {
    gate: Weak<Gate>,
    at: SocketAddr,
    handle: RelayHandle,
}

impl Carrier for Frames {
    fn carry(&self, _: SocketAddr, ttl: Option<u8>, packet: &[u8]) {
        if let Some(gate) = self.gate.upgrade() {
            gate.transmit(self.at, Via::Own, ttl, &relay::wrap(self.handle, packet));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
