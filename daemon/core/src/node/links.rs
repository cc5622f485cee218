//! Connections: they come up, prove themselves, fall silent, go down.

use std::time::Duration;

use super::{Link, Node, Stage};
use crate::bounds::{self, close_code};
use crate::command::Reply;
use crate::event::{Carrier, PathKind, PathView};
use crate::ids::{ContactId, DeviceKey, DialId, LinkId};
use crate::io::{LinkUp, Output};
use crate::reach::candidates::OwnAddresses;
use crate::reach::keepalive::Keepalive;
use crate::reach::nat_report::NatKind;
use crate::reach::search;
use crate::reach::via::{Place, Via};
use crate::state::Contact;
use crate::time::Now;

/// A connection that another has replaced is closed this long after.
const MOVED_LINGER: Duration = Duration::from_secs(2);

impl Node {
    pub(super) fn handle_interfaces(&mut self, own: OwnAddresses, now: Now) {
        if own == self.own {
            return;
        }
        let before = std::mem::replace(&mut self.own, own);
        self.network_changed(&before, now);
        // What was proven was proven from another address.
        self.ask_all(now);
        for link in self.links.values_mut() {
            link.shaken = true;
        }
        for peer in self.peers.values_mut().filter(|peer| peer.link.is_some()) {
            peer.search.soon(bounds::CHANGE_PATIENCE, now.boot);
        }
        self.search_for_all(now);
    }

    pub(super) fn handle_resumed(&mut self, now: Now) {
        for link in self.links.values_mut().filter(|link| link.stage == Stage::Ready) {
            link.keepalive.doubt(now.boot);
        }
        self.ask_all(now);
        self.align_tick(now);
        self.search_for_all(now);
        for link in self.links.values_mut() {
            link.stirred = now.boot;
        }
        self.stop_measuring();
        self.check_network(true, now);
    }

    pub(super) fn handle_link_up(&mut self, up: LinkUp, now: Now) {
        if self.visit_up(&up, now) {
            return;
        }
        let dialed = up.dial.is_some();
        if let Some(dial) = up.dial {
            self.end_dial(dial);
        }
        let is_hidden = up.via.is_direct() && self.is_hidden_from(&up.peer);
        let is_expected =
            up.visitor.is_none() && !is_hidden && self.peers.contains_key(&up.peer) && dialed == self.dials(&up.peer);
        if !is_expected {
            return self.push(Output::Close {
                link: up.link,
                code: close_code::STRANGER,
            });
        }
        let number = u32::from(u16::from_be_bytes(self.rng.bytes()));
        let link = Link {
            id: up.link,
            peer: up.peer,
            remote: Place {
                at: up.remote,
                via: up.via,
            },
            exporter: up.exporter,
            redeems: None,
            up: now.boot,
            stage: Stage::AwaitingHello,
            keepalive: Keepalive::new(dialed, number, now.boot),
            stirred: now.boot,
            rtt: Duration::ZERO,
            clock: None,
            their_server: false,
            shaken: false,
            closing: None,
        };
        self.links.insert(up.link, link);
        self.end_birthday(&up.peer);
        // The listening side says nothing of itself before the dialing side has shown who it is.
        if dialed {
            self.send_hello(up.link, now);
        }
    }

    pub(super) fn handle_dial_failed(&mut self, dial: DialId, now: Now) {
        if self.visit_failed(dial, false, now) {
            return;
        }
        let Some(device) = self.end_dial(dial) else { return };
        let meeting = self.meeting_with(&device, now);
        if let Some(peer) = self.peers.get_mut(&device).filter(|peer| peer.link.is_none()) {
            peer.search.pause(now.boot, meeting);
        }
    }

    fn end_dial(&mut self, dial: DialId) -> Option<DeviceKey> {
        let (device, _) = self.dials.remove(&dial)?;
        if let Some(peer) = self.peers.get_mut(&device) {
            peer.dialing = None;
        }
        Some(device)
    }

