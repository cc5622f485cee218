//! What Echo does to each packet before it returns it: the caller's canonical packet becomes the callee's, and the
//! other way round.
//!
//! Every SSRC changes sides, those that speak and those that are spoken about. So the caller's report about the
//! callee's stream comes back as the callee's report about the caller's stream, which has the same sequence numbers:
//! NACK, RTX, PLI and transport-wide feedback work against oneself.

use super::bytes::u32_at;
use super::flow::FlowKind;
use super::rtcp::{self, Translate};
use super::rtp::{self, Header};
use super::{MapError, codecs};

/// Makes a canonical packet of one role a canonical packet of the other.
///
/// # Errors
/// [`MapError`]: not a canonical packet of that flow. The packet's bytes are then unspecified.
pub fn swap_roles(flow: FlowKind, packet: &mut Vec<u8>) -> Result<(), MapError> {
    match flow {
        FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => swap_rtp(flow, packet),
        FlowKind::Rtcp => rtcp::rewrite(packet, &mut Vec::with_capacity(packet.len()), &mut Swap),
    }
}

fn swap_rtp(flow: FlowKind, packet: &mut [u8]) -> Result<(), MapError> {
    Header::parse(packet)?;
    match codecs::ssrc_owner(u32_at(packet, 8)?) {
        Some((role, kind)) if kind == flow => rtp::set_ssrc(packet, codecs::ssrc(role.other(), kind)),
        Some(_) | None => Err(MapError::UnexpectedSsrc),
    }
}

struct Swap;

impl Swap {
    fn swapped(ssrc: u32) -> Option<u32> {
        codecs::ssrc_owner(ssrc).map(|(role, kind)| codecs::ssrc(role.other(), kind))
    }
}

impl Translate for Swap {
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        Self::swapped(ssrc)
    }

    fn target(&self, ssrc: u32) -> u32 {
        Self::swapped(ssrc).unwrap_or(0)
    }
}
