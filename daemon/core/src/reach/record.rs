//! Records: sealed entries on a public DHT (BEP 44) that say where a device is, to those who may know and to nobody else.
//!
//! A device has a finding key pair A, a person a random finding key FK; both are told to contacts over links. On day *e* the
//! record lies under A blinded by h(FK, A, e): whoever knows FK and A derives the public key and so the place, and opens the
//! value; only the device can sign. Places of two days, or of two devices, cannot be told to belong together without FK.
//!
//! The same values carry the first contact of an invite: the invitee's place is derived from the invite's secret, and what he
//! says is sealed to its one-time key, so whoever merely read the mail learns no address of his. The inviter answers at a
//! second place.
//!
//! Invariants: every value is [`VALUE`] bytes long; nothing in it can be told from noise without a key; a record is believed
//! only with the signature of its place.

use std::net::SocketAddr;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use minicbor::{Decode, Encode};
use sha2::Sha512;

use crate::crypto::{self, NONCE, SEAL_OVERHEAD, Secret};
use crate::ids::DeviceKey;
use crate::invite;
use crate::reach::nat_report::NatKind;
use crate::rng::Rng;
use crate::time::UnixSeconds;

/// Bytes of every value: with the length in front of it a bencoded string of 1000 bytes, BEP 44's limit.
pub const VALUE: usize = 996;
/// Seconds of a day, after which a record lies elsewhere.
pub const DAY: u64 = 86_400;
/// So near to midnight a record lies at the places of both days, for those whose clocks differ.
pub const NEIGHBOUR: u64 = 2 * 3600;

/// Bytes of an X25519 key.
const EPHEMERAL: usize = 32;

/// The public half of a place, under which the DHT keeps a value.
pub type Place = [u8; 32];

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// Whose it is.
    #[n(0)]
    pub device: DeviceKey,
    /// Where that device may be reached.
    #[cbor(n(1), with = "crate::cbor::addresses")]
    pub candidates: Vec<SocketAddr>,
    /// The device's wall clock.
    #[n(2)]
    pub time: UnixSeconds,
    /// The kind of NAT that it is behind, where it knows.
    #[n(3)]
    pub nat: Option<NatKind>,
}

/// A signed value as the DHT keeps it: BEP 44's mutable item without salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The Ed25519 key that signs; its SHA-1 is the target.
    pub place: Place,
    /// Grows with each value; the wall clock in Unix seconds, or one more than the last.
    pub seq: u64,
    /// [`VALUE`] bytes.
    pub value: Vec<u8>,
    /// Ed25519, 64 bytes, over [`signable`].
    pub signature: Vec<u8>,
}

/// What BEP 44 has signed.
#[must_use]
pub fn signable(seq: u64, value: &[u8]) -> Vec<u8> {
    let mut bytes = format!("3:seqi{seq}e1:v{}:", value.len()).into_bytes();
    bytes.extend_from_slice(value);
    bytes
}

impl Item {
    /// Whether its place has signed it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        crypto::verify(&self.place, &signable(self.seq, &self.value), &self.signature)
    }
}

/// The day of a moment.
#[must_use]
pub const fn day(wall: UnixSeconds) -> u64 {
    wall / DAY
}

/// The days at whose places a record is to lie.
#[must_use]
pub fn days(wall: UnixSeconds) -> Vec<u64> {
    let (day, into) = (wall / DAY, wall % DAY);
    let mut days = vec![day];
    if into < NEIGHBOUR {
        days.extend(day.checked_sub(1));
    }
    if into >= DAY - NEIGHBOUR {
        days.push(day + 1);
    }
    days
}

/// The public half of a device's finding key.
#[must_use]
pub fn finding_public(seed: &Secret) -> [u8; 32] {
    crypto::sign_public(seed)
}

/// Where a device's record lies on a day; `None` for a key that is no point of the curve, or not of the prime-order group.
#[must_use]
pub fn place(finding: &Secret, public: &[u8; 32], day: u64) -> Option<Place> {
    let point = CompressedEdwardsY(*public).decompress()?;
    if point.is_small_order() || !point.is_torsion_free() {
        return None;
    }
    Some((point * blinding(finding, public, day)).compress().to_bytes())
}

