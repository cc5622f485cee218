//! One HTTP/1.1 exchange over the Unix socket.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
pub(super) use hyper::Method;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::ClientError;
use crate::WAITING_FILE;
use crate::types::{Problem, Why};

/// The longest wait for an answer; the slowest request is a ping, which the daemon ends by itself sooner.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest body that is read.
const MOST_BYTES: usize = 64 << 20;

/// Sends one request and gives the body of the success that answers it.
pub(super) async fn exchange(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<String, ClientError> {
    let whole = async {
        let response = send(socket, method, path, body, "application/json").await?;
        let status = response.status();
        let text = read(response).await?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(refusal(status, text))
        }
    };
    in_time(whole).await
}

/// Opens a stream of events; the answer's head comes in time, its body whenever it likes.
pub(super) async fn stream(socket: &Path, path: &str) -> Result<Incoming, ClientError> {
    let head = async {
        let response = send(socket, Method::GET, path, None, "text/event-stream").await?;
        let status = response.status();
        if status.is_success() {
            Ok(response.into_body())
        } else {
            Err(refusal(status, read(response).await?))
        }
    };
    in_time(head).await
}

async fn in_time<T>(work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(ClientError::TimedOut {
            seconds: PATIENCE.as_secs(),
        }),
    }
}

async fn send(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
    accept: &str,
) -> Result<Response<Incoming>, ClientError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|source| unconnected(socket, source))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    // The connection lives for as long as its one answer is read: it ends when sender and body are dropped.
    drop(tokio::spawn(connection));
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "localhost")
        .header(ACCEPT, accept);
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let request = request
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .map_err(|error| ClientError::Http(error.to_string()))?;
    sender.send_request(request).await.map_err(|error| broken(&error))
}

async fn read(response: Response<Incoming>) -> Result<String, ClientError> {
    let limited = Limited::new(response.into_body(), MOST_BYTES);
    let bytes = limited
        .collect()
        .await
        .map_err(|error| ClientError::Http(error.to_string()))?
        .to_bytes();
    String::from_utf8(bytes.into()).map_err(|error| ClientError::Http(error.to_string()))
}

/// A socket file without a listener is what a killed daemon leaves; both count as "not running".
fn unconnected(socket: &Path, source: std::io::Error) -> ClientError {
    let socket = socket.to_path_buf();
    if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) {
        let waiting = waiting(&socket);
        ClientError::NotRunning { socket, waiting }
    } else {
        ClientError::Connect { socket, source }
    }
}

/// What the daemon waits for that will listen on this socket. A file that nobody has locked is of one that is gone.
fn waiting(socket: &Path) -> Option<Why> {
    let mut file = File::open(socket.with_file_name(WAITING_FILE)).ok()?;
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// A daemon that exits in the middle resets or closes; anything else is not HTTP.
fn broken(error: &hyper::Error) -> ClientError {
    if error.is_parse() {
        ClientError::Http(error.to_string())
    } else {
        ClientError::Gone
    }
}

fn refusal(status: StatusCode, json: String) -> ClientError {
    match serde_json::from_str::<Problem>(&json) {
        Ok(problem) => ClientError::Problem {
            problem: Box::new(problem),
            json,
        },
        Err(_) => ClientError::Status {
            status: status.as_u16(),
        },
    }
}
