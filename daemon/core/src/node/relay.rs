//! Through a contact: a device that nothing else leads to is reached through a mutual contact's who has said that we may.
//!
//! Each side asks, without knowing of the other's asking, every contact that relays for it; the relay grants where both
//! have asked. A *way* is what it granted. While a path is needed, knocks go through all ways beside the direct ones; what
//! comes through becomes a link like any other. A way that is neither needed nor used is given back.
//!
//! A contact to whom we are to be reached through relays alone gets no packet that no relay passes on, and no address of
//! this device's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::Node;
use crate::bounds::{self, close_code};
use crate::ids::{ContactId, DeviceKey, LinkId, RelayHandle, RelayId, RelayTag};
use crate::io::Output;
use crate::message::{Addresses, Message, RelayAsk, RelayEnd, RelayGrant};
use crate::reach::relay;
use crate::reach::search::{self, Search};
use crate::reach::via::{Place, Via};
use crate::state::Contact;
use crate::time::Now;

/// Of whom a relay was asked what.
type Errand = (DeviceKey, DeviceKey);

/// Ways through contacts, and what was asked for to get them. Keys are relay and far device.
#[derive(Debug, Default)]
pub(super) struct Relaying {
    wishes: BTreeMap<Errand, Wish>,
    ways: BTreeMap<RelayId, Way>,
    /// A way that is granted again is the same way: a connection through it goes on.
    names: BTreeMap<Errand, RelayId>,
}

#[derive(Debug)]
struct Wish {
    tags: Vec<RelayTag>,
    asked: Duration,
}

/// A way to a device.
#[derive(Debug)]
struct Way {
    relay: DeviceKey,
    device: DeviceKey,
    tag: RelayTag,
    handle: RelayHandle,
    /// As the shell knows it.
    shown: Option<(SocketAddr, RelayHandle)>,
    search: Search,
}

impl Node {
    /// Whether a device's packets are to come and go through relays alone.
    pub(super) fn is_hidden_from(&self, device: &DeviceKey) -> bool {
        let contact = self.peers.get(device).and_then(|peer| peer.contact);
        let contact = contact.and_then(|id| self.state.contact(id));
        contact.is_some_and(|contact| contact.relay_only)
    }

    /// Whether a packet may come from, or go to, a device at a place.
    pub(super) fn may_meet_at(&self, device: &DeviceKey, place: Place) -> bool {
        match place.via {
            Via::Own | Via::Spare(_) => self.own.may_send_to(&place.at) && !self.is_hidden_from(device),
            Via::Relay(id) => self.relaying.ways.get(&id).is_some_and(|way| way.device == *device),
            Via::Turn => self.turn.relayed.is_some() && self.own.may_send_to(&place.at),
        }
    }

    /// Whether a device of a contact, of somebody whose link was pasted, or of a guest has no link that can be trusted to
    /// work.
    pub(super) fn needs_path(&self, device: &DeviceKey) -> bool {
        let Some(peer) = self.peers.get(device) else {
            return false;
        };
        let contact = peer.contact.and_then(|id| self.state.contact(id));
        let link = peer.link.and_then(|link| self.links.get(&link));
        let is_wanted = |contact: &Contact| (contact.accepted || contact.redeeming.is_some()) && !contact.blocked;
        contact.map_or(peer.guest.is_some(), is_wanted) && link.is_none_or(|link| link.keepalive.is_doubted())
    }

    /// A contact says whether we may use it as a relay.
    pub(super) fn handle_relay_offer(&mut self, link: LinkId, offered: bool, now: Now) {
        let Some(relay) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(&relay) {
            peer.offers_relay = offered;
        }
        let needy: Vec<DeviceKey> = self.peers.keys().copied().filter(|one| self.needs_path(one)).collect();
        for device in needy.into_iter().take(bounds::RELAY_ASKS) {
            self.ask_relay(&relay, &device, now);
        }
    }

    /// Asks those contacts that relay for us to relay to a device.
    pub(super) fn ask_relays(&mut self, device: &DeviceKey, now: Now) {
        let offering = self.peers.values().filter(|peer| peer.offers_relay);
        let relays: Vec<DeviceKey> = offering.map(|peer| peer.device).take(bounds::RELAYS).collect();
        for relay in relays {
            self.ask_relay(&relay, device, now);
        }
    }

    fn ask_relay(&mut self, relay: &DeviceKey, device: &DeviceKey, now: Now) {
        let Some(tags) = self.tags_at(relay, device) else {
            return;
        };
        let link = self.peers.get(relay).and_then(|peer| peer.link);
        let (Some(link), Some(_)) = (link, self.proven_at(relay)) else {
            return;
        };
        let wish = Wish {
            tags: tags.clone(),
            asked: now.boot,
        };
        self.relaying.wishes.insert((*relay, *device), wish);
        self.send_on(link, Message::RelayAsk(RelayAsk { tags }), now);
    }

