//! The user unit under a real service manager: it starts with all that it forbids, is ready when it says so, is restarted when it
//! hangs, and goes with the uninstallation.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use twocan_tests::binary;
use twocan_tests::wait::{until, until_at_most};

use super::*;

/// A user who is nobody else on this machine.
const USER: u32 = 61_234;
const SOON: Duration = Duration::from_secs(30);

/// A user who is logged in.
struct Login {
    folder: TempDir,
    name: String,
    manager: Child,
}

impl Login {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["home", "run", "bin"] {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            chown(&path, Some(USER), Some(USER)).unwrap();
        }
        for (name, built) in [("twocan", binary::twocan()), ("twocan-tray", binary::tray())] {
            let program = folder.path().join("bin").join(name);
            std::fs::copy(built, &program).unwrap();
            chown(&program, Some(USER), Some(USER)).unwrap();
        }
        let name = format!("twocan-test-{}", std::process::id());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let manager = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"])
            .arg(twocan_tests::root().join("tests/install/manager.sh"))
            .arg(&name)
            .arg(folder.path())
            .arg(USER.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let login = Self { folder, name, manager };
        until("a service manager", SOON, async || {
            let state = login.systemctl(&["is-system-running"]);
            let state = String::from_utf8_lossy(&state.stdout).into_owned();
            ["running", "degraded"].contains(&state.trim()).then_some(())
        })
        .await;
        login
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A command of this user's.
    fn command(&self, args: &[&str]) -> Command {
        let user = USER.to_string();
        let first = run(Command::new("pgrep").args(["-P", &self.manager.id().to_string()])).stdout;
        let first = String::from_utf8(first).unwrap();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", first.trim(), "--pid", "--mount", "setpriv"])
            .args(["--reuid", &user, "--regid", &user, "--clear-groups"])
            .args(args)
            .env_clear()
            .env("HOME", self.at("home"))
            .env("XDG_RUNTIME_DIR", self.at("run"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()));
        command
    }

    /// Runs a command as this user.
    fn run(&self, args: &[&str]) -> Output {
        run(&mut self.command(args))
    }

    /// Waits until the service is in this state.
    async fn service(&self, state: &str) {
        until(&format!("the service to be {state}"), SOON, async || {
            (self.fact("ActiveState") == state).then_some(())
        })
        .await;
    }

    fn systemctl(&self, args: &[&str]) -> Output {
        self.run(&[&["systemctl", "--user"], args].concat())
    }

    /// A fact that the manager knows of the daemon.
    fn fact(&self, name: &str) -> String {
        let output = self.systemctl(&["show", "--value", "-p", name, "twocan.service"]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (who, log) in [("manager", "log"), ("tray", "tray.log")] {
                let log = std::fs::read_to_string(self.at(log)).unwrap_or_default();
                eprintln!("---- the {who} said:\n{log}");
            }
        }
        drop(self.manager.kill());
        drop(self.manager.wait());
        for cgroups in ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"] {
            let top = Path::new(cgroups).join(&self.name);
            if top.is_dir() {
                let found = run(Command::new("find").arg(&top).args(["-depth", "-type", "d"]));
                for folder in String::from_utf8_lossy(&found.stdout).lines() {
                    drop(std::fs::remove_dir(folder));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_real_manager_starts_watches_and_loses_it() {
    let login = Login::new().await;
    let installed = login.run(&["twocan", "install"]);
    let said = String::from_utf8_lossy(&installed.stdout).into_owned();
    assert!(
        said.contains("Twocan runs, and starts by itself"),
        "{said} {installed:?}"
    );
    assert_eq!(login.fact("ActiveState"), "active");
    assert!(login.fact("StatusText").starts_with("The page is at http://127.0.0.1:"));
    assert_eq!(login.fact("UnitFileState"), "enabled");
    assert_eq!(login.fact("NoNewPrivileges"), "yes");
    let status = login.run(&["twocan", "--json", "status"]);
    assert!(status.status.success(), "{status:?}");

    // The manager loses patience sooner, and the daemon hangs.
    let drop_in = login.at("home/.config/systemd/user/twocan.service.d");
    std::fs::create_dir(&drop_in).unwrap();
    std::fs::write(drop_in.join("soon.conf"), "[Service]\nWatchdogSec=2\nRestartSec=0\n").unwrap();
    assert!(login.systemctl(&["daemon-reload"]).status.success());
    assert!(login.systemctl(&["restart", "twocan"]).status.success());
    let pid = login.fact("MainPID");
    assert!(login.systemctl(&["kill", "--signal=STOP", "twocan"]).status.success());
    until("another process in the place of the one that hangs", SOON, async || {
        let is_new = login.fact("MainPID") != pid && login.fact("ActiveState") == "active";
        is_new.then_some(())
    })
    .await;
    assert_eq!(login.fact("NRestarts"), "1");

    // A program that takes the place of this one is taken up without the manager's doing.
    let pid = login.fact("MainPID");
    let fresh = login.at("bin/fresh");
    std::fs::copy(binary::twocan(), &fresh).unwrap();
    std::fs::rename(fresh, login.at("bin/twocan")).unwrap();
    let program = format!("/proc/{pid}/exe");
    until("the new program", SOON, async || {
        let there = login.run(&["readlink", &program]);
        let is_new = there.stdout.ends_with(b"/bin/twocan\n") && login.fact("ActiveState") == "active";
        is_new.then_some(())
    })
    .await;
    assert_eq!((login.fact("MainPID"), login.fact("NRestarts")), (pid, "1".to_owned()));

    assert!(login.run(&["twocan", "install", "--uninstall"]).status.success());
    assert_eq!(login.fact("LoadState"), "not-found");
    assert_eq!(login.run(&["twocan", "status"]).status.code(), Some(3));
}

/// A tray on a session bus of its own, on which nobody else is.
struct Tray(Child);

impl Tray {
    fn start(login: &Login) -> Self {
        let mut command = login.command(&["dbus-run-session", "--", "twocan-tray"]);
        let log = std::fs::File::create(login.at("tray.log")).unwrap();
        Self(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Longer than the tray waits for a daemon to come back by itself.
const LEFT_ALONE: Duration = Duration::from_secs(12);

#[tokio::test]
async fn the_tray_asks_the_manager_for_the_daemon() {
    let login = Login::new().await;
    let settings = login.at("home/.config/twocan");
    assert!(
        login
            .run(&["mkdir", "--parents", settings.to_str().unwrap()])
            .status
            .success()
    );
    std::fs::write(settings.join("config.toml"), "[calls]\nbrowser = \"none\"\n").unwrap();
    assert!(login.run(&["twocan", "install"]).status.success());
    assert!(login.systemctl(&["stop", "twocan"]).status.success());
    login.service("inactive").await;

    let _tray = Tray::start(&login);
    login.service("active").await;
    let status = login.run(&["twocan", "--json", "status"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let main = |login: &Login| login.fact("MainPID");
    assert_eq!(
        status["pid"].to_string(),
        main(&login),
        "it is the manager's, and the only one"
    );
    assert_eq!(login.fact("NRestarts"), "0");

    // What fails the manager brings back, and what was stopped stays so.
    let pid = main(&login);
    assert!(login.systemctl(&["kill", "--signal=KILL", "twocan"]).status.success());
    until("another process", SOON, async || {
        let is_new = !["0", &pid].contains(&main(&login).as_str()) && login.fact("ActiveState") == "active";
        is_new.then_some(())
    })
    .await;
    assert_eq!(login.fact("NRestarts"), "1");
    assert!(login.systemctl(&["stop", "twocan"]).status.success());
    let came_back = until_at_most(LEFT_ALONE, async || (main(&login) != "0").then(|| main(&login))).await;
    assert_eq!(came_back, None);
    assert_eq!(
        login.run(&["twocan", "status"]).status.code(),
        Some(3),
        "nor is there one of the tray's own"
    );
}
