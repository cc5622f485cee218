//! Where the key that seals the state is kept, and how it is had.
//!
//! Four explicit stores: the user's keyring, a passphrase, a credential of systemd's, a file. The file `state.key` holds the key
//! or says where it is ([`record`]), and nothing else decides: a home whose key cannot be had waits or says why, and a key is made
//! only where nothing of an earlier identity is left. It is born as `state.key.new` and gets its name once the first state
//! is stored, so that `state.key` without a state means that a state was lost, never that this is the first start.
//!
//! `state.key.spare` lists ids under which the keyring may hold a key that `state.key` does not name: it is written before the
//! keyring is touched, so that whatever is interrupted, the next start finds what is left over and takes it away.

mod credential;
mod heirloom;
mod key;
mod keyring;
mod moving;
mod passphrase;
mod record;
mod spare;
mod words;

use std::io;
use std::sync::Arc;

use twocan_api::types::{KeyPlace, KeyStore, Why};
use zeroize::Zeroizing;

use self::credential::Credentials;
use self::key::Key;
use self::keyring::{Ring, SessionRing};
use self::passphrase::Wrapped;
use self::record::{Id, Record};
use super::config::SecretStore;
use super::paths::Paths;
use super::state::StoreError;
use super::{exists, sync_folder};

pub use self::heirloom::Heirloom;
pub use self::keyring::NotReady;
pub use self::moving::{CannotMove, Target};

/// The fewest and the most characters of a passphrase.
pub const PASSPHRASE_CHARS: std::ops::RangeInclusive<usize> = 8..=1024;

/// Whether this can be a passphrase: long enough, and nothing in it that cannot be typed on one line.
#[must_use]
pub fn is_passphrase(text: &str) -> bool {
    PASSPHRASE_CHARS.contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// What a passphrase is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To open the key.
    Open,
    /// To seal a key that is made now.
    New,
}

/// Asks the user for a passphrase. Blocks; an error says in a sentence why there is none.
pub type AskUser = Box<dyn Fn(Ask) -> Result<Zeroizing<String>, String> + Send + Sync>;

/// Everything outside the home that may hold a key or help to have it.
pub struct Stores {
    ring: Box<dyn Ring>,
    credentials: Credentials,
    user: AskUser,
    /// What the program had that ran here before.
    inherited: Option<Key>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Stores")
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}

impl Stores {
    /// Those of this process: the session's keyring, systemd's credentials, and `user` to be asked for a passphrase; and what
    /// the program before handed over, which is there for the first to ask.
    #[must_use]
    pub fn of_process(user: AskUser) -> Self {
        Self {
            ring: Box::new(SessionRing::default()),
            credentials: Credentials::of_process(),
            user,
            inherited: heirloom::inherited(),
        }
    }

    /// Has the keyring ask the user for its password, and waits for nothing.
    pub fn ask_to_unlock(&self) {
        self.ring.ask_to_unlock();
    }

    fn passphrase(&self, ask: Ask) -> Result<Zeroizing<String>, StoreError> {
        let missing = |why| StoreError::PassphraseMissing { why };
        match self.credentials.passphrase() {
            Ok(Some(passphrase)) => Ok(passphrase),
            Ok(None) => (self.user)(ask).map_err(missing),
            Err(error) => Err(missing(format!("the credential cannot be read: {error}"))),
        }
    }
}

/// The key, with what there is to say about it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) holder: Holder,
    pub(super) warnings: Vec<Why>,
}

/// The key of an opened home, and where it is kept.
#[derive(Debug)]
pub(super) struct Holder {
    paths: Paths,
    stores: Arc<Stores>,
    wanted: SecretStore,
    key: Key,
    record: Record,
}

/// Finds the key, or makes one where nothing is `left` of an identity: no state, no earlier state, no quarantined one.
pub(super) fn find(paths: &Paths, stores: &Arc<Stores>, wanted: SecretStore, left: bool) -> Result<Found, StoreError> {
    let mut seen = Vec::new();
    let (record, key) = have(paths, stores, wanted, left, &mut seen)?;
    let mut warnings = words::warnings(record.store(), wanted);
    warnings.extend(seen);
    let holder = Holder {
        paths: paths.clone(),
        stores: Arc::clone(stores),
        wanted,
        key,
        record,
    };
    holder.tidy();
    Ok(Found { holder, warnings })
}

