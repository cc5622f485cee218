//! Finding and keeping a path to somebody's device, the door for those who know nothing but an address, and what this device
//! looks like from outside.

pub mod birthday;
pub mod candidates;
pub mod door;
pub mod finding;
pub mod keepalive;
pub mod krpc;
pub mod lifetime;
pub mod nat_report;
pub mod outlook;
pub mod pings;
pub mod pulse;
pub mod record;
pub mod relay;
pub mod search;
pub mod stun;
pub mod survey;
pub mod unanswered;
pub mod via;
