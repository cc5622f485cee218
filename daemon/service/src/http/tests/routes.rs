//! What each route does.

use std::sync::atomic::Ordering;

use serde_json::json;
use twocan_core::event::{CallState, ContactState, Reachable};

use super::World;
use super::fake::{call, call_id, contact, contact_id};
use super::wire::Request;

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
async fn contacts() {
    let world = World::new().await;
    let list = world.get("/v1/contacts").await.json();
    let ann = &list["items"][0];
    assert_eq!(
        ann["path"],
        json!({ "kind": "lan", "via": null, "rtt_ms": 1.5, "last_proof_ms": 1000 })
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
    for (link, status, code) in [
        ("own", 409, "invite_own"),
        ("expired", 409, "invite_expired"),
        ("damaged", 422, "invite_damaged"),
        ("refused at once", 409, "invite_used"),
        ("newer", 422, "invite_newer"),
        ("disk", 507, "store_failed"),
    ] {
        let refused = world.post("/v1/contacts", &json!({ "link": link }).to_string()).await;
        assert_eq!((refused.status, refused.code()), (status, code.to_owned()));
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
async fn calls() {
    let world = World::new().await;
    let ended = format!("/v1/calls/{}", call_id(1).to_hex());
    assert_eq!(world.get(&ended).await.json()["reason"], json!({ "code": "missed" }));
    assert_eq!(world.send(&world.control("DELETE", &ended)).await.status, 204);
    assert_eq!(world.get(&ended).await.code(), "no_such_call");

    let started = world.post("/v1/calls", r#"{"to":"Ann"}"#).await;
    let path = format!("/v1/calls/{}", call_id(9).to_hex());
    assert_eq!((started.status, started.header("location")), (201, Some(path.as_str())));
    let wanted = json!({ "id": call_id(9).to_hex(), "direction": "out", "state": "dialing",
        "contact": contact_id(1).to_hex(), "peer": { "name": "Ann" }, "media": { "audio": true, "video": true },
        "own_media": { "audio": true, "video": true }, "peer_media": { "audio": true, "video": true },
        "reconnecting": false, "missed": false, "reason": null });
    assert_eq!(started.json(), wanted);
    assert_eq!(world.get("/v1/calls").await.json()["items"], json!([wanted]));

    world.core.set_call(call(2, 1, true, CallState::Ringing));
    let answered = world.post("/v1/calls", r#"{"to":"ann","media":{"video":false}}"#).await;
    assert_eq!(
        (answered.status, answered.json()["state"].clone()),
        (200, json!("active"))
    );
    let busy = world.post("/v1/calls", r#"{"to":"Ann"}"#).await;
    assert_eq!(busy.problem(), (409, "in_call".to_owned(), Some("active".to_owned())));
    let answer = format!("/v1/calls/{}/answer", call_id(2).to_hex());
    assert_eq!(
        world.post(&answer, "").await.problem(),
        (409, "wrong_state".to_owned(), Some("active".to_owned()))
    );
    let hang_up = format!("/v1/calls/{}/hangup", call_id(2).to_hex());
    let over = world.post(&hang_up, "{}").await;
    assert_eq!(
        (over.status, over.json()["reason"]["code"].clone()),
        (200, json!("hung_up"))
    );

    world.core.set_call(call(3, 1, true, CallState::Ringing));
    let decline = format!("/v1/calls/{}/decline", call_id(3).to_hex());
    assert_eq!(
        world.post(&decline, r#"{"everywhere":true}"#).await.json()["state"],
        "ended"
    );
}

#[tokio::test]
async fn what_a_page_sends() {
    let world = World::new().await;
    world.core.set_call(call(2, 1, true, CallState::Active));
    let path = format!("/v1/calls/{}", call_id(2).to_hex());
    let patch = |body: &str| world.control("PATCH", &path).json(body);
    let muted = world.send(&patch(r#"{"media":{"audio":false}}"#)).await;
    assert_eq!(
        (muted.status, muted.json()["own_media"].clone()),
        (200, json!({ "audio": false, "video": true }))
    );
    assert_eq!(
        world.send(&patch(r#"{"media":{"sound":false}}"#)).await.code(),
        "malformed"
    );
    let ended = format!("/v1/calls/{}", call_id(1).to_hex());
    let over = world.control("PATCH", &ended).json(r#"{"media":{"video":false}}"#);
    assert_eq!(
        world.send(&over).await.problem(),
        (409, "wrong_state".to_owned(), Some("ended".to_owned()))
    );
    let nowhere = format!("/v1/calls/{}", call_id(7).to_hex());
    let nothing = world.control("PATCH", &nowhere).json("{}");
    assert_eq!(world.send(&nothing).await.code(), "no_such_call");
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
async fn whom_to_call() {
    let world = World::new().await;
    for (to, status, code) in [
        ("an", 409, "ambiguous"),
        ("zoe", 404, "no_such_contact"),
        ("", 404, "no_such_contact"),
        ("bo", 409, "not_accepted"),
    ] {
        let answer = world.post("/v1/calls", &json!({ "to": to }).to_string()).await;
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{to}");
    }
    let names = world.post("/v1/calls", r#"{"to":"AN"}"#).await.json()["detail"].to_string();
    assert!(names.contains("Ann, Anna"), "{names}");
}

#[tokio::test]
async fn media() {
    let world = World::new().await;
    let offer = |path: &str, sdp: &str| world.control("POST", path).body("application/sdp", sdp);
    let current = "/v1/calls/current/media";
    assert_eq!(world.send(&offer(current, "v=0")).await.code(), "no_current_call");
    let ended = format!("/v1/calls/{}/media", call_id(1).to_hex());
    let over = world.send(&offer(&ended, "v=0")).await;
    assert_eq!(over.problem(), (409, "call_ended".to_owned(), Some("ended".to_owned())));

    world.core.set_call(call(2, 1, true, CallState::Ringing));
    let id = call_id(2).to_hex();
    for path in [current, &format!("/v1/calls/{id}/media")] {
        let answer = world.send(&offer(path, "v=0")).await;
        let leg = format!("/v1/calls/{id}/media/17");
        assert_eq!((answer.status, answer.header("location")), (201, Some(leg.as_str())));
        assert_eq!(
            (answer.header("content-type"), answer.body.as_str()),
            (Some("application/sdp"), "v=0 answer")
        );
    }
    world.core.set_call(call(3, 1, false, CallState::Active));
    assert_eq!(world.send(&offer(current, "v=1")).await.status, 201);
    assert_eq!(world.send(&offer(current, "bad")).await.code(), "bad_offer");
    assert_eq!(world.send(&offer(current, "lonely")).await.code(), "no_interface");

    let trickle = |leg: &str| world.control("PATCH", &format!("{current}/{leg}"));
    let trickle = |leg: &str| trickle(leg).body("application/trickle-ice-sdpfrag", "a=x");
    assert_eq!(world.send(&trickle("17")).await.status, 204);
    let restart = world.control("PATCH", &format!("{current}/17"));
    let restarted = world
        .send(&restart.body("application/trickle-ice-sdpfrag", "restart"))
        .await;
    assert_eq!((restarted.status, restarted.body.as_str()), (200, "a=ufrag"));
    assert_eq!(
        restarted.header("content-type"),
        Some("application/trickle-ice-sdpfrag")
    );
    assert_eq!(world.send(&trickle("18")).await.code(), "no_such_leg");
    assert_eq!(world.send(&trickle("x")).await.code(), "no_such_leg");
    assert_eq!(
        world
            .send(&world.control("DELETE", &format!("{current}/17")))
            .await
            .status,
        200
    );

    let asked = world.legs.asked.lock().unwrap().clone();
    assert_eq!(asked[0], "offer CallId(02020202) Callee v=0");
    assert_eq!(asked[2], "offer CallId(03030303) Caller v=1");
    assert_eq!(asked.last().unwrap(), "close CallId(03030303) LegId(17)");
}

#[tokio::test]
async fn clips() {
    let world = World::new().await;
    world.core.set_call(call(2, 1, false, CallState::Active));
    let path = |number| format!("/v1/calls/{}/clip", call_id(number).to_hex());
    assert_eq!(world.post(&path(2), r#"{"seconds":5}"#).await.status, 204);
    assert_eq!(
        world.legs.asked.lock().unwrap().join(","),
        "clip CallId(02020202) Caller 5"
    );
    assert_eq!(world.get(&path(2)).await.json()["video_frames"], 60);
    assert_eq!(world.post(&path(2), r#"{"seconds":0}"#).await.code(), "out_of_bounds");
    assert_eq!(world.post(&path(1), r#"{"seconds":5}"#).await.code(), "call_ended");
    assert_eq!(world.post(&path(7), r#"{"seconds":5}"#).await.code(), "no_such_call");
    assert_eq!(world.get(&path(1)).await.code(), "no_such_leg");
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
    for query in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=x.y"] {
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
async fn codes_work_once() {
    let world = World::new().await;
    let path = world.code("/call/abc").await;
    let enter = Request::new("GET", &path).header("Host", world.bound.page);
    for look in [
        Request::new("HEAD", &path).header("Host", world.bound.page),
        enter.clone().header("Sec-Purpose", "prefetch"),
        enter
            .clone()
            .header("Sec-Fetch-Site", "cross-site")
            .header("Sec-Fetch-Mode", "navigate"),
    ] {
        assert!(world.send_page(&look).await.status >= 400);
    }
    let typed = enter
        .clone()
        .header("Sec-Fetch-Site", "none")
        .header("Sec-Fetch-Mode", "navigate");
    let answer = world.send_page(&typed).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/call/abc")));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; SameSite=Strict; HttpOnly; Path=/"), "{cookie}");
    assert_eq!(world.send_page(&enter).await.code(), "code_spent");

    let path = world.code("/").await;
    world.boot_ms.fetch_add(60_000, Ordering::Relaxed);
    let late = Request::new("GET", &path).header("Host", world.bound.page);
    assert_eq!(world.send_page(&late).await.code(), "code_spent");
}

#[tokio::test]
async fn pages_to_open() {
    let world = World::new().await;
    let page = world.post("/v1/page", "").await.json();
    assert_eq!(page["expires_at"], "2027-01-15T08:01:00Z");
    for path in [
        "",
        "call",
        "//evil.example",
        "/a//b",
        "/\\evil.example",
        "/x?y",
        "/x#y",
        "/a\nb",
        "http://x/",
    ] {
        let answer = world.post("/v1/page", &json!({ "path": path }).to_string()).await;
        assert_eq!(answer.code(), "bad_path", "{path}");
    }
    let own = world.page("POST", "/v1/page").await.json("{}");
    assert_eq!(world.send_page(&own).await.status, 200);
}

#[tokio::test]
async fn the_page() {
    let world = World::new().await;
    for (path, status, kind) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/call/0102", 200, "text/html; charset=utf-8"),
        ("/devices", 200, "text/html; charset=utf-8"),
        ("/js/app.js", 200, "text/javascript; charset=utf-8"),
        ("/js/none.js", 404, "application/problem+json"),
        ("/../secret.txt", 404, "application/problem+json"),
        ("/.git/config", 404, "application/problem+json"),
        ("/v1/nothing", 404, "application/problem+json"),
        ("/v1/status", 200, "application/json"),
    ] {
        let answer = world.send_page(&world.page("GET", path).await).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(kind)),
            "{path}"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for (path, status) in [("/call/x", 401), ("/enter/0000", 403)] {
        let request = Request::new("GET", path).header("Host", world.bound.page);
        let locked = world.send_page(&request.header("Accept", "text/html,*/*;q=0.8")).await;
        assert_eq!(
            (locked.status, locked.header("content-type")),
            (status, Some("text/html; charset=utf-8"))
        );
        assert!(locked.body.contains("twocan open"));
    }
    let post = world.page("POST", "/").await;
    assert_eq!(world.send_page(&post).await.code(), "method_not_allowed");
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

#[tokio::test]
async fn the_door() {
    let world = World::new().await;
    let closed = world.get("/v1/door").await.json();
    assert_eq!(
        (closed["open"].clone(), closed["closes_at"].clone()),
        (json!(false), json!(null))
    );
    let put = async |body: &str| world.send(&world.control("PUT", "/v1/door").json(body)).await;
    let open = put(r#"{"open":true}"#).await;
    assert_eq!(open.status, 200);
    let door = open.json();
    assert_eq!(door["closes_in_s"], 600, "ten minutes unless told");
    assert_eq!(door["closes_at"], "2027-01-15T08:10:00Z");
    assert_eq!(
        (door["reachable"].clone(), door["why"]["code"].clone()),
        (json!("unknown"), json!("reach_unknown"))
    );
    assert_eq!(put(r#"{"open":true,"seconds":60}"#).await.json()["closes_in_s"], 60);
    let never = put(r#"{"open":true,"seconds":0}"#).await;
    assert_eq!((never.status, never.code()), (422, "out_of_bounds".to_owned()));
    for malformed in ["", "{}", r#"{"open":1}"#, r#"{"open":true,"ajar":true}"#] {
        assert_eq!(put(malformed).await.status, 400, "{malformed}");
    }
    assert_eq!(put(r#"{"open":false}"#).await.json()["open"], false);
}

#[tokio::test]
async fn a_call_to_an_address_has_a_stranger_at_its_other_end() {
    let world = World::new().await;
    let start = async |to: &str| {
        let body = json!({ "to": to }).to_string();
        world.send(&world.control("POST", "/v1/calls").json(&body)).await
    };
    let nobody = start("224.0.0.1").await;
    assert_eq!((nobody.status, nobody.code()), (422, "bad_address".to_owned()));
    assert_eq!(start("192.0.2").await.code(), "no_such_contact");
    let started = start("192.0.2.7").await;
    assert_eq!(started.status, 201);
    let call = started.json();
    assert_eq!(
        (call["contact"].clone(), call["peer"].clone()),
        (json!(null), json!({ "name": "", "address": "192.0.2.7:2226" }))
    );
    assert_eq!(
        (call["stranger"]["keep"].clone(), call["stranger"]["can_keep"].clone()),
        (json!(null), json!(true))
    );

    let path = format!("/v1/calls/{}", call["id"].as_str().unwrap());
    let post = async |path: String, body: &str| world.send(&world.control("POST", &path).json(body)).await;
    assert_eq!(
        post(format!("{path}/keep"), "{}").await.json()["stranger"]["keep"],
        true
    );
    let no = post(format!("{path}/keep"), r#"{"keep":false}"#).await;
    assert_eq!(no.json()["stranger"]["keep"], false);
    assert_eq!(post(format!("{path}/verify"), "").await.json()["state"], "none");
    let same = post(format!("{path}/verify"), r#"{"result":"same"}"#).await;
    assert_eq!((same.status, same.json()["state"].clone()), (200, json!("same")));

    let other = format!("/v1/calls/{}", call_id(1).to_hex());
    assert!(world.get(&other).await.json().get("stranger").is_none());
    for action in ["keep", "verify"] {
        let refused = post(format!("{other}/{action}"), r#"{}"#).await;
        assert_eq!(
            (refused.status, refused.code()),
            (409, "no_stranger".to_owned()),
            "{action}"
        );
        let missing = post(format!("/v1/calls/{}/{action}", call_id(9).to_hex()), "{}").await;
        assert_eq!(missing.code(), "no_such_call", "{action}");
    }
}
