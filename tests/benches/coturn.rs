//! The relay that others use, as a peer: coturn, without TLS and passwords, between one socket that speaks TURN
//! (RFC 8656, by a channel) and one that does not.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use twocan_tests::phone;
use twocan_tests::usage::Usage;

use super::forward::{End, PAYLOAD};

const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;
const PORT: u16 = 3478;
const START: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(100);

const COOKIE: u32 = 0x2112_A442;
const ALLOCATE: u16 = 3;
const CHANNEL_BIND: u16 = 9;
const CHANNEL: u16 = 0x4000;
/// Channel and length before each packet.
const HEAD: usize = 4;

/// A running server; it ends when it is dropped.
pub(super) struct Coturn {
    child: Child,
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Coturn {
    /// Starts it, and gives the two ends of a line with it between them.
    pub(super) fn start() -> (Self, [End; 2]) {
        let child = Command::new("turnserver")
            .args([
                "-n",
                "--no-auth",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--allow-loopback-peers",
            ])
            .args(["-L", &ADDRESS.to_string(), "-p", &PORT.to_string()])
            .args(["--log-file", "stdout", "--pidfile", "/dev/null"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver, of the package coturn");
        let [one, other] = [0, 1].map(|_| UdpSocket::bind((ADDRESS, 0)).unwrap());
        one.connect((ADDRESS, PORT)).unwrap();
        let relayed = allocate(&one);
        other.connect(relayed).unwrap();
        bind(&one, other.local_addr().unwrap());
        let make = |sequence| framed(&phone::rtp(sequence, PAYLOAD));
        let ends = [End::with(one, HEAD, Box::new(make)), End::plain(other)];
        (Self { child }, ends)
    }

    /// Its processor time so far.
    pub(super) fn cpu(&self) -> Duration {
        Usage::of(i32::try_from(self.child.id()).unwrap()).cpu
    }
}

/// A packet as it travels on the channel.
fn framed(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap();
    [&CHANNEL.to_be_bytes()[..], &length.to_be_bytes(), packet].concat()
}

/// Asks for a relayed address, until the server is there.
fn allocate(udp: &UdpSocket) -> SocketAddr {
    const UDP: u8 = 17;
    udp.set_read_timeout(Some(AGAIN)).unwrap();
    let (request, end) = (request(ALLOCATE, &[(0x0019, &[UDP, 0, 0, 0])]), Instant::now() + START);
    loop {
        assert!(Instant::now() < end, "coturn does not answer within {START:?}");
        let mut buffer = [0; 1500];
        // While nobody listens both give an error.
        if udp.send(&request).is_err() {
            std::thread::sleep(AGAIN);
        } else if let Ok(length) = udp.recv(&mut buffer) {
            return relayed(&buffer[..length]);
        } else {
            std::thread::sleep(AGAIN);
        }
    }
}

/// Makes the channel that leads to `peer`.
fn bind(udp: &UdpSocket, peer: SocketAddr) {
    let [high, low] = (peer.port() ^ 0x2112).to_be_bytes();
    let address = (u32::from(ADDRESS) ^ COOKIE).to_be_bytes();
    let peer = [&[0, 1, high, low][..], &address].concat();
    let number = [&CHANNEL.to_be_bytes()[..], &[0, 0]].concat();
    udp.send(&request(CHANNEL_BIND, &[(0x000C, &number), (0x0012, &peer)]))
        .unwrap();
    let mut buffer = [0; 1500];
    udp.set_read_timeout(Some(START)).unwrap();
    udp.recv(&mut buffer).unwrap();
    assert_eq!(buffer[..2], (0x0100 | CHANNEL_BIND).to_be_bytes(), "no channel");
}

/// A STUN request (RFC 8489, section 5) whose attributes need no padding.
fn request(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (attribute, value) in attributes {
        body.extend(attribute.to_be_bytes());
        body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        body.extend_from_slice(value);
    }
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let [kind_high, kind_low] = kind.to_be_bytes();
    [
        &[kind_high, kind_low][..],
        &length,
        &COOKIE.to_be_bytes(),
        &[kind_low; 12],
        &body,
    ]
    .concat()
}

/// The relayed address in an answer.
fn relayed(answer: &[u8]) -> SocketAddr {
    assert_eq!(answer[..2], (0x0100 | ALLOCATE).to_be_bytes(), "no allocation");
    let mut rest = &answer[20..];
    while let [kind_high, kind_low, long, short, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*long, *short]));
        if [*kind_high, *kind_low] == [0x00, 0x16] {
            let port = u16::from_be_bytes([after[2], after[3]]) ^ 0x2112;
            let address = u32::from_be_bytes([after[4], after[5], after[6], after[7]]) ^ COOKIE;
            return SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(address), port));
        }
        rest = &after[length.next_multiple_of(4)..];
    }
    panic!("no relayed address");
}
