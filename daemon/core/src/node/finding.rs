//! Finding each other over a DHT: who is looked up and when, what is published, and what comes of an answer.
//!
//! Everything that goes over the DHT is a *job* with a [`Pace`]. Which jobs there are follows from what the node holds:
//! - a device of a contact to which there is no link is read, first when its remembered addresses have not answered;
//! - the own record is published as long as there is somebody who may read it;
//! - for an open invite the inviter looks for the invitee's word, and answers it; an invitee speaks, and looks for the answer
//!   ([`first_contact`]).
//!
//! [`queries`] asks and reads the answers; [`neighbours`] is the same on the local network, without a DHT.
//!
//! An answer only ever leads to knocks: it is checked against the key that the far side told, and its addresses against what may
//! be sent to. Invariants: nothing is asked while the DHT may not be used; the finding key is told to contacts that may call, and
//! to nobody else; whoever loses that right does not hold the key that the next record is sealed under.

mod first_contact;
mod neighbours;
mod queries;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::{Node, Peer, knocks};
use crate::bounds;
use crate::crypto::Secret;
use crate::event::WhyNot;
use crate::ids::{ContactId, DeviceKey, InviteId, LinkId, QueryId};
use crate::io::Means;
use crate::message::{Finding, Message};
use crate::reach::finding::{Daily, Pace, invite_pause};
use crate::reach::nat_report::NatKind;
use crate::reach::record::{self, Item, LanName, Record, Word};
use crate::state::{Contact, OwnFinding};
use crate::time::Now;

/// One thing that is looked up or published again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    /// The own record of a day.
    Publish(u64),
    /// The record of a contact's device.
    Read(DeviceKey),
    /// Inviter: has the invitee said where he is?
    HearInvitee(InviteId),
    /// Inviter: says where we are.
    AnswerInvitee(InviteId),
    /// Invitee: says where we are.
    TellInviter(ContactId),
    /// Invitee: has the inviter answered?
    HearInviter(ContactId),
}

/// What the node keeps for all this.
#[derive(Debug, Default)]
pub(super) struct Finder {
    means: Means,
    jobs: BTreeMap<Job, Pace>,
    asked: BTreeMap<QueryId, Asked>,
    next_query: u64,
    /// The highest number that a value of ours had.
    seq: u64,
    /// When each place was last written.
    put: BTreeMap<Job, Duration>,
    changes: Daily,
    /// The highest number heard of each job.
    heard: BTreeMap<Job, u64>,
    /// The keys of the invitees that have been heard of, and when.
    words: BTreeMap<InviteId, (Secret, Duration)>,
    /// What is shown on the local network.
    lan_shown: (Vec<LanName>, Vec<SocketAddr>),
    /// For which days, and for how many contacts, we know whom we would recognise there.
    lan_named: (Vec<u64>, usize),
    /// Whom we would recognise there.
    lan_names: BTreeMap<LanName, DeviceKey>,
    /// Who is there, contact or not.
    lan_seen: BTreeMap<LanName, Vec<SocketAddr>>,
    /// What those are promised who have pasted a link.
    pub(super) promises: BTreeMap<ContactId, WhyNot>,
    /// Reply links of redemptions under way, and the addresses that they tell.
    pub(super) replies: BTreeMap<ContactId, (Vec<SocketAddr>, String)>,
    /// The inviters who have said that they have heard of us.
    answered: BTreeSet<ContactId>,
    /// What came back by hand.
    pub(super) by_hand: BTreeMap<InviteId, record::InviteeWord>,
    /// What takes the place of records that others than those who may know could read.
    partings: Vec<Item>,
    offered: Vec<SocketAddr>,
    /// What was said of the NAT along with it.
    offered_nat: NatKind,
    offered_since: Duration,
    /// Something has happened that may make other jobs.
    pub(super) is_stale: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    /// `None` for a parting.
    job: Option<Job>,
    /// Of which day.
    day: u64,
    at: Duration,
}

impl Node {
    pub(super) fn handle_means(&mut self, means: Means, now: Now) {
        self.finder.means = means;
        self.ask_dht_nodes(now);
        self.hurry_all(now);
    }

    /// Whether there is a DHT to be used.
    pub(super) const fn uses_dht(&self) -> bool {
        self.finder.means.dht
    }

    /// Whether a contact may know where we are when there is no link.
    pub(super) fn may_find(contact: &Contact) -> bool {
        contact.may_call() && !contact.relay_only
    }

