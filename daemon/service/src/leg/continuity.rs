//! One unbroken stream per flow, whichever leg speaks.
//!
//! On the wire a side has one SSRC per flow for the whole call, but each leg numbers its packets from its own random
//! start: after a reload the far side's SRTP and jitter buffers would take the new leg's packets for old ones. So
//! sequence numbers, timestamps and transport-wide sequence numbers of every leg but the first are shifted to go on
//! where the last one stopped, and what the far side says about them is shifted back.
//!
//! All packets here are in the canonical wire profile, except that shifts are undone before a leg's own map runs. A call
//! with one leg is never touched.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use twocan_core::ids::LegId;
use twocan_core::media::codecs::{self, Extension};
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::rtp::Header;

/// One-byte header extensions (RFC 8285, section 4.2); no extension of the profile needs the other form.
const ONE_BYTE: u16 = 0xBEDE;
/// The pause that a change of legs leaves in the timestamps, at least.
const PAUSE: Duration = Duration::from_millis(20);

/// The streams of one side of a call.
#[derive(Debug, Default)]
pub(super) struct Continuity {
    audio: Stream,
    video: Stream,
    rtx: Stream,
    /// The transport-wide numbering, across flows; without timestamps.
    transport: Stream,
}

/// One numbering.
#[derive(Debug, Default)]
struct Stream {
    last: Option<Last>,
    sequence_shift: u16,
    timestamp_shift: u32,
}

/// The newest packet, as it went out.
#[derive(Clone, Copy, Debug)]
struct Last {
    leg: LegId,
    sequence: u16,
    timestamp: u32,
    at: Instant,
}

impl Stream {
    /// Takes one packet's own numbers into account.
    fn observe(&mut self, leg: LegId, sequence: u16, timestamp: u32, clock_rate: u32, now: Instant) {
        if let Some(last) = self.last.filter(|last| last.leg != leg) {
            let pause = now.saturating_duration_since(last.at).max(PAUSE).as_millis();
            let ticks = u32::try_from(pause * u128::from(clock_rate) / 1000).unwrap_or(u32::MAX);
            self.sequence_shift = last.sequence.wrapping_add(1).wrapping_sub(sequence);
            self.timestamp_shift = last.timestamp.wrapping_add(ticks).wrapping_sub(timestamp);
            self.last = None;
        }
        let sequence = sequence.wrapping_add(self.sequence_shift);
        let newer = self
            .last
            .is_none_or(|last| sequence.wrapping_sub(last.sequence) < 0x8000);
        if newer {
            let timestamp = timestamp.wrapping_add(self.timestamp_shift);
            self.last = Some(Last {
                leg,
                sequence,
                timestamp,
                at: now,
            });
        }
    }

    fn belongs_to(&self, leg: LegId) -> bool {
        self.last.is_some_and(|last| last.leg == leg)
    }

    const fn is_shifted(&self) -> bool {
        self.sequence_shift != 0 || self.timestamp_shift != 0
    }
}

