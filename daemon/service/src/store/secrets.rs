//! The key that seals the state: 32 random bytes in `state.key`, in hexadecimal, readable by the user alone.
//!
//! A key is made only where nothing of an earlier identity is left. It is born as `state.key.new` and gets its name
//! once the first state is stored, so that `state.key` without a state means that a state was lost, never that this
//! is the first start.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{CHACHA20_POLY1305, LessSafeKey, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use twocan_api::types::Why;
use zeroize::Zeroizing;

use super::paths::Paths;
use super::state::StoreError;
use super::{exists, sync_folder, warning};

const KEY_BYTES: usize = 32;
/// Permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// The key, with what there is to say about it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) key: LessSafeKey,
    pub(super) warnings: Vec<Why>,
}

/// Finds the key, or makes one where nothing is `left` of an identity: no state, no earlier state, no quarantined one.
pub(super) fn find(paths: &Paths, left: bool) -> Result<Found, StoreError> {
    let mut warnings = vec![in_file()];
    if exists(&paths.key()).map_err(StoreError::io(&paths.key()))? {
        if !left {
            return Err(StoreError::StateMissing { key: paths.key() });
        }
        let key = read(&paths.key(), &mut warnings)?;
        return Ok(Found { key, warnings });
    }
    let unnamed = paths.new_key();
    if exists(&unnamed).map_err(StoreError::io(&unnamed))? {
        match read(&unnamed, &mut warnings) {
            Ok(key) => return Ok(Found { key, warnings }),
            Err(error) if left => return Err(error),
            Err(_) => {}
        }
    }
    if left {
        return Err(StoreError::KeyMissing { key: paths.key() });
    }
    let key = create(paths).map_err(StoreError::io(&unnamed))?;
    Ok(Found { key, warnings })
}

/// Gives the key of a first state its name. The caller makes the rename last.
pub(super) fn name(paths: &Paths) -> io::Result<()> {
    if exists(&paths.new_key())? && !exists(&paths.key())? {
        fs::rename(paths.new_key(), paths.key())?;
    }
    Ok(())
}

fn create(paths: &Paths) -> io::Result<LessSafeKey> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    SystemRandom::new()
        .fill(bytes.as_mut_slice())
        .map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let text = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(paths.new_key())?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(paths.state_folder())?;
    sealing(&bytes).ok_or_else(|| io::Error::other("the key cannot be used"))
}

fn read(path: &Path, warnings: &mut Vec<Why>) -> Result<LessSafeKey, StoreError> {
    let mut file = fs::File::open(path).map_err(StoreError::io(path))?;
    let facts = file.metadata().map_err(StoreError::io(path))?;
    if facts.uid() != nix::unistd::geteuid().as_raw() {
        return Err(StoreError::KeyForeign { key: path.to_owned() });
    }
    if facts.mode() & OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(StoreError::io(path))?;
        warnings.push(was_open());
    }
    let mut text = Zeroizing::new(String::new());
    let damaged = || StoreError::KeyDamaged { key: path.to_owned() };
    match file.read_to_string(&mut text) {
        Ok(_) => parse(text.trim_end())
            .and_then(|bytes| sealing(&bytes))
            .ok_or_else(damaged),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(damaged()),
        Err(error) => Err(StoreError::io(path)(error)),
    }
}

fn parse(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    if text.len() != 2 * KEY_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn sealing(bytes: &[u8; KEY_BYTES]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, bytes).ok().map(LessSafeKey::new)
}

fn in_file() -> Why {
    warning(
        "key_in_file",
        "The key of your contacts lies in a file beside them: whoever can copy both can read them.",
        "Keep this disk encrypted, and keep state.key out of copies that others can read.",
    )
}

fn was_open() -> Why {
    warning(
        "key_was_open",
        "Other users of this machine could read state.key; it has been closed to them.",
        "If you do not trust them, start anew in another folder and invite your contacts again.",
    )
}
