//! Whole networks on loopback: links between two of them, and one against a far side that misbehaves.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bursts;
mod door;
mod garbage;
mod idle;
mod links;
mod log;
mod silence;
mod vias;

use ring::signature::{Ed25519KeyPair, KeyPair};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use twocan_core::io::LinkUp;

use super::*;

/// No event of a healthy run takes this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to listen for what must not come.
const QUIET: Duration = Duration::from_millis(300);

#[derive(Debug)]
struct Collector(UnboundedSender<(LinkId, u64, Bytes)>);

impl MediaSink for Collector {
    fn deliver(&self, link: LinkId, flow: u64, packet: Bytes) {
        let _ = self.0.send((link, flow, packet));
    }
}

type Media = UnboundedReceiver<(LinkId, u64, Bytes)>;

/// One daemon's network.
struct Peer {
    net: Net,
    key: DeviceKey,
    at: SocketAddr,
    inputs: Receiver<Input>,
    media: Media,
}

impl Peer {
    fn start(seed: u8) -> Self {
        Self::bound(seed, "127.0.0.1:0", 1024)
    }

    fn bound(seed: u8, udp: &str, room: usize) -> Self {
        let (media_out, media) = unbounded_channel();
        Self::with_sink(seed, udp, room, Arc::new(Collector(media_out)), media)
    }

    fn with_sink(seed: u8, udp: &str, room: usize, sink: Arc<dyn MediaSink>, media: Media) -> Self {
        let (events, inputs) = mpsc::channel(room);
        let config = NetConfig {
            udp: UdpBind::Explicit(udp.parse().unwrap()),
            device_seed: Zeroizing::new([seed; 32]),
            sink,
            turn: Vec::new(),
            stun: Vec::new(),
            port_mapping: false,
        };
        let (net, at) = Net::start(config, events).unwrap();
        Self {
            net,
            key: key_of(seed),
            at,
            inputs,
            media,
        }
    }

    /// The first input that `pick` takes; the others are dropped.
    async fn input<T>(&mut self, mut pick: impl FnMut(Input) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(picked) = pick(self.inputs.recv().await.unwrap()) {
                    return picked;
                }
            }
        };
        timeout(PATIENCE, search).await.unwrap()
    }

    async fn up(&mut self) -> LinkUp {
        self.input(|input| if let Input::LinkUp(up) = input { Some(up) } else { None })
            .await
    }

    async fn down(&mut self) -> (LinkId, Option<u64>) {
        self.input(|input| {
            if let Input::LinkDown { link, code } = input {
                Some((link, code))
            } else {
                None
            }
        })
        .await
    }

    async fn frame(&mut self) -> (LinkId, Vec<u8>) {
        self.input(|input| {
            if let Input::Control { link, bytes } = input {
                Some((link, bytes))
            } else {
                None
            }
        })
        .await
    }

    async fn failed_dial(&mut self) -> DialId {
        self.input(|input| {
            if let Input::DialFailed { dial } = input {
                Some(dial)
            } else {
                None
            }
        })
        .await
    }
}

fn key_of(seed: u8) -> DeviceKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    DeviceKey(pair.public_key().as_ref().try_into().unwrap())
}

fn token(number: u8) -> Token {
    Token([number; 16])
}

/// Two networks with a link between them.
async fn linked() -> (Peer, LinkId, Peer, LinkId) {
    let (mut dialer, mut listener) = (Peer::start(1), Peer::start(2));
    let (here, there) = link(&mut dialer, &mut listener, 1).await;
    (dialer, here.link, listener, there.link)
}

async fn link(dialer: &mut Peer, listener: &mut Peer, number: u8) -> (LinkUp, LinkUp) {
    listener.net.admit(token(number), PATIENCE);
    let dial = DialId(number.into());
    dialer.net.dial(
        dial,
        listener.key,
        (listener.at, Via::Own),
        token(number),
        bounds::MTU_SAFE,
    );
    let (here, there) = (dialer.up().await, listener.up().await);
    assert_eq!((here.dial, there.dial), (Some(dial), None));
    (here, there)
}

/// A far side without our manners: plain quinn with our TLS.
struct Rogue {
    _endpoint: Endpoint,
    connection: quinn::Connection,
}

impl Rogue {
    /// Connects as the device with `seed`.
    async fn connect(seed: u8, to: &Peer, number: u8) -> Self {
        to.net.admit(token(number), PATIENCE);
        let config = client_config(seed, to.key, token(number));
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        let connecting = endpoint.connect_with(config, to.at, NO_NAME).unwrap();
        let connection = timeout(PATIENCE, connecting).await.unwrap().unwrap();
        Self {
            _endpoint: endpoint,
            connection,
        }
    }

    /// Opens the control stream.
    async fn control(&self) -> (quinn::SendStream, quinn::RecvStream) {
        let (mut send, recv) = self.connection.open_bi().await.unwrap();
        send.write_all(&frames::opening()).await.unwrap();
        (send, recv)
    }

    /// The code with which the far side closed.
    async fn closed(&self) -> u64 {
        let reason = timeout(PATIENCE, self.connection.closed()).await.unwrap();
        let quinn::ConnectionError::ApplicationClosed(close) = reason else {
            panic!("closed otherwise: {reason}");
        };
        close.error_code.into_inner()
    }
}

fn client_config(seed: u8, peer: DeviceKey, token: Token) -> ClientConfig {
    quic::client_config(&Tls::new(&[seed; 32]).unwrap(), peer, token, bounds::MTU_SAFE).unwrap()
}
