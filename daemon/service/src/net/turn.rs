//! One's own relay server, spoken to in TURN (RFC 8656) over UDP, TCP or TLS.
//!
//! The protocol is a crate without I/O; here are its sockets. The loop says when an address at the server is wanted; one
//! task gets it from the first server of the list that gives one, keeps it, passes packets both ways, and gives it back. To
//! the rest of the daemon it is the way [`Via::Turn`]. Where UDP is blocked and the server is spoken to over TLS on port
//! 443, that way is all the network there is.
//!
//! The server sees the addresses of both sides and ciphertext. TLS to it hides from the network on the way which addresses
//! we speak to, and shows the server's name; a call's secrecy rests on neither.

mod stream;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use turn_client_proto::api::{TurnClientApi as _, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::{TransportType, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;
use twocan_core::io::Input;
use twocan_core::reach::via::Via;

use self::stream::Wire;
use super::Shared;
use super::socket::{Gate, plain};
use super::vias::Carrier;
use crate::store::config::Turn;

turn_client_proto::impl_client!(Client, (Udp, TurnClientUdp), (Tcp, TurnClientTcp));

/// Packets on their way to the server; more are lost, as on any network.
const OUTGOING: usize = 256;
/// Packets that wait for the server to let them pass to an address.
const WAITING: usize = 32;
/// Getting an address takes no longer, or the next server is asked.
const PATIENCE: Duration = Duration::from_secs(8);
/// Giving it back takes no longer.
const FAREWELL: Duration = Duration::from_millis(500);
/// Routers on the way to the server forget us after half a minute of silence.
const SILENCE: Duration = Duration::from_secs(25);
/// A binding indication (RFC 8489): says nothing, and is answered by nothing.
const SIGN_OF_LIFE: [u8; 20] = [
    0, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// Peers that get a channel, which spares 32 bytes a packet. Each is kept up as long as the address.
const CHANNELS: usize = 16;

/// The way through the server, as the handle holds it.
#[derive(Debug)]
pub(super) struct TurnServers {
    servers: Vec<Turn>,
    /// Ends the task by being dropped.
    running: Mutex<Option<watch::Sender<()>>>,
}

impl TurnServers {
    pub(super) fn new(servers: Vec<Turn>) -> Self {
        Self {
            servers,
            running: Mutex::default(),
        }
    }

    /// Gets an address, or gives it back.
    pub(super) fn want(&self, shared: &Arc<Shared>, wanted: bool) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted {
            shared.gate.vias().detach(Via::Turn);
        }
        *running = wanted.then(|| {
            let (alive, ended) = watch::channel(());
            let task = run(self.servers.clone(), Arc::downgrade(shared), ended);
            shared.runtime.spawn(task);
            alive
        });
    }
}

/// Asks one server after another. Whoever gives the address back is told nothing; where none gives one, or takes it back,
/// the loop hears of it.
async fn run(servers: Vec<Turn>, shared: Weak<Shared>, mut ended: watch::Receiver<()>) {
    for server in &servers {
        match serve(server, &shared, &mut ended).await {
            Ok(()) => return,
            Err(error) => tracing::info!(error = format!("{error:#}"), "a relay server is of no use"),
        }
    }
    if let Some(shared) = shared.upgrade() {
        shared.tell(Input::Turn { relayed: None }).await;
    }
}

/// Takes packets for the server.
#[derive(Debug)]
struct Outbox(mpsc::Sender<(SocketAddr, Vec<u8>)>);

impl Carrier for Outbox {
    fn carry(&self, to: SocketAddr, _: Option<u8>, packet: &[u8]) {
        // What finds no room is a lost packet.
        let _ = self.0.try_send((to, packet.to_vec()));
    }
}

/// Uses one server until it is not wanted any more.
async fn serve(server: &Turn, shared: &Weak<Shared>, ended: &mut watch::Receiver<()>) -> anyhow::Result<()> {
    let wire = tokio::select! {
        wire = timeout(PATIENCE, Wire::connect(&server.url)) => wire.context("no answer")??,
        _ = ended.changed() => return Ok(()),
    };
    let credentials = TurnCredentials::new(&server.username, &server.credential);
    let mut config = TurnConfig::new(credentials);
    config.set_allocation_transport(TransportType::Udp);
    let (local, remote) = (wire.local(), wire.remote());
    let client = if wire.is_stream() {
        Client::Tcp(TurnClientTcp::allocate(local, remote, config))
    } else {
        Client::Udp(TurnClientUdp::allocate(local, remote, config))
    };
    let mut session = Session {
        client,
        wire,
        shared: Weak::clone(shared),
        began: Instant::now(),
        relayed: None,
        waiting: HashMap::new(),
        channels: HashSet::new(),
    };
    let outcome = session.run(ended).await;
    if let (Err(_), Some(shared)) = (&outcome, shared.upgrade()) {
        shared.gate.vias().detach(Via::Turn);
    }
    session.give_back().await;
    outcome
}

/// One address at one server.
struct Session {
    client: Client,
    wire: Wire,
    shared: Weak<Shared>,
    began: Instant,
    relayed: Option<SocketAddr>,
    /// Packets to addresses for which the server has not given its permission yet.
    waiting: HashMap<IpAddr, Vec<(SocketAddr, Vec<u8>)>>,
    channels: HashSet<SocketAddr>,
}

impl Session {
    fn now(&self) -> turn_client_proto::stun::Instant {
        let nanos = self.began.elapsed().as_nanos();
        turn_client_proto::stun::Instant::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    async fn run(&mut self, ended: &mut watch::Receiver<()>) -> anyhow::Result<()> {
        let (outbox, mut outgoing) = mpsc::channel(OUTGOING);
        let outbox: Arc<dyn Carrier> = Arc::new(Outbox(outbox));
        let mut said = Instant::now();
        loop {
            let due = self.turn()?;
            self.events(&outbox).await?;
            self.flush().await;
            let late = self.relayed.is_none().then(|| self.began + PATIENCE);
            let due = late.map_or(due, |late| late.min(due)).min(said + SILENCE);
            tokio::select! {
                _ = ended.changed() => return Ok(()),
                Some((to, packet)) = outgoing.recv() => self.send(to, packet).await,
                received = self.wire.receive() => {
                    let bytes = received?;
                    self.take(&bytes);
                }
                () = tokio::time::sleep_until(due) => {
                    if late.is_some_and(|late| Instant::now() >= late) {
                        bail!("it gives no address");
                    }
                    if said.elapsed() >= SILENCE {
                        said = Instant::now();
                        self.wire.send(&SIGN_OF_LIFE).await;
                    }
                }
            }
        }
    }

    /// Lets the protocol do what is due; gives when it wants to be asked again.
    fn turn(&mut self) -> anyhow::Result<Instant> {
        let now = self.now();
        match self.client.poll(now) {
            TurnPollRet::WaitUntil(until) => Ok(Instant::now() + until.duration_since(now)),
            TurnPollRet::Closed => bail!("it has ended the conversation"),
            // Of TCP allocations, which are never asked for.
            TurnPollRet::AllocateTcpSocket { .. } | TurnPollRet::TcpClose { .. } => Ok(Instant::now()),
        }
    }

    async fn events(&mut self, outbox: &Arc<dyn Carrier>) -> anyhow::Result<()> {
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, relayed) => self.allocated(relayed, outbox).await,
                TurnEvent::AllocationCreateFailed(_) => bail!("it refuses an address; are name and password right?"),
                TurnEvent::PermissionCreated(_, ip) => {
                    for (to, packet) in self.waiting.remove(&ip).unwrap_or_default() {
                        self.send(to, packet).await;
                    }
                }
                TurnEvent::PermissionCreateFailed(_, ip) => {
                    self.waiting.remove(&ip);
                }
                TurnEvent::ChannelCreateFailed(_, peer) => {
                    self.channels.remove(&peer);
                }
                TurnEvent::ChannelCreated(..) | TurnEvent::TcpConnected(_) | TurnEvent::TcpConnectFailed(_) => {}
            }
        }
        Ok(())
    }

