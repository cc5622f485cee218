//! Punching: what opens one's own routers, how often an address is asked that does not answer, and birthdays.
//!
//! One birthday is under way at a time, with whoever it may help first; others wait for their next attempt.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use super::Node;
use super::knocks::Question;
use crate::bounds;
use crate::ids::DeviceKey;
use crate::invite::Link;
use crate::io::Output;
use crate::knock::SealKey;
use crate::reach::birthday::{self, Birthday, Deed, Role};
use crate::reach::nat_report::NatKind;
use crate::reach::search::{self, Slot};
use crate::reach::unanswered::Unanswered;
use crate::reach::via::{Place, Via};
use crate::time::Now;

/// What punching keeps.
#[derive(Debug, Default)]
pub(super) struct Punch {
    pub(super) unanswered: Unanswered,
    birthday: Option<(DeviceKey, Birthday)>,
    /// The spares that are open.
    open: BTreeSet<u16>,
}

impl Punch {
    /// As many free numbers as a birthday needs.
    fn free(&self) -> Range<u16> {
        let blocks = (0..u16::MAX / bounds::SPARES).map(|block| block * bounds::SPARES);
        let mut blocks = blocks.map(|first| first..first + bounds::SPARES);
        blocks
            .find(|block| self.open.range(block.clone()).next().is_none())
            .unwrap_or(0..0)
    }
}

impl Node {
    /// The moment at which a search for a device that has taken long goes on. One that looks for a better path than there is
    /// does not tire.
    pub(super) fn meeting_with(&self, device: &DeviceKey, now: Now) -> Duration {
        let alone = self.peers.get(device).filter(|peer| peer.link.is_none());
        let rarity = alone.map_or(1, |peer| peer.search.rarity(now.boot));
        search::rare_meeting(&self.device, device, rarity, now)
    }

    /// Sends one round of a search. A neighbour is behind no router of ours, so what goes there goes all the way.
    pub(super) fn knock_round(&mut self, device: DeviceKey, slot: Slot, now: Now) {
        let seals = self.seals(&device);
        let Some(seal) = seals.iter().cycle().nth(slot.index) else {
            return;
        };
        for at in self.addresses_of(&device) {
            let is_far = self.own.is_outside(&at);
            let is_near_only = slot.is_alone && is_far && at.is_ipv4() && self.may_not_knock(&device);
            let padded = if is_far {
                slot.first_far && !is_near_only
            } else {
                slot.first
            };
            let hops = if is_near_only { slot.hops.or(Some(bounds::OPENING_HOPS)) } else { slot.hops }.filter(|_| is_far);
            if padded && self.punch.unanswered.take(at, now.boot) {
                self.ask_at(device, Place::own(at), seal, Question::PADDED, now);
            }
            if self.punch.unanswered.take(at, now.boot) {
                let question = Question {
                    dated: !slot.undated,
                    padded: false,
                    hops,
                };
                self.ask_at(device, Place::own(at), seal, question, now);
            }
        }
    }

    /// Knocks at once that may arrive.
    pub(super) fn knock_through(&mut self, device: DeviceKey, now: Now) {
        let Some(seal) = self.seals(&device).first().cloned() else {
            return;
        };
        for at in self.addresses_of(&device) {
            for question in [Question::PADDED, Question::PLAIN] {
                if self.punch.unanswered.take(at, now.boot) {
                    self.ask_at(device, Place::own(at), &seal, question, now);
                }
            }
        }
    }

    /// Which NATs we and a device's person are behind. Before the first link an inviter's is known from the link that was
    /// pasted, an invitee's from his knock or word.
    fn kinds(&self, device: &DeviceKey) -> (NatKind, NatKind) {
        let said = self.contact_of_device(device).and_then(|contact| contact.nat.known());
        let in_link = || self.pasted(device)?.nat;
        let as_guest = || self.peers.get(device)?.guest.as_ref()?.nat.known();
        let theirs = said.or_else(in_link).or_else(as_guest);
        (self.network.report().kind(), theirs.unwrap_or_default())
    }

    /// The link that was pasted to become a device's contact, while that is under way.
    fn pasted(&self, device: &DeviceKey) -> Option<&Link> {
        let redeeming = self.contact_of_device(device)?.redeeming.as_ref()?;
        Some(&redeeming.link).filter(|link| link.device == *device)
    }

    /// Whether an inviter's router keeps our knocks out until he has heard of us, and may be hurt by them: one that does not drop
    /// what nobody asked for takes it for its own, and then his knocks leave from another port. A hard NAT of ours is
    /// another matter, for nobody but he can answer what leaves it.
    fn may_not_knock(&self, device: &DeviceKey) -> bool {
        let is_shut = self.pasted(device).is_some_and(|link| link.shut == Some(true));
        let waits = self.peers.get(device).and_then(|peer| peer.contact);
        is_shut
            && waits.is_some_and(|id| !self.has_answered(id))
            && self.kinds(device) == (NatKind::Easy, NatKind::Easy)
    }

    /// Whether no path can come to be without somebody who passes packets on.
    pub(super) fn needs_relay(&self, device: &DeviceKey) -> bool {
        self.kinds(device) == (NatKind::Hard, NatKind::Hard)
    }

