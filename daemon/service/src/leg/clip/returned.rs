//! Counts what comes back.
//!
//! A video frame counts when it is whole and equal to one of the clip's; a packet counts once, however often it comes.
//! The far side may be an echo or somebody with a stream of his own. It is an echo where the first packet of a flow
//! has number and timestamp of one that was sent; then every packet sent is expected back. Otherwise only gaps in the
//! far side's numbering can be seen.

use std::collections::BTreeSet;
use std::time::Duration;

use twocan_core::media::codecs::Codec;
use twocan_core::media::flow::FlowKind;
use twocan_core::media::frames::Vp8Frames;
use twocan_core::media::rtp::Header;

use super::ClipReport;
use super::file::Clip;
use super::player::{AUDIO_STEP, Numbers, VIDEO_STEP};

/// Packets by which one may be late and still be told from a second copy.
const WINDOW: usize = 2048;
/// Sequence numbers until they wrap.
const TURN: u64 = 1 << 16;

/// The counts of one leg.
#[derive(Debug)]
pub(super) struct Returned {
    clip: &'static Clip,
    audio: Flow,
    video: Flow,
    frames: Vp8Frames,
    equal_frames: u64,
    /// When the first and the newest equal frame came, from the beginning.
    equal_between: Option<(Duration, Duration)>,
    gaps: Gaps,
}

/// The times between packets, from the beginning.
#[derive(Clone, Copy, Debug, Default)]
struct Gaps {
    last: Option<Duration>,
    longest: Option<Duration>,
}

impl Gaps {
    fn came(&mut self, at: Duration) {
        let gap = self.last.replace(at).map(|last| at.saturating_sub(last));
        self.longest = self.longest.max(gap);
    }
}

impl Returned {
    /// `numbers` are those with which the player begins.
    pub(super) fn new(clip: &'static Clip, numbers: Numbers) -> Self {
        Self {
            clip,
            audio: Flow::new(numbers.audio_sequence, numbers.audio_timestamp, AUDIO_STEP),
            video: Flow::new(numbers.video_sequence, numbers.video_timestamp, VIDEO_STEP),
            frames: Vp8Frames::default(),
            equal_frames: 0,
            equal_between: None,
            gaps: Gaps::default(),
        }
    }

    /// One packet goes out.
    pub(super) const fn sent(&mut self, kind: FlowKind) {
        match kind {
            FlowKind::Audio => self.audio.sent += 1,
            FlowKind::Video => self.video.sent += 1,
            FlowKind::VideoRtx | FlowKind::Rtcp => {}
        }
    }

    /// One packet of the audio flow came, `at` from the beginning.
    pub(super) fn audio(&mut self, packet: &[u8], at: Duration) {
        if let Ok(header) = Header::parse(packet) {
            self.gaps.came(at);
            self.audio.came(&header);
        }
    }

    /// One packet of the video flow came, `at` from the beginning.
    pub(super) fn video(&mut self, packet: &[u8], at: Duration) {
        let Ok(header) = Header::parse(packet) else { return };
        self.gaps.came(at);
        self.video.came(&header);
        if header.payload_type != Codec::Vp8.payload_type() {
            return;
        }
        if let Ok(Some(frame)) = self.frames.push(packet)
            && self.clip.has_frame(&frame)
        {
            self.equal_frames += 1;
            let first = self.equal_between.map_or(at, |(first, _)| first);
            self.equal_between = Some((first, at));
        }
    }

    /// Whether everything that was sent is back.
    pub(super) fn is_complete(&self) -> bool {
        [&self.audio, &self.video]
            .into_iter()
            .all(|flow| flow.is_echo() && flow.missing(true) == 0)
    }

    /// The counts; `at_end` where nothing more is to come.
    pub(super) fn report(&self, at_end: bool) -> ClipReport {
        ClipReport {
            answer_to_media_ms: self.equal_between.map(|(first, _)| first.as_secs_f64() * 1000.0),
            audio_packets: self.audio.came,
            video_frames: self.equal_frames,
            video_fps: self.frames_a_second(),
            lost_packets: self.lost(at_end),
            longest_gap_ms: self.gaps.longest.map(|gap| gap.as_secs_f64() * 1000.0),
            done: at_end,
        }
    }

    fn frames_a_second(&self) -> f64 {
        let Some((first, last)) = self.equal_between else {
            return 0.0;
        };
        let seconds = (last - first).as_secs_f64();
        let steps = u32::try_from(self.equal_frames - 1).unwrap_or(u32::MAX);
        if seconds > 0.0 { f64::from(steps) / seconds } else { 0.0 }
    }

    fn lost(&self, at_end: bool) -> u64 {
        let flows = [&self.audio, &self.video];
        let echo = flows.iter().any(|flow| flow.is_echo());
        // Of a flow that never came, an echo has lost everything.
        let unheard = |flow: &&Flow| {
            if echo && at_end && flow.seen.is_none() {
                flow.sent
            } else {
                0
            }
        };
        flows.iter().map(|flow| flow.missing(at_end) + unheard(flow)).sum()
    }
}

/// One flow, both ways.
#[derive(Debug)]
struct Flow {
    first_sequence: u16,
    first_timestamp: u32,
    step: u32,
    sent: u64,
    came: u64,
    seen: Option<Seen>,
}

