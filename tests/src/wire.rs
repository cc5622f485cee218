//! HTTP/1.1 by hand, so that a test can send what no client would.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wait::at_most;

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(20);

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method and path.
    pub line: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; 0 where none came.
    pub status: u16,
    /// All header lines, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Request {
    /// Without any header.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            line: format!("{method} {path}"),
            headers: Vec::new(),
            body: None,
        }
    }

    /// With this header, and no other value of it.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Display) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Without this header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.set("Content-Type", kind)
    }

    /// Sends it over a connection of its own.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn send(&self, to: SocketAddr) -> Answer {
        at_most(&self.line, REQUEST, self.exchange(to)).await
    }

    async fn exchange(&self, to: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let mut bytes = format!("{} HTTP/1.1\r\nConnection: close\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.body.is_some() {
            bytes.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        // Who is refused may not be read to the end.
        let _ = stream.write_all(&bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::parse(&String::from_utf8_lossy(&answer))
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// The `code` of a problem; empty for everything else.
    #[must_use]
    pub fn code(&self) -> String {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}
