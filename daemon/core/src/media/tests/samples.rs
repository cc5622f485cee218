//! Hand-made packets and two legs that agree on no number.

use crate::media::codecs::{Codec, Extension};
use crate::media::flow::Role;
use crate::media::leg_map::{LegMap, Mids, Negotiated, SendSsrcs};

pub(super) const A_AUDIO: u32 = 0xA000_0001;
pub(super) const A_VIDEO: u32 = 0xA000_0002;
pub(super) const A_RTX: u32 = 0xA000_0003;
pub(super) const B_AUDIO: u32 = 0xB000_0001;
pub(super) const B_VIDEO: u32 = 0xB000_0002;
pub(super) const B_RTX: u32 = 0xB000_0003;

/// The caller's leg, which tells its SSRCs in its SDP.
pub(super) fn leg_a() -> LegMap {
    LegMap::new(
        Role::Caller,
        Negotiated {
            payload_types: vec![(Codec::Opus, 109), (Codec::Vp8, 120), (Codec::Vp8Rtx, 124)],
            extensions: vec![
                (Extension::AudioLevel, 2),
                (Extension::TransportCc, 7),
                (Extension::AbsSendTime, 4),
                (Extension::Mid, 3),
            ],
            mids: Mids {
                audio: Some("0".into()),
                video: Some("1".into()),
            },
            ssrcs: SendSsrcs {
                audio: Some(A_AUDIO),
                video: Some(A_VIDEO),
                video_rtx: Some(A_RTX),
            },
        },
    )
}

/// The callee's leg, whose SSRCs are learnt.
pub(super) fn leg_b() -> LegMap {
    LegMap::new(
        Role::Callee,
        Negotiated {
            payload_types: vec![
                (Codec::Opus, 63),
                (Codec::Vp8, 35),
                (Codec::Vp8Rtx, 36),
                (Codec::H264, 37),
                (Codec::H264, 38),
            ],
            extensions: vec![
                (Extension::AudioLevel, 11),
                (Extension::TransportCc, 12),
                (Extension::AbsSendTime, 13),
                (Extension::Mid, 14),
                (Extension::Rid, 10),
            ],
            mids: Mids {
                audio: Some("sound".into()),
                video: Some("picture".into()),
            },
            ssrcs: SendSsrcs::default(),
        },
    )
}

/// An RTP packet to be marshalled by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rtp {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) elements: Vec<(u8, Vec<u8>)>,
    pub(super) payload: Vec<u8>,
    pub(super) padding: u8,
}

impl Rtp {
    /// The bytes, with a one-byte extension where there are elements.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let padded = if self.padding > 0 { 0x20 } else { 0 };
        let extended = if self.elements.is_empty() { 0 } else { 0x10 };
        let mut out = vec![0x80 | padded | extended, u8::from(self.marker) << 7 | self.payload_type];
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(self.extension());
        out.extend(&self.payload);
        if let Some(zeros) = self.padding.checked_sub(1) {
            out.extend(vec![0; usize::from(zeros)]);
            out.push(self.padding);
        }
        out
    }

    fn extension(&self) -> Vec<u8> {
        if self.elements.is_empty() {
            return Vec::new();
        }
        let mut block = Vec::new();
        for (id, data) in &self.elements {
            let len = u8::try_from(data.len() - 1).expect("short");
            block.push(id << 4 | len);
            block.extend(data);
        }
        block.resize(block.len().next_multiple_of(4), 0);
        let words = u16::try_from(block.len() / 4).expect("short");
        [&[0xBE, 0xDE], &words.to_be_bytes()[..], &block].concat()
    }

    /// The packet with other numbers.
    pub(super) fn with(&self, payload_type: u8, ssrc: u32, elements: Vec<(u8, Vec<u8>)>) -> Vec<u8> {
        Self {
            payload_type,
            ssrc,
            elements,
            ..self.clone()
        }
        .bytes()
    }
}

/// An RTCP packet.
pub(super) fn rtcp(count: u8, kind: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    assert_eq!(body.len() % 4, 0, "whole words");
    let words = u16::try_from(body.len() / 4).expect("short");
    let mut out = vec![0x80 | count, kind];
    out.extend(words.to_be_bytes());
    out.extend(body);
    out
}

/// The same packet with its padding bit set.
pub(super) fn padded(mut packet: Vec<u8>) -> Vec<u8> {
    if let Some(first) = packet.first_mut() {
        *first |= 0x20;
    }
    packet
}

/// Teaches `leg_b` its SSRCs by a packet each.
pub(super) fn heard_b() -> LegMap {
    let mut leg = leg_b();
    for (payload_type, ssrc) in [(63, B_AUDIO), (35, B_VIDEO), (36, B_RTX)] {
        let packet = Rtp {
            payload_type,
            ssrc,
            ..Rtp::default()
        };
        leg.rtp_to_wire(&mut packet.bytes()).expect("can be mapped");
    }
    leg
}
