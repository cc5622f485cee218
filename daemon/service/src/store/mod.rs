//! What lies on the disk: the folders of one home, its configuration, its lock, its key and its sealed state.
//!
//! Invariants: one daemon a home; no identity is ever replaced or invented beside the remains of another one; a write
//! that is interrupted at any point leaves a state that loads; nothing here waits on the loop that owns the core.

pub mod config;
mod config_keys;
pub mod lock;
pub mod paths;
mod sealed;
pub mod secrets;
pub mod state;
pub mod turn_url;
pub mod waiting;
pub mod worker;

use std::fs::File;
use std::io;
use std::path::Path;

use twocan_api::types::Why;

/// Makes renames and new names in `folder` last through a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether something has this name. An error other than "not found" is an error: "cannot tell" is not "no".
fn exists(path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A warning in the words of the local API.
fn warning(code: &str, text: impl Into<String>, fix: impl Into<String>) -> Why {
    Why {
        code: code.into(),
        text: text.into(),
        fix: fix.into(),
    }
}
