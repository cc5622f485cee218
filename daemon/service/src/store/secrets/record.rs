//! The file `state.key`: the key itself, or where it is had.
//!
//! A home has one such file, and what it says is what holds: no other place is ever looked into. So a move is one
//! rename, and a home without it has lost its key. Forms, each one line:
//!
//! - 64 hexadecimal digits: the key.
//! - `twocan-key 1 keyring ID`: the key is in the user's keyring, under this id.
//! - `twocan-key 1 credential`: systemd hands the key over as the credential `twocan.key`.
//! - `twocan-key 1 passphrase argon2id M T P SALT NONCE SEALED`: the key, sealed under a passphrase.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use twocan_api::types::{KeyStore, Why};
use zeroize::Zeroizing;

use super::super::state::StoreError;
use super::key::{Key, fill, from_hex, hex};
use super::passphrase::Wrapped;
use super::words;

const WORD: &str = "twocan-key";
const VERSION: &str = "1";
/// Random bytes of an id in the keyring.
const ID_BYTES: usize = 16;
/// Permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// What `state.key` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Record {
    /// The key.
    File(Key),
    /// It is in the keyring.
    Keyring(Id),
    /// It is handed over.
    Credential,
    /// It is sealed under a passphrase.
    Passphrase(Wrapped),
}

/// The name of a key in the keyring: another one for each key that is put there, so that homes never take each
/// other's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Id(String);

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Damaged,
    Newer,
}

impl Id {
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; ID_BYTES];
        fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = from_hex(text)?;
        (bytes.len() == ID_BYTES).then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Record {
    /// Which store it names.
    pub(in crate::store) const fn store(&self) -> KeyStore {
        match self {
            Self::File(_) => KeyStore::File,
            Self::Keyring(_) => KeyStore::Keyring,
            Self::Credential => KeyStore::Credential,
            Self::Passphrase(_) => KeyStore::Passphrase,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        match fields.as_slice() {
            [WORD, VERSION, rest @ ..] => Self::parse_fields(rest).ok_or(Unreadable::Damaged),
            [WORD, version, ..] if version.parse::<u32>().is_ok() => Err(Unreadable::Newer),
            [key] => Key::from_hex(key).map(Self::File).ok_or(Unreadable::Damaged),
            _ => Err(Unreadable::Damaged),
        }
    }

    fn parse_fields(fields: &[&str]) -> Option<Self> {
        match fields {
            ["keyring", id] => Id::parse(id).map(Self::Keyring),
            ["credential"] => Some(Self::Credential),
            ["passphrase", rest @ ..] => Wrapped::parse(rest).map(Self::Passphrase),
            _ => None,
        }
    }

    pub(super) fn line(&self) -> Zeroizing<String> {
        let rest = match self {
            Self::File(key) => return Zeroizing::new(format!("{}\n", key.to_hex().as_str())),
            Self::Keyring(id) => format!("keyring {}", id.as_str()),
            Self::Credential => "credential".to_owned(),
            Self::Passphrase(wrapped) => format!("passphrase {}", wrapped.fields()),
        };
        Zeroizing::new(format!("{WORD} {VERSION} {rest}\n"))
    }

    /// Writes it to `path`, 0600, and makes the bytes last. The name lasts when the caller syncs the folder.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        write(path, &self.line())
    }

    /// Reads `path`. A file that others could read is closed to them, with a warning.
    pub(super) fn read(path: &Path, warnings: &mut Vec<Why>) -> Result<Self, StoreError> {
        let mut file = fs::File::open(path).map_err(StoreError::io(path))?;
        let facts = file.metadata().map_err(StoreError::io(path))?;
        if facts.uid() != nix::unistd::geteuid().as_raw() {
            return Err(StoreError::KeyForeign { key: path.to_owned() });
        }
        let was_open = facts.mode() & OTHERS != 0;
        if was_open {
            file.set_permissions(Permissions::from_mode(0o600))
                .map_err(StoreError::io(path))?;
        }
        let damaged = || StoreError::KeyDamaged { key: path.to_owned() };
        let mut text = Zeroizing::new(String::new());
        match file.read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged()),
            Err(error) => return Err(StoreError::io(path)(error)),
        }
        let record = Self::parse(&text).map_err(|why| match why {
            Unreadable::Damaged => damaged(),
            Unreadable::Newer => StoreError::KeyNewer { key: path.to_owned() },
        })?;
        // Of a key that is elsewhere nobody has read anything.
        if was_open && matches!(record, Self::File(_)) {
            warnings.push(words::was_open());
        }
        Ok(record)
    }
}

/// Writes a secret text to `path`, 0600, and makes the bytes last.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    fn records() -> Vec<Record> {
        let key = Key::random().unwrap();
        vec![
            Record::Keyring(Id::random().unwrap()),
            Record::Credential,
            Record::Passphrase(Wrapped::of(&key, "correct horse").unwrap()),
            Record::File(key),
        ]
    }

    #[test]
    fn every_form_reads_back() {
        for record in records() {
            let line = record.line();
            assert_eq!(Record::parse(&line), Ok(record), "{line:?}");
        }
    }

    #[test]
    fn the_key_stands_in_no_other_form_than_its_own() {
        let key = Key::random().unwrap();
        let wrapped = Wrapped::of(&key, "correct horse").unwrap();
        assert!(!Record::Passphrase(wrapped).line().contains(key.to_hex().as_str()));
    }

    #[test]
    fn damage_is_told_from_a_newer_version() {
        for record in records() {
            let line = record.line();
            for end in 0..line.trim_end().len() {
                let cut = line.get(..end).unwrap();
                assert_eq!(Record::parse(cut), Err(Unreadable::Damaged), "{cut:?}");
            }
        }
        assert_eq!(Record::parse("twocan-key 2 cloud 7"), Err(Unreadable::Newer));
        assert_eq!(Record::parse("twocan-key 1 cloud 7"), Err(Unreadable::Damaged));
        assert_eq!(Record::parse("twocan-key 1 credential 7"), Err(Unreadable::Damaged));
    }
}
