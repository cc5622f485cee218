//! Accepting connections and speaking HTTP/1.1 on them, all within bounds.
//!
//! The builder is hyper's own for HTTP/1, so a client with prior knowledge of HTTP/2 is refused whatever other crates
//! switch on in hyper.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::FAREWELL;

use super::site::Site;
use super::stall::Stall;

/// Bytes of a request's head, at most.
const HEAD_BYTES: usize = 64 * 1024;
/// After a failed accept, such as for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What one listener's clients may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Connections at a time; more wait in the kernel's queue.
    pub connections: usize,
    /// A request's head must be whole by then; an idle connection is closed by then.
    pub head: Duration,
    /// A write must make progress by then.
    pub write: Duration,
}

impl Limits {
    /// The daemon's own.
    pub(super) const USUAL: Self = Self {
        connections: 128,
        head: Duration::from_secs(30),
        write: Duration::from_secs(30),
    };
}

/// A bound listener.
pub(super) enum Listener {
    Tcp(TcpListener),
    /// With the only user id that may connect.
    Unix(UnixListener, u32),
}

/// Serves until `closing` becomes true or this future is dropped.
pub(super) async fn run(listener: Listener, site: Arc<Site>, limits: Limits, mut closing: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let done = closing.clone();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let (place, accepted) = tokio::select! {
            () = closed(&mut closing) => break,
            Some(_) = connections.join_next() => continue,
            next = next => match next {
                Some(next) => next,
                None => break,
            },
        };
        match accepted {
            Ok(Some(stream)) => {
                let connection = speak(stream, Arc::clone(&site), limits, done.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection to the local API could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    // What is not done by then is aborted with the set.
    let _ = tokio::time::timeout(FAREWELL, finish).await;
}

/// Returns when the daemon shuts down.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server.
    let _ = closing.wait_for(|closing| *closing).await;
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Listener {
    /// The next connection; `None` for one that is turned away.
    async fn accept(&self) -> io::Result<Option<Box<dyn Stream>>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Some(Box::new(stream)))
            }
            Self::Unix(listener, owner) => {
                let (stream, _) = listener.accept().await?;
                Ok(is_owner(&stream, *owner).then(|| Box::new(stream) as Box<dyn Stream>))
            }
        }
    }
}

fn is_owner(stream: &UnixStream, owner: u32) -> bool {
    let peer = stream.peer_cred().map(|credentials| credentials.uid());
    let fits = peer.as_ref().is_ok_and(|peer| *peer == owner);
    if !fits {
        tracing::warn!(?peer, "another user tried to use the API socket");
    }
    fits
}

async fn speak(stream: Box<dyn Stream>, site: Arc<Site>, limits: Limits, mut closing: watch::Receiver<bool>) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(request.map(Body::new)).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(Stall::new(stream, limits.write)), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection to the local API ended badly");
    }
}
