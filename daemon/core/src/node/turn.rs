//! One's own relay server (TURN, RFC 8656): an address at the server, from which everything is passed on to us.
//!
//! It is asked for when something needs it: a contact to whom we are reached through relays alone, a link that runs through
//! it, or a search that has come to nothing; and as long as no direct link shows that packets of ours get anywhere, since
//! then it may be that UDP is blocked. While an invite is open that nobody outside could follow straight, and while no
//! STUN server that was asked answers, it is held for whoever comes. Contacts, and links, are told the address like any
//! other of ours; our knocks leave from it too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::Node;
use crate::bounds;
use crate::event::FromOutside;
use crate::ids::{CommandId, ContactId, DeviceKey};
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
    /// Invites that are to be made when there is an address, or at a time at the latest.
    invites: Vec<NewInvite>,
}

/// An invite that is being made.
#[derive(Debug)]
struct NewInvite {
    command: CommandId,
    expires_in_s: u64,
    until: Duration,
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
        self.make_awaited(|_| true, now);
    }

    /// Whether a new invite has to wait for an address at the server; it is made later then.
    pub(super) fn await_server(&mut self, command: CommandId, expires_in_s: u64, now: Now) -> bool {
        let pauses = self.turn.pause.is_some_and(|until| now.boot < until);
        let waits = self.turn.configured && !pauses && self.turn.relayed.is_none() && !self.is_open_to_all();
        if waits {
            let until = now.boot + bounds::TURN_INVITE;
            self.turn.invites.push(NewInvite {
                command,
                expires_in_s,
                until,
            });
        }
        waits
    }

    /// Invites that are being made.
    pub(super) fn invites_awaited(&self) -> usize {
        self.turn.invites.len()
    }

    fn make_awaited(&mut self, is_due: impl Fn(&NewInvite) -> bool, now: Now) {
        let (due, later) = std::mem::take(&mut self.turn.invites).into_iter().partition(is_due);
        self.turn.invites = later;
        let due: Vec<NewInvite> = due;
        for new in due {
            let made = self.make_invite(new.expires_in_s, now);
            self.conclude(new.command, Ok(made));
        }
    }

    fn is_open_to_all(&self) -> bool {
        self.own.loopback_only || self.reach_from_outside() == FromOutside::Yes
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
        if relayed.is_some() {
            self.end_straight_links(now);
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
        self.make_awaited(|new| now.boot >= new.until, now);
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
        let invites = || {
            let mut open = self.state.invites.iter();
            !self.turn.invites.is_empty() || open.any(|invite| invite.is_open(now.wall)) && !self.is_open_to_all()
        };
        is_used() || hides() || self.network.is_silent() || invites() || is_sought()
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
        let invites = self.turn.invites.iter().map(|new| new.until);
        self.turn
            .searches
            .values()
            .filter_map(Search::next_timeout)
            .chain(invites)
    }
}
