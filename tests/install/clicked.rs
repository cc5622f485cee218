//! A link that is clicked anywhere on a desktop reaches Twocan through the entry that `twocan install` wrote: opened by the
//! real programs that mail clients and browsers hand links to.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use twocan_tests::binary;
use twocan_tests::desktop::screen_in_memory;
use twocan_tests::home::Home;
use twocan_tests::wait::{until, until_at_most};

use super::*;

const SOON: Duration = Duration::from_secs(20);
/// How long something may take that must not happen.
const NEVER: Duration = Duration::from_secs(2);

/// Ports of its own, and a browser that writes down what it is to open.
const SETTINGS: &str = r#"
[network]
udp = "127.0.0.1:0"
lan = false
[dht]
enabled = false
[api]
control = "127.0.0.1:0"
page = "127.0.0.1:0"
[secrets]
store = "file"
[calls]
browser = "#;

/// The home of a user who has installed Twocan and has no service manager.
struct Desk {
    folder: TempDir,
    _screen: tokio::process::Child,
    display: String,
}

impl Desk {
    async fn new() -> Self {
        let (_screen, display) = screen_in_memory().await;
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            _screen,
            display,
        };
        for folder in ["home/.config/twocan", "run", "bin"] {
            std::fs::create_dir_all(desk.at(folder)).unwrap();
        }
        std::fs::set_permissions(desk.at("run"), std::fs::Permissions::from_mode(0o700)).unwrap();
        desk.script("bin/systemctl", "exit 1");
        desk.script("browser", &format!("echo \"$*\" >> '{}'", desk.at("opened").display()));
        let settings = format!("{SETTINGS}{:?}\n", desk.at("browser"));
        std::fs::write(desk.at("home/.config/twocan/config.toml"), settings).unwrap();
        done(desk.command(binary::twocan()).arg("install"));
        desk
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn script(&self, path: &str, text: &str) {
        std::fs::write(self.at(path), format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(self.at(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program as this user's desktop starts it.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.at("home"))
            .env("XDG_RUNTIME_DIR", self.at("run"))
            .env("DISPLAY", &self.display)
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()))
            .current_dir(self.folder.path());
        command
    }

    fn opened(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.at("opened")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn status(&self) -> Option<Value> {
        let said = run(self
            .command(self.at("home/.local/bin/twocan"))
            .args(["--json", "status"]));
        serde_json::from_slice(&said.stdout).ok()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let pid = self.status().and_then(|status| status["pid"].as_i64());
        if let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

/// What opens links, and the desktop that it takes itself to be on.
const OPENERS: [(&[&str], &str); 3] = [
    (&["xdg-open"], ""),
    (&["gio", "open"], "GNOME"),
    (&["xdg-open"], "GNOME"),
];

#[tokio::test]
async fn a_click_goes_through_the_installed_entry() {
    let ann = Home::up("Ann").await;
    let invite = ann.api().post("/v1/invites", serde_json::json!({})).await.body;
    let link = invite["link"].as_str().unwrap().to_owned();
    let desk = Desk::new().await;
    assert_eq!(desk.status(), None);

    // The first click finds nothing running.
    for (count, (opener, desktop)) in OPENERS.iter().enumerate() {
        let mut click = desk.command(opener[0]);
        click.args(&opener[1..]).arg(&link).env("XDG_CURRENT_DESKTOP", desktop);
        assert!(click.status().unwrap().success(), "{opener:?} on {desktop:?}");
        let what = format!("a page by {opener:?} on {desktop:?}");
        let url = until(&what, SOON, async || desk.opened().get(count).cloned()).await;
        let page = desk.status().unwrap()["page"].as_str().unwrap().to_owned();
        assert!(url.starts_with(&format!("{page}/enter/")), "{url}");
        let place = done(Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{redirect_url}", &url]));
        assert!(place.starts_with(&format!("{page}/link/")), "{place}");
        assert_eq!(desk.opened().len(), count + 1);
    }
    assert_eq!(ann.api().list("/v1/contacts").await.len(), 0, "nobody was dialled");

    let before = tree(desk.folder.path());
    for hostile in [
        "twocan:$(touch${IFS}x)",
        "twocan:`touch x`",
        "twocan:;touch x",
        "twocan:--help",
        "twocan:%00%0a",
        "twocan:%u%f%i",
        "twocan:\"\\'",
    ] {
        for (opener, desktop) in OPENERS {
            let mut click = desk.command(opener[0]);
            click
                .args(&opener[1..])
                .arg(hostile)
                .env("XDG_CURRENT_DESKTOP", desktop);
            drop(run(&mut click));
        }
    }
    let opened = until_at_most(NEVER, async || desk.opened().get(OPENERS.len()).cloned()).await;
    assert_eq!(opened, None);
    assert_eq!(tree(desk.folder.path()), before);
    assert_eq!(ann.api().list("/v1/contacts").await.len(), 0);
}
