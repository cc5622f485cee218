//! The one UDP socket, and the gate in front of the QUIC stack.
//!
//! Every datagram is sorted here, segment by segment where the kernel joined several: knocks and STUN go to the loop, keep-alives
//! of links too once they are opened, QUIC packets that [`demux::admits`] go to quinn, answers of DHT nodes that were [`super::pinged`] to
//! the loop, all else vanishes and is counted.
//! While the door is closed quinn never sees a packet that somebody without a secret of ours can have made, so nothing
//! answers a stranger.
//!
//! quinn is given IPv6 addresses alone: IPv4 ones are mapped, also where the socket knows no others, and what is behind
//! something else than this socket has one of the [`vias`]. The loop is given, and gives, plain ones. Here they are
//! translated, and nowhere else.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use twocan_core::bounds::PORT;
use twocan_core::demux::{self, Class};
use twocan_core::ids::LinkId;
use twocan_core::io::Input;
use twocan_core::reach::krpc;
use twocan_core::reach::pulse::Tag;
use twocan_core::reach::via::Via;

use super::admission::Admissions;
use super::cid::CidKey;
use super::door::Door;
use super::link::Link;
use super::lull::Lull;
use super::pinged::Pinged;
use super::relays::Relays;
use super::vias::{self, Vias};

/// How many ports after the default one are tried before the system chooses.
const PORTS_TRIED: u16 = 100;
/// Bytes of the largest knock, relay frame or STUN message.
const KNOCK_MOST: usize = 1500;
/// Bytes that the kernel may hold in each direction, where it grants so many.
const KERNEL_BUFFER: usize = 1 << 20;

/// Where the socket is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpBind {
    /// Dual-stack on port 2226, or the next free port; IPv4 only where the system has no IPv6.
    Default,
    /// Exactly there; port 0 lets the system choose. An IPv4 address makes an IPv4-only socket.
    Explicit(SocketAddr),
}

/// How many datagrams went where since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketStats {
    /// Knocks, STUN messages and answers of DHT nodes handed to the loop.
    pub knocks: u64,
    /// Those dropped because the loop was behind.
    pub knocks_dropped: u64,
    /// QUIC packets handed to the QUIC stack.
    pub quic: u64,
    /// QUIC packets that nobody we know can have made.
    pub quic_refused: u64,
    /// What is too large, keep-alives of no link, and what is nothing of ours.
    pub other: u64,
}

#[derive(Debug, Default)]
struct Counters {
    knocks: AtomicU64,
    knocks_dropped: AtomicU64,
    quic: AtomicU64,
    quic_refused: AtomicU64,
    other: AtomicU64,
}

/// What a QUIC packet may pass by.
pub(super) struct Passes {
    pub(super) cids: CidKey,
    pub(super) admissions: Arc<Admissions>,
    pub(super) door: Arc<Door>,
}

/// The socket as quinn sees it: everything passes through the gate.
pub(super) struct Gate {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    passes: Passes,
    events: mpsc::Sender<Input>,
    counters: Counters,
    lull: Lull,
    vias: Vias,
    relays: Relays,
    pinged: Pinged,
    /// The links, by the tag of what comes for them.
    pulses: Mutex<HashMap<Tag, Arc<Link>>>,
}

impl Gate {
    /// Binds the socket. Needs a tokio runtime, whose reactor it joins.
    pub(super) fn bind(bind: UdpBind, passes: Passes, events: mpsc::Sender<Input>) -> io::Result<Self> {
        let socket = match bind {
            UdpBind::Default => bind_default()?,
            UdpBind::Explicit(address) => bind_to(address)?,
        };
        let state = UdpSocketState::new((&socket).into())?;
        let io = UdpSocket::from_std(socket)?;
        let local = io.local_addr()?;
        Ok(Self {
            io,
            state,
            local,
            passes,
            events,
            counters: Counters::default(),
            lull: Lull::default(),
            vias: Vias::default(),
            relays: Relays::default(),
            pinged: Pinged::default(),
            pulses: Mutex::default(),
        })
    }

    /// The bound address.
    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends one datagram past quinn; what the kernel does not take at once is lost, as on any network.
    pub(super) fn transmit(&self, to: SocketAddr, via: Via, ttl: Option<u8>, bytes: &[u8]) {
        if via != Via::Own {
            return self.vias.carry(via, to, ttl, bytes, bytes.len());
        }
        if krpc::is_krpc(bytes) {
            self.pinged.note(to);
        }
        let to = native(to, self.local.is_ipv6());
        if let Err(error) = send_to(&SockRef::from(&self.io), to, ttl, bytes) {
            tracing::debug!(%to, %error, "knock not sent");
        }
    }

