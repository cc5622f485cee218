//! Invites: one paste makes two contacts; what cannot be redeemed is refused clearly and changes nothing.

use std::time::Duration;

use serde_json::{Value, json};
use twocan_core::invite::Link;
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::running::Output;
use twocan_tests::wait::until;

const SOON: Duration = Duration::from_secs(3);

async fn link(home: &Home) -> String {
    let invite = home.json(&["invite"]).await;
    invite["link"].as_str().unwrap().to_owned()
}

/// The stable code of a refusal.
fn refusal(output: Output) -> String {
    let body = output.exited(1).json();
    // Refused at once: a problem; by the inviter, later: why the contact was removed again.
    let code = body["code"].as_str().or(body["why"]["code"].as_str());
    code.unwrap_or_else(|| panic!("no problem: {body}")).to_owned()
}

async fn contacts(home: &Home) -> Vec<Value> {
    home.api().list("/v1/contacts").await
}

#[tokio::test]
async fn invite_add_green() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let invite = ann.json(&["invite"]).await;
    let text = invite["text"].as_str().unwrap();
    assert!(text.starts_with("Call me: twocan:"), "{text}");
    assert_eq!(ann.api().list("/v1/invites").await, std::slice::from_ref(&invite));

    let added = bob.json(&["add", text]).await;
    assert_eq!(added["reachable"], "yes", "{added}");
    let (there, here) = tokio::join!(ann.green("Bob", GREEN), bob.green("Ann", GREEN));
    for contact in [&there, &here] {
        assert_eq!(contact["state"], "accepted", "{contact}");
        assert_eq!(contact["verified"], false, "{contact}");
        assert_eq!(contact["why"], Value::Null, "{contact}");
        assert_eq!(contact["path"]["kind"], "lan", "{contact}");
        assert!(contact["path"]["rtt_ms"].as_f64().unwrap() < 1000.0, "{contact}");
        assert!(
            contact["path"]["last_proof_ms"].as_u64().unwrap() <= 30_000,
            "{contact}"
        );
        assert_eq!(contact["devices"].as_array().unwrap().len(), 1, "{contact}");
    }
    assert_eq!(added["id"], here["id"]);
    assert_eq!(
        ann.api().list("/v1/invites").await,
        Vec::<Value>::new(),
        "a used invite is open"
    );
    // The command prints the API's body.
    assert_eq!(ids(&bob.json(&["contacts"]).await["items"]), ids(&json!([here])));
}

fn ids(contacts: &Value) -> Vec<Value> {
    contacts
        .as_array()
        .unwrap()
        .iter()
        .map(|contact| contact["id"].clone())
        .collect()
}

/// An invite that is made the moment the daemon is ready leads to it.
#[tokio::test]
async fn the_first_invite_carries_an_address() {
    for _ in 0..5 {
        let mut ann = Home::empty("Ann");
        ann.start().await;
        let invite = ann.api().post("/v1/invites", json!({})).await;
        let link = Link::find(invite.body["link"].as_str().unwrap()).unwrap();
        assert_eq!(link.candidates, [ann.ready().udp]);
    }
}

/// What mail programs do to a link.
#[tokio::test]
async fn paste_is_forgiven() {
    let ann = Home::up("Ann").await;
    let bob = Home::up("Bob").await;
    let invite = ann.json(&["invite"]).await;
    let text = invite["text"].as_str().unwrap();
    let (head, tail) = text.split_at(text.find("twocan:").unwrap() + 60);
    let mangled = format!("> Hello Bob,\r\n> \"{head}=\r\n> {tail}\".\r\n");
    bob.json(&["add", &mangled]).await;
    bob.green("Ann", GREEN).await;
}

/// The acknowledgement may have been lost: redeeming again does no harm.
#[tokio::test]
async fn adding_twice_is_adding_once() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let link = link(&ann).await;
    let first = bob.json(&["add", &link]).await;
    let second = bob.json(&["add", &link]).await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!((contacts(&ann).await.len(), contacts(&bob).await.len()), (1, 1));
    ann.contact("Bob", SOON, |contact| contact["state"] == "accepted").await;
}

/// Only one of two people who hold the same link can be the one it was meant for.
#[tokio::test]
async fn used_by_somebody_else() {
    let (ann, bob, cat) = tokio::join!(Home::up("Ann"), Home::up("Bob"), Home::up("Cat"));
    let link = link(&ann).await;
    bob.json(&["add", &link]).await;
    ann.green("Bob", GREEN).await;
    let mut events = ann.api().events().await;

    assert_eq!(refusal(cat.twocan(&["--json", "add", &link]).await), "invite_used");
    assert_eq!(contacts(&cat).await, Vec::<Value>::new(), "the refused entry stays");

    let warning = events.until("a warning", SOON, |event| event.name == "warning").await;
    assert!(
        warning.data["code"].as_str().unwrap().contains("contested"),
        "{warning:?}"
    );
    let contested = ann
        .contact("Bob", SOON, |contact| contact["state"] == "contested")
        .await;
    assert_eq!(contested["reachable"], "no", "{contested}");
    assert!(contested["why"]["fix"].is_string(), "{contested}");
    assert_eq!(contacts(&ann).await.len(), 1, "the second redeemer became a contact");

    // It cannot ring until the user decides.
    let tried = bob.twocan(&["--json", "call", "Ann"]).await;
    assert_ne!(tried.code, 0, "{tried:?}");
    let calls = ann.api().list("/v1/calls").await;
    assert!(calls.iter().all(|call| call["state"] == "ended"), "{calls:?}");

    let path = format!("/v1/contacts/{}", contested["id"].as_str().unwrap());
    let kept = ann.api().patch(&path, json!({ "state": "accepted" })).await;
    assert_eq!(kept.status, 200, "{kept:?}");
    ann.green("Bob", Duration::from_secs(10)).await;
}

