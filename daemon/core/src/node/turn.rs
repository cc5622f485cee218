//! One's own relay server (TURN, RFC 8656): an address at the server, from which everything is passed on to us.
//!
//! It is asked for when something needs it: a contact to whom we are reached through relays alone, a link that runs through
//! it, or a search that has come to nothing; and as long as no direct link shows that packets of ours get anywhere, since
//! then it may be that UDP is blocked. Contacts are told the address like any other of ours; our knocks leave from it
//! too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::Node;
use crate::bounds;
use crate::ids::{ContactId, DeviceKey};
use crate::io::Output;
use crate::reach::search::{self, Search};
use crate::reach::via::{Place, Via};
use crate::time::Now;

/// What is known of the server.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Whether there is one.
    pub(super) configured: bool,
    /// Where it receives for us.
    pub(super) relayed: Option<SocketAddr>,
    /// What the shell was told.
    wanted: bool,
    /// It has failed, and is left alone until then.
    pause: Option<Duration>,
    /// The last that was heard of it is that it gives no address.
    pub(super) fails: bool,
    /// Since when a device is sought.
    sought: BTreeMap<DeviceKey, Duration>,
    searches: BTreeMap<DeviceKey, Search>,
}

impl Node {
    pub(super) fn handle_turn(&mut self, relayed: Option<SocketAddr>, now: Now) {
        if !self.turn.wanted {
            return;
        }
        self.turn.fails = relayed.is_none();
        if relayed.is_none() {
            self.turn.pause = Some(now.boot + bounds::TURN_PAUSE);
            self.turn.wanted = false;
        }
        self.move_to(relayed, now);
    }

    /// The address at the server is another one, or none.
    fn move_to(&mut self, relayed: Option<SocketAddr>, now: Now) {
        if relayed.is_none() {
            self.turn.searches.clear();
        }
        if self.turn.relayed == relayed {
            return;
        }
        self.turn.relayed = relayed;
        self.finder.is_stale = true;
        let carried = self.links.values_mut().filter(|link| link.remote.via == Via::Turn);
        for link in carried {
            link.keepalive.doubt(now.boot);
            if let Some(peer) = self.peers.get_mut(&link.peer) {
                peer.search.restart(now.boot);
            }
        }
        let linked = self.peers.values().filter(|peer| peer.link.is_some());
        let linked: Vec<ContactId> = linked.filter_map(|peer| peer.contact).collect();
        for contact in linked {
            self.tell_addresses(contact, now);
        }
    }

    /// Something new speaks for a search: its patience begins anew.
    pub(super) fn seek_anew(&mut self, contact: ContactId, now: Now) {
        let devices = self.peers.values().filter(|peer| peer.contact == Some(contact));
        for device in devices.map(|peer| peer.device) {
            self.turn.sought.insert(device, now.boot);
        }
    }

    /// Asks for an address where one is needed, gives it back where none is, and looks for whom it is needed.
    pub(super) fn tend_turn(&mut self, now: Now) {
        if !self.turn.configured {
            return;
        }
        self.note_sought(now);
        let pauses = self.turn.pause.is_some_and(|until| now.boot < until);
        let wanted = self.needs_turn(now) && !pauses;
        if wanted != self.turn.wanted {
            self.turn.wanted = wanted;
            self.push(Output::Turn { wanted });
        }
        if !wanted {
            self.move_to(None, now);
        }
        if self.turn.relayed.is_some() {
            self.tend_turn_searches(now);
        }
    }

    fn note_sought(&mut self, now: Now) {
        let needy: Vec<DeviceKey> = self.peers.keys().copied().filter(|one| self.needs_path(one)).collect();
        self.turn.sought.retain(|device, _| needy.contains(device));
        for device in needy {
            self.turn.sought.entry(device).or_insert(now.boot);
        }
    }

    fn needs_turn(&self, now: Now) -> bool {
        let is_used = || self.links.values().any(|link| link.remote.via == Via::Turn);
        let hides = || {
            let contacts = self.state.contacts.iter();
            contacts
                .filter(|contact| contact.relay_only)
                .any(|contact| contact.accepted && !contact.blocked)
        };
        let ready = || self.peers.values().filter_map(|peer| self.links.get(&peer.link?));
        let udp_works = ready().any(|link| link.remote.via.is_direct());
        let lasts = |since: &Duration| !udp_works || now.boot < *since + bounds::TURN_PATIENCE;
        let is_sought = || {
            let mut sought = self.turn.sought.values();
            sought.any(|since| now.boot >= *since + bounds::TURN_AFTER && lasts(since))
        };
        is_used() || hides() || is_sought()
    }

    fn tend_turn_searches(&mut self, now: Now) {
        let sought = &self.turn.sought;
        self.turn.searches.retain(|device, _| sought.contains_key(device));
        for device in sought.keys() {
            let search = self.turn.searches.entry(*device).or_default();
            search.start_if_off(now.boot);
        }
    }

    /// Sends the knocks that are due from the address at the server.
    pub(super) fn watch_turn(&mut self, now: Now) {
        let (own, mut due) = (self.device, Vec::new());
        for (device, search) in &mut self.turn.searches {
            due.extend(search.poll(now.boot).map(|slot| (*device, slot)));
            if search.is_over(now.boot) {
                search.pause(now.boot, search::meeting(&own, device, now));
            }
        }
        for (device, slot) in due {
            for at in self.known_addresses(&device) {
                self.knock_at(device, Place { at, via: Via::Turn }, slot, now);
            }
        }
    }

    pub(super) fn turn_timeouts(&self) -> impl Iterator<Item = Duration> + '_ {
        self.turn.searches.values().filter_map(Search::next_timeout)
    }
}
