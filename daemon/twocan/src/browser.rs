//! When a command opens the page; how is `twocan_api::client::browser`'s.

use twocan_api::NewPage;
use twocan_api::client::Client;
use twocan_api::client::browser::{self, Cause, Opening};
use twocan_service::store::config::{Browser, Calls, Config};
use twocan_service::store::paths::Paths;

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;

/// Opens a call's page for a person at a terminal. The call is what counts: trouble with the page is told and no more.
pub(crate) async fn show(client: &Client, out: Out, call: &str) {
    if !is_wanted(out) {
        return;
    }
    let path = format!("/call/{call}");
    let is_call = browser::is_call(&path);
    match client.page(&NewPage { path: Some(path) }).await {
        Ok(page) => open_or_tell(&page.value.url, is_call, out).await,
        Err(error) => out.hint(&Failure::from(error).text),
    }
}

/// Opens a URL for a person at a terminal. `is_call`: it leads to a call.
pub(crate) async fn open_for_person(url: &str, is_call: bool, out: Out) {
    if is_wanted(out) {
        open_or_tell(url, is_call, out).await;
    }
}

/// Opens a URL for a person at a desktop, who has no terminal to read. The desktop's word for the click, if it gave one, goes
/// on to the browser.
pub(crate) async fn open_for_desktop(url: &str, is_call: bool) -> Done {
    let token = std::env::var("XDG_ACTIVATION_TOKEN").or_else(|_| std::env::var("DESKTOP_STARTUP_ID"));
    if settings().browser == Browser::None || open(url, is_call, token.ok()).await {
        return Ok(Exit::Done);
    }
    Err(Failure::new(
        Exit::Failed,
        "No browser could be started.",
        "Install one, or name one in config.toml under [calls] browser.",
    ))
}

async fn open_or_tell(url: &str, is_call: bool, out: Out) {
    if !open(url, is_call, None).await {
        out.hint(&format!(
            "No browser could be started. Open this address in one on this computer, within a minute: {url}"
        ));
    }
}

/// Nothing opens under a script, nor with `calls.browser = "none"`.
fn is_wanted(out: Out) -> bool {
    out.is_interactive() && settings().browser != Browser::None
}

/// Starts a browser; false where there is no desktop or none could be started.
async fn open(url: &str, is_call: bool, token: Option<String>) -> bool {
    let settings = settings();
    let browser = match settings.browser {
        Browser::Default if has_desktop() => browser::Browser::Default,
        Browser::Default | Browser::None => browser::Browser::None,
        Browser::Program(name) => browser::Browser::Program(name),
    };
    let opening = Opening {
        url,
        browser: &browser,
        window: is_call && settings.window,
        cause: Cause::Click(token),
    };
    opening.start().await
}

/// `[calls]`. A configuration that cannot be read opens nothing: it may say so.
fn settings() -> Calls {
    let config = Paths::resolve()
        .ok()
        .and_then(|paths| Config::load(&paths.config()).ok());
    config.map_or_else(
        || Calls {
            browser: Browser::None,
            ..Calls::default()
        },
        |config| config.calls,
    )
}

/// Without a display an opener would start a text browser over the command's own terminal.
fn has_desktop() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}
