//! `state.key.spare`: ids under which the keyring may hold a key that `state.key` does not name, one a line.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use super::super::paths::Paths;
use super::super::{remove, sync_folder};
use super::keyring::Ring;
use super::record::{self, Id};

/// Notes an id, before a key is put under it or while it stops being the one that counts.
pub(super) fn add(paths: &Paths, id: &Id) -> io::Result<()> {
    let mut ids = read(paths)?;
    ids.insert(id.clone());
    write(paths, &ids)
}

/// Takes every noted key out of the keyring but the `current` one. What the keyring does not let go now stays noted.
pub(super) fn sweep(paths: &Paths, ring: &dyn Ring, current: Option<&Id>) -> io::Result<()> {
    let noted = read(paths)?;
    if noted.is_empty() {
        return Ok(());
    }
    let spare = noted.iter().filter(|id| Some(*id) != current);
    let kept: BTreeSet<Id> = spare.filter(|id| ring.delete(id).is_err()).cloned().collect();
    if kept != noted {
        write(paths, &kept)?;
    }
    Ok(())
}

/// A line that is no id names nothing in the keyring.
fn read(paths: &Paths) -> io::Result<BTreeSet<Id>> {
    match fs::read_to_string(paths.spare_key()) {
        Ok(text) => Ok(text.lines().filter_map(Id::parse).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// Half a file after a crash would lose an id: the new list replaces the old one whole.
fn write(paths: &Paths, ids: &BTreeSet<Id>) -> io::Result<()> {
    if ids.is_empty() {
        remove(&paths.spare_key())?;
        return sync_folder(paths.state_folder());
    }
    let text: String = ids.iter().map(|id| format!("{}\n", id.as_str())).collect();
    let new = paths.spare_key().with_extension("spare.new");
    record::write(&new, &text)?;
    fs::rename(new, paths.spare_key())?;
    sync_folder(paths.state_folder())
}
