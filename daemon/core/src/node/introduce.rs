//! Introducers: mutual contacts who pass on where somebody is, between two people who both named them.
//!
//! For each contact there is a *tag* at each introducer, derived from the pair key, the introducer and the day: the same for both
//! people, noise to everybody else. Both watch their tags at the introducer; a word that one of them passes under a tag goes on
//! at once to the other who watches it. The word is a record sealed under the pair key. So an introducer learns that two of his
//! contacts know each other, and nothing about those of their contacts who did not name him as well.
//!
//! Invariants: a word goes only from somebody who watches its tag to others who watch it, all of them accepted contacts; nothing of
//! it is stored or sent again; only a contact that the own user named is listened to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::commands::{Outcome, Result};
use super::stored::Undo;
use super::{Node, Stage};
use crate::bounds;
use crate::command::{Refusal, Reply};
use crate::crypto::{self, Secret};
use crate::event::Event;
use crate::ids::{ContactId, LinkId, RootKey};
use crate::io::Output;
use crate::message::{Message, Pass, Watch};
use crate::reach::record;
use crate::state::Contact;
use crate::time::Now;

/// Names two people to an introducer for a day.
pub(super) type Tag = [u8; 16];

/// What the node keeps for all this.
#[derive(Debug, Default)]
pub(super) struct Introductions {
    /// What we watch, as it was last said on each link to an introducer.
    watched: BTreeMap<LinkId, BTreeSet<Tag>>,
    /// What those watch who are linked to us.
    watchers: BTreeMap<LinkId, Watcher>,
    /// Who has been told where we are, by way of which link.
    told: BTreeSet<(LinkId, ContactId)>,
    /// The newest word of each contact.
    heard: BTreeMap<ContactId, u64>,
    /// What we said last of ourselves.
    offered: Vec<std::net::SocketAddr>,
}

#[derive(Debug, Default)]
struct Watcher {
    tags: BTreeSet<Tag>,
    /// Words in this stretch of time.
    words: u32,
    since: Duration,
}

fn tag(key: &Secret, introducer: &RootKey, day: u64) -> Tag {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] =
        crypto::derive(&key.0, "introduce tag", &[&introducer.0, &day.to_be_bytes()]).0;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

fn word_key(key: &Secret) -> Secret {
    crypto::derive(&key.0, "introduce word", &[])
}

impl Node {
    /// Names a contact as introducer, or takes that back.
    pub(super) fn set_introducer(&mut self, id: ContactId, introduces: bool) -> Result {
        let contact = self.state.contact_mut(id).ok_or(Refusal::NotFound)?;
        let before = std::mem::replace(&mut contact.introduces, introduces);
        Ok(Outcome::Store(
            Reply::Contact(id),
            Some(Event::Contact(id)),
            Undo::RestoreIntroducer(id, before),
        ))
    }

    /// The ready links to those whom the user named.
    fn introducers(&self) -> Vec<(LinkId, RootKey)> {
        let named = self
            .state
            .contacts
            .iter()
            .filter(|contact| contact.introduces && contact.may_call());
        named
            .filter_map(|contact| Some((self.link_to(contact.id)?.id, contact.root)))
            .collect()
    }

    /// Keeps the introducers up to date: what we watch, and where we are for those who may not know.
    pub(super) fn tend_introductions(&mut self, now: Now) {
        let offered = self.offered_addresses();
        if offered != self.introductions.offered {
            self.introductions.offered = offered;
            self.introductions.told.clear();
        }
        let links = &self.links;
        self.introductions.watched.retain(|link, _| links.contains_key(link));
        self.introductions.watchers.retain(|link, _| links.contains_key(link));
        self.introductions.told.retain(|(link, _)| links.contains_key(link));
        for (link, introducer) in self.introducers() {
            self.watch_at(link, &introducer, now);
            self.pass_to_missing(link, &introducer, now);
        }
    }

    /// Contacts whose word we would hear by way of an introducer.
    fn introducible(&self, introducer: &RootKey) -> Vec<&Contact> {
        let contacts = self.state.contacts.iter();
        let others = contacts.filter(|contact| contact.root != *introducer && Self::may_find(contact));
        others.collect()
    }

    fn watch_at(&mut self, link: LinkId, introducer: &RootKey, now: Now) {
        let days = record::days(now.wall);
        let keys = self
            .introducible(introducer)
            .into_iter()
            .flat_map(|contact| &contact.keys);
        let tags = keys.flat_map(|key| days.iter().map(move |day| tag(key, introducer, *day)));
        let tags: BTreeSet<Tag> = tags.take(bounds::WATCHED_TAGS).collect();
        if self.introductions.watched.get(&link) != Some(&tags) {
            let message = Message::Watch(Watch {
                tags: tags.iter().copied().collect(),
            });
            self.introductions.watched.insert(link, tags);
            self.send_on(link, message, now);
        }
    }

    /// Says where we are to everybody to whom there is no good link, and who has not been told.
    fn pass_to_missing(&mut self, link: LinkId, introducer: &RootKey, now: Now) {
        let is_missing = |contact: &&Contact| {
            !self.has_good_link(contact.id, now) && !self.introductions.told.contains(&(link, contact.id))
        };
        let missing: Vec<ContactId> = self
            .introducible(introducer)
            .into_iter()
            .filter(is_missing)
            .map(|contact| contact.id)
            .take(bounds::PASSED_AT_ONCE)
            .collect();
        for id in missing {
            self.pass(link, introducer, id, false, now);
        }
    }

    /// Whether there is a link that answers.
    fn has_good_link(&self, id: ContactId, now: Now) -> bool {
        self.link_to(id).is_some_and(|link| {
            let keepalive = &link.keepalive;
            !keepalive.is_doubted() && !keepalive.is_unanswered(bounds::CHANGE_PATIENCE, now.boot)
        })
    }

