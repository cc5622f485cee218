//! A stranger gets no byte: not from a fresh daemon, not while an invite is open, not from one with contacts, not before a
//! door was opened nor after it closed, and not from somebody who calls an address.
//!
//! Each case records everything that the daemon's port sends, sends it whatever scanners send, waits until the daemon
//! has read all of it, and shows by a real link or call over the same port that it was alive.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::packets::{Capture, Packet, probes};
use twocan_tests::wait::until;

const SOON: Duration = Duration::from_secs(5);

fn v4(address: SocketAddr) -> SocketAddrV4 {
    let SocketAddr::V4(address) = address else {
        panic!("not IPv4: {address}")
    };
    address
}

/// A socket of somebody whom the daemon has never heard of.
fn stranger() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// Sends every probe, and one that is a true client's first flight.
async fn probe(target: SocketAddr) -> Vec<SocketAddrV4> {
    let socket = stranger();
    for (number, (name, bytes)) in probes(1).iter().enumerate() {
        socket
            .send_to(bytes, target)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if number % 50 == 0 {
            read_by(target).await;
        }
    }
    let quic = knock_with_quic(target).await;
    read_by(target).await;
    vec![v4(socket.local_addr().unwrap()), quic]
}

/// Waits until the daemon has taken everything from its socket and the kernel has dropped nothing.
async fn read_by(target: SocketAddr) {
    let port = format!(":{:04X}", target.port());
    until("the daemon reading its socket", SOON, async || {
        let table = std::fs::read_to_string("/proc/net/udp").unwrap();
        let line = table.lines().find(|line| {
            line.split_whitespace()
                .nth(1)
                .is_some_and(|local| local.ends_with(&port))
        });
        let fields: Vec<_> = line.expect("the daemon's socket").split_whitespace().collect();
        assert_eq!(fields.last(), Some(&"0"), "the kernel dropped datagrams: {fields:?}");
        fields[4].ends_with(":00000000").then_some(())
    })
    .await;
}

/// A real QUIC client that takes any certificate; gives its address once its first flight and repeats are out.
async fn knock_with_quic(target: SocketAddr) -> SocketAddrV4 {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"twocan/1".to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let dial = endpoint.connect_with(config, target, "localhost").unwrap();
    let met = tokio::time::timeout(Duration::from_millis(1500), dial).await;
    assert!(met.is_err(), "a stranger's dial came to an end: {met:?}");
    v4(endpoint.local_addr().unwrap())
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// What the daemon's port sent to any of `strangers`.
fn leaked(capture: &Capture, target: SocketAddr, strangers: &[SocketAddrV4]) -> Vec<Packet> {
    let target = v4(target);
    capture.packets(|packet| packet.from == target && strangers.contains(&packet.to))
}

/// The recorder sees what passes, both ways: a silence that it reports is one.
#[test]
fn the_recorder_sees() {
    inside("the_recorder_sees", async || {
        let capture = Capture::start();
        let (one, other) = (stranger(), stranger());
        let (here, there) = (v4(one.local_addr().unwrap()), v4(other.local_addr().unwrap()));
        one.send_to(b"out", there).unwrap();
        other.send_to(b"back", here).unwrap();
        for (from, to, bytes) in [(here, there, &b"out"[..]), (there, here, b"back")] {
            let passed = |packet: &Packet| packet.from == from && packet.to == to && packet.bytes == bytes;
            until("the datagram", SOON, async || {
                (!capture.packets(passed).is_empty()).then_some(())
            })
            .await;
        }
    });
}

/// A port that answers is caught.
#[test]
fn a_talking_port_is_caught() {
    inside("a_talking_port_is_caught", async || {
        let capture = Capture::start();
        let talking = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let target = talking.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = vec![0; 2048];
            while let Ok((length, from)) = talking.recv_from(&mut buffer).await {
                // As a QUIC server answers a version that it does not know.
                if length >= 1200 && buffer[1..5] == [0x1a, 0x2a, 0x3a, 0x4a] {
                    talking.send_to(&[0x80, 0, 0, 0, 0], from).await.unwrap();
                }
            }
        });
        let strangers = probe(target).await;
        until("the leak", SOON, async || {
            (!leaked(&capture, target, &strangers).is_empty()).then_some(())
        })
        .await;
    });
}

#[test]
fn a_fresh_daemon() {
    inside("a_fresh_daemon", async || {
        let capture = Capture::start();
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        let target = ann.ready().udp;
        let strangers = probe(target).await;
        let sent = capture.packets(|packet| packet.from == v4(target));
        assert_eq!(sent, [], "a daemon without contacts sent something");
        acquaint(&ann, &bob).await;
        assert_eq!(leaked(&capture, target, &strangers), []);
    });
}

#[test]
fn a_pending_invite() {
    inside("a_pending_invite", async || {
        let capture = Capture::start();
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        let target = ann.ready().udp;
        let invite = ann.json(&["invite"]).await;
        let strangers = probe(target).await;
        let sent = capture.packets(|packet| packet.from == v4(target));
        assert_eq!(sent, [], "a daemon without contacts sent something");
        bob.json(&["add", invite["link"].as_str().unwrap()]).await;
        ann.green("Bob", GREEN).await;
        assert_eq!(leaked(&capture, target, &strangers), []);
    });
}

#[test]
fn known_contacts() {
    inside("known_contacts", async || {
        let capture = Capture::start();
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        acquaint(&ann, &bob).await;
        for home in [&ann, &bob] {
            let target = home.ready().udp;
            let strangers = probe(target).await;
            assert_eq!(leaked(&capture, target, &strangers), []);
        }
        alive(&ann, &bob).await;
    });
}

