//! Daemons that start and stop, machines that sleep and move, and who cannot hear whom.

use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::event::{Reachable, WhyNot};
use twocan_core::io::{Input, Means};
use twocan_core::node::{Defaults, Node};

use super::happening::{Cause, Happening};
use super::host::{Held, Seen, Shell};
use super::mutant::Mutant;
use super::watch::Invariant;
use super::world::{World, note};

impl World {
    /// Starts a daemon with what is on its disk.
    pub(crate) fn start(&mut self, index: usize) {
        if self.hosts[index].node.is_some() {
            return;
        }
        // Who was never written to the disk comes back as somebody else: the shell is not ready before.
        let is_first = self.hosts[index].disk.written.is_none();
        if self.is(Mutant::WipedDisk) && self.hosts[index].run == 1 {
            self.hosts[index].disk.written = None;
        }
        if self.is(Mutant::RolledBackDisk) {
            self.hosts[index].disk.forget_redeemers();
        }
        if self.is(Mutant::OldFindingKey) {
            self.bring_old_key_back(index);
        }
        let seed = self.dice.bytes();
        let (now, host) = (self.now, &mut self.hosts[index]);
        let defaults = Defaults {
            person_name: host.name().to_string(),
            device_name: "computer".to_owned(),
        };
        let node = Node::new(seed, host.disk.written.as_deref(), &defaults, host.clock(now)).unwrap();
        host.run += 1;
        host.shell = Shell {
            last_wakeup: now,
            ..Shell::default()
        };
        host.asleep = false;
        let (root, device) = (node.root(), node.device());
        let same = is_first || (host.root, host.device) == (root, device);
        (host.root, host.device) = (root, device);
        host.node = Some(node);
        let kept = std::mem::take(&mut host.seen);
        host.seen = Seen {
            people: kept.people,
            will_ring: kept.will_ring,
            will_ring_since: kept.will_ring_since,
            ..Seen::default()
        };
        note!(
            self,
            "{} starts (run {})",
            self.hosts[index].name(),
            self.hosts[index].run
        );
        if !same {
            self.fail(Invariant::Identity, format!("host {index} became somebody else"));
        }
        self.disturb(index);
        let own = self.hosts[index].own_addresses();
        self.feed(index, Input::Interfaces(own), Cause::Other);
        self.feed(index, Input::Means(Means { dht: true, lan: false }), Cause::Other);
        if self.is(Mutant::LetsCallsWait) {
            self.meddle(index, Command::SetSecondCall { waits: true });
        }
        self.look(index);
        self.check_restart(index, is_first);
    }

    /// The daemon dies on the spot.
    pub(crate) fn crash(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        if host.node.take().is_none() {
            return;
        }
        host.asleep = false;
        host.disk.queue.clear();
        host.disk.busy = false;
        host.seen.calls.clear();
        for contact in host.seen.contacts.values_mut() {
            contact.reachable = Reachable::No(WhyNot::NoAnswer);
        }
        note!(self, "{} dies", self.hosts[index].name());
        self.disturb(index);
        self.call_side_gone(index);
    }

    /// The daemon exits in order.
    pub(crate) fn leave(&mut self, index: usize) {
        if self.hosts[index].works() {
            note!(self, "{} exits", self.hosts[index].name());
            self.feed(index, Input::Going, Cause::Other);
            self.crash(index);
        }
    }

    pub(crate) fn sleep(&mut self, index: usize, time: Duration) {
        if self.hosts[index].works() {
            note!(self, "{} sleeps for {time:?}", self.hosts[index].name());
            self.hosts[index].asleep = true;
            self.disturb(index);
            self.call_side_gone(index);
            self.later(time, Happening::Wake { host: index });
        }
    }

    pub(super) fn wake(&mut self, index: usize) {
        if !self.hosts[index].asleep {
            return;
        }
        note!(self, "{} wakes", self.hosts[index].name());
        self.hosts[index].asleep = false;
        self.disturb(index);
        // What a machine notices first when it wakes is chance.
        let mut first: Vec<u8> = vec![0, 1, 2];
        while !first.is_empty() {
            let place = self.dice.index(first.len());
            match first.remove(place) {
                0 => self.feed(index, Input::Resumed, Cause::Other),
                1 => self.time_out(index),
                _ => self.empty_backlog(index),
            }
        }
    }

    pub(super) fn empty_backlog(&mut self, index: usize) {
        for held in std::mem::take(&mut self.hosts[index].shell.backlog) {
            match held {
                Held::Knock {
                    from,
                    via,
                    sender,
                    bytes,
                } => self.take_datagram(index, (from, via), sender, bytes),
                Held::Alive {
                    conn,
                    side,
                    bytes,
                    sent,
                } => self.alive(conn, side, bytes, sent),
            }
        }
    }

    pub(crate) fn move_away(&mut self, index: usize) {
        self.hosts[index].move_away();
        note!(
            self,
            "{} is now at {}",
            self.hosts[index].name(),
            self.hosts[index].address
        );
        self.disturb(index);
        if self.hosts[index].works() {
            let own = self.hosts[index].own_addresses();
            self.feed(index, Input::Interfaces(own), Cause::Other);
        }
    }

    pub(crate) fn block(&mut self, from: usize, to: usize) {
        note!(self, "{from} is not heard by {to}");
        self.network.block(from, to);
        self.disturb_pair(from, to);
    }

    pub(crate) fn heal(&mut self, one: usize, other: usize) {
        if self.is(Mutant::NeverHeals) {
            return;
        }
        note!(self, "{one} and {other} hear each other");
        self.network.unblock(one, other);
        self.disturb_pair(one, other);
    }
}
