//! Where the local API meets the loop and the local media legs.
//!
//! [`seam`] makes the two ends: the loop keeps the [`Publisher`] and the receiver of [`Ask`]s, the API gets the
//! [`Loop`]. The loop publishes first and replies second.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use twocan_api::{ClipStats, KeyPlace, Why};
use twocan_core::command::{Command, Reply};
use twocan_core::event::{Event, Snapshot};
use twocan_core::ids::{CallId, LegId};
use twocan_core::media::flow::Role;
use twocan_core::time::Now;

use super::hub::Hub;
use crate::store::secrets::{CannotMove, Target};

/// Commands waiting for the loop, at most; more wait at the door.
const WAITING: usize = 64;

/// Reads the clock; the loop's own, so that ages come out right.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// Something on its way to the loop. Dropping a reply means that the daemon is shutting down.
#[derive(Debug)]
pub enum Ask {
    /// A command for the core.
    Command {
        /// What is asked.
        command: Command,
        /// Where the answer goes.
        reply: oneshot::Sender<Reply>,
    },
    /// Everything that is stored shall be erased, and then the daemon shall end.
    Erase {
        /// Whether all of it is gone.
        reply: oneshot::Sender<bool>,
    },
    /// The key shall be kept elsewhere.
    MoveKey {
        /// Where.
        to: Target,
        /// What came of it.
        reply: oneshot::Sender<KeyMove>,
    },
}

/// What came of moving the key.
#[derive(Debug)]
pub enum KeyMove {
    /// It is there.
    Done(KeyPlace),
    /// It is where it was.
    Refused(CannotMove),
    /// It is being moved already.
    Busy,
}

/// What the shell knows and the core does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFacts {
    /// The daemon's version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Bound UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// Whether a ring is to be heard.
    pub ring_sound: bool,
    /// Where the key is.
    pub key: KeyPlace,
    /// Standing warnings.
    pub warnings: Vec<Why>,
}

/// The loop's end: says what is, and what changed.
#[derive(Debug)]
pub struct Publisher {
    hub: Arc<Hub>,
}

impl Publisher {
    /// Shows `snapshot` to all clients and tells them of `events`, in order. Call it after each batch of inputs that
    /// gave an event or a reply, and before the replies are sent.
    pub fn publish(&self, snapshot: Snapshot, events: &[Event]) {
        self.hub.publish(snapshot, events);
    }

    /// Replaces the facts; warnings that were not there before, and a key that was moved, are told as events.
    pub fn facts(&self, facts: ServiceFacts) {
        self.hub.set_facts(facts);
    }
}

/// The API's end: a handle that any number of tasks may hold.
#[derive(Clone, Debug)]
pub struct Loop {
    pub(super) hub: Arc<Hub>,
    asks: mpsc::Sender<Ask>,
}

impl Loop {
    /// Sends a command and awaits its answer; `None` when the loop is gone.
    pub async fn ask(&self, command: Command) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::Command { command, reply }).await.ok()?;
        answer.await.ok()
    }

    /// Has everything erased, after which the daemon ends; tells whether all of it is gone. `None` when the loop is gone.
    pub async fn erase(&self) -> Option<bool> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::Erase { reply }).await.ok()?;
        answer.await.ok()
    }

    /// Has the key moved. `None` when the loop is gone.
    pub async fn move_key(&self, to: Target) -> Option<KeyMove> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::MoveKey { to, reply }).await.ok()?;
        answer.await.ok()
    }

    /// Whether there is a loop to ask.
    #[must_use]
    pub fn is_up(&self) -> bool {
        !self.asks.is_closed()
    }
}

/// Makes both ends.
///
/// # Errors
/// When the system gives no random bytes.
pub fn seam(facts: ServiceFacts, clock: Clock) -> anyhow::Result<(Publisher, Loop, mpsc::Receiver<Ask>)> {
    let hub = Arc::new(Hub::new(facts, clock)?);
    let (asks, inbox) = mpsc::channel(WAITING);
    Ok((Publisher { hub: Arc::clone(&hub) }, Loop { hub, asks }, inbox))
}

/// Local media attachments, as the media routes use them (WHIP, RFC 9725).
pub trait Legs: Send + Sync + std::fmt::Debug {
    /// Attaches a leg to a call: takes an SDP offer, gives the leg's number and the SDP answer. A leg of the same
    /// direction is replaced.
    fn offer(&self, call: CallId, role: Role, sdp: String) -> BoxFuture<'_, Result<(LegId, String), LegProblem>>;

    /// Takes further candidates (RFC 8840 fragment). Where the fragment restarts ICE, gives the answering fragment.
    fn trickle(&self, call: CallId, leg: LegId, fragment: String) -> BoxFuture<'_, Result<Option<String>, LegProblem>>;

    /// Takes a leg off its call.
    fn close(&self, call: CallId, leg: LegId) -> BoxFuture<'_, Result<(), LegProblem>>;
}

/// The built-in clip as a leg, for calls without a page.
pub trait Clips: Send + Sync + std::fmt::Debug {
    /// Attaches the clip to a call. It is sent for so many seconds, counted from `active`.
    fn attach(&self, call: CallId, role: Role, seconds: u32) -> BoxFuture<'_, Result<(), LegProblem>>;

    /// What came back so far; `None` where no clip was attached to this call. Asked for until the call leaves the list.
    fn stats(&self, call: CallId) -> Option<ClipStats>;
}

/// Test calls: Echo, a throw-away person in a process of its own.
pub trait Echoes: Send + Sync + std::fmt::Debug {
    /// Has Echo become a contact and calls it; gives the call. When that ends, Echo goes.
    fn call(&self) -> BoxFuture<'_, Result<CallId, EchoProblem>>;
}

/// Why there is no test call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EchoProblem {
    /// One is under way.
    #[error("a test call is under way")]
    UnderWay,
    /// Echo did not start, or was not reached.
    #[error("Echo did not start")]
    NotStarted,
}

/// Why a media request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LegProblem {
    /// The offer or fragment cannot be used; says why, in a sentence for the tool's author.
    #[error("the session description cannot be used: {0}")]
    BadOffer(String),
    /// No such leg on this call.
    #[error("no such leg")]
    NotFound,
    /// The call is over.
    #[error("the call is over")]
    CallEnded,
    /// More legs than one call may have.
    #[error("too many legs")]
    TooMany,
    /// This machine has no network interface but the loopback one, and browsers open no leg over that alone.
    #[error("no network interface but loopback")]
    NoInterface,
    /// Something of ours broke; says what, for the log: no address, no name.
    #[error("{0}")]
    Failed(String),
}
