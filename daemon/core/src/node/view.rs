//! What clients may see: dots, paths, names. Nothing here changes anything but the record of what was shown.

use std::collections::BTreeMap;
use std::time::Duration;

use super::safety::Safety;
use super::{Link, Node, Peer};
use crate::bounds;
use crate::event::{
    ClockApart, ContactState, ContactView, DeviceView, Event, InviteView, MeView, Reachable, Snapshot, WhyNot,
};
use crate::identity::SignedList;
use crate::ids::ContactId;
use crate::state::Contact;
use crate::time::{Now, signed};

/// The peers of each contact: who looks at all contacts does not go through all peers for each.
type Owned<'a> = BTreeMap<ContactId, Vec<&'a Peer>>;

impl Node {
    fn owned(&self) -> Owned<'_> {
        let mut owned = Owned::new();
        for peer in self.peers.values() {
            if let Some(contact) = peer.contact {
                owned.entry(contact).or_default().push(peer);
            }
        }
        owned
    }

    fn peers_of(&self, contact: ContactId) -> Vec<&Peer> {
        let peers = self.peers.values();
        peers.filter(|peer| peer.contact == Some(contact)).collect()
    }

    /// The ready link to a contact.
    pub(super) fn link_to(&self, contact: ContactId) -> Option<&Link> {
        self.best_link(self.peers_of(contact))
    }

    fn best_link<'a>(&'a self, peers: impl IntoIterator<Item = &'a Peer>) -> Option<&'a Link> {
        let ready = peers.into_iter().filter_map(|peer| self.links.get(&peer.link?));
        ready.max_by_key(|link| link.keepalive.last_proof())
    }

    /// Everything that a client may see.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let open = self.state.invites.iter().filter(|invite| invite.is_open(now.wall));
        let view = |invite: &crate::state::Invite| InviteView {
            id: invite.id,
            link: invite.link.clone(),
            expires_at: invite.expiry,
            from_outside: self.reach_from_outside(),
        };
        let owned = self.owned();
        let contacts = self.state.contacts.iter().map(|contact| {
            let peers = owned.get(&contact.id).map_or(&[][..], Vec::as_slice);
            self.contact_view(contact, peers, now.boot)
        });
        Snapshot {
            me: Some(self.me()),
            contacts: contacts.collect(),
            calls: self.calls.views().map(|call| self.with_stranger(call)).collect(),
            invites: open.map(view).collect(),
            door: self.door_view(),
            network: self.network_view(),
            clocks: self.clocks_apart(&owned, now).collect(),
            relay_server_fails: self.turn.fails,
        }
    }

    /// Whether nothing is under way that a restart of the daemon would break off before its time: no call, no open door, no
    /// comparing of safety words.
    #[must_use]
    pub fn is_at_rest(&self, now: Now) -> bool {
        !self.calls.any_open() && !self.door.is_open(now.boot) && !self.safety.values().any(Safety::is_running)
    }

    fn clocks_apart(&self, owned: &Owned<'_>, now: Now) -> impl Iterator<Item = ClockApart> {
        let ours = signed(now.wall).saturating_sub(signed(now.boot.as_secs()));
        let contacts = self.state.contacts.iter().filter(|contact| contact.accepted);
        let apart = contacts.filter_map(move |contact| {
            let peers = owned.get(&contact.id)?.iter().copied();
            let by_s = self.best_link(peers)?.clock?.abs_diff(ours);
            Some(ClockApart {
                contact: contact.id,
                by_s,
            })
        });
        apart.filter(|clock| clock.by_s >= bounds::CLOCKS_APART_S)
    }

    fn me(&self) -> MeView {
        MeView {
            root: self.root,
            name: self.state.identity.name.clone(),
            device: self.device,
            device_name: self.state.identity.device_name(),
            will_ring: self.state.will_ring,
            second_call_waits: self.state.second_call_waits,
        }
    }

    fn contact_view(&self, contact: &Contact, peers: &[&Peer], now: Duration) -> ContactView {
        let state = match (contact.accepted, contact.contested || contact.held) {
            (false, _) => ContactState::Pending,
            (true, true) => ContactState::Contested,
            (true, false) => ContactState::Accepted,
        };
        let list = contact.list.as_ref().and_then(SignedList::content);
        let devices = list.map(|list| list.devices).unwrap_or_default();
        ContactView {
            id: contact.id,
            name: contact.name.clone(),
            state,
            verified: contact.verified,
            reachable: self.reachable(contact, peers, now),
            path: self
                .best_link(peers.iter().copied())
                .and_then(|link| self.path_view(link)),
            devices: devices
                .into_iter()
                .map(|device| DeviceView {
                    key: device.key,
                    name: crate::names::presentable(&device.name, "device"),
                })
                .collect(),
            safety: self.safety_view(contact),
            blocked: contact.blocked,
            quiet: self.calls.is_quiet(contact.id),
            alarm: contact.alarm,
            relay: contact.relay,
            relay_only: contact.relay_only,
            one_click: contact.one_click.unwrap_or(self.one_click),
            reply: self.reply_of(contact.id),
            introduces: contact.introduces,
            nat: contact.nat,
        }
    }

    /// The dot. Derived here and nowhere kept.
    fn reachable(&self, contact: &Contact, peers: &[&Peer], now: Duration) -> Reachable {
        let link = self.best_link(peers.iter().copied());
        if contact.blocked {
            return Reachable::No(WhyNot::Blocked);
        }
        if contact.accepted && !contact.may_call() {
            return Reachable::No(WhyNot::Contested);
        }
        let Some(link) = link.filter(|_| contact.accepted) else {
            return self.unlinked(contact, peers);
        };
        let is_proven = link
            .keepalive
            .last_proof()
            .is_some_and(|proof| now < proof + bounds::GREY_AFTER);
        match (is_proven, link.keepalive.peer_rings()) {
            (true, true) => Reachable::Yes,
            (true, false) => Reachable::No(WhyNot::WillNotRing),
            (false, _) if link.keepalive.last_sign().is_some() => Reachable::Checking(WhyNot::Silent),
            (false, _) => Reachable::Checking(WhyNot::Searching),
        }
    }

    fn unlinked(&self, contact: &Contact, peers: &[&Peer]) -> Reachable {
        let tries = peers.iter().any(|peer| {
            let leads_somewhere = !self.addresses_of(&peer.device).is_empty() || self.has_relay_to(&peer.device);
            let knocks = peer.search.is_knocking() && leads_somewhere;
            knocks || peer.dialing.is_some() || self.links.values().any(|link| link.peer == peer.device)
        });
        let why = self.why_unlinked(contact, peers);
        if tries {
            let searching = if contact.accepted {
                WhyNot::Searching
            } else {
                self.promise(contact.id)
            };
            return Reachable::Checking(searching);
        }
        if why == WhyNot::WaitingForInviter {
            return Reachable::No(self.promise(contact.id));
        }
        Reachable::No(why)
    }

    /// Why there is no link to a contact.
    pub(super) fn why_no_link(&self, id: ContactId) -> WhyNot {
        match self.state.contact(id) {
            Some(contact) => self.why_unlinked(contact, &self.peers_of(id)),
            None => WhyNot::NoAddress,
        }
    }

    fn why_unlinked(&self, contact: &Contact, peers: &[&Peer]) -> WhyNot {
        let peers = || peers.iter();
        if contact.blocked {
            return WhyNot::Blocked;
        }
        if !contact.accepted {
            return WhyNot::WaitingForInviter;
        }
        let hides = contact.relay_only;
        if hides && !peers().any(|peer| self.has_relay_to(&peer.device)) {
            WhyNot::NoRelay
        } else if peers().any(|peer| peer.went_away) {
            WhyNot::WentAway
        } else if peers().all(|peer| self.known_addresses(&peer.device).is_empty()) {
            WhyNot::NoAddress
        } else if peers().all(|peer| self.needs_relay(&peer.device)) {
            WhyNot::NeedsRelay
        } else {
            WhyNot::NoAnswer
        }
    }

    /// When a dot that rests on a proof turns grey by itself.
    pub(super) fn grey_at(&self, id: ContactId) -> Option<Duration> {
        self.link_to(id)?
            .keepalive
            .last_proof()
            .map(|proof| proof + bounds::GREY_AFTER)
    }

    /// Tells clients of every dot, and of every way, that differs from what they were last told.
    pub(super) fn notice_dots(&mut self, now: Now) {
        let owned = self.owned();
        let shown = |contact: &Contact| {
            let peers = owned.get(&contact.id).map_or(&[][..], Vec::as_slice);
            let kind = self.best_link(peers.iter().copied()).map(|link| self.path_kind(link));
            (contact.id, (self.reachable(contact, peers, now.boot), kind))
        };
        let dots: BTreeMap<_, _> = self.state.contacts.iter().map(shown).collect();
        self.shown.retain(|id, _| dots.contains_key(id));
        for (id, dot) in dots {
            if self.shown.insert(id, dot) != Some(dot) {
                self.event(Event::Contact(id));
            }
        }
    }
}
