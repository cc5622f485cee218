//! `Idempotency-Key`.

use super::World;
use super::wire::{Answer, Request};
use crate::http::once::KEYS;

fn keyed(world: &World, path: &str, key: &str, body: &str) -> Request {
    world.control("POST", path).header("Idempotency-Key", key).json(body)
}

async fn invites(world: &World) -> usize {
    world.get("/v1/invites").await.json()["items"].as_array().unwrap().len()
}

fn same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(first.header("location"), again.header("location"));
}

#[tokio::test]
async fn the_same_request_is_carried_out_once() {
    let world = World::new().await;
    let before = invites(&world).await;
    let request = keyed(&world, "/v1/invites", "one", "{}");
    let (first, beside) = tokio::join!(world.send(&request), world.send(&request));
    assert_eq!(first.status, 201);
    same(&first, &beside);
    same(&first, &world.send(&request).await);
    assert_eq!(invites(&world).await, before + 1);

    let other = world.send(&keyed(&world, "/v1/invites", "two", "{}")).await;
    assert_eq!(other.status, 201);
    assert_eq!(invites(&world).await, before + 2);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let world = World::new().await;
    let before = invites(&world).await;
    assert_eq!(world.send(&keyed(&world, "/v1/invites", "key", "{}")).await.status, 201);
    let other = keyed(&world, "/v1/invites", "key", r#"{"expires_in_s":60}"#);
    let answer = world.send(&other).await;
    assert_eq!((answer.status, answer.code()), (422, "key_reused".to_owned()));
    assert_eq!(world.send(&keyed(&world, "/v1/page", "key", "{}")).await.status, 200);
    assert_eq!(invites(&world).await, before + 1);
}

#[tokio::test]
async fn keys_are_plain_and_few() {
    let world = World::new().await;
    for key in ["", "a b", &"x".repeat(256)] {
        let answer = world.send(&keyed(&world, "/v1/page", key, "{}")).await;
        assert_eq!(answer.code(), "bad_key", "{key:?}");
    }
    let twice = keyed(&world, "/v1/page", "one", "{}").header("Idempotency-Key", "two");
    assert_eq!(world.send(&twice).await.code(), "bad_key");

    let first = world.send(&keyed(&world, "/v1/page", "k", "{}")).await;
    for number in 0..KEYS {
        world.send(&keyed(&world, "/v1/page", &number.to_string(), "{}")).await;
    }
    let forgotten = world.send(&keyed(&world, "/v1/page", "k", "{}")).await;
    assert_ne!(first.body, forgotten.body);
}

#[tokio::test]
async fn guards_come_before_keys() {
    let world = World::new().await;
    let locked = Request::new("POST", "/v1/invites")
        .header("Host", world.bound.control)
        .header("Idempotency-Key", "key");
    assert_eq!(world.send(&locked.json("{}")).await.code(), "token_required");
    assert_eq!(world.send(&keyed(&world, "/v1/invites", "key", "{}")).await.status, 201);
}
