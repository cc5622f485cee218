//! A stranger gets not one byte.

use std::net::UdpSocket;

use ring::rand::{SecureRandom, SystemRandom};

use super::*;

/// The datagrams of a real client's first flight, made for somebody else.
async fn first_flight(peer: DeviceKey, token: Token) -> Vec<Vec<u8>> {
    let trap = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = client_config(9, peer, token);
    let _connecting = endpoint
        .connect_with(config, trap.local_addr().unwrap(), NO_NAME)
        .unwrap();
    let mut flight = Vec::new();
    for _ in 0..2 {
        let mut packet = vec![0; 2048];
        let (len, _) = timeout(PATIENCE, trap.recv_from(&mut packet)).await.unwrap().unwrap();
        packet.truncate(len);
        flight.push(packet);
    }
    flight
}

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

fn probes(flight: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut probes = flight.to_vec();
    for version in [
        [0; 4],
        [0x1a, 0x2a, 0x3a, 0x4a],
        [0x6b, 0x33, 0x43, 0xcf],
        [0xff, 0, 0, 29],
    ] {
        let mut probe = flight[0].clone();
        probe[1..5].copy_from_slice(&version);
        probes.push(probe);
    }
    for first in 0..=255_u8 {
        for len in [1, 9, 21, 40, 1200, 1400] {
            let mut probe = random(len);
            probe[0] = first;
            probes.push(probe);
        }
    }
    probes
}

/// Sends `probes` from a stranger's socket, shows that `peer` took them all in, and that nothing came back.
async fn expect_silence(peer: &mut Peer, number: u8, probes: &[Vec<u8>]) {
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (sent, probe) in probes.iter().enumerate() {
        stranger.send_to(probe, peer.at).unwrap();
        if sent % 64 == 63 {
            taken_in(peer).await;
        }
    }
    taken_in(peer).await;
    let mut friend = Peer::start(5);
    link(&mut friend, peer, number).await;
    stranger.set_read_timeout(Some(QUIET)).unwrap();
    let mut buffer = [0; 2048];
    let heard = stranger.recv_from(&mut buffer).map(|(len, _)| buffer[..len].to_vec());
    assert!(heard.is_err(), "a stranger heard {heard:02x?}");
}

/// Waits for a knock to come through, behind all that was sent before.
async fn taken_in(peer: &mut Peer) {
    let marker = random(24);
    let marker = [&[4][..], &marker].concat();
    let knocker = UdpSocket::bind("127.0.0.1:0").unwrap();
    knocker.send_to(&marker, peer.at).unwrap();
    peer.input(|input| matches!(input, Input::Datagram { bytes, .. } if bytes == marker).then_some(()))
        .await;
}

#[tokio::test]
async fn without_an_admitted_token_nothing_comes_back() {
    let mut peer = Peer::start(1);
    let flight = first_flight(peer.key, token(1)).await;
    let probes = probes(&flight);
    expect_silence(&mut peer, 2, &probes).await;
    let stats = peer.net.socket_stats();
    // Of the class STUN the core hears, and answers nothing that it has not asked.
    assert!(stats.quic_refused >= 192 * 6 && stats.other >= 48 * 6, "{stats:?}");
}

#[tokio::test]
async fn revoked_expired_and_spent_tokens_are_a_strangers() {
    let mut peer = Peer::start(1);
    peer.net.admit(token(1), PATIENCE);
    peer.net.revoke(token(1));
    peer.net.admit(token(2), Duration::ZERO);
    let mut friend = Peer::start(4);
    link(&mut friend, &mut peer, 3).await;
    let mut flights = Vec::new();
    for number in 1..=3 {
        flights.extend(first_flight(peer.key, token(number)).await);
    }
    let refused = peer.net.socket_stats().quic_refused;
    expect_silence(&mut peer, 8, &flights).await;
    assert_eq!(peer.net.socket_stats().quic_refused, refused + 6);
}

/// Whoever saw a packet of ours knows an id that passes the gate.
#[tokio::test]
async fn an_id_of_ours_draws_nothing_when_its_connection_is_gone() {
    let mut peer = Peer::start(1);
    let own = peer.net.shared.gate.own_cid();
    let mut probes = Vec::new();
    for flags in [0xC0, 0xD0, 0xE0, 0xF0] {
        let mut probe = [&[flags, 0, 0, 0, 1, 8][..], &own, &[0, 0], &random(1200)].concat();
        probe.truncate(1200);
        probes.push(probe);
    }
    for len in [30, 60, 1200] {
        probes.push([&[0x41][..], &own, &random(len)].concat());
    }
    probes.push(initial_to(peer.key, &own));
    expect_silence(&mut peer, 2, &probes).await;
    assert!(peer.net.socket_stats().quic >= 8);
}

/// A real, decryptable Initial to the connection id `to`.
fn initial_to(peer: DeviceKey, to: &[u8]) -> Vec<u8> {
    let to = quinn::ConnectionId::new(to);
    let mut config = client_config(9, peer, token(0));
    config.initial_dst_cid_provider(Arc::new(move || to));
    let mut endpoint = quinn_proto::Endpoint::new(Arc::default(), None, false, None);
    let now = std::time::Instant::now();
    let (_, mut connection) = endpoint
        .connect(now, config, "127.0.0.1:9".parse().unwrap(), NO_NAME)
        .unwrap();
    let mut packet = Vec::new();
    let _ = connection.poll_transmit(now, 1, &mut packet).unwrap();
    packet
}

#[tokio::test]
async fn a_dial_without_admission_fails_in_silence() {
    let peer = Peer::start(1);
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let connecting = endpoint
        .connect_with(client_config(9, peer.key, token(1)), peer.at, NO_NAME)
        .unwrap();
    assert!(timeout(QUIET, connecting).await.is_err());
    assert_eq!(peer.net.socket_stats().quic, 0);
}
