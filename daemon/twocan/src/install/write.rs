//! Files made and taken away, so that whatever is interrupted can be done again: the record is written before the first file and names
//! what may be there.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;

use super::failed;
use super::pieces::{Content, Piece};
use super::places::Places;
use super::record::Record;

/// Makes everything that is to be there, and removes what an earlier installation made and this one does not want.
pub(super) fn everything(places: &Places, before: &Record, pieces: &[Piece]) -> Result<Record, Failure> {
    for piece in pieces {
        check_free(places, before, piece)?;
    }
    let mut record = before.folders_alone();
    for path in pieces.iter().map(|piece| piece.path.as_path()) {
        record.add(path);
    }
    let own = places.record();
    for path in pieces.iter().map(|piece| &piece.path).chain([&own]) {
        make_folders(places, path, &mut record)?;
    }
    let mut both = record.clone();
    for path in before.files() {
        both.add(path);
    }
    put(&places.on_disk(&own), &Content::Text(both.text().into_bytes()))?;
    for piece in pieces {
        put(&places.on_disk(&piece.path), &piece.content)?;
    }
    for path in before.files().into_iter().filter(|path| !record.names(path)) {
        take(&places.on_disk(path))?;
    }
    put(&places.on_disk(&own), &Content::Text(record.text().into_bytes()))?;
    Ok(record)
}

/// Removes every file of the record, and the record last.
pub(super) fn remove(places: &Places, record: &Record) -> Result<(), Failure> {
    for path in record.files() {
        take(&places.on_disk(path))?;
    }
    take(&places.on_disk(&places.record()))?;
    remove_folders(places, record);
    Ok(())
}

/// Removes the folders that were made, where nothing else lies in them meanwhile.
pub(super) fn remove_folders(places: &Places, record: &Record) {
    for folder in record.folders() {
        drop(fs::remove_dir(places.on_disk(folder)));
    }
}

/// Somebody else's file is not overwritten.
fn check_free(places: &Places, before: &Record, piece: &Piece) -> Result<(), Failure> {
    let path = places.on_disk(&piece.path);
    let is_same = match &piece.content {
        // Whatever has this name is an older Twocan, or one that was put there by hand.
        Content::Program(_) | Content::Kept => true,
        Content::Text(text) => fs::read(&path).is_ok_and(|there| there == *text),
        Content::Link(to) => fs::read_link(&path).is_ok_and(|there| there == *to),
    };
    if is_same || before.names(&piece.path) || fs::symlink_metadata(&path).is_err() {
        return Ok(());
    }
    let text = format!("{} is there already, and not from `twocan install`.", path.display());
    Err(Failure::new(Exit::Failed, text, "Move it away, then install again."))
}

fn make_folders(places: &Places, path: &Path, record: &mut Record) -> Result<(), Failure> {
    let missing: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|folder| !places.on_disk(folder).is_dir())
        .collect();
    for folder in missing.into_iter().rev() {
        let on_disk = places.on_disk(folder);
        fs::create_dir(&on_disk).map_err(|error| failed("made", &on_disk, &error))?;
        record.add_folder(folder);
    }
    Ok(())
}

/// Puts a file there in one step: whoever runs or reads the old one keeps it.
fn put(path: &Path, content: &Content) -> Result<(), Failure> {
    if *content == Content::Kept {
        return Ok(());
    }
    let fresh = fresh(path);
    let done = make(&fresh, content).and_then(|()| fs::rename(&fresh, path));
    done.map_err(|error| {
        drop(fs::remove_file(&fresh));
        failed("written", path, &error)
    })
}

fn make(path: &Path, content: &Content) -> io::Result<()> {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mode = match content {
        Content::Text(text) => {
            fs::write(path, text)?;
            0o644
        }
        Content::Program(from) => {
            fs::copy(from, path)?;
            0o755
        }
        Content::Link(to) => return symlink(to, path),
        Content::Kept => return Ok(()),
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// The name under which a file is made.
fn fresh(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.twocan-new"))
}

fn take(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("removed", path, &error)),
    }
}
