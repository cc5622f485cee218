//! The command line alone between homes: what people type and what scripts rely on.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "cli/calls.rs"]
mod calls;
#[path = "cli/door.rs"]
mod door;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/invites.rs"]
mod invites;
#[path = "cli/links.rs"]
mod links;
#[path = "cli/lives.rs"]
mod lives;
#[path = "cli/manners.rs"]
mod manners;
#[path = "cli/surface.rs"]
mod surface;
#[path = "cli/verify.rs"]
mod verify;
