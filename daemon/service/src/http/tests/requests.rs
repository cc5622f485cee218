//! What is said to any request, whatever its route.

use serde_json::json;
use twocan_core::event::{CallState, ContactState, Reachable};

use super::World;
use super::fake::{call, call_id, contact, contact_id};

#[tokio::test]
async fn a_creating_request_that_is_repeated_with_its_key_creates_once() {
    let world = World::new().await;
    let create = |key: &str, body: &str| {
        world
            .control("POST", "/v1/invites")
            .header("Idempotency-Key", key)
            .json(body)
    };
    let first = world.send(&create("a", "{}")).await;
    let again = world.send(&create("a", "{}")).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    let listed = async || world.get("/v1/invites").await.json()["items"].as_array().unwrap().len();
    let before = listed().await;
    world.send(&create("b", "{}")).await;
    assert_eq!(listed().await, before + 1);
    world.send(&create("a", "{}")).await;
    assert_eq!(listed().await, before + 1);
    let reused = world.send(&create("a", r#"{"expires_in_s":60}"#)).await;
    assert_eq!((reused.status, reused.code()), (422, "key_reused".to_owned()));
    let failed = world.send(&create("c", r#"{"expires_in_s":0}"#)).await;
    let failed_again = world.send(&create("c", r#"{"expires_in_s":0}"#)).await;
    assert_eq!((failed.status, failed_again.status), (422, 422));
}

#[tokio::test]
async fn malformed_and_unknown() {
    let world = World::new().await;
    for (body, code) in [
        ("{", "malformed"),
        ("[]", "malformed"),
        ("{}", "malformed"),
        (r#"{"to":1}"#, "malformed"),
        (r#"{"to":"Ann","wrong":1}"#, "malformed"),
        (r#"{"to":"Ann","media":{"vidoe":false}}"#, "malformed"),
    ] {
        assert_eq!(world.post("/v1/calls", body).await.code(), code, "{body}");
    }
    let unknown = [
        "/",
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/calls/x",
        "/v1/contacts/%ff",
        "/v1/calls/current",
    ];
    for path in unknown {
        assert_eq!(world.get(path).await.status, 404, "{path}");
        world.get(path).await.code();
    }
    for (method, path) in [
        ("PUT", "/v1/me"),
        ("OPTIONS", "/v1/me"),
        ("DELETE", "/v1/status"),
        ("POST", "/healthz"),
    ] {
        let answer = world.send(&world.control(method, path)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (405, "method_not_allowed".to_owned()),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn too_large_bodies() {
    let world = World::new().await;
    let paste = "\u{1}".repeat(twocan_core::bounds::PASTE_BYTES);
    let fits = json!({ "link": paste }).to_string();
    assert_eq!(world.post("/v1/contacts", &fits).await.status, 201);
    let large = json!({ "link": "x".repeat(200_000) }).to_string();
    let answer = world.post("/v1/contacts", &large).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large".to_owned()));
}

#[tokio::test]
async fn cursors() {
    let world = World::new().await;
    world.core.change(&[], |picture| {
        picture.contacts = (0..250)
            .map(|n| contact(n, "N", ContactState::Accepted, Reachable::Yes))
            .collect();
    });
    let mut seen = Vec::new();
    let mut path = "/v1/contacts".to_owned();
    loop {
        let page = world.get(&path).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/contacts?cursor={next}");
    }
    let all: Vec<_> = (0..250).map(|n| json!(contact_id(n).to_hex())).collect();
    assert_eq!(seen, all);

    let first = world.get("/v1/contacts?limit=2").await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    world.core.change(&[], |picture| picture.contacts.truncate(1));
    let next = format!("/v1/contacts?cursor={}", first["next"].as_str().unwrap());
    assert_eq!(world.get(&next).await.json(), json!({ "items": [], "next": null }));
    for query in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=x.y", "limits=2"] {
        assert_eq!(world.get(&format!("/v1/contacts?{query}")).await.code(), "bad_query");
    }
}

#[tokio::test]
async fn panics_and_a_lost_loop() {
    let world = World::new().await;
    world.core.set_call(call(2, 1, true, CallState::Active));
    let offer = world
        .control("POST", "/v1/calls/current/media")
        .body("application/sdp", "panic");
    let answer = world.send(&offer).await;
    assert_eq!((answer.status, answer.code()), (500, "internal".to_owned()));
    assert_eq!(world.get("/v1/status").await.status, 200);
    let gone = world.post("/v1/calls", r#"{"to":"Anna"}"#).await;
    assert_eq!((gone.status, gone.code()), (503, "shutting_down".to_owned()));
}

#[tokio::test]
async fn ids_come_before_bodies() {
    let world = World::new().await;
    let nobody = format!("/v1/contacts/{}", contact_id(200).to_hex());
    let no_call = format!("/v1/calls/{}", call_id(200).to_hex());
    let long = "x".repeat(300_000);
    for (method, path, code) in [
        ("PATCH", nobody.clone(), "no_such_contact"),
        ("DELETE", nobody.clone(), "no_such_contact"),
        ("POST", format!("{nobody}/ping"), "no_such_contact"),
        (
            "DELETE",
            format!("/v1/invites/{}", contact_id(200).to_hex()),
            "no_such_invite",
        ),
        ("DELETE", no_call.clone(), "no_such_call"),
        ("POST", format!("{no_call}/answer"), "no_such_call"),
        ("POST", format!("{no_call}/decline"), "no_such_call"),
        ("POST", format!("{no_call}/hangup"), "no_such_call"),
        ("POST", format!("{no_call}/clip"), "no_such_call"),
    ] {
        for body in ["{", &long] {
            let answer = world.send(&world.control(method, &path).json(body)).await;
            assert_eq!(answer.code(), code, "{method} {path}");
        }
    }
}
