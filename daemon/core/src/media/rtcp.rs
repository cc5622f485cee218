//! Rewriting RTCP compounds (RFC 3550, section 6; reduced-size ones of RFC 5506 too), byte by byte.
//!
//! A [`Translate`] says what becomes of each SSRC and number; here lies only where SSRCs stand. Packets whose type is unknown, or
//! whose sender the translation refuses, are left out of the compound, the others stay. Anything that could name a
//! person or a program is left out as well: CNAMEs are constants, other SDES items, BYE reasons and profile-specific
//! extensions are not copied.

use super::bytes::{put, slice, u8_at, u16_at};
use super::{MapError, PACKET_MOST, rtcp_bodies, rtcp_feedback};

pub(super) const HEADER: usize = 4;

pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
const EXTENDED_REPORT: u8 = 207;

/// What becomes of the SSRCs in a compound.
pub(super) trait Translate {
    /// The SSRC of whoever sent a packet; `None` leaves the packet out.
    fn source(&mut self, ssrc: u32) -> Option<u32>;

    /// The SSRC a packet speaks about; 0 where it means nothing to the receiver, who then ignores that part.
    fn target(&self, ssrc: u32) -> u32;

    /// What to add to the RTP timestamps that `source` reports about itself.
    fn timestamp_shift(&self, _source: u32) -> u32 {
        0
    }

    /// What to add to RTP sequence numbers of `target` that a packet speaks about.
    fn sequence_shift(&self, _target: u32) -> u16 {
        0
    }

    /// What to add to the transport-wide sequence numbers that a packet speaks about.
    fn transport_shift(&self) -> u16 {
        0
    }
}

/// Rewrites `compound`; `scratch` only saves an allocation.
pub(super) fn rewrite(
    compound: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    translate: &mut impl Translate,
) -> Result<(), MapError> {
    if compound.len() > PACKET_MOST {
        return Err(MapError::TooLong);
    }
    scratch.clear();
    for packet in Packets::of(compound) {
        rewrite_packet(scratch, &packet?, translate)?;
    }
    if scratch.is_empty() {
        return Err(MapError::NothingLeft);
    }
    if scratch.len() > PACKET_MOST {
        return Err(MapError::TooLong);
    }
    std::mem::swap(compound, scratch);
    Ok(())
}

fn rewrite_packet(out: &mut Vec<u8>, packet: &Packet<'_>, translate: &mut impl Translate) -> Result<(), MapError> {
    match packet.kind {
        SENDER_REPORT => rtcp_bodies::sender_report(out, packet, translate),
        RECEIVER_REPORT => rtcp_bodies::receiver_report(out, packet, translate),
        SOURCE_DESCRIPTION => rtcp_bodies::source_description(out, packet, translate),
        BYE => rtcp_bodies::bye(out, packet, translate),
        TRANSPORT_FEEDBACK => rtcp_feedback::transport(out, packet, translate),
        PAYLOAD_FEEDBACK => rtcp_feedback::payload(out, packet, translate),
        EXTENDED_REPORT => rtcp_bodies::extended_report(out, packet, translate),
        _ => Ok(()),
    }
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// The five bits behind the version: a count or a format.
    pub(super) count: u8,
    pub(super) kind: u8,
    /// Header, body and padding.
    pub(super) bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// What lies between header and padding.
    pub(super) fn body(&self) -> Result<&'a [u8], MapError> {
        let padded = u8_at(self.bytes, 0)? & 0x20 != 0;
        let padding = if padded {
            usize::from(*self.bytes.last().ok_or(MapError::Malformed)?)
        } else {
            0
        };
        if padded && padding == 0 {
            return Err(MapError::Malformed);
        }
        let end = self.bytes.len().checked_sub(padding).ok_or(MapError::Malformed)?;
        slice(self.bytes, HEADER, end)
    }
}

/// Splits a compound into its packets; ends at the first malformed one.
#[derive(Clone, Debug)]
pub(super) struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    pub(super) const fn of(compound: &'a [u8]) -> Self {
        Self { rest: compound }
    }

    fn split(&self) -> Result<(Packet<'a>, &'a [u8]), MapError> {
        let first = u8_at(self.rest, 0)?;
        let kind = u8_at(self.rest, 1)?;
        let len = HEADER + 4 * usize::from(u16_at(self.rest, 2)?);
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(MapError::Malformed)?;
        if first >> 6 != 2 {
            return Err(MapError::Malformed);
        }
        Ok((
            Packet {
                count: first & 0x1F,
                kind,
                bytes,
            },
            rest,
        ))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, MapError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let found = self.split();
        self.rest = found.as_ref().map_or(&[], |(_, rest)| rest);
        Some(found.map(|(packet, _)| packet))
    }
}

/// A packet being written at the end of `out`.
pub(super) struct Draft<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend([0; HEADER]);
        Self { out, start }
    }

    pub(super) fn number(&mut self, number: u32) {
        self.out.extend(number.to_be_bytes());
    }

    pub(super) fn half(&mut self, number: u16) {
        self.out.extend(number.to_be_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Fills with zeros up to the next word; `least` bytes at the least.
    pub(super) fn zeros(&mut self, least: usize) {
        let len = (self.out.len() - self.start + least).next_multiple_of(4);
        self.out.resize(self.start + len, 0);
    }

    /// Takes everything back.
    pub(super) fn abandon(self) {
        self.out.truncate(self.start);
    }

    /// Writes the header.
    pub(super) fn finish(self, count: u8, kind: u8) -> Result<(), MapError> {
        let words = (self.out.len() - self.start) / 4 - 1;
        let words = u16::try_from(words).map_err(|_| MapError::TooLong)?;
        put(self.out, self.start, &[0x80 | (count & 0x1F), kind])?;
        put(self.out, self.start + 2, &words.to_be_bytes())
    }
}
