//! Calls through a door, between two daemons that know nothing of each other.

use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::{GREEN, Home};
use twocan_tests::running::Running;
use twocan_tests::wait::until;

const SOON: Duration = Duration::from_secs(5);
/// How long a call to an address that does not answer takes to be given up.
const UNANSWERED: Duration = Duration::from_secs(15);

async fn strangers() -> (Home, Home) {
    tokio::join!(Home::up("Ann"), Home::up("Bob"))
}

fn address(home: &Home) -> String {
    home.ready().udp.to_string()
}

fn is_at(call: &Value, state: &'static str) -> impl Fn(&Value) -> bool {
    let id = call["id"].clone();
    move |seen: &Value| seen["id"] == id && seen["state"] == state
}

/// Ann calls Bob's address, and it rings there.
async fn ring(ann: &Home, bob: &Home) -> Value {
    let call = ann.json(&["call", &address(bob), "--detach"]).await;
    assert_eq!(call["contact"], Value::Null, "{call}");
    bob.call("the ring", SOON, is_at(&call, "ringing")).await;
    ann.call("the ringback", SOON, is_at(&call, "ringing")).await
}

/// The same, answered, and both have the same words.
async fn talk(ann: &Home, bob: &Home) -> Value {
    let call = ring(ann, bob).await;
    bob.json(&["answer"]).await;
    let has_words = |seen: &Value| seen["id"] == call["id"] && seen["stranger"]["safety"]["state"] == "compare";
    let here = ann.call("words", SOON, has_words).await;
    let there = bob.call("words", SOON, has_words).await;
    assert_eq!(here["stranger"]["safety"], there["stranger"]["safety"]);
    assert_eq!(
        here["stranger"]["safety"]["words"].as_array().unwrap().len(),
        4,
        "{here}"
    );
    here
}

async fn ended(home: &Home, call: &Value) -> Value {
    let ended = home.call("the end", UNANSWERED, is_at(call, "ended")).await;
    ended["reason"].clone()
}

