//! The programs that are told of an installation: the user's service manager, and the index of menu entries.

use std::fs;
use std::process::{Command, Output, Stdio};

use super::places::Places;

const UNIT: &str = "twocan.service";

/// The service manager of this user, which has read the units anew.
#[derive(Debug)]
pub(super) struct Manager;

impl Manager {
    /// The manager, where one answers.
    pub(super) fn of_user() -> Option<Self> {
        let answered = systemctl(&["daemon-reload"]).is_ok();
        answered.then_some(Self)
    }

    /// Whether the daemon is its.
    #[expect(clippy::unused_self, reason = "there has to be one to ask")]
    pub(super) fn runs(&self) -> bool {
        systemctl(&["is-active", "--quiet", UNIT]).is_ok()
    }

    /// Starts the daemon, and waits until it is ready.
    #[expect(clippy::unused_self, reason = "there has to be one to ask")]
    pub(super) fn start(&self) -> Result<(), String> {
        systemctl(&["start", UNIT])
    }

    /// Stops the daemon; one that does not run is as good.
    #[expect(clippy::unused_self, reason = "there has to be one to ask")]
    pub(super) fn stop(&self) {
        drop(systemctl(&["stop", UNIT]));
    }

    /// Has it forget units that are gone.
    #[expect(clippy::unused_self, reason = "there has to be one to ask")]
    pub(super) fn reload(&self) {
        drop(systemctl(&["daemon-reload"]));
    }
}

/// Why it did not do so, in its own words.
fn systemctl(args: &[&str]) -> Result<(), String> {
    let output = quietly(Command::new("systemctl").arg("--user").args(args)).map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty());
    Err(line.unwrap_or("it did not say why").trim_end_matches('.').to_owned())
}

/// Has menus and links find the entries, or forget them. A desktop without the index reads the entries themselves.
pub(super) fn tell_desktop(places: &Places) {
    let folder = places.data().join("applications");
    if !folder.is_dir() {
        return;
    }
    drop(quietly(
        Command::new("update-desktop-database").arg("--quiet").arg(&folder),
    ));
    let index = folder.join("mimeinfo.cache");
    let is_empty = fs::read_to_string(&index).is_ok_and(|text| text.trim() == "[MIME Cache]");
    if is_empty {
        drop(fs::remove_file(index));
    }
}

fn quietly(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).output()
}