/// The factor by which a day's key differs from A.
fn blinding(finding: &Secret, public: &[u8; 32], day: u64) -> Scalar {
    let half = |label| crypto::derive(&finding.0, label, &[public, &day.to_be_bytes()]);
    let (low, high) = (half("finding blind low"), half("finding blind high"));
    let mut wide = [0; 64];
    for (to, from) in wide.iter_mut().zip(low.0.iter().chain(&high.0)) {
        *to = *from;
    }
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// The key under which the values of a day are sealed.
fn seal_key(finding: &Secret, public: &[u8; 32], day: u64) -> Secret {
    crypto::derive(&finding.0, "finding seal", &[public, &day.to_be_bytes()])
}

/// Makes the item of a day; `None` where the record does not fit, which no record within its bounds does.
#[must_use]
pub fn publish(record: &Record, finding: &Secret, seed: &Secret, day: u64, seq: u64, rng: &mut Rng) -> Option<Item> {
    let public = finding_public(seed);
    let key = seal_key(finding, &public, day);
    let value = seal(&key, crate::cbor::encode(record), VALUE, rng)?;
    let signer = blinded(finding, seed, &public, day);
    let place = EdwardsPoint::mul_base(&signer.scalar).compress().to_bytes();
    let verifying = VerifyingKey::from_bytes(&place).ok()?;
    let signature = raw_sign::<Sha512>(&signer, &signable(seq, &value), &verifying);
    Some(Item {
        place,
        seq,
        value,
        signature: signature.to_bytes().to_vec(),
    })
}

/// The day's signing key: the scalar of A times the blinding factor. The prefix, from which the nonces come, is derived along
/// with it, so that no nonce serves under two keys.
fn blinded(finding: &Secret, seed: &Secret, public: &[u8; 32], day: u64) -> ExpandedSecretKey {
    let own = ExpandedSecretKey::from(&seed.0);
    let prefix = crypto::derive(&own.hash_prefix, "finding prefix", &[&finding.0, &day.to_be_bytes()]);
    ExpandedSecretKey {
        scalar: own.scalar * blinding(finding, public, day),
        hash_prefix: prefix.0,
    }
}

/// Reads the item of a day; `None` for anything but a record of this device that its finding key has signed.
#[must_use]
pub fn read(item: &Item, finding: &Secret, public: &[u8; 32], day: u64) -> Option<Record> {
    if place(finding, public, day)? != item.place || !item.is_signed() {
        return None;
    }
    let plain = open(&seal_key(finding, public, day), &item.value)?;
    crate::cbor::decode(&plain)
}

/// Nonce and sealed plain text, filled up with zeros to `size` bytes.
fn seal(key: &Secret, mut plain: Vec<u8>, size: usize, rng: &mut Rng) -> Option<Vec<u8>> {
    let room = size.checked_sub(NONCE + SEAL_OVERHEAD)?;
    if plain.len() > room {
        return None;
    }
    plain.resize(room, 0);
    let nonce: [u8; NONCE] = rng.bytes();
    let mut value = nonce.to_vec();
    value.extend_from_slice(&crypto::seal(key, nonce, &[], plain));
    Some(value)
}

fn open(key: &Secret, value: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = value.split_first_chunk::<NONCE>()?;
    crypto::open(key, *nonce, &[], sealed)
}

/// What a device is called on a local network: noise to whoever does not know its keys, and another one every day.
pub type LanName = [u8; 16];

/// The name of a device on a day.
#[must_use]
pub fn lan_name(finding: &Secret, public: &[u8; 32], day: u64) -> LanName {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] =
        crypto::derive(&finding.0, "lan name", &[public, &day.to_be_bytes()]).0;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// A record sealed under a key that two people share, `size` bytes of it.
#[must_use]
pub fn seal_plain(key: &Secret, record: &Record, size: usize, rng: &mut Rng) -> Option<Vec<u8>> {
    seal(key, crate::cbor::encode(record), size, rng)
}

/// Opens what [`seal_plain`] sealed.
#[must_use]
pub fn open_plain(key: &Secret, value: &[u8]) -> Option<Record> {
    crate::cbor::decode(&open(key, value)?)
}

/// The two places of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// What the invitee says.
    Invitee,
    /// What the inviter answers.
    Inviter,
}

