//! Knocks: small sealed UDP packets that only a holder of the right key can make or recognise.
//!
//! Wire form: `form (1) ‖ tag (8) ‖ nonce (12) ‖ [ephemeral X25519 key (32)] ‖ AEAD`, everything before the AEAD being
//! its associated data. The tag finds the key among all keys of a device without a trial decryption each: *dated* tags
//! are HMAC(key, sender ‖ hour) and are looked up; *undated* ones are HMAC(key, nonce), tried one by one at a bounded
//! rate, for people whose clocks are wrong.
//!
//! Invariants: every knock of one kind has one of two sizes, [`SIZE`] or the padded one, so a reply is never larger than
//! what it answers. A knock proves nothing about its source: a path is proven only by a reply that echoes our fresh `tx`.

mod keyring;
mod replay;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use minicbor::{Decode, Encode};

use crate::crypto::{self, NONCE, SEAL_OVERHEAD, Secret};
use crate::ids::{DeviceKey, RootKey, Token};
use crate::invite;
use crate::reach::nat_report::NatKind;
use crate::rng::Rng;
use crate::time::{Now, UnixSeconds};

pub use keyring::{Keyring, Lock, LockId, Opened};
pub use replay::{Answers, ReplayGuard};

/// Bytes of an ordinary knock.
pub const SIZE: usize = 400;

const TAG: usize = 8;
const EPHEMERAL: usize = 32;
const PAIR_DATED: u8 = 4;
const PAIR_UNDATED: u8 = 5;
const INVITEE_DATED: u8 = 6;
const INVITEE_UNDATED: u8 = 7;
const HOUR: u64 = 3600;
/// Stands for the sender of invitees' knocks: their root is not known yet.
const NOBODY: RootKey = RootKey([0; 32]);

/// Whether a knock asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// "Are you there?"
    #[n(0)]
    Knock,
    /// "I am, and I saw you at …"
    #[n(1)]
    Reply,
}

/// What a knock says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Knock {
    /// Question or answer.
    #[n(0)]
    pub kind: Kind,
    /// Fresh and random.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub tx: [u8; 16],
    /// Of a reply: the `tx` that it answers.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub echo: Option<[u8; 16]>,
    /// The sender's device.
    #[n(3)]
    pub device: DeviceKey,
    /// The number of the sender's device list.
    #[n(4)]
    pub list_sequence: u64,
    /// Where the sender may be reached; used only after proof.
    #[cbor(n(5), with = "crate::cbor::addresses")]
    pub candidates: Vec<SocketAddr>,
    /// Of a reply: the source of the packet that it answers.
    #[cbor(n(6), with = "crate::cbor::maybe_address")]
    pub observed: Option<SocketAddr>,
    /// The sender's wall clock.
    #[n(7)]
    pub time: UnixSeconds,
    /// The sender's half of the session's name: a new one tells that its daemon restarted, and that a link which we
    /// still hold is dead.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub session: [u8; 16],
    /// What kind of NAT the sender is behind.
    #[cbor(n(9), default)]
    pub nat: NatKind,
}

/// How a knock is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealKey {
    /// With a key that both people hold; the sender's root takes part in the tag.
    Pair {
        /// The shared key.
        key: Secret,
        /// Who seals.
        sender: RootKey,
    },
    /// To an invite's one-time key, by whoever redeems it.
    Invitee {
        /// The invite's secret.
        secret: [u8; 16],
        /// The invitee's own X25519 secret for this invite.
        ephemeral: Secret,
        /// The invite's one-time public key.
        one_time: [u8; 32],
    },
}

impl SealKey {
    /// The key that seals; `None` where the far public key is unusable.
    #[must_use]
    pub fn aead_key(&self) -> Option<Secret> {
        match self {
            Self::Pair { key, .. } => Some(crypto::derive(&key.0, "knock seal", &[])),
            Self::Invitee {
                secret,
                ephemeral,
                one_time,
            } => {
                let pair = invite::pair_key(secret, &crypto::agree(ephemeral, one_time)?);
                Some(crypto::derive(&pair.0, "knock seal", &[]))
            }
        }
    }
}

/// Seals a knock into a datagram of `size` bytes.
#[must_use]
pub fn seal(knock: &Knock, with: &SealKey, dated: bool, size: usize, now: Now, rng: &mut Rng) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE] = rng.bytes();
    let (form, tag_key, sender) = match with {
        SealKey::Pair { key, sender } => (
            if dated { PAIR_DATED } else { PAIR_UNDATED },
            pair_tag_key(key),
            *sender,
        ),
        SealKey::Invitee { secret, .. } => (
            if dated { INVITEE_DATED } else { INVITEE_UNDATED },
            invite::tag_key(secret),
            NOBODY,
        ),
    };
    let tag = if dated {
        dated_tag(&tag_key, &sender, now.wall / HOUR)
    } else {
        undated_tag(&tag_key, &nonce)
    };
    let mut datagram = vec![form];
    datagram.extend_from_slice(&tag);
    datagram.extend_from_slice(&nonce);
    if let SealKey::Invitee { ephemeral, .. } = with {
        datagram.extend_from_slice(&crypto::agree_public(ephemeral));
    }
    let mut plain = crate::cbor::encode(knock);
    let room = size.checked_sub(datagram.len() + SEAL_OVERHEAD)?;
    if plain.len() > room {
        return None;
    }
    plain.resize(room, 0);
    let sealed = crypto::seal(&with.aead_key()?, nonce, &datagram, plain);
    datagram.extend_from_slice(&sealed);
    Some(datagram)
}

/// The destination connection id that a proven exchange admits: only who saw both `tx` under the key can make it.
#[must_use]
pub fn token(aead_key: &Secret, asked: &[u8; 16], answered: &[u8; 16]) -> Token {
    let mut token = [0; 16];
    let derived = crypto::derive(&aead_key.0, "initial token", &[asked, answered]);
    for (to, from) in token.iter_mut().zip(derived.0) {
        *to = from;
    }
    Token(token)
}

fn pair_tag_key(key: &Secret) -> Secret {
    crypto::derive(&key.0, "knock tag", &[])
}

fn dated_tag(tag_key: &Secret, sender: &RootKey, hour: u64) -> [u8; TAG] {
    first_eight(crypto::mac(&tag_key.0, &[b"dated", &sender.0, &hour.to_be_bytes()]))
}

fn undated_tag(tag_key: &Secret, nonce: &[u8; NONCE]) -> [u8; TAG] {
    first_eight(crypto::mac(&tag_key.0, &[b"undated", nonce]))
}

const fn first_eight(mac: [u8; 32]) -> [u8; TAG] {
    let [a, b, c, d, e, f, g, h, ..] = mac;
    [a, b, c, d, e, f, g, h]
}
