//! Sockets beside the one, for the side of an attempt whose router gives each destination another port: with many of them
//! open, the far side soon guesses the port of one.
//!
//! What they receive passes the same gate as all else, so until a path through one is proven nothing but knocks does. The
//! loop says when they open and close; one that carries a link stays as long as the link.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use twocan_core::reach::via::Via;

use super::socket::{self, Gate};
use super::vias::Carrier;

/// Bytes of the largest datagram that is for us.
const DATAGRAM: usize = 2048;

/// The open ones.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<HashMap<u16, AbortHandle>>);

impl Spares {
    /// Opens a socket with a port of its own. Needs a tokio runtime.
    pub(super) fn open(&self, number: u16, gate: &Arc<Gate>) -> io::Result<()> {
        let spare = Arc::new(Spare::bind(gate.local())?);
        let task = tokio::spawn(receive(Arc::clone(&spare), number, Arc::downgrade(gate)));
        if let Some(before) = self.lock().insert(number, task.abort_handle()) {
            before.abort();
        }
        gate.vias().attach(Via::Spare(number), spare);
        Ok(())
    }

    pub(super) fn close(&self, number: u16, gate: &Gate) {
        if let Some(task) = self.lock().remove(&number) {
            task.abort();
            gate.vias().detach(Via::Spare(number));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u16, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Spare {
    io: UdpSocket,
    is_ipv6: bool,
}

impl Spare {
    /// At the same address as the one socket, with another port.
    fn bind(beside: SocketAddr) -> io::Result<Self> {
        let socket = socket::bind_to(SocketAddr::new(beside.ip(), 0))?;
        Ok(Self {
            io: UdpSocket::from_std(socket)?,
            is_ipv6: beside.is_ipv6(),
        })
    }
}

impl Carrier for Spare {
    fn carry(&self, to: SocketAddr, ttl: Option<u8>, packet: &[u8]) {
        let to = socket::native(to, self.is_ipv6);
        if let Err(error) = socket::send_to(&SockRef::from(&self.io), to, ttl, packet) {
            tracing::debug!(%to, %error, "packet not sent");
        }
    }
}

async fn receive(spare: Arc<Spare>, number: u16, gate: Weak<Gate>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        // An error is the news that an earlier packet did not arrive.
        let Ok((len, from)) = spare.io.recv_from(&mut buffer).await else {
            continue;
        };
        let Some(gate) = gate.upgrade() else { return };
        if let Some(packet) = buffer.get(..len) {
            gate.arrive(from, Via::Spare(number), packet);
        }
    }
}
