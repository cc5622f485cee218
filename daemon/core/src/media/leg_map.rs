//! Translates one local leg to the canonical wire profile and back.
//!
//! Towards the leg SSRCs are not translated: the SDP answer the leg got declares the far side's canonical SSRCs. The
//! leg's own SSRCs become the canonical ones of its user's role, and back where the far side speaks about them. What
//! stays untouched: payload, padding, marker, sequence numbers, timestamps and what feedback and retransmissions say
//! about them ([`super::continuity`] is for those).
//!
//! After an error the packet is to be dropped; its bytes are unspecified.

use super::codecs::{self, Codec};
use super::flow::{FlowKind, Role};
use super::leg_rtcp::{ToLeg, ToWire};
use super::negotiated::Ids;
pub use super::negotiated::{Mids, Negotiated, SendSsrcs};
use super::rtp::{self, Header};
pub use super::sources::Admission;
use super::sources::Sources;
use super::{MapError, rtcp, rtp_extensions};

/// The translation of one leg, both ways.
#[derive(Debug)]
pub struct LegMap {
    own: Role,
    ids: Ids,
    sources: Sources,
    scratch: Vec<u8>,
}

impl LegMap {
    /// `own` is the role of the user whose leg this is.
    #[must_use]
    pub fn new(own: Role, negotiated: Negotiated) -> Self {
        let (ids, ssrcs) = Ids::new(negotiated);
        let mut sources = Sources::default();
        sources.set(FlowKind::Audio, ssrcs.audio);
        sources.set(FlowKind::Video, ssrcs.video);
        sources.set(FlowKind::VideoRtx, ssrcs.video_rtx);
        Self {
            own,
            ids,
            sources,
            scratch: Vec::new(),
        }
    }

    /// Makes an RTP packet of the leg canonical, and says which flow it belongs on and whose it is.
    ///
    /// # Errors
    /// [`MapError`]: not RTP, a payload type that was not negotiated, an SSRC that is not this flow's.
    pub fn rtp_to_wire(&mut self, packet: &mut Vec<u8>) -> Result<(FlowKind, Admission), MapError> {
        let header = Header::parse(packet)?;
        let codec = self.ids.codec(header.payload_type)?;
        let kind = codec.flow();
        let admission = self.admit(kind, header.ssrc)?;
        rtp::set_payload_type(packet, codec.payload_type())?;
        rtp::set_ssrc(packet, codecs::ssrc(self.own, kind))?;
        let wire_id = |id| self.ids.extension_to_wire(id);
        rtp_extensions::remap(packet, &header, &mut self.scratch, wire_id, None)?;
        Ok((kind, admission))
    }

    /// Gives a canonical RTP packet of the far side the leg's numbers.
    ///
    /// # Errors
    /// [`MapError`]: not RTP, a payload type or SSRC that does not fit `flow` and the far side's role, a codec the leg
    /// did not negotiate.
    pub fn rtp_to_leg(&mut self, flow: FlowKind, packet: &mut Vec<u8>) -> Result<(), MapError> {
        let header = Header::parse(packet)?;
        let codec = wire_codec(flow, header.payload_type)?;
        if header.ssrc != codecs::ssrc(self.own.other(), flow) {
            return Err(MapError::UnexpectedSsrc);
        }
        rtp::set_payload_type(packet, self.ids.payload_type(codec)?)?;
        let leg_id = |id| self.ids.extension_to_leg(id);
        rtp_extensions::remap(packet, &header, &mut self.scratch, leg_id, self.ids.mid(flow))
    }

    /// Makes an RTCP compound of the leg canonical.
    ///
    /// # Errors
    /// [`MapError`]: not RTCP, or nothing in it that can be passed on.
    pub fn rtcp_to_wire(&mut self, compound: &mut Vec<u8>) -> Result<(), MapError> {
        let mut to_wire = ToWire {
            own: self.own,
            sources: &mut self.sources,
        };
        rtcp::rewrite(compound, &mut self.scratch, &mut to_wire)
    }

    /// Gives a canonical RTCP compound of the far side the leg's SSRCs.
    ///
    /// # Errors
    /// [`MapError`]: not RTCP, or nothing in it that can be passed on.
    pub fn rtcp_to_leg(&mut self, compound: &mut Vec<u8>) -> Result<(), MapError> {
        let mut to_leg = ToLeg {
            own: self.own,
            sources: &self.sources,
        };
        rtcp::rewrite(compound, &mut self.scratch, &mut to_leg)
    }

    fn admit(&mut self, kind: FlowKind, ssrc: u32) -> Result<Admission, MapError> {
        let of_peer = codecs::ssrc_owner(ssrc).is_some_and(|(role, _)| role != self.own);
        if of_peer {
            return Err(MapError::UnexpectedSsrc);
        }
        self.sources.admit(kind, ssrc)
    }
}

/// The codec of a canonical packet on `flow`.
fn wire_codec(flow: FlowKind, payload_type: u8) -> Result<Codec, MapError> {
    let codec = Codec::from_payload_type(payload_type).ok_or(MapError::UnknownPayloadType(payload_type))?;
    if codec.flow() == flow {
        Ok(codec)
    } else {
        Err(MapError::WrongFlow)
    }
}
