//! As a relay: contacts whom the user has allowed it tell us under which tags they would meet somebody. Where two of them
//! tell the same one, packets pass between the two, see [`crate::reach::relay`].
//!
//! A pair stands while both may use us, both wishes stand, and both devices have a direct link with us, over which their
//! addresses are proven; whatever ends one of these ends the pair at once. A relay of relays there is not.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::Node;
use super::commands::{Outcome, Result};
use super::stored::Undo;
use crate::bounds;
use crate::command::{Refusal, Reply};
use crate::event::Event;
use crate::ids::{ContactId, DeviceKey, LinkId, PairId, RelayHandle, RelayTag};
use crate::io::Output;
use crate::message::{Message, RelayAsk, RelayEnd, RelayGrant, RelayOffer};
use crate::reach::relay::{Asker, Asks, Pair, Side};
use crate::time::Now;

/// What this device is to others who cannot reach each other.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// Whether every contact may use us.
    for_contacts: bool,
    asks: Asks,
    pairs: BTreeMap<PairId, Serving>,
    pairs_made: u64,
}

/// One pair that we serve.
#[derive(Debug)]
struct Serving {
    sides: [(Asker, RelayHandle); 2],
    tag: RelayTag,
    /// As the shell knows it.
    shown: Option<Pair>,
}

impl Node {
    pub(super) fn handle_relays(&mut self, for_contacts: bool, server: bool) {
        self.served.for_contacts = for_contacts;
        self.turn.configured = server;
    }

    /// Changes what relays mean to a contact.
    pub(super) fn set_relays(
        &mut self,
        id: ContactId,
        relay: Option<bool>,
        relay_only: Option<bool>,
        now: Now,
    ) -> Result {
        let contact = self.state.contact_mut(id).ok_or(Refusal::NotFound)?;
        let before = (contact.relay, contact.relay_only);
        contact.relay = relay.unwrap_or(contact.relay);
        contact.relay_only = relay_only.unwrap_or(contact.relay_only);
        if before == (contact.relay, contact.relay_only) {
            return Ok(Outcome::Reply(Reply::Contact(id)));
        }
        self.apply_relays(id, before, now);
        let undo = Undo::RestoreRelays {
            contact: id,
            relay: before.0,
            relay_only: before.1,
        };
        Ok(Outcome::Store(Reply::Contact(id), Some(Event::Contact(id)), undo))
    }

    /// Makes of a contact's links what its marks say.
    pub(super) fn apply_relays(&mut self, id: ContactId, before: (bool, bool), now: Now) {
        let Some(contact) = self.state.contact(id) else { return };
        let (relay, relay_only) = (contact.relay, contact.relay_only);
        if relay != before.0 {
            for link in self.ready_links_of(id) {
                self.offer_relay(link, now);
            }
        }
        if relay_only && !before.1 {
            self.hide_from(id, now);
        } else if relay_only != before.1 {
            self.tell_addresses(id, now);
            self.search_for(id, now);
        }
    }

    /// Whether packets of a contact may be passed on.
    fn may_relay_for(&self, id: ContactId) -> bool {
        let contact = self.state.contact(id).filter(|contact| contact.may_call());
        contact.is_some_and(|contact| contact.relay || self.served.for_contacts)
    }

    /// Says on a link that is ready whether the far side may use us; silence means no.
    pub(super) fn offer_relay(&mut self, link: LinkId, now: Now) {
        let contact = self.contact_on(link);
        let offered = contact.is_some_and(|contact| self.may_relay_for(contact));
        self.send_on(link, Message::RelayOffer(RelayOffer { offered }), now);
    }

    /// As [`Self::offer_relay`] where a link is only just ready.
    pub(super) fn offer_relay_first(&mut self, link: LinkId, now: Now) {
        if self.contact_on(link).is_some_and(|contact| self.may_relay_for(contact)) {
            self.offer_relay(link, now);
        }
    }

    pub(super) fn contact_on(&self, link: LinkId) -> Option<ContactId> {
        self.peers.get(&self.links.get(&link)?.peer)?.contact
    }

    fn ready_links_of(&self, id: ContactId) -> Vec<LinkId> {
        let peers = self.peers.values().filter(|peer| peer.contact == Some(id));
        peers.filter_map(|peer| peer.link).collect()
    }

    /// Where a device is, if its link with us is ready and nobody passes its packets on.
    pub(super) fn proven_at(&self, device: &DeviceKey) -> Option<SocketAddr> {
        let link = self.links.get(&self.peers.get(device)?.link?)?;
        link.remote.via.is_direct().then_some(link.remote.at)
    }