    /// Draws the keys of a state that has none. True where it did.
    pub(super) fn have_finding_keys(&mut self) -> bool {
        if self.state.finding.is_some() {
            return false;
        }
        self.state.finding = Some(OwnFinding {
            key: Secret(self.rng.bytes()),
            seed: Secret(self.rng.bytes()),
        });
        true
    }

    /// Tells a linked contact how to find us, if it may know.
    pub(super) fn tell_finding(&mut self, id: ContactId, now: Now) {
        // Whoever judges our redemption hears nothing else before it is decided.
        let may_hear = |contact: &Contact| Self::may_find(contact) && contact.redeeming.is_none();
        let may = self.state.contact(id).is_some_and(may_hear);
        if let (true, Some(own)) = (may, &self.state.finding) {
            let message = Message::Finding(Finding {
                key: own.key.clone(),
                public: record::finding_public(&own.seed),
            });
            if let Some(link) = self.link_to(id).map(|link| link.id) {
                self.send_on(link, message, now);
            }
        }
    }

    pub(super) fn handle_finding(&mut self, link: LinkId, id: ContactId, finding: &Finding) {
        let Some(device) = self.links.get(&link).map(|link| link.peer) else {
            return;
        };
        let contact = self.state.contact_mut(id).filter(|contact| contact.accepted);
        if contact.is_some_and(|contact| contact.learn_finding(device, &finding.key, finding.public)) {
            self.unstored = true;
            self.finder.lan_named = Default::default();
        }
    }

    /// Somebody may no longer know where we are: the next record lies elsewhere and under another key, the one that he could
    /// read is overwritten, and the others are told.
    pub(super) fn rotate_finding(&mut self, now: Now) {
        let Some(old) = self.state.finding.clone() else { return };
        let empty = Record {
            device: self.device,
            candidates: Vec::new(),
            time: now.wall,
            nat: None,
        };
        let written: Vec<u64> = self.finder.put.keys().filter_map(published_day).collect();
        for day in written {
            let seq = self.next_seq(now);
            let parting = record::publish(&empty, &old.key, &old.seed, day, seq, &mut self.rng);
            self.finder.partings.extend(parting);
        }
        let key = Secret(self.rng.bytes());
        self.state.finding = Some(OwnFinding { key, seed: old.seed });
        self.finder.jobs.retain(|job, _| published_day(job).is_none());
        self.finder.put.retain(|job, _| published_day(job).is_none());
        self.store();
        let contacts: Vec<ContactId> = self.state.contacts.iter().map(|contact| contact.id).collect();
        for contact in contacts {
            self.tell_finding(contact, now);
        }
    }

    fn next_seq(&mut self, now: Now) -> u64 {
        self.finder.seq = now.wall.max(self.finder.seq + 1);
        self.finder.seq
    }

    /// Looks again soon at everything that is looked for: the machine woke, or the network is another one.
    pub(super) fn hurry_all(&mut self, now: Now) {
        self.finder.is_stale = true;
        for (job, pace) in &mut self.finder.jobs {
            if is_look(job) {
                pace.hurry(bounds::KNOCK_PATIENCE, bounds::DHT_AGAIN, now.boot);
            }
        }
    }

    /// Looks again soon for a contact: somebody wants to speak with it.
    pub(super) fn hurry_for(&mut self, id: ContactId, now: Now) {
        self.finder.is_stale = true;
        let peers = &self.peers;
        for (job, pace) in &mut self.finder.jobs {
            let is_about = match job {
                Job::Read(device) => peers.get(device).is_some_and(|peer| peer.contact == Some(id)),
                Job::HearInviter(contact) => *contact == id,
                Job::Publish(_) | Job::HearInvitee(_) | Job::AnswerInvitee(_) | Job::TellInviter(_) => false,
            };
            if is_about {
                pace.hurry(bounds::KNOCK_PATIENCE, bounds::DHT_AGAIN, now.boot);
            }
        }
    }

    /// The common tick.
    pub(super) fn tick_finding(&mut self, now: Now) {
        self.finder.is_stale = true;
        self.finder.jobs.values_mut().for_each(|pace| pace.tick(now.boot));
        self.knock_at_repliers(now);
        self.name_neighbours(now);
        let is_late = |asked: &Asked| now.boot >= asked.at + bounds::DHT_PATIENCE;
        self.finder.asked.retain(|_, asked| !is_late(asked));
        let today = record::day(now.wall);
        self.finder
            .put
            .retain(|job, _| published_day(job).is_none_or(|day| day + 1 >= today));
    }

