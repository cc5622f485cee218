//! Calls between homes, every way in which one ends.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::running::Running;

/// How long a message between two daemons on one busy machine may take.
const SOON: Duration = Duration::from_secs(3);
/// How long a command may take to notice that its call is over.
const END: Duration = Duration::from_secs(5);
/// How long a ring outlives a caller who vanished, lease and slack.
const LEASE: Duration = Duration::from_secs(9);

/// Two homes that know each other and are green.
async fn pair() -> (Home, Home) {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    (ann, bob)
}

/// `from` calls `to` and both see it ring: the command that waits, and the call.
async fn ring(from: &Home, to: &Home) -> (Running, Value) {
    let command = from.begin(&["--json", "call", to.name()]);
    let there = to
        .call("an incoming ring", SOON, |call| {
            call["direction"] == "in" && call["state"] == "ringing"
        })
        .await;
    let id = there["id"].clone();
    let here = from
        .call("ringing there", SOON, |call| {
            call["id"] == id && call["state"] == "ringing"
        })
        .await;
    assert_eq!(here["direction"], "out", "{here}");
    assert_eq!(here["peer"]["name"], to.name(), "{here}");
    assert_eq!(there["peer"]["name"], from.name(), "{there}");
    assert_eq!(here["media"], json!({ "audio": true, "video": true }), "{here}");
    assert_eq!((&here["reason"], &there["reason"]), (&Value::Null, &Value::Null));
    (command, here)
}

/// Both sides list the call as ended; gives both reasons, `one`'s first.
async fn ended(one: &Home, other: &Home, call: &Value) -> (String, String) {
    let over = |seen: &Value| seen["id"] == call["id"] && seen["state"] == "ended";
    let one = one.call("the call's end", END, over).await;
    let other = other.call("the call's end", END, over).await;
    let code = |call: Value| {
        call["reason"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no reason: {call}"))
            .to_owned()
    };
    (code(one), code(other))
}

/// `from`'s call of `to`, answered.
async fn talk(from: &Home, to: &Home) -> (Running, Value) {
    let (command, call) = ring(from, to).await;
    let answered = to.json(&["answer"]).await;
    assert_eq!(answered["id"], call["id"], "{answered}");
    assert_eq!(answered["state"], "active", "{answered}");
    from.call("active", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "active"
    })
    .await;
    (command, call)
}

#[tokio::test]
async fn call_answer_and_the_caller_hangs_up() {
    let (ann, bob) = pair().await;
    let (command, call) = talk(&ann, &bob).await;
    ann.json(&["hangup"]).await;
    assert_eq!(ended(&ann, &bob, &call).await, ("hung_up".into(), "hung_up".into()));
    let body = command.end(END).await.exited(0).json();
    assert_eq!(body["id"], call["id"], "{body}");
    assert_eq!(body["state"], "ended", "{body}");
    assert_eq!(body["reason"]["code"], "hung_up", "{body}");
}

#[tokio::test]
async fn call_answer_and_the_callee_hangs_up() {
    let (ann, bob) = pair().await;
    let (command, call) = talk(&ann, &bob).await;
    let id = call["id"].as_str().unwrap();
    bob.json(&["hangup", id]).await;
    assert_eq!(ended(&ann, &bob, &call).await, ("hung_up".into(), "hung_up".into()));
    assert_eq!(command.end(END).await.exited(0).json()["reason"]["code"], "hung_up");
    bob.twocan(&["hangup"]).await.exited(1);
}

/// The call is a thing of the daemon: whoever is interrupted hangs up.
#[tokio::test]
async fn an_interrupted_caller_hangs_up() {
    let (ann, bob) = pair().await;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (command, call) = talk(&ann, &bob).await;
        command.signal(signal);
        assert_eq!(ended(&ann, &bob, &call).await, ("hung_up".into(), "hung_up".into()));
        assert_eq!(command.end(END).await.exited(0).json()["reason"]["code"], "hung_up");
    }
}

#[tokio::test]
async fn detached_call() {
    let (ann, bob) = pair().await;
    let call = ann.json(&["call", "Bob", "--detach"]).await;
    bob.call("the ring", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "ringing"
    })
    .await;
    bob.json(&["answer"]).await;
    ann.call("active", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "active"
    })
    .await;
    ann.json(&["hangup"]).await;
    ended(&ann, &bob, &call).await;
}

#[tokio::test]
async fn declined() {
    let (ann, bob) = pair().await;
    let (command, call) = ring(&ann, &bob).await;
    bob.json(&["decline"]).await;
    assert_eq!(ended(&ann, &bob, &call).await, ("declined".into(), "declined".into()));
    assert_eq!(command.end(END).await.exited(5).json()["reason"]["code"], "declined");
    let answered = bob.twocan(&["answer", call["id"].as_str().unwrap()]).await;
    assert_eq!(answered.code, 1, "an ended call was answered: {answered:?}");
}

