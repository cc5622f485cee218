//! Reads the clip that is built into the binary: VP8 out of IVF, Opus out of Ogg (RFC 3533, RFC 7845).
//!
//! The readers know what `clip/make.sh` writes, and refuse everything else.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ring::digest::{SHA256, digest};

const VIDEO: &[u8] = include_bytes!("../../../clip/clip.ivf");
const AUDIO: &[u8] = include_bytes!("../../../clip/clip.opus");

/// One second's pictures.
pub(super) const FRAMES_A_SECOND: u32 = 30;
/// One second's audio packets.
pub(super) const PACKETS_A_SECOND: u32 = 50;

const IVF_HEADER: usize = 32;
const IVF_FRAME_HEADER: usize = 12;
const OGG_HEADER: usize = 27;
/// `OpusHead` and `OpusTags` come before the sound.
const OPUS_HEADERS: usize = 2;

/// One encoded picture.
#[derive(Debug)]
pub(super) struct Frame {
    /// As the encoder made it.
    pub(super) bytes: &'static [u8],
    /// Whether it needs no other.
    pub(super) is_key: bool,
}

/// The clip, in memory. It is played in a loop.
#[derive(Debug)]
pub(super) struct Clip {
    /// Opus packets of 20 ms.
    pub(super) audio: Vec<Vec<u8>>,
    /// VP8 frames, the first one a key frame.
    pub(super) video: Vec<Frame>,
    hashes: BTreeSet<Vec<u8>>,
}

impl Clip {
    /// The clip in this binary; `None` where it is damaged.
    pub(super) fn built_in() -> Option<&'static Self> {
        static CLIP: LazyLock<Option<Clip>> = LazyLock::new(|| Clip::read(VIDEO, AUDIO));
        CLIP.as_ref()
    }

    fn read(video: &'static [u8], audio: &'static [u8]) -> Option<Self> {
        let video: Vec<Frame> = ivf_frames(video)?.into_iter().map(Frame::of).collect();
        let audio = ogg_packets(audio)?.split_off(OPUS_HEADERS);
        let starts_with_key = video.first()?.is_key;
        let hashes = video.iter().map(|frame| hash(frame.bytes)).collect();
        (starts_with_key && !audio.is_empty()).then_some(Self { audio, video, hashes })
    }

    /// Whether a frame's bytes are those of a frame of the clip.
    pub(super) fn has_frame(&self, bytes: &[u8]) -> bool {
        self.hashes.contains(&hash(bytes))
    }
}

impl Frame {
    /// The lowest bit of the frame tag is clear in key frames (RFC 6386, section 9.1).
    fn of(bytes: &'static [u8]) -> Self {
        Self {
            bytes,
            is_key: bytes.first().is_some_and(|tag| tag & 1 == 0),
        }
    }
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// Every frame of an IVF file that holds VP8 at our rate; numbers are little-endian.
fn ivf_frames(file: &[u8]) -> Option<Vec<&[u8]>> {
    let (header, mut rest) = file.split_at_checked(IVF_HEADER)?;
    let rate: [u8; 8] = header.get(16..24)?.try_into().ok()?;
    let right_rate = u64::from_le_bytes(rate) == u64::from(FRAMES_A_SECOND) | 1 << 32;
    if !header.starts_with(b"DKIF") || header.get(8..12)? != b"VP80" || !right_rate {
        return None;
    }
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let (header, behind) = rest.split_at_checked(IVF_FRAME_HEADER)?;
        let length = usize::try_from(u32::from_le_bytes(*header.first_chunk()?)).ok()?;
        let (frame, behind) = behind.split_at_checked(length)?;
        frames.push(frame);
        rest = behind;
    }
    Some(frames)
}

/// Every packet of an Ogg file with one stream of Opus. A page's segments of 255 bytes continue a packet, also into
/// the next page.
fn ogg_packets(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let (header, behind) = rest.split_at_checked(OGG_HEADER)?;
        if !header.starts_with(b"OggS\0") {
            return None;
        }
        let (lengths, mut body) = behind.split_at_checked(usize::from(*header.last()?))?;
        for length in lengths {
            let (segment, behind) = body.split_at_checked(usize::from(*length))?;
            packet.extend_from_slice(segment);
            body = behind;
            if *length < u8::MAX {
                packets.push(std::mem::take(&mut packet));
            }
        }
        rest = body;
    }
    let is_opus = packets.first()?.starts_with(b"OpusHead") && packets.get(1)?.starts_with(b"OpusTags");
    (is_opus && packet.is_empty()).then_some(packets)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests stop at the first surprise"
    )]
    use super::*;

    #[test]
    fn the_clip_is_three_seconds_of_both() {
        let clip = Clip::built_in().unwrap();
        assert_eq!(clip.video.len(), 90);
        let keys: Vec<usize> = (0..90).filter(|at| clip.video[*at].is_key).collect();
        assert_eq!(keys, [0, 30, 60]);
        assert_eq!(clip.hashes.len(), 90, "no two pictures are the same");
        // One packet more than three seconds: the encoder's delay.
        assert_eq!(clip.audio.len(), 151);
        let first = &clip.audio[0];
        assert!(
            clip.audio.iter().all(|packet| packet.len() == first.len()),
            "constant rate"
        );
        // RFC 6716, section 3.1: 20 ms of fullband CELT, mono, one frame a packet.
        assert!(clip.audio.iter().all(|packet| packet[0] == 0xF8), "{:x}", first[0]);
        assert!(VIDEO.len() + AUDIO.len() <= 500_000);
    }

    #[test]
    fn the_first_frame_is_a_picture_of_its_size() {
        let clip = Clip::built_in().unwrap();
        let key = clip.video[0].bytes;
        assert_eq!(key[3..6], [0x9D, 0x01, 0x2A], "RFC 6386, section 9.1");
        assert_eq!(
            (
                u16::from_le_bytes([key[6], key[7]]),
                u16::from_le_bytes([key[8], key[9]])
            ),
            (640, 360)
        );
    }

    #[test]
    fn cut_or_foreign_files_are_refused() {
        for cut in 1..IVF_FRAME_HEADER {
            assert!(ivf_frames(&VIDEO[..VIDEO.len() - cut]).is_none());
            assert!(ogg_packets(&AUDIO[..AUDIO.len() - cut]).is_none());
        }
        assert!(ivf_frames(AUDIO).is_none() && ogg_packets(VIDEO).is_none());
        assert!(ivf_frames(b"").is_none() && ogg_packets(b"").is_none());
    }
}
