//! Who may use whom as a relay, and from whom somebody hides: as the users clicked it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::command::{Command, Reply};
use twocan_core::message::{Frame, Message};

use super::invariant::Invariant;
use crate::sim::world::World;

/// The time over which passed bytes are counted.
const WINDOW: Duration = Duration::from_secs(10);

/// The marks, and what was passed on.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// `(a, b)`: b may use a.
    relays: BTreeSet<(usize, usize)>,
    /// `(a, b)`: a hides from b.
    hides: BTreeSet<(usize, usize)>,
    /// Bytes by relay and pair.
    passed: BTreeMap<(usize, usize, usize), VecDeque<(Duration, usize)>>,
}

impl World {
    /// What is allowed is allowed when the user clicks; what is forbidden, when he is answered.
    pub(super) fn watch_relay_command(&mut self, index: usize, command: &Command, reply: Option<&Reply>) {
        let Command::SetRelays {
            contact,
            relay,
            relay_only,
        } = command
        else {
            return;
        };
        let Some(other) = self.hosts[index].seen.people.get(contact).copied() else {
            return;
        };
        let (pair, is_answered) = ((index, other), matches!(reply, Some(Reply::Contact(_))));
        let marks = &mut self.watch.marks;
        match (relay, is_answered) {
            (Some(true), false) => {
                marks.relays.insert(pair);
            }
            (Some(false), true) => {
                marks.relays.remove(&pair);
            }
            (Some(_) | None, _) => {}
        }
        match (relay_only, is_answered) {
            (Some(true), true) => {
                marks.hides.insert(pair);
            }
            (Some(false), false) => {
                marks.hides.remove(&pair);
            }
            (Some(_) | None, _) => {}
        }
    }

    /// Whether one of two hides from the other.
    pub(crate) fn hides_either(&self, one: usize, other: usize) -> bool {
        let hides = &self.watch.marks.hides;
        hides.contains(&(one, other)) || hides.contains(&(other, one))
    }

    /// A relay has passed a frame on.
    pub(crate) fn watch_passed_on(&mut self, relay: usize, from: SocketAddr, to: SocketAddr, size: usize) {
        let ends = [self.watch.owner_of(from), self.watch.owner_of(to)];
        let [Some(one), Some(other)] = ends else {
            return self.fail(Invariant::RelayAllowed, format!("host {relay} relays for a stranger"));
        };
        let may = |host: usize| {
            let blocked = self.hosts[relay]
                .contact_for(host)
                .is_some_and(|contact| contact.blocked);
            self.watch.marks.relays.contains(&(relay, host)) && !blocked
        };
        if !may(one) || !may(other) {
            let text = format!("host {relay} relays between {one} and {other}, which its user does not want");
            return self.fail(Invariant::RelayAllowed, text);
        }
        let now = self.now;
        let pair = (relay, one.min(other), one.max(other));
        let passed = self.watch.marks.passed.entry(pair).or_default();
        passed.push_back((now, size));
        while passed.front().is_some_and(|(at, _)| *at + WINDOW < now) {
            passed.pop_front();
        }
        let bytes: usize = passed.iter().map(|(_, size)| size).sum();
        let most = bounds::RELAY_BURST + WINDOW.as_secs() * bounds::RELAY_BYTES_PER_S;
        if u64::try_from(bytes).unwrap() > most {
            let text = format!("host {relay} passed {bytes} bytes on within {WINDOW:?}");
            self.fail(Invariant::RelayBytes, text);
        }
    }

    /// A packet leaves straight for an address.
    pub(crate) fn watch_hidden(&mut self, index: usize, to: SocketAddr) {
        let owner = self.watch.owner_of(to);
        if owner.is_some_and(|owner| self.watch.marks.hides.contains(&(index, owner))) {
            let text = format!("host {index} sent a packet to {to}, from whose owner it hides");
            self.fail(Invariant::HidesAddress, text);
        }
    }

    /// A control frame leaves.
    pub(crate) fn watch_frame(&mut self, index: usize, to: usize, bytes: &[u8]) {
        if !self.watch.marks.hides.contains(&(index, to)) {
            return;
        }
        let named = match Frame::parse(bytes) {
            Ok((_, Message::Hello(hello))) => hello.addresses,
            Ok((_, Message::Addresses(told))) => told.addresses,
            Ok(_) | Err(_) => Vec::new(),
        };
        if !named.is_empty() {
            let text = format!("host {index} names {named:?} to {to}, from whom it hides");
            self.fail(Invariant::HidesAddress, text);
        }
    }
}
