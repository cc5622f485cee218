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

    fn timestamp_shift(&self, _: u32) -> u32 {
        0
    }

    fn sequence_shift(&self, _: u32) -> u16 {
        0
    }

    fn transport_shift(&self) -> u16 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::flow::Role;
    use crate::media::packetizer::Packetizer;

    #[test]
    fn a_packet_of_no_side_or_of_another_flow_is_refused() {
        let packet = Packetizer::new(Role::Caller, codecs::Codec::Vp8, 0).packet(true, 0, &[b"x"]);
        assert_eq!(swap_roles(FlowKind::Video, &mut packet.clone()), Ok(()));
        assert_eq!(
            swap_roles(FlowKind::Audio, &mut packet.clone()),
            Err(MapError::UnexpectedSsrc)
        );
        let mut foreign = packet;
        rtp::set_ssrc(&mut foreign, 7).expect("long enough");
        assert_eq!(swap_roles(FlowKind::Video, &mut foreign), Err(MapError::UnexpectedSsrc));
    }
}
