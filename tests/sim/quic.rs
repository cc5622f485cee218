//! The shells' QUIC: dials, handshakes, frames, keep-alive datagrams, closing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::ids::{DeviceKey, DialId, LinkId, Token};
use twocan_core::io::{Input, LinkUp};
use twocan_core::reach::via::Via;

use super::conn::{Conn, DIALER, End, LISTENER};
use super::happening::{Cause, Happening};
use super::host::Held;
use super::mutant::Mutant;
use super::world::World;

/// QUIC's pause before it sends a packet again.
const AGAIN: Duration = Duration::from_millis(250);

/// Where nobody is.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A dial under way: its Initial is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    host: usize,
    run: u32,
    from: SocketAddr,
    dial: DialId,
    peer: DeviceKey,
    to: SocketAddr,
    via: Via,
    token: Token,
    until: Duration,
    pause: Duration,
}

impl World {
    pub(super) fn dial(&mut self, host: usize, dial: DialId, peer: DeviceKey, to: (SocketAddr, Via), token: Token) {
        let (to, via) = to;
        self.watch_place(host, to, via);
        let is_first = self.hosts[host].shell.dialed.insert(peer);
        let to = if self.is(Mutant::DialsOnce) && !is_first {
            NOWHERE
        } else {
            to
        };
        let attempt = Attempt {
            host,
            run: self.hosts[host].run,
            from: self.hosts[host].address,
            dial,
            peer,
            to,
            via,
            token,
            until: self.now + bounds::DIAL,
            pause: Duration::from_secs(1),
        };
        let delay = self.network.delay(&mut self.dice);
        self.later(delay, Happening::Initial(attempt));
    }

    /// One Initial arrives, or does not.
    pub(super) fn initial(&mut self, mut attempt: Attempt) {
        if self.hosts[attempt.host].run != attempt.run || self.hosts[attempt.host].node.is_none() {
            return;
        }
        if let Some((listener, via, seen)) = self.admits(&attempt) {
            let exporter = self.dice.bytes();
            let there = &self.hosts[listener];
            let ends = [
                End::new(attempt.host, attempt.run, attempt.from, attempt.via, attempt.to),
                End::new(listener, there.run, there.address, via, seen),
            ];
            self.conns.push(Conn {
                ends,
                exporter,
                door: None,
            });
            let conn = self.conns.len() - 1;
            let delay = self.network.delay(&mut self.dice);
            self.later(
                delay,
                Happening::ClientUp {
                    conn,
                    dial: attempt.dial,
                },
            );
            return;
        }
        if self.now + attempt.pause < attempt.until {
            let pause = attempt.pause;
            attempt.pause *= 2;
            self.later(pause, Happening::Initial(attempt));
        } else if self.hosts[attempt.host].works() {
            self.feed(attempt.host, Input::DialFailed { dial: attempt.dial }, Cause::Other);
        } else {
            // A sleeping machine hears of it when it wakes.
            self.later(Duration::from_secs(1), Happening::Initial(attempt));
        }
    }

    /// The host that lets this Initial in, by which socket, and where it seems to come from.
    fn admits(&mut self, attempt: &Attempt) -> Option<(usize, Via, SocketAddr)> {
        let (listener, via, seen) = self.trace(attempt.host, attempt.via, attempt.to)?;
        let dialer = attempt.host;
        let is_heard = !via.is_direct()
            || (self.hosts[dialer].address == attempt.from
                && self.network.hears(dialer, listener)
                && self.network.hears(listener, dialer));
        let path = self.hosts[dialer].works()
            && self.hosts[listener].works()
            && is_heard
            && !self.network.loses(&mut self.dice);
        let host = &self.hosts[listener];
        let admitted = host
            .shell
            .admitted
            .get(&attempt.token)
            .is_some_and(|until| *until >= self.now);
        let lets_in = path && admitted && host.device == attempt.peer;
        let returns = self.trace(listener, via, seen).map(|(there, via, _)| (there, via));
        (lets_in && returns == Some((dialer, attempt.via))).then_some((listener, via, seen))
    }

    pub(super) fn client_up(&mut self, conn: usize, dial: DialId) {
        let (host, run) = (self.conns[conn].ends[DIALER].host, self.conns[conn].ends[DIALER].run);
        if self.hosts[host].run != run || self.hosts[host].node.is_none() {
            return;
        }
        if self.hosts[host].asleep {
            return self.later(Duration::from_secs(1), Happening::ClientUp { conn, dial });
        }
        let delay = self.network.delay(&mut self.dice);
        let until = self.now + bounds::DIAL;
        self.later(delay, Happening::ServerUp { conn, until });
        self.end_up(conn, DIALER, Some(dial));
    }