    /// When something of this is due by itself.
    pub(super) fn finding_timeout(&self) -> Option<Duration> {
        if self.finder.asked.len() >= bounds::DHT_AT_ONCE {
            return None;
        }
        self.finder.jobs.values().filter_map(Pace::next_timeout).min()
    }

    /// Brings the jobs up to date and does what is due.
    pub(super) fn tend_finding(&mut self, now: Now) {
        if std::mem::take(&mut self.finder.is_stale) {
            self.notice_own_addresses(now);
            self.show_on_lan(now);
            self.meet_neighbours(now);
            self.write_replies();
            self.make_promises(now);
            self.tend_introductions(now);
            self.plan(now);
        }
        self.put_partings(now);
        let mut due: Vec<(Duration, Job)> = self
            .finder
            .jobs
            .iter()
            .filter(|(_, pace)| pace.is_due(now.boot))
            .filter_map(|(job, pace)| Some((pace.next_timeout()?, *job)))
            .collect();
        due.sort_unstable();
        for (_, job) in due {
            if self.finder.asked.len() >= bounds::DHT_AT_ONCE {
                return;
            }
            self.perform_job(job, now);
        }
    }

    fn notice_own_addresses(&mut self, now: Now) {
        let (offered, nat) = (self.offered_addresses(), self.network.report().kind());
        if offered == self.finder.offered && nat == self.finder.offered_nat {
            return;
        }
        if offered != self.finder.offered {
            self.finder.offered_since = now.boot;
        }
        self.finder.offered = offered;
        self.finder.offered_nat = nat;
        for (job, pace) in &mut self.finder.jobs {
            if !is_look(job) {
                pace.hurry(bounds::PUBLISH_SETTLE, bounds::PUBLISH_PAUSE, now.boot);
            }
        }
    }

    /// Makes the jobs that there should be, and forgets the others.
    fn plan(&mut self, now: Now) {
        let wanted = self.wanted_jobs(now);
        self.finder.jobs.retain(|job, _| wanted.contains(job));
        self.finder
            .heard
            .retain(|job, _| wanted.contains(job) || matches!(job, Job::Read(_)));
        self.finder
            .words
            .retain(|id, _| wanted.contains(&Job::HearInvitee(*id)));
        self.finder
            .answered
            .retain(|id| wanted.contains(&Job::HearInviter(*id)));
        let settled = self.finder.offered_since + bounds::PUBLISH_SETTLE;
        let settling = settled.saturating_sub(now.boot);
        for job in wanted {
            let wait = match job {
                Job::Publish(_) => bounds::PUBLISH_SETTLE,
                Job::AnswerInvitee(_) => Duration::ZERO,
                Job::TellInviter(id) if self.is_shut_out(id) => settling,
                Job::TellInviter(_) => bounds::INVITEE_PATIENCE.max(settling),
                Job::HearInvitee(_) | Job::HearInviter(_) => invite_pause(Duration::ZERO),
                Job::Read(_) => bounds::KNOCK_PATIENCE,
            };
            let pace = Pace::after(wait, now.boot);
            self.finder.jobs.entry(job).or_insert(pace);
        }
    }

    fn wanted_jobs(&self, now: Now) -> BTreeSet<Job> {
        let mut jobs = BTreeSet::new();
        if !self.finder.means.dht || self.finder.offered.is_empty() {
            return jobs;
        }
        if self.state.contacts.iter().any(Self::may_find) {
            jobs.extend(record::days(now.wall).into_iter().map(Job::Publish));
        }
        for peer in self.peers.values().filter(|peer| self.is_missing(peer)) {
            let Some(contact) = peer.contact.and_then(|id| self.state.contact(id)) else {
                continue;
            };
            if Self::may_find(contact) && contact.finding_of(&peer.device).is_some() {
                jobs.insert(Job::Read(peer.device));
            }
            let redeeming = contact.redeeming.as_ref().filter(|_| !contact.blocked);
            if redeeming
                .is_some_and(|redeeming| redeeming.link.device == peer.device && now.wall < redeeming.link.expiry)
            {
                jobs.extend([Job::TellInviter(contact.id), Job::HearInviter(contact.id)]);
            }
        }
        for invite in self.state.invites.iter().filter(|invite| invite.is_open(now.wall)) {
            jobs.insert(Job::HearInvitee(invite.id));
            if self.finder.words.contains_key(&invite.id) {
                jobs.insert(Job::AnswerInvitee(invite.id));
            }
        }
        jobs
    }

