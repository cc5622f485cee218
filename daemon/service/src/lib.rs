//! The shell around the core: the loop that owns it, sockets, QUIC, the store, the local API and local media legs.

use std::time::Duration;

/// When the daemon ends, running requests and links have this long to finish, side by side.
pub(crate) const FAREWELL: Duration = Duration::from_millis(500);

pub mod clock;
pub mod http;
pub mod leg;
pub mod media;
pub mod net;
pub mod run;
pub mod store;
