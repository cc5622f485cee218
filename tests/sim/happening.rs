//! What is going to happen, and who sees to it.

use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::ids::{CallId, DialId, LegId, QueryId};
use twocan_core::io::{DhtAnswer, Input, LegFact};

use super::door::Visit;
use super::host::Then;
use super::nat::Air;
use super::quic::Attempt;
use super::world::World;

/// Something that is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    Timer {
        host: usize,
        timer: u64,
    },
    Datagram {
        air: Air,
        /// The host that sent it, if any did.
        sender: Option<usize>,
        bytes: Vec<u8>,
    },
    /// A shell has found the STUN servers.
    StunServers {
        host: usize,
        run: u32,
    },
    DhtNodes {
        host: usize,
        run: u32,
    },
    Initial(Attempt),
    AtDoor(Visit),
    TurnedAway(Visit),
    ClientUp {
        conn: usize,
        dial: DialId,
    },
    ServerUp {
        conn: usize,
        until: Duration,
    },
    Frame {
        conn: usize,
        side: usize,
    },
    Alive {
        conn: usize,
        side: usize,
        bytes: Vec<u8>,
        sent: Duration,
    },
    Closing {
        conn: usize,
        side: usize,
        code: u32,
        again: bool,
    },
    DiskWritten {
        host: usize,
        run: u32,
        generation: u64,
        state: Vec<u8>,
    },
    DiskTold {
        host: usize,
        run: u32,
        generation: u64,
        written: bool,
    },
    Wake {
        host: usize,
    },
    Start {
        host: usize,
    },
    Hear {
        one: usize,
        other: usize,
    },
    Do {
        host: usize,
        run: u32,
        command: Command,
        then: Then,
    },
    Meddle {
        host: usize,
        run: u32,
        command: Command,
    },
    Redeem {
        host: usize,
        link: String,
    },
    Leg {
        host: usize,
        run: u32,
        call: CallId,
        leg: LegId,
        fact: LegFact,
    },
    DhtAnswer {
        host: usize,
        run: u32,
        query: QueryId,
        answer: DhtAnswer,
    },
    Act,
}

/// What an output answers to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    Datagram { from: SocketAddr, size: usize },
    Other,
}

impl World {
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Timer { host, timer } => self.timer(host, timer),
            Happening::Datagram { air, sender, bytes } => self.datagram(air, sender, bytes),
            Happening::StunServers { host, run } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    let servers = super::stun::SERVERS.map(SocketAddr::from).to_vec();
                    self.feed(host, Input::StunServers(servers), Cause::Other);
                }
            }
            Happening::DhtNodes { host, run } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    let nodes = super::stun::NODES.map(SocketAddr::from).to_vec();
                    self.feed(host, Input::DhtNodes(nodes), Cause::Other);
                }
            }
            Happening::Initial(attempt) => self.initial(attempt),
            Happening::AtDoor(visit) => self.at_door(visit),
            Happening::TurnedAway(visit) => self.turned_away(&visit),
            Happening::ClientUp { conn, dial } => self.client_up(conn, dial),
            Happening::ServerUp { conn, until } => self.server_up(conn, until),
            Happening::Frame { conn, side } => self.frame(conn, side),
            Happening::Alive {
                conn,
                side,
                bytes,
                sent,
            } => self.alive(conn, side, bytes, sent),
            Happening::Closing {
                conn,
                side,
                code,
                again,
            } => self.closing(conn, side, code, again),
            Happening::DiskWritten {
                host,
                run,
                generation,
                state,
            } => self.disk_written(host, run, generation, state),
            Happening::DiskTold {
                host,
                run,
                generation,
                written,
            } => self.disk_told(host, run, generation, written),
            Happening::Wake { host } => self.wake(host),
            Happening::Start { host } => self.start(host),
            Happening::Hear { one, other } => self.heal(one, other),
            Happening::Do {
                host,
                run,
                command,
                then,
            } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    self.command(host, command, then);
                }
            }
            Happening::Meddle { host, run, command } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    self.meddle(host, command);
                }
            }
            Happening::Redeem { host, link } => {
                if self.hosts[host].works() {
                    self.redeem(host, link);
                }
            }
            Happening::Leg {
                host,
                run,
                call,
                leg,
                fact,
            } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    self.feed(host, Input::Leg { call, leg, fact }, Cause::Other);
                }
            }
            Happening::DhtAnswer {
                host,
                run,
                query,
                answer,
            } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    self.dht_answers(host, query, answer);
                }
            }
            Happening::Act => self.act(),
        }
    }
}