fn have(
    paths: &Paths,
    stores: &Stores,
    wanted: SecretStore,
    left: bool,
    warnings: &mut Vec<Why>,
) -> Result<(Record, Key), StoreError> {
    if exists(&paths.key()).map_err(StoreError::io(&paths.key()))? {
        if !left {
            return Err(StoreError::StateMissing { key: paths.key() });
        }
        let record = Record::read(&paths.key(), warnings)?;
        let key = open(paths, stores, &record)?;
        return Ok((record, key));
    }
    let unnamed = paths.new_key();
    if exists(&unnamed).map_err(StoreError::io(&unnamed))? {
        let opened = Record::read(&unnamed, warnings).and_then(|record| reopen(paths, stores, record, left));
        match opened {
            Ok(found) => return Ok(found),
            Err(error) if left => return Err(error),
            // A key that never sealed anything is no loss.
            Err(_) => {}
        }
    }
    if left {
        return Err(StoreError::KeyMissing { key: paths.key() });
    }
    create(paths, stores, wanted)
}

/// Opens a key that may never have sealed anything; nobody is asked for the passphrase of such a one.
fn reopen(paths: &Paths, stores: &Stores, record: Record, left: bool) -> Result<(Record, Key), StoreError> {
    if !left && record.store() == KeyStore::Passphrase {
        return Err(StoreError::KeyMissing { key: paths.new_key() });
    }
    let key = open(paths, stores, &record)?;
    Ok((record, key))
}

/// The key that a record names.
fn open(paths: &Paths, stores: &Stores, record: &Record) -> Result<Key, StoreError> {
    match record {
        Record::File(key) => Ok(key.clone()),
        Record::Keyring(id) => match stores.ring.get(id) {
            Ok(Some(secret)) => key_of(&secret).ok_or(StoreError::KeyringDamaged),
            Ok(None) => Err(StoreError::KeyringEmpty {
                state: paths.state_folder().to_owned(),
            }),
            Err(why) => stores.inherited.clone().ok_or(StoreError::KeyringNotReady { why }),
        },
        Record::Credential => match stores.credentials.key() {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err(StoreError::CredentialMissing),
            Err(cause) => Err(StoreError::CredentialUnusable { cause }),
        },
        Record::Passphrase(wrapped) => match &stores.inherited {
            Some(key) => Ok(key.clone()),
            None => {
                let passphrase = stores.passphrase(Ask::Open)?;
                wrapped.open(&passphrase).ok_or(StoreError::PassphraseWrong)
            }
        },
    }
}

fn key_of(secret: &[u8]) -> Option<Key> {
    Key::from_hex(std::str::from_utf8(secret).ok()?)
}

/// Makes the key of a new home, where `wanted` says.
fn create(paths: &Paths, stores: &Stores, wanted: SecretStore) -> Result<(Record, Key), StoreError> {
    let unnamed = paths.new_key();
    let failed = || StoreError::io(&unnamed);
    let key = Key::random().map_err(failed())?;
    let (record, key) = match wanted {
        SecretStore::File => (Record::File(key.clone()), key),
        SecretStore::Passphrase => {
            let passphrase = stores.passphrase(Ask::New)?;
            if !is_passphrase(&passphrase) {
                return Err(StoreError::PassphraseUnusable);
            }
            let wrapped = Wrapped::of(&key, &passphrase).map_err(failed())?;
            (Record::Passphrase(wrapped), key)
        }
        SecretStore::Keyring => {
            let record = put(paths, stores, &key).map_err(|why| homeless(paths, why))?;
            (record, key)
        }
        SecretStore::Auto => best(paths, stores, key)?,
    };
    record
        .write(&unnamed)
        .and_then(|()| sync_folder(paths.state_folder()))
        .map_err(failed())?;
    Ok((record, key))
}

