//! Cuts the clip into RTP packets of the canonical wire profile, and says when each is due.
//!
//! Opus: one packet each (RFC 7587). VP8: RFC 7741, with a 15-bit picture id.
//! Numbers and timestamps run on when the clip begins anew and when it skips to a key frame.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use twocan_core::media::codecs::{Codec, clock_rate};
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::packetizer::Packetizer;

use super::file::{Clip, FRAMES_A_SECOND, Frame, PACKETS_A_SECOND};

/// Ticks from one audio packet to the next.
pub(super) const AUDIO_STEP: u32 = clock_rate(FlowKind::Audio) / PACKETS_A_SECOND;
/// Ticks from one picture to the next.
pub(super) const VIDEO_STEP: u32 = clock_rate(FlowKind::Video) / FRAMES_A_SECOND;
/// Pictures after a key frame in which another is not worth its bytes.
const FRESH: usize = FRAMES_A_SECOND as usize / 2;

/// Where the numbers of one leg begin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    /// Sequence number of the first audio packet.
    pub(super) audio_sequence: u16,
    /// Sequence number of the first video packet.
    pub(super) video_sequence: u16,
    /// Timestamp of the first audio packet.
    pub(super) audio_timestamp: u32,
    /// Timestamp of the first picture.
    pub(super) video_timestamp: u32,
}

impl Numbers {
    /// At random (RFC 3550, section 5.1); `None` where the system gives no random bytes.
    pub(super) fn random() -> Option<Self> {
        let [mut sequences, mut audio, mut video] = [[0; 4]; 3];
        let random = SystemRandom::new();
        for bytes in [&mut sequences, &mut audio, &mut video] {
            random.fill(bytes).ok()?;
        }
        let [a, b, c, d] = sequences;
        Some(Self {
            audio_sequence: u16::from_be_bytes([a, b]),
            video_sequence: u16::from_be_bytes([c, d]),
            audio_timestamp: u32::from_be_bytes(audio),
            video_timestamp: u32::from_be_bytes(video),
        })
    }
}

/// Where in the clip one leg is.
#[derive(Debug)]
pub(super) struct Player {
    clip: &'static Clip,
    audio: Packetizer,
    video: Packetizer,
    /// Where the timestamps begin.
    audio_timestamp: u32,
    video_timestamp: u32,
    /// Audio packets and pictures given so far.
    audio_given: u32,
    video_given: u32,
    /// The next picture's place in the clip.
    video_at: usize,
    /// Pictures given since the last key frame.
    since_key: usize,
}

impl Player {
    pub(super) const fn new(clip: &'static Clip, numbers: Numbers, role: Role) -> Self {
        Self {
            clip,
            audio: Packetizer::new(role, Codec::Opus, numbers.audio_sequence),
            video: Packetizer::new(role, Codec::Vp8, numbers.video_sequence),
            audio_timestamp: numbers.audio_timestamp,
            video_timestamp: numbers.video_timestamp,
            audio_given: 0,
            video_given: 0,
            video_at: 0,
            since_key: 0,
        }
    }

    /// When the next packets are due, from the beginning.
    pub(super) fn due(&self) -> Duration {
        self.audio_due().min(self.video_due())
    }

    /// The packets that are due next: one of audio, or those of one picture.
    pub(super) fn next(&mut self) -> Vec<(FlowKind, Vec<u8>)> {
        if self.audio_due() <= self.video_due() {
            self.next_audio()
        } else {
            self.next_video()
        }
    }

    /// Goes on at the next key frame, unless one has just been given.
    pub(super) fn skip_to_key_frame(&mut self) {
        let frames = self.clip.video.len();
        if self.since_key > FRESH {
            let ahead = (0..frames).find(|skip| self.frame(self.video_at + skip).is_some_and(|frame| frame.is_key));
            self.video_at += ahead.unwrap_or_default();
        }
    }

    fn audio_due(&self) -> Duration {
        Duration::from_secs(1) / PACKETS_A_SECOND * self.audio_given
    }

    fn video_due(&self) -> Duration {
        Duration::from_secs(1) * self.video_given / FRAMES_A_SECOND
    }

