//! A clock that is wrong by a day. Wrong is one daemon's alone, by a library that is loaded before its own (`clock.c`): no
//! namespace shifts the clock that users set, and `faketime` shifts timers on other clocks as well.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use twocan_tests::home::{GREEN, Home};
use twocan_tests::root;

/// Two people whose clocks differ find each other by the fourth knock.
const FOUND: Duration = Duration::from_secs(10);
const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * 3600;

/// A home whose daemon's clock is `off_s` seconds off, and the folder of what makes it so.
async fn home_off(name: &str, off_s: i64) -> (Home, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("clock.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(root().join("tests/faults/clock.c"))
        .status();
    assert!(built.expect("cc, of the package gcc").success());
    let mut home = Home::empty(name);
    home.set("LD_PRELOAD", library.to_str().unwrap());
    home.set("CLOCK_OFF_S", &off_s.to_string());
    home.begin_life().await;
    (home, folder)
}

/// Seconds from now until an invite expires, by our clock.
fn lives(invite: &Value) -> i64 {
    let at: jiff::Timestamp = invite["expires_at"].as_str().unwrap().parse().unwrap();
    at.as_second() - jiff::Timestamp::now().as_second()
}

async fn wrong_by(off_s: i64) {
    let (ann, (bob, _clock)) = tokio::join!(Home::up("Ann"), home_off("Bob", off_s));
    let invite = ann.json(&["invite"]).await;
    let own = bob.json(&["invite"]).await;
    assert!(
        (lives(&invite) - lives(&own)).abs() > DAY_S - HOUR_S,
        "the clock is right: {own}"
    );

    // What lives for two days is not spoilt by one.
    bob.json(&["add", invite["link"].as_str().unwrap()]).await;
    tokio::join!(ann.green("Bob", FOUND), bob.green("Ann", FOUND));
    for (home, other) in [(&ann, "Bob"), (&bob, "Ann")] {
        let said = home.twocan(&["status"]).await.exited(0).stdout;
        for part in [
            format!("warning: The clocks of this computer and of {other}'s are about a day apart."),
            format!("Set date and time right where they are wrong, here or at {other}'s;"),
        ] {
            assert!(said.contains(&part), "not said: {part}\n{said}");
        }
    }
    let call = ann.json(&["call", "Bob", "--detach"]).await;
    bob.call("a ring", GREEN * 5, |seen| {
        seen["id"] == call["id"] && seen["state"] == "ringing"
    })
    .await;
    bob.json(&["answer"]).await;
    ann.json(&["hangup"]).await;
}

/// A link that lives for an hour has run out where it is tomorrow; the refusal says what else it may be than age.
#[tokio::test]
async fn clock_a_day_fast() {
    wrong_by(DAY_S).await;
    let (ann, (bob, _clock)) = tokio::join!(Home::up("Ann"), home_off("Bob", DAY_S));
    let invite = ann
        .api()
        .post("/v1/invites", json!({ "expires_in_s": HOUR_S }))
        .await
        .body;
    let refused = bob
        .twocan(&["add", invite["link"].as_str().unwrap()])
        .await
        .exited(1)
        .stderr;
    for part in [
        "This invite has run out.",
        "If it was made just now, one of the two computers has a wrong clock: look at date and time on both.",
    ] {
        assert!(refused.contains(part), "not said: {part}\n{refused}");
    }
}

#[tokio::test]
async fn clock_a_day_slow() {
    wrong_by(-DAY_S).await;
}
