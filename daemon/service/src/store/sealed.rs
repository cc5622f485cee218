//! The envelope of the state: what lies in `state.sealed`.
//!
//! `"TWOCAN"` ‖ version (1 byte) ‖ generation (8 bytes, big-endian) ‖ nonce (12 bytes) ‖ ChaCha20-Poly1305 (RFC 8439)
//! of the state, with everything before it as associated data. The envelope itself is frozen; `version` says how to
//! read what is inside. So a file of a newer Twocan still proves to be whole, and is told apart from a damaged one.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce};
use ring::error::Unspecified;
use zeroize::Zeroizing;

const MAGIC: &[u8; 6] = b"TWOCAN";
/// How what is inside is read.
const VERSION: u8 = 1;
const HEADER: usize = MAGIC.len() + 1 + 8 + NONCE_LEN;

/// A whole state, unsealed.
#[derive(Debug)]
pub(super) struct Plain {
    /// As the core numbered it.
    pub(super) generation: u64,
    /// As the core encoded it.
    pub(super) state: Zeroizing<Vec<u8>>,
}

/// Why an envelope gives no state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Some byte is not as it was written, or the key is another one.
    Damaged,
    /// Whole, but of a newer version.
    Newer(u8),
}

/// Seals a state. `nonce` is random; the plain bytes are overwritten.
pub(super) fn seal(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    generation: u64,
    mut state: Vec<u8>,
) -> Result<Vec<u8>, Unspecified> {
    let mut file = Vec::with_capacity(HEADER + state.len() + CHACHA20_POLY1305.tag_len());
    file.extend_from_slice(MAGIC);
    file.push(VERSION);
    file.extend_from_slice(&generation.to_be_bytes());
    file.extend_from_slice(&nonce);
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&file), &mut state)?;
    file.extend_from_slice(&state);
    file.extend_from_slice(tag.as_ref());
    Ok(file)
}

/// Unseals a file.
pub(super) fn open(key: &LessSafeKey, file: Vec<u8>) -> Result<Plain, Unreadable> {
    let header: [u8; HEADER] = file.first_chunk().copied().ok_or(Unreadable::Damaged)?;
    let nonce = header.last_chunk().copied().ok_or(Unreadable::Damaged)?;
    let mut state = Zeroizing::new(file);
    let length = key
        .open_within(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(&header),
            &mut state,
            HEADER..,
        )
        .map_err(|_| Unreadable::Damaged)?
        .len();
    state.truncate(length);
    let (magic, rest) = header.split_first_chunk().ok_or(Unreadable::Damaged)?;
    let (version, rest) = rest.split_first().ok_or(Unreadable::Damaged)?;
    let generation = rest
        .first_chunk()
        .copied()
        .map(u64::from_be_bytes)
        .ok_or(Unreadable::Damaged)?;
    match (magic == MAGIC, *version) {
        (true, VERSION) => Ok(Plain { generation, state }),
        (true, newer) => Err(Unreadable::Newer(newer)),
        (false, _) => Err(Unreadable::Damaged),
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests stop at the first surprise"
    )]
    use super::*;
    use ring::aead::UnboundKey;

    fn key(byte: u8) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[byte; 32]).unwrap())
    }

    #[test]
    fn what_goes_in_comes_out() {
        for state in [vec![], vec![7; 1], vec![9; 5000]] {
            let file = seal(&key(1), [3; NONCE_LEN], 42, state.clone()).unwrap();
            let plain = open(&key(1), file).unwrap();
            assert_eq!((plain.generation, plain.state.as_slice()), (42, state.as_slice()));
        }
    }

    #[test]
    fn every_flipped_bit_every_missing_tail_and_another_key_are_seen() {
        let file = seal(&key(1), [3; NONCE_LEN], 42, b"contacts".to_vec()).unwrap();
        for index in 0..file.len() {
            for bit in 0..8 {
                let mut bad = file.clone();
                bad[index] ^= 1 << bit;
                assert_eq!(
                    open(&key(1), bad).unwrap_err(),
                    Unreadable::Damaged,
                    "byte {index} bit {bit}"
                );
            }
            assert_eq!(
                open(&key(1), file[..index].to_vec()).unwrap_err(),
                Unreadable::Damaged,
                "{index} bytes"
            );
        }
        let longer = [file.as_slice(), &[0]].concat();
        assert_eq!(open(&key(1), longer).unwrap_err(), Unreadable::Damaged);
        assert_eq!(open(&key(2), file).unwrap_err(), Unreadable::Damaged);
    }

    #[test]
    fn a_newer_version_is_no_damage() {
        let mut header = [MAGIC.as_slice(), &[VERSION + 1], &[0; 8], &[3; NONCE_LEN]].concat();
        let mut state = b"contacts".to_vec();
        let nonce = Nonce::assume_unique_for_key([3; NONCE_LEN]);
        let tag = key(1)
            .seal_in_place_separate_tag(nonce, Aad::from(&header), &mut state)
            .unwrap();
        header.extend_from_slice(&state);
        header.extend_from_slice(tag.as_ref());
        assert_eq!(open(&key(1), header).unwrap_err(), Unreadable::Newer(VERSION + 1));
    }
}
