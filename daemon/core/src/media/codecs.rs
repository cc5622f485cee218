//! The constants of the canonical wire profile, each said once: payload types, header-extension ids, SSRCs, CNAMEs.
//!
//! The numbers are those Chromium offers most often, so that most packets of most legs cross unchanged. They are part
//! of the protocol between daemons and never change within one ALPN.

use super::flow::{FlowKind, Role};

/// A codec of the profile, or the retransmission format (RFC 4588) that belongs to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Opus (RFC 7587).
    Opus,
    /// VP8 (RFC 7741).
    Vp8,
    /// Retransmissions of [`Self::Vp8`].
    Vp8Rtx,
    /// VP9 profile 0 (RFC 9628).
    Vp9,
    /// Retransmissions of [`Self::Vp9`].
    Vp9Rtx,
    /// H.264, constrained baseline, packetization mode 1 (RFC 6184).
    H264,
    /// Retransmissions of [`Self::H264`].
    H264Rtx,
    /// AV1 main profile (AOMedia's RTP payload format 1.0).
    Av1,
    /// Retransmissions of [`Self::Av1`].
    Av1Rtx,
}

impl Codec {
    /// Every codec of the profile, in order of preference.
    pub const ALL: [Self; 9] = [
        Self::Opus,
        Self::Vp8,
        Self::Vp8Rtx,
        Self::Vp9,
        Self::Vp9Rtx,
        Self::H264,
        Self::H264Rtx,
        Self::Av1,
        Self::Av1Rtx,
    ];

    /// The payload type on the wire.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Opus => 111,
            Self::Vp8 => 96,
            Self::Vp8Rtx => 97,
            Self::Vp9 => 98,
            Self::Vp9Rtx => 99,
            Self::H264 => 102,
            Self::H264Rtx => 103,
            Self::Av1 => 45,
            Self::Av1Rtx => 46,
        }
    }

    /// The codec with this payload type on the wire.
    #[must_use]
    pub fn from_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.payload_type() == payload_type)
    }

    /// The flow its packets travel on.
    #[must_use]
    pub const fn flow(self) -> FlowKind {
        match self {
            Self::Opus => FlowKind::Audio,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => FlowKind::Video,
            Self::Vp8Rtx | Self::Vp9Rtx | Self::H264Rtx | Self::Av1Rtx => FlowKind::VideoRtx,
        }
    }

    /// The retransmission format of a video codec.
    #[must_use]
    pub const fn rtx(self) -> Option<Self> {
        match self {
            Self::Vp8 => Some(Self::Vp8Rtx),
            Self::Vp9 => Some(Self::Vp9Rtx),
            Self::H264 => Some(Self::H264Rtx),
            Self::Av1 => Some(Self::Av1Rtx),
            Self::Opus | Self::Vp8Rtx | Self::Vp9Rtx | Self::H264Rtx | Self::Av1Rtx => None,
        }
    }

    /// What follows the payload type in `a=rtpmap` (RFC 8866, section 6.6).
    #[must_use]
    pub const fn rtpmap(self) -> &'static str {
        match self {
            Self::Opus => "opus/48000/2",
            Self::Vp8 => "VP8/90000",
            Self::Vp9 => "VP9/90000",
            Self::H264 => "H264/90000",
            Self::Av1 => "AV1/90000",
            Self::Vp8Rtx | Self::Vp9Rtx | Self::H264Rtx | Self::Av1Rtx => "rtx/90000",
        }
    }
}

/// RTP clock ticks a second of a flow's timestamps: all video formats of the profile share one clock.
#[must_use]
pub const fn clock_rate(kind: FlowKind) -> u32 {
    match kind {
        FlowKind::Audio => 48_000,
        FlowKind::Video | FlowKind::VideoRtx | FlowKind::Rtcp => 90_000,
    }
}

