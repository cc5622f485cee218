//! Finding and keeping a path to somebody's device, and the door for those who know nothing but an address.

pub mod candidates;
pub mod door;
pub mod keepalive;
pub mod pulse;
pub mod relay;
pub mod search;
pub mod via;
