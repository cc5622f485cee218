//! The shells' sockets: knocks leave, are under way for a while, and arrive.

use std::net::SocketAddr;

use twocan_core::io::Input;

use super::happening::{Cause, Happening};
use super::host::Held;
use super::mutant::Mutant;
use super::world::World;

impl World {
    pub(super) fn transmit(&mut self, index: usize, to: SocketAddr, bytes: Vec<u8>) {
        let from = self.hosts[index].address;
        let copies = if self.is(Mutant::StammeringSocket) { 6 } else { 1 };
        for copy in 0..copies {
            if copy > 0 {
                self.watch_transmit(index, to, &bytes, Cause::Other, 1);
            }
            for delay in self.network.fates(&mut self.dice) {
                let bytes = bytes.clone();
                self.later(delay, Happening::Datagram { from, to, bytes });
            }
        }
    }

    pub(super) fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let Some(index) = self.hosts.iter().position(|host| host.address == to) else {
            return;
        };
        let sender = self.watch.owner_of(from);
        let heard = sender.is_none_or(|sender| self.network.hears(sender, index));
        if !heard || self.hosts[index].node.is_none() {
            return;
        }
        if self.hosts[index].asleep {
            if self.hosts[index].shell.backlog.len() < 20 && self.dice.chance(25) {
                self.hosts[index].shell.backlog.push(Held::Knock { from, bytes });
            }
            return;
        }
        self.take_datagram(index, from, bytes);
    }

    pub(super) fn take_datagram(&mut self, index: usize, from: SocketAddr, bytes: Vec<u8>) {
        let sender = self.watch.owner_of(from);
        self.watch_datagram(index, from, sender, &bytes);
        let size = bytes.len();
        self.feed(index, Input::Datagram { from, bytes }, Cause::Datagram { from, size });
        if sender.is_none() && self.is(Mutant::EchoesStrangers) {
            self.watch_transmit(index, from, &[0; 40], Cause::Datagram { from, size }, 0);
        }
    }
}
