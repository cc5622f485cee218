//! One link: a QUIC connection whose control stream is open.
//!
//! A connection is a link from the moment when its handshake is complete and the control stream usable; before that a
//! failure is a failed dial, or nothing. The loop learns [`Input::LinkUp`] first, then frames in order, then
//! [`Input::LinkDown`] once. The control reader waits when the loop is behind; keep-alives are dropped then, as they are
//! on any network. They pass beside QUIC, through the socket itself.
//!
//! A far side that sends what is none of ours loses the link with [`close_code::GARBAGE`]; the first such thing is
//! logged, without an address, and nothing after it is looked at.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use quinn::{Connection, ConnectionError, RecvStream, SendDatagramError, SendStream, VarInt};
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::time::timeout;
use twocan_core::bounds::close_code;
use twocan_core::ids::{DeviceKey, DialId, LinkId, VisitorId};
use twocan_core::io::{Input, LinkUp};
use twocan_core::media::flow;
use twocan_core::media::fragment::{self, Reassembler};
use twocan_core::reach::pulse::Pulse;
use twocan_core::reach::via::Via;

use super::frames::{self, End};
use super::{Shared, tls, vias};
use crate::media::MediaSender;

/// Frames waiting to be written.
const QUEUE: usize = 256;
/// How long a closing link may take to deliver what it was asked to send before.
pub(super) const FLUSH: Duration = Duration::from_millis(300);
/// How long after the end of its control stream the far side may take to close the connection.
const FAREWELL: Duration = Duration::from_secs(1);
/// Datagrams read before the connection gets a turn: a sink that answers each one at once must not fill the send buffer
/// before any of it is sent.
const READ_AT_ONCE: usize = 16;
/// The label of the TLS exporter (RFC 8446, section 7.5).
const EXPORTER: &[u8] = b"twocan link";

/// A connection that became a link, as the handle holds it.
#[derive(Debug)]
pub(super) struct Link {
    id: LinkId,
    connection: Connection,
    queue: mpsc::Sender<Outgoing>,
    sender: Arc<LinkSender>,
    pulse: Mutex<Pulse>,
    /// Set once we close: nothing that still arrives is delivered.
    closing: AtomicBool,
}

/// What the control stream's writer is given.
#[derive(Debug)]
enum Outgoing {
    Frame(Vec<u8>),
    Close(u32),
}

/// A connection with its control stream, about to become a link.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) dial: Option<DialId>,
    pub(super) visitor: Option<VisitorId>,
    pub(super) send: SendStream,
    pub(super) recv: RecvStream,
}

/// What is known of a link's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkStats {
    /// The smoothed round trip.
    pub rtt: Duration,
    /// QUIC packets sent.
    pub sent_packets: u64,
    /// QUIC packets that were declared lost.
    pub lost_packets: u64,
    /// Datagrams that were dropped unsent because more were waiting than the buffer holds.
    pub dropped_datagrams: u64,
    /// UDP payload bytes that the path carries in one packet, as far as it is known.
    pub mtu: u16,
    /// Bytes of the largest datagram, flow id included, that needs no fragments.
    pub max_datagram: usize,
}

impl Link {
    /// Queues one frame.
    pub(super) fn send(&self, bytes: Vec<u8>) {
        if frames::head(bytes.len()).is_none() {
            tracing::error!(
                link = self.id.0,
                len = bytes.len(),
                "a control frame of impossible length was to be sent"
            );
        } else if self.queue.try_send(Outgoing::Frame(bytes)).is_err() {
            self.too_slow();
        }
    }

    /// One keep-alive, sealed, and where it goes; `None` where there is nothing to be said any more.
    pub(super) fn seal_alive(&self, bytes: &[u8]) -> Option<((SocketAddr, Via), Vec<u8>)> {
        let packet = self.pulse().seal(bytes)?;
        Some((vias::split(self.connection.remote_address()), packet))
    }

