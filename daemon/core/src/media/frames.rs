//! Complete VP8 frames out of RTP packets (RFC 7741), for whoever counts what really came.
//!
//! A frame is complete when an unbroken run of sequence numbers with one timestamp leads from the start of its first
//! partition to the marker. Packets may come in any order and more than once; a frame is given once. Packets of frames
//! that never complete are forgotten after [`KEPT`] others. Retransmissions have to be unwrapped first.

use std::collections::{BTreeMap, VecDeque};

use super::MapError;
use super::bytes::u8_at;
use super::rtp::Header;
use super::sequence::Turns;

/// Packets kept while their frame is incomplete.
const KEPT: usize = 1024;
/// Timestamps of given frames that are remembered.
const GIVEN: usize = 64;

#[derive(Debug)]
struct Piece {
    timestamp: u32,
    starts: bool,
    ends: bool,
    bytes: Vec<u8>,
}

/// Collects the packets of one VP8 stream.
#[derive(Debug, Default)]
pub struct Vp8Frames {
    /// By sequence number, extended so that it does not wrap.
    pieces: BTreeMap<u64, Piece>,
    turns: Turns,
    given: VecDeque<u32>,
}

impl Vp8Frames {
    /// Takes one RTP packet whose payload type is VP8's; gives the frame it completed, as the encoder made it.
    ///
    /// # Errors
    /// [`MapError::Malformed`] where it is no RTP or has no VP8 payload descriptor.
    pub fn push(&mut self, packet: &[u8]) -> Result<Option<Vec<u8>>, MapError> {
        let header = Header::parse(packet)?;
        let at = self.turns.extend(header.sequence);
        let payload = packet.get(header.payload.clone()).ok_or(MapError::Malformed)?;
        // Probes of the bandwidth are all padding.
        if payload.is_empty() || self.given.contains(&header.timestamp) {
            return Ok(None);
        }
        let (starts, bytes) = descriptor(payload)?;
        let piece = Piece {
            timestamp: header.timestamp,
            starts,
            ends: header.marker,
            bytes: bytes.to_vec(),
        };
        self.pieces.insert(at, piece);
        self.forget_oldest();
        Ok(self.run_around(at).map(|(first, last)| self.take(first, last)))
    }

    fn forget_oldest(&mut self) {
        while self.pieces.len() > KEPT {
            self.pieces.pop_first();
        }
    }

    /// First and last number of the complete frame that holds piece `at`.
    fn run_around(&self, at: u64) -> Option<(u64, u64)> {
        let timestamp = self.pieces.get(&at)?.timestamp;
        let piece = |at| self.pieces.get(&at).filter(|piece| piece.timestamp == timestamp);
        let mut first = at;
        while !piece(first)?.starts {
            first = first.checked_sub(1)?;
        }
        let mut last = at;
        while !piece(last)?.ends {
            last += 1;
        }
        Some((first, last))
    }

    fn take(&mut self, first: u64, last: u64) -> Vec<u8> {
        let mut frame = Vec::new();
        for at in first..=last {
            if let Some(piece) = self.pieces.remove(&at) {
                frame.extend(piece.bytes);
                self.remember(piece.timestamp);
            }
        }
        frame
    }

    fn remember(&mut self, timestamp: u32) {
        if self.given.back() == Some(&timestamp) {
            return;
        }
        if self.given.len() >= GIVEN {
            self.given.pop_front();
        }
        self.given.push_back(timestamp);
    }
}

