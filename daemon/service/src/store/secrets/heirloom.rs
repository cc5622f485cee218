//! The key, handed to the program that goes on in this one's place.
//!
//! An upgrade is no reason to ask for a passphrase again, or to wait for a keyring that was locked meanwhile, at an hour when
//! nobody is there. The key goes in a file in memory (memfd_create(2)) that stays open over execve(2). The environment says
//! which it is, together with the process, for that stays the same and no child may believe it. The successor empties the
//! file and closes it.

use std::fs::{File, read_link};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::process::Command;

use nix::unistd::close;
use twocan_api::types::KeyStore;
use zeroize::Zeroizing;

use super::key::Key;
use super::place;
use crate::store::paths::Paths;

/// The variable that says which process has it, and where: two numbers and a colon between.
const VARIABLE: &str = "TWOCAN_HEIRLOOM";
/// The file's name, which only people see.
const NAME: &str = "twocan-key";
/// The longest that it can be.
const MOST_BYTES: u64 = 128;

/// The key of an opened home. Prints nothing of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heirloom(pub(super) Key);

impl Heirloom {
    /// Itself, where the successor could not have the key without the user.
    #[must_use]
    pub fn wanted(self, paths: &Paths) -> Option<Self> {
        let store = place(paths).ok().flatten()?.store;
        match store {
            KeyStore::Keyring | KeyStore::Passphrase => Some(self),
            KeyStore::Credential | KeyStore::File => None,
        }
    }

    /// Hands it to a program that takes the place of this one. What is returned has to be open until then.
    ///
    /// # Errors
    /// The system has no room for it, or no such files.
    pub fn hand_over(&self, to: &mut Command) -> io::Result<OwnedFd> {
        let mut file = File::from(file_in_memory()?);
        file.write_all(self.0.to_hex().as_bytes())?;
        to.env(VARIABLE, told(&file));
        Ok(file.into())
    }
}

/// What this process was handed when it took another program's place. It is there once.
pub(super) fn inherited() -> Option<Key> {
    take(&std::env::var(VARIABLE).ok()?)
}

fn told(file: &File) -> String {
    format!("{}:{}", std::process::id(), file.as_raw_fd())
}

fn take(told: &str) -> Option<Key> {
    let (process, descriptor) = told.split_once(':')?;
    if process.parse() != Ok(std::process::id()) {
        return None;
    }
    let descriptor: RawFd = descriptor.parse().ok()?;
    let path = format!("/proc/self/fd/{descriptor}");
    let lies_in = read_link(&path).ok()?;
    if !lies_in.to_string_lossy().starts_with(&format!("/memfd:{NAME}")) {
        return None;
    }
    let mut text = Zeroizing::new(String::new());
    let emptied = File::options().read(true).write(true).open(&path).and_then(|file| {
        (&file).take(MOST_BYTES).read_to_string(&mut text)?;
        file.set_len(0)
    });
    // What cannot be closed is empty all the same.
    let _ = close(descriptor);
    emptied.ok()?;
    Key::from_hex(&text)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_in_memory() -> io::Result<OwnedFd> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    Ok(memfd_create(NAME, MFdFlags::empty())?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn file_in_memory() -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use std::os::fd::IntoRawFd as _;

    use super::*;

    #[test]
    fn it_is_there_once_and_for_this_process_alone() {
        let key = Key::random().unwrap();
        let mut successor = Command::new("true");
        let file = Heirloom(key.clone()).hand_over(&mut successor).unwrap();
        let (name, value) = successor.get_envs().next().unwrap();
        assert_eq!(name, VARIABLE);
        let told = value.unwrap().to_str().unwrap().to_owned();
        let (_, descriptor) = told.split_once(':').unwrap();
        assert_eq!(take(&format!("1:{descriptor}")), None, "another process");
        assert_eq!(take(descriptor), None);

        let kept = File::from(file.try_clone().unwrap());
        assert_eq!(file.into_raw_fd().to_string(), descriptor);
        assert_eq!(take(&told), Some(key));
        assert_eq!(kept.metadata().unwrap().len(), 0, "nothing is left of it");
        assert_eq!(take(&told), None, "it is closed");
    }

    #[test]
    fn another_file_is_left_alone() {
        let other = tempfile::tempfile().unwrap();
        other.set_len(64).unwrap();
        assert_eq!(take(&told(&other)), None);
        assert_eq!(other.metadata().unwrap().len(), 64);
    }
}
