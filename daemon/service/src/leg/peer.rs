//! WebRTC legs: each session's sockets, tasks and place in its call.
//!
//! A leg has a socket on each own address and hears only sources on this machine. What comes in is handled under the
//! leg's own lock and passed on after it; what goes out is sealed and sent at once by whoever delivers it, so that no
//! packet waits for another task. All tasks run on the runtime given at the start and never block it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use twocan_core::ids::{CallId, LegId};
use twocan_core::io::LegFact;
use twocan_core::media::breaker::Pace;
use twocan_core::media::codecs;
use twocan_core::media::feedback;
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::formats::Formats;
use twocan_core::media::leg_map::LegMap;

use super::dtls::{Dtls, Identity};
use super::gate::{Direction, Ended, Gates, Leg, Uplink};
use super::ice::{Credentials, IceLite, Pair};
use super::local::{self, Sources};
use super::sdp::{self, BadOffer, Offer};
use super::sdp_answer::{Accepted, Terms, Transport, restart_fragment};
use super::session::{Output, Session};

/// Bytes of the longest datagram a leg may send us.
const DATAGRAM_MOST: usize = 2048;
/// Datagrams handled in one go before other tasks have their turn.
const BATCH: usize = 64;

/// Why a request about a leg is refused.
#[derive(Debug, thiserror::Error)]
pub enum LegError {
    /// The offer cannot be answered; the text says why.
    #[error("the offer cannot be answered: {0}")]
    BadOffer(#[from] BadOffer),
    /// There is no such leg, or no longer.
    #[error("no such leg")]
    NoSuchLeg,
    /// The call has ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// No socket, or no randomness.
    #[error("the system gives no {0}")]
    System(&'static str, #[source] Option<std::io::Error>),
    /// The DTLS library refuses.
    #[error("DTLS cannot be set up: {0}")]
    Dtls(String),
}

/// An answered offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The new leg.
    pub leg: LegId,
    /// The SDP answer, complete with candidates.
    pub sdp: String,
    /// Which way its media goes.
    pub direction: Direction,
}

/// All WebRTC legs of the daemon. Clones are the same legs.
#[derive(Clone, Debug)]
pub struct Legs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    gates: Gates,
    runtime: Handle,
    most_video_kbit: Option<u32>,
    identity: Identity,
    fingerprint: String,
    peers: Mutex<BTreeMap<LegId, Arc<Peer>>>,
}

