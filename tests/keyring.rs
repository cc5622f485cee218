//! Where the key is kept, with a real keyring on a private bus: found, locked, late, absent, not set up, emptied; and moved from
//! store to store, whatever interrupts it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "keyring/moves.rs"]
mod moves;
#[path = "keyring/passphrase.rs"]
mod passphrase;
#[path = "keyring/tray.rs"]
mod tray;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use twocan_tests::binary::twocan;
use twocan_tests::desktop::{Desktop, SOON};
use twocan_tests::home::Home;
use twocan_tests::keyring::Keyring;
use twocan_tests::running::{COMMAND, Output, UP, command, command_of, pid};
use twocan_tests::upgrade::{place, program, taken_up};
use twocan_tests::wait::{at_most, until};

/// A home whose daemons are on this desktop and choose the store by themselves.
fn home_on(desktop: &Desktop, name: &str) -> Home {
    let mut home = Home::empty(name);
    home.set("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    home.set("TWOCAN_SECRETS_STORE", "auto");
    home
}

/// A command as a person on this desktop would type it.
fn typed(desktop: &Desktop, home: &Path, args: &[&str]) -> Command {
    let mut command = command(home);
    command
        .args(args)
        .env("DBUS_SESSION_BUS_ADDRESS", desktop.address())
        .env("TWOCAN_SECRETS_STORE", "auto");
    command
}

/// Runs a command to its end, with these lines on its standard input.
async fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Whoever has no question does not read.
    drop(stdin.write_all(input.as_bytes()).await);
    drop(stdin);
    let done = at_most("a command's end", COMMAND, child.wait_with_output())
        .await
        .unwrap();
    Output {
        code: done.status.code().unwrap_or(-1),
        stdout: String::from_utf8(done.stdout).unwrap(),
        stderr: String::from_utf8(done.stderr).unwrap(),
    }
}

async fn person(home: &Home) -> Value {
    home.json(&["status"]).await["person"]["id"].clone()
}

async fn store(home: &Home) -> String {
    let status = home.json(&["status"]).await;
    assert_eq!(home.json(&["key"]).await, status["key"]);
    status["key"]["store"].as_str().unwrap().to_owned()
}

async fn warns(home: &Home, code: &str) -> bool {
    let status = home.json(&["status"]).await;
    let warnings = status["warnings"].as_array().unwrap();
    warnings.iter().any(|warning| warning["code"] == code)
}

/// `twocan status` says this on standard error, prints no body, and ends with 3.
async fn waits(home: &Path, text: &str) {
    until(text, SOON, async || {
        let status = run(command(home).args(["--json", "status"]), "").await;
        assert_eq!((status.code, status.stdout.as_str()), (3, ""), "{status:?}");
        status.stderr.contains(text).then_some(())
    })
    .await;
}

/// A person whose key is in an open keyring.
async fn kept(desktop: &Desktop) -> (Home, Keyring, Value) {
    let keyring = Keyring::open(desktop).await;
    let mut home = home_on(desktop, "Ann");
    home.begin_life().await;
    assert_eq!(store(&home).await, "keyring");
    let person = person(&home).await;
    home.stop().await;
    (home, keyring, person)
}

#[tokio::test]
async fn an_open_keyring_is_found_and_used() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    assert_eq!(keyring.keys().await, 1);
    let said = std::fs::read_to_string(home.path().join("state.key")).unwrap();
    assert!(said.starts_with("twocan-key 1 keyring "), "{said}");
    home.start().await;
    assert_eq!(person(&home).await, before);
    assert!(!warns(&home, "key_in_file").await);
    let text = home.twocan(&["status"]).await.exited(0).stdout;
    assert!(text.contains("is in your keyring"), "{text}");
    let text = home.twocan(&["privacy"]).await.exited(0).stdout;
    assert!(text.contains("the key is in your keyring"), "{text}");
    // The page of the same daemon is given the same.
    let key = home.api().get("/v1/key").await;
    assert_eq!(key["store"], "keyring");
    home.stop().await;
    let text = home.twocan(&["key"]).await.exited(0).stdout;
    assert!(text.contains("is in your keyring"), "{text}");
}

#[tokio::test]
async fn a_locked_keyring_is_waited_for() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    keyring.lock().await;
    let path = home.path();
    let unlocked = async {
        waits(&path, "Twocan waits for your keyring to be unlocked.").await;
        // The home is held meanwhile, and the key cannot be moved.
        let moved = run(&mut typed(&desktop, &path, &["key", "move", "file"]), "").await;
        assert_eq!(moved.code, 3, "{moved:?}");
        let shown = run(&mut typed(&desktop, &path, &["key"]), "").await.exited(0);
        assert!(shown.stdout.contains("is in your keyring"), "{shown:?}");
        keyring.unlock().await;
    };
    tokio::join!(home.start(), unlocked);
    assert_eq!(person(&home).await, before);
    assert!(!path.join("run/waiting").exists());
    assert!(home.log().contains("Unlock it"), "{}", home.log());
}

/// Whoever leaves locks the keyring, and an upgrade comes then as well: it makes nobody unreachable.
#[tokio::test]
async fn an_upgrade_goes_on_while_the_keyring_is_locked() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    let path = desktop.folder().join("twocan");
    place(twocan(), &path);
    home.run(path.clone());
    home.start().await;
    keyring.lock().await;
    let process = home.pid();
    place(twocan(), &path);
    assert_ne!(program(process), path);
    taken_up(process, &path).await;
    until("its API", SOON, async || {
        let status = home.twocan(&["status"]).await;
        (status.code == 0).then_some(())
    })
    .await;
    assert_eq!(person(&home).await, before);
    assert_eq!(store(&home).await, "keyring");
    home.stop().await;
}

