//! The key itself: 32 random bytes, in hexadecimal wherever it is written down, wiped from memory when dropped.

use std::fmt;
use std::io;

use ring::aead::{CHACHA20_POLY1305, LessSafeKey, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// The key that seals the state. Prints nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::store) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key")
    }
}

impl Key {
    /// A new one.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// From bytes; none where there are not 32.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// From 64 hexadecimal digits, white space around them left out.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        from_hex(text.trim()).and_then(|bytes| Self::from_bytes(&bytes))
    }

    /// 64 hexadecimal digits.
    pub(super) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.0.as_slice()))
    }

    /// The bytes, to be sealed.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// What seals and opens.
    pub(in crate::store) fn sealing(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, self.0.as_slice())
            .ok()
            .map(LessSafeKey::new)
    }
}

/// Fills with random bytes of the system's.
pub(super) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| io::Error::other("the system gives no random bytes"))
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

/// Bytes of two digits each; none where anything else is among them.
pub(super) fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for pair in pairs {
        bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn a_key_survives_being_written_down() {
        let key = Key::random().unwrap();
        assert_eq!(Key::from_hex(&key.to_hex()), Some(key.clone()));
        assert_eq!(
            Key::from_hex(&format!("{}\n", key.to_hex().to_uppercase())),
            Some(key.clone())
        );
        assert_ne!(Key::random().unwrap(), key);
        assert_eq!(format!("{key:?}"), "Key");
    }

    #[test]
    fn nothing_else_is_a_key() {
        for text in [
            "",
            "00",
            &"0".repeat(63),
            &"0".repeat(66),
            &"g".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(Key::from_hex(text), None, "{text}");
        }
    }
}
