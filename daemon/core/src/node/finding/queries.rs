//! What is asked of the DHT, and what comes of an answer.
//!
//! A value counts if it is signed, of the place that was asked for, and newer than what was heard of the same job before. How
//! often a place may be written is bounded: hourly, and a number of times a day because something changed.

use std::time::Duration;

use super::{Asked, Job, is_look};
use crate::bounds;
use crate::ids::{DeviceKey, QueryId};
use crate::io::{DhtAnswer, Output, Query};
use crate::node::Node;
use crate::reach::finding::invite_pause;
use crate::reach::record::{self, Item};
use crate::time::Now;

impl Node {
    /// Whether a place may be written now, and when next: hourly, or sooner for changed addresses within the day's bound.
    pub(super) fn may_put(&mut self, job: Job, now: Now) -> bool {
        let last = self.finder.put.get(&job).copied();
        // The tick comes up to half of it early.
        let is_early = |last: Duration| now.boot + bounds::TICK < last + bounds::REPUBLISH;
        if let Some(last) = last.filter(|last| is_early(*last))
            && !self.finder.changes.take(bounds::PUBLISH_CHANGES, now.boot)
        {
            let rest = (last + bounds::REPUBLISH).saturating_sub(now.boot);
            self.paced(job, |pace| pace.done(rest.max(bounds::TICK), now.boot));
            return false;
        }
        self.paced(job, |pace| pace.done(bounds::REPUBLISH, now.boot));
        true
    }

    pub(super) fn put(&mut self, job: Job, item: Option<Item>, now: Now) {
        if let Some(item) = item {
            self.finder.put.insert(job, now.boot);
            self.ask_put(Some(job), item, now);
        }
    }

    pub(super) fn ask_put(&mut self, job: Option<Job>, item: Item, now: Now) {
        let query = self.note_asked(job, now);
        self.push(Output::Query(Query::DhtPut { query, item }));
    }

    pub(super) fn ask_get(&mut self, job: Job, place: Option<record::Place>, now: Now) {
        if let Some(place) = place {
            let query = self.note_asked(Some(job), now);
            self.push(Output::Query(Query::DhtGet { query, place }));
        }
    }

    fn note_asked(&mut self, job: Option<Job>, now: Now) -> QueryId {
        self.finder.next_query += 1;
        let query = QueryId(self.finder.next_query);
        let asked = Asked {
            job,
            day: record::day(now.wall),
            at: now.boot,
        };
        self.finder.asked.insert(query, asked);
        query
    }

    pub(in crate::node) fn handle_dht_answer(&mut self, query: QueryId, answer: DhtAnswer, now: Now) {
        let Some(asked) = self.finder.asked.get(&query).copied() else {
            return;
        };
        match answer {
            DhtAnswer::Found(item) => {
                if let Some(job) = asked.job {
                    self.handle_found(job, asked.day, &item, now);
                }
            }
            DhtAnswer::Done | DhtAnswer::Stored => {
                self.finder.asked.remove(&query);
            }
            DhtAnswer::Failed => {
                self.finder.asked.remove(&query);
                if let Some(job) = asked.job.filter(|job| !is_look(job)) {
                    self.finder.put.remove(&job);
                    self.put_again(job, now);
                }
            }
        }
    }

    /// A value was not stored. Where somebody waits for a first contact it is tried again soon.
    fn put_again(&mut self, job: Job, now: Now) {
        let since = match job {
            Job::TellInviter(id) => self.redemption(id).and_then(|redeeming| redeeming.since),
            Job::AnswerInvitee(id) => self.state.invite(id).and_then(|invite| invite.created),
            Job::Publish(_) | Job::Read(_) | Job::HearInvitee(_) | Job::HearInviter(_) => None,
        };
        let waits = since.map(|since| invite_pause(Duration::from_secs(now.wall.saturating_sub(since))));
        self.paced(job, |pace| match waits {
            Some(pause) => pace.done(pause.max(bounds::DHT_AGAIN), now.boot),
            None => pace.back_off(bounds::REPUBLISH, now.boot),
        });
    }

    fn handle_found(&mut self, job: Job, day: u64, item: &Item, now: Now) {
        let heard = self.finder.heard.get(&job).copied().unwrap_or_default();
        // An invitee who is still there is knocked at again; a contact goes on with its own search.
        let is_old = match job {
            Job::HearInvitee(_) => item.seq < heard,
            Job::Read(_) | Job::HearInviter(_) => item.seq <= heard,
            Job::Publish(_) | Job::AnswerInvitee(_) | Job::TellInviter(_) => true,
        };
        if is_old || !item.is_signed() {
            return;
        }
        let is_used = match job {
            Job::Read(device) => self.read_record(device, day, item, now),
            Job::HearInvitee(id) => self.hear_invitee(id, item, now),
            Job::HearInviter(id) => self.hear_inviter(id, item, now),
            Job::Publish(_) | Job::AnswerInvitee(_) | Job::TellInviter(_) => false,
        };
        if is_used {
            self.finder.heard.insert(job, item.seq);
        }
    }

    /// A contact's device says where it is.
    fn read_record(&mut self, device: DeviceKey, day: u64, item: &Item, now: Now) -> bool {
        let Some(contact) = self.contact_of_device(&device) else {
            return false;
        };
        let keys = contact.finding_of(&device);
        let record = keys.and_then(|(key, public)| record::read(item, key, public, day));
        let Some(record) = record.filter(|record| record.device == device) else {
            return false;
        };
        let id = contact.id;
        self.note_nat(id, record.nat.unwrap_or_default());
        if self.learn_places(id, &record.candidates) {
            self.knock_where_found(&device, now);
        }
        true
    }
}
