//! The daemon as a service of the user's own service manager, where it is installed as one.
//!
//! Whoever misses the daemon has the manager start it: a second daemon beside the service would only find the home taken.
//! With `TWOCAN_HOME` there is no service, since the service has the usual home: see [`find_socket`](super::find_socket).

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// The name of the service.
pub const UNIT: &str = "twocan.service";

/// How long the manager may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// What the manager knows of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whether it starts by itself when the user logs in.
    pub is_enabled: bool,
    /// Whether it runs, or is being started: now, or once more after it failed.
    pub is_underway: bool,
}

/// The user's service; `None` where there is none, or nobody to ask.
pub async fn look() -> Option<Service> {
    read(&systemctl(&["show", "--property=LoadState,UnitFileState,ActiveState,Job", UNIT]).await?)
}

/// Has the manager start the service, without waiting until it runs. Whether it will.
pub async fn start() -> bool {
    systemctl(&["start", "--no-block", UNIT]).await.is_some()
}

/// What the user's manager answers; `None` where it refuses, is not there, or is not to be asked.
async fn systemctl(args: &[&str]) -> Option<String> {
    if super::locate::is_elsewhere() {
        return None;
    }
    let mut command = Command::new("systemctl");
    command.arg("--user").args(args).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(ANSWERS_WITHIN, command.output()).await.ok()?.ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    String::from_utf8(text).ok()
}

/// Reads `NAME=VALUE` lines.
fn read(text: &str) -> Option<Service> {
    let fact = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    };
    let is_there = fact("LoadState") == "loaded";
    // A job that waits is told by its number; older managers write 0 for none.
    let is_queued = !["", "0"].contains(&fact("Job"));
    is_there.then(|| Service {
        is_enabled: fact("UnitFileState").starts_with("enabled"),
        is_underway: is_queued || ["active", "activating", "reloading"].contains(&fact("ActiveState")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(unit: &str, active: &str, job: &str) -> Option<Service> {
        read(&format!(
            "LoadState=loaded\nActiveState={active}\nUnitFileState={unit}\n{job}"
        ))
    }

    #[test]
    fn a_service_is_known_by_its_facts() {
        let service = |is_enabled, is_underway| {
            Some(Service {
                is_enabled,
                is_underway,
            })
        };
        assert_eq!(known("enabled", "active", ""), service(true, true));
        assert_eq!(known("enabled", "activating", "Job=0"), service(true, true));
        assert_eq!(known("enabled-runtime", "inactive", ""), service(true, false));
        assert_eq!(known("enabled", "inactive", "Job=17"), service(true, true));
        assert_eq!(known("enabled", "failed", "Job=0"), service(true, false));
        assert_eq!(known("disabled", "inactive", ""), service(false, false));
    }

    #[test]
    fn what_is_not_installed_is_no_service() {
        assert_eq!(
            read("LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"),
            None
        );
        assert_eq!(
            read("LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n"),
            None
        );
        assert_eq!(read(""), None);
    }
}
