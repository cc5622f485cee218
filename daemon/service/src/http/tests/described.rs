//! The description of the API, its pages, the metrics and the privacy list.

use std::path::Path;

use serde_json::Value;
use twocan_core::event::{ContactState, Reachable};

use super::World;
use super::fake::contact;
use super::wire::Request;
use crate::http::openapi;

const REGENERATE: &str = "TWOCAN_REGENERATE";

/// Set [`REGENERATE`] to write the file instead: `./tests/run openapi`.
#[test]
fn the_checked_in_description_is_this_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api-docs/openapi.json");
    let made: Value = serde_json::from_str(openapi::text()).unwrap();
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(&path, openapi::text()).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
    assert!(
        kept == made,
        "api-docs/openapi.json is not what the routes say; regenerate it with: ./tests/run openapi"
    );
}

#[test]
fn every_operation_is_described() {
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = std::collections::BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let what = format!("{method} {path}: {operation}");
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{what}"
            );
            assert!(
                operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
                "{what}"
            );
            assert!(
                operation["tags"].as_array().is_some_and(|tags| tags.len() == 1),
                "{what}"
            );
            let responses = operation["responses"].as_object().unwrap();
            for status in ["403", "500"] {
                assert!(responses.contains_key(status), "{what}");
            }
            let open = path == "/healthz" || path == "/readyz";
            assert_ne!(open, responses.contains_key("401"), "{what}");
        }
    }
    for schema in ["Event", "Snapshot", "Gap", "Problem", "Call"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}

#[tokio::test]
async fn the_description_is_served() {
    let world = World::new().await;
    let answer = world.get("/v1/openapi.json").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(answer.body, openapi::text());
}

#[tokio::test]
async fn the_documentation_is_served_to_the_page_alone() {
    let world = World::new().await;
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/start.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = world.send_page(&world.page("GET", path).await).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!answer.body.contains("//"), "from elsewhere: {}", answer.body);
        assert_eq!(world.get(path).await.status, 404);
        let locked = Request::new("GET", path).header("Host", world.bound.page);
        assert_eq!(world.send_page(&locked).await.status, 401);
    }
    assert_eq!(
        world
            .send_page(&world.page("GET", "/docs/index.html").await)
            .await
            .status,
        404
    );
    let page = world.send_page(&world.page("GET", "/").await).await;
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'self'")
    );
}

#[tokio::test]
async fn metrics_count_and_name_nobody() {
    let world = World::new().await;
    world.core.change(&[], |snapshot| {
        let reachable = Reachable::Yes;
        snapshot
            .contacts
            .push(contact(77, "Zebedee", ContactState::Accepted, reachable));
    });
    let answer = world.get("/metrics").await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let value = |answer: &super::wire::Answer, series: &str| -> u64 {
        let line = answer.body.lines().find(|line| line.starts_with(series));
        let line = line.unwrap_or_else(|| panic!("no {series}: {}", answer.body));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value(&answer, "twocan_contacts_reachable{reachable=\"yes\"}") >= 1);
    for secret in ["Zebedee", "127.0.0.1"] {
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
    let good = "twocan_api_answers_total{listener=\"control\",class=\"2xx\"}";
    assert_eq!(value(&world.get("/metrics").await, good), value(&answer, good) + 1);
    let locked = Request::new("GET", "/metrics").header("Host", world.bound.control);
    assert_eq!(world.send(&locked).await.code(), "token_required");
}

#[tokio::test]
async fn privacy_says_what_is_stored() {
    let world = World::new().await;
    let shown: twocan_api::Privacy = serde_json::from_str(&world.get("/v1/privacy").await.body).unwrap();
    assert!(
        shown
            .stored
            .iter()
            .any(|line| line.place == "state.sealed" && line.count.is_some())
    );
    assert!(!shown.outsiders.is_empty() && !shown.never.is_empty());
}

/// `api-docs/events.md` has a section for every event, and its examples are of that event's shape.
#[test]
fn every_event_has_an_example() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api-docs/events.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut shown = std::collections::BTreeSet::new();
    for section in text.split("\n## ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        for block in rest.split("```json\n").skip(1) {
            let (example, _) = block.split_once("```").unwrap();
            let data: Value = serde_json::from_str(example).unwrap_or_else(|error| panic!("{name}: {error}"));
            let event = serde_json::json!({ "name": name, "data": data });
            let _: twocan_api::Event = serde_json::from_value(event).unwrap_or_else(|error| panic!("{name}: {error}"));
            shown.insert(name.to_owned());
        }
    }
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    let told = document["components"]["schemas"]["Event"]["oneOf"].as_array().unwrap();
    for event in told {
        let name = event["properties"]["name"]["enum"][0].as_str().unwrap();
        assert!(shown.contains(name), "api-docs/events.md has no example of {name}");
    }
}
