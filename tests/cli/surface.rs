//! The surface that scripts rely on to the letter: ready line, JSON shapes, exit codes, events.

use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::{Home, Ready, acquaint};

const SOON: Duration = Duration::from_secs(3);

/// Fails unless `value` has all of `fields`.
#[track_caller]
fn has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "no `{field}` in {value}");
    }
}

#[test]
fn the_ready_line() {
    let line = "twocan ready udp=0.0.0.0:2226 control=http://127.0.0.1:2226 page=http://127.0.0.1:2227";
    let ready = Ready::parse(line);
    assert_eq!(ready.udp.to_string(), "0.0.0.0:2226");
    assert_eq!(ready.control, "http://127.0.0.1:2226");
    assert_eq!(ready.page, "http://127.0.0.1:2227");
}

#[tokio::test]
async fn status() {
    let ann = Home::up("Ann").await;
    let status = ann.json(&["status"]).await;
    has(
        &status,
        &["version", "udp", "control", "page", "person", "device", "warnings"],
    );
    has(&status["person"], &["id", "name"]);
    has(&status["device"], &["id", "name"]);
    assert_eq!(status["udp"], json!([ann.ready().udp.to_string()]));
    assert_eq!(status["control"], json!(ann.ready().control));
    assert_eq!(status["page"], json!(ann.ready().page));
    assert_eq!(status["person"]["name"], "Ann");
    let warnings = status["warnings"].as_array().unwrap();
    warnings
        .iter()
        .for_each(|warning| has(warning, &["code", "text", "fix"]));
    assert!(
        !warnings.is_empty(),
        "a key in a file has its standing warning: {status}"
    );
    // The same from the API, the flag in either place.
    assert_eq!(ann.api().get("/v1/status").await, status);
    assert_eq!(ann.twocan(&["status", "--json"]).await.exited(0).json(), status);
    // For people: words on standard output, no JSON.
    let words = ann.twocan(&["status"]).await.exited(0);
    assert!(serde_json::from_str::<Value>(&words.stdout).is_err(), "{words:?}");
    assert!(words.stdout.contains("Ann"), "{words:?}");
}

#[tokio::test]
async fn shapes() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let invite = ann.json(&["invite"]).await;
    has(&invite, &["id", "link", "text", "expires_at"]);
    let expiry: jiff::Timestamp = invite["expires_at"].as_str().unwrap().parse().unwrap();
    let hours = (expiry.as_second() - jiff::Timestamp::now().as_second()) / 3600;
    assert!((47..=48).contains(&hours), "{invite}");
    bob.json(&["add", invite["link"].as_str().unwrap()]).await;
    let contact = bob.green("Ann", SOON).await;
    has(
        &contact,
        &[
            "id",
            "name",
            "state",
            "verified",
            "reachable",
            "why",
            "path",
            "devices",
            "safety",
            "blocked",
            "quiet",
            "alarm",
        ],
    );
    has(&contact["path"], &["kind", "via", "rtt_ms", "last_proof_ms"]);
    has(&contact["devices"][0], &["id", "name"]);
    let call = bob.json(&["call", "Ann", "--detach"]).await;
    has(
        &call,
        &["id", "direction", "state", "contact", "peer", "media", "reason"],
    );
    has(&call["peer"], &["name"]);
    assert_eq!((&call["direction"], &call["contact"]), (&json!("out"), &contact["id"]));
    let calls = bob.json(&["calls"]).await;
    has(&calls, &["items", "next"]);
    assert_eq!(calls["items"][0]["id"], call["id"]);
    bob.json(&["hangup"]).await;
}

#[tokio::test]
async fn exit_codes() {
    let empty = Home::empty("Nobody");
    for args in [
        &["status"][..],
        &["contacts"],
        &["invite"],
        &["call", "Ann"],
        &["--json", "status"],
    ] {
        empty.twocan(args).await.exited(3);
    }
    for args in [
        &["no-such-command"][..],
        &["status", "--no-such-flag"],
        &["add"],
        &["call"],
    ] {
        empty.twocan(args).await.exited(2);
    }
    let ann = Home::up("Ann").await;
    for args in [&["answer"][..], &["decline"], &["hangup"], &["hangup", "00"]] {
        ann.twocan(args).await.exited(1);
    }
    let nobody = ann.twocan(&["--json", "call", "Nobody"]).await;
    assert_eq!(nobody.code, 1, "{nobody:?}");
    assert!(!nobody.stderr.is_empty(), "no word for people: {nobody:?}");
}

/// A stream begins with everything, and names what changes with its whole body.
#[tokio::test]
async fn events() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let mut events = ann.api().events().await;
    let first = events.next(SOON).await;
    assert_eq!(first.name, "snapshot", "{first:?}");
    has(&first.data, &["status", "contacts", "calls", "invites", "door"]);
    assert!(first.id.split('-').count() >= 2, "{first:?}");
    acquaint(&ann, &bob).await;
    let shown = |event: &twocan_tests::api::Event| event.name == "contact" && event.data["reachable"] == "yes";
    let contact = events.until("a green contact", SOON, shown).await;
    assert_eq!(contact.data["name"], "Bob");
    let call = bob.json(&["call", "Ann", "--detach"]).await;
    events
        .until("the ring", SOON, |event| {
            event.name == "call" && event.data["state"] == "ringing"
        })
        .await;
    bob.json(&["hangup"]).await;
    let over = events
        .until("its end", SOON, |event| {
            event.name == "call" && event.data["state"] == "ended"
        })
        .await;
    assert_eq!(over.data["id"], call["id"]);
}

/// Errors are RFC 9457 problems with a stable code.
#[tokio::test]
async fn problems() {
    let ann = Home::up("Ann").await;
    let api = ann.api();
    for (path, body, status) in [
        ("/v1/calls/00/answer", json!({}), 404),
        ("/v1/contacts", json!({ "link": "hello" }), 422),
        ("/v1/contacts", json!({ "no": "link" }), 422),
    ] {
        let answer = api.post(path, body).await;
        assert!(answer.kind.starts_with("application/problem+json"), "{answer:?}");
        has(&answer.body, &["type", "status", "code", "title", "detail"]);
        assert_eq!(answer.body["status"], json!(answer.status), "{answer:?}");
        assert!([status, 400].contains(&answer.status), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn privacy() {
    let ann = Home::up("Ann").await;
    let body = ann.json(&["privacy"]).await;
    assert_eq!(body, ann.api().get("/v1/privacy").await);
    let said = ann.twocan(&["privacy"]).await.exited(0).stdout;
    for section in ["stored", "outsiders", "never"] {
        let lines = body[section].as_array().unwrap();
        assert!(!lines.is_empty(), "{section}");
        let texts = lines.iter().flat_map(|line| match line.as_object() {
            Some(fields) => fields.values().collect::<Vec<_>>(),
            None => vec![line],
        });
        for text in texts.filter_map(Value::as_str) {
            assert!(said.contains(text), "{text:?} is not told: {said}");
        }
    }
}
