//! Moving the key from one store to another.
//!
//! The key stays the same; what changes is what `state.key` says. The new place is written and read back first, then one
//! rename switches, then the old place is emptied. A crash between any two steps leaves a home that opens: before the rename by
//! the old place, which nothing has touched, after it by the new one. What is left over in the keyring is noted
//! beforehand and taken away at the next start.

use std::fs;
use std::io;

use twocan_api::types::{KeyPlace, KeyStore};
use zeroize::Zeroizing;

use super::super::sync_folder;
use super::passphrase::Wrapped;
use super::record::Record;
use super::{Holder, NotReady, PASSPHRASE_CHARS, is_passphrase, put, spare};

/// Where the key shall go.
#[derive(Clone)]
pub enum Target {
    /// Into the user's keyring.
    Keyring,
    /// Under this passphrase.
    Passphrase(Zeroizing<String>),
    /// Into the file.
    File,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.store().name())
    }
}

/// Why the key stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum CannotMove {
    /// The keyring cannot be used now.
    #[error("{}", .0.refusal())]
    Keyring(NotReady),
    /// Too short or too long.
    #[error("a passphrase has {} to {} characters, all on one line", PASSPHRASE_CHARS.start(), PASSPHRASE_CHARS.end())]
    Passphrase,
    /// The disk refuses.
    #[error("the key cannot be moved ({0})")]
    Io(io::Error),
}

impl From<io::Error> for CannotMove {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Target {
    /// The store.
    #[must_use]
    pub const fn store(&self) -> KeyStore {
        match self {
            Self::Keyring => KeyStore::Keyring,
            Self::Passphrase(_) => KeyStore::Passphrase,
            Self::File => KeyStore::File,
        }
    }
}

/// A move under way: the record that will hold once it is done.
struct Moving<'a> {
    holder: &'a Holder,
    new: Record,
}

type Step = fn(&Moving<'_>) -> io::Result<()>;

/// The steps after the new place holds the key, in order; a crash may fall between any two. The rename switches.
const STEPS: &[Step] = &[
    |moving| moving.note_old(),
    |moving| moving.new.write(&moving.holder.paths.moving_key()),
    |moving| moving.check(),
    |moving| fs::rename(moving.holder.paths.moving_key(), moving.holder.paths.key()),
    |moving| sync_folder(moving.holder.paths.state_folder()),
];

impl Moving<'_> {
    /// The old key in the keyring will be left over.
    fn note_old(&self) -> io::Result<()> {
        match &self.holder.record {
            Record::Keyring(id) => spare::add(&self.holder.paths, id),
            Record::File(_) | Record::Credential | Record::Passphrase(_) => Ok(()),
        }
    }

    /// What was written reads back as what was meant.
    fn check(&self) -> io::Result<()> {
        let path = self.holder.paths.moving_key();
        let read = Record::read(&path, &mut Vec::new());
        if read.is_ok_and(|read| read == self.new) {
            Ok(())
        } else {
            Err(io::Error::other("the new state.key does not read back"))
        }
    }
}

impl Holder {
    /// Moves the key. Blocks, for a keyring as long as its patience. A target where the key lies already changes nothing, but a
    /// passphrase is changed.
    pub(in crate::store) fn move_to(&mut self, target: &Target) -> Result<KeyPlace, CannotMove> {
        if target.store() == self.record.store() && target.store() != KeyStore::Passphrase {
            return Ok(self.place());
        }
        let moving = Moving {
            new: self.prepare(target)?,
            holder: self,
        };
        STEPS.iter().try_for_each(|step| step(&moving))?;
        self.record = moving.new;
        self.tidy();
        Ok(self.place())
    }

    /// The new place holds the key, and was read back.
    fn prepare(&self, target: &Target) -> Result<Record, CannotMove> {
        match target {
            Target::File => Ok(Record::File(self.key.clone())),
            Target::Keyring => {
                self.stores.ring.look().map_err(CannotMove::Keyring)?;
                put(&self.paths, &self.stores, &self.key)
            }
            Target::Passphrase(passphrase) => {
                if !is_passphrase(passphrase) {
                    return Err(CannotMove::Passphrase);
                }
                let wrapped = Wrapped::of(&self.key, passphrase)?;
                if wrapped.open(passphrase).as_ref() != Some(&self.key) {
                    return Err(io::Error::other("the sealed key does not open").into());
                }
                Ok(Record::Passphrase(wrapped))
            }
        }
    }
}

#[cfg(test)]
#[path = "moving_tests.rs"]
mod tests;
