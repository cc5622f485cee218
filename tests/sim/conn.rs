//! Simulated QUIC connections.
//!
//! A connection is two ends of fixed addresses (migration is off). Control frames are reliable and ordered while the
//! path works, wait while it does not, and are gone when either end closes. A closing packet that is lost is not
//! repeated for ever, so the far end may live on; a restarted daemon's ends are dead without a word.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::ids::{DeviceKey, LinkId, VisitorId};
use twocan_core::reach::via::Via;

/// The side that dialed.
pub(crate) const DIALER: usize = 0;
/// The side that was dialed.
pub(crate) const LISTENER: usize = 1;

/// One connection.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) ends: [End; 2],
    pub(crate) exporter: [u8; 32],
    /// What is shown at a door, where the connection goes through one.
    pub(crate) door: Option<DoorKeys>,
}

/// The throw-away keys of a connection through a door, the dialer's first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DoorKeys {
    pub(crate) visitor: VisitorId,
    pub(crate) keys: [DeviceKey; 2],
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) host: usize,
    pub(crate) run: u32,
    /// Its machine's address when it began.
    pub(crate) address: SocketAddr,
    /// Its socket.
    pub(crate) via: Via,
    /// Where it takes the other end to be.
    pub(crate) remote: SocketAddr,
    /// Set once the handshake is done at this end.
    pub(crate) link: Option<LinkId>,
    pub(crate) closed: bool,
    /// Frames that this end sent, with the moment at which each may arrive.
    pub(crate) outbox: VecDeque<(Duration, Vec<u8>)>,
    /// Whether the arrival of the first frame is in the event queue.
    pub(crate) moving: bool,
}

impl End {
    pub(crate) const fn new(host: usize, run: u32, address: SocketAddr, via: Via, remote: SocketAddr) -> Self {
        Self {
            host,
            run,
            address,
            via,
            remote,
            link: None,
            closed: false,
            outbox: VecDeque::new(),
            moving: false,
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.link.is_some() && !self.closed
    }
}
