//! Two STUN servers of independent people, somewhere on the simulated network. They see a host where its packets come from.

use std::net::{Ipv4Addr, SocketAddr};

use twocan_core::reach::stun::{self, Message, Response};

use super::happening::Happening;
use super::nat::Air;
use super::world::World;

/// Where they are.
pub(crate) const SERVERS: [(Ipv4Addr, u16); 2] =
    [(Ipv4Addr::new(13, 0, 0, 1), 3478), (Ipv4Addr::new(13, 0, 1, 1), 3478)];

pub(super) fn is_server(address: SocketAddr) -> bool {
    SERVERS.map(SocketAddr::from).contains(&address)
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
        let response = Response {
            tx: request.tx,
            mapped: from,
            other: None,
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
