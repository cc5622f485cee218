//! One run of sequence numbers and timestamps on the wire, whoever sends.
//!
//! When a page is reloaded, the new leg begins with numbers of its own choice under the same canonical SSRC. A
//! receiver takes numbers behind the last ones for a replay (RFC 3711, section 3.3.2) and stays deaf for up to 32,768
//! packets. So the packets of the new leg are shifted to follow the last ones of the old, and what the far side says
//! about them is shifted back. The first leg of a call is not shifted at all.

use std::time::Duration;

use super::codecs;
use super::flow::FlowKind;

/// The gap between the last timestamp of an SSRC and the first of the one that took over within the same leg.
const TAKEOVER_PAUSE: Duration = Duration::from_millis(40);

/// The numbers of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    shift_sequence: u16,
    shift_timestamp: u32,
    /// The newest numbers on the wire.
    last: Option<Numbers>,
    /// What the next packet is to have.
    next: Option<Numbers>,
}

impl Run {
    fn place(&mut self, packet: Numbers) -> Numbers {
        if let Some(next) = self.next.take() {
            self.shift_sequence = next.sequence.wrapping_sub(packet.sequence);
            self.shift_timestamp = next.timestamp.wrapping_sub(packet.timestamp);
        }
        let placed = Numbers {
            sequence: packet.sequence.wrapping_add(self.shift_sequence),
            timestamp: packet.timestamp.wrapping_add(self.shift_timestamp),
        };
        if self
            .last
            .is_none_or(|last| placed.sequence.wrapping_sub(last.sequence) < 0x8000)
        {
            self.last = Some(placed);
        }
        placed
    }

    /// A run whose first packet follows this one's last, `ticks` later.
    fn next_run(&self, ticks: u32) -> Self {
        let after = |last: Numbers| Numbers {
            sequence: last.sequence.wrapping_add(1),
            timestamp: last.timestamp.wrapping_add(ticks),
        };
        Self {
            next: self.last.map(after).or(self.next),
            ..Self::default()
        }
    }
}

/// The runs of one leg: each RTP flow, and the transport-wide numbers across them.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbering {
    audio: Run,
    video: Run,
    video_rtx: Run,
    transport: Run,
}

impl Numbering {
    /// The numbers on the wire of a packet of the leg.
    pub(super) fn place(&mut self, kind: FlowKind, packet: Numbers) -> Numbers {
        let video = self.video.shift_timestamp;
        match kind {
            FlowKind::Audio => self.audio.place(packet),
            FlowKind::Video => self.video.place(packet),
            // A retransmission bears the timestamp of its original (RFC 4588, section 4).
            FlowKind::VideoRtx => Numbers {
                timestamp: packet.timestamp.wrapping_add(video),
                ..self.video_rtx.place(packet)
            },
            FlowKind::Rtcp => packet,
        }
    }

    /// The transport-wide sequence number on the wire of a packet of the leg.
    pub(super) fn place_transport(&mut self, sequence: u16) -> u16 {
        self.transport.place(Numbers { sequence, timestamp: 0 }).sequence
    }

    /// What the leg's sequence numbers of `kind` are shifted by.
    pub(super) fn shift_sequence(&self, kind: FlowKind) -> u16 {
        self.run(kind).map_or(0, |run| run.shift_sequence)
    }

    /// What the leg's timestamps of `kind` are shifted by.
    pub(super) fn shift_timestamp(&self, kind: FlowKind) -> u32 {
        match kind {
            FlowKind::Audio => self.audio.shift_timestamp,
            FlowKind::Video | FlowKind::VideoRtx => self.video.shift_timestamp,
            FlowKind::Rtcp => 0,
        }
    }

    /// What the leg's transport-wide sequence numbers are shifted by.
    pub(super) fn shift_transport(&self) -> u16 {
        self.transport.shift_sequence
    }

