//! Which SSRC a leg sends each flow with, learnt from its SDP or from its packets.
//!
//! One SSRC holds a flow: the first one heard, whatever the SDP promised. Another one on the same flow is refused, until it has been the only one for
//! [`TAKEOVER`] packets: then the leg has changed it (RFC 3550, section 8.2) and it takes over.

use super::MapError;
use super::flow::FlowKind;

/// Packets in a row after which another SSRC takes a flow over.
const TAKEOVER: u8 = 20;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    holder: Option<u32>,
    /// Whether a packet of the holder has come; until then it is only what the SDP promised.
    heard: bool,
    challenger: Option<u32>,
    streak: u8,
}

impl Slot {
    fn admit(&mut self, ssrc: u32) -> Option<Admission> {
        let held = Self {
            holder: Some(ssrc),
            heard: true,
            ..Self::default()
        };
        if !self.heard || self.holder == Some(ssrc) {
            *self = held;
            return Some(Admission::Known);
        }
        let streak = if self.challenger == Some(ssrc) {
            self.streak + 1
        } else {
            1
        };
        if streak < TAKEOVER {
            (self.challenger, self.streak) = (Some(ssrc), streak);
            return None;
        }
        *self = held;
        Some(Admission::TookOver)
    }
}

/// Whose packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Of the SSRC that sends this flow.
    Known,
    /// Of an SSRC that has taken the flow over with this packet.
    TookOver,
}

/// The SSRCs of one leg; [`FlowKind::Rtcp`] stands for a sender of RTCP that sends no media.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    audio: Slot,
    video: Slot,
    video_rtx: Slot,
    rtcp: Slot,
}

impl Sources {
    pub(super) fn get(&self, kind: FlowKind) -> Option<u32> {
        match kind {
            FlowKind::Audio => self.audio.holder,
            FlowKind::Video => self.video.holder,
            FlowKind::VideoRtx => self.video_rtx.holder,
            FlowKind::Rtcp => self.rtcp.holder,
        }
    }

    /// Sets what is known before the first packet.
    pub(super) fn set(&mut self, kind: FlowKind, ssrc: Option<u32>) {
        *self.slot(kind) = Slot {
            holder: ssrc,
            ..Slot::default()
        };
    }

    /// The media flow this SSRC holds.
    pub(super) fn media(&self, ssrc: u32) -> Option<FlowKind> {
        [FlowKind::Audio, FlowKind::Video, FlowKind::VideoRtx]
            .into_iter()
            .find(|&kind| self.get(kind) == Some(ssrc))
    }

    /// Takes note of an RTP packet of `kind`; an error where the packet is to be dropped.
    pub(super) fn admit(&mut self, kind: FlowKind, ssrc: u32) -> Result<Admission, MapError> {
        if self.media(ssrc).is_some_and(|held| held != kind) {
            return Err(MapError::UnexpectedSsrc);
        }
        self.slot(kind).admit(ssrc).ok_or(MapError::UnexpectedSsrc)
    }

    fn slot(&mut self, kind: FlowKind) -> &mut Slot {
        match kind {
            FlowKind::Audio => &mut self.audio,
            FlowKind::Video => &mut self.video,
            FlowKind::VideoRtx => &mut self.video_rtx,
            FlowKind::Rtcp => &mut self.rtcp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_holds_and_another_takes_over_only_alone() {
        let mut sources = Sources::default();
        assert_eq!(sources.admit(FlowKind::Video, 1), Ok(Admission::Known));
        for _ in 0..100 {
            assert_eq!(sources.admit(FlowKind::Video, 2), Err(MapError::UnexpectedSsrc));
            assert_eq!(sources.admit(FlowKind::Video, 1), Ok(Admission::Known));
        }
        let refused = (0..TAKEOVER)
            .filter(|_| sources.admit(FlowKind::Video, 2).is_err())
            .count();
        assert_eq!(refused, usize::from(TAKEOVER) - 1);
        assert_eq!(sources.get(FlowKind::Video), Some(2));
    }

    #[test]
    fn packets_count_more_than_the_sdp() {
        let mut sources = Sources::default();
        sources.set(FlowKind::Audio, Some(1));
        assert_eq!(sources.get(FlowKind::Audio), Some(1));
        assert_eq!(sources.admit(FlowKind::Audio, 2), Ok(Admission::Known));
        assert_eq!(sources.get(FlowKind::Audio), Some(2));
    }

    #[test]
    fn one_ssrc_never_holds_two_flows() {
        let mut sources = Sources::default();
        assert_eq!(sources.admit(FlowKind::Video, 1), Ok(Admission::Known));
        assert_eq!(sources.admit(FlowKind::VideoRtx, 1), Err(MapError::UnexpectedSsrc));
        assert_eq!(sources.media(1), Some(FlowKind::Video));
    }
}
