//! What systemd hands over: files in the folder that `CREDENTIALS_DIRECTORY` names (systemd.exec(5), "Credentials").
//!
//! They are read and never written. `twocan.key` is the key itself, 64 hexadecimal digits; `twocan.passphrase` opens a key that
//! is sealed under a passphrase.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::key::Key;

/// The variable that names the folder.
pub(super) const FOLDER_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
const KEY: &str = "twocan.key";
const PASSPHRASE: &str = "twocan.passphrase";

/// The folder, where there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials(Option<PathBuf>);

impl Credentials {
    /// Of this process.
    pub(super) fn of_process() -> Self {
        Self::at(std::env::var_os(FOLDER_VARIABLE))
    }

    pub(super) fn at(folder: Option<OsString>) -> Self {
        Self(folder.filter(|folder| !folder.is_empty()).map(PathBuf::from))
    }

    /// The key; an error where what is handed over is none.
    pub(super) fn key(&self) -> io::Result<Option<Key>> {
        let Some(text) = self.read(KEY)? else { return Ok(None) };
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not 64 hexadecimal digits");
        Key::from_hex(&text).map(Some).ok_or_else(wrong)
    }

    /// The passphrase, without the end of its line.
    pub(super) fn passphrase(&self) -> io::Result<Option<Zeroizing<String>>> {
        let text = self.read(PASSPHRASE)?;
        Ok(text.map(|text| Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
    }

    /// Where the key would be, for a message.
    pub(super) fn shown() -> String {
        format!("${FOLDER_VARIABLE}/{KEY}")
    }

    fn read(&self, name: &str) -> io::Result<Option<Zeroizing<String>>> {
        let Some(folder) = &self.0 else { return Ok(None) };
        match fs::read_to_string(folder.join(name)) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
