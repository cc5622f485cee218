//! Opening the page in the user's browser, as the command does: by the program that `calls.browser` names, else by the
//! desktop's opener.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use twocan_api::NewPage;
use twocan_api::client::Client;

use crate::program::find;
use crate::settings::{self, Browser};
use crate::strings as s;
use crate::trouble::Trouble;

/// The opener of the desktop, then browsers by themselves.
const OPENERS: [&str; 5] = ["xdg-open", "sensible-browser", "firefox", "chromium", "google-chrome"];

/// By then an opener that found no browser has ended.
const OPENED: Duration = Duration::from_secs(1);

/// Opens a screen of the page.
///
/// # Errors
/// In the user's words.
pub(crate) async fn open(client: &Client, path: &str) -> Result<(), Trouble> {
    let new = NewPage {
        path: Some(path.to_owned()),
    };
    let url = client.page(&new).await?.value.url;
    let programs = match settings::browser(&settings::folder().join("config.toml")) {
        // Who wants no browser has asked for nothing that could fail.
        Browser::None => return Ok(()),
        Browser::Program(name) => find(&name).into_iter().collect(),
        Browser::Default => OPENERS.iter().filter_map(|name| find(name)).collect::<Vec<_>>(),
    };
    for program in programs {
        if start(&program, &url).await {
            return Ok(());
        }
    }
    Err(Trouble::new(s::NO_BROWSER, s::NO_BROWSER_HELP))
}

/// The browser outlives the tray. A desktop's opener that finds no browser says so by its exit, soon; what still runs
/// then is taken for a browser.
async fn start(program: &Path, url: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    match timeout(OPENED, child.wait()).await {
        Ok(ended) => ended.is_ok_and(|status| status.success()),
        Err(_) => true,
    }
}
