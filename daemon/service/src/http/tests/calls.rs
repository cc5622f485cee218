//! Calls, their media, and the door.

use serde_json::json;
use twocan_core::event::CallState;

use super::World;
use super::fake::{call, call_id, contact_id};

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
