//! The network: one UDP socket, knocks, and links over QUIC.
//!
//! [`Net`] is a handle; what happens reaches the loop as [`Input`]s. Nothing here decides anything: which tokens may
//! open a connection, whom to dial and when to close is the core's business. Media packets pass between a link and the
//! [`MediaSink`] without touching the loop.
//!
//! Invariants: a packet reaches quinn only through the gate in [`socket`]; an admitted dialer is answered, a stranger
//! only while the [`door`] is open; [`Input::LinkDown`] follows each [`Input::LinkUp`] exactly once; no timer runs while nothing happens.

mod admission;
mod cid;
mod congestion;
pub mod dht;
mod door;
mod frames;
mod interfaces;
mod link;
mod lull;
pub mod mdns;
mod pinged;
mod portmap;
mod quic;
mod relays;
mod socket;
mod spares;
mod stun;
#[cfg(test)]
mod tests;
mod tls;
mod turn;
mod vias;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use futures_util::future::join_all;
use quinn::{ClientConfig, Connecting, Endpoint, Incoming, VarInt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use twocan_core::bounds::{self, close_code};
use twocan_core::crypto::Secret;
use twocan_core::ids::{DeviceKey, DialId, LinkId, PairId, RelayHandle, RelayId, Token, VisitorId};
use twocan_core::io::Input;
use twocan_core::reach::candidates::OwnAddresses;
use twocan_core::reach::relay::Pair;
use twocan_core::reach::via::Via;
use zeroize::Zeroizing;

use self::admission::Admissions;
use self::cid::CidKey;
use self::door::Door;
use self::frames::End;
use self::link::{Link, Opened};
use self::portmap::PortMapper;
use self::socket::{Gate, Passes};
use self::spares::Spares;
use self::tls::Tls;
use self::turn::TurnServers;
use crate::FAREWELL;
use crate::media::{MediaSender, MediaSink};
use crate::store::config::Turn;

pub use self::link::LinkStats;
pub use self::socket::{SocketStats, UdpBind};

/// The server name that TLS's interface wants; it is never sent.
const NO_NAME: &str = "twocan";

/// What the network needs to start.
pub struct NetConfig {
    /// Where to listen.
    pub udp: UdpBind,
    /// The 32-byte seed of the device's Ed25519 key.
    pub device_seed: Zeroizing<[u8; 32]>,
    /// Takes the media of all links.
    pub sink: Arc<dyn MediaSink>,
    /// Relay servers, the best one first.
    pub turn: Vec<Turn>,
    /// STUN servers, as `host:port`.
    pub stun: Vec<String>,
    /// Whether to ask the router for a port.
    pub port_mapping: bool,
}

/// Why no calls can come in, and what to do about it.
fn unbound(udp: UdpBind, error: &io::Error) -> anyhow::Error {
    let place = match udp {
        UdpBind::Default => "the UDP address".to_owned(),
        UdpBind::Explicit(address) => format!("the UDP address {address}"),
    };
    let what = if error.kind() == io::ErrorKind::AddrInUse {
        "is in use by another program, or another Twocan; stop that".to_owned()
    } else {
        format!("cannot be had: {error}")
    };
    anyhow!("{place} {what}, or choose another address with --udp")
}

impl fmt::Debug for NetConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NetConfig")
            .field("udp", &self.udp)
            .finish_non_exhaustive()
    }
}

/// A handle to the running network; clones are handles to the same one, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct Net {
    shared: Arc<Shared>,
    /// Absent where the user does not want it, or the socket is on loopback.
    port_mapper: Option<Arc<PortMapper>>,
    _tasks: Arc<Tasks>,
}

