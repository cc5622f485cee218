//! `GET /v1/events`: a snapshot, then what changes.
//!
//! A client that names the last event it had goes on behind it while that event is kept; else it is told of the gap
//! and starts from a snapshot, as does a client that reads too slowly.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;

use super::hub::{Hub, Next};
use super::listen::closed;
use super::problem::{Code, Fault};
use super::router::App;

/// A comment is sent after this much silence, so that both ends notice when the other is gone.
const COMMENT: Duration = Duration::from_secs(15);
/// Characters of a client's last event id that are told back to it.
const ID_CHARS: usize = 64;
/// Tells clients to come back after this many milliseconds.
const RETRY: &str = "retry: 1000\n\n";

/// What is, then what changes, as server-sent events.
///
/// Never ends. Each event has an id `boot-seq`, a name and a JSON body; api-docs/events.md shows every one.
#[utoipa::path(get, path = "/v1/events", operation_id = "streamEvents", tag = "events",
    params(("last-event-id" = Option<String>, Header, description = "Go on after this event")),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String)))]
pub(super) async fn stream(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    let hub = Arc::clone(&app.core.hub);
    // A subscription before the snapshot: what is published in between wakes the stream.
    let newest = hub.watch();
    let (first, at) = open(&hub, last_event_id(&headers).as_deref())?;
    let feed = Feed {
        first: Some(first),
        at,
        hub,
        newest,
        closing: app.closing,
    };
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        let bytes = feed.next().await?;
        Some((Ok::<_, Infallible>(bytes), feed))
    }));
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], body).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("last-event-id")?;
    Some(
        String::from_utf8_lossy(value.as_bytes())
            .chars()
            .take(ID_CHARS)
            .collect(),
    )
}

/// What a stream begins with, and the number of the event after which it goes on.
fn open(hub: &Hub, last: Option<&str>) -> Result<(Bytes, u64), Fault> {
    let resumed = last.and_then(|id| hub.number(id));
    if let Some(number) = resumed
        && !matches!(hub.after(number), Next::Missed)
    {
        return Ok((Bytes::from_static(RETRY.as_bytes()), number));
    }
    let (snapshot, at) = hub.start(last).ok_or(Code::NotReady)?;
    let mut first = Vec::from(RETRY);
    first.extend_from_slice(&snapshot);
    Ok((first.into(), at))
}

struct Feed {
    first: Option<Bytes>,
    at: u64,
    hub: Arc<Hub>,
    newest: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
}

impl Feed {
    /// The next bytes; `None` when the daemon shuts down.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            // Marked as seen before the ring is read, so that what comes after the reading wakes us.
            self.newest.mark_unchanged();
            match self.hub.after(self.at) {
                Next::Events(bytes, at) => {
                    self.at = at;
                    return Some(bytes);
                }
                Next::Missed => return self.gap(),
                Next::Nothing => {}
            }
            tokio::select! {
                // What was said before the end is told before it.
                biased;
                changed = self.newest.changed() => changed.ok()?,
                () = closed(&mut self.closing) => return None,
                () = tokio::time::sleep(COMMENT) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    fn gap(&mut self) -> Option<Bytes> {
        let (bytes, at) = self.hub.start(Some(&self.hub.id(self.at)))?;
        self.at = at;
        Some(bytes)
    }
}
