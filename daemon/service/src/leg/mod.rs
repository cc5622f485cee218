//! Local media legs: how the page, OBS or any WHIP/WHEP tool on this machine hears and is heard in a call.
//!
//! A leg is one WebRTC transport between the daemon and such a tool: ICE-lite, DTLS and SRTP, ended here ([`ice`],
//! [`dtls`], [`srtp`]); [`session`] joins them without I/O, [`peer`] gives each session its sockets. Inside the daemon
//! a leg's packets are those of the canonical wire profile (`twocan_core::media`), byte for byte: nothing is parsed
//! into structures and written again, no packet is answered, repeated or rated here. The browsers at both ends do that
//! with each other.
//!
//! Between legs and links stands [`gate`]. Nothing passes it in either direction before `Gates::open` or after
//! `Gates::end`, and nothing else opens it. What one leg after another sends leaves it as one stream (`core/media/continuity.rs`).
//!
//! Deliberately absent: transcoding, jitter buffers, retransmission, bandwidth estimation, TURN, mDNS, data channels.

pub mod clip;
pub mod echo;
pub mod gate;
pub mod peer;

mod attachments;
mod dtls;
mod ice;
mod local;
mod sdp;
mod sdp_answer;
mod session;
mod srtp;

#[cfg(test)]
mod tests;
