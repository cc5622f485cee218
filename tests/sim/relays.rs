//! The shells' relays: frames to them, from them, and through them.

use std::net::SocketAddr;

use twocan_core::demux::{self, Class};
use twocan_core::ids::{RelayHandle, RelayId};
use twocan_core::io::{Input, Output};
use twocan_core::reach::relay;
use twocan_core::reach::via::{Place, Via};

use super::delivery::Parcel;
use super::happening::Cause;
use super::mutant::Mutant;
use super::world::World;

impl World {
    /// What an output about relays does to a shell.
    pub(super) fn perform_relay(&mut self, index: usize, output: &Output) {
        let boot = self.shell_clock(index).boot;
        let keeps = self.is(Mutant::KeepsForwarding);
        let shell = &mut self.hosts[index].shell;
        if let Output::UseRelay { relay, at, handle } = output {
            shell.ways.insert(*relay, (*at, *handle));
        } else if let Output::LeaveRelay { relay } = output {
            shell.ways.remove(relay);
        } else if let Output::Forward(pair) = output {
            shell.forwards.open(pair, boot);
        } else if let (Output::EndForward { pair }, false) = (output, keeps) {
            shell.forwards.close(*pair);
        }
    }

    /// A knock leaves through a relay.
    pub(super) fn transmit_through(&mut self, index: usize, id: RelayId, bytes: &[u8]) {
        if let Some((at, handle)) = self.hosts[index].shell.ways.get(&id).copied() {
            self.put_frame(index, at, relay::wrap(handle, bytes));
        }
    }

    fn put_frame(&mut self, index: usize, to: SocketAddr, bytes: Vec<u8>) {
        let (via, ttl) = (Via::Own, None);
        let parcel = Parcel { to, via, ttl, bytes };
        self.put_on_wire(index, &parcel, Cause::Other, 0);
    }

    /// A frame arrives: for whoever uses the sender as a relay, or to be passed on.
    pub(super) fn take_frame(&mut self, index: usize, from: SocketAddr, mut frame: Vec<u8>) {
        let Some((handle, packet)) = relay::unwrap(&frame) else {
            return;
        };
        let ways = &self.hosts[index].shell.ways;
        if let Some((id, _)) = ways.iter().find(|(_, way)| **way == (from, handle)) {
            let Place { at, via } = Place::relayed(*id);
            let is_knock = packet
                .first()
                .is_some_and(|first| demux::classify(*first) == Class::Knock);
            let bytes = packet.to_vec();
            if is_knock {
                self.feed(index, Input::Datagram { from: at, via, bytes }, Cause::Other);
            }
            return;
        }
        let (boot, is_bottomless) = (self.shell_clock(index).boot, self.is(Mutant::BottomlessRelay));
        let forwards = &mut self.hosts[index].shell.forwards;
        let to = if is_bottomless {
            forwards.leads(from, handle).map(|side| {
                frame = relay::wrap(side.handle, frame.get(relay::HEADER..).unwrap_or_default());
                side.at
            })
        } else {
            forwards.forward(from, &mut frame, boot)
        };
        if let Some(to) = to {
            self.watch_passed_on(index, from, to, frame.len());
            self.put_frame(index, to, frame);
        }
    }

    /// Who hears what a host sends through a relay, and through which way of his own.
    pub(super) fn relayed_to(&self, host: usize, id: RelayId) -> Option<(usize, RelayId)> {
        let (relay_at, handle) = *self.hosts[host].shell.ways.get(&id)?;
        let (relay, _, seen) = self.trace(host, Via::Own, relay_at)?;
        let side = self.hosts[relay].shell.forwards.leads(seen, handle)?;
        let (target, _, from) = self.trace(relay, Via::Own, side.at)?;
        let mut ways = self.hosts[target].shell.ways.iter();
        let (far, _) = ways.find(|(_, way)| **way == (from, side.handle))?;
        let hears = self.network.hears(host, relay) && self.network.hears(relay, target);
        (hears && self.hosts[relay].works()).then_some((target, *far))
    }

    /// The relays that a host uses, and what stands for it there.
    pub(crate) fn ways_of(&self, host: usize) -> Vec<(SocketAddr, RelayHandle)> {
        self.hosts[host].shell.ways.values().copied().collect()
    }

    /// Somebody sends so many packets through relays, whatever his core says.
    pub(crate) fn flood(&mut self, from: usize, ways: &[(SocketAddr, RelayHandle)], packets: usize) {
        for (at, handle) in ways {
            for _ in 0..packets {
                self.put_frame(from, *at, relay::wrap(*handle, &[64; 1200]));
            }
        }
    }

    /// A packet that nobody passes on leaves for a place.
    pub(super) fn watch_place(&mut self, index: usize, to: SocketAddr, via: Via) {
        if via.is_direct() {
            self.watch_hidden(index, to);
        }
    }
}
