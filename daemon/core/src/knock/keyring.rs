//! The keys that this device answers to, and the look-up that opens a knock.
//!
//! A dated tag is found in a table of the hours −1…+1; all locks that fit one are tried. An undated tag is tried against every
//! lock, at a bounded rate for all senders together. What no lock opens leaves no trace.

use std::collections::BTreeMap;

use super::{
    EPHEMERAL, HOUR, INVITEE_DATED, INVITEE_UNDATED, Knock, NOBODY, PAIR_DATED, PAIR_UNDATED, TAG, dated_tag,
    pair_tag_key, undated_tag,
};
use crate::bounds;
use crate::crypto::{self, NONCE, Secret};
use crate::ids::{ContactId, InviteId, RootKey};
use crate::invite;
use crate::time::Now;

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
