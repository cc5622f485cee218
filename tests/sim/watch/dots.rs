//! Green means that it will ring: no dot is green without a fresh proof, and every dot turns green that can.

use std::time::Duration;

use twocan_core::bounds;
use twocan_core::event::Reachable;
use twocan_core::state::State;

use super::invariant::Invariant;
use crate::sim::network::SLOWEST;
use crate::sim::world::World;

/// With no loss, a pair that can is green this long after the last disturbance: a dead connection is given up, the
/// longest pause passes, a search and a dial take their time.
const GREEN: Duration = Duration::from_secs(
    bounds::CLOSED_AFTER.as_secs()
        + bounds::MEETING_PAUSE.as_secs()
        + bounds::MEETING.as_secs()
        + bounds::DIAL.as_secs()
        + bounds::HELLO.as_secs(),
);
/// With loss, searches and dials fail now and then.
const GREEN_LOSSY: Duration = Duration::from_secs(400);

impl World {
    pub(crate) fn watch_alive(&mut self, host: usize, from: usize, sent: Duration) {
        let heard = &mut self.watch.heard[host][from];
        *heard = Some(heard.map_or(sent, |before| before.max(sent)));
    }

    pub(crate) fn watch_alive_sent(&mut self, host: usize) {
        self.watch.alive_sent[host] += 1;
    }

    pub(super) fn check_dots(&mut self) {
        for one in 0..self.hosts.len() {
            if !self.hosts[one].works() {
                continue;
            }
            for other in (0..self.hosts.len()).filter(|other| *other != one) {
                self.check_dot(one, other);
            }
        }
    }

    fn check_dot(&mut self, one: usize, other: usize) {
        let Some(contact) = self.hosts[one].contact_for(other) else {
            return;
        };
        let dot = contact.reachable;
        if dot == Reachable::Yes {
            let blocked = contact.blocked;
            if blocked {
                self.fail(
                    Invariant::Blocked,
                    format!("host {one} shows the blocked {other} green"),
                );
            }
            self.watch.green[one][other] = self.now;
            self.check_green(one, other);
        } else if self.should_be_green(one, other) {
            self.fail(
                Invariant::GreenInTime,
                format!("host {one} does not see host {other}: {dot:?}"),
            );
        }
    }

    fn check_green(&mut self, one: usize, other: usize) {
        let limit = bounds::GREY_AFTER + SLOWEST + Duration::from_millis(10);
        let fresh = self.watch.heard[one][other].is_some_and(|heard| self.now <= heard + limit);
        if !fresh {
            let heard = self.watch.heard[one][other];
            return self.fail(
                Invariant::Green,
                format!("host {one} shows {other} green, last heard {heard:?}"),
            );
        }
        let there = &self.hosts[other].seen;
        if !there.will_ring && self.now > there.will_ring_since + limit {
            self.fail(
                Invariant::WillRing,
                format!("host {one} shows {other} green, which does not ring"),
            );
        }
    }

    fn should_be_green(&self, one: usize, other: usize) -> bool {
        let (a, b) = (&self.hosts[one], &self.hosts[other]);
        let (Some(here), Some(there)) = (
            self.watch.accepted_since[one][other],
            self.watch.accepted_since[other][one],
        ) else {
            return false;
        };
        let (patience, from) = if self.network.conditions.loss == 0 {
            (GREEN, Duration::ZERO)
        } else {
            // Proofs may fail for half a minute, and no longer.
            (GREEN_LOSSY, self.watch.green[one][other])
        };
        let since = self
            .calm_since(one, other)
            .max(here)
            .max(there)
            .max(b.seen.will_ring_since)
            .max(from);
        // Who was not found for long is looked for rarely.
        let apart = since.saturating_sub(self.watch.green[one][other]) / 4;
        let patience = patience + apart.min(bounds::MEETING * bounds::RAREST_MEETING);
        let known = |one: usize, other: usize| self.watch.knows[one][other].get(&self.hosts[other].address);
        let known = known(one, other).into_iter().chain(known(other, one)).min().copied();
        let (knows, since) = (known.is_some(), since.max(known.unwrap_or_default()));
        // Who has rung too often does not ring for a while, and hears of the end of it by a keep-alive.
        let is_quiet = b.contact_for(one).is_some_and(|contact| contact.quiet);
        let heard = self.watch.quiet_until[other][one] + patience;
        let is_blocked = [(a, other), (b, one)]
            .iter()
            .any(|(host, other)| host.contact_for(*other).is_some_and(|contact| contact.blocked));
        self.now > since + patience
            && !self.hides_either(one, other)
            && !is_quiet
            && !is_blocked
            && self.now > heard
            && a.works()
            && b.works()
            && b.seen.will_ring
            && knows
            // What is possible between routers, their scene knows.
            && a.router.is_none()
            && b.router.is_none()
            && self.network.hears(one, other)
            && self.network.hears(other, one)
    }

    /// Where a proven path leads to is known from then on.
    pub(super) fn note_path(&mut self, one: usize, other: usize) {
        let remote = self.hosts[one]
            .contact_for(other)
            .filter(|contact| contact.reachable == Reachable::Yes)
            .and_then(|contact| contact.path.as_ref())
            .map(|path| path.remote);
        if let Some(remote) = remote {
            let now = self.now;
            self.watch.knows[one][other].entry(remote).or_insert(now);
        }
    }

    /// After a restart only what was stored is known.
    pub(super) fn learn_from_disk(&mut self, one: usize) {
        let written = self.hosts[one].disk.written.clone().unwrap_or_default();
        let Ok(state) = State::from_bytes(&written) else { return };
        for other in 0..self.hosts.len() {
            let root = self.hosts[other].root;
            let known = state.contact_of(&root).map(|contact| contact.addresses.clone());
            self.watch.knows[one][other] = known.into_iter().flatten().map(|address| (address, self.now)).collect();
        }
    }
}