/// Somebody on the way sends again what passed. A knock may be answered once more, for a peer whose address changed on
/// the way looks the same, but by nothing larger, and never a third time. Everything else gets nothing.
#[test]
fn a_replay() {
    inside("a_replay", async || {
        let capture = Capture::start();
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        acquaint(&ann, &bob).await;
        let target = ann.ready().udp;
        let (from, to) = (v4(bob.ready().udp), v4(target));
        let passed = capture.packets(|packet| packet.from == from && packet.to == to);
        assert!(
            passed.iter().any(|packet| (4..=15).contains(&packet.bytes[0])),
            "no knock passed"
        );
        assert!(passed.iter().any(|packet| packet.bytes[0] >= 64), "no QUIC passed");

        for turn in 0..2 {
            for packet in passed.iter().filter(|packet| packet.bytes.len() <= 1452) {
                let socket = stranger();
                let me = v4(socket.local_addr().unwrap());
                socket.send_to(&packet.bytes, target).unwrap();
                read_by(target).await;
                let answers = leaked(&capture, target, &[me]);
                let once_more = turn == 0 && (4..=15).contains(&packet.bytes[0]);
                let allowed = |answer: &Packet| once_more && answer.bytes.len() <= packet.bytes.len();
                assert!(
                    answers.iter().all(allowed),
                    "turn {turn}: {packet:?} was answered by {answers:?}"
                );
            }
        }
        alive(&ann, &bob).await;
    });
}

/// Bob calls Ann's address, and it rings; then he gives up. Gives what he sent her.
async fn rings_at_the_door(capture: &Capture, bob: &Home, ann: &Home) -> Vec<Packet> {
    let (from, to) = (v4(bob.ready().udp), v4(ann.ready().udp));
    let call = bob.json(&["call", &to.to_string(), "--detach"]).await;
    ann.call("the ring", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "ringing"
    })
    .await;
    bob.json(&["hangup"]).await;
    ann.call("the end", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "ended"
    })
    .await;
    capture.packets(|packet| packet.from == from && packet.to == to)
}

/// Whatever passed while the door was open is sent again by others: a Retry's token among it.
async fn replay(packets: &[Packet], target: SocketAddr) -> Vec<SocketAddrV4> {
    let mut strangers = Vec::new();
    for packet in packets {
        let socket = stranger();
        socket.send_to(&packet.bytes, target).unwrap();
        read_by(target).await;
        strangers.push(v4(socket.local_addr().unwrap()));
    }
    strangers
}

#[test]
fn a_door_that_is_closed() {
    inside("a_door_that_is_closed", async || {
        let capture = Capture::start();
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        let target = ann.ready().udp;
        probe(target).await;
        let sent = capture.packets(|packet| packet.from == v4(target));
        assert_eq!(sent, [], "a door that was never open answered");

        // Closed by hand.
        ann.json(&["door", "open"]).await;
        let passed = rings_at_the_door(&capture, &bob, &ann).await;
        let has_token =
            |packet: &Packet| packet.bytes[0] & 0xf0 == 0xc0 && packet.bytes[5] == 8 && packet.bytes[23] != 0;
        assert!(passed.iter().any(has_token), "no token of a Retry passed");
        ann.json(&["door", "close"]).await;
        let mut strangers = probe(target).await;
        strangers.extend(replay(&passed, target).await);
        assert_eq!(
            leaked(&capture, target, &strangers),
            [],
            "a door that was closed by hand answered"
        );

        // Closed by itself.
        ann.json(&["door", "open", "--seconds", "1"]).await;
        until("the door closing", SOON, async || {
            (ann.json(&["door"]).await["open"] == false).then_some(())
        })
        .await;
        // Those from before may have been answered while it was open: they send for a while.
        let mut strangers = probe(target).await;
        strangers.extend(replay(&passed, target).await);
        assert_eq!(
            leaked(&capture, target, &strangers),
            [],
            "a door that closed by itself answered"
        );

        // Open, it answers: the silence was the door's.
        ann.json(&["door", "open"]).await;
        let again = replay(&passed, target).await;
        until("an answer", SOON, async || {
            (!leaked(&capture, target, &again).is_empty()).then_some(())
        })
        .await;
    });
}

/// Whoever calls an address sends to that address and nowhere else, and answers nobody who turns up meanwhile.
#[test]
fn a_caller_at_a_door() {
    inside("a_caller_at_a_door", async || {
        let capture = Capture::start();
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        ann.json(&["door", "open"]).await;
        let (caller, called) = (bob.ready().udp, v4(ann.ready().udp));
        let call = bob.json(&["call", &called.to_string(), "--detach"]).await;
        ann.call("the ring", SOON, |seen| {
            seen["id"] == call["id"] && seen["state"] == "ringing"
        })
        .await;
        let mut strangers = probe(caller).await;
        ann.json(&["answer"]).await;
        bob.call("words", SOON, |seen| seen["stranger"]["safety"]["state"] == "compare")
            .await;
        strangers.extend(probe(caller).await);
        assert_eq!(leaked(&capture, caller, &strangers), []);
        bob.json(&["hangup"]).await;
        let elsewhere = capture.packets(|packet| packet.from == v4(caller) && packet.to != called);
        assert_eq!(elsewhere, [], "sent to somebody who was not called");
        assert!(!capture.packets(|packet| packet.from == v4(caller)).is_empty());
    });
}

/// A call goes through.
async fn alive(ann: &Home, bob: &Home) {
    let call = ann.json(&["call", "Bob", "--detach"]).await;
    bob.call("the ring", SOON, |seen| {
        seen["id"] == call["id"] && seen["state"] == "ringing"
    })
    .await;
    bob.json(&["answer"]).await;
    ann.json(&["hangup"]).await;
}