impl Net {
    /// Binds the socket and starts QUIC, in the tokio runtime that runs the caller.
    ///
    /// `events` is how everything that happens reaches the loop. While it is full, links wait and knocks are dropped.
    ///
    /// # Errors
    /// When there is no runtime, the address cannot be bound, or the key cannot be used.
    pub fn start(config: NetConfig, events: mpsc::Sender<Input>) -> anyhow::Result<(Self, SocketAddr)> {
        let runtime = Handle::try_current().context("the network needs a tokio runtime")?;
        let tls = Tls::new(&config.device_seed)?;
        let cold = tls.clone();
        runtime.spawn_blocking(move || cold.warm_up());
        let cids = CidKey::generate()?;
        let admissions = Arc::new(Admissions::default());
        let door = Arc::new(Door::default());
        let passes = Passes {
            cids: cids.clone(),
            admissions: Arc::clone(&admissions),
            door: Arc::clone(&door),
        };
        let gate = Gate::bind(config.udp, passes, events.clone()).map_err(|error| unbound(config.udp, &error))?;
        let gate = Arc::new(gate);
        let endpoint = quic::endpoint(Arc::clone(&gate), cids, &tls)?;
        let shared = Arc::new(Shared {
            runtime,
            endpoint,
            gate,
            spares: Spares::default(),
            tls,
            admissions,
            door,
            events,
            sink: config.sink,
            turn: TurnServers::new(config.turn),
            stun: config.stun,
            links: Mutex::default(),
            next_link: AtomicU64::new(1),
        });
        let may_map = config.port_mapping && !shared.local().ip().is_loopback();
        let net = Self {
            _tasks: Arc::new(Tasks::start(&shared)),
            port_mapper: may_map.then(|| PortMapper::start(&shared)).flatten().map(Arc::new),
            shared,
        };
        let local = net.local_addr();
        Ok((net, local))
    }

    /// Our own addresses as they are. Changes come as [`Input::Interfaces`].
    #[must_use]
    pub fn own_addresses(&self) -> OwnAddresses {
        interfaces::own_addresses(self.local_addr())
    }

    /// Looks up the STUN servers; ends in [`Input::StunServers`].
    pub fn find_stun_servers(&self) {
        let shared = Arc::clone(&self.shared);
        self.shared.runtime.spawn(async move {
            let found = stun::find(&shared.stun).await;
            shared.tell(Input::StunServers(found)).await;
        });
    }

    /// Asks the router for a port, anew where it has given one; what it says comes as [`Input::Mapping`].
    pub fn ask_port_mapper(&self) {
        if let Some(mapper) = &self.port_mapper {
            mapper.ask();
        }
    }

    /// Sends one knock, or one question to a STUN server or a node of the DHT; with `ttl` it lives so many hops.
    pub fn transmit(&self, to: SocketAddr, via: Via, ttl: Option<u8>, bytes: &[u8]) {
        self.shared.gate.transmit(to, via, ttl, bytes);
    }

    /// Opens sockets beside the one: the ways [`Via::Spare`] of these numbers. One that the system does not grant is a way
    /// that loses everything.
    pub fn open_spares(&self, numbers: Range<u16>) {
        let _runtime = self.shared.runtime.enter();
        for number in numbers {
            if let Err(error) = self.shared.spares.open(number, &self.shared.gate) {
                tracing::debug!(%error, "no socket beside the one");
                return;
            }
        }
    }

    /// The end of [`Self::open_spares`]; what is closed already may be named again.
    pub fn close_spares(&self, numbers: Range<u16>) {
        for number in numbers {
            self.shared.spares.close(number, &self.shared.gate);
        }
    }

    /// Opens the way [`Via::Relay`], through the device at an address, or moves it.
    pub fn use_relay(&self, relay: RelayId, at: SocketAddr, handle: RelayHandle) {
        self.shared
            .gate
            .relays()
            .use_relay(&self.shared.gate, relay, at, handle);
    }

    /// The end of [`Self::use_relay`].
    pub fn leave_relay(&self, relay: RelayId) {
        self.shared.gate.relays().leave_relay(&self.shared.gate, relay);
    }

    /// Passes packets on between two contacts.
    pub fn forward(&self, pair: &Pair) {
        self.shared.gate.relays().forward(pair);
    }

    /// The end of [`Self::forward`].
    pub fn end_forward(&self, pair: PairId) {
        self.shared.gate.relays().end_forward(pair);
    }

    /// Gets an address from a relay server, which opens the way [`Via::Turn`], or gives it back. What comes of it are
    /// [`Input::Turn`]s.
    pub fn want_turn(&self, wanted: bool) {
        self.shared.turn.want(&self.shared, wanted);
    }

    /// Lets Initials for `token` reach QUIC for a while, until one of them has become a link.
    pub fn admit(&self, token: Token, valid_for: Duration) {
        self.shared.admissions.admit(token, valid_for);
    }

    /// Takes an admission back.
    pub fn revoke(&self, token: Token) {
        self.shared.admissions.revoke(&token);
    }

    /// Lets strangers ask to come in for a while; each is an [`Input::Visitor`]. `seed` grows the TLS key that they see.
    pub fn open_door(&self, seed: &Secret, valid_for: Duration) {
        if let Err(error) = self.shared.door.open(seed, valid_for) {
            tracing::error!(error = format!("{error:#}"), "the door cannot be opened");
        }
    }