    /// What we and a device of another contact's would show a relay.
    fn tags_at(&self, relay: &DeviceKey, device: &DeviceKey) -> Option<Vec<RelayTag>> {
        let contact_of = |device| self.state.contact(self.peers.get(device)?.contact?);
        let (relay, contact) = (contact_of(relay)?, contact_of(device)?);
        let is_usable = relay.id != contact.id && relay.may_call() && contact.accepted && !contact.blocked;
        let tags = contact
            .keys
            .iter()
            .map(|key| relay::tag(key, &self.device, device, &relay.root));
        is_usable
            .then(|| tags.collect())
            .filter(|tags: &Vec<_>| !tags.is_empty())
    }

    /// A relay grants what we wished.
    pub(super) fn handle_relay_grant(&mut self, link: LinkId, grant: &RelayGrant, now: Now) {
        let Some(relay) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let wished = self.relaying.wishes.iter();
        let mut wished = wished.filter(|((of, _), wish)| *of == relay && wish.tags.contains(&grant.tag));
        let Some(errand) = wished.next().map(|(errand, _)| *errand) else {
            return self.send_on(link, Message::RelayEnd(RelayEnd { tag: grant.tag }), now);
        };
        let Ok(numbered) = u16::try_from(self.relaying.names.len()) else {
            return;
        };
        let id = *self.relaying.names.entry(errand).or_insert(RelayId(numbered));
        let search = self
            .relaying
            .ways
            .remove(&id)
            .map_or_else(Search::default, |way| way.search);
        self.relaying.ways.insert(
            id,
            Way {
                relay,
                device: errand.1,
                tag: grant.tag,
                handle: grant.handle,
                shown: None,
                search,
            },
        );
        self.tend_ways(now);
    }

    /// A relay passes our packets on no more.
    pub(super) fn handle_relay_end(&mut self, link: LinkId, end: &RelayEnd, now: Now) {
        let Some(relay) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let ways = self.relaying.ways.iter();
        let ended = ways.filter(|(_, way)| way.relay == relay && way.tag == end.tag);
        let ended: Vec<RelayId> = ended.map(|(id, _)| *id).collect();
        for id in ended {
            self.lose_way(id, now);
        }
    }

    /// Gives up a way; what ran through it is in doubt, and another is looked for.
    fn lose_way(&mut self, id: RelayId, now: Now) {
        let Some(way) = self.relaying.ways.remove(&id) else {
            return;
        };
        self.push(Output::LeaveRelay { relay: id });
        let carried = self.links.values_mut().filter(|link| link.remote.via == Via::Relay(id));
        let mut was_used = false;
        for link in carried {
            link.keepalive.doubt(now.boot);
            was_used = true;
        }
        if was_used && let Some(peer) = self.peers.get_mut(&way.device) {
            peer.search.restart(now.boot);
        }
    }

    /// Gives ways back that are of no more use, follows relays that have moved, and knocks where a path is needed.
    pub(super) fn tend_ways(&mut self, now: Now) {
        let ids: Vec<RelayId> = self.relaying.ways.keys().copied().collect();
        for id in ids {
            self.tend_way(id, now);
        }
    }

    fn tend_way(&mut self, id: RelayId, now: Now) {
        let Some((relay, device, tag)) = self.relaying.ways.get(&id).map(|way| (way.relay, way.device, way.tag)) else {
            return;
        };
        let Some(at) = self.proven_at(&relay) else {
            return self.lose_way(id, now);
        };
        let is_used = self.links.values().any(|link| link.remote.via == Via::Relay(id));
        let is_needed = self.needs_path(&device);
        if !is_used && !is_needed {
            self.lose_way(id, now);
            self.relaying.wishes.remove(&(relay, device));
            let link = self.peers.get(&relay).and_then(|peer| peer.link);
            if let Some(link) = link {
                self.send_on(link, Message::RelayEnd(RelayEnd { tag }), now);
            }
            return;
        }
        let Some(way) = self.relaying.ways.get_mut(&id) else {
            return;
        };
        if is_needed {
            way.search.start_if_off(now.boot);
        } else {
            way.search.stop();
        }
        let shown = (at, way.handle);
        if way.shown.replace(shown) != Some(shown) {
            let handle = way.handle;
            self.push(Output::UseRelay { relay: id, at, handle });
        }
    }

    /// Sends the knocks that are due through relays.
    pub(super) fn watch_ways(&mut self, now: Now) {
        let (own, mut due) = (self.device, Vec::new());
        for (id, way) in &mut self.relaying.ways {
            due.extend(way.search.poll(now.boot).map(|slot| (*id, way.device, slot)));
            if way.search.is_over(now.boot) {
                way.search.pause(now.boot, search::meeting(&own, &way.device, now));
            }
        }
        for (id, device, slot) in due {
            self.knock_at(device, Place::relayed(id), slot, now);
        }
    }

