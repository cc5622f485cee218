//! Local media as the local API wants it: WebRTC legs and the clip, each a thin adapter.

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use twocan_api::ClipStats;
use twocan_core::ids::{CallId, LegId};
use twocan_core::media::flow::Role;

use crate::http::{Clips, LegProblem, Legs};
use crate::leg::clip;
use crate::leg::gate::Gates;
use crate::leg::peer::{self, LegError};

/// WebRTC legs.
#[derive(Debug)]
pub(super) struct LocalLegs {
    legs: peer::Legs,
}

impl LocalLegs {
    pub(super) fn new(gates: Gates, media: Handle, most_video_kbit: Option<u32>) -> anyhow::Result<Self> {
        Ok(Self {
            legs: peer::Legs::new(gates, media, most_video_kbit)?,
        })
    }

    fn on_call(&self, call: CallId, leg: LegId) -> Result<(), LegProblem> {
        if self.legs.call_of(leg) == Some(call) {
            Ok(())
        } else {
            Err(LegProblem::NotFound)
        }
    }
}

impl Legs for LocalLegs {
    fn offer(&self, call: CallId, role: Role, sdp: String) -> BoxFuture<'_, Result<(LegId, String), LegProblem>> {
        Box::pin(async move {
            if peer::Legs::only_loopback() {
                return Err(LegProblem::NoInterface);
            }
            let answer = self.legs.offer(call, role, &sdp).map_err(problem)?;
            Ok((answer.leg, answer.sdp))
        })
    }

    fn trickle(&self, call: CallId, leg: LegId, fragment: String) -> BoxFuture<'_, Result<Option<String>, LegProblem>> {
        Box::pin(async move {
            self.on_call(call, leg)?;
            self.legs.trickle(leg, &fragment).map_err(problem)
        })
    }

    fn close(&self, call: CallId, leg: LegId) -> BoxFuture<'_, Result<(), LegProblem>> {
        Box::pin(async move {
            self.on_call(call, leg)?;
            self.legs.close(leg).map_err(problem)
        })
    }
}

/// The built-in clip. What the path is like, the contact's view says.
#[derive(Debug)]
pub(super) struct LocalClips {
    clips: clip::Clips,
    gates: Gates,
    media: Handle,
}

impl LocalClips {
    pub(super) fn new(gates: Gates, media: Handle) -> Self {
        Self {
            clips: clip::Clips::default(),
            gates,
            media,
        }
    }
}

impl Clips for LocalClips {
    fn attach(&self, call: CallId, role: Role, seconds: u32) -> BoxFuture<'_, Result<(), LegProblem>> {
        Box::pin(async move {
            let attached = self.clips.attach(&self.gates, &self.media, call, role, seconds);
            attached
                .map(drop)
                .map_err(|error| LegProblem::Failed(error.to_string()))
        })
    }

    fn stats(&self, call: CallId) -> Option<ClipStats> {
        let report = self.clips.report(call)?;
        Some(ClipStats {
            answer_to_media_ms: report.answer_to_media_ms,
            rtt_ms: None,
            audio_packets: report.audio_packets,
            video_frames: report.video_frames,
            video_fps: report.video_fps,
            lost_packets: report.lost_packets,
            longest_gap_ms: report.longest_gap_ms,
            path: None,
            done: report.done,
        })
    }
}

fn problem(error: LegError) -> LegProblem {
    match error {
        LegError::BadOffer(why) => LegProblem::BadOffer(why.to_string()),
        LegError::NoSuchLeg => LegProblem::NotFound,
        LegError::Ended(_) => LegProblem::CallEnded,
        LegError::System(..) | LegError::Dtls(_) => LegProblem::Failed(format!("{error}")),
    }
}
