//! Two STUN servers of independent people, somewhere on the simulated network. They see a host where its packets come from; the
//! first has a second address and port (RFC 5780), and answers from there if asked to.

use std::net::{Ipv4Addr, SocketAddr};

use twocan_core::reach::stun::{self, Change, Message, Response};

use super::happening::Happening;
use super::nat::Air;
use super::world::World;

/// Where they are.
pub(crate) const SERVERS: [(Ipv4Addr, u16); 2] =
    [(Ipv4Addr::new(13, 0, 0, 1), 3478), (Ipv4Addr::new(13, 0, 1, 1), 3478)];

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
        for delay in self.network.fates(&mut self.dice) {
            let (to, bytes) = (from, response.to_bytes());
            self.later(
                delay,
                Happening::Datagram {
                    air: Air::outside(server, to),
                    sender: None,
                    bytes,
                },
            );
        }
    }
}