    fn frame(&self, at: usize) -> Option<&'static Frame> {
        self.clip.video.get(at % self.clip.video.len())
    }

    fn next_audio(&mut self) -> Vec<(FlowKind, Vec<u8>)> {
        let count = self.audio_given;
        self.audio_given += 1;
        let at = usize::try_from(count).unwrap_or_default() % self.clip.audio.len();
        let Some(sound) = self.clip.audio.get(at) else {
            return Vec::new();
        };
        let timestamp = self.audio_timestamp.wrapping_add(count.wrapping_mul(AUDIO_STEP));
        let packet = self.audio.packet(count == 0, timestamp, &[sound]);
        vec![(FlowKind::Audio, packet)]
    }

    fn next_video(&mut self) -> Vec<(FlowKind, Vec<u8>)> {
        let Some(frame) = self.frame(self.video_at) else {
            return Vec::new();
        };
        let count = self.video_given;
        let timestamp = self.video_timestamp.wrapping_add(count.wrapping_mul(VIDEO_STEP));
        let [.., high, low] = count.to_be_bytes();
        let packets = self
            .video
            .vp8_frame(timestamp, u16::from_be_bytes([high, low]), frame.bytes);
        self.video_given += 1;
        self.video_at += 1;
        self.since_key = if frame.is_key { 0 } else { self.since_key + 1 };
        packets.into_iter().map(|packet| (FlowKind::Video, packet)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests stop at the first surprise"
    )]
    use twocan_core::media::codecs::ssrc;
    use twocan_core::media::frames::Vp8Frames;
    use twocan_core::media::packetizer::PAYLOAD_MOST;
    use twocan_core::media::rtp::Header;

    use super::*;

    /// Both sequence numbers wrap within the first second.
    const NUMBERS: Numbers = Numbers {
        audio_sequence: 65_530,
        video_sequence: 65_500,
        audio_timestamp: u32::MAX - 4000,
        video_timestamp: u32::MAX - 4000,
    };

    fn player() -> Player {
        Player::new(Clip::built_in().unwrap(), NUMBERS, Role::Callee)
    }

    #[test]
    fn packets_are_canonical_short_and_in_order() {
        let mut player = player();
        let mut next = [NUMBERS.audio_sequence, NUMBERS.video_sequence];
        while player.due() < Duration::from_secs(7) {
            for (kind, packet) in player.next() {
                let header = Header::parse(&packet).unwrap();
                let codec = Codec::from_payload_type(header.payload_type).unwrap();
                assert_eq!((codec.flow(), header.ssrc), (kind, ssrc(Role::Callee, kind)));
                assert!(header.payload.len() <= PAYLOAD_MOST);
                assert_eq!(header.sequence, next[kind as usize]);
                next[kind as usize] = next[kind as usize].wrapping_add(1);
            }
        }
        assert_eq!((player.audio_given, player.video_given), (350, 210));
    }

    #[test]
    fn the_frames_come_out_as_they_went_in() {
        let clip = Clip::built_in().unwrap();
        let mut player = player();
        let mut frames = Vp8Frames::default();
        let mut whole = Vec::new();
        while player.video_given < 100 {
            for (kind, packet) in player.next() {
                if kind == FlowKind::Video {
                    whole.extend(frames.push(&packet).unwrap());
                }
            }
        }
        let wanted: Vec<&[u8]> = clip.video.iter().cycle().take(100).map(|frame| frame.bytes).collect();
        assert_eq!(whole, wanted);
    }

    #[test]
    fn a_key_frame_comes_at_once_when_asked_for() {
        let mut player = player();
        while player.video_given < 10 {
            player.next();
        }
        player.skip_to_key_frame();
        assert_eq!(player.video_at, 10, "the last one is fresh");
        while player.video_given < 50 {
            player.next();
        }
        player.skip_to_key_frame();
        assert_eq!(player.video_at, 60);
        while player.video_given < 75 {
            player.next();
        }
        player.skip_to_key_frame();
        assert_eq!(player.video_at, 90, "the clip begins anew");
        assert!(player.frame(player.video_at).unwrap().is_key);
    }
}