impl Word {
    const fn label(self) -> &'static str {
        match self {
            Self::Invitee => "invite record",
            Self::Inviter => "invite answer",
        }
    }

    fn seed(self, secret: &[u8; 16]) -> Secret {
        crypto::derive(secret, self.label(), &[b"place"])
    }

    fn outer(self, secret: &[u8; 16]) -> Secret {
        crypto::derive(secret, self.label(), &[b"outer"])
    }

    fn inner(self, pair: &Secret) -> Secret {
        crypto::derive(&pair.0, self.label(), &[b"inner"])
    }

    /// Where it lies.
    #[must_use]
    pub fn place(self, secret: &[u8; 16]) -> Place {
        crypto::sign_public(&self.seed(secret))
    }
}

/// What somebody who was invited says about himself, sealed to the invite's one-time key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteeWord {
    /// Where he is.
    pub record: Record,
    /// The key of his knocks and of the answer: see [`invite::pair_key`].
    pub pair: Secret,
}

/// The bytes of an invitee's word, `size` of them in all: the outer seal hides his ephemeral key from who knows no secret, the
/// inner one his addresses from who knows just the link.
#[must_use]
pub fn seal_word(
    record: &Record,
    secret: &[u8; 16],
    ephemeral: &Secret,
    one_time: &[u8; 32],
    size: usize,
    rng: &mut Rng,
) -> Option<Vec<u8>> {
    let pair = invite::pair_key(secret, &crypto::agree(ephemeral, one_time)?);
    let inner_size = size.checked_sub(NONCE + SEAL_OVERHEAD + EPHEMERAL)?;
    let inner = seal(
        &Word::Invitee.inner(&pair),
        crate::cbor::encode(record),
        inner_size,
        rng,
    )?;
    let mut outer = crypto::agree_public(ephemeral).to_vec();
    outer.extend_from_slice(&inner);
    seal(&Word::Invitee.outer(secret), outer, size, rng)
}

/// Opens what [`seal_word`] sealed, with the inviter's keys.
#[must_use]
pub fn open_word(value: &[u8], keys: &invite::InviteKeys) -> Option<InviteeWord> {
    let outer = open(&Word::Invitee.outer(&keys.secret), value)?;
    let (ephemeral, inner) = outer.split_first_chunk::<EPHEMERAL>()?;
    let pair = invite::pair_key(&keys.secret, &crypto::agree(&keys.one_time, ephemeral)?);
    let plain = open(&Word::Invitee.inner(&pair), inner)?;
    let record = crate::cbor::decode(&plain)?;
    Some(InviteeWord { record, pair })
}

/// The inviter's answer, for the one invitee who holds `pair`.
#[must_use]
pub fn seal_answer(record: &Record, secret: &[u8; 16], pair: &Secret, seq: u64, rng: &mut Rng) -> Option<Item> {
    let value = seal(&Word::Inviter.inner(pair), crate::cbor::encode(record), VALUE, rng)?;
    Some(sign_word(Word::Inviter, secret, seq, value))
}

/// Opens what [`seal_answer`] sealed.
#[must_use]
pub fn open_answer(item: &Item, secret: &[u8; 16], pair: &Secret) -> Option<Record> {
    if item.place != Word::Inviter.place(secret) || !item.is_signed() {
        return None;
    }
    crate::cbor::decode(&open(&Word::Inviter.inner(pair), &item.value)?)
}

/// The item of a sealed word. Whoever holds the link can sign here; the seals inside say more.
#[must_use]
pub fn sign_word(word: Word, secret: &[u8; 16], seq: u64, value: Vec<u8>) -> Item {
    let seed = word.seed(secret);
    let signature = crypto::sign(&seed, &signable(seq, &value));
    Item {
        place: word.place(secret),
        seq,
        value,
        signature,
    }
}

#[cfg(test)]
mod tests;
