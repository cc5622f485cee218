//! The shells' sockets: knocks leave, are under way for a while, and arrive.

use std::net::SocketAddr;

use twocan_core::demux::{self, Class};
use twocan_core::io::Input;
use twocan_core::reach::relay;
use twocan_core::reach::via::Via;

use super::happening::{Cause, Happening};
use super::host::Held;
use super::mutant::Mutant;
use super::world::World;

impl World {
    /// A knock leaves the core; `sent` counts what went out because of the same input.
    pub(super) fn transmit(&mut self, index: usize, to: SocketAddr, bytes: Vec<u8>, cause: Cause, sent: &mut usize) {
        let answers = matches!(cause, Cause::Datagram { from, .. } if from == to);
        if answers && self.is(Mutant::PadsAnswers) {
            let padded = [bytes.as_slice(), &[0]].concat();
            self.put_on_wire(index, to, &padded, cause, *sent);
            *sent += 1;
        }
        if answers && self.is(Mutant::KeepsAnswers) {
            let shell = &mut self.hosts[index].shell;
            shell.answers.insert(shell.asked_by.clone(), bytes.clone());
        }
        let copies = if self.is(Mutant::StammeringSocket) { 6 } else { 1 };
        for _ in 0..copies {
            self.put_on_wire(index, to, &bytes, cause, *sent);
            *sent += 1;
        }
    }

    /// The one way for a knock to leave a machine.
    pub(super) fn put_on_wire(&mut self, index: usize, to: SocketAddr, bytes: &[u8], cause: Cause, before: usize) {
        self.watch_transmit(index, to, bytes, cause, before);
        let from = self.hosts[index].address;
        for delay in self.network.fates(&mut self.dice) {
            let bytes = bytes.to_vec();
            self.later(delay, Happening::Datagram { from, to, bytes });
        }
    }

    pub(super) fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if super::stun::is_server(to) {
            return self.answer_stun(from, to, &bytes);
        }
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
        if self.is(Mutant::DeafSocket) && self.hosts[index].run > 1 {
            return;
        }
        if bytes.first() == Some(&relay::FORM) {
            return self.take_frame(index, from, bytes);
        }
        if bytes.first().copied().map(demux::classify) == Some(Class::Stun) {
            return self.feed(index, Input::Stun { from, bytes }, Cause::Other);
        }
        let sender = self.watch.owner_of(from);
        self.watch_datagram(index, from, sender, &bytes);
        let cause = Cause::Datagram {
            from,
            size: bytes.len(),
        };
        if self.is(Mutant::EchoesKnocks) && self.hosts[index].shell.echoed.insert(bytes.clone()) {
            self.put_on_wire(index, from, &bytes, cause, 0);
        }
        let shell = &mut self.hosts[index].shell;
        if let Some(answer) = shell.answers.get(&bytes).cloned() {
            self.put_on_wire(index, from, &answer, cause, 0);
        }
        self.hosts[index].shell.asked_by.clone_from(&bytes);
        let via = Via::Own;
        self.feed(index, Input::Datagram { from, via, bytes }, cause);
    }
}
