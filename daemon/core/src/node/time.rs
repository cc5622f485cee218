//! What time alone brings about: the tick, silent links, searches, expiry.

use std::time::Duration;

use super::{Node, Stage};
use crate::bounds::{self, close_code};
use crate::call::PathFacts;
use crate::command::{Refusal, Reply};
use crate::event::{Event, Reachable, WhyNot};
use crate::ids::{CommandId, ContactId, DeviceKey, InviteId, LinkId};
use crate::io::Output;
use crate::time::Now;

/// A ping that is not answered by then is refused.
const PING_PATIENCE: Duration = Duration::from_secs(5);

/// Whether time alone turns a dot into "checking".
const fn rests_on_proof(shown: Reachable) -> bool {
    matches!(shown, Reachable::Yes | Reachable::No(WhyNot::WillNotRing))
}

impl Node {
    /// When [`Node::handle_timeout`] has something to do next, on the boot clock.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        let links = self.links.values().map(|link| self.link_timeout(link));
        let searches = self
            .peers
            .values()
            .filter(|peer| peer.dialing.is_none())
            .filter_map(|peer| peer.search.next_timeout());
        let pings = self.pings.values().flatten().map(|(_, asked)| *asked + PING_PATIENCE);
        let dots = self
            .shown
            .iter()
            .filter(|(_, (dot, _))| rests_on_proof(*dot))
            .filter_map(|(id, _)| self.grey_at(*id));
        let all = links
            .chain(searches)
            .chain(pings)
            .chain(dots)
            .chain(self.birthday_timeout())
            .chain(self.safety_timeouts())
            .chain(self.relay_timeouts())
            .chain(self.turn_timeouts())
            .chain(self.door_timeouts())
            .chain(self.finding_timeout())
            .chain(self.network.next_timeout())
            .chain(self.lifetime_timeout())
            .chain(self.calls.next_timeout());
        all.fold(self.next_tick, Duration::min)
    }

    pub(super) fn handle_due(&mut self, now: Now) {
        if now.boot >= self.next_tick {
            self.handle_tick(now);
        }
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.watch_link(link, now);
        }
        let devices: Vec<DeviceKey> = self.peers.keys().copied().collect();
        for device in devices {
            self.watch_search(device, now);
        }
        self.watch_ways(now);
        self.watch_turn(now);
        self.watch_birthday(now);
        self.watch_door(now);
        self.watch_network(now);
        self.watch_lifetime(now);
        self.refuse_late_pings(now);
    }

    /// Puts the next tick on a multiple of [`bounds::TICK`] of Unix time, half a second around it by device. The wall
    /// clock is read in whole seconds, so a tick may come a moment early: the one that is almost due is then this one.
    pub(super) fn align_tick(&mut self, now: Now) {
        let into = Duration::from_secs(now.wall % bounds::TICK.as_secs());
        let [spread, ..] = self.device.0;
        let jitter = Duration::from_millis(u64::from(spread) * 4);
        let half = Duration::from_millis(500);
        let next = now.boot + bounds::TICK - into + jitter;
        let next = next.saturating_sub(half);
        let is_this_one = next < now.boot + bounds::TICK / 4;
        self.next_tick = if is_this_one { next + bounds::TICK } else { next };
    }

    fn handle_tick(&mut self, now: Now) {
        self.align_tick(now);
        let (rings, quiet) = (self.state.will_ring, &self.quiet);
        let mut asks = Vec::new();
        for link in self.links.values_mut() {
            if link.stage == Stage::Ready && link.keepalive.asks_on_tick() {
                let rings = rings && !quiet.contains(&link.peer);
                asks.push(Output::SendAlive {
                    link: link.id,
                    bytes: link.keepalive.ask(rings, now.boot),
                });
            }
        }
        self.out.extend(asks);
        self.renew_relays(now);
        self.open_routers(now);
        self.asked
            .retain(|_, asked| now.boot < asked.at + bounds::REPLY_PATIENCE);
        self.punch.unanswered.forget(now.boot);
        self.forget_guests(now);
        self.forget_expired_invites(now);
        self.forget_expired_redemptions(now);
        self.tick_finding(now);
        self.tick_network(now);
        if self.unstored {
            self.store();
        }
    }

    /// Asks on every link at once: what we say of ourselves has changed.
    pub(super) fn ask_all(&mut self, now: Now) {
        let (rings, quiet) = (self.state.will_ring, &self.quiet);
        let mut asks = Vec::new();
        for link in self.links.values_mut().filter(|link| link.stage == Stage::Ready) {
            let rings = rings && !quiet.contains(&link.peer);
            link.stirred = now.boot;
            asks.push(Output::SendAlive {
                link: link.id,
                bytes: link.keepalive.ask(rings, now.boot),
            });
        }
        self.out.extend(asks);
    }

    fn link_timeout(&self, link: &super::Link) -> Duration {
        let own = match link.stage {
            Stage::AwaitingHello | Stage::Judging | Stage::Redeeming => link.up + bounds::HELLO,
            Stage::Ready => link.keepalive.next_timeout(self.is_busy(&link.peer)),
        };
        link.closing.map_or(own, |(at, _)| at.min(own))
    }

    fn is_busy(&self, device: &DeviceKey) -> bool {
        let contact = self.peers.get(device).and_then(|peer| peer.contact);
        contact.is_some_and(|contact| self.calls.is_busy_with(contact))
    }

    fn watch_link(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get(&id) else { return };
        let (device, stage) = (link.peer, link.stage);
        if let Some((_, code)) = link.closing.filter(|(at, _)| now.boot >= *at) {
            return self.close(id, code, now);
        }
        match stage {
            Stage::AwaitingHello | Stage::Judging | Stage::Redeeming => {
                if now.boot >= link.up + bounds::HELLO {
                    self.close(id, close_code::BAD_HELLO, now);
                }
            }
            Stage::Ready => self.watch_ready_link(id, device, now),
        }
    }

    fn watch_ready_link(&mut self, id: LinkId, device: DeviceKey, now: Now) {
        let (rings, busy) = (self.rings_for(&device), self.is_busy(&device));
        let Some(link) = self.links.get_mut(&id) else { return };
        let wish = link.keepalive.poll(rings, busy, now.boot);
        if wish.send.is_some() {
            link.stirred = now.boot;
        }
        if wish.close {
            return self.close(id, close_code::SILENT, now);
        }
        self.out
            .extend(wish.send.map(|bytes| Output::SendAlive { link: id, bytes }));
        if wish.search
            && let Some(peer) = self.peers.get_mut(&device).filter(|peer| peer.link == Some(id))
        {
            peer.search.restart(now.boot);
            let missed = peer.contact.filter(|_| busy);
            self.doubt_network(now);
            if let Some(contact) = missed {
                self.ask_to_be_introduced(contact, now);
            }
        }
    }

    fn watch_search(&mut self, device: DeviceKey, now: Now) {
        let meeting = self.meeting_with(&device, now);
        let Some(peer) = self.peers.get_mut(&device).filter(|peer| peer.dialing.is_none()) else {
            return;
        };
        if let Some(slot) = peer.search.poll(now.boot) {
            // Who is sought is told where we are by whoever introduces us.
            self.finder.is_stale |= slot.first;
            self.knock_round(device, slot, now);
            if slot.undated || (slot.first && self.needs_relay(&device)) {
                self.ask_relays(&device, now);
            }
            if slot.last {
                self.consider_birthday(device, now);
            }
        } else if peer.search.is_over(now.boot) {
            peer.search.pause(now.boot, meeting);
        }
    }

    fn refuse_late_pings(&mut self, now: Now) {
        let mut late: Vec<CommandId> = Vec::new();
        for waiting in self.pings.values_mut() {
            late.extend(
                waiting
                    .iter()
                    .filter(|(_, asked)| now.boot >= *asked + PING_PATIENCE)
                    .map(|(id, _)| *id),
            );
            waiting.retain(|(_, asked)| now.boot < *asked + PING_PATIENCE);
        }
        self.pings.retain(|_, waiting| !waiting.is_empty());
        let refused = Reply::Refused(Refusal::Unreachable);
        self.out.extend(late.into_iter().map(|id| Output::Reply {
            id,
            reply: refused.clone(),
        }));
    }

    fn forget_guests(&mut self, now: Now) {
        let mut idle = Vec::new();
        for peer in self.peers.values_mut() {
            if peer.guest.as_ref().is_some_and(|guest| now.boot >= guest.until) {
                peer.guest = None;
                idle.push(peer.device);
            }
        }
        for device in idle {
            self.drop_idle_guest(&device);
        }
    }

    fn forget_expired_invites(&mut self, now: Now) {
        let expired: Vec<InviteId> = self
            .state
            .invites
            .iter()
            .filter(|invite| !invite.is_kept(now.wall))
            .map(|invite| invite.id)
            .collect();
        if expired.is_empty() {
            return;
        }
        self.state.invites.retain(|invite| invite.is_kept(now.wall));
        self.keyring_stale = true;
        self.store();
        for invite in expired {
            self.event(Event::Invite(invite));
        }
    }

    /// Who holds us as a contact anyway need not be asked for ever.
    fn forget_expired_redemptions(&mut self, now: Now) {
        for contact in self.state.contacts.iter_mut().filter(|contact| contact.accepted) {
            let link = contact.redeeming.as_ref().map(|redemption| &redemption.link);
            if link.is_some_and(|link| link.expiry <= now.wall) {
                contact.redeeming = None;
                self.keyring_stale = true;
                self.unstored = true;
            }
        }
    }

    pub(super) fn poll_calls(&mut self, now: Duration) {
        let mut calls = std::mem::take(&mut self.calls);
        calls.poll(&|contact| self.path_facts(contact), now);
        self.calls = calls;
    }

    fn path_facts(&self, contact: ContactId) -> PathFacts {
        if let Some(facts) = self.visit_facts(contact) {
            return facts;
        }
        let link = self.link_to(contact);
        PathFacts {
            link: link.map(|link| link.id),
            last_proof: link.and_then(|link| link.keepalive.last_sign()),
            why_not: self.why_no_link(contact),
        }
    }
}

#[cfg(test)]
impl Node {
    /// As if the pauses of every search had grown to the longest.
    pub(super) fn rest_all(&mut self, now: Now) {
        for peer in self.peers.values_mut() {
            let meeting = crate::reach::search::meeting(&self.device, &peer.device, now);
            peer.search.rest(now.boot, meeting);
        }
    }

    /// Shows a list that has somebody else's device in it.
    pub(super) fn claim_device(&mut self, key: DeviceKey) {
        let Ok(mut list) = self.state.identity.list.verify() else {
            return;
        };
        list.sequence += 1;
        list.devices.push(crate::identity::DeviceEntry {
            key,
            name: "theirs".into(),
            kind: "computer".into(),
        });
        self.state.identity.list = list.sign(&self.state.identity.root_seed);
    }
}
