//! `twocan calls`, `decline` and `hangup`.

use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::follow::Follow;
use crate::pick::{self, Act};
use crate::print::Out;
use crate::words;

/// Names a call, or means the only one that fits.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The call's id; the only fitting call unless told.
    id: Option<String>,
}

/// Lists the calls.
pub(crate) async fn list(out: Out) -> Done {
    let calls = Client::find().calls().await?;
    out.result(&calls.json, &words::calls(&calls.value.items));
    Ok(Exit::Done)
}

/// Declines a call and prints how it ended.
pub(crate) async fn decline(args: Which, out: Out) -> Done {
    let mut follow = follow(args.id, Act::Respond).await?;
    follow.decline().await?;
    out.result(follow.json(), &[words::call(follow.call())]);
    Ok(Exit::Done)
}

/// Hangs up and prints how the call ended.
pub(crate) async fn hang_up(args: Which, out: Out) -> Done {
    let mut follow = follow(args.id, Act::HangUp).await?;
    if follow.is_over() {
        return Err(Failure::new(
            Exit::Failed,
            "That call is over.",
            "See all calls with: twocan calls",
        ));
    }
    follow.hang_up().await?;
    out.result(follow.json(), &[words::call(follow.call())]);
    Ok(Exit::Done)
}

/// The call with this id, or the only one that fits.
pub(crate) async fn follow(id: Option<String>, act: Act) -> Result<Follow, Failure> {
    let client = Client::find();
    let id = match id {
        Some(id) => id,
        None => pick::only(&client.calls().await?.value.items, act)?,
    };
    Follow::existing(&client, &id).await
}
