//! What kind of router is this? Measured with packets, and told in the words of RFC 4787.
//!
//! The probe holds both ends, so it needs no server that might be wrong. Each measurement begins with a fresh socket, and
//! with a packet that arrives by a way that is known to be open: what was sent before it and has not come by then does not
//! come, for nothing overtakes here.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::host::Host;
use super::kind::{Filtering, Kind, Mapping, Promise};
use super::server::Server;
use super::site::Site;

/// The first inner port; each measurement takes the next one.
const PORT: u16 = 45_000;
/// The server's ports, on two of its addresses.
const SERVER_PORTS: [u16; 2] = [9001, 9002];
const SERVER_ADDRESSES: [u8; 2] = [5, 6];
/// How long a packet may take, and how often it is sent.
const ARRIVES: Duration = Duration::from_millis(400);
const TRIES: usize = 4;

/// What was found; `None` where UDP does not pass.
pub type Probed = Option<Promise>;

/// Measures the routers of a site. Whether it turns packets back is measured where there is a second client.
///
/// # Panics
/// If what is found has no name.
#[must_use]
pub fn probe(site: &Site, second: Option<&Host>, server: &Server) -> Probed {
    let ends = Ends::new(server, site.kind());
    let client = Client::new(site.client(), PORT);
    let seen: Vec<SocketAddr> = ends.all.iter().map(|end| client.seen_by(end)).collect::<Option<_>>()?;
    let own = client.own();
    Some(Promise {
        mapping: mapping(own, &seen),
        filtering: filtering(site.client(), &ends),
        preserves_port: seen.iter().all(|seen| seen.port() == own.port()),
        hairpin: second.map(|second| hairpin(site.client(), second, &ends)),
    })
}

/// Server sockets: two addresses, two ports each.
struct Ends {
    all: Vec<UdpSocket>,
}

impl Ends {
    fn new(server: &Server, kind: Kind) -> Self {
        let ip = |last: u8| -> IpAddr {
            if kind == Kind::Firewall6 {
                server.address6(last)
            } else {
                server.address(last).into()
            }
        };
        let all = SERVER_ADDRESSES
            .into_iter()
            .flat_map(|last| SERVER_PORTS.map(|port| server.netns().udp((ip(last), port).into())))
            .collect();
        Self { all }
    }

    /// The one contacted, another port of its address, another address.
    fn three(&self) -> [&UdpSocket; 3] {
        [&self.all[0], &self.all[1], &self.all[2]]
    }
}

/// A socket of a client.
struct Client {
    socket: UdpSocket,
    ip: IpAddr,
}

impl Client {
    fn new(host: &Host, port: u16) -> Self {
        Self {
            socket: host.udp(port),
            ip: host.address(),
        }
    }

    fn own(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.socket.local_addr().unwrap().port())
    }

    /// The address from which `end` hears this socket.
    fn seen_by(&self, end: &UdpSocket) -> Option<SocketAddr> {
        // What a slow way brought late, of sockets before this one, is told apart by its text.
        let text = format!("hello from {}", self.own().port()).into_bytes();
        (0..TRIES).find_map(|_| {
            // A router that lets nothing pass may say so.
            let _ = self.socket.send_to(&text, end.local_addr().unwrap());
            std::iter::from_fn(|| receive(end, ARRIVES)).find_map(|(bytes, from)| (bytes == text).then_some(from))
        })
    }
}

fn mapping(own: SocketAddr, seen: &[SocketAddr]) -> Mapping {
    let first = seen[0];
    if seen.iter().all(|seen| *seen == own) {
        return Mapping::None;
    }
    if seen.iter().all(|seen| *seen == first) {
        return Mapping::EndpointIndependent;
    }
    let different = (1..seen.len()).all(|at| !seen[..at].contains(&seen[at]));
    assert!(different, "a mapping without a name: {own} is seen as {seen:?}");
    Mapping::AddressAndPortDependent
}

fn filtering(host: &Host, ends: &Ends) -> Filtering {
    let client = Client::new(host, PORT + 1);
    let [contacted, other_port, other_address] = ends.three();
    let public = client.seen_by(contacted).expect("the way that was open");
    other_port.send_to(b"port", public).unwrap();
    other_address.send_to(b"address", public).unwrap();
    let heard = heard_until(&client.socket, contacted, public);
    match (
        heard.contains(&b"port"[..].into()),
        heard.contains(&b"address"[..].into()),
    ) {
        (true, true) => Filtering::EndpointIndependent,
        (true, false) => Filtering::AddressDependent,
        (false, false) => Filtering::AddressAndPortDependent,
        (false, true) => panic!("a filter without a name"),
    }
}

/// Whether the first client hears the second one that sends to its public address.
fn hairpin(first: &Host, second: &Host, ends: &Ends) -> bool {
    let (hears, speaks) = (Client::new(first, PORT + 2), Client::new(second, PORT + 3));
    let [contacted, ..] = ends.three();
    let public = hears.seen_by(contacted).expect("the way that was open");
    speaks.seen_by(contacted).expect("the way that was open");
    let _ = speaks.socket.send_to(b"turned", public);
    heard_until(&hears.socket, contacted, public).contains(&b"turned"[..].into())
}

/// What `socket` hears before a packet by the way that is open.
fn heard_until(socket: &UdpSocket, open: &UdpSocket, public: SocketAddr) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    for _ in 0..TRIES {
        open.send_to(b"end", public).unwrap();
        while let Some((bytes, _)) = receive(socket, ARRIVES) {
            if bytes == b"end" {
                return heard;
            }
            heard.push(bytes);
        }
    }
    panic!("the way to {public} that was open is closed");
}

/// One packet, if one comes in time.
fn receive(socket: &UdpSocket, within: Duration) -> Option<(Vec<u8>, SocketAddr)> {
    let end = Instant::now() + within;
    let mut buffer = [0; 1500];
    while let Some(left) = end
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
    {
        socket.set_read_timeout(Some(left)).unwrap();
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => return Some((buffer[..length].to_vec(), from)),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(error) => panic!("a probe's socket broke: {error}"),
        }
    }
    None
}
