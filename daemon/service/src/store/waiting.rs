//! What a daemon waits for that does not listen yet: `run/waiting`, so that commands and tray can say it.
//!
//! The file is locked by whoever waits, so that one that a crash left behind is told from one that holds. It comes to its
//! name whole, and goes when the wait is over.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use twocan_api::Why;

use super::paths::Paths;

/// The file of a wait. Dropping it ends that.
#[derive(Debug)]
pub struct Waiting {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Waiting {
    /// Says what is waited for.
    ///
    /// # Errors
    /// The runtime folder cannot be written.
    pub fn begin(paths: &Paths, why: &Why) -> io::Result<Self> {
        let path = paths.waiting();
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.lock()?;
        file.write_all(serde_json::to_string(why)?.as_bytes())?;
        fs::rename(&new, &path)?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The lock goes in any case, and the file says nothing without it.
        drop(fs::remove_file(&self.path));
    }
}