    /// Answers no stranger any more. Whoever is in stays.
    pub fn close_door(&self) {
        self.shared.door.close();
    }

    /// Lets a visitor in, or tells him to come another time.
    pub fn decide(&self, visitor: VisitorId, may_enter: bool) {
        self.shared.door.decide(visitor, may_enter);
    }

    /// Rings at the door of whoever is at an address; ends in [`Input::LinkUp`], [`Input::TurnedAway`] or
    /// [`Input::DialFailed`] within [`bounds::DIAL`].
    pub fn dial_door(&self, dial: DialId, to: SocketAddr, seed: Secret) {
        let shared = Arc::clone(&self.shared);
        self.shared.runtime.spawn(door::ring(shared, dial, to, seed));
    }

    /// Opens a link to the device that holds `peer`'s key; ends in [`Input::LinkUp`] or [`Input::DialFailed`] within
    /// [`bounds::DIAL`]. `initial_mtu` is the UDP payload that the path has been shown to carry.
    pub fn dial(&self, dial: DialId, peer: DeviceKey, to: (SocketAddr, Via), token: Token, initial_mtu: u16) {
        let (to, via) = to;
        let shared = Arc::clone(&self.shared);
        self.shared.runtime.spawn(async move {
            let config = quic::client_config(&shared.tls, peer, token, initial_mtu)
                .and_then(|config| Ok((config, vias::join(via, to).context("no way to such an address")?)));
            let opened = match config {
                Ok((config, to)) => timeout(bounds::DIAL, open(&shared.endpoint, config, dial, to)).await,
                Err(error) => Ok(Err(error)),
            };
            match opened {
                Ok(Ok(opened)) => return link::run(shared, opened).await,
                Ok(Err(error)) => tracing::debug!(dial = dial.0, %to, error = format!("{error:#}"), "dial failed"),
                Err(_) => tracing::debug!(dial = dial.0, %to, "dial timed out"),
            }
            shared.dial_failed(Some(dial)).await;
        });
    }

    /// Sends one frame on the control stream, in order with the others.
    pub fn send(&self, link: LinkId, bytes: Vec<u8>) {
        if let Some(link) = self.shared.link(link) {
            link.send(bytes);
        }
    }

    /// Sends one keep-alive.
    pub fn send_alive(&self, link: LinkId, bytes: &[u8]) {
        let sealed = self.shared.link(link).and_then(|link| link.seal_alive(bytes));
        if let Some(((to, via), packet)) = sealed {
            self.shared.gate.transmit(to, via, None, &packet);
        }
    }

    /// Closes a link once the frames sent before are delivered, or have had 300 ms for it. Nothing but
    /// [`Input::LinkDown`] comes from it after this.
    pub fn close(&self, link: LinkId, code: u32) {
        if let Some(link) = self.shared.link(link) {
            self.shared.runtime.spawn(async move { link.close(code).await });
        }
    }

    /// Where the media for a link goes; `None` when the link is gone.
    #[must_use]
    pub fn media_sender(&self, link: LinkId) -> Option<Arc<dyn MediaSender>> {
        self.shared
            .link(link)
            .map(|link| link.media_sender() as Arc<dyn MediaSender>)
    }

    /// What is known of a link's path; `None` when the link is gone.
    #[must_use]
    pub fn stats(&self, link: LinkId) -> Option<LinkStats> {
        self.shared.link(link).map(|link| link.stats())
    }

    /// How many datagrams went where since the start.
    #[must_use]
    pub fn socket_stats(&self) -> SocketStats {
        self.shared.gate.stats()
    }

    /// The bound address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local()
    }

    /// Closes every link with [`close_code::GOING`] and waits, for a moment at most, until the far sides know.
    pub async fn shutdown(&self) {
        let links: Vec<_> = self.shared.lock().values().cloned().collect();
        let farewell = async {
            join_all(links.iter().map(|link| link.close(close_code::GOING))).await;
            self.shared.endpoint.close(VarInt::from_u32(close_code::GOING), &[]);
            self.shared.endpoint.wait_idle().await;
        };
        let release = async {
            if let Some(mapper) = &self.port_mapper {
                mapper.release().await;
            }
        };
        let (farewell, ()) = tokio::join!(timeout(FAREWELL, farewell), release);
        if farewell.is_err() {
            tracing::debug!("some links did not end in time");
        }
    }
}

