//! A call from its beginning to its end, as the commands `call`, `answer --headless` and `demo` run it.

use std::time::Duration;

use tokio::time::Instant;
use twocan_api::{CallState, ClipStats};

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::follow::Follow;
use crate::print::Out;
use crate::stop::Stop;
use crate::words;

/// Runs a call until it is over, telling its progress. A signal hangs up, and so does the end of the clip where one is
/// played. Gives the clip's statistics. Whatever goes wrong here, the call does not go on unwatched.
pub(crate) async fn run(
    follow: &mut Follow,
    leg: Leg,
    stop: &mut Stop,
    out: Out,
) -> Result<Option<ClipStats>, Failure> {
    let watched = watch(follow, leg, stop, out).await;
    if watched.is_err() {
        follow.abandon().await;
    }
    watched
}

async fn watch(follow: &mut Follow, mut leg: Leg, stop: &mut Stop, out: Out) -> Result<Option<ClipStats>, Failure> {
    let mut told = Vec::new();
    loop {
        tell(&mut told, follow, out);
        leg.attach(follow).await?;
        if follow.is_over() && !follow.merge().await? {
            return Ok(leg.into_stats(follow).await);
        }
        let active_since = follow.active_since();
        tokio::select! {
            changed = follow.changed() => changed?,
            () = stop.asked() => follow.hang_up().await?,
            () = leg.played(active_since) => {
                leg.stats = Some(follow.finished_clip().await?);
                follow.hang_up().await?;
            }
        }
    }
}

/// Tells what was not told before.
fn tell(told: &mut Vec<String>, follow: &Follow, out: Out) {
    let lines = words::progress(follow.call());
    for line in lines.iter().filter(|line| !told.contains(line)) {
        out.progress(line);
    }
    *told = lines;
}

/// The exit code of a call that is over.
pub(crate) fn exit(follow: &Follow) -> Exit {
    exit::of_call(follow.active_since().is_some(), follow.call().reason.as_ref())
}

/// The built-in clip as this call's leg, or no leg of ours.
#[derive(Debug)]
pub(crate) struct Leg {
    seconds: Option<u32>,
    is_attached: bool,
    stats: Option<ClipStats>,
}

impl Leg {
    /// A clip of this length in seconds, counted from `active`.
    pub(crate) const fn new(seconds: Option<u32>) -> Self {
        Self {
            seconds,
            is_attached: false,
            stats: None,
        }
    }

    /// Attaches the clip as early as the daemon takes it, so that it is warm when the call is answered. Does nothing
    /// where there is no clip, or it is attached already.
    pub(crate) async fn attach(&mut self, follow: &Follow) -> Result<(), Failure> {
        let Some(seconds) = self.seconds else { return Ok(()) };
        if self.is_attached || follow.is_over() {
            return Ok(());
        }
        match follow.attach_clip(seconds).await {
            Ok(()) => self.is_attached = true,
            Err(early) if early.problem().is_some() && follow.call().state != CallState::Active => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Waits until the clip has been played; forever where there is none, or the call is not active yet.
    async fn played(&self, active_since: Option<Instant>) {
        match (self.seconds, active_since) {
            (Some(seconds), Some(since)) => {
                tokio::time::sleep_until(since + Duration::from_secs(u64::from(seconds))).await;
            }
            (Some(_) | None, None) | (None, Some(_)) => std::future::pending().await,
        }
    }

    /// The statistics; of a call that the other side ended, what the daemon still knows.
    async fn into_stats(self, follow: &Follow) -> Option<ClipStats> {
        match self.stats {
            Some(stats) => Some(stats),
            None if self.is_attached => follow.finished_clip().await.ok(),
            None => None,
        }
    }
}