    async fn allocated(&mut self, relayed: SocketAddr, outbox: &Arc<dyn Carrier>) {
        self.relayed = Some(relayed);
        // Whoever has an address at the same server reaches us there without being known beforehand: that is how two find
        // each other of whom one cannot be told anything, as no UDP of his gets anywhere but here.
        let _ = self
            .client
            .create_permission(TransportType::Udp, relayed.ip(), self.now());
        if let Some(shared) = self.shared.upgrade() {
            shared.gate.vias().attach(Via::Turn, Arc::clone(outbox));
            shared
                .tell(Input::Turn {
                    relayed: Some(plain(relayed)),
                })
                .await;
        }
    }

    /// Sends what the protocol has to say.
    async fn flush(&mut self) {
        let now = self.now();
        while let Some(transmit) = self.client.poll_transmit(now) {
            self.wire.send(&transmit.data).await;
        }
    }

    /// Sends a packet to a peer, as soon as the server lets it pass.
    async fn send(&mut self, to: SocketAddr, packet: Vec<u8>) {
        let (now, ip) = (self.now(), to.ip());
        if !self.client.have_permission(TransportType::Udp, ip) {
            let queue = self.waiting.entry(ip).or_default();
            if queue.len() < WAITING {
                queue.push((to, packet));
            }
            // Asked for already, most of the time.
            let _ = self.client.create_permission(TransportType::Udp, ip, now);
            return;
        }
        self.speed_up(to, &packet);
        if let Ok(Some(transmit)) = self.client.send_to(TransportType::Udp, to, packet, now) {
            self.wire.send(&transmit.build().data).await;
        }
    }

