//! `twocan status`.

use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;
use crate::words;

/// Prints the daemon's status with its standing warnings.
pub(crate) async fn run(out: Out) -> Done {
    let status = Client::find().status().await?;
    out.result(&status.json, &words::status(&status.value));
    Ok(Exit::Done)
}
