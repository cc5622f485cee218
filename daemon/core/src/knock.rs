//! Knocks: small sealed UDP packets that only a holder of the right key can make or recognise.
//!
//! Wire form: `form (1) ‖ tag (8) ‖ nonce (12) ‖ [ephemeral X25519 key (32)] ‖ AEAD`, everything before the AEAD being
//! its associated data. The tag finds the key among all keys of a device without a trial decryption each: *dated* tags
//! are HMAC(key, sender ‖ hour) and are looked up; *undated* ones are HMAC(key, nonce), tried one by one at a bounded
//! rate, for people whose clocks are wrong.
//!
//! Invariants: every knock of one kind has one of two sizes, [`SIZE`] or the padded one, so a reply is never larger than
//! what it answers. A knock proves nothing about its source: a path is proven only by a reply that echoes our fresh `tx`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use minicbor::{Decode, Encode};

use crate::bounds;
use crate::crypto::{self, NONCE, SEAL_OVERHEAD, Secret};
use crate::ids::{ContactId, DeviceKey, InviteId, RootKey, Token};
use crate::invite;
use crate::reach::via::Place;
use crate::rng::Rng;
use crate::time::{Now, UnixSeconds};

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

/// Whose key opened a knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockId {
    /// A contact's pair key, or the key of a redemption under way.
    Contact(ContactId),
    /// An invite of ours.
    Invite(InviteId),
}

/// One key that this device answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Shared with a contact.
    Pair {
        /// The shared key.
        key: Secret,
        /// Who seals with it towards us.
        sender: RootKey,
    },
    /// An invite of ours.
    Invite(invite::InviteKeys),
}

/// An opened knock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whose key it was.
    pub lock: LockId,
    /// What it says.
    pub knock: Knock,
    /// Its nonce, which is remembered against replays.
    pub nonce: [u8; NONCE],
    /// Under which key an answer is sealed: the same on the wire, with us as the sender.
    pub answer_key: Secret,
    /// Whether its tag was dated; an answer follows suit.
    pub dated: bool,
    /// Bytes of the datagram: the bound of an answer.
    pub size: usize,
}

/// All keys that this device answers to, arranged for look-up.
#[derive(Debug, Default)]
pub struct Keyring {
    locks: Vec<(LockId, Lock, Secret)>,
    dated: BTreeMap<[u8; TAG], Vec<usize>>,
    hour: u64,
    undated: Budget,
}

/// How many undated tags may be tried in this second.
#[derive(Debug, Default)]
struct Budget {
    second: u64,
    used: u32,
}

impl Budget {
    fn take(&mut self, second: u64) -> bool {
        if self.second != second {
            *self = Self { second, used: 0 };
        }
        self.used = self.used.saturating_add(1);
        self.used <= bounds::UNDATED_PER_S
    }
}

impl Keyring {
    /// Replaces all keys.
    pub fn set(&mut self, locks: Vec<(LockId, Lock)>, now: Now) {
        let with_tag_key = |(id, lock): (LockId, Lock)| {
            let tag_key = match &lock {
                Lock::Pair { key, .. } => pair_tag_key(key),
                Lock::Invite(keys) => invite::tag_key(&keys.secret),
            };
            (id, lock, tag_key)
        };
        self.locks = locks.into_iter().map(with_tag_key).collect();
        self.arrange(now.wall / HOUR);
    }

    fn arrange(&mut self, hour: u64) {
        self.hour = hour;
        self.dated.clear();
        for (index, (_, lock, tag_key)) in self.locks.iter().enumerate() {
            let sender = match lock {
                Lock::Pair { sender, .. } => *sender,
                Lock::Invite(_) => NOBODY,
            };
            for hour in hour.saturating_sub(1)..=hour.saturating_add(1) {
                self.dated
                    .entry(dated_tag(tag_key, &sender, hour))
                    .or_default()
                    .push(index);
            }
        }
    }

    /// Opens a datagram, if any key of ours fits.
    pub fn open(&mut self, datagram: &[u8], now: Now) -> Option<Opened> {
        if now.wall / HOUR != self.hour {
            self.arrange(now.wall / HOUR);
        }
        let frame = Frame::parse(datagram)?;
        let matches: Vec<usize> = if frame.dated {
            self.dated.get(&frame.tag).cloned().unwrap_or_default()
        } else {
            self.undated_matches(&frame, now)
        };
        matches
            .into_iter()
            .find_map(|index| self.locks.get(index).and_then(|(id, lock, _)| frame.open(*id, lock)))
    }

