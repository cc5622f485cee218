//! The sealed state on the disk, and the generation before it.
//!
//! A save writes `state.sealed.new`, makes it last, turns `state.sealed` into `state.sealed.1` and the new file into
//! `state.sealed`. After a crash between any two of these steps either the old or the new state loads. A file is put
//! into quarantine only once another one has opened, so that nothing is moved while the key may be what is wrong.
//! Where something is left of an identity and none of it opens, loading fails: a new identity is never made beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{LessSafeKey, NONCE_LEN};
use ring::rand::{SecureRandom, SystemRandom};
use twocan_api::types::{KeyPlace, Why};
use zeroize::Zeroizing;

use super::config::SecretStore;
use super::paths::{Paths, WRITABLE};
use super::sealed::{self, Plain, Unreadable};
use super::secrets::{self, CannotMove, Heirloom, Holder, NotReady, Stores, Target};
use super::{exists, remove, sync_folder, warning};

/// What the disk held.
#[derive(Debug)]
pub enum Loaded {
    /// Nothing: this is the first start.
    Fresh,
    /// The state as it was stored last.
    Found {
        /// As the core encoded it.
        state: Zeroizing<Vec<u8>>,
        /// As the core numbered it.
        generation: u64,
    },
    /// The last state was damaged or gone; this is the one before.
    Recovered {
        /// As the core encoded it.
        state: Zeroizing<Vec<u8>>,
        /// As the core numbered it.
        generation: u64,
        /// Where the damaged file lies; `None` where there was none, or where it could not be moved.
        quarantined: Option<PathBuf>,
    },
}

/// An opened store.
#[derive(Debug)]
pub struct Opened {
    /// For saving.
    pub file: StateFile,
    /// What there was.
    pub loaded: Loaded,
    /// Where the key is.
    pub key: KeyPlace,
    /// Standing warnings for `status`: `key_in_file`, `key_elsewhere`, `key_was_open`, `state_damaged`.
    pub warnings: Vec<Why>,
}

/// Why the state cannot be had. Each says what the user can do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A state without its key.
    #[error(
        "the stored identity cannot be opened without its key {key}; put the key back from a copy, or move the folder's state files away to begin anew"
    )]
    KeyMissing {
        /// Where it belongs.
        key: PathBuf,
    },
    /// A key without its state.
    #[error(
        "the key {key} is here, but the state that it opens is gone; put state.sealed back from a copy, or remove the key to begin anew"
    )]
    StateMissing {
        /// The key.
        key: PathBuf,
    },
    /// `state.key` holds neither a key nor where it is.
    #[error("the key {key} is damaged; put it back from a copy")]
    KeyDamaged {
        /// The key.
        key: PathBuf,
    },
    /// The key is another user's.
    #[error("the key {key} belongs to another user")]
    KeyForeign {
        /// The key.
        key: PathBuf,
    },
    /// Neither file opens.
    #[error(
        "neither {state} nor the generation before it can be opened: they are damaged, or the key is not theirs; put them back from a copy"
    )]
    Damaged {
        /// The newer one.
        state: PathBuf,
    },
    /// Written by a newer Twocan.
    #[error("{state} has version {version}, which a newer Twocan wrote; update this one")]
    Newer {
        /// The file.
        state: PathBuf,
        /// Its version.
        version: u8,
    },
    /// A newer Twocan moved the key.
    #[error("{key} names a place that this Twocan does not know; update it")]
    KeyNewer {
        /// The file.
        key: PathBuf,
    },
    /// The key is in the keyring, which cannot be used now. This may pass.
    #[error("the key of your identity is in your keyring: {}", .why.refusal())]
    KeyringNotReady {
        /// Why not.
        why: NotReady,
    },
    /// The keyring is open, and the key is not in it.
    #[error(
        "your keyring is open, but the key of the identity in {state} is no longer in it; put the keyring back from a copy, or log in as where Twocan \
         was used; to begin anew, move that folder's files away"
    )]
    KeyringEmpty {
        /// The folder.
        state: PathBuf,
    },
    /// The keyring holds something else under the key's name.
    #[error("what your keyring holds as Twocan's key is none; put the keyring back from a copy")]
    KeyringDamaged,
    /// The unit hands over no key.
    #[error(
        "the key of your identity is handed over by systemd, and there is none at {}; start Twocan through its unit, or see its LoadCredential",
        secrets::credential_shown()
    )]
    CredentialMissing,
    /// It hands over something else.
    #[error("systemd's credential twocan.key cannot be used ({cause}); correct it, or take it away")]
    CredentialUnusable {
        /// What is wrong.
        cause: io::Error,
    },
    /// Nobody says the passphrase.
    #[error("the key of your identity is sealed under a passphrase, and there is none to be had: {why}")]
    PassphraseMissing {
        /// Why not.
        why: String,
    },
    /// Another passphrase.
    #[error("that is not the passphrase of this home; try again")]
    PassphraseWrong,
    /// A new passphrase out of bounds.
    #[error("a passphrase has {} to {} characters, all on one line", secrets::PASSPHRASE_CHARS.start(), secrets::PASSPHRASE_CHARS.end())]
    PassphraseUnusable,
    /// The disk refused.
    #[error("the file {path} cannot be used ({cause}); {WRITABLE}")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl StoreError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |cause| Self::Io {
            path: path.to_owned(),
            cause,
        }
    }
}

