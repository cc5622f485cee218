//! What happens to each media packet, as pure functions on byte slices.
//!
//! Packets cross a link in the *canonical wire profile*: payload types, header-extension ids and SSRCs are constants
//! of [`codecs`], the SSRCs one set per [`flow::Role`]. Each local leg negotiates its own numbers; a
//! [`leg_map::LegMap`] translates one leg to the profile and back, in RTP and RTCP. So a leg can be warmed up,
//! replaced or reloaded, and the far side learns nothing of it.
//!
//! [`continuity`] makes one stream of what the legs of a call send one after another.
//!
//! Invariants: nothing here does I/O, keeps time or grows without bound; whatever bytes arrive, the answer is a packet
//! or a [`MapError`], never a panic; SSRCs, CNAMEs, MIDs and free text of a leg never reach the wire.

pub mod breaker;
pub mod codecs;
pub mod continuity;
pub mod echo;
pub mod feedback;
pub mod flow;
pub mod formats;
pub mod fragment;
pub mod frames;
pub mod leg_map;
pub mod outlet;
pub mod packetizer;
pub mod rtp;
pub mod sequence;
pub mod varint;

mod bytes;
mod leg_rtcp;
mod negotiated;
mod reports;
mod rtcp;
mod rtcp_bodies;
mod rtcp_feedback;
mod rtp_extensions;
mod sources;

/// Bytes of the largest RTP packet or RTCP compound that is mapped; browsers stay below 1,200, other senders below the
/// 1,500 of an Ethernet frame.
pub const PACKET_MOST: usize = 2048;

/// Why a packet is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The bytes are not RTP or RTCP: a wrong version, or lengths that run past the end.
    #[error("malformed packet")]
    Malformed,
    /// The packet exceeds [`PACKET_MOST`].
    #[error("packet too long")]
    TooLong,
    /// The payload type is not among those the leg negotiated, or not one of the wire profile.
    #[error("unknown payload type {0}")]
    UnknownPayloadType(u8),
    /// The codec is one of the profile, but this leg did not negotiate it.
    #[error("the leg did not negotiate {0:?}")]
    NotNegotiated(codecs::Codec),
    /// The packet does not belong on the flow it came on.
    #[error("packet on the wrong flow")]
    WrongFlow,
    /// The SSRC is not the one which that side sends this flow with.
    #[error("unexpected SSRC")]
    UnexpectedSsrc,
    /// No packet of the RTCP compound can be passed on.
    #[error("nothing left of the compound")]
    NothingLeft,
}

#[cfg(test)]
mod tests;
