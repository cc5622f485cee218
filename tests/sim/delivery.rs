//! The shells' sockets: knocks leave, are under way for a while, and arrive.

use std::net::SocketAddr;

use twocan_core::demux::{self, Class};
use twocan_core::io::Input;
use twocan_core::reach::via::{Place, Via};
use twocan_core::reach::{krpc, relay};

use super::happening::{Cause, Happening};
use super::host::Held;
use super::mutant::Mutant;
use super::nat::{self, Air, Seat};
use super::world::World;

/// A knock that a shell is to send.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) to: SocketAddr,
    pub(crate) via: Via,
    pub(crate) ttl: Option<u8>,
    pub(crate) bytes: Vec<u8>,
}

impl Parcel {
    /// What goes back to whoever is at `to`.
    fn back(to: SocketAddr, via: Via, bytes: Vec<u8>) -> Self {
        Self {
            to,
            via,
            ttl: None,
            bytes,
        }
    }
}

impl World {
    /// A knock leaves the core; `sent` counts what went out because of the same input.
    pub(super) fn transmit(&mut self, index: usize, parcel: &Parcel, cause: Cause, sent: &mut usize) {
        let answers = matches!(cause, Cause::Datagram { from, .. } if from == parcel.to);
        if answers && self.is(Mutant::PadsAnswers) {
            let mut padded = parcel.clone();
            padded.bytes.push(0);
            self.put_on_wire(index, &padded, cause, *sent);
            *sent += 1;
        }
        if answers && self.is(Mutant::KeepsAnswers) {
            let shell = &mut self.hosts[index].shell;
            shell.answers.insert(shell.asked_by.clone(), parcel.bytes.clone());
        }
        if self.is(Mutant::AsksMetadata) {
            let mut elsewhere = parcel.clone();
            elsewhere.to = SocketAddr::from(([169, 254, 169, 254], 80));
            self.put_on_wire(index, &elsewhere, cause, *sent);
        }
        if !answers && self.is(Mutant::BloatsKnocks) {
            let mut bloated = parcel.clone();
            bloated.bytes.resize(65_000, 0);
            return self.put_on_wire(index, &bloated, cause, *sent);
        }
        if self.is(Mutant::KeepsRoutersShut) && parcel.ttl.is_some() && parcel.bytes.len() == 1 {
            return;
        }
        let stammers = self.is(Mutant::StammeringSocket) && !super::stun::is_server(parcel.to);
        let copies = if stammers { 6 } else { 1 };
        for _ in 0..copies {
            self.put_on_wire(index, parcel, cause, *sent);
            *sent += 1;
        }
    }

    /// The one way for a knock to leave a machine.
    pub(super) fn put_on_wire(&mut self, index: usize, parcel: &Parcel, cause: Cause, before: usize) {
        self.watch_transmit(index, parcel, cause, before);
        self.watch_place(index, parcel.to, parcel.via);
        let hops = if self.is(Mutant::IgnoresHops) { None } else { parcel.ttl };
        if !self.has_socket(index, parcel.via) {
            return;
        }
        let hops = hops.unwrap_or(nat::HOPS);
        let Some(air) = self.leave_networks(index, nat::port_of(parcel.via), parcel.to, hops) else {
            return;
        };
        for delay in self.network.fates(&mut self.dice) {
            let (sender, bytes) = (Some(index), parcel.bytes.clone());
            self.later(delay, Happening::Datagram { air, sender, bytes });
        }
    }

    fn has_socket(&self, index: usize, via: Via) -> bool {
        match via {
            Via::Own => true,
            Via::Spare(number) => self.hosts[index].shell.spares.contains(&number),
            Via::Relay(_) | Via::Turn => false,
        }
    }

    fn seats(&self) -> Vec<Seat> {
        self.hosts.iter().map(super::host::Host::seat).collect()
    }

    /// A packet on its way out of its sender's networks.
    pub(super) fn leave_networks(&self, index: usize, port: u16, to: SocketAddr, hops: u8) -> Option<Air> {
        let (seats, seat) = (self.seats(), self.hosts[index].seat());
        let mut routers = self.network.routers.borrow_mut();
        routers.up(&seats, seat, port, to, hops, self.now)
    }

