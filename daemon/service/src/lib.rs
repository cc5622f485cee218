//! The shell around the core: the loop that owns it, sockets, QUIC, the store, the local API and local media legs.

pub mod clock;
pub mod http;
pub mod leg;
pub mod media;
pub mod net;
pub mod run;
pub mod store;