/// An RTP header extension (RFC 8285) that is carried end to end, or used between a leg and its daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// Loudness of the packet (RFC 6464).
    AudioLevel,
    /// Absolute send time.
    AbsSendTime,
    /// Transport-wide sequence number.
    TransportCc,
    /// Bounds on the playout delay.
    PlayoutDelay,
    /// Rotation of the camera.
    VideoOrientation,
    /// Transmission time offset (RFC 5450).
    TimeOffset,
    /// Which media section the packet belongs to (RFC 9143); leg-local.
    Mid,
    /// Which encoding of a section it is (RFC 8852); leg-local.
    Rid,
}

impl Extension {
    /// Every extension a leg may negotiate.
    pub const ALL: [Self; 8] = [
        Self::AudioLevel,
        Self::AbsSendTime,
        Self::TransportCc,
        Self::PlayoutDelay,
        Self::VideoOrientation,
        Self::TimeOffset,
        Self::Mid,
        Self::Rid,
    ];

    /// The URI of `a=extmap`.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportCc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::TimeOffset => "urn:ietf:params:rtp-hdrext:toffset",
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        }
    }

    /// The extension with this URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.uri() == uri)
    }

    /// The id on the wire; `None` for those that stay between a leg and its daemon.
    #[must_use]
    pub const fn wire_id(self) -> Option<u8> {
        match self {
            Self::AudioLevel => Some(1),
            Self::AbsSendTime => Some(2),
            Self::TransportCc => Some(3),
            Self::PlayoutDelay => Some(5),
            Self::VideoOrientation => Some(13),
            Self::TimeOffset => Some(14),
            Self::Mid | Self::Rid => None,
        }
    }

    /// The extension with this id on the wire.
    #[must_use]
    pub fn from_wire_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.wire_id() == Some(id))
    }
}

const CALLER_SSRC: u32 = 0x2CA1_0000;
const CALLEE_SSRC: u32 = 0x2CA2_0000;

/// The SSRC with which the side in `role` sends flow `kind`; for [`FlowKind::Rtcp`] the one that stands for senders of
/// RTCP which send no media.
#[must_use]
pub const fn ssrc(role: Role, kind: FlowKind) -> u32 {
    let base = match role {
        Role::Caller => CALLER_SSRC,
        Role::Callee => CALLEE_SSRC,
    };
    base + 1 + kind as u32
}

/// Whose SSRC this is on the wire, and of which flow.
#[must_use]
pub fn ssrc_owner(ssrc: u32) -> Option<(Role, FlowKind)> {
    let role = match ssrc & 0xFFFF_0000 {
        CALLER_SSRC => Role::Caller,
        CALLEE_SSRC => Role::Callee,
        _ => return None,
    };
    let kind = match ssrc & 0xFFFF {
        1 => FlowKind::Audio,
        2 => FlowKind::Video,
        3 => FlowKind::VideoRtx,
        4 => FlowKind::Rtcp,
        _ => return None,
    };
    Some((role, kind))
}

/// The CNAME of all SSRCs of one side: a constant, so that it names nobody.
#[must_use]
pub const fn cname(role: Role) -> &'static str {
    match role {
        Role::Caller => "caller",
        Role::Callee => "callee",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [FlowKind; 4] = [FlowKind::Audio, FlowKind::Video, FlowKind::VideoRtx, FlowKind::Rtcp];

    #[test]
    fn payload_types_are_distinct_and_clear_of_rtcp() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_payload_type(codec.payload_type()), Some(codec));
            assert!(!(64..96).contains(&codec.payload_type()), "RFC 5761, section 4");
        }
    }

    #[test]
    fn wire_ids_fit_the_one_byte_form() {
        for extension in Extension::ALL {
            assert_eq!(Extension::from_uri(extension.uri()), Some(extension));
            if let Some(id) = extension.wire_id() {
                assert!((1..15).contains(&id));
                assert_eq!(Extension::from_wire_id(id), Some(extension));
            }
        }
    }

    #[test]
    fn each_ssrc_has_one_owner() {
        for role in [Role::Caller, Role::Callee] {
            for kind in KINDS {
                assert_eq!(ssrc_owner(ssrc(role, kind)), Some((role, kind)));
            }
        }
        assert_eq!(ssrc_owner(0), None);
        assert_eq!(ssrc_owner(CALLER_SSRC), None);
    }
}