    fn undated_matches(&mut self, frame: &Frame<'_>, now: Now) -> Vec<usize> {
        if !self.undated.take(now.boot.as_secs()) {
            return Vec::new();
        }
        let fits =
            |(_, (_, _, tag_key)): &(usize, &(LockId, Lock, Secret))| undated_tag(tag_key, &frame.nonce) == frame.tag;
        self.locks
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(index, _)| index)
            .collect()
    }
}

/// How many questions under each lock were answered in this second: a valid question costs more to answer than to ask,
/// and may name somebody else as its source.
#[derive(Debug, Default)]
pub struct Answers {
    second: u64,
    used: BTreeMap<LockId, u32>,
}

impl Answers {
    /// Whether one more may be answered.
    pub fn take(&mut self, lock: LockId, now: Now) -> bool {
        if self.second != now.boot.as_secs() {
            self.second = now.boot.as_secs();
            self.used.clear();
        }
        let used = self.used.entry(lock).or_default();
        *used = used.saturating_add(1);
        *used <= bounds::ANSWERS_PER_S
    }
}

/// A datagram taken apart, nothing opened yet.
struct Frame<'a> {
    dated: bool,
    tag: [u8; TAG],
    nonce: [u8; NONCE],
    ephemeral: Option<[u8; EPHEMERAL]>,
    head: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Frame<'a> {
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (form, rest) = datagram.split_first()?;
        let (tag, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (dated, ephemeral, sealed) = match *form {
            PAIR_DATED => (true, None, rest),
            PAIR_UNDATED => (false, None, rest),
            INVITEE_DATED | INVITEE_UNDATED => {
                let (ephemeral, rest) = rest.split_first_chunk()?;
                (*form == INVITEE_DATED, Some(*ephemeral), rest)
            }
            _ => return None,
        };
        let head = datagram.get(..datagram.len() - sealed.len())?;
        Some(Self {
            dated,
            tag: *tag,
            nonce: *nonce,
            ephemeral,
            head,
            sealed,
        })
    }

    fn open(&self, lock_id: LockId, lock: &Lock) -> Option<Opened> {
        let answer_key = match (lock, &self.ephemeral) {
            (Lock::Pair { key, .. }, None) => key.clone(),
            (Lock::Invite(keys), Some(theirs)) => {
                invite::pair_key(&keys.secret, &crypto::agree(&keys.one_time, theirs)?)
            }
            (Lock::Pair { .. }, Some(_)) | (Lock::Invite(_), None) => return None,
        };
        let key = crypto::derive(&answer_key.0, "knock seal", &[]);
        let plain = crypto::open(&key, self.nonce, self.head, self.sealed)?;
        let knock = crate::cbor::decode(&plain)?;
        let size = self.head.len() + self.sealed.len();
        Some(Opened {
            lock: lock_id,
            knock,
            nonce: self.nonce,
            answer_key,
            dated: self.dated,
            size,
        })
    }
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

/// Remembers nonces while their tags live, and how often each may still be answered.
#[derive(Debug, Default)]
pub struct ReplayGuard {
    seen: BTreeMap<[u8; NONCE], Seen>,
    ages: std::collections::VecDeque<([u8; NONCE], u64)>,
}

#[derive(Debug)]
struct Seen {
    first: Place,
    second_answered: bool,
}

impl ReplayGuard {
    /// Whether a knock with this nonce, from this source, is to be handled: the first one, and one duplicate from
    /// another source (the same packet over a second path).
    pub fn admit(&mut self, nonce: [u8; NONCE], from: Place, now: Now) -> bool {
        self.forget(now);
        if let Some(seen) = self.seen.get_mut(&nonce) {
            let second = seen.first != from && !seen.second_answered;
            seen.second_answered |= second;
            return second;
        }
        self.seen.insert(
            nonce,
            Seen {
                first: from,
                second_answered: false,
            },
        );
        self.ages.push_back((nonce, now.boot.as_secs()));
        true
    }

