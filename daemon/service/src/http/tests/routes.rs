//! The person, contacts and invites.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::World;
use super::fake::contact_id;

#[tokio::test]
async fn status_and_me() {
    let world = World::new().await;
    let status = world.get("/v1/status").await.json();
    assert_eq!(status["pid"], 42);
    assert_eq!(status["udp"], json!(["127.0.0.1:0"]));
    assert_eq!(status["control"], format!("http://{}", world.bound.control));
    assert_eq!(status["page"], format!("http://{}", world.bound.page));
    assert_eq!(status["person"], json!({ "id": "07".repeat(16), "name": "Me" }));
    assert_eq!(status["device"], json!({ "id": "08".repeat(32), "name": "desk" }));
    assert_eq!(status["warnings"], json!([]));
    let patch = world
        .control("PATCH", "/v1/me")
        .json(r#"{"presence":"do_not_disturb"}"#);
    let me = world.send(&patch).await;
    assert_eq!(
        (me.status, me.json()["presence"].clone()),
        (200, json!("do_not_disturb"))
    );
    assert_eq!(world.get("/v1/me").await.json(), me.json());
}

#[tokio::test]
async fn contacts() {
    let world = World::new().await;
    let list = world.get("/v1/contacts").await.json();
    let ann = &list["items"][0];
    assert_eq!(
        ann["path"],
        json!({ "kind": "lan", "via": null, "carrier": null, "rtt_ms": 1.5, "last_proof_ms": 1000 })
    );
    assert_eq!(
        (ann["reachable"].clone(), ann["why"].clone()),
        (json!("yes"), json!(null))
    );
    let anna = &list["items"][1];
    assert_eq!(
        (anna["reachable"].clone(), anna["why"]["code"].clone()),
        (json!("no"), json!("went_away"))
    );
    let path = format!("/v1/contacts/{}", contact_id(1).to_hex());
    assert_eq!(&world.get(&path).await.json(), ann);

    let renamed = world
        .send(&world.control("PATCH", &path).json(r#"{"name":"Annie"}"#))
        .await;
    assert_eq!((renamed.status, renamed.json()["name"].clone()), (200, json!("Annie")));
    let bad = world.send(&world.control("PATCH", &path).json(r#"{"name":""}"#)).await;
    assert_eq!((bad.status, bad.code()), (422, "bad_name".to_owned()));
    let accept = world
        .send(&world.control("PATCH", &path).json(r#"{"state":"accepted"}"#))
        .await;
    assert_eq!(
        accept.problem(),
        (409, "wrong_state".to_owned(), Some("accepted".to_owned()))
    );
    let pending = world
        .send(&world.control("PATCH", &path).json(r#"{"state":"pending"}"#))
        .await;
    assert_eq!(pending.code(), "out_of_bounds");

    assert_eq!(
        world.post(&format!("{path}/ping"), "").await.json(),
        json!({ "rtt_ms": 3 })
    );
    let other = format!("/v1/contacts/{}/ping", contact_id(2).to_hex());
    let unreachable = world.post(&other, "{}").await;
    assert_eq!(
        (unreachable.code().as_str(), &unreachable.json()["state"]),
        ("unreachable", &json!("no"))
    );

    assert_eq!(world.send(&world.control("DELETE", &path)).await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(
            world.send(&world.control(method, &path)).await.code(),
            "no_such_contact"
        );
    }
}

#[tokio::test]
async fn adding() {
    let world = World::new().await;
    let new = world.post("/v1/contacts", r#"{"link":"Call me: twocan:AAAA"}"#).await;
    let path = format!("/v1/contacts/{}", contact_id(4).to_hex());
    assert_eq!((new.status, new.header("location")), (201, Some(path.as_str())));
    assert_eq!(new.json()["state"], "pending");
    let again = world.post("/v1/contacts", r#"{"link":"again"}"#).await;
    assert_eq!((again.status, again.header("location")), (200, None));
    for (link, status, code, state) in [
        ("own", 409, "invite_own", Some("own")),
        ("expired", 409, "invite_expired", Some("expired")),
        ("damaged", 422, "invite_damaged", None),
        ("refused at once", 409, "invite_used", Some("used")),
        ("newer", 422, "invite_newer", None),
        ("disk", 507, "store_failed", None),
    ] {
        let refused = world.post("/v1/contacts", &json!({ "link": link }).to_string()).await;
        let state = state.map(str::to_owned);
        assert_eq!(refused.problem(), (status, code.to_owned(), state), "{link}");
    }
}

#[tokio::test]
async fn erasing() {
    let world = World::new().await;
    let erase = |body: &str| world.control("DELETE", "/v1/data").json(body);
    for (body, code) in [
        ("", "malformed"),
        ("{}", "malformed"),
        (r#"{"everything":false}"#, "out_of_bounds"),
    ] {
        assert_eq!(world.send(&erase(body)).await.code(), code, "{body:?}");
    }
    let meant = erase(r#"{"everything":true}"#);
    assert_eq!(world.send(&meant).await.status, 204);
    world.core.erases.store(false, Ordering::Relaxed);
    let answer = world.send(&meant).await;
    assert_eq!((answer.status, answer.code().as_str()), (507, "store_failed"));
}

#[tokio::test]
async fn invites() {
    let world = World::new().await;
    let invite = world.post("/v1/invites", r#"{"expires_in_s":60}"#).await;
    assert_eq!(invite.status, 201);
    let body = invite.json();
    assert_eq!(body["expires_at"], "1970-01-01T00:01:00Z");
    assert!(body["text"].as_str().unwrap().starts_with("Call me: twocan:AAAA\n"));
    assert_eq!(
        world.get("/v1/invites").await.json(),
        json!({ "items": [body], "next": null })
    );
    let path = invite.header("location").unwrap();
    assert_eq!(world.send(&world.control("DELETE", path)).await.status, 204);
    assert_eq!(
        world.send(&world.control("DELETE", path)).await.code(),
        "no_such_invite"
    );
    assert_eq!(
        world.post("/v1/invites", r#"{"expires_in_s":0}"#).await.code(),
        "out_of_bounds"
    );
    assert_eq!(
        world.post("/v1/invites", "").await.json()["expires_at"],
        "1970-01-03T00:00:00Z"
    );
}

#[tokio::test]
async fn safety_words() {
    let world = World::new().await;
    let path = |number: u8| format!("/v1/contacts/{}/verify", contact_id(number).to_hex());
    let shown = world.post(&path(1), "{}").await;
    assert_eq!(shown.status, 200);
    let words =
        json!({ "state": "compare", "words": ["abandon", "ability", "able", "about"], "number": "00000 11111" });
    assert_eq!(shown.json(), words);
    let same = world.post(&path(1), r#"{"result":"same"}"#).await;
    assert_eq!((same.status, same.json()["state"].clone()), (200, json!("same")));
    let contact = world
        .get(&format!("/v1/contacts/{}", contact_id(1).to_hex()))
        .await
        .json();
    assert_eq!(
        (&contact["verified"], &contact["alarm"], &contact["safety"]["state"]),
        (&json!(true), &json!(null), &json!("same"))
    );
    world.post(&path(1), r#"{"result":"different"}"#).await;
    let contact = world
        .get(&format!("/v1/contacts/{}", contact_id(1).to_hex()))
        .await
        .json();
    assert_eq!(contact["alarm"]["code"], "words_differ");
    assert!(contact["alarm"]["text"].as_str().unwrap().contains("Ann"), "{contact}");

    for (number, body, status, code) in [
        (2, "", 409, "safety_pause"),
        (3, "", 409, "not_accepted"),
        (2, r#"{"result":"same"}"#, 409, "no_words"),
        (1, r#"{"result":"perhaps"}"#, 400, "malformed"),
        (9, "", 404, "no_such_contact"),
    ] {
        let refused = world.post(&path(number), body).await;
        assert_eq!((refused.status, refused.code()), (status, code.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn manners() {
    let world = World::new().await;
    let path = format!("/v1/contacts/{}", contact_id(1).to_hex());
    for introduces in [true, false] {
        let body = json!({ "introduces": introduces }).to_string();
        let patched = world.send(&world.control("PATCH", &path).json(&body)).await;
        assert_eq!(
            (patched.status, patched.json()["introduces"].clone()),
            (200, json!(introduces))
        );
    }
    for blocked in [true, false] {
        let body = json!({ "blocked": blocked }).to_string();
        let patched = world.send(&world.control("PATCH", &path).json(&body)).await;
        assert_eq!(
            (patched.status, patched.json()["blocked"].clone()),
            (200, json!(blocked))
        );
    }
    assert_eq!(world.get("/v1/me").await.json()["second_call"], "busy");
    let wait = world.control("PATCH", "/v1/me").json(r#"{"second_call":"wait"}"#);
    assert_eq!(world.send(&wait).await.json()["second_call"], "wait");
    assert_eq!(world.get("/v1/status").await.json()["second_call"], "wait");
    let both = world
        .control("PATCH", "/v1/me")
        .json(r#"{"second_call":"busy","presence":"do_not_disturb"}"#);
    let me = world.send(&both).await.json();
    assert_eq!(
        (&me["second_call"], &me["presence"]),
        (&json!("busy"), &json!("do_not_disturb"))
    );
}

#[tokio::test]
async fn the_key_is_moved_and_told_of() {
    let world = World::new().await;
    let shown = world.get("/v1/key").await;
    assert_eq!((shown.status, shown.json()["store"].clone()), (200, json!("file")));
    let put = |body: &str| world.control("PUT", "/v1/key").json(body);
    let refused = [
        (r#"{"store":"keyring"}"#, "keyring_unusable"),
        (r#"{"store":"credential"}"#, "out_of_bounds"),
        (r#"{"store":"passphrase"}"#, "bad_passphrase"),
        (r#"{"store":"passphrase","passphrase":"horse"}"#, "bad_passphrase"),
        (
            r#"{"store":"passphrase","passphrase":"correct\nhorse"}"#,
            "bad_passphrase",
        ),
        (r#"{"store":"file","passphrase":"correct horse"}"#, "out_of_bounds"),
        (r#"{"store":"cloud"}"#, "malformed"),
        ("{}", "malformed"),
    ];
    for (body, code) in refused {
        assert_eq!(world.send(&put(body)).await.code(), code, "{body}");
    }
    let locked = world.send(&put(r#"{"store":"keyring"}"#)).await;
    assert_eq!(locked.json()["state"], "locked");
    let moved = put(r#"{"store":"passphrase","passphrase":"correct horse"}"#);
    let moved = world.send(&moved).await;
    assert_eq!(
        (moved.status, moved.json()["store"].clone()),
        (200, json!("passphrase"))
    );
    assert!(!moved.body.contains("correct"));
    let status = world.get("/v1/status").await;
    assert_eq!(status.json()["key"]["store"], "passphrase");
}
