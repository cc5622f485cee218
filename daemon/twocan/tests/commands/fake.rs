//! A daemon made of canned answers: what it is asked it writes down, what it announces the test decides.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Answers one request: method, path and body in; status and body out. It may announce events meanwhile.
type Script = dyn Fn(&Hub, &str, &str, &str) -> (u16, Value) + Send + Sync;

/// What the script works with.
#[derive(Default)]
pub(crate) struct Hub {
    streams: Mutex<Vec<mpsc::UnboundedSender<Bytes>>>,
    asked: Mutex<Vec<String>>,
}

impl Hub {
    /// Announces an event to every open stream.
    pub(crate) fn announce(&self, name: &str, data: &Value) {
        let text = Bytes::from(format!("id: 1-1\nevent: {name}\ndata: {data}\n\n"));
        self.streams
            .lock()
            .unwrap()
            .retain(|stream| stream.send(text.clone()).is_ok());
    }

    /// Announces the call `c1` in these states.
    pub(crate) fn call_states(&self, states: &[(&str, Value)]) {
        for (state, reason) in states {
            self.announce("call", &call("c1", "out", state, reason));
        }
    }

    /// `METHOD /path` of everything asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn subscribe(&self) -> mpsc::UnboundedReceiver<Bytes> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let snapshot = json!({"status": status(), "contacts": [], "calls": [], "invites": [], "door": {"open": false}});
        sender
            .send(Bytes::from(format!("event: snapshot\ndata: {snapshot}\n\n")))
            .unwrap();
        self.streams.lock().unwrap().push(sender);
        receiver
    }
}

/// A running fake and the home that leads to it.
pub(crate) struct Fake {
    home: tempfile::TempDir,
    pub(crate) hub: Arc<Hub>,
    /// Serves for as long as it is there.
    _runtime: Runtime,
}

impl Fake {
    pub(crate) fn start(script: impl Fn(&Hub, &str, &str, &str) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let home = tempfile::tempdir().unwrap();
        let hub = Arc::new(Hub::default());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();
        let guard = runtime.enter();
        let listener = UnixListener::bind(home.path().join("run/api.sock")).unwrap();
        drop(guard);
        runtime.spawn(serve(listener, Arc::clone(&hub), Arc::new(script)));
        Self {
            home,
            hub,
            _runtime: runtime,
        }
    }

    /// Runs a command against it to its end.
    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::of(self.spawn(line).wait_with_output().unwrap())
    }

    /// Starts a command against it.
    pub(crate) fn spawn(&self, line: &str) -> Child {
        twocan(self.home.path(), line)
    }
}

/// Starts the binary with a home.
pub(crate) fn twocan(home: &Path, line: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twocan"));
    command.args(line.split_whitespace()).env("TWOCAN_HOME", home);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Standard output as the one JSON body that it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

async fn serve(listener: UnixListener, hub: Arc<Hub>, script: Arc<Script>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (hub, script) = (Arc::clone(&hub), Arc::clone(&script));
        let service = service_fn(move |request| answer(request, Arc::clone(&hub), Arc::clone(&script)));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    hub: Arc<Hub>,
    script: Arc<Script>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    if path == "/v1/events" {
        return Ok(Response::new(BoxBody::new(Stream(hub.subscribe()))));
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    hub.asked.lock().unwrap().push(format!("{method} {path}"));
    let (status, json) = script(&hub, &method, &path, std::str::from_utf8(&body).unwrap());
    let body = Full::new(Bytes::from(json.to_string()));
    Ok(Response::builder().status(status).body(BoxBody::new(body)).unwrap())
}

/// A body that goes on for as long as somebody sends.
struct Stream(mpsc::UnboundedReceiver<Bytes>);

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

pub(crate) fn status() -> Value {
    json!({
        "version": "0.1.0", "pid": 7, "udp": ["127.0.0.1:1"], "control": "http://127.0.0.1:2",
        "page": "http://127.0.0.1:3", "person": {"id": "p", "name": "Me"}, "device": {"id": "d", "name": "desk"},
        "presence": "available", "warnings": [{"code": "w", "text": "The key is a file.", "fix": "Mind the folder."}],
    })
}

pub(crate) fn call(id: &str, direction: &str, state: &str, reason: &Value) -> Value {
    json!({
        "id": id, "direction": direction, "state": state, "contact": "k1", "peer": {"name": "Ann"},
        "media": {"audio": true, "video": true}, "reason": reason,
    })
}

pub(crate) fn contact(id: &str, name: &str, state: &str) -> Value {
    json!({
        "id": id, "name": name, "state": state, "verified": false, "reachable": "yes", "why": null, "path": null,
        "devices": [],
    })
}

pub(crate) fn list(items: &[Value]) -> Value {
    json!({"items": items, "next": null})
}

pub(crate) fn problem(status: u16, code: &str) -> (u16, Value) {
    let body = json!({
        "type": "about:blank", "status": status, "code": code, "title": "It cannot be done.", "detail": "Do that.",
    });
    (status, body)
}