#[tokio::test]
async fn cancelled_while_it_rings() {
    let (ann, bob) = pair().await;
    let (command, call) = ring(&ann, &bob).await;
    command.signal(Signal::SIGINT);
    let (here, there) = ended(&ann, &bob, &call).await;
    assert_eq!(here, "cancelled");
    assert!(["cancelled", "missed"].contains(&there.as_str()), "{there}");
    assert_eq!(command.end(END).await.exited(1).json()["reason"]["code"], "cancelled");
}

/// A ring is a lease: it ends soon after its caller vanished without a word.
#[tokio::test]
async fn a_ring_does_not_outlive_its_caller() {
    let (mut ann, bob) = pair().await;
    let (command, call) = ring(&ann, &bob).await;
    ann.crash().await;
    let over = |seen: &Value| seen["id"] == call["id"] && seen["state"] == "ended";
    let there = bob.call("the ring's end", LEASE, over).await;
    assert_eq!(there["reason"]["code"], "missed", "{there}");
    assert_ne!(command.end(END).await.code, 0);
}

/// Both call at once: one call, both connected, nobody sees a missed one.
#[tokio::test]
async fn glare() {
    let (ann, bob) = pair().await;
    let from_ann = ann.begin(&["--json", "call", "Bob"]);
    let from_bob = bob.begin(&["--json", "call", "Ann"]);
    let active = |call: &Value| call["state"] == "active";
    let (here, there) = tokio::join!(ann.call("active", SOON, active), bob.call("active", SOON, active));
    assert_eq!(here["id"], there["id"], "two calls");
    for home in [&ann, &bob] {
        let calls = home.api().list("/v1/calls").await;
        let live: Vec<_> = calls.iter().filter(|call| call["state"] != "ended").collect();
        assert_eq!(live.len(), 1, "{calls:?}");
        assert!(calls.iter().all(|call| call["reason"]["code"] != "missed"), "{calls:?}");
    }
    ann.json(&["hangup"]).await;
    ended(&ann, &bob, &here).await;
    for command in [from_ann, from_bob] {
        let body = command.end(END).await.exited(0).json();
        assert_eq!(body["reason"]["code"], "hung_up", "{body}");
    }
}

/// Whoever calls back while it rings has answered.
#[tokio::test]
async fn calling_back_answers() {
    let (ann, bob) = pair().await;
    let (command, call) = ring(&ann, &bob).await;
    let contact = bob.green("Ann", SOON).await;
    let answer = bob.api().post("/v1/calls", json!({ "to": contact["id"] })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["id"], call["id"], "{answer:?}");
    ann.call("active", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "active"
    })
    .await;
    ann.json(&["hangup"]).await;
    command.end(END).await.exited(0);
}

#[tokio::test]
async fn busy() {
    let (ann, bob) = pair().await;
    let cat = Home::up("Cat").await;
    acquaint(&bob, &cat).await;
    let (command, call) = talk(&ann, &bob).await;
    let refused = cat.twocan(&["--json", "call", "Bob"]).await.exited(5).json();
    assert_eq!(refused["reason"]["code"], "busy", "{refused}");
    let still = ann.call("still active", SOON, |seen| seen["id"] == call["id"]).await;
    assert_eq!(still["state"], "active", "{still}");
    ann.json(&["hangup"]).await;
    command.end(END).await.exited(0);
}

/// The path dies with the far daemon: the near side says so, and by which reason.
#[tokio::test]
async fn the_far_daemon_ends() {
    let (ann, mut bob) = pair().await;
    let (command, call) = talk(&ann, &bob).await;
    bob.stop().await;
    let over = |seen: &Value| seen["id"] == call["id"] && seen["state"] == "ended";
    let here = ann.call("the call's end", END, over).await;
    let code = here["reason"]["code"].as_str().unwrap();
    assert!(["hung_up", "lost", "failed"].contains(&code), "{here}");
    command.end(END).await.exited(0);
    ann.contact("Bob", END, |contact| {
        contact["reachable"] == "no" && contact["why"]["code"].is_string()
    })
    .await;
}

#[tokio::test]
async fn nobody_there() {
    let (ann, mut bob) = pair().await;
    bob.stop().await;
    ann.contact("Bob", END, |contact| contact["reachable"] != "yes").await;
    let call = ann.twocan(&["--json", "call", "Bob"]).await.exited(4).json();
    let code = call["reason"]["code"].as_str().or(call["code"].as_str());
    assert_eq!(code, Some("unreachable"), "{call}");
}