    fn pass(&mut self, link: LinkId, introducer: &RootKey, id: ContactId, answers: bool, now: Now) {
        let contact = self.state.contact(id).filter(|contact| Self::may_find(contact));
        let Some(key) = contact.and_then(|contact| contact.keys.first().cloned()) else {
            return;
        };
        self.introductions.told.insert((link, id));
        let record = self.own_record(now);
        let word = record::seal_plain(&word_key(&key), &record, bounds::PASSED_WORD, &mut self.rng);
        if let Some(word) = word {
            let tag = tag(&key, introducer, record::day(now.wall));
            self.send_on(link, Message::Pass(Pass { tag, word, answers }), now);
        }
    }

    /// A linked contact says what it watches.
    pub(super) fn handle_watch(&mut self, link: LinkId, watch: &Watch) {
        let watcher = self.introductions.watchers.entry(link).or_default();
        watcher.tags = watch.tags.iter().copied().collect();
    }

    /// A word comes: on its way to somebody else, or to us.
    pub(super) fn handle_pass(&mut self, link: LinkId, from: ContactId, pass: &Pass, now: Now) {
        if self
            .state
            .contact(from)
            .is_some_and(|contact| contact.introduces && contact.may_call())
        {
            self.hear_word(link, pass, now);
        }
        if self.state.contact(from).is_some_and(Contact::may_call) && self.may_pass_on(link, &pass.tag, now) {
            self.pass_on(from, pass, now);
        }
    }

    /// Whoever passes a word under a tag watches it, too, and does not pass too many.
    fn may_pass_on(&mut self, link: LinkId, tag: &Tag, now: Now) -> bool {
        let Some(watcher) = self.introductions.watchers.get_mut(&link) else {
            return false;
        };
        if now.boot >= watcher.since + bounds::TICK {
            (watcher.since, watcher.words) = (now.boot, 0);
        }
        watcher.words = watcher.words.saturating_add(1);
        watcher.words <= bounds::PASSED_IN_A_TICK && watcher.tags.contains(tag)
    }

    /// To others alone: whoever has moved may have two links, an old one and a new one.
    fn pass_on(&mut self, from: ContactId, pass: &Pass, now: Now) {
        let watchers = self.introductions.watchers.iter();
        let others = watchers.filter(|(_, watcher)| watcher.tags.contains(&pass.tag));
        let others: Vec<LinkId> = others
            .map(|(link, _)| *link)
            .filter(|link| self.may_hear(*link, from))
            .collect();
        for link in others.into_iter().take(bounds::PASSED_TO) {
            self.send_on(link, Message::Pass(pass.clone()), now);
        }
    }

    fn may_hear(&self, link: LinkId, from: ContactId) -> bool {
        let link = self.links.get(&link).filter(|link| link.stage == Stage::Ready);
        let contact = link.and_then(|link| self.contact_of_device(&link.peer));
        contact.is_some_and(|contact| contact.may_call() && contact.id != from)
    }

    /// A contact says where it is, by way of somebody whom we named.
    fn hear_word(&mut self, link: LinkId, pass: &Pass, now: Now) {
        let Some(introducer) = self
            .links
            .get(&link)
            .and_then(|link| self.contact_of_device(&link.peer))
        else {
            return;
        };
        let introducer = introducer.root;
        let days = record::days(now.wall);
        let opened = self.introducible(&introducer).into_iter().find_map(|contact| {
            let mut keys = contact.keys.iter();
            let key = keys.find(|key| days.iter().any(|day| tag(key, &introducer, *day) == pass.tag))?;
            Some((contact.id, record::open_plain(&word_key(key), &pass.word)?))
        });
        let Some((id, word)) = opened else { return };
        let is_listed = self
            .state
            .contact(id)
            .is_some_and(|contact| contact.devices().contains(&word.device));
        let is_old = self
            .introductions
            .heard
            .get(&id)
            .is_some_and(|heard| word.time < *heard);
        if !is_listed || is_old {
            return;
        }
        self.introductions.heard.insert(id, word.time);
        self.note_nat(id, word.nat.unwrap_or_default());
        self.learn_places(id, &word.candidates);
        let is_where_he_says = |link: &super::Link| word.candidates.contains(&link.remote.at);
        if self.has_good_link(id, now) && self.link_to(id).is_some_and(is_where_he_says) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&word.device) {
            peer.search.restart(now.boot);
        }
        if pass.answers {
            // He has knocked by the time he answered, as we had: what opens the routers on both sides is done.
            self.knock_through(word.device, now);
        }
        // He looks for us: both knock at the same time.
        if !pass.answers {
            self.pass(link, &introducer, id, true, now);
        }
    }

    /// A contact with whom there is a call is not heard. Those who may say where each of us is are asked at once whether they are
    /// there, which also shows whether it is our own address that is another one.
    pub(super) fn ask_to_be_introduced(&mut self, id: ContactId, now: Now) {
        self.miss(id);
        let rings = self.state.will_ring;
        for (link, _) in self.introducers() {
            if let Some(link) = self.links.get_mut(&link) {
                link.stirred = now.boot;
                let ask = Output::SendAlive {
                    link: link.id,
                    bytes: link.keepalive.ask(rings, now.boot),
                };
                self.push(ask);
            }
        }
    }

    /// A link to a contact is lost or in doubt: by way of an introducer it may hear where we are.
    pub(super) fn miss(&mut self, id: ContactId) {
        self.introductions.told.retain(|(_, contact)| *contact != id);
        self.finder.is_stale = true;
    }
}
