//! Two STUN servers of independent people, and a few nodes of the DHT, somewhere on the simulated network. They see a host where its
//! packets come from; the first server has a second address and port (RFC 5780), and answers from there if asked to.

use std::net::{Ipv4Addr, SocketAddr};

use twocan_core::reach::krpc::{self, Pong};
use twocan_core::reach::stun::{self, Change, Message, Response};

use super::happening::Happening;
use super::nat::Air;
use super::world::World;

/// Where they are.
pub(crate) const SERVERS: [(Ipv4Addr, u16); 2] =
    [(Ipv4Addr::new(13, 0, 0, 1), 3478), (Ipv4Addr::new(13, 0, 1, 1), 3478)];

/// Where the nodes are.
pub(crate) const NODES: [(Ipv4Addr, u16); 3] = [
    (Ipv4Addr::new(13, 1, 0, 1), 6881),
    (Ipv4Addr::new(13, 1, 1, 1), 6881),
    (Ipv4Addr::new(13, 1, 2, 1), 6881),
];

pub(super) fn is_node(address: SocketAddr) -> bool {
    NODES.map(SocketAddr::from).contains(&address)
}

/// The first server's second address.
const OTHER: (Ipv4Addr, u16) = (Ipv4Addr::new(13, 0, 2, 1), 3479);

/// All that the first server is.
fn first() -> [SocketAddr; 4] {
    let ([ip, other_ip], [port, other_port]) = ([SERVERS[0].0, OTHER.0], [SERVERS[0].1, OTHER.1]);
    [(ip, port), (ip, other_port), (other_ip, port), (other_ip, other_port)].map(SocketAddr::from)
}

pub(super) fn is_server(address: SocketAddr) -> bool {
    SERVERS.map(SocketAddr::from).contains(&address) || first().contains(&address)
}

/// Where an answer comes from.
fn answering(server: SocketAddr, change: Change) -> SocketAddr {
    let [own, _, _, other] = first();
    let pick = |changes: bool, is_other: bool| if changes == is_other { own } else { other };
    let ip = pick(change.ip, server.ip() == other.ip()).ip();
    let port = pick(change.port, server.port() == other.port()).port();
    SocketAddr::new(ip, port)
}

impl World {
    /// A shell looks up the servers' names, which takes a while.
    pub(super) fn find_stun_servers(&mut self, index: usize) {
        let (run, after) = (self.hosts[index].run, self.dice.ms(1, 200));
        self.later(after, Happening::StunServers { host: index, run });
    }

    pub(super) fn answer_stun(&mut self, from: SocketAddr, server: SocketAddr, bytes: &[u8]) {
        let Some(Message::Request(request)) = stun::parse(bytes) else {
            return;
        };
        let is_first = first().contains(&server);
        let response = Response {
            tx: request.tx,
            mapped: from,
            other: is_first.then_some(OTHER.into()),
        };
        let server = if is_first {
            answering(server, request.change)
        } else {
            server
        };
        // RFC 5780, section 7.5.
        let to = SocketAddr::new(from.ip(), request.answer_to.unwrap_or(from.port()));
        self.send_from(server, to, &response.to_bytes());
    }

    /// A node answers a ping.
    pub(super) fn answer_ping(&mut self, from: SocketAddr, node: SocketAddr, bytes: &[u8]) {
        let tx = bytes.windows(5).position(|window| window == b"1:t4:");
        let tx = tx.and_then(|at| bytes.get(at + 5..at + 9)?.try_into().ok());
        if let Some(tx) = tx.filter(|_| krpc::is_krpc(bytes)) {
            self.send_from(node, from, &Pong { tx, seen: from }.to_bytes(&[7; 20]));
        }
    }

    /// A packet of somebody on the Internet.
    fn send_from(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        for delay in self.network.fates(&mut self.dice) {
            let happening = Happening::Datagram {
                air: Air::outside(from, to),
                sender: None,
                bytes: bytes.to_vec(),
            };
            self.later(delay, happening);
        }
    }

    /// A shell names nodes, which takes a while.
    pub(super) fn find_dht_nodes(&mut self, index: usize) {
        let (run, after) = (self.hosts[index].run, self.dice.ms(1, 200));
        self.later(after, Happening::DhtNodes { host: index, run });
    }
}
