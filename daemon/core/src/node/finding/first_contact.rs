//! A link whose addresses are no longer right: the invitee leaves word for the inviter, who answers where he is.
//!
//! Both look less and less often, as `reach::finding` paces them, and what is promised to whoever has pasted the link follows
//! from how long ago that was. A word makes nobody a contact: it makes a guest, as a knock does.

use std::time::Duration;

use super::Job;
use crate::bounds;
use crate::crypto::Secret;
use crate::event::WhyNot;
use crate::ids::{ContactId, InviteId};
use crate::node::{Guest, Node, knocks};
use crate::reach::finding::invite_pause;
use crate::reach::record::{self, Item, Word};
use crate::reach::via::Place;
use crate::state::Redemption;
use crate::time::Now;

impl Node {
    /// What may be promised to somebody who has pasted a link: the inviter is looked for, and looks, less and less often.
    pub(super) fn make_promises(&mut self, now: Now) {
        let looks = self.finder.means.dht && !self.finder.offered.is_empty();
        let contacts = self.state.contacts.iter().filter(|contact| looks && !contact.accepted);
        let since = contacts.filter_map(|contact| Some((contact.id, contact.redeeming.as_ref()?.since?)));
        let promises = since.map(|(id, since)| (id, promise_at(now.wall.saturating_sub(since))));
        self.finder.promises = promises.collect();
    }

    /// Why the inviter has not confirmed yet.
    pub(in crate::node) fn promise(&self, id: ContactId) -> WhyNot {
        let promise = self.finder.promises.get(&id).copied();
        promise.unwrap_or(WhyNot::WaitingForInviter)
    }

    /// Whether an inviter has said, after we pasted his link, that he has heard of us.
    pub(in crate::node) fn has_answered(&self, id: ContactId) -> bool {
        self.finder.answered.contains(&id)
    }

    pub(super) fn tell_inviter(&mut self, job: Job, id: ContactId, now: Now) {
        if !self.may_put(job, now) {
            return;
        }
        let (record, seq) = (self.own_record(now), self.next_seq(now));
        let Some(redeeming) = self.redemption(id).cloned() else {
            return;
        };
        let (secret, one_time) = (redeeming.link.secret, redeeming.link.one_time);
        let ephemeral = &redeeming.ephemeral;
        let value = record::seal_word(&record, &secret, ephemeral, &one_time, record::VALUE, &mut self.rng);
        let item = value.map(|value| record::sign_word(Word::Invitee, &secret, seq, value));
        self.put(job, item, now);
    }

    pub(super) fn answer_invitee(&mut self, job: Job, id: InviteId, now: Now) {
        if !self.may_put(job, now) {
            return;
        }
        let (record, seq) = (self.own_record(now), self.next_seq(now));
        let secret = self.state.invite(id).map(|invite| invite.keys.secret);
        let pair = self.finder.words.get(&id).map(|(pair, _)| pair.clone());
        let item = secret
            .zip(pair)
            .and_then(|(secret, pair)| record::seal_answer(&record, &secret, &pair, seq, &mut self.rng));
        self.put(job, item, now);
    }

    /// Whether a pasted link says that nothing of ours gets in there.
    pub(super) fn is_shut_out(&self, id: ContactId) -> bool {
        self.redemption(id)
            .is_some_and(|redeeming| redeeming.link.shut == Some(true))
    }

    pub(super) fn redemption(&self, id: ContactId) -> Option<&Redemption> {
        self.state.contact(id)?.redeeming.as_ref()
    }

    /// With many open invites each is looked after less often.
    pub(super) fn pause_for_invite(&self, id: InviteId, now: Now) -> Duration {
        let created = self.state.invite(id).and_then(|invite| invite.created);
        let age = created.map(|created| Duration::from_secs(now.wall.saturating_sub(created)));
        let open = self.state.invites.iter().filter(|invite| invite.is_open(now.wall));
        let share = open.count().div_ceil(bounds::INVITES_AT_PACE).max(1);
        let pause = invite_pause(age.unwrap_or(bounds::INVITE_MIDDLE));
        pause.saturating_mul(u32::try_from(share).unwrap_or(u32::MAX))
    }

    /// The inviter has answered where he is. Whether or not that is news, he has heard of us and knocks.
    pub(super) fn hear_inviter(&mut self, id: ContactId, item: &Item, now: Now) -> bool {
        let redeeming = self.redemption(id);
        let record = redeeming.and_then(|redeeming| {
            let record = record::open_answer(item, &redeeming.link.secret, &redeeming.pair_key()?)?;
            (record.device == redeeming.link.device).then_some(record)
        });
        let Some(record) = record else { return false };
        self.note_nat(id, record.nat.unwrap_or_default());
        self.learn_places(id, &record.candidates);
        self.finder.answered.insert(id);
        if let Some(peer) = self.peers.get_mut(&record.device) {
            peer.birthday = None;
        }
        self.knock_where_found(&record.device, now);
        true
    }

    /// Somebody who holds an invite says where he is: he becomes a guest, as if he had knocked.
    pub(super) fn hear_invitee(&mut self, id: InviteId, item: &Item, now: Now) -> bool {
        let Some(invite) = self.state.invite(id).filter(|invite| invite.is_open(now.wall)) else {
            return false;
        };
        if item.place != Word::Invitee.place(&invite.keys.secret) {
            return false;
        }
        record::open_word(&item.value, &invite.keys).is_some_and(|word| self.meet_invitee(id, &word, now))
    }

    /// The same for a word that came by hand.
    pub(in crate::node) fn meet_invitee(&mut self, id: InviteId, word: &record::InviteeWord, now: Now) -> bool {
        let device = word.record.device;
        let usable = self.own.usable(&word.record.candidates);
        let guest = Guest {
            invite: id,
            key: word.pair.clone(),
            until: now.boot + knocks::GUEST_LIFE,
            places: usable.into_iter().map(Place::own).collect(),
            nat: word.record.nat.unwrap_or_default(),
        };
        if device == self.device {
            return false;
        }
        let known = self.peers.get_mut(&device).and_then(|peer| peer.guest.as_mut());
        if let Some(known) = known.filter(|known| known.invite == id && known.key == guest.key) {
            let is_news = guest.places.iter().any(|place| !known.places.contains(place));
            known.until = guest.until;
            if !is_news {
                return true;
            }
        }
        // Whoever merely read the link may speak here as well: not at every place at once.
        let rests = |(_, at): &(Secret, Duration)| now.boot < *at + bounds::DHT_AGAIN;
        if self.finder.words.get(&id).is_some_and(rests) || !self.welcome(device, guest) {
            return false;
        }
        self.finder.words.insert(id, (word.pair.clone(), now.boot));
        self.finder.is_stale = true;
        let answer = Job::AnswerInvitee(id);
        self.paced(answer, |pace| {
            pace.hurry(Duration::ZERO, bounds::ANSWER_PAUSE, now.boot)
        });
        self.knock_where_found(&device, now);
        true
    }
}

const fn promise_at(age_s: u64) -> WhyNot {
    match age_s {
        0..bounds::PROMISE_SECONDS_S => WhyNot::InviterInSeconds,
        bounds::PROMISE_SECONDS_S..bounds::PROMISE_MINUTE_S => WhyNot::InviterInAMinute,
        bounds::PROMISE_MINUTE_S..bounds::PROMISE_MINUTES_S => WhyNot::InviterInMinutes,
        bounds::PROMISE_MINUTES_S.. => WhyNot::WaitingForInviter,
    }
}
