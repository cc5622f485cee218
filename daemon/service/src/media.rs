//! The two seams of the media path, so that links know nothing of legs and legs nothing of QUIC.
//!
//! Packets cross both seams in the canonical wire profile of `twocan_core::media`, each with its flow id
//! (draft-ietf-avtcore-rtp-over-quic, section 5). Neither seam blocks: what cannot be sent at once is dropped, as on
//! any other network.

use bytes::Bytes;
use twocan_core::ids::LinkId;

/// Towards the far side: one link's datagrams.
pub trait MediaSender: Send + Sync + std::fmt::Debug {
    /// Sends one RTP or RTCP packet under `flow`; in two fragments when the path cannot carry it in one.
    fn send(&self, flow: u64, packet: &[u8]);
}

/// From the far side: whatever arrives on any link under a media flow id.
pub trait MediaSink: Send + Sync + std::fmt::Debug {
    /// Takes one whole packet, reassembled where it came in fragments.
    fn deliver(&self, link: LinkId, flow: u64, packet: Bytes);
}
