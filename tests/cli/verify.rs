//! Safety words between two daemons, over a real link.

use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::running::Output;

const SOON: Duration = Duration::from_secs(5);

async fn pair() -> (Home, Home) {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    (ann, bob)
}

/// The bodies that a command printed, one a line.
fn bodies(output: &Output) -> Vec<Value> {
    let lines = output.stdout.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn both_show_the_same_words_and_each_verifies_alone() {
    let (ann, bob) = pair().await;
    let shown = ann.json(&["verify", "Bob"]).await;
    assert_eq!(shown["state"], "compare", "{shown}");
    assert_eq!(shown["words"].as_array().unwrap().len(), 4, "{shown}");
    let number = shown["number"].as_str().unwrap();
    assert_eq!(number.split(' ').count(), 12, "{shown}");
    // The other side's words come by an event, without its asking.
    let there = bob
        .contact("Ann", SOON, |contact| contact["safety"]["state"] == "compare")
        .await;
    assert_eq!(there["safety"], shown);
    assert_eq!(bob.json(&["verify", "Ann"]).await, shown);

    let words = ann.twocan(&["verify", "Bob"]).await.exited(0);
    for word in shown["words"].as_array().unwrap() {
        assert!(words.stdout.contains(word.as_str().unwrap()), "{words:?}");
    }
    assert!(words.stdout.contains(number), "{words:?}");

    let answered = ann.twocan(&["--json", "verify", "Bob", "--yes"]).await.exited(0);
    assert_eq!(bodies(&answered)[1]["state"], "same", "{answered:?}");
    let marked = ann.contact("Bob", SOON, |contact| contact["verified"] == true).await;
    assert_eq!(marked["alarm"], Value::Null, "{marked}");
    let there = bob.contact("Ann", SOON, |_| true).await;
    assert_eq!(there["verified"], false, "{there}");
}

#[tokio::test]
async fn the_mark_survives_a_restart() {
    let (mut ann, _bob) = pair().await;
    ann.twocan(&["verify", "Bob", "--yes"]).await.exited(0);
    ann.restart().await;
    let contact = ann.contact("Bob", SOON, |_| true).await;
    assert_eq!(contact["verified"], true, "{contact}");
    assert_eq!(contact["safety"]["words"], Value::Null, "{contact}");
}

#[tokio::test]
async fn different_words_end_the_call_and_say_what_that_means() {
    let (ann, bob) = pair().await;
    let call = ann.json(&["call", "Bob", "--detach"]).await;
    let rings = |seen: &Value| seen["id"] == call["id"] && seen["state"] == "ringing";
    bob.call("the ring", SOON, rings).await;
    bob.json(&["answer"]).await;
    let told = ann.twocan(&["verify", "Bob", "--different"]).await.exited(1);
    assert!(told.stderr.contains("between you"), "{told:?}");
    let over = |seen: &Value| seen["id"] == call["id"] && seen["state"] == "ended";
    let ended = ann.call("the end", SOON, over).await;
    assert_eq!(ended["reason"], json!({ "code": "failed", "why": "words_differ" }));
    let ended = bob.call("the end", SOON, over).await;
    assert_eq!(ended["reason"]["code"], "hung_up", "{ended}");
    let marked = ann.contact("Bob", SOON, |_| true).await;
    assert_eq!(marked["alarm"]["code"], "words_differ", "{marked}");
    assert_eq!(marked["verified"], false, "{marked}");
    let listed = ann.twocan(&["contacts"]).await.exited(0);
    assert!(listed.stdout.contains("WARNING"), "{listed:?}");
}

#[tokio::test]
async fn without_words_there_is_nothing_to_answer() {
    let (ann, mut bob) = pair().await;
    let contact = ann.contact("Bob", SOON, |_| true).await;
    let path = format!("/v1/contacts/{}/verify", contact["id"].as_str().unwrap());
    let early = ann.api().post(&path, json!({ "result": "same" })).await;
    assert_eq!((early.status, &early.body["code"]), (409, &json!("no_words")));
    bob.stop().await;
    ann.contact("Bob", SOON, |contact| contact["path"] == Value::Null).await;
    let alone = ann.twocan(&["--json", "verify", "Bob"]).await;
    assert_eq!(
        (alone.code, &alone.json()["code"]),
        (4, &json!("unreachable")),
        "{alone:?}"
    );
}