/// Reads the payload descriptor (RFC 7741, section 4.2): whether the packet starts a frame, and what lies behind.
fn descriptor(payload: &[u8]) -> Result<(bool, &[u8]), MapError> {
    let first = u8_at(payload, 0)?;
    let starts = first & 0x10 != 0 && first & 0x07 == 0;
    let mut at = 1;
    if first & 0x80 != 0 {
        let present = u8_at(payload, at)?;
        at += 1;
        if present & 0x80 != 0 {
            at += if u8_at(payload, at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(present & 0x40 != 0);
        at += usize::from(present & 0x30 != 0);
    }
    let rest = payload.get(at..).ok_or(MapError::Malformed)?;
    Ok((starts, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, if marker { 0xE0 } else { 0x60 }];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(payload);
        packet
    }

    /// A frame in packets of two bytes each.
    fn packets(sequence: u16, timestamp: u32, frame: &[u8]) -> Vec<Vec<u8>> {
        let last = frame.chunks(2).count() - 1;
        let numbers = (0..).map(|at| sequence.wrapping_add(at));
        let chunks = frame.chunks(2).enumerate().zip(numbers);
        let packets = chunks.map(|((at, chunk), number)| {
            let head: &[u8] = if at == 0 { &[0x90, 0x80, 0x81, 0x02] } else { &[0x00] };
            packet(number, timestamp, at == last, &[head, chunk].concat())
        });
        packets.collect()
    }

    fn frames(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut frames = Vp8Frames::default();
        packets
            .iter()
            .filter_map(|packet| frames.push(packet).expect("well formed"))
            .collect()
    }

    #[test]
    fn descriptors() {
        assert_eq!(descriptor(&[0x10, 1, 2]), Ok((true, &[1, 2][..])));
        assert_eq!(descriptor(&[0x11, 1]), Ok((false, &[1][..])), "another partition");
        assert_eq!(
            descriptor(&[0x90, 0x80, 0x05, 9]),
            Ok((true, &[9][..])),
            "short picture id"
        );
        assert_eq!(
            descriptor(&[0x90, 0xF0, 0x85, 0, 1, 2, 9]),
            Ok((true, &[9][..])),
            "everything"
        );
        assert_eq!(descriptor(&[0x80]), Err(MapError::Malformed));
    }

    #[test]
    fn a_missing_packet_costs_its_frame_only() {
        let mut all = packets(65_533, 1, b"abcdef");
        all.extend(packets(0, 2, b"ghijkl"));
        all.extend(packets(3, 3, b"m"));
        assert_eq!(frames(&all), [b"abcdef".to_vec(), b"ghijkl".to_vec(), b"m".to_vec()]);
        all.remove(4);
        assert_eq!(frames(&all), [b"abcdef".to_vec(), b"m".to_vec()]);
    }

    #[test]
    fn padding_is_no_part_of_a_frame() {
        let mut probe = packet(1, 1, false, &[0, 0, 3]);
        if let Some(first) = probe.first_mut() {
            *first |= 0x20;
        }
        let all = [packets(0, 1, b"a"), vec![probe], packets(2, 2, b"b")].concat();
        assert_eq!(frames(&all), [b"a".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn endless_frames_are_bounded() {
        let mut frames = Vp8Frames::default();
        for number in 0..u16::MAX {
            let endless = packet(number, u32::from(number), false, &[0x10, 1]);
            assert_eq!(frames.push(&endless), Ok(None));
            assert!(frames.pieces.len() <= KEPT);
        }
    }

    proptest! {
        #[test]
        fn any_order_and_duplicates_give_each_frame_once(
            start in any::<u16>(),
            swaps in prop::collection::vec((0..30_usize, 0..30_usize), 0..40),
        ) {
            let bodies: Vec<Vec<u8>> = (1..=6_u8).map(|len| vec![len; usize::from(len) * 2]).collect();
            let mut all = Vec::new();
            let mut sequence = start;
            for (timestamp, body) in (0..).zip(&bodies) {
                let frame = packets(sequence, timestamp, body);
                sequence = sequence.wrapping_add(u16::try_from(frame.len()).expect("short"));
                all.extend(frame);
            }
            let duplicates: Vec<_> = all.iter().step_by(3).cloned().collect();
            all.extend(duplicates);
            let len = all.len();
            for (a, b) in swaps {
                all.swap(a % len, b % len);
            }
            let mut got = frames(&all);
            got.sort();
            prop_assert_eq!(got, bodies);
        }

        #[test]
        fn any_bytes_are_an_answer(all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut frames = Vp8Frames::default();
            for bytes in all {
                if let Ok(Some(frame)) = frames.push(&bytes) {
                    prop_assert!(frame.len() < 800);
                }
            }
        }
    }
}
