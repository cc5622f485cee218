//! Bare datagrams: what passes on the wire, and what a scanner sends.

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use socket2::{Domain, Protocol, Socket, Type};

/// Every protocol, in network byte order.
const ETH_P_ALL: u16 = 3;

/// One UDP datagram over IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its source.
    pub from: SocketAddrV4,
    /// Its destination.
    pub to: SocketAddrV4,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// Records every UDP datagram in this network namespace, until dropped. One that passes loopback is seen twice.
#[derive(Debug)]
pub struct Capture {
    seen: Arc<Mutex<Vec<Packet>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    /// Starts to record.
    ///
    /// # Panics
    /// Without the right to.
    #[must_use]
    pub fn start() -> Self {
        let protocol = Protocol::from(i32::from(ETH_P_ALL.to_be()));
        let mut socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        socket.set_recv_buffer_size(8 << 20).unwrap();
        let (seen, over) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (seen, over) = (Arc::clone(&seen), Arc::clone(&over));
            move || record(&mut socket, &seen, &over)
        });
        Self {
            seen,
            over,
            thread: Some(thread),
        }
    }

    /// What has passed so far and `fits`.
    ///
    /// # Panics
    /// If the recorder died.
    #[must_use]
    pub fn packets(&self, fits: impl Fn(&Packet) -> bool) -> Vec<Packet> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|packet| fits(packet))
            .cloned()
            .collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn record(socket: &mut Socket, seen: &Mutex<Vec<Packet>>, over: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while !over.load(Ordering::Relaxed) {
        match socket.read(&mut buffer) {
            Ok(length) => seen.lock().unwrap().extend(parse(&buffer[..length])),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(error) => panic!("the capture broke: {error}"),
        }
    }
}

/// The datagram in an IPv4 packet (RFC 791, RFC 768); `None` for anything else.
fn parse(packet: &[u8]) -> Option<Packet> {
    let head = usize::from(packet.first()? & 0x0f) * 4;
    let is_udp = packet.first()? >> 4 == 4 && *packet.get(9)? == 17;
    let udp = packet.get(head..).filter(|udp| is_udp && udp.len() >= 8)?;
    let address = |at: usize, port: usize| {
        let ip: [u8; 4] = packet[at..at + 4].try_into().unwrap();
        SocketAddrV4::new(Ipv4Addr::from(ip), u16::from_be_bytes([udp[port], udp[port + 1]]))
    };
    Some(Packet {
        from: address(12, 0),
        to: address(16, 2),
        bytes: udp[8..].to_vec(),
    })
}

/// What scanners and curious people send, each with its name.
#[must_use]
pub fn probes(seed: u64) -> Vec<(String, Vec<u8>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut probes = Vec::new();
    for (name, version) in [
        ("version 1", 1_u32),
        ("version 2", 0x6b33_43cf),
        ("draft 29", 0xff00_001d),
        ("a version that asks for negotiation", 0x1a2a_3a4a),
        ("a version negotiation", 0),
    ] {
        for cid in [0, 4, 8, 16, 20] {
            for kind in 0..4 {
                let name = format!("{name}, long header type {kind}, connection id of {cid}");
                probes.push((name, long_header(&mut rng, version, kind, cid)));
            }
        }
    }
    for length in [1, 5, 21, 22, 43, 100, 1200] {
        let mut bytes = random(&mut rng, length);
        bytes[0] = 0x40 | bytes[0] & 0x3f;
        probes.push((format!("short header of {length}"), bytes));
    }
    probes.push(("STUN binding request".to_owned(), stun(&mut rng)));
    for first in 0..=u8::MAX {
        for length in [1, 20, 60, 400, 1252] {
            let mut bytes = random(&mut rng, length);
            bytes[0] = first;
            probes.push((format!("first byte {first}, {length} bytes"), bytes));
        }
    }
    let id = "n".repeat(20);
    for (name, message) in [
        ("question", format!("d1:ad2:id20:{id}e1:q4:ping1:t4:abcd1:y1:qe")),
        ("answer", format!("d2:ip6:abcdef1:rd2:id20:{id}e1:t4:abcd1:y1:re")),
        ("failure", "d1:eli203e3:whye1:t4:abcd1:y1:ee".to_owned()),
    ] {
        probes.push((format!("{name} of the DHT"), message.into_bytes()));
    }
    probes.push(("nothing".to_owned(), Vec::new()));
    probes
}

/// A long header packet padded to 1200 bytes (RFC 9000, section 17.2), its payload random.
fn long_header(rng: &mut ChaCha8Rng, version: u32, kind: u8, cid: usize) -> Vec<u8> {
    let mut bytes = vec![0xc3 | kind << 4];
    bytes.extend(version.to_be_bytes());
    for length in [cid, 8] {
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend(random(rng, length));
    }
    // Token length 0, then a two-byte length of all that follows.
    bytes.push(0);
    let rest = 1200 - bytes.len() - 2;
    bytes.extend((0x4000 | u16::try_from(rest).unwrap()).to_be_bytes());
    bytes.extend(random(rng, rest));
    bytes
}

/// A binding request (RFC 8489, section 5).
fn stun(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bytes.extend(random(rng, 12));
    bytes
}

fn random(rng: &mut ChaCha8Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}
