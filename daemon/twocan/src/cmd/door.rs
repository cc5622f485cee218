//! `twocan door [open|close]`: whether people who know nothing but this device's address may ring; and `twocan keep`, which
//! makes a contact of one of them.

use clap::Subcommand;
use twocan_api::client::Client;
use twocan_api::{DoorPut, Keep};

use crate::exit::Exit;
use crate::failure::Done;
use crate::pick::{self, Act};
use crate::print::Out;
use crate::words;

/// `twocan door`.
#[derive(Debug, clap::Args)]
pub(crate) struct Door {
    /// What to do with it; only looks at it unless told.
    #[command(subcommand)]
    to: Option<Switch>,
}

/// What to do with the door.
#[derive(Debug, Subcommand)]
enum Switch {
    /// Let strangers who know your address ring, for a time.
    Open {
        /// For how long [default: 600].
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: Option<u64>,
    },
    /// Answer no stranger any more. A call that came in goes on.
    Close,
}

/// `twocan keep`.
#[derive(Debug, clap::Args)]
pub(crate) struct Keeping {
    /// The call's id; the only call with a stranger unless told.
    id: Option<String>,
    /// Do not keep the stranger.
    #[arg(long)]
    no: bool,
}

/// Opens the door, closes it, or shows it.
pub(crate) async fn run(args: Door, out: Out) -> Done {
    let client = Client::find();
    let door = match args.to {
        None => client.door().await?,
        Some(Switch::Open { seconds }) => client.put_door(&DoorPut { open: true, seconds }).await?,
        Some(Switch::Close) => {
            let put = DoorPut {
                open: false,
                seconds: None,
            };
            client.put_door(&put).await?
        }
    };
    out.result(&door.json, &words::door(&door.value));
    Ok(Exit::Done)
}

/// Says whether to keep the stranger of a call as a contact.
pub(crate) async fn keep(args: Keeping, out: Out) -> Done {
    let client = Client::find();
    let id = match args.id {
        Some(id) => id,
        None => pick::only(&client.calls().await?.value.items, Act::Keep)?,
    };
    let call = client.keep(&id, Keep { keep: !args.no }).await?;
    out.result(&call.json, &[words::kept(&call.value)]);
    Ok(Exit::Done)
}
