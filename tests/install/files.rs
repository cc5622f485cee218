//! What `twocan install` writes and removes, in homes and roots made for it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;
use twocan_tests::binary;

use super::*;

/// A user's home, with programs in a folder that no shell searches, and a desktop whose commands only write down that they
/// were called.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["home/.config/systemd/user", "built", "bin"] {
            std::fs::create_dir_all(machine.at(folder)).unwrap();
        }
        for program in [binary::twocan(), binary::tray()] {
            std::fs::hard_link(program, machine.at("built").join(program.file_name().unwrap()))
                .or_else(|_| std::fs::copy(program, machine.at("built").join(program.file_name().unwrap())).map(drop))
                .unwrap();
        }
        for command in ["systemctl", "update-desktop-database"] {
            machine.pretend(command, 0);
        }
        machine
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A command that writes down its arguments and ends so.
    fn pretend(&self, command: &str, code: i32) {
        let (log, path) = (self.at("called"), self.at("bin").join(command));
        let script = format!("#!/bin/sh\necho {command} \"$@\" >> {}\nexit {code}\n", log.display());
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn called(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.at("called")).unwrap_or_default();
        drop(std::fs::remove_file(self.at("called")));
        text.lines().map(str::to_owned).collect()
    }

    fn twocan(&self, program: &str, args: &[&str]) -> Output {
        run(Command::new(self.at(program))
            .args(args)
            .env_clear()
            .env("HOME", self.at("home"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display())))
    }

    fn installs(&self, program: &str, args: &[&str]) -> String {
        let output = self.twocan(program, &[&["install"], args].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at("home").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[test]
fn one_users_installation_comes_and_goes() {
    let machine = Machine::new();
    let home = machine.at("home");
    std::fs::write(home.join(".config/systemd/user/mine.service"), "mine").unwrap();
    let before = tree(&home);
    let said = machine.installs("built/twocan", &["--tray"]);
    assert!(said.contains("Twocan runs, and starts by itself"), "{said}");
    assert_eq!(
        machine.called(),
        [
            format!(
                "update-desktop-database --quiet {}/.local/share/applications",
                home.display()
            ),
            "systemctl --user daemon-reload".to_owned(),
            "systemctl --user is-active --quiet twocan.service".to_owned(),
            "systemctl --user start --no-block twocan.service".to_owned(),
            "systemctl --user is-active --quiet twocan.service".to_owned(),
        ]
    );
    let program = home.join(".local/bin/twocan");
    let unit = machine.read(".config/systemd/user/twocan.service");
    assert!(
        unit.contains(&format!("\nExecStart={} up\n", program.display())),
        "{unit}"
    );
    let link = std::fs::read_link(home.join(".config/systemd/user/default.target.wants/twocan.service")).unwrap();
    assert_eq!(link, home.join(".config/systemd/user/twocan.service"));
    let menu = machine.read(".local/share/applications/twocan.desktop");
    assert!(
        menu.contains(&format!("\nExec={} open --desktop -- %u\n", program.display())),
        "{menu}"
    );
    assert!(menu.contains("\nMimeType=x-scheme-handler/twocan;"), "{menu}");
    let autostart = machine.read(".config/autostart/twocan-tray.desktop");
    assert!(
        autostart.contains(&format!("\nExec={}-tray\n", program.display())),
        "{autostart}"
    );
    for (path, holds) in [
        (".local/share/icons/hicolor/scalable/apps/twocan.svg", "<svg"),
        (".local/share/bash-completion/completions/twocan", "hangup"),
        (".local/share/zsh/site-functions/_twocan", "#compdef twocan"),
        (".local/share/fish/vendor_completions.d/twocan.fish", "hangup"),
        (".local/share/man/man1/twocan.1", ".TH"),
        (".local/share/man/man1/twocan-install.1", "tray"),
        (".local/share/man/man1/twocan-tray.1", ".TH"),
    ] {
        assert!(machine.read(path).contains(holds), "{path}");
    }
    for entry in ["applications/twocan.desktop", "applications/twocan-tray.desktop"] {
        done(Command::new("desktop-file-validate").arg(home.join(".local/share").join(entry)));
    }

    // The same again, by the program that was installed: nothing is another one.
    let installed = tree(&home);
    let said = machine.installs("home/.local/bin/twocan", &[]);
    assert!(said.contains("takes over by itself"), "{said}");
    assert_eq!(tree(&home), installed);

    std::fs::write(home.join(".config/autostart/other.desktop"), "mine").unwrap();
    machine.called();
    machine.installs("home/.local/bin/twocan", &["--uninstall"]);
    let called = machine.called();
    assert!(
        called.contains(&"systemctl --user stop twocan.service".to_owned()),
        "{called:?}"
    );
    let mut kept = before;
    kept.extend(["d .config/autostart", "f .config/autostart/other.desktop"].map(str::to_owned));
    kept.sort();
    assert_eq!(tree(&home), kept);
    let said = machine.installs("built/twocan", &["--uninstall"]);
    assert!(said.contains("Nothing of `twocan install`"), "{said}");
}

/// Without a service manager nothing is started, and that is said; it is no failure.
#[test]
fn without_a_manager_it_says_what_to_do() {
    let machine = Machine::new();
    machine.pretend("systemctl", 1);
    let said = machine.installs("built/twocan", &[]);
    assert!(said.contains("twocan up"), "{said}");
    assert!(!machine.at("home/.config/autostart").exists());
}

#[test]
fn what_is_the_users_own_is_not_overwritten() {
    let machine = Machine::new();
    let own = machine.at("home/.config/systemd/user/twocan.service");
    std::fs::write(&own, "mine").unwrap();
    let before = tree(&machine.at("home"));
    let refused = machine.twocan("built/twocan", &["install"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("is there already") && said.contains("Move it away"),
        "{said}"
    );
    assert_eq!(tree(&machine.at("home")), before);
    assert_eq!(std::fs::read_to_string(own).unwrap(), "mine");
}

#[test]
fn a_tray_that_is_not_there_is_missed() {
    let machine = Machine::new();
    std::fs::remove_file(machine.at("built/twocan-tray")).unwrap();
    let refused = machine.twocan("built/twocan", &["install", "--tray"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("There is no twocan-tray beside"), "{said}");
    assert!(!machine.at("home/.local").exists());
}

/// For all users: everything below the prefix, and the tray's start where desktops look.
#[test]
fn a_machines_installation_comes_and_goes() {
    let machine = Machine::new();
    let root = machine.at("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    let before = tree(&root);
    let at = root.to_str().unwrap().to_owned();
    let args = ["--system", "--tray", "--root", &at];
    let said = machine.installs("built/twocan", &args);
    assert!(said.contains("systemctl enable --now twocan"), "{said}");
    assert_eq!(
        machine.called(),
        Vec::<String>::new(),
        "nothing of the running machine's is touched"
    );
    for path in [
        "usr/local/bin/twocan",
        "usr/local/bin/twocan-tray",
        "usr/local/lib/systemd/user/twocan.service",
        "usr/local/lib/systemd/system/twocan.service",
        "usr/local/share/applications/twocan.desktop",
        "etc/xdg/autostart/twocan-tray.desktop",
    ] {
        assert!(root.join(path).is_file(), "{path}");
    }
    let unit = std::fs::read_to_string(root.join("usr/local/lib/systemd/system/twocan.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/twocan up"), "{unit}");
    machine.installs("built/twocan", &["--system", "--uninstall", "--root", &at]);
    assert_eq!(tree(&root), before);
    assert_eq!(tree(&machine.at("home")).len(), 3, "nothing in the home");
}

/// Where a package brought the files, a user adds what is the user's own, and no more.
#[test]
fn a_package_leaves_little_to_a_user() {
    let machine = Machine::new();
    let root = machine.at("root");
    std::fs::create_dir_all(&root).unwrap();
    machine.installs(
        "built/twocan",
        &["--system", "--root", root.to_str().unwrap(), "--prefix", "/usr"],
    );
    let before = tree(&machine.at("home"));
    let searched = root.join("usr/bin");
    let output = run(Command::new(searched.join("twocan"))
        .args(["install", "--tray"])
        .env_clear()
        .env("HOME", machine.at("home"))
        .env(
            "PATH",
            format!("{}:{}:/usr/bin:/bin", searched.display(), machine.at("bin").display()),
        ));
    assert!(output.status.success(), "{output:?}");
    let all = tree(&machine.at("home"));
    let files: Vec<&String> = all
        .iter()
        .filter(|line| !before.contains(line) && !line.starts_with('d'))
        .collect();
    let unit = root.join("usr/lib/systemd/user/twocan.service");
    assert_eq!(
        files,
        [
            "f .config/autostart/twocan-tray.desktop",
            "f .local/share/twocan/installed",
            &format!(
                "l .config/systemd/user/default.target.wants/twocan.service {}",
                unit.display()
            ),
        ]
    );
}