    /// What a keep-alive says that came from `from`. QUIC hears of one address alone, so another proves nothing but that the
    /// far side may be there.
    pub(super) fn open_alive(&self, packet: &[u8], from: SocketAddr) -> Option<Vec<Input>> {
        if self.is_closing() {
            return None;
        }
        let (link, bytes) = (self.id, self.pulse().open(packet)?);
        if self.connection.remote_address() != from {
            let (from, via) = vias::split(from);
            return Some(vec![Input::Moved { link, from, via }]);
        }
        let rtt = self.connection.rtt();
        Some(vec![Input::Rtt { link, rtt }, Input::Alive { link, bytes }])
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this link's media goes out.
    pub(super) fn media_sender(&self) -> Arc<LinkSender> {
        Arc::clone(&self.sender)
    }

    /// Closes the link when what was queued is delivered, within [`FLUSH`].
    pub(super) async fn close(&self, code: u32) {
        self.closing.store(true, Ordering::Relaxed);
        if self.queue.try_send(Outgoing::Close(code)).is_ok() {
            let _ = timeout(FLUSH, self.connection.closed()).await;
        }
        self.connection.close(VarInt::from_u32(code), &[]);
    }

    pub(super) fn stats(&self) -> LinkStats {
        let path = self.connection.stats().path;
        LinkStats {
            rtt: path.rtt,
            sent_packets: path.sent_packets,
            lost_packets: path.lost_packets,
            dropped_datagrams: self.sender.dropped.load(Ordering::Relaxed),
            mtu: path.current_mtu,
            max_datagram: self.connection.max_datagram_size().unwrap_or(0),
        }
    }

    pub(super) const fn id(&self) -> LinkId {
        self.id
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    fn too_slow(&self) {
        if !self.closing.swap(true, Ordering::Relaxed) {
            tracing::warn!(link = self.id.0, "link closed: the far side does not read");
            self.connection.close(VarInt::from_u32(close_code::TOO_MUCH), &[]);
        }
    }

    fn garbage(&self, what: &'static str) {
        if !self.closing.swap(true, Ordering::Relaxed) {
            tracing::warn!(link = self.id.0, what, "link closed: the far side sent garbage");
            self.connection.close(VarInt::from_u32(close_code::GARBAGE), &[]);
        }
    }
}

/// Sends one link's datagrams.
#[derive(Debug)]
pub(super) struct LinkSender {
    connection: Connection,
    next_fragment: AtomicU16,
    dropped: AtomicU64,
}

impl LinkSender {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            next_fragment: AtomicU16::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Sends `datagram`, or the oldest that wait give way to it.
    fn datagram(&self, datagram: Bytes) -> Result<(), SendDatagramError> {
        let crowded = self.connection.datagram_send_buffer_space() < datagram.len();
        let sent = self.connection.send_datagram(datagram);
        if crowded && sent.is_ok() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }

    /// The path's limit may change at any moment, so what it is told by is the refusal of a whole datagram.
    fn fragments(&self, datagram: &[u8]) {
        let most = self.connection.max_datagram_size().unwrap_or(0);
        let id = self.next_fragment.fetch_add(1, Ordering::Relaxed);
        match fragment::split(datagram, most, id) {
            Ok(halves) => halves.into_iter().for_each(|half| {
                let _ = self.datagram(half.into());
            }),
            Err(error) => tracing::debug!(len = datagram.len(), most, %error, "packet not sent"),
        }
    }
}

impl MediaSender for LinkSender {
    fn send(&self, flow: u64, packet: &[u8]) {
        let datagram = frames::datagram(flow, packet);
        match self.datagram(datagram.clone()) {
            Err(SendDatagramError::TooLarge) => self.fragments(&datagram),
            Ok(())
            | Err(
                SendDatagramError::UnsupportedByPeer
                | SendDatagramError::Disabled
                | SendDatagramError::ConnectionLost(_),
            ) => {}
        }
    }
}

/// Runs a link from its first moment to its last.
pub(super) async fn run(shared: Arc<Shared>, opened: Opened) {
    let Opened {
        connection,
        dial,
        visitor,
        send,
        mut recv,
    } = opened;
    let id = shared.next_link();
    let up = match introduce(&connection, id, dial, visitor) {
        Ok(up) => up,
        Err(error) => {
            tracing::error!(%error, "a finished handshake without key or exporter");
            connection.close(VarInt::from_u32(close_code::GARBAGE), &[]);
            shared.dial_failed(dial).await;
            return;
        }
    };
    let (queue, outgoing) = mpsc::channel(QUEUE);
    let sender = Arc::new(LinkSender::new(connection.clone()));
    let pulse = Pulse::new(&up.exporter, dial.is_some());
    let tag = pulse.tag();
    let link = Arc::new(Link {
        id,
        connection,
        queue,
        sender,
        pulse: Mutex::new(pulse),
        closing: AtomicBool::new(false),
    });
    shared.insert(id, Arc::clone(&link));
    shared.tell(Input::LinkUp(up)).await;
    shared.gate.hear(tag, Arc::clone(&link));

    let datagrams = tokio::spawn(read_datagrams(Arc::clone(&shared), Arc::clone(&link)));
    tokio::select! {
        biased;
        () = read_control(&shared, &link, &mut recv) => {}
        never = write_control(&link.connection, send, outgoing) => match never {},
    }
    datagrams.abort();
    shared.gate.forget(tag, id);
    shared.remove(id);
    shared
        .tell(Input::LinkDown {
            link: id,
            code: far_code(&link),
        })
        .await;
}

fn introduce(
    connection: &Connection,
    link: LinkId,
    dial: Option<DialId>,
    visitor: Option<VisitorId>,
) -> anyhow::Result<LinkUp> {
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, EXPORTER, &[])
        .map_err(|_| anyhow!("no exporter"))?;
    let (remote, via) = vias::split(connection.remote_address());
    Ok(LinkUp {
        link,
        dial,
        visitor,
        peer: peer_key(connection)?,
        remote,
        via,
        exporter,
    })
}

fn peer_key(connection: &Connection) -> anyhow::Result<DeviceKey> {
    let identity = connection.peer_identity().context("no identity")?;
    let keys = identity
        .downcast::<Vec<CertificateDer<'static>>>()
        .map_err(|_| anyhow!("not a rustls identity"))?;
    keys.first()
        .and_then(|spki| tls::device_key(spki))
        .context("no raw key")
}

/// The far side's close code; quinn's own complaint about the far side is logged here, as garbage is.
fn far_code(link: &Link) -> Option<u64> {
    match link.connection.close_reason()? {
        ConnectionError::ApplicationClosed(close) => Some(close.error_code.into_inner()),
        ConnectionError::TransportError(error) => {
            tracing::warn!(link = link.id.0, code = %error.code, "link closed: the far side broke QUIC's rules");
            None
        }
        ConnectionError::VersionMismatch
        | ConnectionError::ConnectionClosed(_)
        | ConnectionError::Reset
        | ConnectionError::TimedOut
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => None,
    }
}

/// Delivers frames until the connection is gone, which it is when this returns.
async fn read_control(shared: &Shared, link: &Link, recv: &mut RecvStream) {
    let end = loop {
        match frames::read_frame(recv).await {
            Ok(_) if link.is_closing() => {}
            Ok(bytes) => shared.tell(Input::Control { link: link.id, bytes }).await,
            Err(end) => break end,
        }
    };
    match end {
        End::Lost => {}
        End::Garbage(what) => link.garbage(what),
        End::Finished => {
            if timeout(FAREWELL, link.connection.closed()).await.is_err() {
                link.garbage("the control stream ended");
            }
        }
    }
    link.connection.closed().await;
}

/// Writes frames until it is dropped; a lost connection is the reader's business.
async fn write_control(
    connection: &Connection,
    mut send: SendStream,
    mut queue: mpsc::Receiver<Outgoing>,
) -> Infallible {
    while let Some(outgoing) = queue.recv().await {
        let written = match outgoing {
            Outgoing::Frame(bytes) => write_frame(&mut send, bytes).await.is_ok(),
            Outgoing::Close(code) => {
                flush(&mut send).await;
                connection.close(VarInt::from_u32(code), &[]);
                false
            }
        };
        if !written {
            break;
        }
    }
    pending().await
}

async fn write_frame(send: &mut SendStream, bytes: Vec<u8>) -> Result<(), quinn::WriteError> {
    let head = frames::head(bytes.len()).unwrap_or_default();
    let mut chunks = [Bytes::copy_from_slice(&head), Bytes::from(bytes)];
    send.write_all_chunks(&mut chunks).await
}

async fn flush(send: &mut SendStream) {
    if send.finish().is_ok() {
        let _ = send.stopped().await;
    }
}

async fn read_datagrams(shared: Arc<Shared>, link: Arc<Link>) {
    let mut joiner = Reassembler::default();
    let mut read = 0_usize;
    while let Ok(datagram) = link.connection.read_datagram().await {
        read = read.wrapping_add(1);
        if read.is_multiple_of(READ_AT_ONCE) {
            tokio::task::yield_now().await;
        }
        if link.is_closing() {
            return;
        }
        match frames::split(&datagram) {
            Some((flow::FRAGMENT, half)) => {
                if let Some(whole) = joiner.push(&half) {
                    media(&shared, &link, &whole.into());
                }
            }
            Some(_) | None => media(&shared, &link, &datagram),
        }
    }
}

/// Hands one media packet over; what came in fragments can be nothing else.
fn media(shared: &Shared, link: &Link, datagram: &Bytes) {
    match frames::split(datagram) {
        Some((id, packet)) if id >= flow::FIRST_CALL_BASE => shared.deliver(link.id, id, packet),
        Some(_) => link.garbage("a datagram of an unknown flow"),
        None => link.garbage("a datagram without a flow"),
    }
}
