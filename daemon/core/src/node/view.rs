//! What clients may see: dots, paths, names. Nothing here changes anything but the record of what was shown.

use std::time::Duration;

use super::Node;
use crate::bounds;
use crate::event::{
    ClockApart, ContactState, ContactView, DeviceView, Event, InviteView, MeView, Reachable, Snapshot, WhyNot,
};
use crate::identity::SignedList;
use crate::ids::ContactId;
use crate::state::Contact;
use crate::time::{Now, signed};

impl Node {
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
        Snapshot {
            me: Some(self.me()),
            contacts: self
                .state
                .contacts
                .iter()
                .map(|contact| self.contact_view(contact, now.boot))
                .collect(),
            calls: self.calls.views().map(|call| self.with_stranger(call)).collect(),
            invites: open.map(view).collect(),
            door: self.door_view(),
            network: self.network_view(),
            clocks: self.clocks_apart(now).collect(),
        }
    }

    fn clocks_apart(&self, now: Now) -> impl Iterator<Item = ClockApart> {
        let ours = signed(now.wall).saturating_sub(signed(now.boot.as_secs()));
        let contacts = self.state.contacts.iter().filter(|contact| contact.accepted);
        let apart = contacts.filter_map(move |contact| {
            let by_s = self.link_to(contact.id)?.clock?.abs_diff(ours);
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

    fn contact_view(&self, contact: &Contact, now: Duration) -> ContactView {
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
            reachable: self.reachable(contact, now),
            path: self.path_view(contact.id),
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
            reply: self.reply_of(contact.id),
            introduces: contact.introduces,
            nat: contact.nat,
        }
    }

    /// The dot. Derived here and nowhere kept.
    fn reachable(&self, contact: &Contact, now: Duration) -> Reachable {
        if contact.blocked {
            return Reachable::No(WhyNot::Blocked);
        }
        if contact.accepted && !contact.may_call() {
            return Reachable::No(WhyNot::Contested);
        }
        let Some(link) = self.link_to(contact.id).filter(|_| contact.accepted) else {
            return self.unlinked(contact);
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

    fn unlinked(&self, contact: &Contact) -> Reachable {
        let mut peers = self.peers.values().filter(|peer| peer.contact == Some(contact.id));
        let tries = peers.any(|peer| {
            let knocks = peer.search.is_knocking() && !self.addresses_of(&peer.device).is_empty();
            knocks || peer.dialing.is_some() || self.links.values().any(|link| link.peer == peer.device)
        });
        let why = self.why_no_link(contact.id);
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
        let Some(contact) = self.state.contact(id) else {
            return WhyNot::NoAddress;
        };
        if contact.blocked {
            return WhyNot::Blocked;
        }
        if !contact.accepted {
            return WhyNot::WaitingForInviter;
        }
        let peers = || self.peers.values().filter(|peer| peer.contact == Some(id));
        if peers().any(|peer| peer.went_away) {
            WhyNot::WentAway
        } else if peers().all(|peer| self.addresses_of(&peer.device).is_empty()) {
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

    /// Tells clients of every dot that differs from what they were last told.
    pub(super) fn notice_dots(&mut self, now: Now) {
        let dots: Vec<(ContactId, Reachable)> = self
            .state
            .contacts
            .iter()
            .map(|contact| (contact.id, self.reachable(contact, now.boot)))
            .collect();
        self.shown.retain(|id, _| dots.iter().any(|(known, _)| known == id));
        for (id, dot) in dots {
            if self.shown.insert(id, dot) != Some(dot) {
                self.event(Event::Contact(id));
            }
        }
    }
}
