//! Links that wait to be asked about, their codes, and the test call.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::World;

#[tokio::test]
async fn a_link_waits_for_ten_minutes() {
    let world = World::new().await;
    let made = world.post("/v1/pastes", r#"{"text":"twocan:abc"}"#).await;
    let paste = made.json();
    assert_eq!(made.status, 201);
    assert_eq!(
        paste,
        json!({ "id": paste["id"], "kind": "invite", "link": "twocan:abc", "name": "Dora",
            "expires_at": "2027-01-15T08:00:00Z", "contact": null, "why": null })
    );
    let place = made.header("location").unwrap().to_owned();
    assert_eq!(place, format!("/v1/pastes/{}", paste["id"].as_str().unwrap()));
    assert_eq!(world.get(&place).await.json(), paste);
    let shown = world.send_page(&world.page("GET", &place).await).await;
    assert_eq!(shown.json(), paste);
    world.boot_ms.fetch_add(599_999, Ordering::Relaxed);
    assert_eq!(world.get(&place).await.status, 200);
    world.boot_ms.fetch_add(1, Ordering::Relaxed);
    assert_eq!(world.get(&place).await.code(), "no_such_paste");
    assert_eq!(world.get("/v1/pastes/00").await.code(), "no_such_paste");
}

#[tokio::test]
async fn a_link_says_why_it_cannot_be_used() {
    let world = World::new().await;
    let old = world.post("/v1/pastes", r#"{"text":"twocan:old"}"#).await.json();
    assert_eq!(old["why"]["code"], "invite_expired");
    let damaged = world.post("/v1/pastes", r#"{"text":"twocan:damaged"}"#).await;
    assert_eq!((damaged.status, damaged.code()), (422, "invite_damaged".to_owned()));
    let nothing = world.post("/v1/pastes", "{}").await;
    assert_eq!(nothing.code(), "malformed");
}

#[tokio::test]
async fn many_links_push_the_oldest_out() {
    let world = World::new().await;
    let mut places = Vec::new();
    for number in 0..17 {
        let body = json!({ "text": format!("twocan:{number}") }).to_string();
        let made = world.post("/v1/pastes", &body).await;
        places.push(made.header("location").unwrap().to_owned());
    }
    assert_eq!(world.get(&places[0]).await.code(), "no_such_paste");
    for (number, place) in places.iter().enumerate().skip(1) {
        assert_eq!(world.get(place).await.json()["link"], format!("twocan:{number}"));
    }
}

#[tokio::test]
async fn a_link_can_be_scanned() {
    let world = World::new().await;
    let invite = world.post("/v1/invites", "").await.json();
    let place = format!("/v1/invites/{}/code", invite["id"].as_str().unwrap());
    let code = world.get(&place).await;
    assert_eq!((code.status, code.header("content-type")), (200, Some("image/svg+xml")));
    assert!(
        code.body.starts_with("<svg") && code.body.ends_with("</svg>"),
        "{}",
        code.body
    );
    assert_eq!(world.get("/v1/invites/00/code").await.code(), "no_such_invite");
}

#[tokio::test]
async fn a_test_call_is_a_call() {
    let world = World::new().await;
    let made = world.post("/v1/test-call", "").await;
    assert_eq!((made.status, made.json()["peer"]["name"].clone()), (201, json!("Ann")));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/v1/calls/{id}").as_str()));
    assert_eq!(world.post("/v1/test-call", "").await.code(), "in_call");
    assert_eq!(world.post("/v1/test-call", "{}").await.code(), "no_echo");
    assert_eq!(world.post("/v1/test-call", r#"{"to":"Ann"}"#).await.code(), "malformed");
}
