//! Reading and editing raw RTP packets (RFC 3550, section 5.1), in place.
//!
//! Editing touches the named field and nothing else: payload and padding keep every byte.

use std::ops::Range;

use super::bytes::{put, slice, u8_at, u16_at, u32_at};
use super::{MapError, PACKET_MOST};

pub(super) const FIXED_HEADER: usize = 12;
const PADDING_BIT: u8 = 0x20;
const EXTENSION_BIT: u8 = 0x10;
const MARKER_BIT: u8 = 0x80;

/// What the header of a packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The marker bit.
    pub marker: bool,
    /// The payload type, 0–127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp, in ticks of the codec's clock.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
    /// The header extension: its "defined by profile" number and where its elements lie.
    pub extension: Option<(u16, Range<usize>)>,
    /// Where the payload lies, without padding.
    pub payload: Range<usize>,
    /// Bytes of padding behind the payload, its length byte included.
    pub padding: usize,
}

impl Header {
    /// Reads the header of a whole packet.
    ///
    /// # Errors
    /// [`MapError::Malformed`] where a length runs past the end or the version is not 2, [`MapError::TooLong`].
    pub fn parse(packet: &[u8]) -> Result<Self, MapError> {
        if packet.len() > PACKET_MOST {
            return Err(MapError::TooLong);
        }
        let first = u8_at(packet, 0)?;
        if first >> 6 != 2 {
            return Err(MapError::Malformed);
        }
        let second = u8_at(packet, 1)?;
        let (extension, start) = extension(packet, first)?;
        let padding = padding(packet, first, start)?;
        Ok(Self {
            marker: second & MARKER_BIT != 0,
            payload_type: second & !MARKER_BIT,
            sequence: u16_at(packet, 2)?,
            timestamp: u32_at(packet, 4)?,
            ssrc: u32_at(packet, 8)?,
            extension,
            payload: start..packet.len() - padding,
            padding,
        })
    }
}

type Extension = Option<(u16, Range<usize>)>;

/// The extension and where the payload starts.
fn extension(packet: &[u8], first: u8) -> Result<(Extension, usize), MapError> {
    let behind_sources = FIXED_HEADER + 4 * usize::from(first & 0x0F);
    if first & EXTENSION_BIT == 0 {
        slice(packet, 0, behind_sources)?;
        return Ok((None, behind_sources));
    }
    let form = u16_at(packet, behind_sources)?;
    let words = u16_at(packet, behind_sources + 2)?;
    let start = behind_sources + 4;
    let end = start + 4 * usize::from(words);
    slice(packet, start, end)?;
    Ok((Some((form, start..end)), end))
}

fn padding(packet: &[u8], first: u8, start: usize) -> Result<usize, MapError> {
    if first & PADDING_BIT == 0 {
        return Ok(0);
    }
    let body = slice(packet, start, packet.len())?;
    let padding = usize::from(*body.last().ok_or(MapError::Malformed)?);
    if padding == 0 || padding > body.len() {
        return Err(MapError::Malformed);
    }
    Ok(padding)
}

/// Whether a packet from a multiplexed transport is RTCP rather than RTP (RFC 5761, section 4).
#[must_use]
pub fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|second| (192..=223).contains(second))
}

/// Sets the payload type, keeping the marker.
pub(super) fn set_payload_type(packet: &mut [u8], payload_type: u8) -> Result<(), MapError> {
    let marker = u8_at(packet, 1)? & MARKER_BIT;
    put(packet, 1, &[marker | (payload_type & !MARKER_BIT)])
}

/// Sets the synchronisation source.
pub(super) fn set_ssrc(packet: &mut [u8], ssrc: u32) -> Result<(), MapError> {
    put(packet, 8, &ssrc.to_be_bytes())
}

/// Replaces contributing sources and extension, which end at `payload_start`, by `extension`: a whole extension with
/// its four-byte header, or nothing.
pub(super) fn set_extension(packet: &mut Vec<u8>, payload_start: usize, extension: &[u8]) -> Result<(), MapError> {
    slice(packet, FIXED_HEADER, payload_start)?;
    let kept = u8_at(packet, 0)? & !(EXTENSION_BIT | 0x0F);
    let flag = if extension.is_empty() { 0 } else { EXTENSION_BIT };
    put(packet, 0, &[kept | flag])?;
    packet.splice(FIXED_HEADER..payload_start, extension.iter().copied());
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fixed(first: u8) -> Vec<u8> {
        vec![first, 0xE0, 0, 7, 0, 0, 1, 0, 0xAA, 0xBB, 0xCC, 0xDD]
    }

    #[test]
    fn fields_of_a_plain_packet() {
        let mut packet = fixed(0x80);
        packet.extend(b"hello");
        let header = Header::parse(&packet).expect("well formed");
        assert!(header.marker);
        assert_eq!((header.payload_type, header.sequence, header.timestamp), (96, 7, 256));
        assert_eq!(header.ssrc, 0xAABB_CCDD);
        assert_eq!(header.payload, 12..17);
    }

    #[test]
    fn sources_extension_and_padding_are_skipped() {
        let mut packet = fixed(0x80 | PADDING_BIT | EXTENSION_BIT | 1);
        packet.extend([1, 2, 3, 4, 0xBE, 0xDE, 0, 1, 0x10, 9, 0, 0]);
        packet.extend([7, 0, 0, 3]);
        let header = Header::parse(&packet).expect("well formed");
        assert_eq!(header.extension, Some((0xBEDE, 20..24)));
        assert_eq!((header.payload, header.padding), (24..25, 3));
    }

    #[test]
    fn lengths_past_the_end_are_malformed() {
        assert_eq!(Header::parse(&fixed(0x40)), Err(MapError::Malformed));
        assert_eq!(Header::parse(&fixed(0x81)), Err(MapError::Malformed));
        assert_eq!(Header::parse(&fixed(0x90)), Err(MapError::Malformed));
        assert_eq!(Header::parse(&fixed(0xA0)), Err(MapError::Malformed));
        let mut packet = fixed(0xA0);
        packet.extend([0, 3]);
        assert_eq!(Header::parse(&packet), Err(MapError::Malformed));
        assert_eq!(Header::parse(&[0x80; PACKET_MOST + 1]), Err(MapError::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer(packet in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(header) = Header::parse(&packet) {
                prop_assert_eq!(header.payload.end + header.padding, packet.len());
            }
        }
    }
}
