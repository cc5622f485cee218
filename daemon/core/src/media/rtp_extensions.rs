//! Renumbering the elements of an RTP header extension (RFC 8285).
//!
//! Elements whose id has no counterpart are left out, and so is the whole extension when nothing remains. The one-byte
//! form is written wherever all elements fit it, since not every leg accepts the other.

use std::ops::Range;

use super::rtp::{self, Header};
use super::{MapError, PACKET_MOST};

const ONE_BYTE: u16 = 0xBEDE;
const TWO_BYTE: u16 = 0x1000;

/// An element: its id and its data.
pub(super) type Element<'a> = (u8, &'a [u8]);

/// Rewrites the extension of `packet`: each element under the id that `map` gives it, then `extra`. Contributing
/// sources go, because no side names them. `scratch` only saves an allocation.
pub(super) fn remap(
    packet: &mut Vec<u8>,
    header: &Header,
    scratch: &mut Vec<u8>,
    map: impl Fn(u8) -> Option<u8>,
    extra: Option<Element<'_>>,
) -> Result<(), MapError> {
    let (form, block) = match &header.extension {
        Some((form, range)) => (*form, packet.get(range.clone()).ok_or(MapError::Malformed)?),
        None => (ONE_BYTE, &[][..]),
    };
    let elements = Elements::new(form, block)
        .filter_map(|element| match element {
            Ok((id, data)) => map(id).map(|id| Ok((id, data))),
            Err(error) => Some(Err(error)),
        })
        .chain(extra.map(Ok));
    scratch.clear();
    write(scratch, elements)?;
    rtp::set_extension(packet, header.payload.start, scratch)?;
    if packet.len() > PACKET_MOST {
        return Err(MapError::TooLong);
    }
    Ok(())
}

/// Where in `packet` the data of element `id` lies.
pub(super) fn data_of(packet: &[u8], header: &Header, id: u8) -> Option<Range<usize>> {
    let (form, range) = header.extension.clone()?;
    let mut elements = Elements::new(form, packet.get(range.clone())?);
    loop {
        let (found, data) = elements.next()?.ok()?;
        if found == id {
            let end = range.end - elements.rest.len();
            return Some(end - data.len()..end);
        }
    }
}

fn write<'a>(
    out: &mut Vec<u8>,
    elements: impl Iterator<Item = Result<Element<'a>, MapError>> + Clone,
) -> Result<(), MapError> {
    let mut fits = true;
    for element in elements.clone() {
        let (id, data) = element?;
        fits &= fits_one_byte(id, data);
    }
    out.extend([0; 4]);
    for (id, data) in elements.flatten() {
        write_element(out, fits, id, data)?;
    }
    finish(out, if fits { ONE_BYTE } else { TWO_BYTE })
}

fn fits_one_byte(id: u8, data: &[u8]) -> bool {
    (1..15).contains(&id) && (1..=16).contains(&data.len())
}

fn write_element(out: &mut Vec<u8>, one_byte: bool, id: u8, data: &[u8]) -> Result<(), MapError> {
    let len = u8::try_from(data.len()).map_err(|_| MapError::TooLong)?;
    if one_byte {
        out.push((id << 4) | ((len - 1) & 0x0F));
    } else {
        out.extend([id, len]);
    }
    out.extend_from_slice(data);
    Ok(())
}

/// Pads to whole words and fills in the four-byte header; an empty extension vanishes.
fn finish(out: &mut Vec<u8>, form: u16) -> Result<(), MapError> {
    if out.len() == 4 {
        out.clear();
        return Ok(());
    }
    out.resize(out.len().next_multiple_of(4), 0);
    let words = u16::try_from(out.len() / 4 - 1).map_err(|_| MapError::TooLong)?;
    super::bytes::put(out, 0, &form.to_be_bytes())?;
    super::bytes::put(out, 2, &words.to_be_bytes())
}

