//! Opening the page in the user's browser.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use twocan_api::NewPage;
use twocan_api::client::Client;
use twocan_service::store::config::{Browser, Config};
use twocan_service::store::paths::Paths;

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;

/// The opener of the desktop, then browsers by themselves.
const OPENERS: [&str; 6] = [
    "xdg-open",
    "sensible-browser",
    "firefox",
    "chromium",
    "google-chrome",
    "open",
];

/// By then an opener that found no browser has ended.
const OPENED: Duration = Duration::from_secs(1);

/// Opens a call's page for a person at a terminal. The call is what counts: trouble with the page is told and no more.
pub(crate) async fn show(client: &Client, out: Out, call: &str) {
    if !is_wanted(out) {
        return;
    }
    match client
        .page(&NewPage {
            path: Some(format!("/call/{call}")),
        })
        .await
    {
        Ok(page) => open_or_tell(&page.value.url, out).await,
        Err(error) => out.hint(&Failure::from(error).text),
    }
}

/// Opens a URL for a person at a terminal.
pub(crate) async fn open_for_person(url: &str, out: Out) {
    if is_wanted(out) {
        open_or_tell(url, out).await;
    }
}

/// Opens a URL for a person at a desktop, who has no terminal to read.
pub(crate) async fn open_for_desktop(url: &str) -> Done {
    if setting() == Browser::None || open(url).await {
        return Ok(Exit::Done);
    }
    Err(Failure::new(
        Exit::Failed,
        "No browser could be started.",
        "Install one, or name one in config.toml under [calls] browser.",
    ))
}

async fn open_or_tell(url: &str, out: Out) {
    if !open(url).await {
        out.hint(&format!(
            "No browser could be started. Open this address in one on this computer, within a minute: {url}"
        ));
    }
}

/// Nothing opens under a script, nor with `calls.browser = "none"`.
fn is_wanted(out: Out) -> bool {
    out.is_interactive() && setting() != Browser::None
}

/// Starts a browser; false where there is no desktop or none could be started.
async fn open(url: &str) -> bool {
    let programs: Vec<PathBuf> = match setting() {
        Browser::None => Vec::new(),
        Browser::Program(name) => find(&name).into_iter().collect(),
        Browser::Default if has_desktop() => OPENERS.iter().filter_map(|name| find(name)).collect(),
        Browser::Default => Vec::new(),
    };
    for program in programs {
        if start(&program, url).await {
            return true;
        }
    }
    false
}

/// `calls.browser`. A configuration that cannot be read opens nothing: it may say so.
fn setting() -> Browser {
    let config = Paths::resolve()
        .ok()
        .and_then(|paths| Config::load(&paths.config()).ok());
    config.map_or(Browser::None, |config| config.calls.browser)
}

/// Without a display an opener would start a text browser over the command's own terminal.
fn has_desktop() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

/// A program by its path or, like a shell, by its name.
fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The browser gets none of the terminal and outlives the command. A desktop's opener that finds no browser says so by
/// its exit, soon; what still runs then is taken for a browser.
async fn start(program: &PathBuf, url: &str) -> bool {
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