    fn forget(&mut self, now: Now) {
        // A tag is tried for the hours around its own: three in all.
        let is_old = |born: u64| now.boot.as_secs().saturating_sub(born) > 3 * HOUR;
        while self.ages.len() >= bounds::NONCES || self.ages.front().is_some_and(|(_, born)| is_old(*born)) {
            if let Some((nonce, _)) = self.ages.pop_front() {
                self.seen.remove(&nonce);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn now(wall: u64) -> Now {
        Now {
            boot: Duration::from_secs(1000),
            wall,
            millis: 0,
        }
    }

    fn knock(candidates: usize) -> Knock {
        Knock {
            kind: Kind::Knock,
            tx: [1; 16],
            echo: Some([2; 16]),
            device: DeviceKey([3; 32]),
            list_sequence: u64::MAX,
            candidates: vec!["[2001:db9::1]:2226".parse().expect("address"); candidates],
            observed: Some("[2001:db9::2]:2226".parse().expect("address")),
            time: u64::MAX,
            session: [6; 16],
        }
    }

    fn pair() -> SealKey {
        SealKey::Pair {
            key: Secret([4; 32]),
            sender: RootKey([5; 32]),
        }
    }

    fn ring(at: u64) -> Keyring {
        let mut ring = Keyring::default();
        let lock = Lock::Pair {
            key: Secret([4; 32]),
            sender: RootKey([5; 32]),
        };
        let invite = Lock::Invite(invite::InviteKeys {
            secret: [6; 16],
            one_time: Secret([7; 32]),
        });
        ring.set(
            vec![
                (LockId::Contact(ContactId([1; 8])), lock),
                (LockId::Invite(InviteId([2; 8])), invite),
            ],
            now(at),
        );
        ring
    }

    #[test]
    fn the_largest_knock_fits_and_all_have_one_size() {
        let mut rng = Rng::new([0; 32]);
        for count in [0, bounds::CANDIDATES] {
            let datagram = seal(&knock(count), &pair(), true, SIZE, now(7200), &mut rng).expect("fits");
            assert_eq!(datagram.len(), SIZE);
            assert_eq!(
                ring(7200).open(&datagram, now(7200)).map(|opened| opened.knock),
                Some(knock(count))
            );
        }
    }

    #[test]
    fn dated_knocks_tolerate_an_hour_and_undated_ones_any_clock() {
        let mut rng = Rng::new([0; 32]);
        let base = 500 * HOUR;
        let dated = seal(&knock(1), &pair(), true, SIZE, now(base), &mut rng).expect("fits");
        let undated = seal(&knock(1), &pair(), false, SIZE, now(base), &mut rng).expect("fits");
        for (at, opens) in [
            (base, true),
            (base + HOUR, true),
            (base - HOUR, true),
            (base + 2 * HOUR, false),
            (base - 2 * HOUR, false),
        ] {
            assert_eq!(ring(at).open(&dated, now(at)).is_some(), opens, "{at}");
            assert!(ring(at).open(&undated, now(at)).is_some());
        }
    }

    #[test]
    fn an_invitee_seals_to_the_one_time_key() {
        let mut rng = Rng::new([0; 32]);
        let with = SealKey::Invitee {
            secret: [6; 16],
            ephemeral: Secret([9; 32]),
            one_time: crypto::agree_public(&Secret([7; 32])),
        };
        let datagram = seal(&knock(8), &with, true, SIZE, now(7200), &mut rng).expect("fits");
        let opened = ring(7200).open(&datagram, now(7200)).expect("opens");
        assert_eq!(opened.lock, LockId::Invite(InviteId([2; 8])));
        assert_eq!(
            with.aead_key(),
            Some(crypto::derive(&opened.answer_key.0, "knock seal", &[]))
        );
        let other = SealKey::Invitee {
            secret: [6; 16],
            ephemeral: Secret([9; 32]),
            one_time: crypto::agree_public(&Secret([8; 32])),
        };
        let sealed_to_another = seal(&knock(1), &other, true, SIZE, now(7200), &mut rng).expect("fits");
        assert!(ring(7200).open(&sealed_to_another, now(7200)).is_none());
    }

    #[test]
    fn undated_trials_are_bounded() {
        let mut rng = Rng::new([0; 32]);
        let mut ring = ring(7200);
        let opened = (0..bounds::UNDATED_PER_S + 10).filter(|_| {
            let datagram = seal(&knock(1), &pair(), false, SIZE, now(7200), &mut rng).expect("fits");
            ring.open(&datagram, now(7200)).is_some()
        });
        assert_eq!(opened.count(), bounds::UNDATED_PER_S as usize);
    }

    #[test]
    fn a_duplicate_gets_one_answer_from_a_second_source_and_none_from_a_third() {
        let mut guard = ReplayGuard::default();
        let from = |port: u16| Place::own(SocketAddr::from(([11, 0, 0, 1], port)));
        assert!(guard.admit([1; NONCE], from(1), now(0)));
        assert!(!guard.admit([1; NONCE], from(1), now(0)));
        assert!(guard.admit([1; NONCE], from(2), now(0)));
        assert!(!guard.admit([1; NONCE], from(3), now(0)));
        assert!(guard.admit([2; NONCE], from(3), now(0)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_open_nothing(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            proptest::prop_assert!(ring(7200).open(&bytes, now(7200)).is_none());
        }
    }
}
