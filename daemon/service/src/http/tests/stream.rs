//! The event stream.

use std::time::Duration;

use serde_json::json;
use twocan_api::Why;
use twocan_core::event::{CallState, ClockApart, Event, InviteRefusal, Notice};

use super::World;
use super::fake::{call, call_id, contact_id};
use super::wire::Events;
use crate::http::hub::RING;
use crate::http::seam::ServiceFacts;

async fn open(world: &World, last: Option<&str>) -> Events {
    let mut request = world.control("GET", "/v1/events");
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last);
    }
    Events::open(world.bound.control, &request).await
}

#[tokio::test]
async fn a_snapshot_and_then_what_changes() {
    let world = World::new().await;
    let mut events = open(&world, None).await;
    let (id, name, body) = events.next().await.unwrap();
    assert_eq!((name.as_str(), id.ends_with("-0")), ("snapshot", true));
    assert_eq!(body["status"], world.get("/v1/status").await.json());
    assert_eq!(body["contacts"], world.get("/v1/contacts").await.json()["items"]);
    assert_eq!(body["calls"], world.get("/v1/calls").await.json()["items"]);
    assert_eq!(body["invites"], json!([]));
    assert_eq!(body["door"], world.get("/v1/door").await.json());

    let boot = id.strip_suffix("-0").unwrap();
    world.core.set_call(call(2, 1, true, CallState::Ringing));
    let (id, name, body) = events.next().await.unwrap();
    assert_eq!((id, name.as_str()), (format!("{boot}-1"), "call"));
    assert_eq!(
        body,
        world.get(&format!("/v1/calls/{}", call_id(2).to_hex())).await.json()
    );

    world.post("/v1/invites", "").await;
    assert_eq!(events.next().await.unwrap().1, "invite");
    let invite = world.get("/v1/invites").await.json()["items"][0]["id"].clone();
    world
        .send(&world.control("DELETE", &format!("/v1/invites/{}", invite.as_str().unwrap())))
        .await;
    let removed = events.next().await.unwrap();
    assert_eq!(
        (removed.1.as_str(), removed.2),
        ("invite_removed", json!({ "id": invite }))
    );

    world
        .send(
            &world
                .control("PATCH", "/v1/me")
                .json(r#"{"presence":"do_not_disturb"}"#),
        )
        .await;
    let me = events.next().await.unwrap();
    assert_eq!(
        (me.1.as_str(), me.2["presence"].clone()),
        ("me", json!("do_not_disturb"))
    );
    assert_eq!(me.0, format!("{boot}-4"));
}

#[tokio::test]
async fn one_batch_tells_each_thing_once() {
    let world = World::new().await;
    let mut events = open(&world, None).await;
    events.next().await.unwrap();
    let (ann, bob) = (contact_id(1), contact_id(3));
    let batch = [
        Event::Contact(ann),
        Event::Contact(bob),
        Event::Contact(ann),
        Event::Me,
        Event::ContactRemoved(bob, Some(InviteRefusal::Used)),
        Event::Notice(Notice::Contested(ann)),
    ];
    world
        .core
        .change(&batch, |picture| picture.contacts.retain(|contact| contact.id != bob));
    assert_eq!(events.next().await.unwrap().2["id"], ann.to_hex());
    assert_eq!(events.next().await.unwrap().1, "me");
    let (_, name, removed) = events.next().await.unwrap();
    assert_eq!(
        (name.as_str(), removed["id"].clone()),
        ("contact_removed", json!(bob.to_hex()))
    );
    assert_eq!(removed["why"]["code"], "invite_used");
    let (_, name, warning) = events.next().await.unwrap();
    assert_eq!(
        (name.as_str(), warning["code"].clone()),
        ("warning", json!("contested"))
    );
}

/// A picture of before a sleep, looked at after it.
#[tokio::test]
async fn an_old_picture_shows_no_green() {
    let world = World::new().await;
    let ann = format!("/v1/contacts/{}", contact_id(1).to_hex());
    assert_eq!(world.get(&ann).await.json()["reachable"], "yes");
    world.core.change(&[], |picture| {
        for path in picture.contacts.iter_mut().filter_map(|contact| contact.path.as_mut()) {
            path.last_proof = Duration::from_secs(970);
        }
    });
    let shown = world.get(&ann).await.json();
    assert_eq!(
        (&shown["reachable"], &shown["why"]["code"]),
        (&json!("checking"), &json!("silent"))
    );
}

#[tokio::test]
async fn a_clock_far_from_ours_is_a_warning_told_once() {
    let world = World::new().await;
    let mut events = open(&world, None).await;
    events.next().await.unwrap();
    let contact = contact_id(1);
    for by_s in [86_399, 86_401] {
        world
            .core
            .change(&[], |picture| picture.clocks = vec![ClockApart { contact, by_s }]);
    }
    world.core.change(&[Event::Me], |_| {});
    let (_, name, warning) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &warning["code"]), ("warning", &json!("clocks_apart")));
    let status = world.get("/v1/status").await.json();
    assert_eq!(
        status["warnings"][0]["text"],
        "The clocks of this computer and of Ann's are about a day apart."
    );
    assert_eq!(events.next().await.unwrap().1, "me", "told twice");
}