    pub(super) fn server_up(&mut self, conn: usize, until: Duration) {
        if self.conns[conn].ends[DIALER].closed {
            return;
        }
        if self.passes(conn, DIALER) && !self.network.loses(&mut self.dice) {
            self.end_up(conn, LISTENER, None);
        } else if self.now < until {
            self.later(AGAIN, Happening::ServerUp { conn, until });
        }
    }

    fn end_up(&mut self, conn: usize, side: usize, dial: Option<DialId>) {
        let exporter = self.conns[conn].exporter;
        let (remote, via) = (self.conns[conn].ends[side].remote, self.conns[conn].ends[side].via);
        let (peer, visitor) = self.shown_to(conn, side);
        let end = &mut self.conns[conn].ends[side];
        let host = &mut self.hosts[end.host];
        host.shell.next_link += 1;
        let link = LinkId(host.shell.next_link);
        host.shell.links.insert(link, (conn, side));
        end.link = Some(link);
        let (host, input) = (
            end.host,
            Input::LinkUp(LinkUp {
                link,
                dial,
                visitor,
                peer,
                remote,
                via,
                exporter,
            }),
        );
        self.feed(host, input, Cause::Other);
    }

    /// Whether packets of one end reach the other at this moment.
    pub(crate) fn passes(&self, conn: usize, side: usize) -> bool {
        let (from, to) = (&self.conns[conn].ends[side], &self.conns[conn].ends[1 - side]);
        if let Via::Relay(id) = from.via {
            let runs = |end: &End| self.hosts[end.host].run == end.run && self.hosts[end.host].works();
            let led = self.relayed_to(from.host, id).map(|(target, _)| target);
            return runs(from) && runs(to) && led == Some(to.host);
        }
        let stands = |end: &End| {
            let host = &self.hosts[end.host];
            host.run == end.run && host.works() && host.address == end.address
        };
        stands(from) && stands(to) && self.network.hears(from.host, to.host) && self.leads(from, to)
    }

    /// Where a packet of this end seems to come from, and by which socket, if it reaches the other end's machine all the same.
    fn moved(&self, conn: usize, side: usize) -> Option<(SocketAddr, Via)> {
        let (from, to) = (&self.conns[conn].ends[side], &self.conns[conn].ends[1 - side]);
        let lives = |end: &End| self.hosts[end.host].run == end.run && self.hosts[end.host].works();
        let (there, via, seen) = self.trace(from.host, from.via, from.remote)?;
        let arrives = lives(from) && lives(to) && there == to.host && self.network.hears(from.host, to.host);
        (arrives && (seen, via) != (to.remote, to.via)).then_some((seen, via))
    }

    /// Whether what one end sends comes out at the other, from where that expects it.
    fn leads(&self, from: &End, to: &End) -> bool {
        self.trace(from.host, from.via, from.remote) == Some((to.host, to.via, to.remote))
    }

    /// Whether an open connection that works both ways joins two hosts.
    pub(crate) fn is_joined(&self, one: usize, other: usize) -> bool {
        (0..self.conns.len()).rev().any(|conn| {
            let [a, b] = &self.conns[conn].ends;
            let joins = (a.host, b.host) == (one, other) || (a.host, b.host) == (other, one);
            joins && a.is_open() && b.is_open() && self.passes(conn, DIALER) && self.passes(conn, LISTENER)
        })
    }

    pub(super) fn send(&mut self, host: usize, link: LinkId, bytes: Vec<u8>) {
        let Some((conn, side)) = self.hosts[host].shell.links.get(&link).copied() else {
            return;
        };
        let to = self.conns[conn].ends[1 - side].host;
        self.watch_frame(host, to, &bytes);
        let ready = self.now + self.network.delay(&mut self.dice);
        let end = &mut self.conns[conn].ends[side];
        end.outbox.push_back((ready, bytes));
        if !end.moving {
            end.moving = true;
            self.later(ready - self.now, Happening::Frame { conn, side });
        }
    }

    pub(super) fn frame(&mut self, conn: usize, side: usize) {
        let end = &self.conns[conn].ends[side];
        let dead = self.hosts[end.host].run != end.run || end.closed || self.conns[conn].ends[1 - side].closed;
        let Some((ready, _)) = end.outbox.front().filter(|_| !dead) else {
            self.conns[conn].ends[side].moving = false;
            return;
        };
        if *ready > self.now {
            let wait = *ready - self.now;
            return self.later(wait, Happening::Frame { conn, side });
        }
        let arrives = self.passes(conn, side) && self.conns[conn].ends[1 - side].is_open();
        if !arrives || self.network.loses(&mut self.dice) {
            return self.later(AGAIN, Happening::Frame { conn, side });
        }
        let Some((_, bytes)) = self.conns[conn].ends[side].outbox.pop_front() else {
            return;
        };
        self.later(Duration::ZERO, Happening::Frame { conn, side });
        let bytes = self.bend_frame(bytes);
        let far = &self.conns[conn].ends[1 - side];
        if let (host, Some(link)) = (far.host, far.link) {
            self.feed(host, Input::Control { link, bytes }, Cause::Other);
        }
    }

