//! `twocan contacts`.

use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;
use crate::words;

/// Lists the contacts with their dots.
pub(crate) async fn run(out: Out) -> Done {
    let contacts = Client::find().contacts().await?;
    out.result(&contacts.json, &words::contacts(&contacts.value.items));
    Ok(Exit::Done)
}