    pub(super) fn handle_link_down(&mut self, link: LinkId, code: Option<u64>, now: Now) {
        let Some(link) = self.links.remove(&link) else { return };
        let meeting = self.meeting_with(&link.peer, now);
        let Some(peer) = self.peers.get_mut(&link.peer) else {
            return;
        };
        let missed = peer.contact.filter(|_| peer.link == Some(link.id));
        if peer.link == Some(link.id) {
            peer.link = None;
            peer.offers_relay = false;
        } else if peer.link.is_some() || is_replaced(&link) {
            return;
        }
        let told_off = [
            close_code::STRANGER,
            close_code::REFUSED,
            close_code::BAD_HELLO,
            close_code::GARBAGE,
            close_code::TOO_MUCH,
        ]
        .map(u64::from);
        if link.closing.is_some() && peer.contact.is_none() {
            peer.search.stop();
        } else if link.closing.is_some() {
            // Forgotten, and added again while the last words were under way.
            peer.search.restart(now.boot);
        } else if code == Some(u64::from(close_code::GOING)) {
            peer.went_away = true;
            peer.search.rest(now.boot, meeting);
            if let Some(contact) = peer.contact {
                self.calls.went_away(contact, now.boot);
            }
        } else if code.is_some_and(|code| told_off.contains(&code)) {
            peer.search.pause(now.boot, meeting);
        } else if code != Some(u64::from(close_code::REPLACED)) {
            peer.search.restart(now.boot);
        }
        self.drop_idle_guest(&link.peer);
        if let Some(contact) = missed {
            self.miss(contact);
        }
    }

    /// Closes a connection for a reason of ours, and forgets it at once.
    pub(super) fn close(&mut self, link: LinkId, code: u32, now: Now) {
        if self.links.contains_key(&link) {
            self.push(Output::Close { link, code });
            self.handle_link_down(link, Some(u64::from(code)), now);
        }
    }

    pub(super) fn handle_alive(&mut self, link: LinkId, bytes: &[u8], now: Now) {
        let Some(peer) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let rings = self.rings_for(&peer);
        let Some(known) = self.links.get_mut(&link) else { return };
        // The listening side may not have seen our `hello` yet when its first datagram overtakes it: not an error.
        if known.stage != Stage::Ready {
            return;
        }
        let silence = now.boot.saturating_sub(std::mem::replace(&mut known.stirred, now.boot));
        let remote = known.remote;
        if remote.via == Via::Own && !self.own.is_near(&remote.at) && !self.dials(&peer) {
            self.note_lifetime(silence, now);
        }
        let Some(known) = self.links.get_mut(&link) else { return };
        let rings = rings && (known.closing.is_none() || is_replaced(known));
        match known.keepalive.receive(bytes, rings, now.boot) {
            Ok(Some(bytes)) => self.push(Output::SendAlive { link, bytes }),
            Ok(None) => {}
            Err(_) => return self.close(link, close_code::GARBAGE, now),
        }
        self.note_proof(link, now);
    }

    /// A proof stops the search that a silence began, and answers pings.
    fn note_proof(&mut self, link_id: LinkId, now: Now) {
        let Some(link) = self.links.get(&link_id) else { return };
        if link.keepalive.last_proof() != Some(now.boot) {
            return;
        }
        let before = std::mem::replace(&mut self.proven, now.boot);
        if now.boot >= before + bounds::CLOSED_AFTER {
            self.network_is_back(now);
        }
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        link.shaken = false;
        let Some(peer) = self.peers.get_mut(&link.peer) else {
            return;
        };
        if peer.link != Some(link.id) {
            return;
        }
        // Through somebody else: the search for a direct path goes on.
        if link.remote.via.is_direct() {
            peer.search.stop();
        }
        let Some(contact) = peer.contact else { return };
        for (command, asked) in self.pings.remove(&contact).unwrap_or_default() {
            let rtt_ms = u64::try_from(now.boot.saturating_sub(asked).as_millis()).unwrap_or(u64::MAX);
            self.push(Output::Reply {
                id: command,
                reply: Reply::Pong { rtt_ms },
            });
        }
    }

    pub(super) fn handle_rtt(&mut self, link: LinkId, rtt: Duration) {
        if let Some(link) = self.links.get_mut(&link) {
            link.rtt = rtt;
        }
    }

    /// The link becomes the peer's only one; calls move to it.
    pub(super) fn make_ready(&mut self, link: LinkId, goes_on: bool, now: Now) {
        let Some(peer) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let rings = self.rings_for(&peer);
        let Some(known) = self.links.get_mut(&link) else { return };
        known.stage = Stage::Ready;
        let (device, remote) = (known.peer, known.remote);
        let meeting = search::meeting(&self.device, &device, now);
        let ask = known
            .keepalive
            .asks_on_tick()
            .then(|| known.keepalive.ask(rings, now.boot));
        let Some(peer) = self.peers.get_mut(&device) else {
            return;
        };
        let before = peer.link.replace(link).filter(|before| *before != link);
        peer.search.stop();
        if !remote.via.is_direct() {
            peer.search.rest(now.boot, meeting);
        }
        peer.went_away = false;
        peer.guest = None;
        let contact = peer.contact;
        if let Some(before) = before.filter(|_| goes_on) {
            self.carry_over(before, link);
        }
        // Where the session begins anew this is what was said to the peer since its `hello`.
        self.say_again(link);
        self.out.extend(ask.map(|bytes| Output::SendAlive { link, bytes }));
        self.offer_relay_first(link, now);
        if let Some(contact) = contact {
            self.remember_address(contact, remote);
            self.calls.path_up(contact, link, goes_on, now.boot);
            self.tell_finding(contact, now);
        }
        // Make before break: the far side may not have moved yet, and media of the old path is still under way.
        if let Some(before) = before.and_then(|before| self.links.get_mut(&before)) {
            before.closing = Some((now.boot + MOVED_LINGER, close_code::REPLACED));
        }
    }