    /// The ways beside this socket.
    pub(super) const fn vias(&self) -> &Vias {
        &self.vias
    }

    /// The relays that we use, and those who use us.
    pub(super) const fn relays(&self) -> &Relays {
        &self.relays
    }

    /// Frames come straight from a relay or from those who use us, never through anybody else.
    fn take_frame(&self, frame: &[u8], from: SocketAddr) {
        if vias::is_made(&from) || frame.len() > KNOCK_MOST {
            return count(&self.counters.other);
        }
        self.relays.take(self, plain(from), frame);
    }

    /// Takes a packet that came in by another way than this socket.
    pub(super) fn arrive(&self, from: SocketAddr, via: Via, packet: &[u8]) {
        let Some(from) = vias::join(via, from) else {
            return count(&self.counters.other);
        };
        if self.is_for_quinn(packet, from) {
            self.vias.push(from, packet);
        }
    }

    /// The counters as they stand.
    pub(super) fn stats(&self) -> SocketStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SocketStats {
            knocks: read(&self.counters.knocks),
            knocks_dropped: read(&self.counters.knocks_dropped),
            quic: read(&self.counters.quic),
            quic_refused: read(&self.counters.quic_refused),
            other: read(&self.counters.other),
        }
    }

    /// An address of quinn's as the socket takes it.
    fn as_bound(&self, address: SocketAddr) -> SocketAddr {
        if self.local.is_ipv6() { address } else { plain(address) }
    }

    /// Takes what is not for quinn out of one received buffer. Packets that stay are moved together at its front, so
    /// that each but the last still has the length of `meta.stride`.
    fn sift(&self, buffer: &mut [u8], meta: &mut RecvMeta) {
        // A source that stands for something else can only be forged.
        let len = if vias::is_made(&meta.addr) {
            0
        } else {
            meta.len.min(buffer.len())
        };
        meta.addr = native(meta.addr, true);
        let stride = meta.stride.max(1);
        let (mut at, mut kept) = (0, 0);
        while at < len {
            let end = len.min(at.saturating_add(stride));
            if buffer
                .get(at..end)
                .is_some_and(|packet| self.is_for_quinn(packet, meta.addr))
            {
                buffer.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        meta.len = kept;
    }

    fn sift_all(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta], count: usize) {
        for (buffer, meta) in buffers.iter_mut().zip(metas).take(count) {
            self.sift(buffer, meta);
        }
    }

    /// Half of the buffers are for what came in by other ways, the rest for the socket, so that neither waits for the other.
    fn recv_both(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) -> usize {
        let half = buffers.len().min(metas.len()).div_ceil(2);
        let (Some(some), Some(some_metas)) = (buffers.get_mut(..half), metas.get_mut(..half)) else {
            return 0;
        };
        let taken = self.vias.take(some, some_metas);
        let (Some(rest), Some(rest_metas)) = (buffers.get_mut(taken..), metas.get_mut(taken..)) else {
            return taken;
        };
        let received = self.io.try_io(Interest::READABLE, || {
            self.state.recv((&self.io).into(), rest, rest_metas)
        });
        let received = received.unwrap_or_default();
        self.sift_all(rest, rest_metas, received);
        taken + received
    }

    fn is_for_quinn(&self, packet: &[u8], from: SocketAddr) -> bool {
        let class = packet.first().copied().map(demux::classify);
        if class != Some(Class::Pulse) {
            self.lull.stir();
        }
        match class {
            Some(class @ (Class::Knock | Class::Stun)) if packet.len() <= KNOCK_MOST => {
                self.hand_over(class, packet, from);
                false
            }
            Some(Class::Relay) => {
                self.take_frame(packet, from);
                false
            }
            Some(Class::Pulse) => {
                self.hand_alive_over(packet, from);
                false
            }
            Some(Class::Quic) if self.answers_ping(packet, from) => false,
            Some(Class::Quic) => self.is_admitted(packet),
            Some(Class::Knock | Class::Stun | Class::Other) | None => {
                count(&self.counters.other);
                false
            }
        }
    }

    /// A connection id such as a connection has.
    #[cfg(test)]
    pub(super) fn own_cid(&self) -> quinn::ConnectionId {
        quinn_proto::ConnectionIdGenerator::generate_cid(&mut self.passes.cids.clone())
    }

    /// Whether a packet may be the answer of a DHT node that was asked; if so the loop has it. What quinn would take is none.
    fn answers_ping(&self, packet: &[u8], from: SocketAddr) -> bool {
        let is_krpc = krpc::is_krpc(packet) && !vias::is_made(&from) && packet.len() <= KNOCK_MOST;
        if !is_krpc || !self.pinged.awaits(plain(from)) || self.may_enter(packet) {
            return false;
        }
        let (from, bytes) = (plain(from), packet.to_vec());
        self.tell(Input::Krpc { from, bytes });
        true
    }

    fn may_enter(&self, packet: &[u8]) -> bool {
        demux::admits(
            packet,
            |cid| self.passes.cids.issued(cid),
            |token| self.passes.admissions.admitted(token),
            || self.passes.door.is_open(),
        )
    }

    fn is_admitted(&self, packet: &[u8]) -> bool {
        let admitted = self.may_enter(packet);
        count(if admitted {
            &self.counters.quic
        } else {
            &self.counters.quic_refused
        });
        admitted
    }

    /// Leaves the socket alone for a moment, where nobody waits for anything. It is the thread that sleeps and not the task, for the
    /// kernel wakes a thread for each packet that comes to a socket that it watches.
    fn nap(&self) {
        let links = self.pulses().len();
        if let Some(nap) = self.lull.nap(links, Instant::now()) {
            std::thread::sleep(nap);
        }
    }

    /// Listens to a link's keep-alives.
    pub(super) fn hear(&self, tag: Tag, link: Arc<Link>) {
        self.pulses().insert(tag, link);
    }

    /// The end of [`Self::hear`].
    pub(super) fn forget(&self, tag: Tag, link: LinkId) {
        let mut pulses = self.pulses();
        if pulses.get(&tag).is_some_and(|heard| heard.id() == link) {
            pulses.remove(&tag);
        }
    }

    fn pulses(&self) -> MutexGuard<'_, HashMap<Tag, Arc<Link>>> {
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the loop is behind, keep-alives are lost.
    fn hand_alive_over(&self, packet: &[u8], from: SocketAddr) {
        let link = Tag::of(packet).and_then(|tag| self.pulses().get(&tag).cloned());
        let Some(inputs) = link.and_then(|link| link.open_alive(packet, from)) else {
            return count(&self.counters.other);
        };
        for input in inputs {
            if self.events.try_send(input).is_err() {
                tracing::debug!("keep-alive dropped, the loop is behind");
            }
        }
    }

    fn hand_over(&self, class: Class, packet: &[u8], from: SocketAddr) {
        let (from, via) = vias::split(from);
        let bytes = packet.to_vec();
        let input = if class != Class::Stun {
            Input::Datagram { from, via, bytes }
        } else if via.is_direct() {
            Input::Stun { from, via, bytes }
        } else {
            // Nobody asks by other ways where they lead.
            return count(&self.counters.other);
        };
        self.tell(input);
    }

    /// Half of the queue is kept for the links, so that a flood of knocks cannot starve them.
    fn tell(&self, input: Input) {
        let room = self.events.capacity() > self.events.max_capacity() / 2;
        let taken = room && self.events.try_send(input).is_ok();
        count(if taken {
            &self.counters.knocks
        } else {
            &self.counters.knocks_dropped
        });
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl fmt::Debug for Gate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Gate")
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl AsyncUdpSocket for Gate {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable { gate: self, wait: None })
    }

    /// Reports nothing but "would block": a packet that cannot be sent is a lost packet, which QUIC expects.
    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.lull.stir();
        if vias::is_made(&transmit.destination) {
            let (to, via) = vias::split(transmit.destination);
            let size = transmit.segment_size.unwrap_or(transmit.contents.len());
            self.vias.carry(via, to, None, transmit.contents, size);
            return Ok(());
        }
        let own = Transmit {
            destination: self.as_bound(transmit.destination),
            ecn: transmit.ecn,
            contents: transmit.contents,
            segment_size: transmit.segment_size,
            src_ip: transmit.src_ip,
        };
        let sent = self
            .io
            .try_io(Interest::WRITABLE, || self.state.try_send((&self.io).into(), &own));
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => {
                tracing::debug!(to = %transmit.destination, %error, "packet not sent");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if self.vias.is_waiting() {
            return Poll::Ready(Ok(self.recv_both(buffers, metas)));
        }
        loop {
            match self.io.poll_recv_ready(cx) {
                Poll::Ready(outcome) => outcome?,
                Poll::Pending => {
                    self.vias.wake_later(cx.waker());
                    // Something may have come in between the look and the registration.
                    if self.vias.is_waiting() {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
            let received = self.io.try_io(Interest::READABLE, || {
                self.state.recv((&self.io).into(), buffers, metas)
            });
            if let Ok(count) = received {
                let before = self.lull.stirs();
                self.sift_all(buffers, metas, count);
                if self.lull.stirs() == before {
                    self.nap();
                }
                return Poll::Ready(Ok(count));
            }
        }
    }

    /// Always an IPv6 one, or quinn would not dial the [`vias`].
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(native(self.local, true))
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

/// One connection's wait for room in the kernel's send buffer.
struct Writable {
    gate: Arc<Gate>,
    wait: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>>,
}

impl fmt::Debug for Writable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Writable").finish_non_exhaustive()
    }
}

impl UdpPoller for Writable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wait.is_none() && self.gate.io.try_io(Interest::WRITABLE, || Ok(())).is_ok() {
            return Poll::Ready(Ok(()));
        }
        let gate = Arc::clone(&self.gate);
        let wait = self
            .wait
            .get_or_insert_with(|| Box::pin(async move { gate.io.writable().await }));
        let result = ready!(wait.as_mut().poll(cx));
        self.wait = None;
        Poll::Ready(result)
    }
}

