//! HTTP by hand, so that a test can send what no client library would.

use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::PATIENCE;

/// A request's text.
#[derive(Clone)]
pub(super) struct Request {
    head: String,
    body: String,
}

impl Request {
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n"),
            body: String::new(),
        }
    }

    pub(super) fn header(mut self, name: &str, value: impl Display) -> Self {
        write!(self.head, "{name}: {value}\r\n").unwrap();
        self
    }

    pub(super) fn body(mut self, kind: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.header("Content-Type", kind).header("Content-Length", body.len())
    }

    pub(super) fn json(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    pub(super) fn text(&self) -> String {
        format!("{}\r\n{}", self.head, self.body)
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.unwrap_or(0),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The code of a problem; its status must be that of the response.
    pub(super) fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem: twocan_api::Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!((problem.status, problem.kind.as_str()), (self.status, "about:blank"));
        assert!(!problem.title.is_empty() && !problem.detail.is_empty());
        problem.code
    }

    /// A problem's status, code and state.
    pub(super) fn problem(&self) -> (u16, String, Option<String>) {
        let state = self.json()["state"].as_str().map(str::to_owned);
        (self.status, self.code(), state)
    }

    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }
}

pub(super) async fn tcp(to: SocketAddr, request: &Request) -> Answer {
    let text = raw(TcpStream::connect(to).await.unwrap(), request.text().as_bytes()).await;
    Answer::parse(&String::from_utf8(text).unwrap())
}

pub(super) async fn unix(to: &Path, request: &Request) -> Answer {
    let text = raw(UnixStream::connect(to).await.unwrap(), request.text().as_bytes()).await;
    Answer::parse(&String::from_utf8(text).unwrap())
}

/// Sends bytes, and reads until the other side closes.
pub(super) async fn raw(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let talk = async {
        // Whoever refuses a request need not read it to its end: errors are ends, and what came before them counts.
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    timeout(PATIENCE, talk).await.expect("an answer in time");
    answer
}

/// An open event stream.
pub(super) struct Events {
    stream: TcpStream,
    buffer: String,
}

/// Id, name and body of an event.
pub(super) type Event = (String, String, Value);

impl Events {
    pub(super) async fn open(to: SocketAddr, request: &Request) -> Self {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(request.text().as_bytes()).await.unwrap();
        let buffer = String::new();
        Self { stream, buffer }
    }

    /// The next event; `None` when the stream ends.
    pub(super) async fn next(&mut self) -> Option<Event> {
        timeout(PATIENCE, self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.take() {
                return Some(event);
            }
            let mut bytes = [0; 16 * 1024];
            let count = self.stream.read(&mut bytes).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.buffer += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    fn take(&mut self) -> Option<Event> {
        let start = self.buffer.find("id: ")?;
        let length = self.buffer[start..].find("\n\n")?;
        let text = self.buffer[start..start + length].to_owned();
        self.buffer.drain(..start + length + 2);
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let data = serde_json::from_str(field("data: ")).unwrap();
        Some((field("id: ").to_owned(), field("event: ").to_owned(), data))
    }
}
