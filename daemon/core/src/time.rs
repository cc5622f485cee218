//! Time as an argument.
//!
//! `boot` never goes back and counts while the machine sleeps (`CLOCK_BOOTTIME`); every timer and every proof uses it.
//! `wall` is what the user's clock says and may jump; only expiry dates and knock tags use it, and each
//! `hello` says it, so that two people hear of it whose clocks are far apart.

use std::time::Duration;

/// Seconds since the Unix epoch.
pub type UnixSeconds = u64;

/// The same as a number that may be taken from another; what no clock shows is cut off.
#[must_use]
pub fn signed(seconds: UnixSeconds) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// The moment at which something is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Time since boot, sleep included.
    pub boot: Duration,
    /// The wall clock.
    pub wall: UnixSeconds,
    /// How far into that second, in milliseconds.
    pub millis: u16,
}
