//! `Idempotency-Key`: a request that creates something may be sent again and is carried out once.
//!
//! The first request with a key is carried out and its answer kept, even if its client has gone meanwhile; one that comes
//! again while it is carried out waits for it. The same key at the same path with another body is a problem, and nothing is done.
//! Only successes are kept: what failed changed nothing, so trying it again is right. The last [`KEYS`] keys are remembered, in
//! memory, as long as the daemon runs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use ring::digest::{SHA256, digest};
use tokio::sync::Mutex as Turn;

use super::extract::{SDP_BYTES, collect};
use super::problem::{Code, Fault};

/// The header (draft-ietf-httpapi-idempotency-key-header).
pub(super) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Keys remembered.
pub(super) const KEYS: usize = 256;
/// Characters of a key, at most.
const KEY_CHARS: usize = 255;

type Print = [u8; 32];

/// The keys that were used, and what was answered.
#[derive(Default)]
pub(super) struct Kept {
    entries: Mutex<VecDeque<Entry>>,
}

struct Entry {
    path: String,
    key: String,
    print: Print,
    slot: Arc<Slot>,
}

/// Empty until the request has been carried out; held while it is.
type Slot = Turn<Option<Answer>>;

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Kept {
    /// The place of a request's answer; `None` where another request has used its key.
    fn slot(&self, path: &str, key: String, print: Print) -> Option<Arc<Slot>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.iter().find(|entry| entry.key == key && entry.path == path) {
            return (entry.print == print).then(|| Arc::clone(&entry.slot));
        }
        if entries.len() >= KEYS {
            entries.pop_front();
        }
        let slot = Arc::new(Slot::default());
        entries.push_back(Entry {
            path: path.to_owned(),
            key,
            print,
            slot: Arc::clone(&slot),
        });
        Some(slot)
    }
}

/// The layer around the routes that create.
pub(super) async fn once(State(kept): State<Arc<Kept>>, request: Request, next: Next) -> Result<Response, Fault> {
    if request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return Ok(next.run(request).await);
    }
    let key = key(request.headers()).ok_or(Code::BadKey)?;
    let (head, body) = request.into_parts();
    let body = collect(body, SDP_BYTES).await?;
    let slot = kept.slot(head.uri.path(), key, print(&body)).ok_or(Code::KeyReused)?;
    let request = Request::from_parts(head, Body::from(body));
    // A task of its own: a client that loses its connection must not stop what it will ask for again.
    let done = tokio::spawn(answer(slot, request, next)).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a handler of the local API panicked");
        Err(Code::Internal.into())
    })
}

async fn answer(slot: Arc<Slot>, request: Request, next: Next) -> Result<Response, Fault> {
    let mut turn = slot.lock().await;
    if let Some(kept) = turn.clone() {
        return Ok(kept.response());
    }
    let (head, body) = next.run(request).await.into_parts();
    let body = body.collect().await.map_err(|_| Fault::new(Code::Internal))?;
    let answer = Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    };
    if answer.status.is_success() {
        *turn = Some(answer.clone());
    }
    Ok(answer.response())
}

impl Answer {
    fn response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

fn key(headers: &HeaderMap) -> Option<String> {
    let mut given = headers.get_all(HEADER).iter();
    let (Some(key), None) = (given.next(), given.next()) else {
        return None;
    };
    let key = key.to_str().ok()?.trim();
    let fits = (1..=KEY_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| key.to_owned())
}

fn print(body: &[u8]) -> Print {
    let mut print = Print::default();
    print.copy_from_slice(digest(&SHA256, body).as_ref());
    print
}
