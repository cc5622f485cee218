//! The echo leg: what arrives goes back at once, as if the far side had said it.

use std::sync::{Arc, OnceLock};

use twocan_core::ids::{CallId, LegId};
use twocan_core::media::breaker::Pace;
use twocan_core::media::echo::swap_roles;
use twocan_core::media::flow::FlowKind;
use twocan_core::media::formats::Formats;

use super::gate::{Direction, Ended, Gates, Leg, Uplink};

/// One echo in one call.
#[derive(Debug)]
pub struct EchoLeg {
    id: LegId,
    uplink: OnceLock<Uplink>,
}

impl EchoLeg {
    /// Attaches an echo to a call. It lasts until the call ends or another leg replaces it.
    ///
    /// # Errors
    /// The call is over.
    pub fn attach(gates: &Gates, call: CallId) -> Result<LegId, Ended> {
        let leg = Arc::new(Self {
            id: gates.next_leg(),
            uplink: OnceLock::new(),
        });
        let uplink = gates.attach(call, Arc::<Self>::clone(&leg))?;
        leg.uplink.get_or_init(|| uplink.clone());
        uplink.warm();
        Ok(leg.id)
    }
}

impl Leg for EchoLeg {
    fn id(&self) -> LegId {
        self.id
    }

    fn direction(&self) -> Direction {
        Direction::Both
    }

    /// Whatever its caller sends, the same can show.
    fn takes(&self) -> Option<Formats> {
        Some(Formats::ALL)
    }

    /// Its rate is its caller's own.
    fn pace(&self) -> Pace {
        Pace::Fixed
    }

    fn deliver(&self, kind: FlowKind, packet: &[u8]) {
        let Some(uplink) = self.uplink.get() else { return };
        let mut packet = packet.to_vec();
        match swap_roles(kind, &mut packet) {
            Ok(()) => uplink.send(kind, &packet),
            Err(error) => tracing::debug!(%error, "a packet cannot be echoed"),
        }
    }

    /// Its encoder is the far side's own, which is asked through the echo of its request.
    fn want_key_frame(&self) {}

    /// It holds nothing that would have to end.
    fn close(&self) {}
}