/// The best store that asks nothing of anybody: a keyring that is open, what systemd hands over, else the file.
fn best(paths: &Paths, stores: &Stores, key: Key) -> Result<(Record, Key), StoreError> {
    if stores.ring.look().is_ok() {
        match put(paths, stores, &key) {
            Ok(record) => return Ok((record, key)),
            Err(CannotMove::Keyring(why)) => tracing::debug!(?why, "the keyring does not take the key"),
            Err(error) => return Err(homeless(paths, error)),
        }
    }
    match stores.credentials.key() {
        Ok(Some(given)) => Ok((Record::Credential, given)),
        Ok(None) => Ok((Record::File(key.clone()), key)),
        Err(cause) => Err(StoreError::CredentialUnusable { cause }),
    }
}

/// Puts a key into the keyring under a new id, and sees that it is there.
fn put(paths: &Paths, stores: &Stores, key: &Key) -> Result<Record, CannotMove> {
    let id = Id::random()?;
    spare::add(paths, &id)?;
    stores.ring.put(&id, &key.to_hex()).map_err(CannotMove::Keyring)?;
    let kept = stores.ring.get(&id).map_err(CannotMove::Keyring)?;
    if kept.as_deref().map(Vec::as_slice).and_then(key_of).as_ref() != Some(key) {
        return Err(CannotMove::Keyring(NotReady::Silent));
    }
    Ok(Record::Keyring(id))
}

/// Why a new key has no place.
fn homeless(paths: &Paths, why: CannotMove) -> StoreError {
    match why {
        CannotMove::Keyring(why) => StoreError::KeyringNotReady { why },
        CannotMove::Passphrase => StoreError::PassphraseUnusable,
        CannotMove::Io(cause) => StoreError::io(&paths.spare_key())(cause),
    }
}

/// Where systemd would hand a key over, for a message.
pub(super) fn credential_shown() -> String {
    Credentials::shown()
}

/// Where the key of a home lies by its own word, without opening anything; none where there is no home.
///
/// # Errors
/// The file that says so cannot be read.
pub fn place(paths: &Paths) -> Result<Option<KeyPlace>, StoreError> {
    if !exists(&paths.key()).map_err(StoreError::io(&paths.key()))? {
        return Ok(None);
    }
    let record = Record::read(&paths.key(), &mut Vec::new())?;
    Ok(Some(words::place(record.store())))
}

impl Holder {
    /// The key.
    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// The same, for the program that goes on in this one's place.
    pub(super) fn heirloom(&self) -> Heirloom {
        Heirloom(self.key.clone())
    }

    /// Where it is, for the user.
    pub(super) fn place(&self) -> KeyPlace {
        words::place(self.record.store())
    }

    /// Warnings about where it is, in place of those of [`is_about_place`].
    pub(super) fn warnings(&self) -> Vec<Why> {
        words::warnings(self.record.store(), self.wanted)
    }

    /// Gives the key of a first state its name. The caller makes the rename last.
    pub(super) fn name(&self) -> io::Result<()> {
        if exists(&self.paths.new_key())? && !exists(&self.paths.key())? {
            std::fs::rename(self.paths.new_key(), self.paths.key())?;
        }
        Ok(())
    }

    /// Takes away what the keyring holds of this home's; what cannot be had now is left to the next start.
    pub(super) fn forget(&self) -> io::Result<()> {
        if let Record::Keyring(id) = &self.record {
            spare::add(&self.paths, id)?;
        }
        spare::sweep(&self.paths, self.stores.ring.as_ref(), None)
    }

    /// Takes away what an interrupted move or start left in the keyring.
    fn tidy(&self) {
        let current = match &self.record {
            Record::Keyring(id) => Some(id),
            Record::File(_) | Record::Credential | Record::Passphrase(_) => None,
        };
        if let Err(error) = spare::sweep(&self.paths, self.stores.ring.as_ref(), current) {
            tracing::debug!(%error, "the list of spare keys cannot be brought up to date");
        }
    }
}

/// Whether a warning speaks of where the key lies, and so goes when it is moved.
#[must_use]
pub fn is_about_place(warning: &Why) -> bool {
    words::PLACE_WARNINGS.contains(&warning.code.as_str())
}

#[cfg(test)]
pub(in crate::store) mod testing;
#[cfg(test)]
mod tests;