    fn carry_over(&mut self, before: LinkId, link: LinkId) {
        let Some(before) = self.links.get(&before).map(|before| before.keepalive.clone()) else {
            return;
        };
        if let Some(link) = self.links.get_mut(&link) {
            link.keepalive.carry_over(&before);
        }
    }

    /// A contact is not left after all.
    pub(super) fn keep_links(&mut self, contact: ContactId, now: Now) {
        let kept: Vec<LinkId> = self
            .peers
            .values()
            .filter(|peer| peer.contact == Some(contact))
            .filter_map(|peer| peer.link)
            .collect();
        for link in kept {
            if let Some(link) = self.links.get_mut(&link) {
                link.closing = None;
            }
        }
        self.search_for(contact, now);
    }

    fn remember_address(&mut self, contact: ContactId, remote: Place) {
        let contact = self.state.contact_mut(contact);
        // A hard NAT gives the next connection another port.
        let lasts = |contact: &&mut Contact| remote.via.is_direct() && contact.nat != NatKind::Hard;
        let Some(contact) = contact.filter(lasts) else { return };
        if contact.addresses.first() != Some(&remote.at) {
            super::knocks::merge_addresses(contact, &[remote.at]);
            self.unstored = true;
        }
    }

    pub(super) fn path_view(&self, link: &Link) -> Option<PathView> {
        let kind = self.path_kind(link);
        let via = match kind {
            PathKind::Relay(Carrier::Contact(id)) => self.state.contact(id).map(|carrier| carrier.name.clone()),
            PathKind::Relay(Carrier::OwnServer | Carrier::TheirServer) | PathKind::Lan | PathKind::Direct => None,
        };
        Some(PathView {
            remote: link.remote.at,
            kind,
            via,
            rtt: link.rtt,
            last_proof: link.keepalive.last_proof()?,
        })
    }

    /// What a link runs over.
    pub(super) fn path_kind(&self, link: &Link) -> PathKind {
        let carrier = match link.remote.via {
            Via::Own | Via::Spare(_) => link.their_server.then_some(Carrier::TheirServer),
            Via::Relay(id) => self.relay_of(id).map(Carrier::Contact),
            Via::Turn => Some(Carrier::OwnServer),
        };
        match carrier {
            Some(carrier) => PathKind::Relay(carrier),
            None if self.own.is_near(&link.remote.at) => PathKind::Lan,
            None => PathKind::Direct,
        }
    }

    /// Starts looking for everybody to whom there is no link.
    pub(super) fn search_for_all(&mut self, now: Now) {
        for peer in self
            .peers
            .values_mut()
            .filter(|peer| peer.contact.is_some() && peer.link.is_none())
        {
            peer.search.restart(now.boot);
        }
        self.hurry_all(now);
    }

    pub(super) fn search_for(&mut self, contact: ContactId, now: Now) {
        for peer in self
            .peers
            .values_mut()
            .filter(|peer| peer.contact == Some(contact) && peer.link.is_none())
        {
            peer.search.restart(now.boot);
        }
        self.hurry_for(contact, now);
    }

    pub(super) fn drop_idle_guest(&mut self, device: &DeviceKey) {
        let is_idle = |peer: &super::Peer| peer.contact.is_none() && peer.guest.is_none() && peer.link.is_none();
        if self.peers.get(device).is_some_and(is_idle) {
            self.peers.remove(device);
        }
    }

    pub(super) fn handle_going(&mut self, now: Now) {
        self.calls.shut_down(now.boot);
        self.perform_deeds(now);
        if self.unstored {
            self.store();
        }
        self.close_door();
        let mut links: Vec<LinkId> = self.links.keys().copied().collect();
        links.extend(self.visit_links());
        for link in links {
            self.push(Output::Close {
                link,
                code: close_code::GOING,
            });
        }
    }
}

/// Whether a newer connection has taken over from this one.
fn is_replaced(link: &Link) -> bool {
    link.closing.is_some_and(|(_, code)| code == close_code::REPLACED)
}
