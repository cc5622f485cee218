//! QUIC variable-length integers (RFC 9000, section 16).

/// The largest number a varint holds.
pub const MOST: u64 = (1 << 62) - 1;

/// Appends `value` in its shortest form; values above [`MOST`] are written as [`MOST`].
pub fn write(out: &mut Vec<u8>, value: u64) {
    let value = value.min(MOST);
    let (prefix, len) = match value {
        0..=0x3F => (0x00, 1),
        0x40..=0x3FFF => (0x40, 2),
        0x4000..=0x3FFF_FFFF => (0x80, 4),
        _ => (0xC0, 8),
    };
    let bytes = value.to_be_bytes();
    let tail = bytes.iter().skip(8 - len).copied();
    let start = out.len();
    out.extend(tail);
    if let Some(first) = out.get_mut(start) {
        *first |= prefix;
    }
}

/// Reads the varint at the front: its value and the bytes behind it. Longer forms than needed are read too.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, _) = bytes.split_first()?;
    let len = 1_usize << (first >> 6);
    let (number, rest) = bytes.split_at_checked(len)?;
    let value = number.iter().fold(0_u64, |value, &byte| (value << 8) | u64::from(byte));
    Some((value & mask(len), rest))
}

const fn mask(len: usize) -> u64 {
    u64::MAX >> (64 - (8 * len - 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vectors_of_the_rfc() {
        assert_eq!(
            read(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]),
            Some((151_288_809_941_952_652, &[][..]))
        );
        assert_eq!(read(&[0x9d, 0x7f, 0x3e, 0x7d]), Some((494_878_333, &[][..])));
        assert_eq!(read(&[0x7b, 0xbd]), Some((15_293, &[][..])));
        assert_eq!(read(&[0x25, 7]), Some((37, &[7][..])));
        assert_eq!(read(&[0x40, 0x25]), Some((37, &[][..])));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x40]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in 0..=MOST, shift in 0..62_u32) {
            let value = value >> shift;
            let mut out = Vec::new();
            write(&mut out, value);
            prop_assert_eq!(read(&out), Some((value, &[][..])));
        }
    }
}
