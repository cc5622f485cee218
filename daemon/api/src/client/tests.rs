//! The client against a small daemon made of hyper and canned answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;

use super::*;
use crate::types::{Event, Reachable};

/// What a fake daemon was asked: method, path with query, content type, body.
type Asked = Arc<Mutex<Vec<(String, String, String, String)>>>;

/// A daemon that answers by path; its folder is removed with it.
struct Fake {
    folder: tempfile::TempDir,
    asked: Asked,
}

type Answers = fn(&str) -> (u16, &'static str, String);

impl Fake {
    fn start(answers: Answers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("api.sock")).unwrap();
        let asked = Asked::default();
        tokio::spawn(serve(listener, Arc::clone(&asked), answers));
        Self { folder, asked }
    }

    fn client(&self) -> Client {
        Client::at(self.folder.path().join("api.sock"))
    }

    fn asked(&self) -> Vec<(String, String, String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(listener: UnixListener, asked: Asked, answers: Answers) {
    while let Ok((stream, _)) = listener.accept().await {
        let asked = Arc::clone(&asked);
        let service = service_fn(move |request| answer(request, Arc::clone(&asked), answers));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    asked: Asked,
    answers: Answers,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let method = request.method().to_string();
    let path = request.uri().to_string();
    let kind = request
        .headers()
        .get("content-type")
        .map_or("", |kind| kind.to_str().unwrap())
        .to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    asked.lock().unwrap().push((method, path.clone(), kind, text));
    let (status, kind, body) = answers(&path);
    let response = Response::builder().status(status).header("content-type", kind);
    Ok(response.body(Full::new(Bytes::from(body))).unwrap())
}

const CONTACT: &str = r#"{"id":"c1","name":"Ann","state":"accepted","verified":false,"reachable":"yes","why":null,"path":null,"devices":[],"later":1}"#;

#[tokio::test]
async fn an_answer_is_typed_and_keeps_its_text() {
    let fake = Fake::start(|_| (200, "application/json", CONTACT.into()));
    let got = fake.client().contact("c1").await.unwrap();
    assert_eq!(got.value.reachable, Reachable::Yes);
    assert_eq!(
        got.json, CONTACT,
        "a field that the client does not know stays in the text"
    );
}

#[tokio::test]
async fn a_post_carries_json() {
    let fake = Fake::start(|_| (201, "application/json", CONTACT.into()));
    fake.client()
        .add_contact(&NewContact {
            link: "twocan:x".into(),
            name: None,
            temporary: false,
        })
        .await
        .unwrap();
    let expected = ("POST", "/v1/contacts", "application/json", r#"{"link":"twocan:x"}"#);
    let asked = fake.asked();
    let (method, path, kind, body) = asked.first().unwrap();
    assert_eq!((method.as_str(), path.as_str(), kind.as_str(), body.as_str()), expected);
}

#[tokio::test]
async fn what_the_user_types_stays_one_path_segment() {
    let fake = Fake::start(|_| (200, "application/json", CONTACT.into()));
    fake.client().contact("../me?x=ü").await.unwrap();
    fake.client().contact("..").await.unwrap();
    let paths: Vec<String> = fake.asked().into_iter().map(|asked| asked.1).collect();
    assert_eq!(paths, ["/v1/contacts/..%2Fme%3Fx%3D%C3%BC", "/v1/contacts/%2E%2E"]);
}

#[tokio::test]
async fn a_refusal_is_a_problem() {
    const PROBLEM: &str = r#"{"type":"about:blank","status":409,"code":"ambiguous","title":"Two fit.","detail":"Type more of the name."}"#;
    let fake = Fake::start(|_| (409, "application/problem+json", PROBLEM.into()));
    let error = fake
        .client()
        .new_call(&NewCall {
            to: "a".into(),
            media: Default::default(),
        })
        .await
        .unwrap_err();
    assert_eq!(error.problem().unwrap().code, "ambiguous");
    assert!(matches!(error, ClientError::Problem { json, .. } if json == PROBLEM));
}

#[tokio::test]
async fn a_refusal_without_a_problem_is_its_status() {
    let fake = Fake::start(|_| (500, "text/plain", "boom".into()));
    assert!(matches!(
        fake.client().status().await,
        Err(ClientError::Status { status: 500 })
    ));
}

#[tokio::test]
async fn no_socket_and_no_listener_both_mean_not_running() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Client::at(folder.path().join("none.sock"));
    assert!(matches!(missing.status().await, Err(ClientError::NotRunning { .. })));

    let left = folder.path().join("left.sock");
    drop(UnixListener::bind(&left).unwrap());
    let stale = Client::at(left);
    assert!(matches!(stale.status().await, Err(ClientError::NotRunning { .. })));
    assert!(matches!(stale.events().await, Err(ClientError::NotRunning { .. })));
}

#[tokio::test]
async fn another_trouble_with_the_socket_is_told_apart() {
    let client = Client::at(PathBuf::from("/dev/null/api.sock"));
    assert!(matches!(client.status().await, Err(ClientError::Connect { .. })));
}

#[tokio::test]
async fn a_list_is_fetched_to_its_end() {
    let fake = Fake::start(|path| {
        let next = if path.ends_with("cursor=a%2Fb") {
            "null"
        } else {
            "\"a/b\""
        };
        (
            200,
            "application/json",
            format!(r#"{{"items":[{CONTACT}],"next":{next}}}"#),
        )
    });
    let got = fake.client().contacts().await.unwrap();
    assert_eq!((got.value.items.len(), got.value.next), (2, None));
    assert!(got.json.contains("later"), "{}", got.json);
}

#[tokio::test]
async fn a_list_of_one_page_keeps_its_text() {
    let fake = Fake::start(|_| (200, "application/json", r#"{"items":[],"next":null,"later":1}"#.into()));
    assert_eq!(
        fake.client().calls().await.unwrap().json,
        r#"{"items":[],"next":null,"later":1}"#
    );
}

#[tokio::test]
async fn events_are_typed_unknown_ones_skipped_and_the_end_is_told() {
    let fake = Fake::start(|_| {
        let stream = format!(
            ": hi\n\nid: 1-1\nevent: later\ndata: {{}}\n\nid: 1-2\nevent: contact\ndata: {CONTACT}\n\nevent: \
             contact_removed\ndata: {{\"id\":\"c1\"}}\n\n"
        );
        (200, "text/event-stream", stream)
    });
    let mut events = fake.client().events().await.unwrap();
    assert!(matches!(events.next().await.unwrap(), Event::Contact(contact) if contact.id == "c1"));
    let frame = events.next_frame().await.unwrap();
    assert_eq!((frame.id.as_str(), frame.name.as_str()), ("1-2", "contact_removed"));
    assert!(matches!(events.next().await, Err(ClientError::Gone)));
}

#[tokio::test]
async fn an_event_of_another_shape_is_an_error() {
    let fake = Fake::start(|_| (200, "text/event-stream", "event: call\ndata: []\n\n".into()));
    let mut events = fake.client().events().await.unwrap();
    assert!(matches!(events.next().await, Err(ClientError::Shape(_))));
}
