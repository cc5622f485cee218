//! The local API over its Unix socket, as a script sees it: bare HTTP and JSON, so that the shapes themselves are tested
//! and not a client's idea of them.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use crate::wait::at_most;

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(30);

/// One daemon's API.
#[derive(Clone, Debug)]
pub struct Api {
    socket: PathBuf,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub kind: String,
    /// The body as JSON; null where there is none.
    pub body: Value,
}

impl Api {
    /// The API behind this Unix socket.
    #[must_use]
    pub const fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// The body of a `GET`.
    ///
    /// # Panics
    /// If the answer is not 200.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.body
    }

    /// The body of a `GET` of something that may not be there yet; null where it is not.
    ///
    /// # Panics
    /// If the answer is neither 200 nor 404.
    pub async fn find(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, None).await;
        assert!(matches!(answer.status, 200 | 404), "GET {path}: {answer:?}");
        if answer.status == 200 { answer.body } else { Value::Null }
    }

    /// The items of a list.
    ///
    /// # Panics
    /// If the answer is no list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let body = self.get(path).await;
        assert!(body.get("next").is_some(), "GET {path} has no `next`: {body}");
        body["items"]
            .as_array()
            .unwrap_or_else(|| panic!("GET {path} has no `items`: {body}"))
            .clone()
    }

    /// A `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Attaches a leg to a call: the SDP answer to `offer`.
    ///
    /// # Panics
    /// If the offer is refused.
    pub async fn attach(&self, call: &str, offer: &str) -> String {
        let request = Request::post(format!("/v1/calls/{call}/media"))
            .header("host", "localhost")
            .header("content-type", "application/sdp")
            .body(Full::from(Bytes::copy_from_slice(offer.as_bytes())))
            .unwrap();
        let answer = async {
            let response = self.exchange(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            assert_eq!(status, 201, "{body}");
            anyhow::Ok(body)
        };
        at_most("the SDP answer", REQUEST, answer).await.unwrap()
    }

    /// A `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// A `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// A `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// The event stream.
    ///
    /// # Panics
    /// If the stream does not open.
    pub async fn events(&self) -> Events {
        let request = Request::get("/v1/events")
            .header("host", "localhost")
            .body(Full::default())
            .unwrap();
        let response = at_most("the event stream", REQUEST, self.exchange(request))
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        Events {
            body: response.into_body(),
            text: String::new(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let what = format!("{method} {path}");
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Full::from(Bytes::from(body.to_string()))),
            None => request.body(Full::default()),
        };
        let answer = async {
            let response = self.exchange(request.unwrap()).await?;
            let status = response.status().as_u16();
            let kind = response
                .headers()
                .get("content-type")
                .map(|kind| kind.to_str().unwrap().to_owned());
            let bytes = response.into_body().collect().await?.to_bytes();
            let body = if bytes.is_empty() {
                json!(null)
            } else {
                serde_json::from_slice(&bytes)?
            };
            anyhow::Ok(Answer {
                status,
                kind: kind.unwrap_or_default(),
                body,
            })
        };
        at_most(&what, REQUEST, answer)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:#}"))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>> {
        exchange(UnixStream::connect(&self.socket).await?, request).await
    }
}

/// One request and the head of its answer over a connection of its own.
pub(crate) async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// The event stream, parsed.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    text: String,
}

/// One event of the stream.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id, `boot-seq`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its body.
    pub data: Value,
}

impl Events {
    /// The next event.
    ///
    /// # Panics
    /// If none comes within `within`, or the stream ends.
    pub async fn next(&mut self, within: Duration) -> Event {
        at_most("the next event", within, self.read()).await
    }

    /// The next event for which `fits` holds; the others are passed over.
    ///
    /// # Panics
    /// If none comes within `within`; says `what` was waited for.
    pub async fn until(&mut self, what: &str, within: Duration, mut fits: impl FnMut(&Event) -> bool) -> Event {
        let search = async {
            loop {
                let event = self.read().await;
                if fits(&event) {
                    return event;
                }
            }
        };
        at_most(what, within, search).await
    }

    async fn read(&mut self) -> Event {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                if let Some(event) = event {
                    return event;
                }
            }
            let frame = self.body.frame().await.expect("an event stream that goes on").unwrap();
            if let Ok(data) = frame.into_data() {
                self.text.push_str(std::str::from_utf8(&data).unwrap());
            }
        }
    }
}

/// One event; `None` for a comment that only keeps the stream alive.
fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let lines = block
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines
            .map(|value| value.strip_prefix(' ').unwrap_or(value))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let data = field("data");
    (!data.is_empty()).then(|| Event {
        id: field("id"),
        name: field("event"),
        data: serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error} in {block}")),
    })
}
