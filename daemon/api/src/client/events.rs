//! The event stream.
//!
//! Opening it gives the stream's first event, the snapshot, so whoever opens it and then acts misses nothing that the
//! action causes. Waiting for the next event may be cancelled and taken up again without losing one.

use std::collections::VecDeque;
use std::path::Path;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

pub use super::sse::Frame;
use super::sse::Parser;
use super::{ClientError, transport};
use crate::types::{Event, Snapshot};

/// The stream of `GET /v1/events`.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    parser: Parser,
    ready: VecDeque<Frame>,
}

impl Frame {
    /// The typed event; none when the daemon knows a name that this client does not.
    ///
    /// # Errors
    /// When the body of a known name has another shape.
    pub fn event(&self) -> Result<Option<Event>, ClientError> {
        if !KNOWN.contains(&self.name.as_str()) {
            return Ok(None);
        }
        let data: serde_json::Value = serde_json::from_str(&self.data).map_err(ClientError::Shape)?;
        let tagged = serde_json::json!({ "name": self.name, "data": data });
        serde_json::from_value(tagged).map(Some).map_err(ClientError::Shape)
    }
}

/// The names of [`Event`]'s variants in the stream.
const KNOWN: [&str; 13] = [
    "snapshot",
    "contact",
    "contact_removed",
    "call_removed",
    "call",
    "invite",
    "invite_removed",
    "door",
    "me",
    "network",
    "key",
    "warning",
    "gap",
];

impl Events {
    pub(super) async fn open(socket: &Path) -> Result<Self, ClientError> {
        let body = transport::stream(socket, "/v1/events").await?;
        Ok(Self {
            body,
            parser: Parser::default(),
            ready: VecDeque::new(),
        })
    }

    /// The next event as it stands in the stream. Cancel-safe.
    ///
    /// # Errors
    /// [`ClientError::Gone`] when the stream ends.
    pub async fn next_frame(&mut self) -> Result<Frame, ClientError> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            let piece = self
                .body
                .frame()
                .await
                .ok_or(ClientError::Gone)?
                .map_err(|_| ClientError::Gone)?;
            if let Some(bytes) = piece.data_ref() {
                let mut frames = Vec::new();
                self.parser.feed(bytes, &mut frames)?;
                self.ready.extend(frames);
            }
        }
    }

    /// The next event that this client knows. Cancel-safe.
    ///
    /// # Errors
    /// As [`Self::next_frame`], and when an event has another shape than its name says.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            if let Some(event) = self.next_frame().await?.event()? {
                return Ok(event);
            }
        }
    }

    /// Waits for the snapshot that opens the stream and gives it.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn snapshot(&mut self) -> Result<Snapshot, ClientError> {
        loop {
            match self.next().await? {
                Event::Snapshot(snapshot) => return Ok(*snapshot),
                Event::Contact(_)
                | Event::ContactRemoved(_)
                | Event::Call(_)
                | Event::CallRemoved(_)
                | Event::Invite(_)
                | Event::InviteRemoved(_)
                | Event::Door(_)
                | Event::Me(_)
                | Event::Network(_)
                | Event::Key(_)
                | Event::Warning(_)
                | Event::Gap(_) => {}
            }
        }
    }
}