/// What came of a flow. Numbers are extended so that they do not wrap, and begin one turn above zero.
#[derive(Debug)]
struct Seen {
    echo: bool,
    /// The first that is expected.
    first: u64,
    newest: u64,
    recent: BTreeSet<u64>,
}

impl Flow {
    const fn new(first_sequence: u16, first_timestamp: u32, step: u32) -> Self {
        Self {
            first_sequence,
            first_timestamp,
            step,
            sent: 0,
            came: 0,
            seen: None,
        }
    }

    fn came(&mut self, header: &Header) {
        let seen = self.seen.take().unwrap_or_else(|| self.first_seen(header));
        let seen = self.seen.insert(seen);
        if seen.is_new(header.sequence) {
            self.came += 1;
        }
    }

    fn first_seen(&self, header: &Header) -> Seen {
        let echo = self.was_sent(header);
        let first = TURN + u64::from(if echo { self.first_sequence } else { header.sequence });
        Seen {
            echo,
            first,
            newest: first,
            recent: BTreeSet::new(),
        }
    }

    /// Whether number and timestamp are those of a packet that went out. A timestamp belongs to one packet or to many,
    /// so it may be behind the number but never ahead.
    fn was_sent(&self, header: &Header) -> bool {
        let number = u64::from(header.sequence.wrapping_sub(self.first_sequence));
        let ticks = header.timestamp.wrapping_sub(self.first_timestamp);
        number < self.sent && ticks.is_multiple_of(self.step) && u64::from(ticks / self.step) <= number
    }

    fn is_echo(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.echo)
    }

    /// Expected and not here: up to the newest that came, or, of an echo at the end, all that was sent.
    fn missing(&self, at_end: bool) -> u64 {
        let Some(seen) = &self.seen else { return 0 };
        let expected = if seen.echo && at_end {
            self.sent
        } else {
            seen.newest - seen.first + 1
        };
        expected.saturating_sub(self.came)
    }
}

impl Seen {
    /// Whether this number comes for the first time.
    fn is_new(&mut self, sequence: u16) -> bool {
        let ahead = (TURN + u64::from(sequence) - self.newest % TURN) % TURN;
        let number = if ahead < TURN / 2 {
            self.newest + ahead
        } else {
            (self.newest + ahead).saturating_sub(TURN)
        };
        let too_old = self.recent.len() >= WINDOW && self.recent.first().is_some_and(|oldest| number < *oldest);
        if too_old || !self.recent.insert(number) {
            return false;
        }
        if self.recent.len() > WINDOW {
            self.recent.pop_first();
        }
        self.newest = self.newest.max(number);
        // A stream that is not ours may begin with packets out of order.
        self.first = self.first.min(number);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: u32 = 960;

    fn header(number: u16, timestamp: u32) -> Header {
        Header {
            marker: false,
            payload_type: 111,
            sequence: number,
            timestamp,
            ssrc: 1,
            extension: None,
            payload: 0..0,
            padding: 0,
        }
    }

    /// Counts and losses, before and at the end, of a flow that has sent `sent` packets from number `first` on, when
    /// these numbers come back.
    fn echoed(first: u16, sent: u64, numbers: &[u16]) -> (u64, u64, u64) {
        let mut flow = Flow::new(first, u32::MAX - 5, STEP);
        flow.sent = sent;
        for number in numbers {
            let offset = u32::from(number.wrapping_sub(first));
            flow.came(&header(*number, (u32::MAX - 5).wrapping_add(offset * STEP)));
        }
        assert!(flow.is_echo());
        (flow.came, flow.missing(false), flow.missing(true))
    }

    #[test]
    fn of_an_echo_all_that_was_sent_is_expected() {
        assert_eq!(echoed(10, 3, &[10, 11, 12]), (3, 0, 0));
        assert_eq!(echoed(10, 3, &[12, 10, 11, 11, 10]), (3, 0, 0), "disorder and copies");
        assert_eq!(echoed(10, 5, &[11, 13]), (2, 2, 3), "the first and the last are missed");
        assert_eq!(echoed(65_534, 5, &[65_535, 0, 2]), (3, 2, 2), "across the wrap");
        assert_eq!(echoed(65_534, 5, &[1, 0, 65_534, 65_535, 2]), (5, 0, 0));
    }

    #[test]
    fn of_a_stranger_only_gaps_are_seen() {
        let mut flow = Flow::new(100, 0, STEP);
        flow.sent = 50;
        for number in [110, 109, 112, 112] {
            flow.came(&header(number, 12_345));
        }
        assert!(!flow.is_echo());
        assert_eq!((flow.came, flow.missing(false), flow.missing(true)), (3, 1, 1));
    }

    #[test]
    fn the_longest_gap_lies_between_two_packets() {
        let mut gaps = Gaps::default();
        gaps.came(Duration::from_secs(5));
        assert_eq!(gaps.longest, None, "nothing before the first is missed");
        for (at, longest) in [(5020, 20), (6520, 1500), (6540, 1500), (6540, 1500)] {
            gaps.came(Duration::from_millis(at));
            assert_eq!(gaps.longest, Some(Duration::from_millis(longest)));
        }
    }

    #[test]
    fn the_window_is_bounded() {
        let mut flow = Flow::new(0, 0, STEP);
        for number in 0..=u16::MAX {
            flow.came(&header(number, 7));
        }
        assert_eq!((flow.came, flow.missing(true)), (1 << 16, 0));
        assert!(flow.seen.is_some_and(|seen| seen.recent.len() <= WINDOW));
    }
}
