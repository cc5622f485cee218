//! The shells' doors: strangers who ask, whoever is let in, and nobody while it is closed.

use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::crypto::{self, Secret};
use twocan_core::ids::{DeviceKey, DialId, VisitorId};
use twocan_core::io::Input;
use twocan_core::reach::via::Via;

use super::conn::{Conn, DIALER, DoorKeys, End};
use super::happening::{Cause, Happening};
use super::mutant::Mutant;
use super::world::World;

/// A ring at a door under way: its Initial is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    host: usize,
    run: u32,
    from: SocketAddr,
    dial: DialId,
    to: SocketAddr,
    key: DeviceKey,
    until: Duration,
    pause: Duration,
}

fn tls_key(seed: &Secret) -> DeviceKey {
    DeviceKey(crypto::sign_public(seed))
}

impl World {
    pub(super) fn open_door(&mut self, host: usize, seed: &Secret, valid_for: Duration) {
        let until = if self.is(Mutant::OpenDoor) {
            Duration::MAX
        } else {
            self.now + valid_for
        };
        self.hosts[host].shell.door = Some((tls_key(seed), until));
    }

    pub(super) fn close_door(&mut self, host: usize) {
        if !self.is(Mutant::OpenDoor) {
            self.hosts[host].shell.door = None;
        }
    }

    pub(super) fn dial_door(&mut self, host: usize, dial: DialId, to: SocketAddr, seed: &Secret) {
        let visit = Visit {
            host,
            run: self.hosts[host].run,
            from: self.hosts[host].address,
            dial,
            to,
            key: tls_key(seed),
            until: self.now + bounds::DIAL,
            pause: Duration::from_secs(1),
        };
        let delay = self.network.delay(&mut self.dice);
        self.later(delay, Happening::AtDoor(visit));
    }

    /// One Initial arrives at a door, or does not. The Retry is taken as read.
    pub(super) fn at_door(&mut self, mut visit: Visit) {
        if self.hosts[visit.host].run != visit.run || self.hosts[visit.host].node.is_none() {
            return;
        }
        if let Some(there) = self.open_door_at(&visit) {
            let shell = &mut self.hosts[there].shell;
            shell.next_link += 1;
            let (visitor, from) = (VisitorId(shell.next_link), visit.from);
            shell.visitors.insert(visitor, visit);
            return self.feed(there, Input::Visitor { visitor, from }, Cause::Other);
        }
        if self.now + visit.pause < visit.until {
            let pause = visit.pause;
            visit.pause *= 2;
            self.later(pause, Happening::AtDoor(visit));
        } else if self.hosts[visit.host].works() {
            self.feed(visit.host, Input::DialFailed { dial: visit.dial }, Cause::Other);
        } else {
            // A sleeping machine hears of it when it wakes.
            self.later(Duration::from_secs(1), Happening::AtDoor(visit));
        }
    }

    fn open_door_at(&mut self, visit: &Visit) -> Option<usize> {
        let there = self.hosts.iter().position(|host| host.address == visit.to)?;
        let door = self.hosts[there].shell.door;
        let path = self.hosts[visit.host].works()
            && self.hosts[there].works()
            && self.hosts[visit.host].address == visit.from
            && self.network.hears(visit.host, there)
            && self.network.hears(there, visit.host)
            && !self.network.loses(&mut self.dice);
        let is_open = door.is_some_and(|(_, until)| self.now < until);
        (path && is_open).then_some(there)
    }

    pub(super) fn let_in(&mut self, host: usize, visitor: VisitorId) {
        let shell = &mut self.hosts[host].shell;
        let (Some(visit), Some((shown, _))) = (shell.visitors.remove(&visitor), shell.door) else {
            return;
        };
        let exporter = self.dice.bytes();
        let ends = [
            End::new(visit.host, visit.run, visit.from, Via::Own, visit.to),
            End::new(host, self.hosts[host].run, visit.to, Via::Own, visit.from),
        ];
        let door = DoorKeys {
            visitor,
            keys: [visit.key, shown],
        };
        self.conns.push(Conn {
            ends,
            exporter,
            door: Some(door),
        });
        let (conn, dial) = (self.conns.len() - 1, visit.dial);
        let delay = self.network.delay(&mut self.dice);
        self.later(delay, Happening::ClientUp { conn, dial });
    }

    pub(super) fn turn_away(&mut self, host: usize, visitor: VisitorId) {
        if let Some(visit) = self.hosts[host].shell.visitors.remove(&visitor) {
            let delay = self.network.delay(&mut self.dice);
            self.later(delay, Happening::TurnedAway(visit));
        }
    }

    pub(super) fn turned_away(&mut self, visit: &Visit) {
        let host = &self.hosts[visit.host];
        if host.run == visit.run && host.works() {
            self.feed(visit.host, Input::TurnedAway { dial: visit.dial }, Cause::Other);
        }
    }

    /// What each end of a connection is shown as the other's TLS key, and which visitor the listener gets.
    pub(super) fn shown_to(&self, conn: usize, side: usize) -> (DeviceKey, Option<VisitorId>) {
        let conn = &self.conns[conn];
        match &conn.door {
            Some(door) => (door.keys[1 - side], (side != DIALER).then_some(door.visitor)),
            None => (self.hosts[conn.ends[1 - side].host].device, None),
        }
    }
}