    /// The numbering of a leg that takes over from this one, `pause` after its last packets.
    pub(super) fn next_leg(&self, pause: Duration) -> Self {
        Self {
            audio: self.audio.next_run(ticks(FlowKind::Audio, pause)),
            video: self.video.next_run(ticks(FlowKind::Video, pause)),
            video_rtx: self.video_rtx.next_run(ticks(FlowKind::VideoRtx, pause)),
            transport: self.transport.next_run(0),
        }
    }

    /// Another SSRC of the same leg continues flow `kind`.
    pub(super) fn next_source(&mut self, kind: FlowKind) {
        let pause = ticks(kind, TAKEOVER_PAUSE);
        match kind {
            FlowKind::Audio => self.audio = self.audio.next_run(pause),
            FlowKind::Video => self.video = self.video.next_run(pause),
            FlowKind::VideoRtx => self.video_rtx = self.video_rtx.next_run(pause),
            FlowKind::Rtcp => {}
        }
    }

    fn run(&self, kind: FlowKind) -> Option<&Run> {
        match kind {
            FlowKind::Audio => Some(&self.audio),
            FlowKind::Video => Some(&self.video),
            FlowKind::VideoRtx => Some(&self.video_rtx),
            FlowKind::Rtcp => None,
        }
    }
}

/// RTP clock ticks in `pause`; more than the clock can count in one turn makes no sense and is cut.
fn ticks(kind: FlowKind, pause: Duration) -> u32 {
    let ticks = pause.as_micros() * u128::from(codecs::clock_rate(kind)) / 1_000_000;
    u32::try_from(ticks).unwrap_or(u32::MAX / 4).min(u32::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn numbers(sequence: u16, timestamp: u32) -> Numbers {
        Numbers { sequence, timestamp }
    }

    #[test]
    fn the_first_leg_is_not_shifted() {
        let mut first = Numbering::default();
        assert_eq!(first.place(FlowKind::Video, numbers(65_535, 7)), numbers(65_535, 7));
        assert_eq!(first.place(FlowKind::Video, numbers(0, 8)), numbers(0, 8));
        assert_eq!(first.place_transport(9), 9);
    }

    #[test]
    fn the_next_leg_follows_the_newest_packet() {
        let mut first = Numbering::default();
        first.place(FlowKind::Audio, numbers(100, 5000));
        first.place(FlowKind::Audio, numbers(99, 4000));
        first.place_transport(65_535);
        let mut second = first.next_leg(Duration::from_secs(1));
        assert_eq!(second.place(FlowKind::Audio, numbers(7, 3)), numbers(101, 53_000));
        assert_eq!(second.place(FlowKind::Audio, numbers(8, 4)), numbers(102, 53_001));
        assert_eq!(second.shift_sequence(FlowKind::Audio), 94);
        assert_eq!(second.place_transport(1), 0);
        assert_eq!(
            second.place(FlowKind::Video, numbers(1, 1)),
            numbers(1, 1),
            "nothing to follow"
        );
    }

    #[test]
    fn a_leg_that_sent_nothing_hands_the_place_on() {
        let mut first = Numbering::default();
        first.place(FlowKind::Video, numbers(10, 10));
        let mut third = first.next_leg(Duration::ZERO).next_leg(Duration::from_secs(1));
        assert_eq!(third.place(FlowKind::Video, numbers(500, 500)).sequence, 11);
    }

    #[test]
    fn retransmissions_are_shifted_in_time_as_their_originals() {
        let mut first = Numbering::default();
        first.place(FlowKind::Video, numbers(10, 1000));
        first.place(FlowKind::VideoRtx, numbers(20, 1000));
        let mut second = first.next_leg(Duration::from_secs(1));
        assert_eq!(second.place(FlowKind::Video, numbers(0, 0)), numbers(11, 91_000));
        assert_eq!(second.place(FlowKind::VideoRtx, numbers(0, 0)), numbers(21, 91_000));
    }
}
