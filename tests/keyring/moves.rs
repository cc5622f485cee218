//! The key goes from store to store, and the contacts stay.

use serde_json::json;
use twocan_tests::home::acquaint;

use super::*;

async fn knows_bob(home: &Home) {
    let contacts = home.api().list("/v1/contacts").await;
    assert!(contacts.iter().any(|contact| contact["name"] == "Bob"), "{contacts:?}");
}

/// While the daemon runs, through the API: there and back, told as an event, kept over restarts.
#[tokio::test]
async fn a_running_daemon_moves_its_key_there_and_back() {
    let desktop = Desktop::bare(false).await;
    let mut ann = home_on(&desktop, "Ann");
    ann.begin_life().await;
    let mut bob = Home::up("Bob").await;
    acquaint(&ann, &bob).await;
    assert_eq!(store(&ann).await, "file");
    let keyring = Keyring::open(&desktop).await;
    let before = person(&ann).await;
    for (to, keys) in [("keyring", 1), ("file", 0), ("keyring", 1), ("keyring", 1)] {
        let key = ann.json(&["key", "move", to]).await;
        assert_eq!(key["store"], to);
        assert_eq!(store(&ann).await, to);
        assert_eq!(warns(&ann, "key_in_file").await, to == "file");
        assert_eq!(keyring.keys().await, keys);
        ann.restart().await;
        assert_eq!((store(&ann).await.as_str(), person(&ann).await), (to, before.clone()));
        knows_bob(&ann).await;
    }
    keyring.lock().await;
    let refused = ann.api().put("/v1/key", json!({ "store": "passphrase" })).await;
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("bad_passphrase")));
    // Away from a locked keyring: what lies there goes when it opens.
    ann.json(&["key", "move", "file"]).await;
    keyring.unlock().await;
    ann.restart().await;
    assert_eq!(keyring.keys().await, 0);
    // And the keyring is locked when it is wanted.
    keyring.lock().await;
    let refused = ann.twocan(&["--json", "key", "move", "keyring"]).await.exited(1);
    assert_eq!(refused.json()["state"], "locked");
    knows_bob(&ann).await;
    // Contacts are as reachable as before.
    bob.restart().await;
    ann.green("Bob", SOON).await;
}

/// Without a daemon, by the command itself; a running one is told from a stopped one by the home's lock.
#[tokio::test]
async fn a_stopped_home_is_moved_by_the_command() {
    let desktop = Desktop::bare(false).await;
    let nothing = home_on(&desktop, "Nobody");
    let refused = run(&mut typed(&desktop, &nothing.path(), &["key", "move", "file"]), "").await;
    assert!(refused.exited(1).stderr.contains("no identity here yet"));
    assert!(!nothing.path().exists());
    let lost = home_on(&desktop, "Lost");
    std::fs::create_dir_all(lost.path()).unwrap();
    std::fs::write(lost.path().join("state.sealed"), "something").unwrap();
    for args in [&["key"][..], &["key", "move", "file"]] {
        let refused = run(&mut typed(&desktop, &lost.path(), args), "").await.exited(1);
        assert!(refused.stderr.contains("without its key"), "{refused:?}");
    }
    let (mut home, keyring, before) = kept(&desktop).await;
    for (to, keys) in [
        ("file", 0),
        ("passphrase", 0),
        ("keyring", 1),
        ("passphrase", 0),
        ("file", 0),
    ] {
        // The passphrase that opens it, and the new one: whichever is asked for.
        let mut command = typed(&desktop, &home.path(), &["--json", "key", "move", to]);
        let moved = run(&mut command, "correct horse\ncorrect horse\n").await;
        assert_eq!(moved.exited(0).json()["store"], to);
        assert_eq!(keyring.keys().await, keys, "{to}");
        let plain = std::fs::read_to_string(home.path().join("state.key")).unwrap();
        assert_eq!(plain.starts_with("twocan-key"), to != "file");
    }
    home.start().await;
    assert_eq!(person(&home).await, before);
}

/// Killed at whatever moment: the next start opens the home, and leaves no key behind in the keyring.
#[tokio::test]
async fn a_move_that_is_killed_leaves_a_home_that_opens() {
    let desktop = Desktop::bare(false).await;
    let (mut home, keyring, before) = kept(&desktop).await;
    let mut cut_off = 0;
    for round in 0..16u64 {
        let to = if round % 2 == 0 { "file" } else { "keyring" };
        let mut child = typed(&desktop, &home.path(), &["key", "move", to]).spawn().unwrap();
        let patience = Duration::from_millis(4 * round);
        if tokio::time::timeout(patience, child.wait()).await.is_err() {
            cut_off += 1;
            child.kill().await.unwrap();
        }
        let shown = run(&mut typed(&desktop, &home.path(), &["--json", "key"]), "").await;
        let at = shown.exited(0).json()["store"].as_str().unwrap().to_owned();
        home.start().await;
        assert_eq!(person(&home).await, before, "round {round}");
        assert_eq!(store(&home).await, at);
        assert_eq!(keyring.keys().await, usize::from(at == "keyring"), "round {round}");
        home.stop().await;
    }
    assert!(cut_off > 0, "no move was cut off");
}
