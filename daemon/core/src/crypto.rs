//! The few primitives of the core, each a thin layer over `ring` (and `curve25519-dalek` for the one key agreement
//! whose secret must be stored, which `ring` does not allow).
//!
//! Nothing here draws randomness: keys and nonces are arguments.

use std::fmt;

use curve25519_dalek::MontgomeryPoint;
use ring::signature::KeyPair as _;
use ring::{aead, hkdf, hmac, signature};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of an AEAD nonce.
pub const NONCE: usize = 12;
/// Bytes that sealing adds.
pub const SEAL_OVERHEAD: usize = 16;

/// A 32-byte secret that is wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Zeroize, ZeroizeOnDrop)]
pub struct Secret(pub [u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

/// HKDF-SHA-256 (RFC 5869) of `key` to 32 bytes; `info` parts are joined, so each caller's layout is fixed-length.
#[must_use]
pub fn derive(key: &[u8], label: &str, info: &[&[u8]]) -> Secret {
    let mut out = [0; 32];
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"twocan 1");
    let mut parts = vec![label.as_bytes()];
    parts.extend_from_slice(info);
    let pseudo_random = salt.extract(key);
    // Expanding to one hash length cannot fail; were it to, an all-zero key would open nothing of ours.
    let filled = pseudo_random
        .expand(&parts, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out));
    debug_assert!(filled.is_ok());
    Secret(out)
}

/// HMAC-SHA-256 over the joined parts.
#[must_use]
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    out
}

/// Whether two MACs are equal, in constant time.
#[must_use]
pub fn mac_eq(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// SHA-256.
#[must_use]
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

/// Seals with ChaCha20-Poly1305; `plain` comes back sealed, [`SEAL_OVERHEAD`] longer.
#[must_use]
pub fn seal(key: &Secret, nonce: [u8; NONCE], aad: &[u8], mut plain: Vec<u8>) -> Vec<u8> {
    if let Some(key) = aead_key(key) {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        // Fails for lengths near 2^36 only.
        let sealed = key.seal_in_place_append_tag(nonce, aead::Aad::from(aad), &mut plain);
        debug_assert!(sealed.is_ok());
    }
    plain
}

/// Opens what [`seal`] sealed; `None` for anything else.
#[must_use]
pub fn open(key: &Secret, nonce: [u8; NONCE], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = sealed.to_vec();
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let plain = aead_key(key)?
        .open_in_place(nonce, aead::Aad::from(aad), &mut buffer)
        .ok()?;
    Some(plain.to_vec())
}

fn aead_key(key: &Secret) -> Option<aead::LessSafeKey> {
    aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &key.0)
        .ok()
        .map(aead::LessSafeKey::new)
}

/// The Ed25519 public key of a seed (RFC 8032).
#[must_use]
pub fn sign_public(seed: &Secret) -> [u8; 32] {
    let mut out = [0; 32];
    if let Ok(pair) = signature::Ed25519KeyPair::from_seed_unchecked(&seed.0) {
        for (to, from) in out.iter_mut().zip(pair.public_key().as_ref()) {
            *to = *from;
        }
    }
    out
}

/// Signs with Ed25519; 64 bytes.
#[must_use]
pub fn sign(seed: &Secret, message: &[u8]) -> Vec<u8> {
    match signature::Ed25519KeyPair::from_seed_unchecked(&seed.0) {
        Ok(pair) => pair.sign(message).as_ref().to_vec(),
        Err(_) => Vec::new(),
    }
}

/// Whether an Ed25519 signature fits.
#[must_use]
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public)
        .verify(message, signature)
        .is_ok()
}

/// The X25519 public key of a secret (RFC 7748).
#[must_use]
pub fn agree_public(secret: &Secret) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(secret.0).to_bytes()
}

/// X25519; `None` where the far key is of small order and would contribute nothing (RFC 7748, section 6.1).
#[must_use]
pub fn agree(secret: &Secret, public: &[u8; 32]) -> Option<Secret> {
    let shared = MontgomeryPoint(*public).mul_clamped(secret.0).to_bytes();
    (shared != [0; 32]).then_some(Secret(shared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_is_undone_by_opening_and_by_nothing_else() {
        let key = Secret([7; 32]);
        let sealed = seal(&key, [1; NONCE], b"head", b"body".to_vec());
        assert_eq!(sealed.len(), 4 + SEAL_OVERHEAD);
        assert_eq!(
            open(&key, [1; NONCE], b"head", &sealed).as_deref(),
            Some(b"body".as_slice())
        );
        assert_eq!(open(&key, [2; NONCE], b"head", &sealed), None);
        assert_eq!(open(&key, [1; NONCE], b"neck", &sealed), None);
        assert_eq!(open(&Secret([8; 32]), [1; NONCE], b"head", &sealed), None);
    }

    #[test]
    fn signatures_check() {
        let seed = Secret([3; 32]);
        let signature = sign(&seed, b"list");
        assert!(verify(&sign_public(&seed), b"list", &signature));
        assert!(!verify(&sign_public(&seed), b"lost", &signature));
    }

    #[test]
    fn agreement_is_mutual_and_refuses_small_order() {
        let (one, two) = (Secret([5; 32]), Secret([6; 32]));
        assert_eq!(agree(&one, &agree_public(&two)), agree(&two, &agree_public(&one)));
        assert_eq!(agree(&one, &[0; 32]), None);
    }
}
