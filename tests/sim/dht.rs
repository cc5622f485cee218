//! The simulated DHT: values at places, found after a while or not at all. Nobody it serves can tell who asks.

use std::collections::BTreeMap;
use std::time::Duration;

use twocan_core::event::ContactState;
use twocan_core::io::{DhtAnswer, Input, Query};
use twocan_core::reach::record::{self, Item, Place};
use twocan_core::state::{Contact, State};

use super::happening::{Cause, Happening};
use super::mutant::Mutant;
use super::watch::Invariant;
use super::world::World;

/// Questions in a hundred that nobody answers.
const LOST: u64 = 5;

/// What the nodes of the DHT hold.
#[derive(Debug, Default)]
pub(crate) struct Dht {
    values: BTreeMap<Place, Item>,
}

impl World {
    pub(super) fn query(&mut self, index: usize, query: Query) {
        let (run, delay) = (self.hosts[index].run, self.dice.ms(200, 3000));
        let is_lost = self.dice.chance(LOST);
        let (query, answers) = match query {
            Query::LanShow { .. } => return,
            Query::DhtPut { query, item } => {
                self.watch.puts[index] += if self.is(Mutant::StammeringPuts) { 3 } else { 1 };
                self.check_hidden(index, &item);
                let stored = !is_lost && self.keep(item);
                let answer = if stored { DhtAnswer::Stored } else { DhtAnswer::Failed };
                (query, vec![answer])
            }
            Query::DhtGet { query, place } => {
                self.watch.gets[index] += if self.is(Mutant::StammeringGets) { 3 } else { 1 };
                let found = self.dht.values.get(&place).filter(|_| !is_lost).cloned();
                let found = found.map(DhtAnswer::Found);
                (query, found.into_iter().chain([DhtAnswer::Done]).collect())
            }
        };
        for answer in answers {
            let happening = Happening::DhtAnswer {
                host: index,
                run,
                query,
                answer,
            };
            self.later(delay, happening);
        }
    }

    /// As nodes do: whatever is signed and newer.
    fn keep(&mut self, item: Item) -> bool {
        let known = self.dht.values.get(&item.place).map(|known| known.seq);
        if !item.is_signed() || known.is_some_and(|known| item.seq <= known) {
            return false;
        }
        if !self.is(Mutant::ForgetfulDht) {
            self.dht.values.insert(item.place, item);
        }
        true
    }

    pub(super) fn dht_answers(&mut self, index: usize, query: twocan_core::ids::QueryId, answer: DhtAnswer) {
        self.feed(index, Input::DhtAnswer { query, answer }, Cause::Other);
    }

    /// Nobody whom the publisher has blocked, removed or doubts holds keys that open what is published.
    fn check_hidden(&mut self, index: usize, item: &Item) {
        let day = record::day(self.hosts[index].clock(self.now).wall);
        let readers = (0..self.hosts.len()).filter(|other| *other != index);
        let wrong = readers
            .filter(|reader| self.must_not_find(index, *reader))
            .find(|reader| self.opens(*reader, item, day));
        if let Some(reader) = wrong {
            self.fail(
                Invariant::Hidden,
                format!("host {reader} can read where host {index} is"),
            );
        }
    }

    fn must_not_find(&self, index: usize, reader: usize) -> bool {
        let root = self.hosts[reader].root;
        let Some(snapshot) = self.snapshot(index) else {
            return false;
        };
        let stored = self.stored(index);
        let contact = stored.as_ref().and_then(|state| state.contact_of(&root));
        let shown = contact.and_then(|contact| snapshot.contacts.iter().find(|shown| shown.id == contact.id));
        match (contact, shown) {
            (Some(contact), Some(shown)) => {
                shown.blocked && contact.blocked || contact.contested && shown.state == ContactState::Contested
            }
            (Some(_), None) | (None, _) => false,
        }
    }

    fn stored(&self, index: usize) -> Option<State> {
        State::from_bytes(self.hosts[index].disk.written.as_deref()?).ok()
    }

    fn opens(&self, reader: usize, item: &Item, day: u64) -> bool {
        let Some(state) = self.stored(reader) else { return false };
        let says_where = |contact: &Contact| {
            let devices = contact.devices();
            devices.iter().any(|device| {
                let Some((key, public)) = contact.finding_of(device) else {
                    return false;
                };
                let mut days = [day.saturating_sub(1), day, day + 1].into_iter();
                let read = days.find_map(|day| record::read(item, key, public, day));
                read.is_some_and(|record| !record.candidates.is_empty())
            })
        };
        state.contacts.iter().any(says_where)
    }

    /// What a mutant does: the finding key is the first one again.
    pub(super) fn bring_old_key_back(&mut self, index: usize) {
        let Some(mut state) = self.stored(index) else { return };
        let disk = &mut self.hosts[index].disk;
        state.finding.clone_from(&disk.first_finding);
        disk.written = Some(state.to_bytes());
    }
}

/// A record is found within this time on an otherwise good day: two or three tries of a lossy DHT.
pub(crate) const FOUND: Duration = Duration::from_secs(120);