impl Legs {
    /// No legs yet; a certificate for this run of the daemon. Sockets and tasks live on `runtime`. Browsers are asked not
    /// to send more video than `most_video_kbit` says, in kbit/s.
    ///
    /// # Errors
    /// Where the system gives no key.
    pub fn new(gates: Gates, runtime: Handle, most_video_kbit: Option<u32>) -> Result<Self, LegError> {
        let identity = Identity::generate().map_err(dtls_error)?;
        let fingerprint = identity.fingerprint();
        let inner = Inner {
            gates,
            runtime,
            most_video_kbit,
            identity,
            fingerprint,
            peers: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether this machine has no address but loopback, where browsers open no leg.
    #[must_use]
    pub fn only_loopback() -> bool {
        local::only_loopback()
    }

    /// Answers an SDP offer (`application/sdp`). The leg's direction is the offer's; an earlier leg of that direction
    /// is closed. `role` is our side of the call.
    ///
    /// # Errors
    /// Where the offer is not fit, the call has ended, or the system gives no socket.
    pub fn offer(&self, call: CallId, role: Role, offer: &str) -> Result<Answer, LegError> {
        let offer = Offer::parse(offer)?;
        let accepted = Accepted::choose(&offer, self.inner.gates.far(call))?;
        let credentials = random_credentials()?;
        let sockets = self.bind()?;
        let candidates: Vec<_> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
        let dtls = Dtls::new(&self.inner.identity, offer.fingerprints.clone(), offer.passive).map_err(dtls_error)?;
        let ice = IceLite::new(credentials.clone(), offer.ufrag.clone());
        let map = LegMap::new(role, accepted.negotiated(&offer));
        let session = Session::new(self.inner.identity.clone(), ice, dtls, map, Instant::now());
        let direction = accepted.direction();
        let leg = self.inner.gates.next_leg();
        let about = About {
            id: leg,
            call,
            role,
            direction,
            takes: accepted.takes(),
            pace: accepted.pace(&offer),
        };
        let peer = Arc::new(Peer::new(about, sockets, session));
        let uplink = self.inner.gates.attach(call, Arc::clone(&peer) as Arc<dyn Leg>)?;
        lock(&self.inner.peers).insert(leg, Arc::clone(&peer));
        self.run(&peer, uplink);
        let fingerprint = &self.inner.fingerprint;
        let transport = Transport {
            credentials: &credentials,
            fingerprint,
            candidates: &candidates,
        };
        let terms = Terms {
            role,
            most_video_kbit: self.inner.most_video_kbit,
        };
        Ok(Answer {
            leg,
            sdp: accepted.answer(&offer, terms, &transport),
            direction,
        })
    }

    /// Takes a trickle or restart fragment (`application/trickle-ice-sdpfrag`). Candidates are not needed, because we
    /// answer whoever checks; new credentials restart ICE, and the fragment to answer with is returned.
    ///
    /// # Errors
    /// Where there is no such leg.
    pub fn trickle(&self, leg: LegId, fragment: &str) -> Result<Option<String>, LegError> {
        let peer = lock(&self.inner.peers).get(&leg).cloned().ok_or(LegError::NoSuchLeg)?;
        let Some(ufrag) = sdp::fragment_ufrag(fragment) else {
            return Ok(None);
        };
        let mut session = lock(&peer.session);
        if session.ice.remote_ufrag() == ufrag {
            return Ok(None);
        }
        let credentials = random_credentials()?;
        session.ice.restart(credentials.clone(), ufrag.to_owned());
        drop(session);
        let fingerprint = &self.inner.fingerprint;
        let transport = Transport {
            credentials: &credentials,
            fingerprint,
            candidates: &peer.candidates(),
        };
        Ok(Some(restart_fragment(&transport)))
    }

    /// Closes a leg because its owner asked.
    ///
    /// # Errors
    /// Where there is no such leg.
    pub fn close(&self, leg: LegId) -> Result<(), LegError> {
        let peer = lock(&self.inner.peers).get(&leg).cloned().ok_or(LegError::NoSuchLeg)?;
        self.inner.gates.detach(peer.about.call, leg, LegFact::Closed);
        Leg::close(&*peer);
        Ok(())
    }

    /// Closes all legs of a call because its owner asked.
    pub fn close_all(&self, call: CallId) {
        let legs: Vec<_> = lock(&self.inner.peers)
            .values()
            .filter(|peer| peer.about.call == call)
            .cloned()
            .collect();
        for peer in legs {
            self.inner.gates.detach(call, peer.about.id, LegFact::Closed);
            Leg::close(&*peer);
        }
    }

    /// The call that a leg belongs to, while it lives.
    #[must_use]
    pub fn call_of(&self, leg: LegId) -> Option<CallId> {
        lock(&self.inner.peers).get(&leg).map(|peer| peer.about.call)
    }

    fn bind(&self) -> Result<Vec<UdpSocket>, LegError> {
        let _on_the_media_runtime = self.inner.runtime.enter();
        local::bind().map_err(|error| LegError::System("socket", Some(error)))
    }

    /// One task that owns the leg's readers and its timer; all end with it.
    fn run(&self, peer: &Arc<Peer>, uplink: Uplink) {
        let (peer, inner) = (Arc::clone(peer), Arc::clone(&self.inner));
        self.inner.runtime.spawn(async move {
            let mut tasks = JoinSet::new();
            for socket in 0..peer.sockets.len() {
                tasks.spawn(Arc::clone(&peer).read(socket, uplink.clone()));
            }
            tasks.spawn(Arc::clone(&peer).keep_time(uplink));
            peer.closed.notified().await;
            tasks.shutdown().await;
            lock(&inner.peers).remove(&peer.about.id);
        });
    }
}

/// What does not change about a leg.
#[derive(Clone, Copy, Debug)]
struct About {
    id: LegId,
    call: CallId,
    role: Role,
    direction: Direction,
    takes: Option<Formats>,
    pace: Pace,
}

/// One WebRTC leg.
#[derive(Debug)]
struct Peer {
    about: About,
    sockets: Vec<UdpSocket>,
    session: Mutex<Session>,
    sources: Mutex<Sources>,
    /// The session's next time-out may have moved.
    rescheduled: Notify,
    /// The leg is over; holds one permit, so it is seen whenever it comes.
    closed: Notify,
}

impl Peer {
    fn new(about: About, sockets: Vec<UdpSocket>, session: Session) -> Self {
        Self {
            about,
            sockets,
            session: Mutex::new(session),
            sources: Mutex::new(Sources::new(Instant::now())),
            rescheduled: Notify::new(),
            closed: Notify::new(),
        }
    }

    fn candidates(&self) -> Vec<SocketAddr> {
        self.sockets
            .iter()
            .filter_map(|socket| socket.local_addr().ok())
            .collect()
    }

    async fn read(self: Arc<Self>, socket: usize, uplink: Uplink) {
        let Some(udp) = self.sockets.get(socket) else { return };
        let mut buffer = vec![0; DATAGRAM_MOST];
        while udp.readable().await.is_ok() {
            let more = (0..BATCH).all(|_| match udp.try_recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let datagram = buffer.get(..length).unwrap_or_default();
                    self.receive(Pair { socket, remote: from }, datagram, &uplink);
                    true
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
                Err(error) => {
                    // What an earlier send brought back; the timer decides whether the leg is gone.
                    tracing::debug!(%error, "leg's socket");
                    true
                }
            });
            // A turn for others costs a look at all sockets, so it is given only where nothing else gives one.
            if more {
                tokio::task::yield_now().await;
            }
        }
    }

    fn receive(&self, pair: Pair, datagram: &[u8], uplink: &Uplink) {
        let now = Instant::now();
        if !lock(&self.sources).is_local(pair.remote.ip(), now) {
            return;
        }
        let mut session = lock(&self.session);
        session.handle(pair, datagram, now);
        self.perform(session, uplink);
        if datagram.first().is_some_and(|first| *first < 64) {
            self.rescheduled.notify_one();
        }
    }

    async fn keep_time(self: Arc<Self>, uplink: Uplink) {
        while !lock(&self.session).is_gone() {
            let due = lock(&self.session).timeout();
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {
                    let mut session = lock(&self.session);
                    session.handle_timeout(Instant::now());
                    self.perform(session, &uplink);
                }
                () = self.rescheduled.notified() => {}
            }
        }
    }