    /// What the tick brings: who uses a relay says so again.
    pub(super) fn renew_relays(&mut self, now: Now) {
        let lasts = |wish: &Wish| now.boot < wish.asked + bounds::RELAY_LEASE;
        self.relaying.wishes.retain(|_, wish| lasts(wish));
        let used = self.relaying.ways.values().map(|way| (way.relay, way.device));
        let is_due = |errand: &Errand| {
            let wish = self.relaying.wishes.get(errand);
            wish.is_none_or(|wish| now.boot >= wish.asked + bounds::RELAY_RENEWAL)
        };
        let due: Vec<Errand> = used.filter(is_due).collect();
        for (relay, device) in due {
            self.ask_relay(&relay, &device, now);
        }
    }

    pub(super) fn relay_timeouts(&self) -> impl Iterator<Item = Duration> + '_ {
        self.relaying.ways.values().filter_map(|way| way.search.next_timeout())
    }

    /// Whose device passes a way's packets on.
    pub(super) fn relay_of(&self, id: RelayId) -> Option<ContactId> {
        let mut named = self.relaying.names.iter().filter(|(_, name)| **name == id);
        let ((relay, _), _) = named.next()?;
        self.peers.get(relay)?.contact
    }

    /// Whether packets to a device can go through anybody.
    pub(super) fn has_relay_to(&self, device: &DeviceKey) -> bool {
        self.turn.relayed.is_some() || self.relaying.ways.values().any(|way| way.device == *device)
    }

    /// Where this device says to a contact's that it can be reached.
    pub(super) fn candidates_for(&self, device: &DeviceKey) -> Vec<SocketAddr> {
        if self.is_held_back(device) {
            return Vec::new();
        }
        if self.is_hidden_from(device) {
            return self.turn.relayed.into_iter().collect();
        }
        self.offered_addresses()
    }

    /// Where this device can be reached: straight, and at the relay server.
    pub(super) fn offered_addresses(&self) -> Vec<SocketAddr> {
        let relayed = self.turn.relayed;
        let mut offered = self.network.addresses();
        offered.truncate(bounds::CANDIDATES - usize::from(relayed.is_some()));
        offered.extend(relayed);
        offered
    }

    /// Tells a linked contact where we can be reached.
    pub(super) fn tell_addresses(&mut self, id: ContactId, now: Now) {
        let devices = self.peers.values().filter(|peer| peer.contact == Some(id));
        let linked = devices
            .filter(|peer| peer.link.is_some())
            .map(|peer| peer.device)
            .next();
        let Some(device) = linked.filter(|device| !self.is_held_back(device)) else {
            return;
        };
        let (addresses, nat) = (self.candidates_for(&device), self.nat_for(&device));
        self.tell(id, Message::Addresses(Addresses { addresses, nat }), now);
    }

    /// From here on nothing that no relay passes on goes to a contact.
    pub(super) fn hide_from(&mut self, id: ContactId, now: Now) {
        self.rotate_finding(now);
        let devices = self.peers.values().filter(|peer| peer.contact == Some(id));
        let devices: Vec<DeviceKey> = devices.map(|peer| peer.device).collect();
        for device in devices {
            let token = self.peers.get_mut(&device).and_then(|peer| peer.admitted.take());
            self.out.extend(token.map(|token| Output::Revoke { token }));
            let direct = self.links.values().filter(|link| link.peer == device);
            let direct: Vec<LinkId> = direct
                .filter(|link| link.remote.via.is_direct())
                .map(|link| link.id)
                .collect();
            for link in direct {
                self.leave_straight(link, now);
            }
            self.asked
                .retain(|_, asked| asked.peer != device || !asked.to.via.is_direct());
        }
        if self.turn.relayed.is_some() {
            self.tell_addresses(id, now);
        }
        self.search_for(id, now);
    }

    /// Closes a direct link to somebody whom we hide from: at once, or where we have a relay server when he has been told of the
    /// address there, for nothing else would lead him to it.
    fn leave_straight(&mut self, link: LinkId, now: Now) {
        if !self.turn.configured {
            return self.close(link, close_code::SILENT, now);
        }
        let patience = if self.turn.relayed.is_some() {
            bounds::LAST_WORDS
        } else {
            bounds::TURN_INVITE
        };
        if let Some(link) = self.links.get_mut(&link) {
            link.closing = Some((now.boot + patience, close_code::SILENT));
        }
    }

    /// There is an address at the server, and who is linked has been told: direct links to whom we hide from end.
    pub(super) fn end_straight_links(&mut self, now: Now) {
        let direct = self.links.values().filter(|link| link.remote.via.is_direct());
        let hidden: Vec<LinkId> = direct
            .filter(|link| self.is_hidden_from(&link.peer))
            .map(|link| link.id)
            .collect();
        for link in hidden {
            self.leave_straight(link, now);
        }
    }
}

#[cfg(test)]
impl Relaying {
    pub(super) fn is_idle(&self) -> bool {
        self.ways.is_empty()
    }
}
