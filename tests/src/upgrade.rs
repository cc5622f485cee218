//! Upgrades: another program is put where a running one was started from.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wait::until;

/// How long an upgrade may take to be noticed, with ticks of twenty seconds.
pub const NOTICED: Duration = Duration::from_secs(60);

/// Puts a copy of a program at `path`, as a package manager would: in one step.
///
/// # Panics
/// If the disk refuses.
pub fn place(program: &Path, path: &Path) {
    let fresh = path.with_extension("new");
    fs::copy(program, &fresh).unwrap();
    fs::rename(fresh, path).unwrap();
}

/// Where the program lies that a process runs; the name of one that was replaced ends with "(deleted)".
///
/// # Panics
/// If there is no such process.
#[must_use]
pub fn program(pid: i32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}

/// The process runs what lies at `path`.
pub async fn taken_up(pid: i32, path: &Path) {
    until("the new program", NOTICED, async || {
        (program(pid) == path).then_some(())
    })
    .await;
}
