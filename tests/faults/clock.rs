//! A clock that is wrong by a day. Wrong is the daemon's alone, by `faketime`, which leaves the clocks be that no user sets.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::{GREEN, Home};

/// Two people whose clocks differ find each other by the fourth knock.
const FOUND: Duration = Duration::from_secs(10);
const HOUR_S: u32 = 3600;

/// A home whose daemon lives `by` its clock, such as `+1d`.
async fn home_off(name: &str, by: &str) -> Home {
    let preload = Command::new("faketime")
        .args(["-f", by, "printenv", "LD_PRELOAD"])
        .output();
    let preload = preload.expect("faketime, of the package faketime").stdout;
    let mut home = Home::empty(name);
    for (variable, value) in [
        ("LD_PRELOAD", String::from_utf8(preload).unwrap().trim()),
        ("FAKETIME", by),
        ("DONT_FAKE_MONOTONIC", "1"),
    ] {
        home.set(variable, value);
    }
    home.begin_life().await;
    home
}

/// Seconds from now until an invite expires, by our clock.
fn lives(invite: &Value) -> i64 {
    let at: jiff::Timestamp = invite["expires_at"].as_str().unwrap().parse().unwrap();
    at.as_second() - jiff::Timestamp::now().as_second()
}

async fn wrong_by(by: &str) {
    let (ann, bob) = tokio::join!(Home::up("Ann"), home_off("Bob", by));
    let invite = ann.json(&["invite"]).await;
    let own = bob.json(&["invite"]).await;
    assert!(
        (lives(&invite) - lives(&own)).abs() > 80_000,
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
    wrong_by("+1d").await;
    let (ann, bob) = tokio::join!(Home::up("Ann"), home_off("Bob", "+1d"));
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
    wrong_by("-1d").await;
}
