//! Opening the page, as the user's configuration has it.

use twocan_api::NewPage;
use twocan_api::client::Client;
use twocan_api::client::browser::{Browser, Cause, Opening, is_call};

use crate::settings::{self, Opener};
use crate::strings as s;
use crate::trouble::Trouble;

/// Opens a screen of the page.
///
/// # Errors
/// In the user's words.
pub(crate) async fn open(client: &Client, path: &str, cause: Cause) -> Result<(), Trouble> {
    let new = NewPage {
        path: Some(path.to_owned()),
    };
    let url = client.page(&new).await?.value.url;
    let Opener { browser, window } = settings::opener(&settings::folder().join("config.toml"));
    let opening = Opening {
        url: &url,
        browser: &browser,
        window: window && is_call(path),
        cause,
    };
    // Who wants no browser has asked for nothing that could fail.
    if opening.start().await || browser == Browser::None {
        return Ok(());
    }
    Err(Trouble::new(s::NO_BROWSER, s::NO_BROWSER_HELP))
}