    /// A contact wants to meet somebody here.
    pub(super) fn handle_relay_ask(&mut self, link: LinkId, contact: ContactId, ask: &RelayAsk, now: Now) {
        let Some(device) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        if !self.may_relay_for(contact) || self.proven_at(&device).is_none() {
            return;
        }
        let asker = Asker { contact, device };
        let Some((other, tag)) = self.served.asks.note(asker, &ask.tags, now.boot) else {
            return;
        };
        match self.pair_of(&asker, &other) {
            // Whoever asks again may have forgotten what stands for it.
            Some(pair) => self.grant(pair, &asker, now),
            None => self.serve(asker, other, tag, now),
        }
    }

    fn pair_of(&self, one: &Asker, other: &Asker) -> Option<PairId> {
        let is_between = |pair: &Serving| {
            let [(a, _), (b, _)] = &pair.sides;
            (a, b) == (one, other) || (a, b) == (other, one)
        };
        let mut pairs = self.served.pairs.iter().filter(|(_, pair)| is_between(pair));
        pairs.next().map(|(id, _)| *id)
    }

    /// How many pairs there are with a contact at one side.
    fn pairs_with(&self, contact: ContactId) -> usize {
        let is_side = |pair: &&Serving| pair.sides.iter().any(|(side, _)| side.contact == contact);
        self.served.pairs.values().filter(is_side).count()
    }

    fn serve(&mut self, one: Asker, other: Asker, tag: RelayTag, now: Now) {
        let is_busy = |asker: &Asker| self.pairs_with(asker.contact) >= bounds::RELAY_PAIRS_EACH;
        if self.served.pairs.len() >= bounds::RELAY_PAIRS || is_busy(&one) || is_busy(&other) {
            return;
        }
        self.served.pairs_made += 1;
        let id = PairId(self.served.pairs_made);
        let sides = [one, other].map(|asker| (asker, RelayHandle(self.rng.bytes())));
        self.served.pairs.insert(
            id,
            Serving {
                sides,
                tag,
                shown: None,
            },
        );
        // The table first: what the two send upon our word must find its way.
        self.tend_served(now);
        self.grant(id, &one, now);
        self.grant(id, &other, now);
    }

    fn grant(&mut self, pair: PairId, to: &Asker, now: Now) {
        let Some(pair) = self.served.pairs.get(&pair) else {
            return;
        };
        let side = pair.sides.iter().find(|(asker, _)| asker == to);
        let grant = side.map(|(_, handle)| RelayGrant {
            tag: pair.tag,
            handle: *handle,
        });
        let link = self.peers.get(&to.device).and_then(|peer| peer.link);
        if let (Some(grant), Some(link)) = (grant, link) {
            self.send_on(link, Message::RelayGrant(grant), now);
        }
    }

    /// A contact needs us no more.
    pub(super) fn withdraw_ask(&mut self, link: LinkId, contact: ContactId, end: &RelayEnd, now: Now) {
        if let Some(device) = self.links.get(&link).map(|link| link.peer) {
            self.served.asks.withdraw(&Asker { contact, device }, &end.tag);
            self.tend_served(now);
        }
    }

    /// Ends the pairs that stand no more, and follows those whose sides have moved.
    pub(super) fn tend_served(&mut self, now: Now) {
        let ids: Vec<PairId> = self.served.pairs.keys().copied().collect();
        for id in ids {
            match self.sides_of(id, now) {
                None => self.end_pair(id, now),
                Some(sides) => self.show_pair(Pair { id, sides }),
            }
        }
    }

    /// Both sides as they are at this moment; `None` where the pair is not to be served any more.
    fn sides_of(&self, id: PairId, now: Now) -> Option<[Side; 2]> {
        let pair = self.served.pairs.get(&id)?;
        let side = |(asker, handle): &(Asker, RelayHandle)| {
            let stands = self.may_relay_for(asker.contact) && self.served.asks.stands(asker, &pair.tag, now.boot);
            let is_theirs = |peer: &&super::Peer| peer.contact == Some(asker.contact);
            self.peers.get(&asker.device).filter(is_theirs).filter(|_| stands)?;
            let at = self.proven_at(&asker.device)?;
            Some(Side { handle: *handle, at })
        };
        let [one, other] = &pair.sides;
        Some([side(one)?, side(other)?])
    }

    fn show_pair(&mut self, pair: Pair) {
        let Some(serving) = self.served.pairs.get_mut(&pair.id) else {
            return;
        };
        if serving.shown.replace(pair) != Some(pair) {
            self.push(Output::Forward(pair));
        }
    }

    fn end_pair(&mut self, id: PairId, now: Now) {
        let Some(pair) = self.served.pairs.remove(&id) else {
            return;
        };
        self.push(Output::EndForward { pair: id });
        for (asker, _) in pair.sides {
            self.served.asks.withdraw(&asker, &pair.tag);
            let link = self.peers.get(&asker.device).and_then(|peer| peer.link);
            if let Some(link) = link {
                self.send_on(link, Message::RelayEnd(RelayEnd { tag: pair.tag }), now);
            }
        }
    }
}

#[cfg(test)]
impl Served {
    pub(super) fn pairs(&self) -> usize {
        self.pairs.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pairs.is_empty()
    }
}
