//! The user's browser, and how every client opens the page in it.
//!
//! A screen of a call has a window of its own where a browser of Chromium's family is there, which opens one for `--app=URL`:
//! with the user's own profile, so that what the page was allowed once stays allowed. Every other screen is a tab of the
//! browser that the desktop opens.
//!
//! Who may have the keyboard is the click's to say: a window that the user asked for carries the token that the desktop
//! gave for that click, if any; one that comes by itself says that it does not want the focus.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// The opener of the desktop, then browsers by themselves.
const OPENERS: [&str; 6] = [
    "xdg-open",
    "sensible-browser",
    "firefox",
    "chromium",
    "google-chrome",
    "open",
];

/// Programs that know `--app=URL`.
const FAMILY: [&str; 10] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "brave-browser",
    "microsoft-edge",
    "microsoft-edge-stable",
    "vivaldi",
    "vivaldi-stable",
    "org.chromium.Chromium",
];

/// By then an opener that found no browser has ended.
const OPENED: Duration = Duration::from_secs(1);

/// What carries a click's right to the focus: on Wayland, and as X11's startup notification has it.
const TOKENS: [&str; 2] = ["XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"];

/// A startup id whose time is that of no click: a window manager does not give such a window the focus.
const UNASKED: &str = "twocan_TIME0";

/// What opens the page: `calls.browser` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Browser {
    /// `"default"`: the desktop's.
    #[default]
    Default,
    /// `"none"`: nothing does.
    None,
    /// Any other word: this program, by its path or its name.
    Program(String),
}

impl From<&str> for Browser {
    fn from(word: &str) -> Self {
        match word {
            "default" => Self::Default,
            "none" => Self::None,
            program => Self::Program(program.to_owned()),
        }
    }
}

/// What lets the window come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The user's own act, with the token that the desktop gave for it, where it did.
    Click(Option<String>),
    /// Something else: the window leaves the focus where it is.
    Event,
}

/// What to open, where, and why.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// The one-time address.
    pub url: &'a str,
    /// What opens it.
    pub browser: &'a Browser,
    /// Whether it is to have a window of its own, where that can be.
    pub window: bool,
    /// Why.
    pub cause: Cause,
}

/// Whether a path of the page shows a call.
#[must_use]
pub fn is_call(path: &str) -> bool {
    path.starts_with("/call/")
}

impl Opening<'_> {
    /// Starts a browser; whether one was.
    pub async fn start(&self) -> bool {
        for (program, argument) in self.choices().await {
            if self.start_one(&program, &argument).await {
                return true;
            }
        }
        false
    }

    /// Programs with what they are given, the best first.
    async fn choices(&self) -> Vec<(PathBuf, OsString)> {
        match self.browser {
            Browser::None => Vec::new(),
            Browser::Program(name) => find(name)
                .map(|program| {
                    let knows = is_of_family(&program);
                    (program, self.argument(knows))
                })
                .into_iter()
                .collect(),
            Browser::Default => {
                let mut choices = Vec::new();
                if self.window {
                    let preferred = preferred().await;
                    let own = FAMILY.into_iter().filter(|name| Some(*name) == preferred.as_deref());
                    let family = own.chain(FAMILY).find_map(find);
                    choices.extend(family.map(|program| (program, self.argument(true))));
                }
                let openers = OPENERS.into_iter().filter_map(find);
                choices.extend(openers.map(|program| (program, self.argument(false))));
                choices
            }
        }
    }

    fn argument(&self, knows_windows: bool) -> OsString {
        if self.window && knows_windows {
            format!("--app={}", self.url).into()
        } else {
            self.url.into()
        }
    }

    /// The browser gets none of the terminal and outlives whoever starts it. A desktop's opener that finds no browser says
    /// so by its exit, soon; what still runs then is taken for a browser.
    async fn start_one(&self, program: &Path, argument: &OsString) -> bool {
        let mut command = Command::new(program);
        command
            .arg(argument)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        for variable in TOKENS {
            // One that this process was started with has been used.
            command.env_remove(variable);
        }
        match &self.cause {
            Cause::Click(None) => {}
            Cause::Click(Some(token)) => {
                command.envs(TOKENS.map(|variable| (variable, token)));
            }
            Cause::Event => {
                command.env("DESKTOP_STARTUP_ID", UNASKED);
            }
        }
        let Ok(mut child) = command.spawn() else {
            return false;
        };
        match timeout(OPENED, child.wait()).await {
            Ok(ended) => ended.is_ok_and(|status| status.success()),
            Err(_) => true,
        }
    }
}

/// A program by its path or, like a shell, by its name.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Whether a program is of Chromium's family, by its name.
fn is_of_family(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| FAMILY.contains(&name) || name == "chrome" || name == "brave")
}

/// The browser that the desktop would open, by the name of its `.desktop` file, where the desktop tells.
async fn preferred() -> Option<String> {
    let mut ask = Command::new(find("xdg-settings")?);
    ask.args(["get", "default-web-browser"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(OPENED, ask.output()).await.ok()?.ok()?;
    let name = String::from_utf8(output.stdout).ok()?;
    Some(name.trim().trim_end_matches(".desktop").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(browser: &Browser, window: bool) -> Opening<'_> {
        Opening {
            url: "http://127.0.0.1:1/enter/x",
            browser,
            window,
            cause: Cause::Click(None),
        }
    }

    #[tokio::test]
    async fn a_named_program_is_the_only_one() {
        let chrome = Browser::from("/opt/google/chrome");
        let choices = opening(&chrome, true).choices().await;
        assert_eq!(
            choices,
            [("/opt/google/chrome".into(), "--app=http://127.0.0.1:1/enter/x".into())]
        );
        let choices = opening(&chrome, false).choices().await;
        assert_eq!(
            choices,
            [("/opt/google/chrome".into(), "http://127.0.0.1:1/enter/x".into())]
        );
        let firefox = Browser::from("/opt/firefox");
        let choices = opening(&firefox, true).choices().await;
        assert_eq!(choices, [("/opt/firefox".into(), "http://127.0.0.1:1/enter/x".into())]);
    }

    #[tokio::test]
    async fn none_opens_nothing() {
        assert!(!opening(&Browser::from("none"), true).start().await);
    }

    #[test]
    fn calls_have_windows() {
        assert!(is_call("/call/abc") && is_call("/call/abc/voice"));
        assert!(!is_call("/") && !is_call("/join/abc") && !is_call("/calls"));
    }
}
