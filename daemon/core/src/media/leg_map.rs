//! Translates one local leg to the canonical wire profile and back.
//!
//! Towards the leg SSRCs are not translated: the SDP answer the leg got declares the far side's canonical SSRCs. The
//! leg's own SSRCs become the canonical ones of its user's role, and back where the far side speaks about them. What
//! stays untouched: payload, padding, marker, sequence number, timestamp, the original sequence number in a
//! retransmission, sequence numbers in feedback.
//!
//! After an error the packet is to be dropped; its bytes are unspecified.

use super::codecs::{self, Codec, Extension};
use super::flow::{FlowKind, Role};
use super::rtcp::{self, Translate};
use super::rtp::{self, Header};
use super::sources::Sources;
use super::{MapError, feedback, rtp_extensions};

/// What one local leg negotiated in its SDP.
#[derive(Clone, Debug, Default)]
pub struct Negotiated {
    /// The leg's payload types. Where one codec has several, packets to the leg carry the first.
    pub payload_types: Vec<(Codec, u8)>,
    /// The leg's header-extension ids.
    pub extensions: Vec<(Extension, u8)>,
    /// The leg's media sections; inserted into packets to the leg where it negotiated [`Extension::Mid`].
    pub mids: Mids,
    /// The SSRCs the leg sends with, as far as its SDP says.
    pub ssrcs: SendSsrcs,
}

/// The `a=mid` of the two sections.
#[derive(Clone, Debug, Default)]
pub struct Mids {
    /// Of the audio section.
    pub audio: Option<String>,
    /// Of the video section.
    pub video: Option<String>,
}

/// The SSRCs a leg sends with; those that are `None` are learnt from its packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SendSsrcs {
    /// Of the microphone.
    pub audio: Option<u32>,
    /// Of the camera or the screen.
    pub video: Option<u32>,
    /// Of the retransmissions of [`Self::video`].
    pub video_rtx: Option<u32>,
}

/// The numbers a leg negotiated, looked up both ways.
#[derive(Debug)]
struct Numbers {
    payload_types: Vec<(Codec, u8)>,
    extensions: Vec<(Extension, u8)>,
    mids: Mids,
}

impl Numbers {
    fn codec(&self, payload_type: u8) -> Result<Codec, MapError> {
        let found = self.payload_types.iter().find(|(_, leg)| *leg == payload_type);
        found
            .map(|(codec, _)| *codec)
            .ok_or(MapError::UnknownPayloadType(payload_type))
    }

    fn payload_type(&self, codec: Codec) -> Result<u8, MapError> {
        let found = self.payload_types.iter().find(|(known, _)| *known == codec);
        found.map(|(_, leg)| *leg).ok_or(MapError::NotNegotiated(codec))
    }

    fn extension_to_wire(&self, id: u8) -> Option<u8> {
        let (extension, _) = self.extensions.iter().find(|(_, leg)| *leg == id)?;
        extension.wire_id()
    }

    fn extension_to_leg(&self, wire_id: u8) -> Option<u8> {
        self.extension_id(Extension::from_wire_id(wire_id)?)
    }

    fn extension_id(&self, extension: Extension) -> Option<u8> {
        self.extensions
            .iter()
            .find(|(known, _)| *known == extension)
            .map(|(_, leg)| *leg)
    }

    /// The MID element of a packet to the leg.
    fn mid(&self, flow: FlowKind) -> Option<(u8, &[u8])> {
        let mid = match flow {
            FlowKind::Audio => self.mids.audio.as_ref(),
            FlowKind::Video | FlowKind::VideoRtx => self.mids.video.as_ref(),
            FlowKind::Rtcp => None,
        };
        self.extension_id(Extension::Mid).zip(mid.map(String::as_bytes))
    }
}

/// The translation of one leg, both ways.
#[derive(Debug)]
pub struct LegMap {
    own: Role,
    numbers: Numbers,
    sources: Sources,
    scratch: Vec<u8>,
}

