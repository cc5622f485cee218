//! Whatever is wrong with what is sent: a problem that says so, and nothing changed.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use twocan_tests::wait::at_most;
use twocan_tests::wire::{Answer, Request};

use super::stage::{Side, Stage};

const MEGABYTE: usize = 1 << 20;
/// A body may take 10 s to arrive.
const SLOW: Duration = Duration::from_secs(20);

/// Names that would mislead somebody, or that nobody could read.
fn bad_names() -> Vec<String> {
    let tricks = [
        "",
        " ",
        "a\nb",
        "a\0b",
        "\u{1b}[31mred",
        "\u{202e}nnA",
        "A\u{2066}b",
        "a\u{200b}b",
        "\u{feff}",
        "\u{7f}",
    ];
    let mut names: Vec<String> = tricks.into_iter().map(str::to_owned).collect();
    names.push("x".repeat(65));
    names
}

struct Sent {
    what: String,
    request: Request,
    status: u16,
    code: &'static str,
}

fn json_request(side: &Side, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Request {
    side.request(method, path).body("application/json", body)
}

fn names(side: &Side, stage: &Stage) -> Vec<Sent> {
    let contact = format!("/v1/contacts/{}", stage.contact);
    let places = |name: &str| {
        [
            ("PATCH", "/v1/me", json!({ "name": name })),
            ("PATCH", contact.as_str(), json!({ "name": name })),
            (
                "POST",
                "/v1/contacts",
                json!({ "link": stage.foreign.as_str(), "name": name }),
            ),
        ]
    };
    let mut sent = Vec::new();
    let mut add = |name: &str, status, code| {
        for (method, path, body) in places(name) {
            sent.push(Sent {
                what: format!("{method} {path}: the name {:.80}", name.escape_debug().to_string()),
                request: json_request(side, method, path, body.to_string()),
                status,
                code,
            });
        }
    };
    for name in bad_names() {
        add(&name, 422, "bad_name");
    }
    add(&"x".repeat(MEGABYTE), 413, "too_large");
    sent
}

fn links_and_people(side: &Side, stage: &Stage) -> Vec<Sent> {
    let own = &stage.own;
    // In the middle, for the last bits of the last letter say nothing.
    let (before, after) = stage.foreign.split_at(stage.foreign.len() / 2);
    let swapped = if after.starts_with('A') { "B" } else { "A" };
    let bent = format!("{before}{swapped}{}", &after[1..]);
    let cut = &stage.foreign[..stage.foreign.len() / 2];
    let rows: Vec<(&str, Value, u16, &'static str)> = vec![
        ("/v1/contacts", json!({ "link": "" }), 422, "invite_damaged"),
        ("/v1/contacts", json!({ "link": "hello" }), 422, "invite_damaged"),
        ("/v1/contacts", json!({ "link": "twocan:" }), 422, "invite_damaged"),
        (
            "/v1/contacts",
            json!({ "link": "twocan:\u{202e}AAAA" }),
            422,
            "invite_damaged",
        ),
        ("/v1/contacts", json!({ "link": bent }), 422, "invite_damaged"),
        ("/v1/contacts", json!({ "link": cut }), 422, "invite_damaged"),
        ("/v1/contacts", json!({ "link": own }), 409, "invite_own"),
        (
            "/v1/contacts",
            json!({ "link": "x".repeat(MEGABYTE) }),
            413,
            "too_large",
        ),
        ("/v1/calls", json!({ "to": "" }), 404, "no_such_contact"),
        ("/v1/calls", json!({ "to": "Nobody" }), 404, "no_such_contact"),
        ("/v1/calls", json!({ "to": "\u{202e}boB" }), 404, "no_such_contact"),
        ("/v1/calls", json!({ "to": "x".repeat(MEGABYTE) }), 413, "too_large"),
        ("/v1/invites", json!({ "expires_in_s": 0 }), 422, "out_of_bounds"),
        ("/v1/invites", json!({ "expires_in_s": u64::MAX }), 422, "out_of_bounds"),
        ("/v1/invites", json!({ "expires_in_s": -1 }), 400, "malformed"),
        ("/v1/page", json!({ "path": "//evil.example" }), 422, "bad_path"),
        ("/v1/page", json!({ "path": "https://evil.example" }), 422, "bad_path"),
    ];
    let row = |(path, body, status, code): (&str, Value, u16, &'static str)| Sent {
        what: format!("POST {path} {:.80}", body.to_string()),
        request: json_request(side, "POST", path, body.to_string()),
        status,
        code,
    };
    rows.into_iter().map(row).collect()
}

fn texts(side: &Side, stage: &Stage) -> Vec<Sent> {
    let deep = format!("{}{}", r#"{"name":"#, "[".repeat(10_000));
    let bodies: [&[u8]; 11] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"Ann\"",
        b"{\"name\": 7}",
        b"{\"nam\": \"Ann\"}",
        b"{\"name\": \"A\", \"name\": \"B\"}",
        b"{\"name\": \"\xff\xfe\"}",
        b"{\"name\": \"A\"} {}",
        deep.as_bytes(),
    ];
    let media = format!("/v1/calls/{}/media", stage.call);
    let offer = |body: &[u8]| side.request("POST", &media).body("application/sdp", body);
    let mut sent = Vec::new();
    let mut add = |what: &[u8], request, status, code| {
        sent.push(Sent {
            what: String::from_utf8_lossy(what).chars().take(80).collect(),
            request,
            status,
            code,
        });
    };
    for body in bodies {
        add(body, json_request(side, "PATCH", "/v1/me", body), 400, "malformed");
    }
    let offers: [&[u8]; 4] = [
        b"",
        b"v=0\r\n",
        b"\xff\xff\xff",
        b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=",
    ];
    for body in offers {
        add(body, offer(body), 422, "bad_offer");
    }
    add(b"a large offer", offer(&vec![b'a'; MEGABYTE]), 413, "too_large");
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=x",
        "cursor=-1.00",
        "limit=1&limit=2",
    ] {
        let request = side.request("GET", &format!("/v1/contacts?{query}"));
        add(query.as_bytes(), request, 400, "bad_query");
    }
    add(b"no route", side.request("GET", "/v1/nothing"), 404, "not_found");
    add(
        b"no such method",
        side.request("GET", "/v1/page"),
        405,
        "method_not_allowed",
    );
    let put = json_request(side, "PUT", "/v1/me", "{}");
    add(b"PUT", put, 405, "method_not_allowed");
    let part = json_request(side, "DELETE", "/v1/data", r#"{"everything": false}"#);
    add(b"a part of everything", part, 422, "out_of_bounds");
    let unsure = json_request(side, "DELETE", "/v1/data", "{}");
    add(b"no word on everything", unsure, 400, "malformed");
    let bare = side.request("DELETE", "/v1/data");
    add(b"everything without a body", bare, 400, "malformed");
    sent
}

/// What a person or a program can act on.
fn is_clear(answer: &Answer) -> bool {
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let says = |field: &str| {
        problem[field]
            .as_str()
            .is_some_and(|text| text.ends_with('.') && text.len() > 10)
    };
    answer.head.contains("content-type: application/problem+json")
        && problem["status"] == answer.status
        && says("title")
        && says("detail")
}

#[tokio::test]
async fn whatever_is_wrong_is_said_and_changes_nothing() {
    let stage = Stage::set().await;
    let before = stage.picture().await;
    for side in stage.sides().await {
        let sent = [
            names(&side, &stage),
            links_and_people(&side, &stage),
            texts(&side, &stage),
        ];
        for Sent {
            what,
            request,
            status,
            code,
        } in sent.into_iter().flatten()
        {
            let answer = request.send(side.address).await;
            let what = format!("{what} on {}: {answer:?}", side.name);
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{what}");
            assert!(is_clear(&answer), "{what}");
            let names_methods = answer.head.contains("\r\nallow: ");
            assert_eq!(names_methods, status == 405, "{what}");
        }
    }
    assert_eq!(stage.picture().await, before);
}

#[tokio::test]
async fn the_wrong_state_is_named() {
    let stage = Stage::set().await;
    let [control, _] = stage.sides().await;
    let act = |what: &str| control.request("POST", &format!("/v1/calls/{}/{what}", stage.call));
    let state = |answer: &Answer| -> Value { serde_json::from_str::<Value>(&answer.body).unwrap()["state"].clone() };
    let edit = control
        .request("PATCH", &format!("/v1/contacts/{}", stage.contact))
        .body("application/json", r#"{"state": "accepted"}"#);
    let answer = edit.send(control.address).await;
    assert_eq!((answer.status, state(&answer)), (409, json!("accepted")), "{answer:?}");
    assert_eq!(act("decline").send(control.address).await.status, 200);
    for what in ["answer", "decline", "hangup"] {
        let answer = act(what).send(control.address).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "wrong_state"), "{what}");
        assert_eq!(state(&answer), "ended", "{what}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let stage = Stage::set().await;
    let [control, _] = stage.sides().await;
    let mut stream = TcpStream::connect(control.address).await.unwrap();
    let (name, value) = &control.credential;
    let head = format!(
        "PATCH /v1/me HTTP/1.1\r\nHost: {}\r\n{name}: {value}\r\nContent-Type: application/json\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{{",
        control.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = at_most("an answer to half a body", SLOW, stream.read_to_string(&mut answer)).await;
    assert!(
        read.is_ok() && answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"too_slow\""),
        "{answer}"
    );
}

/// Everything is gone, the daemon has ended, and the next start is somebody else.
#[tokio::test]
async fn everything_can_be_erased() {
    let mut stage = Stage::set().await;
    let [control, _] = stage.sides().await;
    let before = stage.ann.api().get("/v1/status").await;
    let erase = json_request(&control, "DELETE", "/v1/data", r#"{"everything": true}"#);
    let answer = erase.send(control.address).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
    assert!(stage.ann.ended().await.success());
    let left = std::fs::read_dir(stage.ann.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("state"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    stage.ann.start().await;
    let after = stage.ann.api().get("/v1/status").await;
    assert_ne!(before["person"]["id"], after["person"]["id"]);
    assert!(stage.ann.api().list("/v1/contacts").await.is_empty());
}
