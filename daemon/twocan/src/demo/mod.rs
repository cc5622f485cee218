//! `twocan demo`: the newcomer's first minute, and the test call.
//!
//! Echo is a throw-away person in a process of its own. It is added by a real invite link and called over real UDP and
//! QUIC; it rings for a second, answers and returns every packet. The user's side is the running daemon, or else a
//! second throw-away one. Whatever happens, the stage is cleared: Echo leaves the contacts (it is a temporary one, never stored), the processes
//! end, their homes are removed, even when this process is killed.

mod child;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::time::timeout;
use twocan_api::client::{Body, Client, ClientError, Events};
use twocan_api::{Contact, Media, NewCall, NewContact, NewInvite, NewPage, Reachable, Status};
use twocan_service::run::CALL_LINE;

use crate::cmd::{Added, Clip, finish, redeem, settle};
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::follow::Follow;
use crate::print::Out;
use crate::report::Report;
use crate::session::Leg;
use crate::stop::Stop;
use crate::{browser, session};
pub(crate) use child::HOME_PREFIX;
use child::Throwaway;

/// How long Echo's dot may take to turn green; the call is tried even so.
const GREEN_WITHIN: Duration = Duration::from_secs(10);

/// `twocan demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Do not open the page; its address is printed all the same.
    #[arg(long)]
    no_page: bool,
    /// Use the running daemon, and say on a line of its own which call was made: of the page's test call.
    #[arg(long, hide = true, conflicts_with = "headless")]
    test_call: bool,
    /// The clip in place of camera and microphone.
    #[command(flatten)]
    clip: Clip,
}

/// What has to be cleared away in the end.
#[derive(Debug, Default)]
struct Stage {
    /// Whose contact Echo is.
    client: Option<Client>,
    contact: Option<String>,
    user: Option<Throwaway>,
    echo: Option<Throwaway>,
}

/// Calls Echo.
pub(crate) async fn run(args: Demo, out: Out) -> Done {
    let mut stop = Stop::listen()?;
    let mut stage = Stage::default();
    let played = play(&args, &mut stage, &mut stop, out).await;
    stage.clear().await;
    played
}

impl Stage {
    async fn clear(self) {
        if let (Some(client), Some(contact)) = (self.client, self.contact) {
            drop(client.remove_contact(&contact).await);
        }
        for daemon in [self.echo, self.user].into_iter().flatten() {
            daemon.stop().await;
        }
    }
}

async fn play(args: &Demo, stage: &mut Stage, stop: &mut Stop, out: Out) -> Done {
    let client = stop.or(user(stage, args.test_call, out)).await?;
    let link = stop.or(echo(stage, &client, out)).await?;
    // Not to be interrupted: from here on there is a contact to remove.
    let (events, contact) = redeem(
        &client,
        &NewContact {
            link,
            name: Some("Echo".into()),
            temporary: true,
        },
    )
    .await?;
    stage.client = Some(client.clone());
    stage.contact = Some(contact.value.id.clone());
    let contact = stop.or(acquainted(&client, events, contact)).await?;
    out.progress("Echo made a link, you pasted it: you are each other's contacts.");
    let new = NewCall {
        to: contact,
        media: Media::default(),
    };
    let mut follow = Follow::place(&client, &new).await?;
    if args.test_call {
        out.line(&format!("{CALL_LINE}{}", follow.call().id));
    } else if !args.clip.headless {
        show(&client, &follow, args.no_page, out).await;
    }
    let stats = session::run(&mut follow, Leg::new(args.clip.seconds()), stop, out).await?;
    if !args.clip.headless {
        finish(&follow, None, out);
        return Ok(session::exit(&follow));
    }
    let report = Report::new(follow.ringing_ms(), stats);
    out.result(&report.json(), &report.lines());
    Ok(conclude(&follow, &report, out))
}

