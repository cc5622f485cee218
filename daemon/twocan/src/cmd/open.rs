//! `twocan open [PATH]`: the page in the user's browser.

use twocan_api::NewPage;
use twocan_api::client::Client;

use crate::browser;
use crate::exit::Exit;
use crate::failure::Done;
use crate::print::Out;

/// `twocan open`.
#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// The path of the page, such as /call/ID; its start unless told.
    path: Option<String>,
}

/// Prints the page's one-time URL, and opens it for a person at a terminal.
pub(crate) async fn run(args: Open, out: Out) -> Done {
    let is_call = args.path.as_deref().is_some_and(twocan_api::client::browser::is_call);
    let page = Client::find().page(&NewPage { path: args.path }).await?;
    out.result(&page.json, std::slice::from_ref(&page.value.url));
    browser::open_for_person(&page.value.url, is_call, out).await;
    Ok(Exit::Done)
}
