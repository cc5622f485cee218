//! SR, RR, SDES, BYE (RFC 3550, section 6) and XR (RFC 3611): where their SSRCs stand.

use super::bytes::{put, slice, u8_at, u16_at, u32_at};
use super::rtcp::{Draft, Packet, Translate};
use super::{MapError, codecs};

const REPORT_BLOCK: usize = 24;
const SENDER_INFO: usize = 20;
const SDES_CNAME: u8 = 1;

pub(super) fn sender_report(out: &mut Vec<u8>, packet: &Packet<'_>, t: &mut impl Translate) -> Result<(), MapError> {
    let body = packet.body()?;
    let timestamp = u32_at(body, 12)?.wrapping_add(t.timestamp_shift(u32_at(body, 0)?));
    let mut info = [0; SENDER_INFO];
    info.copy_from_slice(slice(body, 4, 4 + SENDER_INFO)?);
    put(&mut info, 8, &timestamp.to_be_bytes())?;
    report(out, packet, &info, t)
}

pub(super) fn receiver_report(out: &mut Vec<u8>, packet: &Packet<'_>, t: &mut impl Translate) -> Result<(), MapError> {
    report(out, packet, &[], t)
}

/// Sender, `info`, report blocks.
fn report(out: &mut Vec<u8>, packet: &Packet<'_>, info: &[u8], t: &mut impl Translate) -> Result<(), MapError> {
    let body = packet.body()?;
    let first = 4 + info.len();
    let blocks = slice(body, first, first + REPORT_BLOCK * usize::from(packet.count))?;
    let Some(source) = t.source(u32_at(body, 0)?) else {
        return Ok(());
    };
    let mut draft = Draft::new(out);
    draft.number(source);
    draft.bytes(info);
    for block in blocks.chunks_exact(REPORT_BLOCK) {
        let target = u32_at(block, 0)?;
        draft.number(t.target(target));
        draft.bytes(slice(block, 4, 8)?);
        // The highest sequence number received, extended by its turns.
        draft.number(add(u32_at(block, 8)?, t.sequence_shift(target)));
        draft.bytes(slice(block, 12, REPORT_BLOCK)?);
    }
    draft.finish(packet.count, packet.kind)
}

/// Adds to the low half of an extended sequence number; the turns in the high half stay.
fn add(extended: u32, shift: u16) -> u32 {
    let low = (extended & 0xFFFF) + u32::from(shift);
    (extended & 0xFFFF_0000) | (low & 0xFFFF)
}

/// Each chunk becomes the constant CNAME of its side, padded with zeros.
pub(super) fn source_description(
    out: &mut Vec<u8>,
    packet: &Packet<'_>,
    t: &mut impl Translate,
) -> Result<(), MapError> {
    let body = packet.body()?;
    let mut draft = Draft::new(out);
    let mut at = 0;
    let mut written = 0;
    for _ in 0..packet.count {
        let ssrc = u32_at(body, at)?;
        at = end_of_chunk(body, at)?;
        if let Some((source, name)) = t.source(ssrc).and_then(named) {
            chunk(&mut draft, source, name)?;
            written += 1;
        }
    }
    if written == 0 {
        draft.abandon();
        return Ok(());
    }
    draft.finish(written, packet.kind)
}

/// An SSRC in a leg's direction is the far side's canonical one too, so each has an owner.
fn named(source: u32) -> Option<(u32, &'static str)> {
    codecs::ssrc_owner(source).map(|(role, _)| (source, codecs::cname(role)))
}

fn chunk(draft: &mut Draft<'_>, source: u32, name: &str) -> Result<(), MapError> {
    let len = u8::try_from(name.len()).map_err(|_| MapError::TooLong)?;
    draft.number(source);
    draft.bytes(&[SDES_CNAME, len]);
    draft.bytes(name.as_bytes());
    draft.zeros(1);
    Ok(())
}

/// Where the chunk that starts at `at` ends: behind its null item, on a word.
fn end_of_chunk(body: &[u8], at: usize) -> Result<usize, MapError> {
    let mut item = at + 4;
    while u8_at(body, item)? != 0 {
        item += 2 + usize::from(u8_at(body, item + 1)?);
    }
    Ok((item + 1).next_multiple_of(4))
}

/// The reason, free text of the leg's program, is not copied.
pub(super) fn bye(out: &mut Vec<u8>, packet: &Packet<'_>, t: &mut impl Translate) -> Result<(), MapError> {
    let sources = slice(packet.body()?, 0, 4 * usize::from(packet.count))?;
    let mut draft = Draft::new(out);
    let mut written = 0;
    for source in sources.chunks_exact(4) {
        if let Some(source) = t.source(u32_at(source, 0)?) {
            draft.number(source);
            written += 1;
        }
    }
    if written == 0 {
        draft.abandon();
        return Ok(());
    }
    draft.finish(written, packet.kind)
}

pub(super) fn extended_report(out: &mut Vec<u8>, packet: &Packet<'_>, t: &mut impl Translate) -> Result<(), MapError> {
    let body = packet.body()?;
    let Some(source) = t.source(u32_at(body, 0)?) else {
        return Ok(());
    };
    let mut draft = Draft::new(out);
    draft.number(source);
    let mut at = 4;
    let mut written = false;
    while at < body.len() {
        let end = at + 4 + 4 * usize::from(u16_at(body, at + 2)?);
        written |= block(&mut draft, slice(body, at, end)?, t)?;
        at = end;
    }
    if !written {
        draft.abandon();
        return Ok(());
    }
    draft.finish(packet.count, packet.kind)
}

/// Writes one report block of an XR; false where its type is unknown and it is left out.
fn block(draft: &mut Draft<'_>, block: &[u8], t: &impl Translate) -> Result<bool, MapError> {
    match u8_at(block, 0)? {
        // Loss, duplicate and time run lengths, statistics summary: source, first and last sequence number.
        1 | 2 | 3 | 6 => {
            let shift = t.sequence_shift(u32_at(block, 4)?);
            about(draft, slice(block, 0, 8)?, t)?;
            draft.half(u16_at(block, 8)?.wrapping_add(shift));
            draft.half(u16_at(block, 10)?.wrapping_add(shift));
            draft.bytes(slice(block, 12, block.len())?);
        }
        // VoIP metrics: the source.
        7 => {
            about(draft, slice(block, 0, 8)?, t)?;
            draft.bytes(slice(block, 8, block.len())?);
        }
        // Receiver reference time names nobody.
        4 => draft.bytes(block),
        // DLRR: twelve bytes for each receiver.
        5 => {
            draft.bytes(slice(block, 0, 4)?);
            for entry in slice(block, 4, block.len())?.chunks(12) {
                draft.number(t.target(u32_at(entry, 0)?));
                draft.bytes(slice(entry, 4, 12)?);
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The header of a report block and the source it speaks about.
fn about(draft: &mut Draft<'_>, block: &[u8], t: &impl Translate) -> Result<(), MapError> {
    draft.bytes(slice(block, 0, 4)?);
    draft.number(t.target(u32_at(block, 4)?));
    Ok(())
}