/// Walks the elements of an extension block; the walk ends at the first malformed one. A block of a form that is
/// neither of the two has no elements.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    one_byte: bool,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(super) fn new(form: u16, block: &'a [u8]) -> Self {
        let one_byte = form == ONE_BYTE;
        let known = one_byte || form & 0xFFF0 == TWO_BYTE;
        Self {
            one_byte,
            rest: if known { block } else { &[] },
        }
    }

    /// Id, data length and the bytes behind the element's own header.
    fn head(&self) -> Option<(u8, usize, &'a [u8])> {
        let (&first, rest) = self.rest.split_first()?;
        if self.one_byte {
            return Some((first >> 4, usize::from(first & 0x0F) + 1, rest));
        }
        let (&len, rest) = rest.split_first()?;
        Some((first, usize::from(len), rest))
    }

    /// The element at the front and the bytes behind it; `None` where the block ends there by RFC 8285, section 4.2: in the one-byte form at
    /// id 15, and at id 0 with a length.
    fn element(&self) -> Result<Option<(Element<'a>, &'a [u8])>, MapError> {
        let (id, len, rest) = self.head().ok_or(MapError::Malformed)?;
        if self.one_byte && matches!(id, 0 | 15) {
            return Ok(None);
        }
        let (data, rest) = rest.split_at_checked(len).ok_or(MapError::Malformed)?;
        Ok(Some(((id, data), rest)))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, MapError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((0, rest)) = self.rest.split_first() {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let found = self.element().transpose();
        self.rest = match &found {
            Some(Ok((_, rest))) => rest,
            Some(Err(_)) | None => &[],
        };
        found.map(|element| element.map(|(element, _)| element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(form: u16, block: &[u8]) -> Vec<u8> {
        assert_eq!(block.len() % 4, 0);
        let words = u16::try_from(block.len() / 4).expect("short");
        let mut packet = vec![0x91, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xC5, 0xC5, 0xC5, 0xC5];
        packet.extend(form.to_be_bytes());
        packet.extend(words.to_be_bytes());
        packet.extend(block);
        packet.extend(b"payload");
        packet
    }

    fn remapped(mut packet: Vec<u8>, map: impl Fn(u8) -> Option<u8>, extra: Option<Element<'_>>) -> Vec<u8> {
        let header = Header::parse(&packet).expect("well formed");
        remap(&mut packet, &header, &mut Vec::new(), map, extra).expect("can be mapped");
        packet
    }

    fn elements(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let header = Header::parse(packet).expect("well formed");
        let Some((form, range)) = header.extension else {
            return Vec::new();
        };
        let block = packet.get(range).expect("inside");
        Elements::new(form, block)
            .map(|e| e.map(|(id, data)| (id, data.to_vec())).expect("well formed"))
            .collect()
    }

    #[test]
    fn one_byte_ids_change_and_unknown_ones_go() {
        let packet = packet(ONE_BYTE, &[0x32, 1, 2, 3, 0, 0x41, 9, 9, 0x10, 5, 0, 0]);
        let out = remapped(packet, |id| (id != 4).then_some(id + 1), None);
        assert_eq!(elements(&out), [(4, vec![1, 2, 3]), (2, vec![5])]);
        assert!(out.ends_with(b"payload"));
        assert_eq!(out.first(), Some(&0x90), "no contributing sources");
    }

    #[test]
    fn two_byte_form_becomes_one_byte_where_it_fits() {
        let packet = packet(TWO_BYTE, &[3, 2, 7, 8, 0, 0, 20, 0]);
        let out = remapped(packet.clone(), |id| (id == 3).then_some(id), None);
        assert_eq!(out.get(12..14), Some(&[0xBE, 0xDE][..]));
        assert_eq!(elements(&out), [(3, vec![7, 8])]);
        let out = remapped(packet, Some, None);
        assert_eq!(elements(&out), [(3, vec![7, 8]), (20, vec![])]);
    }

    #[test]
    fn an_extra_element_is_added_to_a_packet_without_extension() {
        let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend(b"payload");
        let out = remapped(packet.clone(), Some, Some((9, b"video")));
        assert_eq!(elements(&out), [(9, b"video".to_vec())]);
        let back = remapped(out, |_| None, None);
        assert_eq!(back, packet, "an empty extension vanishes with its bit");
    }

    #[test]
    fn elements_past_the_end_are_malformed_and_unknown_forms_are_empty() {
        let mut cut = packet(ONE_BYTE, &[0x3F, 1, 2, 3]);
        let header = Header::parse(&cut).expect("the header itself is well formed");
        assert_eq!(
            remap(&mut cut, &header, &mut Vec::new(), Some, None),
            Err(MapError::Malformed)
        );
        assert_eq!(elements(&packet(0x4242, &[0x3F, 1, 2, 3])), []);
        assert_eq!(elements(&packet(ONE_BYTE, &[0x10, 7, 0xF0, 9])), [(1, vec![7])]);
        assert_eq!(elements(&packet(ONE_BYTE, &[0x10, 7, 0x01, 9])), [(1, vec![7])]);
    }
}
