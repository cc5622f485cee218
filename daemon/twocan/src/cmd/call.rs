//! `twocan call WHO`: places a call and stays until it ends.

use twocan_api::client::Client;
use twocan_api::{CallState, Media, NewCall, NewContact, SCHEME};

use super::{Added, redeem, settle};
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::follow::Follow;
use crate::print::Out;
use crate::report::Report;
use crate::session::Leg;
use crate::stop::Stop;
use crate::{browser, exit, session, words};

/// `twocan call`.
#[derive(Debug, clap::Args)]
pub(crate) struct Call {
    /// A contact's name, its beginning, its id, or a link; or an IP address (with :PORT where it is not 2226) whose door
    /// is open.
    #[arg(required = true)]
    who: Vec<String>,
    /// Sound without picture.
    #[arg(long)]
    audio_only: bool,
    /// Return at once; the call goes on.
    #[arg(long, conflicts_with = "headless")]
    detach: bool,
    /// Do not open the page.
    #[arg(long)]
    no_page: bool,
    /// The clip in place of camera and microphone.
    #[command(flatten)]
    clip: Clip,
}

/// `--headless --seconds N`.
#[derive(Debug, clap::Args)]
pub(crate) struct Clip {
    /// Send the built-in clip instead of camera and microphone, then report what came back.
    #[arg(long)]
    pub(crate) headless: bool,
    /// How long the call lasts from the answer on [default: 5].
    #[arg(long, requires = "headless", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: Option<u32>,
}

impl Clip {
    /// The clip's length, where it plays at all.
    pub(crate) fn seconds(&self) -> Option<u32> {
        self.headless.then(|| self.seconds.unwrap_or(5))
    }
}

/// Places a call.
pub(crate) async fn run(args: Call, out: Out) -> Done {
    let client = Client::find();
    let mut stop = Stop::listen()?;
    let to = stop.or(whom(&client, args.who.join(" "))).await?;
    let new = NewCall {
        to,
        media: Media {
            audio: true,
            video: !args.audio_only,
        },
    };
    if args.detach {
        return detached(&client, &new, out).await;
    }
    let mut follow = Follow::place(&client, &new).await?;
    if !args.no_page && !args.clip.headless && !follow.is_over() {
        browser::show(&client, out, &follow.call().id).await;
    }
    let stats = session::run(&mut follow, Leg::new(args.clip.seconds()), &mut stop, out).await?;
    finish(
        &follow,
        args.clip.headless.then(|| Report::new(follow.ringing_ms(), stats)),
        out,
    );
    Ok(session::exit(&follow))
}

/// Prints the final body of a call that is over, with the clip's report where it played one.
pub(crate) fn finish(follow: &Follow, report: Option<Report>, out: Out) {
    match report {
        Some(report) => out.result(&report.json_with(follow.json()), &report.lines()),
        None => out.result(follow.json(), &[]),
    }
}

async fn detached(client: &Client, new: &NewCall, out: Out) -> Done {
    let call = client.new_call(new).await?;
    out.result(&call.json, &words::progress(&call.value));
    if call.value.state == CallState::Ended {
        return Ok(exit::of_call(false, call.value.reason.as_ref()));
    }
    out.hint("The call goes on. Hang up with: twocan hangup");
    Ok(Exit::Done)
}

/// What to call: a link is added first, everything else the daemon resolves.
async fn whom(client: &Client, who: String) -> Result<String, Failure> {
    if !who.contains(SCHEME) {
        return Ok(who);
    }
    let (mut events, contact) = redeem(
        client,
        &NewContact {
            link: who,
            name: None,
            temporary: false,
        },
    )
    .await?;
    match settle(client, &mut events, contact).await? {
        Added::Held(contact) => Ok(contact.value.id),
        Added::Waiting(contact) => {
            let text = format!("{} is not online.", contact.value.name);
            Err(Failure::new(
                Exit::Unreachable,
                text,
                "The contact stays: call again when its dot is green.",
            ))
        }
    }
}
