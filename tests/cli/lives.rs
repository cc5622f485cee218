//! Daemons come and go; identity and contacts stay.

use std::time::Duration;

use serde_json::Value;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::running::{FREE, UP, up_on};

/// How long a restarted daemon's contacts may take to be green again, start and back-off included.
const AGAIN: Duration = Duration::from_secs(10);

async fn identity(home: &Home) -> (Value, Value) {
    let status = home.json(&["status"]).await;
    (status["person"].clone(), status["device"].clone())
}

/// Restarts one of two contacts; both are green again, nobody has changed.
async fn survives(restarted: &mut Home, other: &Home) {
    let before = identity(restarted).await;
    let contact = restarted.green(other.name(), AGAIN).await;
    restarted.restart().await;
    assert_eq!(identity(restarted).await, before);
    let again = restarted.green(other.name(), AGAIN).await;
    assert_eq!((&again["id"], &again["devices"]), (&contact["id"], &contact["devices"]));
    other.green(restarted.name(), AGAIN).await;
    let calls = restarted
        .begin(&["--json", "call", other.name(), "--detach"])
        .end(AGAIN)
        .await
        .exited(0)
        .json();
    other
        .call("a ring after the restart", AGAIN, |call| call["id"] == calls["id"])
        .await;
    restarted.json(&["hangup"]).await;
}

#[tokio::test]
async fn the_inviter_restarts() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    survives(&mut ann, &bob).await;
}

#[tokio::test]
async fn the_invitee_restarts() {
    let (ann, mut bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    survives(&mut bob, &ann).await;
}

/// A crash loses nothing that was acknowledged.
#[tokio::test]
async fn a_crash_loses_no_contact() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    let before = identity(&ann).await;
    ann.crash().await;
    ann.start().await;
    assert_eq!(identity(&ann).await, before);
    ann.green("Bob", AGAIN).await;
    bob.green("Ann", AGAIN).await;
}

/// A daemon that goes says so: the other side's dot does not stay green for half a minute.
#[tokio::test]
async fn going_is_said() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    ann.stop().await;
    let soon = Duration::from_secs(3);
    bob.contact("Ann", soon, |contact| {
        contact["reachable"] == "no" && contact["why"]["fix"].is_string()
    })
    .await;
}

#[tokio::test]
async fn one_daemon_a_home() {
    let ann = Home::up("Ann").await;
    let second = ann.twocan(&UP).await;
    let second = second.exited(1);
    assert!(
        second.stderr.contains(&format!("already running, pid {}", ann.pid())),
        "{second:?}"
    );
    assert_eq!(second.stdout, "");
    ann.json(&["status"]).await;
}

/// An explicit port that is taken is an error, not a silent change.
#[tokio::test]
async fn a_taken_port_is_said() {
    let ann = Home::up("Ann").await;
    let bob = Home::empty("Bob");
    let taken = ann.ready().udp.to_string();
    bob.twocan(&up_on(&taken, FREE, FREE)).await.exited(1);
    let page = ann.ready().page.strip_prefix("http://").unwrap().to_owned();
    bob.twocan(&up_on(FREE, FREE, &page)).await.exited(1);
}