async fn contacts(home: &Home) -> usize {
    home.json(&["contacts"]).await["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_stranger_rings_is_answered_and_media_flows() {
    let (ann, bob) = strangers().await;
    let open = bob.json(&["door", "open"]).await;
    assert_eq!(
        (&open["open"], &open["closes_in_s"]),
        (&json!(true), &json!(600)),
        "{open}"
    );
    assert_eq!(open["addresses"], json!([address(&bob)]), "{open}");
    // Bound to loopback: that is the one thing which is certain.
    assert_eq!(
        (&open["reachable"], &open["why"]["code"]),
        (&json!("no"), &json!("loopback_only"))
    );

    let calling: Running = ann.begin(&["--json", "call", &address(&bob), "--headless", "--seconds", "3"]);
    let rings = |seen: &Value| seen["direction"] == "in" && seen["state"] == "ringing";
    let call = bob.call("the ring", SOON, rings).await;
    assert_eq!(call["peer"]["name"], "", "{call}");
    assert_eq!(call["stranger"]["safety"]["words"], Value::Null, "{call}");
    let caller: std::net::SocketAddr = call["peer"]["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(caller, ann.ready().udp);
    let listed = bob.twocan(&["calls"]).await.exited(0);
    assert!(listed.stdout.contains("an unknown caller from 127.0.0.1"), "{listed:?}");
    assert!(!listed.stdout.contains("Ann"), "{listed:?}");

    let answering = bob.begin(&["--json", "answer", "--headless", "--seconds", "3"]);
    let has_words = |seen: &Value| seen["stranger"]["safety"]["state"] == "compare";
    let (here, there) = tokio::join!(ann.call("words", SOON, has_words), bob.call("words", SOON, has_words));
    assert_eq!(here["stranger"]["safety"], there["stranger"]["safety"]);
    let (here, there) = tokio::join!(calling.end(UNANSWERED), answering.end(UNANSWERED));
    for side in [here.exited(0).json(), there.exited(0).json()] {
        assert_eq!(
            (&side["state"], &side["reason"]["code"]),
            (&json!("ended"), &json!("hung_up")),
            "{side}"
        );
        assert!(side["audio_packets"].as_u64().unwrap() > 50, "{side}");
        assert!(side["video_frames"].as_u64().unwrap() > 20, "{side}");
    }
    assert_eq!((contacts(&ann).await, contacts(&bob).await), (0, 0));
}

#[tokio::test]
async fn a_closed_door_gives_no_answer_and_an_open_one_closes_by_itself() {
    let (ann, bob) = strangers().await;
    let shown = bob.twocan(&["door"]).await.exited(0);
    assert!(shown.stdout.contains("closed"), "{shown:?}");
    let told = ann.twocan(&["call", &address(&bob)]).await.exited(4);
    assert!(told.stdout.contains("invite link"), "{told:?}");
    let ended = ann.call("the end", SOON, |seen| seen["state"] == "ended").await;
    assert_eq!(
        ended["reason"],
        json!({ "code": "unreachable", "why": "no_answer" }),
        "{ended}"
    );
    assert!(bob.json(&["calls"]).await["items"].as_array().unwrap().is_empty());
    bob.json(&["door", "open", "--seconds", "1"]).await;
    let closed = async || (bob.json(&["door"]).await["open"] == false).then_some(());
    until("the door closing", SOON, closed).await;
}

#[tokio::test]
async fn declined_and_given_up() {
    let (ann, bob) = strangers().await;
    bob.json(&["door", "open"]).await;
    let call = ring(&ann, &bob).await;
    bob.json(&["decline"]).await;
    assert_eq!(ended(&ann, &call).await["code"], "declined");
    assert_eq!(ended(&bob, &call).await["code"], "declined");

    let (zoe, bob) = strangers().await;
    bob.json(&["door", "open"]).await;
    let call = ring(&zoe, &bob).await;
    zoe.json(&["hangup"]).await;
    let missed = bob.call("the missed call", SOON, |seen| seen["missed"] == true).await;
    assert_eq!(
        (&missed["id"], &missed["contact"]),
        (&call["id"], &Value::Null),
        "{missed}"
    );
}

#[tokio::test]
async fn one_at_a_time_and_one_a_minute() {
    let (ann, bob) = strangers().await;
    let zoe = Home::up("Zoe").await;
    bob.json(&["door", "open"]).await;
    let call = ring(&ann, &bob).await;
    let second = zoe.api().post("/v1/calls", json!({ "to": address(&bob) })).await.body;
    assert_eq!(ended(&zoe, &second).await["code"], "busy");
    ann.json(&["hangup"]).await;
    ended(&bob, &call).await;
    // Opening it again changes nothing: both come from one network.
    bob.json(&["door", "open"]).await;
    let told = zoe.twocan(&["call", &address(&bob)]).await.exited(5);
    assert!(told.stdout.contains("in a minute"), "{told:?}");
    assert_eq!(bob.json(&["calls"]).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn both_keep_each_other_and_are_contacts_for_good() {
    let (mut ann, bob) = strangers().await;
    bob.json(&["door", "open"]).await;
    let call = talk(&ann, &bob).await;
    let told = ann.twocan(&["verify", "127.0.0.1", "--yes"]).await.exited(0);
    assert!(told.stdout.contains("twocan keep"), "{told:?}");
    ann.json(&["keep"]).await;
    let wanted = bob
        .call("the wish", SOON, |seen| seen["stranger"]["peer_keeps"] == true)
        .await;
    assert_eq!(
        (&wanted["contact"], &wanted["peer"]["name"]),
        (&Value::Null, &json!("")),
        "{wanted}"
    );
    let kept = bob.json(&["keep"]).await;
    assert_eq!(
        (&kept["peer"]["name"], &kept["state"]),
        (&json!("Ann"), &json!("active")),
        "{kept}"
    );
    ann.green("Bob", GREEN).await;
    bob.green("Ann", GREEN).await;
    let known = ann.call("a contact", SOON, |seen| seen["peer"]["name"] == "Bob").await;
    assert_eq!(known["state"], "active", "the call went on: {known}");
    assert_eq!(ann.contact("Bob", SOON, |_| true).await["verified"], true);
    assert_eq!(bob.contact("Ann", SOON, |_| true).await["verified"], false);
    ann.json(&["hangup"]).await;
    assert_eq!(ended(&bob, &call).await["code"], "hung_up");

    bob.json(&["door", "close"]).await;
    ann.restart().await;
    ann.green("Bob", UNANSWERED).await;
    bob.green("Ann", UNANSWERED).await;
    let back = bob.json(&["call", "Ann", "--detach"]).await;
    ann.call("a call as a contact", SOON, is_at(&back, "ringing")).await;
}

#[tokio::test]
async fn after_the_call_one_keeps_and_nobody_is_a_contact() {
    let (ann, bob) = strangers().await;
    bob.json(&["door", "open"]).await;
    let call = talk(&ann, &bob).await;
    bob.json(&["hangup"]).await;
    ended(&ann, &call).await;
    let told = ann.twocan(&["keep"]).await.exited(0);
    assert!(told.stdout.contains("Told"), "{told:?}");
    bob.call("the wish", SOON, |seen| seen["stranger"]["peer_keeps"] == true)
        .await;
    let refused = bob.json(&["keep", "--no"]).await;
    assert_eq!(refused["stranger"]["can_keep"], false, "{refused}");
    ann.call("nothing more to decide", SOON, |seen| {
        seen["stranger"]["can_keep"] == false
    })
    .await;
    assert_eq!((contacts(&ann).await, contacts(&bob).await), (0, 0));
    let late = bob
        .twocan(&["--json", "keep", call["id"].as_str().unwrap()])
        .await
        .exited(1);
    assert_eq!(late.json()["code"], "cannot_keep", "{late:?}");
}

#[tokio::test]
async fn different_words_end_the_call() {
    let (ann, bob) = strangers().await;
    bob.json(&["door", "open"]).await;
    let call = talk(&ann, &bob).await;
    let told = ann.twocan(&["verify", "127.0.0.1", "--different"]).await.exited(1);
    assert!(told.stderr.contains("between you"), "{told:?}");
    assert_eq!(
        ended(&ann, &call).await,
        json!({ "code": "failed", "why": "words_differ" })
    );
    assert_eq!(ended(&bob, &call).await["code"], "hung_up");
}

#[tokio::test]
async fn the_door_is_an_event_and_nobody_can_be_called_at_nonsense() {
    let bob = Home::up("Bob").await;
    let mut events = bob.api().events().await;
    bob.json(&["door", "open", "--seconds", "1"]).await;
    let opened = events
        .until("the opening", SOON, |event| event.name == "door")
        .await
        .data;
    assert_eq!(
        (&opened["open"], &opened["closes_in_s"]),
        (&json!(true), &json!(1)),
        "{opened}"
    );
    let closed = events
        .until("the closing", SOON, |event| event.name == "door")
        .await
        .data;
    assert_eq!(
        (&closed["open"], &closed["closes_at"]),
        (&json!(false), &Value::Null),
        "{closed}"
    );
    for nowhere in ["0.0.0.0", "224.0.0.1:2226", "127.0.0.1:0", "169.254.1.1"] {
        let refused = bob.twocan(&["--json", "call", nowhere, "--detach"]).await.exited(1);
        assert_eq!(refused.json()["code"], "bad_address", "{refused:?}");
    }
}