/// The daemon of a login is often there before its keyring.
#[tokio::test]
async fn a_late_keyring_is_waited_for() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    keyring.end(&desktop).await;
    let path = home.path();
    let late = async {
        waits(&path, "Twocan waits for your keyring, which is not running.").await;
        // It comes locked, and is opened later still.
        let keyring = Keyring::locked(&desktop).await;
        waits(&path, "Twocan waits for your keyring to be unlocked.").await;
        keyring.unlock().await;
        keyring
    };
    let ((), keyring) = tokio::join!(home.start(), late);
    assert_eq!(person(&home).await, before);
    assert_eq!(keyring.keys().await, 1);
}

#[tokio::test]
async fn without_a_keyring_a_new_home_takes_the_file_and_an_old_one_waits() {
    let desktop = Desktop::bare(false).await;
    let mut new = home_on(&desktop, "Bob");
    new.begin_life().await;
    assert_eq!(store(&new).await, "file");
    assert!(warns(&new, "key_in_file").await);
    let (home, keyring, _) = kept(&desktop).await;
    keyring.end(&desktop).await;
    let before = std::fs::read(home.path().join("state.sealed")).unwrap();
    // On the bus without a keyring, and with no bus at all.
    for bus in [desktop.address(), "unix:path=/nonexistent/bus"] {
        let mut up = typed(&desktop, &home.path(), &UP);
        let mut child = up.env("DBUS_SESSION_BUS_ADDRESS", bus).spawn().unwrap();
        waits(&home.path(), "Twocan waits for your keyring, which is not running.").await;
        kill(pid(&child), Signal::SIGTERM).unwrap();
        let status = at_most("the daemon's end", SOON, child.wait()).await.unwrap();
        assert!(status.success(), "{status}");
        assert!(!home.path().join("run/waiting").exists());
    }
    assert_eq!(std::fs::read(home.path().join("state.sealed")).unwrap(), before);
}

/// A daemon that died while it waited leaves its word behind, and nobody believes it.
#[tokio::test]
async fn the_word_of_a_dead_daemon_is_not_believed() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    keyring.lock().await;
    let mut child = typed(&desktop, &home.path(), &UP).spawn().unwrap();
    waits(&home.path(), "Twocan waits for your keyring").await;
    child.kill().await.unwrap();
    assert!(home.path().join("run/waiting").exists());
    let status = home.twocan(&["status"]).await.exited(3);
    assert!(status.stderr.contains("is not running"), "{status:?}");
    keyring.unlock().await;
    home.start().await;
    assert_eq!(person(&home).await, before);
}

#[tokio::test]
async fn a_keyring_that_was_not_set_up_is_waited_for_and_not_chosen() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    keyring.end(&desktop).await;
    let unset = Keyring::unset(&desktop).await;
    let mut new = home_on(&desktop, "Bob");
    new.begin_life().await;
    assert_eq!(store(&new).await, "file");
    let refused = run(
        &mut typed(&desktop, &new.path(), &["--json", "key", "move", "keyring"]),
        "",
    )
    .await;
    let problem = refused.exited(1).json();
    assert_eq!(
        (problem["code"].as_str(), problem["state"].as_str()),
        (Some("keyring_unusable"), Some("unset"))
    );
    let path = home.path();
    let set_up = async {
        waits(&path, "which has not been set up in this session").await;
        unset.end(&desktop).await;
        Keyring::open(&desktop).await
    };
    let ((), keyring) = tokio::join!(home.start(), set_up);
    assert_eq!(person(&home).await, before);
    assert_eq!(keyring.keys().await, 1);
}

/// The keyring is open, and the key is gone: that is said, and nothing is made in its place.
#[tokio::test]
async fn an_emptied_keyring_makes_no_new_identity() {
    let desktop = Desktop::bare(false).await;
    let (home, keyring, _) = kept(&desktop).await;
    keyring.empty().await;
    let folder = || {
        let entries = std::fs::read_dir(home.path()).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.is_file());
        files.sort();
        files
            .into_iter()
            .map(|path| (std::fs::read(&path).unwrap(), path))
            .collect::<Vec<_>>()
    };
    let before = folder();
    for store in ["auto", "keyring", "file", "passphrase"] {
        let mut up = typed(&desktop, &home.path(), &UP);
        let up = run(up.env("TWOCAN_SECRETS_STORE", store), "").await.exited(1);
        assert!(up.stderr.contains("is no longer in it"), "{up:?}");
        assert!(!up.stdout.contains("ready"), "{up:?}");
        assert_eq!(keyring.keys().await, 0, "{store}");
        assert_eq!(folder(), before, "{store}");
    }
}

/// No bus, no keyring: whoever starts without a desktop does not wait for one.
#[tokio::test]
async fn without_a_bus_a_first_start_is_quick() {
    let desktop = Desktop::bare(false).await;
    let mut home = home_on(&desktop, "Ann");
    home.set("DBUS_SESSION_BUS_ADDRESS", "");
    home.set("XDG_RUNTIME_DIR", "/nonexistent");
    at_most("a first start", Duration::from_secs(10), home.begin_life()).await;
    assert_eq!(store(&home).await, "file");
}