/// Where the state is saved.
#[derive(Debug)]
pub struct StateFile {
    paths: Paths,
    key: LessSafeKey,
    holder: Holder,
}

/// One of the files, as found.
enum Copy {
    Missing,
    Damaged,
    Whole(Plain),
}

type Step = fn(&StateFile, &[u8]) -> io::Result<()>;

/// The steps of a save, in order; a crash may fall between any two.
const STEPS: &[Step] = &[
    StateFile::write_new,
    |file, _| file.keep_previous(),
    |file, _| fs::rename(file.paths.new_state(), file.paths.state()),
    |file, _| file.holder.name(),
    |file, _| sync_folder(file.paths.state_folder()),
];

impl StateFile {
    /// Opens the home's state and key; makes a key on the first start, where `store` says. The caller holds the home's
    /// lock. Blocks, for the user where a passphrase is asked for.
    ///
    /// # Errors
    /// Something is left of an identity and cannot be opened, or the disk refuses. Nothing has been moved then. After
    /// [`StoreError::KeyringNotReady`] it is worth trying again.
    pub fn open(paths: &Paths, stores: &Arc<Stores>, store: SecretStore) -> Result<Opened, StoreError> {
        let left = is_left(paths).map_err(StoreError::io(&paths.state()))?;
        let secrets::Found { holder, mut warnings } = secrets::find(paths, stores, store, left)?;
        let key = holder.place();
        let sealing = holder.key().sealing();
        let file = Self {
            paths: paths.clone(),
            key: sealing.ok_or_else(|| StoreError::KeyDamaged { key: paths.key() })?,
            holder,
        };
        let loaded = file.load(left, &mut warnings)?;
        Ok(Opened {
            file,
            loaded,
            key,
            warnings,
        })
    }