#[tokio::test]
async fn new_warnings_are_told() {
    let world = World::new().await;
    let mut events = open(&world, None).await;
    events.next().await.unwrap();
    let warning = |code: &str| Why {
        code: code.to_owned(),
        text: "T.".to_owned(),
        fix: "F.".to_owned(),
    };
    let facts = |warnings| ServiceFacts {
        warnings,
        ..ServiceFacts::default()
    };
    world.core.publisher().facts(facts(vec![warning("a")]));
    world.core.publisher().facts(facts(vec![warning("a"), warning("b")]));
    assert_eq!(events.next().await.unwrap().2["code"], "a");
    assert_eq!(events.next().await.unwrap().2["code"], "b");
    assert_eq!(
        world.get("/v1/status").await.json()["warnings"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_client_resumes() {
    let world = World::new().await;
    let mut events = open(&world, None).await;
    let start = events.next().await.unwrap().0;
    for number in 20..23 {
        world.core.set_call(call(number, 1, true, CallState::Ended));
    }
    let first = events.next().await.unwrap();
    drop(events);
    let mut events = open(&world, Some(&first.0)).await;
    for number in [21, 22] {
        assert_eq!(events.next().await.unwrap().2["id"], call_id(number).to_hex());
    }
    let mut events = open(&world, Some(&start)).await;
    assert_eq!(events.next().await.unwrap(), first);
}

#[tokio::test]
async fn a_gap_is_told_and_followed_by_a_snapshot() {
    let world = World::new().await;
    let start = open(&world, None).await.next().await.unwrap().0;
    for _ in 0..=RING {
        world.core.set_call(call(20, 1, true, CallState::Ended));
    }
    let boot = start.strip_suffix("-0").unwrap();
    let (kept, newest) = (format!("{boot}-1"), format!("{boot}-{}", RING + 1));
    assert_eq!(open(&world, Some(&kept)).await.next().await.unwrap().1, "call");
    let ahead = format!("{boot}-{}", RING + 2);
    for last in [start.as_str(), "00000000-1", "nonsense", &ahead] {
        let mut events = open(&world, Some(last)).await;
        let (id, name, gap) = events.next().await.unwrap();
        assert_eq!((name.as_str(), gap), ("gap", json!({ "from": last, "to": newest })));
        assert_eq!(id, newest);
        let (id, name, _) = events.next().await.unwrap();
        assert_eq!((id.as_str(), name.as_str()), (newest.as_str(), "snapshot"));
    }
}

#[tokio::test]
async fn a_slow_client_gets_a_gap() {
    let world = World::new().await;
    let mut events = open(&world, None).await;
    let start = events.next().await.unwrap().0;
    let boot = start.strip_suffix("-0").unwrap().to_owned();
    // More than socket buffers and ring hold together; the client reads nothing meanwhile.
    let calls = |round: u8| (0..100).map(move |number| call(number, round, true, CallState::Ended));
    for round in 0..250 {
        let told: Vec<_> = calls(round).map(|call| Event::Call(call.id)).collect();
        world
            .core
            .change(&told, |picture| picture.calls = calls(round).collect());
        tokio::task::yield_now().await;
    }
    let mut last = 0;
    let to = loop {
        let (id, name, body) = events.next().await.unwrap();
        if name == "gap" {
            assert_eq!(body["from"], format!("{boot}-{last}"));
            break body["to"].clone();
        }
        last += 1;
        assert_eq!(id, format!("{boot}-{last}"));
    };
    let (id, name, _) = events.next().await.unwrap();
    assert_eq!((json!(id), name.as_str()), (to, "snapshot"));
}

#[tokio::test]
async fn the_page_gets_events_too() {
    let world = World::new().await;
    let request = world.page("GET", "/v1/events").await;
    let mut events = Events::open(world.bound.page, &request).await;
    assert_eq!(events.next().await.unwrap().1, "snapshot");
}
