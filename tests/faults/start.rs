//! What keeps a daemon from starting, and a page from opening.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tokio::process::Command;
use twocan_tests::binary;
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::running::{FREE, Output, UP, command, up_on};

/// `twocan up` on addresses that are free, but for those that are named.
async fn up(home: &Home, udp: &str, control: &str, page: &str) -> Output {
    home.twocan(&up_on(udp, control, page)).await
}

/// `up` failed, wrote no ready line, and said all of these.
#[track_caller]
fn refused(up: Output, said: &[&str]) {
    let up = up.exited(1);
    assert_eq!(up.stdout, "", "{up:?}");
    for part in said {
        assert!(up.stderr.contains(part), "not said: {part}\n{}", up.stderr);
    }
    let first = up.stderr.chars().next();
    assert!(
        first.is_some_and(char::is_uppercase) && up.stderr.trim_end().ends_with('.'),
        "no sentence: {}",
        up.stderr
    );
}

#[tokio::test]
async fn port_taken() {
    let ann = Home::up("Ann").await;
    let bob = Home::empty("Bob");
    let udp = ann.ready().udp.to_string();
    refused(
        up(&bob, &udp, FREE, FREE).await,
        &[
            &format!("The UDP address {udp} is in use by another program, or another Twocan; stop that, "),
            "or choose another address with --udp.",
        ],
    );
    let holder = format!("is in use by twocan (pid {}); stop it,", ann.pid());
    let bare = |origin: &str| origin.strip_prefix("http://").unwrap().to_owned();
    refused(
        up(&bob, FREE, &bare(&ann.ready().control), FREE).await,
        &[
            "The control address ",
            &holder,
            "or choose another address with --control.",
        ],
    );
    refused(
        up(&bob, FREE, FREE, &bare(&ann.ready().page)).await,
        &["The page address ", &holder, "or choose another address with --page."],
    );
    // The step that is named helps.
    let mut bob = bob;
    bob.start().await;
}

#[tokio::test]
async fn second_daemon() {
    let ann = Home::up("Ann").await;
    refused(
        up(&ann, FREE, FREE, FREE).await,
        &[
            &format!("Twocan is already running, pid {}, for this home;", ann.pid()),
            "see it with `twocan status` and `twocan open`, or stop it first.",
        ],
    );
    let status = ann.json(&["status"]).await;
    assert_eq!(status["pid"], ann.pid(), "{status}");
}

/// As a user for whom permissions count, which they do not for root, as whom tests may run.
async fn up_without_rights(home: &Path) -> Output {
    let mut setpriv = Command::new("setpriv");
    let plain = command(home);
    for (name, value) in plain.as_std().get_envs() {
        match value {
            Some(value) => setpriv.env(name, value),
            None => setpriv.env_remove(name),
        };
    }
    let is_root = nix::unistd::geteuid().is_root();
    let drop = ["--bounding-set=-all", "--inh-caps=-all"];
    let output = setpriv
        .args(drop.iter().filter(|_| is_root))
        .arg(binary::twocan())
        .args(UP)
        .output()
        .await
        .expect("setpriv, of the package util-linux");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A folder that may not be written, and a home of which files are.
#[tokio::test]
async fn home_not_writable() {
    let step = "make its folder writable for you and see that the disk has room, or let TWOCAN_HOME name a folder of your own.";
    let empty = Home::empty("Ann");
    fs::create_dir(empty.path()).unwrap();
    fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let run = format!("The folder {} cannot be created", empty.path().join("run").display());
    refused(
        up_without_rights(&empty.path()).await,
        &[&run, "Permission denied", step],
    );

    let mut lived_in = Home::up("Bob").await;
    let name = lived_in.json(&["status"]).await["person"].clone();
    lived_in.stop().await;
    let lock = lived_in.path().join("run/lock");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o400)).unwrap();
    let said = format!("The file {} cannot be written", lock.display());
    refused(
        up_without_rights(&lived_in.path()).await,
        &[&said, "Permission denied", step],
    );
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
    lived_in.start().await;
    assert_eq!(lived_in.json(&["status"]).await["person"], name);
}

/// What a person at a terminal reads of `twocan ARGS`, on a desktop whose programs are those in `programs`.
async fn at_a_desk(home: &Home, programs: &Path, args: &str) -> String {
    let line = format!(
        "DISPLAY=:77 PATH={} {} {args}",
        programs.display(),
        binary::twocan().display()
    );
    let mut script = Command::new("script");
    for (name, value) in command(&home.path()).as_std().get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let output = script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .expect("script, of the package bsdutils");
    let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    assert!(output.status.success(), "{said}");
    said
}

/// No program that opens pages, and one that finds none: the address is told, and a call goes on.
#[tokio::test]
async fn no_browser() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    let desk = tempfile::tempdir().unwrap();
    let hint =
        "No browser could be started. Open this address in one on this computer, within a minute: http://127.0.0.1:";
    let said = at_a_desk(&ann, desk.path(), "open").await;
    assert!(said.contains(hint), "{said}");
    symlink("/bin/false", desk.path().join("xdg-open")).unwrap();
    let talk = async {
        let ring = bob.call("a ring", GREEN * 5, |call| call["state"] == "ringing").await;
        bob.json(&["answer"]).await;
        let id = ring["id"].clone();
        bob.call("a call", GREEN * 5, |call| {
            call["id"] == id && call["state"] == "active"
        })
        .await;
        bob.json(&["hangup"]).await;
    };
    let (said, ()) = tokio::join!(at_a_desk(&ann, desk.path(), "call Bob"), talk);
    assert!(said.contains(hint), "{said}");
    assert!(said.contains("Connected with Bob."), "{said}");

    // One that opens pages is trusted, and nothing is said.
    fs::remove_file(desk.path().join("xdg-open")).unwrap();
    symlink("/bin/true", desk.path().join("xdg-open")).unwrap();
    let said = at_a_desk(&ann, desk.path(), "open").await;
    assert!(
        said.contains("http://127.0.0.1:") && !said.contains("No browser"),
        "{said}"
    );
}

/// One damaged file: the one before it is used, and `status` says so. Both: nothing starts, and nothing is replaced.
#[tokio::test]
async fn state_damaged() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    let person = ann.json(&["status"]).await["person"]["id"].clone();
    ann.stop().await;
    damage(&ann.path().join("state.sealed"));
    ann.start().await;
    let said = ann.twocan(&["status"]).await.exited(0).stdout;
    let kept = ann.path().join("state.sealed.damaged-1");
    for part in [
        "warning: The stored state was damaged or missing; the one before it is in use. A contact or setting changed last may be gone.",
        &format!(
            "Check that your contacts are all there, and check the disk. The damaged file is kept as {}.",
            kept.display()
        ),
    ] {
        assert!(said.contains(part), "not said: {part}\n{said}");
    }
    assert_eq!(ann.json(&["status"]).await["person"]["id"], person);

    ann.stop().await;
    let files = ["state.sealed", "state.sealed.1"].map(|name| ann.path().join(name));
    files.iter().for_each(|file| damage(file));
    let before = files.each_ref().map(|file| fs::read(file).unwrap());
    refused(
        up(&ann, FREE, FREE, FREE).await,
        &[
            &format!(
                "Neither {} nor the generation before it can be opened",
                files[0].display()
            ),
            "put them back from a copy.",
        ],
    );
    assert_eq!(before, files.each_ref().map(|file| fs::read(file).unwrap()));
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}