/// Sends one datagram, with a time to live of its own where one is asked for. The option of the socket stays as it is:
/// what else is sent meanwhile must arrive.
pub(super) fn send_to(socket: &SockRef<'_>, to: SocketAddr, ttl: Option<u8>, bytes: &[u8]) -> io::Result<()> {
    match ttl {
        None => socket.send_to(bytes, &to.into()).map(drop),
        Some(ttl) => send_with_ttl(socket, to, ttl, bytes),
    }
}

/// On a dual-stack socket it is IPv4's option that counts for a mapped address, and IPv6's is ignored without a word.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_with_ttl(socket: &SockRef<'_>, to: SocketAddr, ttl: u8, bytes: &[u8]) -> io::Result<()> {
    use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg};
    use std::os::fd::AsRawFd as _;

    let hops = i32::from(ttl);
    let option = if plain(to).is_ipv4() {
        ControlMessage::Ipv4Ttl(&hops)
    } else {
        ControlMessage::Ipv6HopLimit(&hops)
    };
    let address = SockaddrStorage::from(to);
    sendmsg(
        socket.as_raw_fd(),
        &[io::IoSlice::new(bytes)],
        &[option],
        MsgFlags::empty(),
        Some(&address),
    )?;
    Ok(())
}

/// Where a packet cannot be given a life of its own it is not sent: one that arrives too early does harm.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send_with_ttl(_: &SockRef<'_>, _: SocketAddr, _: u8, _: &[u8]) -> io::Result<()> {
    Ok(())
}

/// An address as people write it: IPv4-mapped IPv6 becomes IPv4.
pub(super) fn plain(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}

/// An address as the socket needs it: the inverse of [`plain`] where the socket is an IPv6 one.
pub(super) fn native(address: SocketAddr, ipv6: bool) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if ipv6 => SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => address,
    }
}

fn bind_default() -> io::Result<std::net::UdpSocket> {
    let ports = (PORT..PORT.saturating_add(PORTS_TRIED)).chain([0]);
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in ports {
        match bind_any(port) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn bind_any(port: u16) -> io::Result<std::net::UdpSocket> {
    match bind_to((Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            tracing::debug!(%error, "no dual-stack socket, trying IPv4 only");
            bind_to((Ipv4Addr::UNSPECIFIED, port).into())
        }
        outcome => outcome,
    }
}

/// A socket at an address; port 0 lets the system choose.
pub(super) fn bind_to(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    for outcome in [
        socket.set_recv_buffer_size(KERNEL_BUFFER),
        socket.set_send_buffer_size(KERNEL_BUFFER),
    ] {
        if let Err(error) = outcome {
            tracing::debug!(%error, "the kernel keeps its own buffer size");
        }
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests;
