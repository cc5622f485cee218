//! The user unit under a real service manager: it starts with all that it forbids, is ready when it says so, is restarted when it
//! hangs, and goes with the uninstallation.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use twocan_tests::binary;
use twocan_tests::wait::until;

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
        let program = folder.path().join("bin/twocan");
        std::fs::copy(binary::twocan(), &program).unwrap();
        chown(&program, Some(USER), Some(USER)).unwrap();
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

    /// Runs a command as this user.
    fn run(&self, args: &[&str]) -> Output {
        let user = USER.to_string();
        let first = run(Command::new("pgrep").args(["-P", &self.manager.id().to_string()])).stdout;
        let first = String::from_utf8(first).unwrap();
        run(Command::new("nsenter")
            .args(["--target", first.trim(), "--pid", "--mount", "setpriv"])
            .args(["--reuid", &user, "--regid", &user, "--clear-groups"])
            .args(args)
            .env_clear()
            .env("HOME", self.at("home"))
            .env("XDG_RUNTIME_DIR", self.at("run"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display())))
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
            let log = std::fs::read_to_string(self.at("log")).unwrap_or_default();
            eprintln!("---- the manager said:\n{log}");
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
