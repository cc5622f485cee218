//! The NAT laboratory: its own proofs, and pairs of daemons behind its routers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "lab/cells.rs"]
mod cells;
#[path = "lab/change.rs"]
mod change;
#[path = "lab/itself.rs"]
mod itself;
#[path = "lab/network.rs"]
mod network;
#[path = "lab/silence.rs"]
mod silence;
#[path = "lab/types.rs"]
mod types;
