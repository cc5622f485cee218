//! `/v1/calls/{id}/clip`: the built-in clip as a leg, for calls without a page.

use serde::{Deserialize, Serialize};

use super::PathKind;

/// `POST /v1/calls/{id}/clip`: attaches the clip. Nothing is sent before the call is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewClip {
    /// For how many seconds to send, counted from `active`.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3600))]
    pub seconds: u32,
}

/// `GET /v1/calls/{id}/clip`: what came back. Counts packets and frames received, never those sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClipStats {
    /// Milliseconds from `active` to the first media packet from the far side; null until one came.
    pub answer_to_media_ms: Option<f64>,
    /// Round trip by the link's own statistics, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Audio packets that came back.
    pub audio_packets: u64,
    /// Complete video frames that came back and whose payload equals the clip's.
    pub video_frames: u64,
    /// Those frames a second.
    pub video_fps: f64,
    /// Packets sent that did not come back.
    pub lost_packets: u64,
    /// The longest time between two packets that came back one after the other, in milliseconds; null before the second.
    #[serde(default)]
    pub longest_gap_ms: Option<f64>,
    /// What the link runs over.
    pub path: Option<PathKind>,
    /// Whether the clip has been sent to its end and the last packets had their time to return.
    pub done: bool,
}
