//! Searches that wait for long: the own router is opened for whoever comes back, and everybody is looked for once when the own
//! network is back.
//!
//! Who comes back knocks at every meeting at first. What has searched for hours knocks at few of them, so that somebody who is away
//! costs next to nothing; before each of the others one small packet leaves that lives for a few hops only. It is
//! heard by nobody and carries nothing. A router that lets in only what was written to lets the knock in that comes within the
//! next half a minute. Behind a hard router that is of no use, and one knock goes out before every fourth meeting.

use std::net::SocketAddr;

use super::Node;
use super::knocks::Question;
use crate::bounds;
use crate::event::FromOutside;
use crate::ids::DeviceKey;
use crate::io::Output;
use crate::reach::nat_report::NatKind;
use crate::reach::via::{Place, Via};
use crate::time::Now;

/// Of the class that everybody drops, should it arrive all the same.
const OPENER: [u8; 1] = [0x10];

impl Node {
    /// On the common tick: opens the own router for those who are not looked for at the next meeting.
    pub(super) fn open_routers(&mut self, now: Now) {
        if self.own.loopback_only || self.reach_from_outside() == FromOutside::Yes {
            return;
        }
        let waits = |peer: &&super::Peer| {
            peer.contact.is_some() && peer.link.is_none() && peer.search.opens(&self.device, &peer.device, now)
        };
        let waiting: Vec<DeviceKey> = self.peers.values().filter(waits).map(|peer| peer.device).collect();
        let is_hard = self.network.report().kind() == NatKind::Hard;
        for device in waiting {
            if !is_hard {
                self.open_router_for(&device, now);
            } else {
                self.knock_in_between(&device, now);
            }
        }
    }

    /// A hard router gives whoever comes back no place that he could know: a knock must arrive where he is. The places take turns.
    fn knock_in_between(&mut self, device: &DeviceKey, now: Now) {
        let minute = now.wall / bounds::MEETING.as_secs();
        if !minute.is_multiple_of(bounds::KNOCKS_IN_BETWEEN) {
            return;
        }
        let outside = self.outside_of(device);
        let turn = usize::try_from(minute / bounds::KNOCKS_IN_BETWEEN).unwrap_or_default();
        let to = turn
            .checked_rem(outside.len())
            .and_then(|turn| outside.get(turn).copied());
        let Some(to) = to.filter(|to| self.punch.unanswered.take(*to, now.boot)) else {
            return;
        };
        if let Some(seal) = self.seals(device).first() {
            self.ask_at(*device, Place::own(to), seal, Question::PLAIN, now);
        }
    }

    /// Where a device may be outside our own networks, the likeliest first.
    fn outside_of(&self, device: &DeviceKey) -> Vec<SocketAddr> {
        let known = self.addresses_of(device).into_iter();
        let outside = known.filter(|at| self.own.is_outside(at));
        outside.take(bounds::OPENED).collect()
    }

    fn open_router_for(&mut self, device: &DeviceKey, now: Now) {
        let ttl = Some(bounds::OPENING_HOPS);
        for to in self.outside_of(device) {
            if self.punch.unanswered.take(to, now.boot) {
                self.push(Output::Transmit {
                    to,
                    via: Via::Own,
                    ttl,
                    bytes: OPENER.to_vec(),
                });
            }
        }
    }

    /// The own network works after a time in which nothing showed that it did. Perhaps nobody could be found for that reason
    /// alone.
    pub(super) fn network_is_back(&mut self, now: Now) {
        for peer in self.peers.values_mut().filter(|peer| peer.link.is_none()) {
            peer.search.look(now.boot);
        }
    }
}
