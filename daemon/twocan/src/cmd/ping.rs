//! `twocan ping WHO`.

use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;
use crate::who;

/// `twocan ping`.
#[derive(Debug, clap::Args)]
pub(crate) struct Ping {
    /// A contact's name, its beginning, or its id.
    #[arg(required = true)]
    who: Vec<String>,
}

/// Measures the round trip to a contact.
pub(crate) async fn run(args: Ping, out: Out) -> Done {
    let client = Client::find();
    let contacts = client.contacts().await?.value.items;
    let contact = who::resolve(&contacts, &args.who.join(" "))?;
    let pong = client.ping(&contact.id).await?;
    out.result(
        &pong.json,
        &[format!("{} answered in {} ms.", contact.name, pong.value.rtt_ms)],
    );
    Ok(Exit::Done)
}