    pub(super) fn send_alive(&mut self, host: usize, link: LinkId, mut bytes: Vec<u8>) {
        let Some((conn, side)) = self.hosts[host].shell.links.get(&link).copied() else {
            return;
        };
        self.watch_alive_sent(host);
        if self.is(Mutant::ForgesProofs)
            && let Some(answer) = super::mutant::forged_answer(&bytes)
        {
            return self.feed(host, Input::Alive { link, bytes: answer }, Cause::Other);
        }
        if self.is(Mutant::LyingPresence)
            && let Some(last) = bytes.last_mut()
        {
            *last = 0xf5;
        }
        let sent = self.now;
        let mut delays = self.network.fates(&mut self.dice);
        if self.is(Mutant::StammeringKeepalives) {
            delays = [delays.clone(), delays.clone(), delays].concat();
        }
        for delay in delays {
            let bytes = bytes.clone();
            self.later(
                delay,
                Happening::Alive {
                    conn,
                    side,
                    bytes,
                    sent,
                },
            );
        }
    }

    /// A keep-alive datagram of the end `side` arrives.
    pub(super) fn alive(&mut self, conn: usize, side: usize, bytes: Vec<u8>, sent: Duration) {
        let (from, far) = (self.conns[conn].ends[side].host, &self.conns[conn].ends[1 - side]);
        let Some(link) = far.link.filter(|_| far.is_open()) else {
            return;
        };
        let host = far.host;
        let is_same_run = self.hosts[host].run == far.run && far.via.is_direct();
        if is_same_run && self.hosts[host].asleep && self.network.hears(from, host) {
            if self.hosts[host].shell.backlog.len() < 20 && self.dice.chance(25) {
                self.hosts[host].shell.backlog.push(Held::Alive {
                    conn,
                    side,
                    bytes,
                    sent,
                });
            }
            return;
        }
        if let Some((from, via)) = self.moved(conn, side) {
            if self.is(Mutant::DeafToMoves) {
                return;
            }
            return self.feed(host, Input::Moved { link, from, via }, Cause::Other);
        }
        if self.passes_to(conn, 1 - side) {
            self.watch_alive(host, from, sent);
            let rtt = Duration::from_millis(2 * self.network.conditions.latency_ms);
            self.feed(host, Input::Rtt { link, rtt }, Cause::Other);
            self.feed(host, Input::Alive { link, bytes }, Cause::Other);
        }
    }

    /// Whether a packet that is on its way reaches this end: its sender may have gone meanwhile.
    fn passes_to(&self, conn: usize, side: usize) -> bool {
        let (to, from) = (&self.conns[conn].ends[side], &self.conns[conn].ends[1 - side]);
        if !from.via.is_direct() {
            return self.passes(conn, 1 - side);
        }
        let host = &self.hosts[to.host];
        let stands = host.run == to.run && host.works() && host.address == to.address;
        let sender = &self.hosts[from.host];
        let is_gone = sender.run != from.run || sender.address != from.address || !sender.works();
        stands && self.network.hears(from.host, to.host) && (is_gone || self.leads(from, to))
    }

    pub(super) fn close(&mut self, host: usize, link: LinkId, code: u32) {
        let Some((conn, side)) = self.hosts[host].shell.links.remove(&link) else {
            return;
        };
        let end = &mut self.conns[conn].ends[side];
        end.closed = true;
        end.outbox.clear();
        let delay = self.network.delay(&mut self.dice);
        self.later(
            delay,
            Happening::Closing {
                conn,
                side: 1 - side,
                code,
                again: true,
            },
        );
    }

    /// The news that the far end closed arrives at the end `side`.
    pub(super) fn closing(&mut self, conn: usize, side: usize, code: u32, again: bool) {
        let end = &self.conns[conn].ends[side];
        let Some(link) = end.link.filter(|_| !end.closed) else {
            return;
        };
        let lost = self.network.loses(&mut self.dice);
        if !self.passes_to(conn, side) || lost {
            if again {
                self.later(
                    AGAIN,
                    Happening::Closing {
                        conn,
                        side,
                        code,
                        again: false,
                    },
                );
            }
            return;
        }
        let end = &mut self.conns[conn].ends[side];
        end.closed = true;
        let host = end.host;
        self.hosts[host].shell.links.remove(&link);
        let code = Some(u64::from(code));
        self.feed(host, Input::LinkDown { link, code }, Cause::Other);
    }
}
