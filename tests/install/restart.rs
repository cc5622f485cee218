//! Restarts, asked for and by an upgrade: contacts come back by themselves, and a call is not dropped in silence.

use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::binary;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::upgrade::{NOTICED, place, program, taken_up};
use twocan_tests::wait::until;

const SOON: Duration = Duration::from_secs(5);
/// Start and back-off included.
const AGAIN: Duration = Duration::from_secs(15);

/// Bob calls Ann, who answers; gives the call's id.
async fn talk(ann: &Home, bob: &Home) -> String {
    let call = bob.json(&["call", "Ann", "--detach"]).await;
    let id = call["id"].as_str().unwrap().to_owned();
    ann.call("a ring", SOON, |call| call["state"] == "ringing").await;
    ann.json(&["answer"]).await;
    bob.call("an active call", SOON, |call| call["state"] == "active").await;
    id
}

/// The daemon that restarts tells why the call ends, at once and on both sides; afterwards the dots are green again.
#[tokio::test]
async fn a_restart_is_announced_to_the_other_side() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    let id = talk(&ann, &bob).await;
    let mut events = ann.api().events().await;
    ann.stop().await;
    let own = events
        .until("the end of the call", SOON, |event| {
            event.name == "call" && event.data["state"] == "ended"
        })
        .await;
    assert_eq!(own.data["reason"], json!({ "code": "failed", "why": "shutting_down" }));
    let ended = bob
        .call("its end", Duration::from_secs(2), |call| {
            call["id"] == id.as_str() && call["state"] == "ended"
        })
        .await;
    assert_eq!(ended["reason"], json!({ "code": "failed", "why": "peer_stopped" }));
    let said = bob.twocan(&["calls"]).await.exited(0).stdout;
    assert!(said.contains("Ann"), "{said}");
    ann.start().await;
    bob.green("Ann", AGAIN).await;
    ann.green("Bob", AGAIN).await;
}

fn waits(status: &Value) -> bool {
    let warnings = status["warnings"].as_array().unwrap();
    warnings.iter().any(|warning| warning["code"] == "update_waits")
}

/// An upgrade waits for the call, says so, and takes over in the same process once the call is over.
#[tokio::test]
async fn an_upgrade_waits_for_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twocan");
    place(binary::twocan(), &path);
    let (mut ann, bob) = (Home::empty("Ann"), Home::up("Bob").await);
    ann.run(path.clone());
    ann.begin_life().await;
    acquaint(&ann, &bob).await;
    let before = ann.json(&["status"]).await;
    let contact = ann.green("Bob", SOON).await;
    let call = talk(&ann, &bob).await;

    let mut events = ann.api().events().await;
    place(binary::twocan(), &path);
    let pid = ann.pid();
    assert!(program(pid).to_string_lossy().ends_with("(deleted)"));
    events
        .until("word of the upgrade", NOTICED, |event| {
            event.name == "warning" && event.data["code"] == "update_waits"
        })
        .await;
    assert!(waits(&ann.json(&["status"]).await));
    bob.call("the call", SOON, |there| {
        there["id"] == call.as_str() && there["state"] == "active"
    })
    .await;

    bob.json(&["hangup"]).await;
    taken_up(pid, &path).await;
    until("its API", AGAIN, async || {
        let status = ann.twocan(&["--json", "status"]).await;
        (status.code == 0).then_some(())
    })
    .await;
    let after = ann.json(&["status"]).await;
    assert_eq!((&after["person"], &after["pid"]), (&before["person"], &json!(pid)));
    assert!(!waits(&after), "{after}");
    let again = ann.green("Bob", AGAIN).await;
    assert_eq!(again["id"], contact["id"]);
    bob.green("Ann", AGAIN).await;

    // Whoever removes the program does not end the daemon.
    std::fs::remove_file(&path).unwrap();
    ann.json(&["status"]).await;
    ann.stop().await;
}