    /// A peer that is sent QUIC gets a channel. Not on a stream: what is sent through a channel must be padded there to a
    /// multiple of four bytes (RFC 8656, section 12.5), which the protocol crate neither does nor expects.
    fn speed_up(&mut self, to: SocketAddr, packet: &[u8]) {
        if self.wire.is_stream() {
            return;
        }
        let is_quic = packet.first().is_some_and(|first| *first >= 64);
        if is_quic && self.channels.len() < CHANNELS && self.channels.insert(to) {
            // Without one it works as well.
            let _ = self.client.bind_channel(TransportType::Udp, to, self.now());
        }
    }

    /// Takes what came from the server.
    fn take(&mut self, bytes: &[u8]) {
        let Some(gate) = self.shared.upgrade().map(|shared| Arc::clone(&shared.gate)) else {
            return;
        };
        let now = self.now();
        let (from, to) = (self.wire.remote(), self.wire.local());
        let transport = if self.wire.is_stream() {
            TransportType::Tcp
        } else {
            TransportType::Udp
        };
        let received = turn_client_proto::api::Transmit::new(bytes, transport, from, to);
        match self.client.recv(received, now) {
            TurnRecvRet::PeerData(data) => arrive(&gate, data.peer, data.data()),
            TurnRecvRet::Handled | TurnRecvRet::Ignored(_) | TurnRecvRet::PeerIcmp { .. } => {}
        }
        while let Some(data) = self.client.poll_recv(now) {
            arrive(&gate, data.peer, data.data());
        }
    }

    /// Tells the server that the address is free.
    async fn give_back(mut self) {
        if self.relayed.is_none() || self.client.delete(self.now()).is_err() {
            return;
        }
        let farewell = async {
            loop {
                let due = self.turn();
                self.flush().await;
                let Ok(due) = due else { return };
                tokio::select! {
                    received = self.wire.receive() => match received {
                        Ok(bytes) => self.take(&bytes),
                        Err(_) => return,
                    },
                    () = tokio::time::sleep_until(due) => {}
                }
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

fn arrive(gate: &Gate, from: SocketAddr, packet: &[u8]) {
    gate.arrive(plain(from), Via::Turn, packet);
}
