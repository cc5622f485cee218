//! The local API of the Twocan daemon: every request, response and event shape, each said once.
//!
//! The daemon serialises these types, the command line prints them, the typed client parses them. Fields may join;
//! none may leave or change meaning. Times are RFC 3339, durations and milliseconds are numbers, ids are opaque.

pub mod types;
pub mod who;

#[cfg(feature = "client")]
pub mod client;

pub use types::*;

/// The file beside the Unix socket in which a daemon that does not listen yet says what it waits for, as a [`Why`]; it holds only
/// as long as somebody has it locked.
pub const WAITING_FILE: &str = "waiting";
