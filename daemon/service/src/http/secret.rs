//! Secrets that clients present: the token, page codes, page cookies.
//!
//! Only the SHA-256 of a secret is kept, and digests are compared in constant time.

use std::fmt::Write as _;

use anyhow::Context as _;
use ring::digest::{Digest, SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// What is kept of a secret.
#[derive(Clone, Copy)]
pub(super) struct Secret(Digest);

impl Secret {
    /// A new secret of 32 random bytes, in hexadecimal, and what to keep of it.
    pub(super) fn fresh() -> anyhow::Result<(String, Self)> {
        let text = random_hex::<32>()?;
        let secret = Self(digest(&SHA256, text.as_bytes()));
        Ok((text, secret))
    }

    /// Whether `given` is the secret.
    pub(super) fn matches(&self, given: &[u8]) -> bool {
        let given = digest(&SHA256, given);
        let pairs = self.0.as_ref().iter().zip(given.as_ref());
        let difference = pairs.fold(0, |difference, (left, right)| difference | (left ^ right));
        std::hint::black_box(difference) == 0
    }
}

/// `N` random bytes in lower-case hexadecimal.
pub(super) fn random_hex<const N: usize>() -> anyhow::Result<String> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .ok()
        .context("the system gives no random bytes")?;
    let mut text = String::with_capacity(2 * N);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}
