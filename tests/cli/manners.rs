//! A phone with manners: block, do not disturb, ring limits, a second call, muted.

use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::{Home, acquaint};

const SOON: Duration = Duration::from_secs(5);
/// How long a contact that comes back may take to be green, back-off included.
const AGAIN: Duration = Duration::from_secs(15);

async fn pair() -> (Home, Home) {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    (ann, bob)
}

fn is_at(call: &Value, state: &'static str) -> impl Fn(&Value) -> bool {
    let id = call["id"].clone();
    move |seen: &Value| seen["id"] == id && seen["state"] == state
}

async fn talk(from: &Home, to: &Home) -> Value {
    let call = from.json(&["call", to.name(), "--detach"]).await;
    to.call("the ring", SOON, is_at(&call, "ringing")).await;
    to.json(&["answer"]).await;
    from.call("active", SOON, is_at(&call, "active")).await
}

#[tokio::test]
async fn blocked_and_unblocked() {
    let (mut ann, bob) = pair().await;
    let blocked = ann.json(&["block", "Bob"]).await;
    assert_eq!(
        (&blocked["blocked"], &blocked["why"]["code"]),
        (&json!(true), &json!("blocked"))
    );
    let there = bob.contact("Ann", AGAIN, |contact| contact["reachable"] == "no").await;
    assert_eq!(there["why"]["code"], "no_answer", "{there}");
    let refused = ann.twocan(&["--json", "call", "Bob", "--detach"]).await;
    assert_eq!(
        (refused.code, &refused.json()["code"]),
        (1, &json!("blocked")),
        "{refused:?}"
    );
    ann.restart().await;
    let here = ann.contact("Bob", SOON, |_| true).await;
    assert_eq!(here["blocked"], true, "{here}");
    ann.json(&["unblock", "Bob"]).await;
    ann.green("Bob", AGAIN).await;
    bob.green("Ann", AGAIN).await;
}

#[tokio::test]
async fn blocking_ends_the_call() {
    let (ann, bob) = pair().await;
    let call = talk(&bob, &ann).await;
    ann.json(&["block", "Bob"]).await;
    for home in [&ann, &bob] {
        let ended = home.call("the end", SOON, is_at(&call, "ended")).await;
        assert_eq!(ended["reason"]["code"], "hung_up", "{ended}");
    }
}

#[tokio::test]
async fn do_not_disturb() {
    let (ann, bob) = pair().await;
    let me = ann.json(&["dnd", "on"]).await;
    assert_eq!(me["presence"], "do_not_disturb", "{me}");
    assert_eq!(ann.json(&["status"]).await["presence"], "do_not_disturb");
    let status = ann.twocan(&["status"]).await.exited(0);
    assert!(status.stdout.contains("do not disturb is on"), "{status:?}");
    let there = bob.contact("Ann", SOON, |contact| contact["reachable"] == "no").await;
    assert_eq!(there["why"]["code"], "will_not_ring", "{there}");
    // The refusal may be there before the command prints the call; the exit code then says so.
    let call = bob.twocan(&["--json", "call", "Ann", "--detach"]).await;
    assert!([0, 4].contains(&call.code), "{call:?}");
    let call = call.json();
    let ended = bob.call("the refusal", SOON, is_at(&call, "ended")).await;
    assert_eq!(
        ended["reason"],
        json!({ "code": "unreachable", "why": "will_not_ring" })
    );
    let missed = ann.call("the missed call", SOON, is_at(&call, "ended")).await;
    assert_eq!(missed["missed"], true, "{missed}");
    let path = format!("/v1/calls/{}", call["id"].as_str().unwrap());
    assert_eq!(ann.api().delete(&path).await.status, 204);
    let seen = ann.call("a call that was seen", SOON, is_at(&call, "ended")).await;
    assert_eq!(seen["missed"], false, "{seen}");
    ann.json(&["dnd", "off"]).await;
    bob.green("Ann", SOON).await;
}

#[tokio::test]
async fn who_rings_too_often_does_not_ring() {
    let (ann, bob) = pair().await;
    for _ in 0..3 {
        let call = bob.json(&["call", "Ann", "--detach"]).await;
        ann.call("the ring", SOON, is_at(&call, "ringing")).await;
        ann.json(&["decline"]).await;
        bob.call("the end", SOON, is_at(&call, "ended")).await;
    }
    let quiet = ann.contact("Bob", SOON, |contact| contact["quiet"] == true).await;
    assert_eq!(quiet["reachable"], "yes", "{quiet}");
    let there = bob.contact("Ann", SOON, |contact| contact["reachable"] == "no").await;
    assert_eq!(there["why"]["code"], "will_not_ring", "{there}");
    let call = bob.json(&["call", "Ann", "--detach"]).await;
    let missed = ann.call("the missed call", SOON, is_at(&call, "ended")).await;
    assert_eq!(missed["missed"], true, "{missed}");
    // Talking to each other forgives.
    let back = talk(&ann, &bob).await;
    ann.json(&["hangup"]).await;
    bob.call("the end", SOON, is_at(&back, "ended")).await;
    bob.green("Ann", SOON).await;
}

#[tokio::test]
async fn a_second_call_waits_where_it_may() {
    let (ann, bob, zoe) = tokio::join!(Home::up("Ann"), Home::up("Bob"), Home::up("Zoe"));
    acquaint(&ann, &bob).await;
    acquaint(&ann, &zoe).await;
    let set = ann.api().patch("/v1/me", json!({ "second_call": "wait" })).await;
    assert_eq!(set.body["second_call"], "wait", "{set:?}");
    let first = talk(&bob, &ann).await;
    let second = zoe.json(&["call", "Ann", "--detach"]).await;
    zoe.call("ringing", SOON, is_at(&second, "ringing")).await;
    ann.call("the second ring", SOON, is_at(&second, "ringing")).await;
    ann.json(&["answer", second["id"].as_str().unwrap()]).await;
    let ended = bob.call("the first call's end", SOON, is_at(&first, "ended")).await;
    assert_eq!(ended["reason"]["code"], "hung_up", "{ended}");
    zoe.call("active", SOON, is_at(&second, "active")).await;
}

#[tokio::test]
async fn muted_shows_on_the_far_side() {
    let (ann, bob) = pair().await;
    let call = talk(&ann, &bob).await;
    assert_eq!(call["peer_media"], json!({ "audio": true, "video": true }), "{call}");
    let path = format!("/v1/calls/{}", call["id"].as_str().unwrap());
    let muted = ann.api().patch(&path, json!({ "media": { "audio": false } })).await;
    assert_eq!(muted.body["own_media"], json!({ "audio": false, "video": true }));
    let silent = |seen: &Value| seen["peer_media"] == json!({ "audio": false, "video": true });
    bob.call("muted there", SOON, silent).await;
}