impl LegMap {
    /// `own` is the role of the user whose leg this is.
    #[must_use]
    pub fn new(own: Role, negotiated: Negotiated) -> Self {
        let Negotiated {
            payload_types,
            extensions,
            mids,
            ssrcs,
        } = negotiated;
        let mut sources = Sources::default();
        sources.set(FlowKind::Audio, ssrcs.audio);
        sources.set(FlowKind::Video, ssrcs.video);
        sources.set(FlowKind::VideoRtx, ssrcs.video_rtx);
        Self {
            own,
            numbers: Numbers {
                payload_types,
                extensions,
                mids,
            },
            sources,
            scratch: Vec::new(),
        }
    }

    /// Makes an RTP packet of the leg canonical, and says which flow it belongs on.
    ///
    /// # Errors
    /// [`MapError`]: not RTP, a payload type that was not negotiated, an SSRC that is not this flow's.
    pub fn rtp_to_wire(&mut self, packet: &mut Vec<u8>) -> Result<FlowKind, MapError> {
        let header = Header::parse(packet)?;
        let codec = self.numbers.codec(header.payload_type)?;
        let kind = codec.flow();
        if self.is_peers(header.ssrc) {
            return Err(MapError::UnexpectedSsrc);
        }
        self.sources.admit(kind, header.ssrc)?;
        rtp::set_payload_type(packet, codec.payload_type())?;
        rtp::set_ssrc(packet, codecs::ssrc(self.own, kind))?;
        let ids = |id| self.numbers.extension_to_wire(id);
        rtp_extensions::remap(packet, &header, &mut self.scratch, ids, None)?;
        Ok(kind)
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
        rtp::set_payload_type(packet, self.numbers.payload_type(codec)?)?;
        let ids = |id| self.numbers.extension_to_leg(id);
        rtp_extensions::remap(packet, &header, &mut self.scratch, ids, self.numbers.mid(flow))
    }

    /// Makes an RTCP compound of the leg canonical.
    ///
    /// # Errors
    /// [`MapError`]: not RTCP, or nothing in it that can be passed on.
    pub fn rtcp_to_wire(&mut self, compound: &mut Vec<u8>) -> Result<(), MapError> {
        rtcp::rewrite(
            compound,
            &mut self.scratch,
            &mut ToWire {
                own: self.own,
                sources: &mut self.sources,
            },
        )
    }

    /// Gives a canonical RTCP compound of the far side the leg's SSRCs.
    ///
    /// # Errors
    /// [`MapError`]: not RTCP, or nothing in it that can be passed on.
    pub fn rtcp_to_leg(&mut self, compound: &mut Vec<u8>) -> Result<(), MapError> {
        rtcp::rewrite(
            compound,
            &mut self.scratch,
            &mut ToLeg {
                own: self.own,
                sources: &self.sources,
            },
        )
    }

    /// The RTCP that asks this leg for a key frame; `None` until its video SSRC is known.
    #[must_use]
    pub fn keyframe_request(&self) -> Option<[u8; 12]> {
        let media = self.sources.get(FlowKind::Video)?;
        Some(feedback::pli(codecs::ssrc(self.own.other(), FlowKind::Rtcp), media))
    }

    fn is_peers(&self, ssrc: u32) -> bool {
        codecs::ssrc_owner(ssrc).is_some_and(|(role, _)| role != self.own)
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

struct ToWire<'a> {
    own: Role,
    sources: &'a mut Sources,
}

impl Translate for ToWire<'_> {
    /// An SSRC without media is the leg's name as a mere sender of RTCP.
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        let kind = self.sources.media(ssrc).unwrap_or(FlowKind::Rtcp);
        if kind == FlowKind::Rtcp {
            self.sources.set(FlowKind::Rtcp, Some(ssrc));
        }
        Some(codecs::ssrc(self.own, kind))
    }

    fn target(&self, ssrc: u32) -> u32 {
        match codecs::ssrc_owner(ssrc) {
            Some((role, _)) if role != self.own => ssrc,
            Some(_) | None => 0,
        }
    }
}

struct ToLeg<'a> {
    own: Role,
    sources: &'a Sources,
}

impl Translate for ToLeg<'_> {
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        let (role, _) = codecs::ssrc_owner(ssrc)?;
        (role != self.own).then_some(ssrc)
    }

    fn target(&self, ssrc: u32) -> u32 {
        match codecs::ssrc_owner(ssrc) {
            Some((role, kind)) if role == self.own => self.sources.get(kind).unwrap_or(0),
            Some(_) | None => 0,
        }
    }
}