/// What the handle and the tasks share.
struct Shared {
    runtime: Handle,
    endpoint: Endpoint,
    gate: Arc<Gate>,
    spares: Spares,
    tls: Tls,
    admissions: Arc<Admissions>,
    door: Arc<Door>,
    events: mpsc::Sender<Input>,
    sink: Arc<dyn MediaSink>,
    turn: TurnServers,
    stun: Vec<String>,
    links: Mutex<HashMap<LinkId, Arc<Link>>>,
    next_link: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shared")
            .field("links", &self.lock().len())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn local(&self) -> SocketAddr {
        self.gate.local()
    }

    /// Tells the loop, when it has room. A loop that is gone needs no telling.
    async fn tell(&self, input: Input) {
        let _ = self.events.send(input).await;
    }

    async fn dial_failed(&self, dial: Option<DialId>) {
        if let Some(dial) = dial {
            self.tell(Input::DialFailed { dial }).await;
        }
    }

    fn deliver(&self, link: LinkId, flow: u64, packet: Bytes) {
        self.sink.deliver(link, flow, packet);
    }

    fn next_link(&self) -> LinkId {
        LinkId(self.next_link.fetch_add(1, Ordering::Relaxed))
    }

    fn insert(&self, id: LinkId, link: Arc<Link>) {
        self.lock().insert(id, link);
    }

    fn remove(&self, id: LinkId) {
        self.lock().remove(&id);
    }

    fn link(&self, id: LinkId) -> Option<Arc<Link>> {
        self.lock().get(&id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LinkId, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks that live as long as the network; they end when the last handle goes.
#[derive(Debug)]
struct Tasks {
    endpoint: Endpoint,
    handles: [AbortHandle; 2],
}

impl Tasks {
    fn start(shared: &Arc<Shared>) -> Self {
        let listener = tokio::spawn(listen(Arc::clone(shared)));
        let interfaces = tokio::spawn(interfaces::watch(Arc::clone(shared)));
        Self {
            endpoint: shared.endpoint.clone(),
            handles: [listener.abort_handle(), interfaces.abort_handle()],
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.handles.iter().for_each(AbortHandle::abort);
        self.endpoint.close(VarInt::from_u32(close_code::GOING), &[]);
    }
}

/// Takes up what passed the gate. The gate lets packets for our own ids pass too, which quinn would take for the
/// start of a connection where theirs is gone: only a token opens one, or the door.
async fn listen(shared: Arc<Shared>) {
    while let Some(incoming) = shared.endpoint.accept().await {
        match <[u8; 16]>::try_from(&*incoming.orig_dst_cid()).map(Token) {
            Ok(token) if shared.admissions.admitted(&token) => {
                tokio::spawn(take_up(Arc::clone(&shared), incoming, token));
            }
            Ok(_) | Err(_) => door::meet(&shared, incoming),
        }
    }
}

async fn take_up(shared: Arc<Shared>, incoming: Incoming, token: Token) {
    let opened = async { answer(incoming.accept()?, None).await };
    match timeout(bounds::DIAL, opened).await {
        Ok(Ok(opened)) => {
            shared.admissions.revoke(&token);
            link::run(shared, opened).await;
        }
        Ok(Err(error)) => tracing::debug!(error = format!("{error:#}"), "incoming connection failed"),
        Err(_) => tracing::debug!("incoming connection timed out"),
    }
}

/// The dialer's half of opening a link.
async fn open(endpoint: &Endpoint, config: ClientConfig, dial: DialId, to: SocketAddr) -> anyhow::Result<Opened> {
    let connection = endpoint.connect_with(config, to, NO_NAME)?.await?;
    let (mut send, recv) = connection.open_bi().await?;
    send.write_all(&frames::opening()).await?;
    Ok(Opened {
        connection,
        dial: Some(dial),
        visitor: None,
        send,
        recv,
    })
}

/// The listener's half.
async fn answer(connecting: Connecting, visitor: Option<VisitorId>) -> anyhow::Result<Opened> {
    let connection = connecting.await?;
    let (send, mut recv) = connection.accept_bi().await?;
    match frames::read_opening(&mut recv).await {
        Ok(()) => Ok(Opened {
            connection,
            dial: None,
            visitor,
            send,
            recv,
        }),
        Err(End::Lost) => bail!("connection lost before the control stream"),
        Err(End::Finished) => refuse_garbage(&connection, "the control stream is empty"),
        Err(End::Garbage(what)) => refuse_garbage(&connection, what),
    }
}

fn refuse_garbage(connection: &quinn::Connection, what: &'static str) -> anyhow::Result<Opened> {
    tracing::warn!(what, "connection closed: the far side sent garbage");
    connection.close(VarInt::from_u32(close_code::GARBAGE), &[]);
    bail!("garbage before the link was up")
}
