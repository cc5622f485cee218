//! What the tests share: the house's arrows, daemons in homes of their own, the local API as a script sees it,
//! namespaces and browsers.
//!
//! Nothing here waits for a fixed time: every wait is for a fact, within a bound, and says what it waited for when the
//! bound passes. A failed test prints the logs of its daemons.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

pub mod api;
pub mod arrows;
pub mod binary;
pub mod chromium;
pub mod desktop;
pub mod firefox;
pub mod home;
pub mod keyring;
pub mod lab;
pub mod namespace;
pub mod packets;
pub mod path;
pub mod person;
pub mod phone;
pub mod running;
pub mod screens;
pub mod turn;
pub mod upgrade;
pub mod usage;
pub mod wait;
pub mod wall;
pub mod wire;

/// The root of the repository.
///
/// # Panics
/// If this package lies at the root of a file system.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
