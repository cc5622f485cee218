//! Flow ids: the number that stands first on every datagram and stream of a link
//! (draft-ietf-avtcore-rtp-over-quic-14, section 5), a QUIC varint.
//!
//! Ids below [`FIRST_CALL_BASE`] belong to the link itself. Each call gets a base, a multiple of [`CALL_STRIDE`]
//! chosen by the caller and not reused on that link for long, so packets of an ended call cannot enter the next one.

/// The one control stream.
pub const CONTROL: u64 = 0;
/// One half of a datagram that did not fit the path.
pub const FRAGMENT: u64 = 2;
/// The first base a call may have.
pub const FIRST_CALL_BASE: u64 = 8;
/// The distance between the bases of two calls.
pub const CALL_STRIDE: u64 = 8;

/// Whether a call may have this base: who rings chooses it, so it is checked before it is reckoned with.
#[must_use]
pub const fn is_base(base: u64) -> bool {
    base >= FIRST_CALL_BASE && base <= super::varint::MOST - CALL_STRIDE && base.is_multiple_of(CALL_STRIDE)
}

/// The flows of one call; the discriminant is the offset from the call's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowKind {
    /// RTP of the microphone.
    Audio = 0,
    /// RTP of the camera or the screen.
    Video = 1,
    /// Retransmissions of [`Self::Video`] (RFC 4588).
    VideoRtx = 2,
    /// RTCP of all of them, compound or reduced-size.
    Rtcp = 3,
}

impl FlowKind {
    /// The flow id of this kind in the call with `base`.
    #[must_use]
    pub const fn id(self, base: u64) -> u64 {
        base + self as u64
    }

    /// Splits a flow id into the call's base and the kind; `None` where it belongs to no call.
    #[must_use]
    pub const fn split(id: u64) -> Option<(u64, Self)> {
        if id < FIRST_CALL_BASE {
            return None;
        }
        let kind = match id % CALL_STRIDE {
            0 => Self::Audio,
            1 => Self::Video,
            2 => Self::VideoRtx,
            3 => Self::Rtcp,
            _ => return None,
        };
        Some((id - id % CALL_STRIDE, kind))
    }
}

/// Whose media it is: the side that placed the call, or the side that was rung. It fixes the canonical SSRCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The side that placed the call.
    Caller,
    /// The side that was rung.
    Callee,
}

impl Role {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}
