//! The local network: contacts are shown to each other under names that change every day and that nobody else can read.
//!
//! Anybody can show anything there, so a name that is known leads to knocks and to nothing else.

use std::net::SocketAddr;

use crate::bounds;
use crate::ids::DeviceKey;
use crate::io::{Output, Query};
use crate::node::Node;
use crate::reach::record::{self, LanName};
use crate::state::Contact;
use crate::time::Now;

impl Node {
    /// Shows us to neighbours who may know us, and to nobody else.
    pub(super) fn show_on_lan(&mut self, now: Now) {
        let may_show = self.finder.means.lan && self.state.contacts.iter().any(Self::may_find);
        let mut wanted = (Vec::new(), Vec::new());
        if let Some(own) = self.state.finding.as_ref().filter(|_| may_show) {
            let public = record::finding_public(&own.seed);
            let days = record::days(now.wall).into_iter();
            let names = days.map(|day| record::lan_name(&own.key, &public, day));
            let port = self.own.port;
            let local = self.own.interfaces.iter().map(|own| SocketAddr::new(own.ip, port));
            wanted = (names.collect(), local.collect());
        }
        if self.finder.lan_shown != wanted {
            self.finder.lan_shown.clone_from(&wanted);
            let (names, addresses) = wanted;
            self.push(Output::Query(Query::LanShow { names, addresses }));
        }
    }

    /// The names that contacts' devices have today.
    pub(super) fn name_neighbours(&mut self, now: Now) {
        let days = record::days(now.wall);
        let findable = |contact: &&Contact| self.finder.means.lan && Self::may_find(contact);
        let named = (days.clone(), self.state.contacts.iter().filter(findable).count());
        if self.finder.lan_named == named {
            return;
        }
        self.finder.lan_names.clear();
        self.finder.lan_named = named;
        if !self.finder.means.lan {
            return;
        }
        for contact in self.state.contacts.iter().filter(|contact| Self::may_find(contact)) {
            for device in contact.devices() {
                let Some((key, public)) = contact.finding_of(&device) else {
                    continue;
                };
                let names = days.iter().map(|day| record::lan_name(key, public, *day));
                self.finder.lan_names.extend(names.map(|name| (name, device)));
            }
        }
    }

    /// Somebody shows a name on the local network.
    pub(in crate::node) fn handle_lan_seen(&mut self, name: LanName, addresses: &[SocketAddr]) {
        if self.finder.lan_seen.len() >= bounds::NEIGHBOURS {
            self.finder.lan_seen.clear();
        }
        self.finder.lan_seen.insert(name, self.own.usable(addresses));
    }

    /// Knocks at neighbours who are contacts without a link, where they show an address that was not tried. Anybody can show
    /// anything, so it leads to knocks alone.
    pub(super) fn meet_neighbours(&mut self, now: Now) {
        self.name_neighbours(now);
        let names = &self.finder.lan_names;
        let seen = self.finder.lan_seen.iter();
        let known: Vec<(DeviceKey, Vec<SocketAddr>)> = seen
            .filter_map(|(name, addresses)| Some((*names.get(name)?, addresses.clone())))
            .collect();
        for (device, addresses) in known {
            let peer = self.peers.get(&device).filter(|peer| peer.link.is_none());
            let contact = peer.and_then(|peer| peer.contact);
            if contact.is_some_and(|id| self.learn_places(id, &addresses)) {
                self.knock_where_found(&device, now);
            }
        }
    }
}
