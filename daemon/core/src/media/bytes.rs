//! Big-endian numbers in byte slices, without panics.

use super::MapError;

pub(super) fn u8_at(bytes: &[u8], at: usize) -> Result<u8, MapError> {
    bytes.get(at).copied().ok_or(MapError::Malformed)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, MapError> {
    array_at(bytes, at).map(u16::from_be_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, MapError> {
    array_at(bytes, at).map(u32::from_be_bytes)
}

/// `bytes[from..to]`.
pub(super) fn slice(bytes: &[u8], from: usize, to: usize) -> Result<&[u8], MapError> {
    bytes.get(from..to).ok_or(MapError::Malformed)
}

/// Overwrites the bytes at `at` with `new`.
pub(super) fn put(bytes: &mut [u8], at: usize, new: &[u8]) -> Result<(), MapError> {
    let to = at.checked_add(new.len()).ok_or(MapError::Malformed)?;
    bytes.get_mut(at..to).ok_or(MapError::Malformed)?.copy_from_slice(new);
    Ok(())
}

/// Replaces the 16-bit number at `at` by what `map` makes of it.
pub(super) fn map_u16(bytes: &mut [u8], at: usize, map: impl FnOnce(u16) -> u16) -> Result<(), MapError> {
    let new = map(u16_at(bytes, at)?);
    put(bytes, at, &new.to_be_bytes())
}

/// Replaces the 32-bit number at `at` by what `map` makes of it.
pub(super) fn map_u32(bytes: &mut [u8], at: usize, map: impl FnOnce(u32) -> u32) -> Result<(), MapError> {
    let new = map(u32_at(bytes, at)?);
    put(bytes, at, &new.to_be_bytes())
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], MapError> {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .ok_or(MapError::Malformed)
}