#[tokio::test]
async fn own_damaged_and_newer() {
    let ann = Home::up("Ann").await;
    let bob = Home::up("Bob").await;
    let link = link(&ann).await;
    assert_eq!(refusal(ann.twocan(&["--json", "add", &link]).await), "invite_own");

    let mut damaged = link.clone().into_bytes();
    let middle = damaged.len() / 2;
    damaged[middle] = if damaged[middle] == b'A' { b'B' } else { b'A' };
    let damaged = String::from_utf8(damaged).unwrap();
    for text in [damaged.as_str(), &link[..link.len() / 2], "twocan:", "hello"] {
        assert_eq!(
            refusal(bob.twocan(&["--json", "add", text]).await),
            "invite_damaged",
            "{text}"
        );
    }

    assert_eq!(
        refusal(bob.twocan(&["--json", "add", &newer(&link)]).await),
        "invite_newer"
    );
    assert_eq!(contacts(&ann).await, Vec::<Value>::new());
    assert_eq!(contacts(&bob).await, Vec::<Value>::new());

    // The link itself has taken no harm.
    bob.json(&["add", &link]).await;
}

/// The same link with a higher version: a link's first three bytes are a map's head, the key 0 and the version 1.
fn newer(link: &str) -> String {
    let payload = link.strip_prefix("twocan:").unwrap();
    assert_eq!(&payload[1..4], "QAB", "{link}");
    format!("twocan:{}QAC{}", &payload[..1], &payload[4..])
}

#[tokio::test]
async fn expired() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let invite = ann.api().post("/v1/invites", json!({ "expires_in_s": 1 })).await;
    assert_eq!(invite.status, 201, "{invite:?}");
    let expiry: jiff::Timestamp = invite.body["expires_at"].as_str().unwrap().parse().unwrap();
    // Clocks of whole seconds: in the next one it has surely passed.
    let passed = async || (jiff::Timestamp::now().as_second() > expiry.as_second()).then_some(());
    until("the invite's expiry", SOON, passed).await;
    let link = invite.body["link"].as_str().unwrap();
    assert_eq!(refusal(bob.twocan(&["--json", "add", link]).await), "invite_expired");
    assert_eq!(contacts(&bob).await, Vec::<Value>::new());
    assert_eq!(contacts(&ann).await, Vec::<Value>::new());
}

/// An invite taken back is refused by the inviter, who alone knows.
#[tokio::test]
async fn taken_back() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let invite = ann.json(&["invite"]).await;
    let path = format!("/v1/invites/{}", invite["id"].as_str().unwrap());
    let gone = ann.api().delete(&path).await;
    assert!([200, 204].contains(&gone.status), "{gone:?}");
    let output = bob.twocan(&["--json", "add", invite["link"].as_str().unwrap()]).await;
    // A silent port does not even say that it knows of no such invite.
    assert!([1, 4].contains(&output.code), "{output:?}");
    assert_eq!(contacts(&ann).await, Vec::<Value>::new());
}

/// Nobody answers: the contact stays pending, and comes to life when the inviter does.
#[tokio::test]
async fn the_inviter_is_away() {
    let (mut ann, bob) = (Home::up_on("Ann", "127.0.0.1:0").await, Home::up("Bob").await);
    let link = link(&ann).await;
    ann.crash().await;
    let waiting = bob.twocan(&["--json", "add", &link]).await.exited(4);
    assert_eq!(waiting.json()["state"], "pending", "{waiting:?}");
    let pending = bob.contact("Ann", SOON, |contact| contact["state"] == "pending").await;
    assert_ne!(pending["reachable"], "yes", "{pending}");
}

/// Two people of one name stay two.
#[tokio::test]
async fn a_clashing_name_gets_a_number() {
    let (ann, one, other) = tokio::join!(Home::up("Ann"), Home::up("Bob"), Home::up("Bob"));
    for bob in [&one, &other] {
        let link = link(bob).await;
        ann.json(&["add", &link]).await;
    }
    let mut names: Vec<_> = contacts(&ann)
        .await
        .iter()
        .map(|contact| contact["name"].clone())
        .collect();
    names.sort_by_key(|name| name.as_str().map(str::to_owned));
    assert_eq!(names, ["Bob", "Bob 2"]);
    // "Bob" is one of them exactly; "B" could be either.
    ann.twocan(&["call", "B"]).await.exited(2);
}

#[tokio::test]
async fn a_petname_of_ones_own() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    let contact = bob.green("Ann", GREEN).await;
    let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
    assert_eq!(bob.api().patch(&path, json!({ "name": "Mum" })).await.status, 200);
    bob.green("Mum", GREEN).await;
    assert_eq!(bob.api().delete(&path).await.status, 204);
    assert_eq!(contacts(&bob).await, Vec::<Value>::new());
}