    /// Whom a packet reaches, and at which socket.
    fn enter_networks(&self, air: Air) -> Option<(usize, Via)> {
        let seats = self.seats();
        let (index, port) = self.network.routers.borrow_mut().down(&seats, air, self.now)?;
        let via = nat::via_of(port).filter(|via| self.has_socket(index, *via))?;
        Some((index, via))
    }

    /// Where a packet from somebody's socket arrives at this moment, and where it seems to come from.
    pub(super) fn trace(&self, index: usize, via: Via, to: SocketAddr) -> Option<(usize, Via, SocketAddr)> {
        if let Via::Relay(id) = via {
            let (there, far) = self.relayed_to(index, id)?;
            let Place { at, via } = Place::relayed(far);
            return Some((there, via, at));
        }
        let air = self.leave_networks(index, nat::port_of(via), to, nat::HOPS)?;
        let (there, through) = self.enter_networks(air)?;
        Some((there, through, air.from))
    }

    pub(super) fn datagram(&mut self, air: Air, sender: Option<usize>, bytes: Vec<u8>) {
        if super::stun::is_server(air.to) {
            return self.answer_stun(air.from, air.to, &bytes);
        }
        if super::stun::is_node(air.to) {
            return self.answer_ping(air.from, air.to, &bytes);
        }
        let Some((index, via)) = self.enter_networks(air) else {
            return;
        };
        let speaker = sender.or_else(|| self.watch.owner_of(air.from));
        let heard = speaker.is_none_or(|speaker| self.network.hears(speaker, index));
        if !heard || self.hosts[index].node.is_none() {
            return;
        }
        let from = air.from;
        if self.hosts[index].asleep {
            if self.hosts[index].shell.backlog.len() < 20 && self.dice.chance(25) {
                let held = Held::Knock {
                    from,
                    via,
                    sender,
                    bytes,
                };
                self.hosts[index].shell.backlog.push(held);
            }
            return;
        }
        self.take_datagram(index, (from, via), sender, bytes);
    }

    pub(super) fn take_datagram(
        &mut self,
        index: usize,
        from: (SocketAddr, Via),
        sender: Option<usize>,
        bytes: Vec<u8>,
    ) {
        let (from, via) = from;
        if self.is(Mutant::DeafSocket) && self.hosts[index].run > 1 {
            return;
        }
        if bytes.first() == Some(&relay::FORM) {
            return self.take_frame(index, from, bytes);
        }
        if bytes.first().copied().map(demux::classify) == Some(Class::Stun) {
            return self.feed(index, Input::Stun { from, via, bytes }, Cause::Other);
        }
        if krpc::is_krpc(&bytes) {
            return self.take_krpc(index, (from, via), bytes);
        }
        self.watch_datagram(index, from, sender, &bytes);
        let cause = Cause::Datagram {
            from,
            size: bytes.len(),
        };
        if self.is(Mutant::EchoesKnocks) && self.hosts[index].shell.echoed.insert(bytes.clone()) {
            self.put_on_wire(index, &Parcel::back(from, via, bytes.clone()), cause, 0);
        }
        let shell = &mut self.hosts[index].shell;
        if let Some(answer) = shell.answers.get(&bytes).cloned() {
            self.put_on_wire(index, &Parcel::back(from, via, answer), cause, 0);
        }
        self.hosts[index].shell.asked_by.clone_from(&bytes);
        self.feed(index, Input::Datagram { from, via, bytes }, cause);
    }

    /// A real socket lets in what comes from where a ping went to; the core has to stand more.
    fn take_krpc(&mut self, index: usize, from: (SocketAddr, Via), bytes: Vec<u8>) {
        let (from, via) = from;
        if via == Via::Own {
            let size = bytes.len();
            self.feed(index, Input::Krpc { from, bytes }, Cause::Datagram { from, size });
        }
    }
}
