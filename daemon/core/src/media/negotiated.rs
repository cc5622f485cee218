//! What a local leg negotiated in its SDP, and how its numbers correspond to the wire's.

use super::MapError;
use super::codecs::{Codec, Extension};
use super::flow::FlowKind;

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

/// Payload types and extension ids, looked up both ways.
#[derive(Debug)]
pub(super) struct Ids {
    payload_types: Vec<(Codec, u8)>,
    extensions: Vec<(Extension, u8)>,
    mids: Mids,
}

impl Ids {
    /// Splits what was negotiated into its constant part and the SSRCs.
    pub(super) fn new(negotiated: Negotiated) -> (Self, SendSsrcs) {
        let Negotiated {
            payload_types,
            extensions,
            mids,
            ssrcs,
        } = negotiated;
        (
            Self {
                payload_types,
                extensions,
                mids,
            },
            ssrcs,
        )
    }

    pub(super) fn codec(&self, payload_type: u8) -> Result<Codec, MapError> {
        let found = self.payload_types.iter().find(|(_, leg)| *leg == payload_type);
        found
            .map(|(codec, _)| *codec)
            .ok_or(MapError::UnknownPayloadType(payload_type))
    }

    pub(super) fn payload_type(&self, codec: Codec) -> Result<u8, MapError> {
        let found = self.payload_types.iter().find(|(known, _)| *known == codec);
        found.map(|(_, leg)| *leg).ok_or(MapError::NotNegotiated(codec))
    }

    pub(super) fn extension_to_wire(&self, id: u8) -> Option<u8> {
        let (extension, _) = self.extensions.iter().find(|(_, leg)| *leg == id)?;
        extension.wire_id()
    }

    pub(super) fn extension_to_leg(&self, wire_id: u8) -> Option<u8> {
        self.extension_id(Extension::from_wire_id(wire_id)?)
    }

    pub(super) fn extension_id(&self, extension: Extension) -> Option<u8> {
        self.extensions
            .iter()
            .find(|(known, _)| *known == extension)
            .map(|(_, leg)| *leg)
    }

    /// The MID element of a packet to the leg.
    pub(super) fn mid(&self, flow: FlowKind) -> Option<(u8, &[u8])> {
        let mid = match flow {
            FlowKind::Audio => self.mids.audio.as_ref(),
            FlowKind::Video | FlowKind::VideoRtx => self.mids.video.as_ref(),
            FlowKind::Rtcp => None,
        };
        self.extension_id(Extension::Mid).zip(mid.map(String::as_bytes))
    }
}
