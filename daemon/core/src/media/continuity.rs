//! One unbroken stream per flow, whichever leg speaks.
//!
//! On the wire a side has one SSRC per flow for the whole call, but each leg numbers its packets from its own random
//! start: after a reload the far side would take the new leg's packets for replays (RFC 3711, section 3.3.2) and stay
//! deaf for up to 32,768 of them. So sequence numbers, timestamps and transport-wide sequence numbers of every leg but
//! the first are shifted to go on where the last one stopped, and what the far side says about them is shifted back.
//! The same goes for an SSRC that takes a flow over within one leg.
//!
//! All packets here are in the canonical wire profile. A call with one leg is never touched. Times are durations since
//! one origin of the caller's choice.

use std::borrow::Cow;
use std::time::Duration;

use super::bytes::{map_u16, map_u32};
use super::codecs::{self, Extension};
use super::flow::{FlowKind, Role};
use super::rtcp::{self, Translate};
use super::rtp::Header;
use super::{MapError, rtp_extensions};
use crate::ids::LegId;

/// The pause that a change of legs leaves in the timestamps, at least.
const PAUSE: Duration = Duration::from_millis(20);

/// The streams of one side of a call.
#[derive(Debug, Default)]
pub struct Continuity {
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
    /// The leg that speaks begins a numbering of its own once more.
    restarts: bool,
    sequence_shift: u16,
    timestamp_shift: u32,
}

/// The newest packet, as it went out.
#[derive(Clone, Copy, Debug)]
struct Last {
    leg: LegId,
    sequence: u16,
    timestamp: u32,
    at: Duration,
}

impl Stream {
    /// Takes one packet's own numbers into account.
    fn observe(&mut self, leg: LegId, sequence: u16, timestamp: u32, clock_rate: u32, now: Duration) {
        let restarts = std::mem::take(&mut self.restarts);
        if let Some(last) = self.last.filter(|last| last.leg != leg || restarts) {
            self.sequence_shift = last.sequence.wrapping_add(1).wrapping_sub(sequence);
            let pause = ticks(now.saturating_sub(last.at).max(PAUSE), clock_rate);
            self.timestamp_shift = last.timestamp.wrapping_add(pause).wrapping_sub(timestamp);
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

/// Ticks of an RTP clock in `pause`; more than a quarter of its turn makes no sense and is cut.
fn ticks(pause: Duration, clock_rate: u32) -> u32 {
    let ticks = pause.as_millis() * u128::from(clock_rate) / 1000;
    u32::try_from(ticks).unwrap_or(u32::MAX).min(u32::MAX / 4)
}

impl Continuity {
    /// A packet of `leg`, as it is to go out; `None` where it is malformed, or repeats what another leg sent.
    pub fn up<'a>(&mut self, leg: LegId, kind: FlowKind, packet: &'a [u8], now: Duration) -> Option<Cow<'a, [u8]>> {
        match kind {
            FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => self.rtp_up(leg, kind, packet, now),
            FlowKind::Rtcp => self.rtcp_up(leg, packet),
        }
    }

    /// The next packet of flow `kind` from `leg` begins another numbering: a new SSRC has taken the flow over.
    pub fn restart(&mut self, leg: LegId, kind: FlowKind) {
        if let Some(stream) = self.stream_mut(kind).filter(|stream| stream.belongs_to(leg)) {
            stream.restarts = true;
        }
    }

    /// What the far side says, as `leg`, of the user in role `own`, numbers its packets; `None` where it is malformed.
    #[must_use]
    pub fn rtcp_down<'a>(&self, leg: LegId, own: Role, compound: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let shifted = [&self.audio, &self.video, &self.rtx, &self.transport]
            .iter()
            .any(|stream| stream.is_shifted());
        if !shifted {
            return Some(Cow::Borrowed(compound));
        }
        rewritten(compound, &mut Down { of: self, leg, own })
    }