    /// Whether there is anything to open: a first start would make a new identity.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn is_there(paths: &Paths) -> io::Result<bool> {
        Ok(exists(paths.state_folder())? && is_left(paths)?)
    }

    /// Moves the key to another store; a crash at any point leaves a home that opens. Blocks.
    ///
    /// # Errors
    /// The new store does not take it, or the disk refuses; the key is where it was.
    pub fn move_key(&mut self, to: &Target) -> Result<KeyPlace, CannotMove> {
        self.holder.move_to(to)
    }

    /// The key, for the program that goes on in this one's place. It stays the same when it is moved.
    #[must_use]
    pub fn heirloom(&self) -> Heirloom {
        self.holder.heirloom()
    }

    /// The standing warnings about where the key is.
    #[must_use]
    pub fn key_warnings(&self) -> Vec<Why> {
        self.holder.warnings()
    }

    /// Seals and stores a state; on return it lasts. Blocks for the disk.
    ///
    /// # Errors
    /// The disk is full, read-only or broken. What was stored before still loads.
    pub fn save(&self, generation: u64, state: Vec<u8>) -> io::Result<()> {
        let sealed = self.seal(generation, state)?;
        STEPS.iter().try_for_each(|step| step(self, &sealed))
    }

    fn seal(&self, generation: u64, state: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| io::Error::other("the system gives no random bytes"))?;
        sealed::seal(&self.key, nonce, generation, state).map_err(|_| io::Error::other("the state is too long to seal"))
    }

    /// Removes everything that was stored: identity, contacts, invites, every copy of them, and their key.
    ///
    /// After an interruption at any point the next start finds either the state as it was or nothing at all.
    ///
    /// # Errors
    /// The disk refuses. What is still there loads.
    pub fn erase(&self) -> io::Result<()> {
        let folder = self.paths.state_folder();
        remove(&self.paths.new_state())?;
        for path in quarantined(&self.paths)? {
            remove(&path)?;
        }
        remove(&self.paths.previous_state())?;
        // A key under this name belongs to no state yet, so it is no reason to miss one.
        if exists(&self.paths.key())? {
            fs::rename(self.paths.key(), self.paths.new_key())?;
        }
        sync_folder(folder)?;
        remove(&self.paths.state())?;
        sync_folder(folder)?;
        remove(&self.paths.dht_nodes())?;
        self.holder.forget()?;
        remove(&self.paths.moving_key())?;
        remove(&self.paths.new_key())?;
        sync_folder(folder)
    }

    fn write_new(&self, sealed: &[u8]) -> io::Result<()> {
        let path = self.paths.new_state();
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(sealed)?;
            file.sync_all()
        };
        write().inspect_err(|_| {
            // Half a file is of no use and takes room on a full disk. That it cannot be removed changes nothing.
            drop(fs::remove_file(&path));
        })
    }

    /// A missing state is not rotated: the generation before is then the only one there is.
    fn keep_previous(&self) -> io::Result<()> {
        if exists(&self.paths.state())? {
            fs::rename(self.paths.state(), self.paths.previous_state())
        } else {
            Ok(())
        }
    }

    fn load(&self, left: bool, warnings: &mut Vec<Why>) -> Result<Loaded, StoreError> {
        let previous = self.paths.previous_state();
        match self.read(&self.paths.state())? {
            Copy::Whole(plain) => {
                if matches!(self.read(&previous)?, Copy::Damaged) {
                    let moved = quarantine(&previous);
                    warnings.push(damaged_previous(moved.as_deref()));
                }
                Ok(Loaded::Found {
                    state: plain.state,
                    generation: plain.generation,
                })
            }
            Copy::Missing => self.load_without_current(left, warnings),
            Copy::Damaged => match self.read(&previous)? {
                Copy::Whole(plain) => {
                    let quarantined = quarantine(&self.paths.state());
                    Ok(self.recovered(plain, quarantined, warnings))
                }
                Copy::Missing | Copy::Damaged => Err(StoreError::Damaged {
                    state: self.paths.state(),
                }),
            },
        }
    }

    /// A crash between the two renames of a save leaves the new file whole and none in its place.
    fn load_without_current(&self, left: bool, warnings: &mut Vec<Why>) -> Result<Loaded, StoreError> {
        let new = self.paths.new_state();
        if let Copy::Whole(plain) = self.read(&new)? {
            fs::rename(&new, self.paths.state()).map_err(StoreError::io(&new))?;
            return Ok(Loaded::Found {
                state: plain.state,
                generation: plain.generation,
            });
        }
        match self.read(&self.paths.previous_state())? {
            Copy::Whole(plain) => Ok(self.recovered(plain, None, warnings)),
            Copy::Missing if !left => Ok(Loaded::Fresh),
            Copy::Missing | Copy::Damaged => Err(StoreError::Damaged {
                state: self.paths.state(),
            }),
        }
    }

    /// Puts what was recovered into its place, so that the next start finds it there. A disk that does not take it is
    /// no reason to fail: the generation before stays where it is.
    fn recovered(&self, plain: Plain, quarantined: Option<PathBuf>, warnings: &mut Vec<Why>) -> Loaded {
        if let Err(error) = self.save(plain.generation, plain.state.to_vec()) {
            tracing::warn!(%error, "the recovered state cannot be put in its place");
        }
        warnings.push(damaged_state(quarantined.as_deref()));
        Loaded::Recovered {
            state: plain.state,
            generation: plain.generation,
            quarantined,
        }
    }

    fn read(&self, path: &Path) -> Result<Copy, StoreError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copy::Missing),
            Err(error) => return Err(StoreError::io(path)(error)),
        };
        match sealed::open(&self.key, bytes) {
            Ok(plain) => Ok(Copy::Whole(plain)),
            Err(Unreadable::Damaged) => Ok(Copy::Damaged),
            Err(Unreadable::Newer(version)) => Err(StoreError::Newer {
                state: path.to_owned(),
                version,
            }),
        }
    }
}

/// Whether anything is left of an identity that had been stored.
fn is_left(paths: &Paths) -> io::Result<bool> {
    Ok(exists(&paths.state())? || exists(&paths.previous_state())? || !quarantined(paths)?.is_empty())
}

/// The damaged files that were moved away.
fn quarantined(paths: &Paths) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(paths.state_folder())? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("state.sealed") && name.contains(".damaged-") {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Renames to `….damaged-N` with the first free N.
fn quarantine(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let free = (1..=u32::MAX)
        .map(|number| path.with_file_name(format!("{name}.damaged-{number}")))
        .find(|candidate| matches!(exists(candidate), Ok(false) | Err(_)))?;
    match fs::rename(path, &free) {
        Ok(()) => Some(free),
        Err(error) => {
            tracing::warn!(%error, "a damaged state cannot be moved away");
            None
        }
    }
}

fn damaged_state(quarantined: Option<&Path>) -> Why {
    let text = "The stored state was damaged or missing; the one before it is in use. A contact or setting changed last may be gone.";
    warning("state_damaged", text, damaged_fix(quarantined))
}

fn damaged_previous(quarantined: Option<&Path>) -> Why {
    warning(
        "state_damaged",
        "The older copy of the stored state was damaged; nothing is lost.",
        damaged_fix(quarantined),
    )
}

fn damaged_fix(quarantined: Option<&Path>) -> String {
    let kept = quarantined
        .map(|path| format!(" The damaged file is kept as {}.", path.display()))
        .unwrap_or_default();
    format!("Check that your contacts are all there, and check the disk.{kept}")
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
