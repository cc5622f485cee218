//! Canonical RTP packets out of encoded media, for the legs that the daemon itself plays.

use super::codecs::{self, Codec};
use super::flow::Role;

/// Payload bytes of the longest packet, descriptor included: with RTP header it fits a datagram of every path.
pub const PAYLOAD_MOST: usize = 1100;
/// Bytes of the VP8 payload descriptor.
const DESCRIPTOR: usize = 4;
/// Bytes of VP8 in one packet.
const VP8_BYTES: usize = PAYLOAD_MOST - DESCRIPTOR;
/// RFC 7741, section 4.2: X, since a picture id follows; S at the start of partition 0.
const VP8_GOES_ON: u8 = 0x80;
const VP8_START: u8 = VP8_GOES_ON | 0x10;
/// I, then M: the picture id has 15 bits.
const PICTURE_ID: u8 = 0x80;
const LONG_ID: u8 = 0x80;

/// Writes one stream.
#[derive(Clone, Debug)]
pub struct Packetizer {
    codec: Codec,
    ssrc: u32,
    sequence: u16,
}

impl Packetizer {
    /// The stream that the side in `role` sends with `codec`; its first packet bears `sequence`.
    #[must_use]
    pub const fn new(role: Role, codec: Codec, sequence: u16) -> Self {
        Self {
            codec,
            ssrc: codecs::ssrc(role, codec.flow()),
            sequence,
        }
    }

    /// One packet with this payload, such as an Opus frame.
    pub fn packet(&mut self, marker: bool, timestamp: u32, payload: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::with_capacity(12 + PAYLOAD_MOST);
        out.extend([0x80, (u8::from(marker) << 7) | self.codec.payload_type()]);
        out.extend(self.sequence.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(payload.iter().copied().flatten());
        self.sequence = self.sequence.wrapping_add(1);
        out
    }

    /// The packets of one VP8 frame, the last one marked. Frames are numbered by `picture`, of which 15 bits are sent.
    pub fn vp8_frame(&mut self, timestamp: u32, picture: u16, frame: &[u8]) -> Vec<Vec<u8>> {
        let [high, low] = picture.to_be_bytes();
        let last = frame.len().div_ceil(VP8_BYTES).saturating_sub(1);
        let pieces = frame.chunks(VP8_BYTES).enumerate();
        let packets = pieces.map(|(at, piece)| {
            let descriptor = if at == 0 { VP8_START } else { VP8_GOES_ON };
            let descriptor = [descriptor, PICTURE_ID, LONG_ID | high, low];
            self.packet(at == last, timestamp, &[&descriptor, piece])
        });
        packets.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::flow::FlowKind;
    use super::super::frames::Vp8Frames;
    use super::super::rtp::Header;
    use super::*;

    #[test]
    fn frames_are_found_again() {
        let mut sender = Packetizer::new(Role::Callee, Codec::Vp8, 65_535);
        let mut frames = Vp8Frames::default();
        for (timestamp, len) in (0..).zip([1, VP8_BYTES, VP8_BYTES + 1, 10 * VP8_BYTES]) {
            let frame = vec![7; len];
            let packets = sender.vp8_frame(timestamp, 0x7FFF, &frame);
            assert_eq!(packets.len(), len.div_ceil(VP8_BYTES));
            let found: Vec<_> = packets
                .iter()
                .filter_map(|packet| frames.push(packet).expect("VP8"))
                .collect();
            assert_eq!(found, [frame]);
        }
    }

    #[test]
    fn packets_are_canonical() {
        let mut sender = Packetizer::new(Role::Caller, Codec::Opus, 4);
        let packet = sender.packet(true, 960, &[b"sound"]);
        let header = Header::parse(&packet).expect("well formed");
        assert_eq!((header.payload_type, header.sequence, header.timestamp), (111, 4, 960));
        assert_eq!(header.ssrc, codecs::ssrc(Role::Caller, FlowKind::Audio));
        assert_eq!(packet.get(header.payload), Some(&b"sound"[..]));
    }
}
