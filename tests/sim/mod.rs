//! Whole cores over a simulated network. See [`world`] for time, [`watch`] for what must hold, [`scenes`] for what
//! people do, [`mutant`] for proof that the watch is awake, [`runs`] for seeds and replay.

mod commands;
mod conn;
mod delivery;
mod dice;
mod disk;
mod gate;
mod happening;
mod host;
mod machine;
pub(crate) mod mutant;
mod network;
mod people;
mod quic;
pub(crate) mod runs;
pub(crate) mod scenes;
pub(crate) mod sessions;
mod shell;
mod timers;
mod watch;
mod words;
mod world;