    fn rtp_up<'a>(&mut self, leg: LegId, kind: FlowKind, packet: &'a [u8], now: Duration) -> Option<Cow<'a, [u8]>> {
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
        if !self.stream(kind)?.is_shifted() && !self.transport.is_shifted() {
            return Some(Cow::Borrowed(packet));
        }
        let mut packet = packet.to_vec();
        self.shift(&mut packet, &header, kind, transport.map(|(at, _)| at))
            .ok()?;
        Some(Cow::Owned(packet))
    }

    fn shift(
        &self,
        packet: &mut [u8],
        header: &Header,
        kind: FlowKind,
        transport: Option<usize>,
    ) -> Result<(), MapError> {
        let sequence_shift = self.stream(kind).map_or(0, |stream| stream.sequence_shift);
        map_u16(packet, 2, |sequence| sequence.wrapping_add(sequence_shift))?;
        map_u32(packet, 4, |timestamp| {
            timestamp.wrapping_add(self.timestamp_shift(kind))
        })?;
        if kind == FlowKind::VideoRtx && header.payload.len() >= 2 {
            map_u16(packet, header.payload.start, |original| {
                original.wrapping_add(self.video.sequence_shift)
            })?;
        }
        transport.map_or(Ok(()), |at| {
            map_u16(packet, at, |sequence| {
                sequence.wrapping_add(self.transport.sequence_shift)
            })
        })
    }

    /// Sender reports tie the shifted timestamps to the sender's clock (RFC 3550, section 6.4.1).
    fn rtcp_up<'a>(&self, leg: LegId, compound: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let shifted = [&self.audio, &self.video]
            .iter()
            .any(|stream| stream.belongs_to(leg) && stream.is_shifted());
        if !shifted {
            return Some(Cow::Borrowed(compound));
        }
        rewritten(compound, &mut Up { of: self, leg })
    }

    /// A retransmission has the timestamp of what it repeats (RFC 4588, section 4).
    const fn timestamp_shift(&self, kind: FlowKind) -> u32 {
        match kind {
            FlowKind::Audio => self.audio.timestamp_shift,
            FlowKind::Video | FlowKind::VideoRtx => self.video.timestamp_shift,
            FlowKind::Rtcp => 0,
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
    let data = rtp_extensions::data_of(packet, header, Extension::TransportCc.wire_id()?)?;
    let number = <[u8; 2]>::try_from(packet.get(data.clone())?).ok()?;
    Some((data.start, u16::from_be_bytes(number)))
}

fn rewritten<'a>(compound: &[u8], translate: &mut impl Translate) -> Option<Cow<'a, [u8]>> {
    let mut compound = compound.to_vec();
    rtcp::rewrite(&mut compound, &mut Vec::new(), translate).ok()?;
    Some(Cow::Owned(compound))
}

/// What a leg says about its own streams.
struct Up<'a> {
    of: &'a Continuity,
    leg: LegId,
}

impl Translate for Up<'_> {
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        Some(ssrc)
    }

    fn target(&self, ssrc: u32) -> u32 {
        ssrc
    }

    fn timestamp_shift(&self, source: u32) -> u32 {
        codecs::ssrc_owner(source)
            .filter(|(_, kind)| self.of.stream(*kind).is_some_and(|stream| stream.belongs_to(self.leg)))
            .map_or(0, |(_, kind)| self.of.timestamp_shift(kind))
    }
}

/// What the far side says about the streams of a leg.
struct Down<'a> {
    of: &'a Continuity,
    leg: LegId,
    own: Role,
}

impl Translate for Down<'_> {
    fn source(&mut self, ssrc: u32) -> Option<u32> {
        Some(ssrc)
    }

    fn target(&self, ssrc: u32) -> u32 {
        ssrc
    }

    fn sequence_shift(&self, target: u32) -> u16 {
        codecs::ssrc_owner(target)
            .filter(|(role, _)| *role == self.own)
            .and_then(|(_, kind)| self.of.stream(kind))
            .filter(|stream| stream.belongs_to(self.leg))
            .map_or(0, |stream| stream.sequence_shift.wrapping_neg())
    }

    fn transport_shift(&self) -> u16 {
        if self.of.transport.belongs_to(self.leg) {
            self.of.transport.sequence_shift.wrapping_neg()
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests;