impl Continuity {
    /// A packet of `leg`, as it is to go out; `None` where it repeats what another leg sent.
    pub(super) fn up<'a>(
        &mut self,
        leg: LegId,
        kind: FlowKind,
        packet: &'a [u8],
        now: Instant,
    ) -> Option<Cow<'a, [u8]>> {
        match kind {
            FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => self.rtp_up(leg, kind, packet, now),
            FlowKind::Rtcp => Some(self.rtcp_up(leg, packet)),
        }
    }

    fn rtp_up<'a>(&mut self, leg: LegId, kind: FlowKind, packet: &'a [u8], now: Instant) -> Option<Cow<'a, [u8]>> {
        let header = Header::parse(packet).ok()?;
        if kind == FlowKind::VideoRtx && !self.video.belongs_to(leg) {
            return None;
        }
        let transport = transport_sequence(packet, &header);
        if let Some((_, sequence)) = transport {
            self.transport.observe(leg, sequence, 0, 0, now);
        }
        self.stream_mut(kind)?
            .observe(leg, header.sequence, header.timestamp, codecs::clock_rate(kind), now);
        let stream = self.stream(kind)?;
        if !stream.is_shifted() && !self.transport.is_shifted() {
            return Some(Cow::Borrowed(packet));
        }
        let mut packet = packet.to_vec();
        add_u16(&mut packet, 2, stream.sequence_shift);
        // A retransmission has the timestamp of what it repeats (RFC 4588, section 4).
        let timestamps = if kind == FlowKind::VideoRtx {
            &self.video
        } else {
            stream
        };
        add_u32(&mut packet, 4, timestamps.timestamp_shift);
        if kind == FlowKind::VideoRtx && header.payload.len() >= 2 {
            add_u16(&mut packet, header.payload.start, self.video.sequence_shift);
        }
        if let Some((at, _)) = transport {
            add_u16(&mut packet, at, self.transport.sequence_shift);
        }
        Some(Cow::Owned(packet))
    }

    /// Sender reports tie the shifted timestamps to the sender's clock (RFC 3550, section 6.4.1).
    fn rtcp_up<'a>(&self, leg: LegId, compound: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = Cow::Borrowed(compound);
        for (at, packet) in Packets::of(compound) {
            if packet.kind == SENDER_REPORT
                && let Some(stream) = packet
                    .ssrc(4)
                    .and_then(codecs::ssrc_owner)
                    .and_then(|(_, kind)| self.stream(kind))
                && stream.belongs_to(leg)
                && stream.is_shifted()
            {
                add_u32(out.to_mut(), at + 16, stream.timestamp_shift);
            }
        }
        out
    }

    /// What the far side says, as `leg`, of the user in role `own`, numbers its packets.
    pub(super) fn rtcp_down<'a>(&self, leg: LegId, own: Role, compound: &'a [u8]) -> Cow<'a, [u8]> {
        let shifted = [&self.audio, &self.video, &self.rtx, &self.transport]
            .iter()
            .any(|stream| stream.is_shifted());
        let mut out = Cow::Borrowed(compound);
        if !shifted {
            return out;
        }
        for (at, packet) in Packets::of(compound) {
            for (offset, shift) in self.numbers(leg, own, &packet) {
                add_u16(out.to_mut(), at + offset, 0u16.wrapping_sub(shift));
            }
        }
        out
    }

    /// Where sequence numbers of ours stand in a packet, and by how much each is shifted.
    fn numbers(&self, leg: LegId, own: Role, packet: &Packet<'_>) -> Vec<(usize, u16)> {
        let shift_of = |ssrc: Option<u32>| {
            let (role, kind) = codecs::ssrc_owner(ssrc?)?;
            let stream = self
                .stream(kind)
                .filter(|stream| role == own && stream.belongs_to(leg))?;
            Some(stream.sequence_shift)
        };
        match (packet.kind, packet.count) {
            // The lower half of "extended highest sequence number received" of each report block.
            (SENDER_REPORT, blocks) => packet
                .blocks(28, blocks)
                .filter_map(|at| Some((at + 10, shift_of(packet.ssrc(at))?)))
                .collect(),
            (RECEIVER_REPORT, blocks) => packet
                .blocks(8, blocks)
                .filter_map(|at| Some((at + 10, shift_of(packet.ssrc(at))?)))
                .collect(),
            (TRANSPORT_FEEDBACK, GENERIC_NACK) => {
                let shift = shift_of(packet.ssrc(8));
                (12..packet.bytes.len())
                    .step_by(4)
                    .filter_map(|at| Some((at, shift?)))
                    .collect()
            }
            (TRANSPORT_FEEDBACK, TRANSPORT_WIDE) if self.transport.belongs_to(leg) => {
                vec![(12, self.transport.sequence_shift)]
            }
            _ => Vec::new(),
        }
    }

    const fn stream(&self, kind: FlowKind) -> Option<&Stream> {
        match kind {
            FlowKind::Audio => Some(&self.audio),
            FlowKind::Video => Some(&self.video),
            FlowKind::VideoRtx => Some(&self.rtx),
            FlowKind::Rtcp => None,
        }
    }

    const fn stream_mut(&mut self, kind: FlowKind) -> Option<&mut Stream> {
        match kind {
            FlowKind::Audio => Some(&mut self.audio),
            FlowKind::Video => Some(&mut self.video),
            FlowKind::VideoRtx => Some(&mut self.rtx),
            FlowKind::Rtcp => None,
        }
    }
}

/// Where the transport-wide sequence number stands, and what it is.
fn transport_sequence(packet: &[u8], header: &Header) -> Option<(usize, u16)> {
    let (ONE_BYTE, range) = header.extension.clone()? else {
        return None;
    };
    let mut at = range.start;
    while at < range.end {
        let first = *packet.get(at)?;
        let length = usize::from(first & 0x0F) + 1;
        match first {
            0 => at += 1,
            _ if Some(first >> 4) == Extension::TransportCc.wire_id() && length == 2 => {
                return Some((at + 1, u16::from_be_bytes([*packet.get(at + 1)?, *packet.get(at + 2)?])));
            }
            _ => at += 1 + length,
        }
    }
    None
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
/// RFC 4585, section 6.2.1.
const GENERIC_NACK: u8 = 1;
/// draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1.
const TRANSPORT_WIDE: u8 = 15;

/// One packet of a compound.
struct Packet<'a> {
    count: u8,
    kind: u8,
    bytes: &'a [u8],
}

impl Packet<'_> {
    fn ssrc(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Where whole report blocks begin.
    fn blocks(&self, first: usize, count: u8) -> impl Iterator<Item = usize> {
        let end = self.bytes.len();
        (0..usize::from(count))
            .map(move |block| first + 24 * block)
            .filter(move |at| at + 24 <= end)
    }
}

/// The packets of a compound, each with where it begins; ends at the first malformed one.
struct Packets<'a> {
    compound: &'a [u8],
    at: usize,
}

impl<'a> Packets<'a> {
    const fn of(compound: &'a [u8]) -> Self {
        Self { compound, at: 0 }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = (usize, Packet<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let [first, kind, high, low] = *self.compound.get(at..at + 4)? else {
            return None;
        };
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let bytes = self.compound.get(at..at + length)?;
        self.at += length;
        Some((
            at,
            Packet {
                count: first & 0x1F,
                kind,
                bytes,
            },
        ))
    }
}

/// Adds to a number in place; does nothing where the packet is too short.
fn add_u16(packet: &mut [u8], at: usize, shift: u16) {
    if let Some([high, low]) = packet.get_mut(at..at + 2) {
        let [new_high, new_low] = u16::from_be_bytes([*high, *low]).wrapping_add(shift).to_be_bytes();
        (*high, *low) = (new_high, new_low);
    }
}

/// Adds to a number in place; does nothing where the packet is too short.
fn add_u32(packet: &mut [u8], at: usize, shift: u32) {
    if let Some(bytes) = packet.get_mut(at..at + 4)
        && let Ok(number) = <[u8; 4]>::try_from(&*bytes)
    {
        bytes.copy_from_slice(&u32::from_be_bytes(number).wrapping_add(shift).to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
