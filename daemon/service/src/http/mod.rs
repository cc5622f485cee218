//! The local API: three doors to the same `/v1` routes, and the call page.
//!
//! The model. The loop owns the core and publishes, after each batch, one [`twocan_core::event::Snapshot`] and what
//! changed in it; it knows nothing of HTTP. Handlers read the newest snapshot and send [`seam::Ask`]s. A reply is sent
//! only after the snapshot that shows its effect was published, so a handler renders what it just did.
//!
//! Invariants:
//! - Every request passes [`guard`] before any route sees it: Host, origin, credential, content type, in this order.
//!   What is left to the handlers is the id (404) and the state (409), in this order.
//! - No header of cross-origin sharing is ever sent, and no GET changes anything but a one-time code.
//! - What creates something answers once for each `Idempotency-Key` ([`once`]).
//! - Every route is described where it is written, its problems in [`openapi`]; `api-docs/openapi.json` is that.
//! - HTTP/1.1 only, and every wait, buffer, body and count of connections is bounded.
//! - Core values become API values in [`view`] alone, problems come from the table in [`problem`] alone, and the
//!   sentences that people read about their contacts and invites stand in [`words`].

mod calls;
mod clip;
mod contacts;
mod docs;
mod door;
mod entrance;
mod events;
mod extract;
mod files;
mod guard;
mod holder;
mod hub;
mod invites;
mod key;
mod listen;
mod me;
mod media;
mod metrics;
mod network;
mod once;
mod openapi;
mod page;
mod paging;
mod pastes;
mod privacy;
mod problem;
mod router;
pub mod seam;
mod secret;
pub mod server;
mod site;
mod stall;
mod test_call;
mod view;
mod words;

#[cfg(test)]
mod tests;

pub use seam::{
    Ask, Clips, Clock, EchoProblem, Echoes, KeyMove, LegProblem, Legs, Loop, Publisher, ServiceFacts, seam,
};
pub use server::{Bound, HttpConfig, LocalMedia, serve};
