//! Finding and keeping a path to somebody's device.

pub mod candidates;
pub mod keepalive;
pub mod pulse;
pub mod search;