    fn put_partings(&mut self, now: Now) {
        if self.finder.means.dht {
            for item in std::mem::take(&mut self.finder.partings) {
                self.ask_put(None, item, now);
            }
        }
    }

    fn perform_job(&mut self, job: Job, now: Now) {
        match job {
            Job::Publish(day) => {
                let record = self.own_record(now);
                if self.may_put(job, now)
                    && let Some(own) = self.state.finding.clone()
                {
                    let seq = self.next_seq(now);
                    let item = record::publish(&record, &own.key, &own.seed, day, seq, &mut self.rng);
                    self.put(job, item, now);
                }
            }
            Job::Read(device) => {
                self.paced(job, |pace| pace.back_off(bounds::READ_MOST, now.boot));
                let day = record::day(now.wall);
                let contact = self.contact_of_device(&device);
                let keys = contact.and_then(|contact| contact.finding_of(&device));
                let place = keys.and_then(|(key, public)| record::place(key, public, day));
                self.ask_get(job, place, now);
            }
            Job::HearInvitee(id) => {
                let pause = self.pause_for_invite(id, now);
                self.paced(job, |pace| pace.done(pause, now.boot));
                let invite = self.state.invite(id);
                let place = invite.map(|invite| Word::Invitee.place(&invite.keys.secret));
                self.ask_get(job, place, now);
            }
            Job::HearInviter(id) => {
                let redeeming = self.redemption(id);
                let age = redeeming.and_then(|redeeming| Some(now.wall.saturating_sub(redeeming.since?)));
                let pause = invite_pause(age.map_or(bounds::INVITE_MIDDLE, Duration::from_secs));
                let place = redeeming.map(|redeeming| Word::Inviter.place(&redeeming.link.secret));
                self.paced(job, |pace| pace.done(pause, now.boot));
                self.ask_get(job, place, now);
            }
            Job::TellInviter(id) => self.tell_inviter(job, id, now),
            Job::AnswerInvitee(id) => self.answer_invitee(job, id, now),
        }
    }

    fn paced(&mut self, job: Job, change: impl FnOnce(&mut Pace)) {
        if let Some(pace) = self.finder.jobs.get_mut(&job) {
            change(pace);
        }
    }

    /// What is said of this device to those who may know where it is.
    pub(super) fn own_record(&self, now: Now) -> Record {
        Record {
            device: self.device,
            candidates: self.offered_addresses(),
            time: now.wall,
            nat: self.network.report().kind().known(),
        }
    }

    pub(super) fn contact_of_device(&self, device: &DeviceKey) -> Option<&Contact> {
        self.state.contact(self.peers.get(device)?.contact?)
    }

    /// Whether any of them is news; those that are not have been tried.
    pub(super) fn learn_places(&mut self, id: ContactId, named: &[SocketAddr]) -> bool {
        let usable = self.own.usable(named);
        let Some(contact) = self.state.contact_mut(id) else {
            return false;
        };
        let before = contact.addresses.clone();
        knocks::merge_addresses(contact, &usable);
        self.unstored |= contact.addresses != before;
        usable.iter().any(|address| !before.contains(address))
    }

    fn knock_where_found(&mut self, device: &DeviceKey, now: Now) {
        let is_missing = self.peers.get(device).is_some_and(|peer| self.is_missing(peer));
        if let Some(peer) = self.peers.get_mut(device).filter(|_| is_missing) {
            peer.search.restart(now.boot);
        }
    }

    /// Whether there is no link to a device, or one that has fallen silent: who has moved is not there any more.
    fn is_missing(&self, peer: &Peer) -> bool {
        let link = peer.link.and_then(|link| self.links.get(&link));
        link.is_none_or(|link| link.keepalive.is_doubted())
    }
}

const fn is_look(job: &Job) -> bool {
    match job {
        Job::Read(_) | Job::HearInvitee(_) | Job::HearInviter(_) => true,
        Job::Publish(_) | Job::AnswerInvitee(_) | Job::TellInviter(_) => false,
    }
}

const fn published_day(job: &Job) -> Option<u64> {
    match job {
        Job::Publish(day) => Some(*day),
        Job::Read(_) | Job::HearInvitee(_) | Job::AnswerInvitee(_) | Job::TellInviter(_) | Job::HearInviter(_) => None,
    }
}
