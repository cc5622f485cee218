//! RTPFB and PSFB (RFC 4585): where their SSRCs stand. Everything else, padding included, is copied as it is; and
//! so is all feedback of unknown formats.

use super::MapError;
use super::bytes::{map_u16, map_u32, put, slice, u8_at, u32_at};
use super::rtcp::{HEADER, Packet, Translate};

/// Where the feedback control information begins.
pub(super) const FCI: usize = HEADER + 8;

const NACK: u8 = 1;
const TMMBR: u8 = 3;
const TMMBN: u8 = 4;
const TRANSPORT_WIDE: u8 = 15;

pub(super) const FIR: u8 = 4;
const TSTR: u8 = 5;
const TSTN: u8 = 6;
const APPLICATION: u8 = 15;

/// NACK and transport-wide feedback speak of sequence numbers; the bit-rate messages of RFC 5104 list SSRCs.
pub(super) fn transport(out: &mut Vec<u8>, packet: &Packet<'_>, t: &mut impl Translate) -> Result<(), MapError> {
    let Some(copy) = copy(out, packet, t)? else {
        return Ok(());
    };
    match packet.count {
        NACK => lost(copy, packet, t),
        TMMBR | TMMBN => entries(copy, packet, t),
        // The base sequence number stands first; the status of each packet is relative to it.
        TRANSPORT_WIDE => map_u16(copy, FCI, |base| base.wrapping_add(t.transport_shift())),
        _ => Ok(()),
    }
}

/// PLI has no more than the two SSRCs; FIR and the trade-off messages of RFC 5104 list them, and REMB does.
pub(super) fn payload(out: &mut Vec<u8>, packet: &Packet<'_>, t: &mut impl Translate) -> Result<(), MapError> {
    let Some(copy) = copy(out, packet, t)? else {
        return Ok(());
    };
    match packet.count {
        FIR | TSTR | TSTN => entries(copy, packet, t),
        APPLICATION if slice(copy, FCI, FCI + 4) == Ok(b"REMB") => remb(copy, packet, t),
        _ => Ok(()),
    }
}

/// Copies the packet with its two SSRCs mapped; `None` where the sender is refused.
fn copy<'a>(
    out: &'a mut Vec<u8>,
    packet: &Packet<'_>,
    t: &mut impl Translate,
) -> Result<Option<&'a mut [u8]>, MapError> {
    let target = u32_at(packet.bytes, HEADER + 4)?;
    let Some(source) = t.source(u32_at(packet.bytes, HEADER)?) else {
        return Ok(None);
    };
    let start = out.len();
    out.extend_from_slice(packet.bytes);
    let copy = out.get_mut(start..).ok_or(MapError::Malformed)?;
    put(copy, HEADER, &source.to_be_bytes())?;
    put(copy, HEADER + 4, &t.target(target).to_be_bytes())?;
    Ok(Some(copy))
}

/// Entries of four bytes: the first lost sequence number and a bit mask of those behind it.
fn lost(copy: &mut [u8], packet: &Packet<'_>, t: &impl Translate) -> Result<(), MapError> {
    let shift = t.sequence_shift(u32_at(packet.bytes, HEADER + 4)?);
    let end = HEADER + packet.body()?.len();
    for at in (FCI..end).step_by(4) {
        map_u16(copy, at, |lost| lost.wrapping_add(shift))?;
    }
    Ok(())
}

/// Entries of eight bytes, each beginning with an SSRC.
fn entries(copy: &mut [u8], packet: &Packet<'_>, t: &impl Translate) -> Result<(), MapError> {
    let end = HEADER + packet.body()?.len();
    for at in (FCI..end).step_by(8) {
        if at + 8 > end {
            return Err(MapError::Malformed);
        }
        map_u32(copy, at, |ssrc| t.target(ssrc))?;
    }
    Ok(())
}

/// Receiver estimated maximum bit rate (draft-alvestrand-rmcat-remb-03): name, count, rate, SSRCs.
fn remb(copy: &mut [u8], packet: &Packet<'_>, t: &impl Translate) -> Result<(), MapError> {
    let end = HEADER + packet.body()?.len();
    let first = FCI + 8;
    let count = usize::from(u8_at(copy, FCI + 4)?);
    if first + 4 * count > end {
        return Err(MapError::Malformed);
    }
    for at in (first..).step_by(4).take(count) {
        map_u32(copy, at, |ssrc| t.target(ssrc))?;
    }
    Ok(())
}
