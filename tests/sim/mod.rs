//! Whole cores over a simulated network. See [`world`] for time, [`shell`] and the files that it calls for what a shell does,
//! [`watch`] for what must hold, [`scenes`] for what people do, [`mutant`] and [`proof`] for what the watch must notice,
//! [`runs`] for seeds and replay.

mod clicks;
mod commands;
mod conn;
mod delivery;
mod dht;
mod dice;
mod disk;
mod door;
mod gate;
mod happening;
pub(crate) mod homes;
mod host;
pub(crate) mod listed;
mod machine;
pub(crate) mod mutant;
mod nat;
mod network;
mod people;
pub(crate) mod proof;
mod quic;
pub(crate) mod runs;
pub(crate) mod scenes;
pub(crate) mod sessions;
mod shell;
mod stun;
mod timers;
pub(crate) mod watch;
mod words;
mod world;
