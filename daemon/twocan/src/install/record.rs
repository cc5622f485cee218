//! The record of what was installed: a file's path a line, a folder's with a slash at its end, in the order of their making.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

use super::failed;
use super::places::Places;

/// What an installation has made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Record {
    /// The record of the last installation; an empty one where there was none.
    pub(super) fn read(places: &Places) -> Result<Self, Failure> {
        let path = places.on_disk(&places.record());
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed("read", &path, &error)),
        }
    }

    fn parse(text: &str) -> Self {
        let (folders, files): (BTreeSet<&str>, BTreeSet<&str>) = text
            .lines()
            .filter(|line| line.starts_with('/'))
            .partition(|line| line.ends_with('/'));
        Self {
            files: files.into_iter().map(PathBuf::from).collect(),
            folders: folders.into_iter().map(PathBuf::from).collect(),
        }
    }

    /// As it stands in the file.
    pub(super) fn text(&self) -> String {
        let folders = self.folders.iter().map(|path| {
            let path = path.display().to_string();
            format!("{}/\n", path.trim_end_matches('/'))
        });
        let files = self.files.iter().map(|path| format!("{}\n", path.display()));
        folders.chain(files).collect()
    }

    /// Whether nothing was installed.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether this file is one of ours.
    pub(super) fn names(&self, path: &Path) -> bool {
        self.files.contains(path)
    }

    /// All files.
    pub(super) fn files(&self) -> Vec<&Path> {
        self.files.iter().map(PathBuf::as_path).collect()
    }

    /// All folders that were made, inner ones first.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().rev().map(PathBuf::as_path)
    }

    /// Notes a file.
    pub(super) fn add(&mut self, path: &Path) {
        self.files.insert(path.to_path_buf());
    }

    /// Notes a folder that was not there before.
    pub(super) fn add_folder(&mut self, path: &Path) {
        self.folders.insert(path.to_path_buf());
    }

    /// The same folders, no files.
    pub(super) fn folders_alone(&self) -> Self {
        Self {
            files: BTreeSet::new(),
            folders: self.folders.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut record = Record::default();
        assert!(record.is_empty());
        record.add(Path::new("/h/.config/systemd/user/twocan.service"));
        record.add_folder(Path::new("/h/.config"));
        record.add_folder(Path::new("/h/.config/systemd"));
        let again = Record::parse(&record.text());
        assert_eq!(again.text(), record.text());
        assert!(again.names(Path::new("/h/.config/systemd/user/twocan.service")));
        let folders: Vec<_> = again.folders().collect();
        assert_eq!(folders, [Path::new("/h/.config/systemd"), Path::new("/h/.config")]);
        assert!(Record::parse("rubbish\n../../etc/passwd\n").is_empty());
    }
}
