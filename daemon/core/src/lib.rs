//! Every decision Twocan takes, without a clock, a socket, a thread or a file.
//!
//! The core is sans-IO: the shell feeds it [`io::Input`]s together with [`time::Now`], and takes back
//! [`io::Output`]s and the next time-out. The same inputs with the same seed give the same outputs, so whole
//! households are simulated in milliseconds and a failing seed replays.

pub mod bounds;
pub mod call;
pub mod cbor;
pub mod command;
pub mod crypto;
pub mod demux;
pub mod event;
pub mod identity;
pub mod ids;
pub mod invite;
pub mod io;
pub mod knock;
pub mod media;
pub mod message;
pub mod names;
pub mod node;
pub mod reach;
pub mod reply;
pub mod rng;
pub mod session;
pub mod state;
pub mod time;
