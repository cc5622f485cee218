//! `twocan answer [ID]`: returns when both people have accepted; with `--headless`, when the clip has been played.

use std::time::Duration;

use tokio::time::timeout;
use twocan_api::CallState;
use twocan_api::client::Client;

use super::call::{Clip, finish};
use super::calls;
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::follow::Follow;
use crate::pick::Act;
use crate::print::Out;
use crate::report::Report;
use crate::session::Leg;
use crate::stop::Stop;
use crate::{browser, session, words};

/// How long the caller may take to confirm that this answer is the one that counts.
const ACTIVE_WITHIN: Duration = Duration::from_secs(10);

/// `twocan answer`.
#[derive(Debug, clap::Args)]
pub(crate) struct Answer {
    /// The call's id; the only one that rings here unless told.
    id: Option<String>,
    /// Do not open the page.
    #[arg(long)]
    no_page: bool,
    /// The clip in place of camera and microphone.
    #[command(flatten)]
    clip: Clip,
}

/// Answers a call.
pub(crate) async fn run(args: Answer, out: Out) -> Done {
    let mut stop = Stop::listen()?;
    let mut follow = calls::follow(args.id, Act::Respond).await?;
    if let Some(seconds) = args.clip.seconds() {
        return with_clip(&mut follow, seconds, &mut stop, out).await;
    }
    follow.answer().await?;
    stop.or(until_active(&mut follow)).await?;
    out.result(follow.json(), &[words::call(follow.call())]);
    if !follow.is_over() && !args.no_page {
        browser::show(&Client::find(), out, &follow.call().id).await;
    }
    Ok(session::exit(&follow))
}

async fn with_clip(follow: &mut Follow, seconds: u32, stop: &mut Stop, out: Out) -> Done {
    let mut leg = Leg::new(Some(seconds));
    leg.attach(follow).await?;
    follow.answer().await?;
    let stats = session::run(follow, leg, stop, out).await?;
    finish(follow, Some(Report::new(follow.ringing_ms(), stats)), out);
    Ok(session::exit(follow))
}

/// Waits until the call is active or over.
async fn until_active(follow: &mut Follow) -> Result<(), Failure> {
    let settled = async {
        while !matches!(follow.call().state, CallState::Active | CallState::Ended) {
            follow.changed().await?;
        }
        Ok(())
    };
    timeout(ACTIVE_WITHIN, settled).await.unwrap_or_else(|_| {
        Err(Failure::new(
            Exit::Failed,
            "The caller does not confirm the answer.",
            "See where it stands: twocan calls",
        ))
    })
}