    /// The ordinary knocks of an attempt have gone out: if they cannot suffice, a birthday begins.
    pub(super) fn consider_birthday(&mut self, device: DeviceKey, now: Now) {
        let role = match self.kinds(&device) {
            (NatKind::Hard, NatKind::Easy) => Role::Spread,
            (NatKind::Easy, NatKind::Hard) => Role::Guess,
            (NatKind::Hard, NatKind::Hard | NatKind::Unknown)
            | (NatKind::Easy, NatKind::Easy | NatKind::Unknown)
            | (NatKind::Unknown, NatKind::Easy | NatKind::Hard | NatKind::Unknown) => return,
        };
        if self.punch.birthday.is_some() || self.targets(&device).is_empty() {
            return;
        }
        let Some(peer) = self.peers.get_mut(&device) else {
            return;
        };
        let is_cool = peer.birthday.is_none_or(|last| now.boot >= last + bounds::COOL_DOWN);
        if !is_cool || !birthday::may_try(peer.search.vain, now.wall) {
            return;
        }
        peer.birthday = Some(now.boot);
        peer.search.vain = peer.search.vain.saturating_add(1);
        let (spares, chance) = (self.punch.free(), self.rng.below(u64::MAX));
        let birthday = Birthday::new(role, spares, chance, now.boot);
        let numbers = birthday.spares();
        if !numbers.is_empty() {
            self.punch.open.extend(numbers.clone());
            self.push(Output::OpenSpares { numbers });
        }
        self.punch.birthday = Some((device, birthday));
    }

    /// Addresses of a device that lie behind its router, one of each IP address.
    fn targets(&self, device: &DeviceKey) -> Vec<SocketAddr> {
        let mut ips: BTreeSet<IpAddr> = BTreeSet::new();
        let named = self.addresses_of(device).into_iter();
        named
            .filter(|at| at.is_ipv4() && self.own.is_outside(at))
            .filter(|at| ips.insert(at.ip()))
            .take(bounds::BIRTHDAY_TARGETS)
            .collect()
    }

    /// A port has been found.
    pub(super) fn stop_guessing(&mut self, device: &DeviceKey) {
        let guesses = |(with, birthday): &(DeviceKey, Birthday)| with == device && birthday.role() == Role::Guess;
        if self.punch.birthday.as_ref().is_some_and(guesses) {
            self.punch.birthday = None;
        }
    }

    /// There is a connection.
    pub(super) fn end_birthday(&mut self, device: &DeviceKey) {
        if self.punch.birthday.as_ref().is_some_and(|(with, _)| with == device) {
            self.punch.birthday = None;
        }
    }

    pub(super) fn birthday_timeout(&self) -> Option<Duration> {
        let (_, birthday) = self.punch.birthday.as_ref()?;
        Some(birthday.next_timeout())
    }

    pub(super) fn watch_birthday(&mut self, now: Now) {
        let Some((device, mut birthday)) = self.punch.birthday.take() else {
            return;
        };
        if birthday.is_over(now.boot) || !self.peers.contains_key(&device) {
            return;
        }
        let deed = birthday.poll(now.boot);
        self.punch.birthday = Some((device, birthday));
        let seals = self.seals(&device);
        if let (Some(deed), Some(seal)) = (deed, seals.first()) {
            for at in self.targets(&device) {
                self.celebrate(device, at, seal, &deed, now);
            }
        }
    }

    fn celebrate(&mut self, device: DeviceKey, at: SocketAddr, seal: &SealKey, deed: &Deed, now: Now) {
        match deed {
            Deed::Reach { spares, hops } => {
                let question = Question {
                    hops: Some(*hops),
                    ..Question::PLAIN
                };
                for number in spares.clone() {
                    let via = Via::Spare(number);
                    self.ask_at(device, Place { at, via }, seal, question, now);
                }
            }
            Deed::Guess(ports) => {
                for port in ports {
                    let at = SocketAddr::new(at.ip(), *port);
                    self.ask_at(device, Place::own(at), seal, Question::PLAIN, now);
                }
            }
        }
    }

    /// Closes the spares that nothing needs any more: those of a birthday that is over, and those of connections that are gone.
    pub(super) fn tend_spares(&mut self) {
        if self.punch.open.is_empty() {
            return;
        }
        let mut needed: BTreeSet<u16> = BTreeSet::new();
        needed.extend(self.punch.birthday.iter().flat_map(|(_, birthday)| birthday.spares()));
        let links = self.links.values().map(|link| link.remote.via);
        let dials = self.dials.values().map(|(_, via)| *via);
        for via in links.chain(dials) {
            match via {
                Via::Spare(number) => {
                    needed.insert(number);
                }
                Via::Own | Via::Relay(_) | Via::Turn => {}
            }
        }
        let idle: Vec<u16> = self.punch.open.difference(&needed).copied().collect();
        self.punch.open = needed;
        for numbers in ranges(&idle) {
            self.push(Output::CloseSpares { numbers });
        }
    }
}

/// Ascending numbers as ranges.
fn ranges(numbers: &[u16]) -> Vec<Range<u16>> {
    let mut ranges: Vec<Range<u16>> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(last) if last.end == *number => last.end = number.saturating_add(1),
            Some(_) | None => ranges.push(*number..number.saturating_add(1)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_one_range() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), [1..4, 7..8, 9..11]);
        assert_eq!(ranges(&[]), []);
    }

    #[test]
    fn free_numbers_are_free() {
        let mut punch = Punch::default();
        assert_eq!(punch.free(), 0..256);
        punch.open.insert(255);
        punch.open.insert(256);
        assert_eq!(punch.free(), 512..768);
    }
}