/// The user's side: the running daemon, or else a throw-away one on the loopback address.
async fn user(stage: &mut Stage, test_call: bool, out: Out) -> Result<Client, Failure> {
    let running = Client::find();
    match running.status().await {
        Ok(_) => {
            out.progress("Using your running Twocan.");
            Ok(running)
        }
        Err(ClientError::NotRunning { .. }) if !test_call => {
            out.progress("Starting a throw-away Twocan for you …");
            let daemon = Throwaway::start(IpAddr::V4(Ipv4Addr::LOCALHOST), false).await?;
            let client = daemon.client().clone();
            stage.user = Some(daemon);
            Ok(client)
        }
        Err(error) => Err(error.into()),
    }
}

/// Echo's side; gives the link that Echo made.
async fn echo(stage: &mut Stage, user: &Client, out: Out) -> Result<String, Failure> {
    out.progress("Starting Echo, who sends back whatever it gets …");
    let address = address_beside(&user.status().await?.value);
    let daemon = stage.echo.insert(Throwaway::start(address, true).await?);
    Ok(daemon.client().new_invite(&NewInvite::default()).await?.value.link)
}

/// The address on which Echo can be reached from the user's daemon: the same one. Loopback reaches loopback alone.
fn address_beside(status: &Status) -> IpAddr {
    let bound = status.udp.iter().find_map(|address| address.parse::<SocketAddr>().ok());
    bound.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

/// Waits until both sides hold the contact and its dot is green; gives its id.
async fn acquainted(client: &Client, mut events: Events, contact: Body<Contact>) -> Result<String, Failure> {
    let contact = match settle(client, &mut events, contact).await? {
        Added::Held(contact) => contact.value,
        Added::Waiting(_) => {
            let fix = "See more with: TWOCAN_LOG=debug twocan demo";
            return Err(Failure::new(Exit::Unreachable, "Echo does not answer.", fix));
        }
    };
    // A dot that stays grey shows in how the call ends.
    drop(timeout(GREEN_WITHIN, green(client, &contact.id)).await);
    Ok(contact.id)
}

async fn green(client: &Client, id: &str) -> Result<(), Failure> {
    let mut events = client.events().await?;
    loop {
        let reachable = client.contact(id).await?.value.reachable;
        if reachable == Reachable::Yes {
            return Ok(());
        }
        events.next_frame().await?;
    }
}

/// Tells the page's address and opens it for a person at a terminal.
async fn show(client: &Client, follow: &Follow, no_page: bool, out: Out) {
    let path = format!("/call/{}", follow.call().id);
    match client.page(&NewPage { path: Some(path) }).await {
        Ok(page) => {
            out.progress(&format!(
                "Your page, for one browser within a minute: {}",
                page.value.url
            ));
            if !no_page {
                browser::open_for_person(&page.value.url, true, out).await;
            }
        }
        Err(error) => out.hint(&Failure::from(error).text),
    }
}

/// The exit code of a headless demo: it worked when media came back.
fn conclude(follow: &Follow, report: &Report, out: Out) -> Exit {
    let exit = session::exit(follow);
    if exit != Exit::Done {
        return exit;
    }
    if report.has_media() {
        out.progress("It works: what you sent came back.");
        return Exit::Done;
    }
    out.hint("No media came back. See more with: TWOCAN_LOG=debug twocan demo --headless");
    Exit::Failed
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn beside(udp: &str) -> IpAddr {
        let status = serde_json::json!({
            "version": "0", "pid": 1, "udp": [udp], "control": "", "page": "", "person": {"id": "", "name": ""},
            "device": {"id": "", "name": ""}, "presence": "available", "warnings": [],
        });
        address_beside(&serde_json::from_value(status).unwrap())
    }

    #[test]
    fn echo_listens_where_the_user_does() {
        assert_eq!(beside("127.0.0.1:41234").to_string(), "127.0.0.1");
        assert_eq!(beside("[::]:2226").to_string(), "::");
        assert_eq!(beside("0.0.0.0:2226").to_string(), "0.0.0.0");
        assert_eq!(beside("nonsense").to_string(), "127.0.0.1");
    }
}