    /// Does what the session wants, after its lock is given back.
    fn perform(&self, mut session: MutexGuard<'_, Session>, uplink: &Uplink) {
        let mut wanted: Vec<_> = std::iter::from_fn(|| session.poll()).collect();
        drop(session);
        for output in wanted.drain(..) {
            match output {
                Output::Transmit(pair, datagram) => self.transmit(pair, &datagram),
                Output::Restart(kind) => uplink.restart(kind),
                Output::Up(kind, packet) => uplink.send(kind, &packet),
                Output::Warm => uplink.warm(),
                Output::Lost => {
                    uplink.gone(LegFact::Lost);
                    self.closed.notify_one();
                }
            }
        }
    }

    /// A full socket buffer drops, as any network does.
    fn transmit(&self, pair: Pair, datagram: &[u8]) {
        if let Some(socket) = self.sockets.get(pair.socket)
            && let Err(error) = socket.try_send_to(datagram, pair.remote)
        {
            tracing::trace!(%error, "leg's datagram not sent");
        }
    }
}

impl Leg for Peer {
    fn id(&self) -> LegId {
        self.about.id
    }

    fn direction(&self) -> Direction {
        self.about.direction
    }

    fn takes(&self) -> Option<Formats> {
        self.about.takes
    }

    fn pace(&self) -> Pace {
        self.about.pace
    }

    fn deliver(&self, kind: FlowKind, packet: &[u8]) {
        let sealed = lock(&self.session).seal(kind, packet);
        if let Some((pair, datagram)) = sealed {
            self.transmit(pair, &datagram);
        }
    }

    fn want_key_frame(&self) {
        let own = codecs::ssrc(self.about.role, FlowKind::Video);
        let far = codecs::ssrc(self.about.role.other(), FlowKind::Video);
        self.deliver(FlowKind::Rtcp, &feedback::pli(far, own));
    }

    fn close(&self) {
        let mut session = lock(&self.session);
        session.close(Instant::now());
        let farewell: Vec<_> = std::iter::from_fn(|| session.poll()).collect();
        drop(session);
        for output in farewell {
            match output {
                Output::Transmit(pair, datagram) => self.transmit(pair, &datagram),
                Output::Restart(_) | Output::Up(..) | Output::Warm | Output::Lost => {}
            }
        }
        self.closed.notify_one();
    }
}

fn random_credentials() -> Result<Credentials, LegError> {
    Credentials::random().map_err(|_| LegError::System("randomness", None))
}

fn dtls_error(error: rtc::shared::error::Error) -> LegError {
    LegError::Dtls(error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
