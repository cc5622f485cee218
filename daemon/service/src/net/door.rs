//! The door, as packets see it.
//!
//! While it is open, any Initial of version 1 passes the gate. Its source must first prove that it is there (Retry, RFC 9000,
//! section 8.1.2); then the loop says whether it may come in, and only then the handshake begins, with the TLS key of this
//! opening. While it is closed nothing here answers anything. The time of an opening is counted here as well, so that a
//! loop that is late does not leave the door open.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quinn::{ConnectionError, Incoming, ServerConfig, TransportErrorCode};
use tokio::sync::oneshot;
use tokio::time::timeout;
use twocan_core::bounds;
use twocan_core::crypto::Secret;
use twocan_core::ids::{DialId, VisitorId};
use twocan_core::io::Input;

use super::tls::Tls;
use super::{Shared, link, open, quic, socket};

/// Visitors who wait for the loop's word; more are not heard.
const WAITING: usize = 8;

/// Whether the door is open, and who waits there.
#[derive(Debug, Default)]
pub(super) struct Door {
    opening: Mutex<Option<Opening>>,
    waiting: Mutex<HashMap<VisitorId, oneshot::Sender<bool>>>,
    visitors: AtomicU64,
}

#[derive(Debug)]
struct Opening {
    config: Arc<ServerConfig>,
    until: Instant,
}

impl Door {
    /// Opens it for a while, with a TLS key of its own.
    pub(super) fn open(&self, seed: &Secret, valid_for: Duration) -> anyhow::Result<()> {
        let config = Arc::new(quic::server_config(&Tls::for_door(&seed.0)?)?);
        let opening = Instant::now().checked_add(valid_for);
        *lock(&self.opening) = opening.map(|until| Opening { config, until });
        Ok(())
    }

    pub(super) fn close(&self) {
        *lock(&self.opening) = None;
    }

    /// Whether strangers may ask now.
    pub(super) fn is_open(&self) -> bool {
        self.config().is_some()
    }

    fn config(&self) -> Option<Arc<ServerConfig>> {
        let opening = lock(&self.opening);
        let opening = opening.as_ref().filter(|opening| Instant::now() < opening.until)?;
        Some(Arc::clone(&opening.config))
    }

    /// The loop's word about a visitor.
    pub(super) fn decide(&self, visitor: VisitorId, may_enter: bool) {
        if let Some(verdict) = lock(&self.waiting).remove(&visitor) {
            // Whoever waited for too long is gone.
            let _ = verdict.send(may_enter);
        }
    }

    fn queue(&self) -> Option<(VisitorId, oneshot::Receiver<bool>)> {
        let mut waiting = lock(&self.waiting);
        waiting.retain(|_, verdict| !verdict.is_closed());
        if waiting.len() >= WAITING {
            return None;
        }
        let visitor = VisitorId(self.visitors.fetch_add(1, Ordering::Relaxed));
        let (verdict, word) = oneshot::channel();
        waiting.insert(visitor, verdict);
        Some((visitor, word))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes up what nobody with a secret of ours has sent.
pub(super) fn meet(shared: &Arc<Shared>, incoming: Incoming) {
    let Some(config) = shared.door.config() else {
        return incoming.ignore();
    };
    if !incoming.remote_address_validated() {
        if let Err(error) = incoming.retry() {
            error.into_incoming().ignore();
        }
        return;
    }
    match shared.door.queue() {
        Some((visitor, word)) => {
            let entry = enter(Arc::clone(shared), incoming, config, visitor, word);
            shared.runtime.spawn(entry);
        }
        None => incoming.ignore(),
    }
}

/// Asks the loop, and does what it says.
async fn enter(
    shared: Arc<Shared>,
    incoming: Incoming,
    config: Arc<ServerConfig>,
    visitor: VisitorId,
    word: oneshot::Receiver<bool>,
) {
    let from = socket::plain(incoming.remote_address());
    shared.tell(Input::Visitor { visitor, from }).await;
    match timeout(bounds::DOOR_ENTRY, word).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return incoming.refuse(),
        Ok(Err(_)) | Err(_) => return incoming.ignore(),
    }
    let opened = async { super::answer(incoming.accept_with(config)?, Some(visitor)).await };
    match timeout(bounds::DOOR_ENTRY, opened).await {
        Ok(Ok(opened)) => link::run(shared, opened).await,
        Ok(Err(error)) => tracing::debug!(error = format!("{error:#}"), "a visitor did not come in"),
        Err(_) => tracing::debug!("a visitor was too slow"),
    }
}

/// Rings at somebody's door.
pub(super) async fn ring(shared: Arc<Shared>, dial: DialId, to: std::net::SocketAddr, seed: Secret) {
    let config = Tls::for_door(&seed.0).and_then(|tls| quic::door_client_config(&tls));
    let opened = match config {
        Ok(config) => timeout(bounds::DIAL, open(&shared.endpoint, config, dial, to)).await,
        Err(error) => Ok(Err(error)),
    };
    match opened {
        Ok(Ok(opened)) => return link::run(shared, opened).await,
        Ok(Err(error)) if is_refusal(&error) => return shared.tell(Input::TurnedAway { dial }).await,
        Ok(Err(error)) => tracing::debug!(dial = dial.0, error = format!("{error:#}"), "no door was found"),
        Err(_) => tracing::debug!(dial = dial.0, "no door was found in time"),
    }
    shared.dial_failed(Some(dial)).await;
}

fn is_refusal(error: &anyhow::Error) -> bool {
    let refused = TransportErrorCode::CONNECTION_REFUSED;
    let closed = error.downcast_ref::<ConnectionError>();
    matches!(closed, Some(ConnectionError::ConnectionClosed(close)) if close.error_code == refused)
}
