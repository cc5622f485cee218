//! `Idempotency-Key`: a creating POST that is sent again gets the answer of the first one, and creates nothing more.
//!
//! Only successes are remembered: what failed changed nothing, so trying it again is right. The work goes on when the
//! client hangs up, so that a repetition finds its outcome. The last [`REMEMBERED`] keys are known, in memory only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::extract;
use super::problem::{Code, Fault};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of a key, at most.
const KEY_CHARS: usize = 255;
/// Keys remembered; the oldest go first.
const REMEMBERED: usize = 128;

/// The answers to the last requests that had a key.
#[derive(Debug, Default)]
pub(super) struct Answers {
    known: Mutex<VecDeque<Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    path: String,
    key: String,
    body: Bytes,
    answer: OnceCell<Saved>,
}

#[derive(Clone, Debug)]
struct Saved {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answers {
    /// The entry of a key, new or known.
    fn entry(&self, path: &str, key: &str, body: &Bytes) -> Arc<Entry> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.iter().find(|entry| entry.key == key && entry.path == path) {
            return Arc::clone(entry);
        }
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        let entry = Arc::new(Entry {
            path: path.to_owned(),
            key: key.to_owned(),
            body: body.clone(),
            answer: OnceCell::new(),
        });
        known.push_back(Arc::clone(&entry));
        entry
    }
}

/// Stands before each creating POST.
pub(super) async fn once(State(answers): State<Arc<Answers>>, request: Request, next: Next) -> Result<Response, Fault> {
    let Some(key) = key(&request)? else {
        return Ok(next.run(request).await);
    };
    let (head, body) = request.into_parts();
    let body = extract::bytes(body).await?;
    let entry = answers.entry(head.uri.path(), &key, &body);
    if entry.body != body {
        return Err(Code::KeyReused.into());
    }
    let request = Request::from_parts(head, Body::from(body));
    let work = tokio::spawn(async move { entry.answer.get_or_try_init(|| save(next, request)).await.cloned() });
    match work.await {
        Ok(Ok(saved)) => Ok((saved.status, saved.headers, saved.body).into_response()),
        Ok(Err(failed)) => Ok(*failed),
        Err(_) => Err(Code::Internal.into()),
    }
}

fn key(request: &Request) -> Result<Option<String>, Fault> {
    let mut keys = request.headers().get_all(KEY).iter();
    let (Some(key), more) = (keys.next(), keys.next()) else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|key| (1..=KEY_CHARS).contains(&key.len()));
    match (key, more) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        (Some(_) | None, _) => Err(Fault::new(Code::Malformed).detail("`Idempotency-Key` is one short text.")),
    }
}

/// Runs the request; a response that is no success comes back as the error, to be remembered by nobody.
async fn save(next: Next, request: Request) -> Result<Saved, Box<Response>> {
    let response = next.run(request).await;
    if !response.status().is_success() {
        return Err(Box::new(response));
    }
    let (head, body) = response.into_parts();
    let body = extract::bytes(body)
        .await
        .map_err(|fault| Box::new(fault.into_response()))?;
    Ok(Saved {
        status: head.status,
        headers: head.headers,
        body,
    })
}
