//! A key sealed under a passphrase.
//!
//! Argon2id (RFC 9106, section 4, the second recommended choice: 64 MiB, 3 passes, 4 lanes) makes a key of the passphrase
//! and a random salt, and that seals the state's key with ChaCha20-Poly1305. The cost stands beside it, so that it can
//! grow later; the associated data hold it, and a file cannot ask for more than is reasonable.

use std::io;

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::key::{KEY_BYTES, Key, fill, from_hex, hex};

const NAME: &str = "argon2id";
const SALT_BYTES: usize = 16;
const SEALED_BYTES: usize = KEY_BYTES + 16;

/// What a guess costs: KiB of memory, passes, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

#[cfg(not(test))]
const COST: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};
/// Tests seal hundreds of times; `tests/keyring/passphrase.rs` looks at the real cost.
#[cfg(test)]
const COST: Cost = Cost {
    memory_kib: 256,
    passes: 2,
    lanes: 1,
};
/// The most that a file may ask for: 2 GiB.
const MOST: Cost = Cost {
    memory_kib: 2 * 1024 * 1024,
    passes: 64,
    lanes: 64,
};

/// The sealed key, and what opens it but for the passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Wrapped {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_LEN],
    sealed: [u8; SEALED_BYTES],
}

impl Wrapped {
    /// Seals `key`. Takes some tenths of a second, and 64 MiB.
    pub(super) fn of(key: &Key, passphrase: &str) -> io::Result<Self> {
        let unusable = || io::Error::other("the key cannot be sealed under a passphrase");
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_LEN]);
        fill(&mut salt)?;
        fill(&mut nonce)?;
        let sealing = sealing(COST, &salt, passphrase).ok_or_else(unusable)?;
        let mut bytes = key.bytes().to_vec();
        let about = about(COST);
        sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(about.as_bytes()),
                &mut bytes,
            )
            .map_err(|_| unusable())?;
        let sealed = bytes.try_into().map_err(|_| unusable())?;
        Ok(Self {
            cost: COST,
            salt,
            nonce,
            sealed,
        })
    }

    /// The key; none where the passphrase is another one, or something was altered.
    pub(super) fn open(&self, passphrase: &str) -> Option<Key> {
        let sealing = sealing(self.cost, &self.salt, passphrase)?;
        let mut bytes = Zeroizing::new(self.sealed);
        let about = about(self.cost);
        let plain = sealing
            .open_in_place(
                Nonce::assume_unique_for_key(self.nonce),
                Aad::from(about.as_bytes()),
                bytes.as_mut_slice(),
            )
            .ok()?;
        Key::from_bytes(plain)
    }

    /// As they stand in `state.key`.
    pub(super) fn fields(&self) -> String {
        let [salt, nonce, sealed] = [self.salt.as_slice(), &self.nonce, &self.sealed].map(hex);
        format!("{} {salt} {nonce} {sealed}", about(self.cost))
    }

    pub(super) fn parse(fields: &[&str]) -> Option<Self> {
        let [NAME, memory, passes, lanes, salt, nonce, sealed] = fields else {
            return None;
        };
        let number = |text: &str, most| text.parse().ok().filter(|number| (1..=most).contains(number));
        Some(Self {
            cost: Cost {
                memory_kib: number(memory, MOST.memory_kib)?,
                passes: number(passes, MOST.passes)?,
                lanes: number(lanes, MOST.lanes)?,
            },
            salt: from_hex(salt)?.as_slice().try_into().ok()?,
            nonce: from_hex(nonce)?.as_slice().try_into().ok()?,
            sealed: from_hex(sealed)?.as_slice().try_into().ok()?,
        })
    }
}

/// The derivation, in words that are sealed along.
fn about(cost: Cost) -> String {
    format!("{NAME} {} {} {}", cost.memory_kib, cost.passes, cost.lanes)
}

fn sealing(cost: Cost, salt: &[u8], passphrase: &str) -> Option<LessSafeKey> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_BYTES)).ok()?;
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, bytes.as_mut_slice())
        .ok()?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, bytes.as_slice()).ok()?;
    Some(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn the_passphrase_opens_and_no_other() {
        let key = Key::random().unwrap();
        let wrapped = Wrapped::of(&key, "correct horse").unwrap();
        assert_eq!(wrapped.open("correct horse"), Some(key.clone()));
        for wrong in ["", "correct horse ", "Correct horse"] {
            assert_eq!(wrapped.open(wrong), None, "{wrong:?}");
        }
        assert_ne!(
            wrapped,
            Wrapped::of(&key, "correct horse").unwrap(),
            "salt and nonce are new each time"
        );
    }

    #[test]
    fn what_was_altered_does_not_open() {
        let wrapped = Wrapped::of(&Key::random().unwrap(), "correct horse").unwrap();
        let mut other = wrapped.clone();
        other.sealed[7] ^= 1;
        assert_eq!(other.open("correct horse"), None);
        let mut cheaper = wrapped;
        cheaper.cost.passes = 1;
        assert_eq!(cheaper.open("correct horse"), None);
    }

    #[test]
    fn a_file_cannot_ask_for_any_cost() {
        let fields = Wrapped::of(&Key::random().unwrap(), "correct horse").unwrap().fields();
        let with = |memory: &str| fields.replacen("256", memory, 1);
        let parse = |text: &str| Wrapped::parse(&text.split(' ').collect::<Vec<_>>());
        assert!(parse(&with("65536")).is_some() && parse(&fields).is_some());
        for memory in ["0", "4294967295", "-1", "x"] {
            assert_eq!(parse(&with(memory)), None, "{memory}");
        }
    }
}
