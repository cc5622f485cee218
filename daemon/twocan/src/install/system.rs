//! The programs that are told of an installation: the user's service manager, and the index of menu entries.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use twocan_api::client::service::UNIT;

use super::places::Places;

/// How long a daemon usually takes at most until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(100);

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

    /// Starts the daemon. Gives whether it is ready soon; it may have to wait for its keyring.
    pub(super) async fn start(&self) -> Result<bool, String> {
        systemctl(&["start", "--no-block", UNIT])?;
        let until = Instant::now() + READY_WITHIN;
        while !self.runs() {
            if Instant::now() >= until {
                return Ok(false);
            }
            sleep(LOOK).await;
        }
        Ok(true)
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
