//! Safety words with contacts: who may ask when, and what the user's answer does.
//!
//! One run a link. A run that deviates or falls silent closes its link, so that the next one has another exporter; after
//! any run that did not end well this contact pauses, and a day has few runs. Either side may ask: the listener by
//! SAFETY_ASK, the dialer by its commitment. Words outlive their link for a while, since they vouch for the roots, but not
//! the far side's memory of them: one that has restarted would show others. The mark *verified* is set by the own user's
//! answer alone.

use std::collections::VecDeque;
use std::time::Duration;

use super::commands::{Outcome, Result};
use super::stored::Undo;
use super::{Node, Stage};
use crate::bounds::{self, close_code};
use crate::command::{Refusal, Reply};
use crate::crypto;
use crate::event::{Event, SafetyState, SafetyView};
use crate::identity::sas::{self, Exchange, Parties, Party, Progress, Words};
use crate::ids::{CommandId, ContactId, LinkId};
use crate::io::Output;
use crate::message::Message;
use crate::state::{Alarm, Contact};
use crate::time::Now;

/// What is remembered of the safety words of one contact.
#[derive(Debug, Default)]
pub(super) struct Safety {
    run: Option<Run>,
    shown: Option<Shown>,
    /// The link of the last run.
    ran_on: Option<LinkId>,
    /// When the runs of the last day began.
    begun: VecDeque<Duration>,
    pause_until: Option<Duration>,
    /// Clients that wait for the words.
    waiting: Vec<CommandId>,
}

#[derive(Debug)]
struct Run {
    link: LinkId,
    exchange: Exchange,
    until: Duration,
}

#[derive(Debug)]
struct Shown {
    words: Words,
    at: Duration,
    same: Option<bool>,
}

impl Safety {
    /// Whether both sides are working words out at this moment.
    pub(super) const fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Whether a run may begin.
    fn may_begin(&mut self, now: Duration) -> std::result::Result<(), Refusal> {
        self.begun.retain(|at| now < *at + bounds::SAFETY_DAY);
        if self.pause_until.is_some_and(|until| now < until) {
            Err(Refusal::SafetyPause)
        } else if self.begun.len() >= bounds::SAFETY_RUNS {
            Err(Refusal::SafetyLimit)
        } else {
            Ok(())
        }
    }

    fn begin(&mut self, link: LinkId, exchange: Exchange, now: Duration) {
        self.begun.push_back(now);
        self.ran_on = Some(link);
        self.shown = None;
        self.run = Some(Run {
            link,
            exchange,
            until: now + bounds::SAFETY_RUN,
        });
    }
}

impl Node {
    /// Words to compare: those that are there, or new ones.
    pub(super) fn verify(&mut self, command: CommandId, id: ContactId, now: Now) -> Result {
        let contact = self.state.contact(id).ok_or(Refusal::NotFound)?;
        if contact.blocked {
            return Err(Refusal::Blocked);
        }
        if !contact.accepted {
            return Err(Refusal::NotAccepted);
        }
        let link = self.link_to(id).map(|link| link.id);
        let safety = self.safety.entry(id).or_default();
        let is_same_link = link.is_some() && safety.ran_on == link;
        if safety
            .shown
            .as_ref()
            .is_some_and(|shown| is_same_link || shown.same != Some(false))
        {
            return Ok(Outcome::Reply(Reply::Contact(id)));
        }
        let link = link.ok_or(Refusal::Unreachable)?;
        if safety.run.is_none() {
            safety.may_begin(now.boot)?;
            self.begin_run(id, link, true, now);
        }
        let safety = self.safety.entry(id).or_default();
        if safety.run.is_none() {
            return Err(Refusal::SafetyFailed);
        }
        safety.waiting.push(command);
        Ok(Outcome::Later)
    }

    /// Begins a run; `asks` where it is our user who wants it.
    fn begin_run(&mut self, id: ContactId, link: LinkId, asks: bool, now: Now) {
        let Some((parties, dials)) = self.parties(link) else {
            return;
        };
        let nonce = self.rng.bytes();
        let (exchange, opening) = if dials {
            let (exchange, commitment) = Exchange::dial(parties, nonce);
            (exchange, Some(commitment))
        } else {
            (Exchange::listen(parties, nonce), asks.then_some(Message::SafetyAsk))
        };
        self.safety.entry(id).or_default().begin(link, exchange, now.boot);
        if let Some(opening) = opening {
            self.send_on(link, opening, now);
        }
        self.event(Event::Contact(id));
    }

    /// Both ends of a link, and whether ours is the dialer.
    fn parties(&self, link: LinkId) -> Option<(Parties, bool)> {
        let link = self.links.get(&link)?;
        let contact = self.peers.get(&link.peer)?.contact;
        let contact = contact.and_then(|id| self.state.contact(id))?;
        let far = Party {
            root: contact.root,
            device: link.peer,
            list: crypto::hash(&contact.list.as_ref()?.list),
        };
        let dials = self.dials(&link.peer);
        Some((self.parties_with(far, link.exporter, dials), dials))
    }

    /// Ourselves and somebody else, as they are bound into the words of one connection.
    pub(super) fn parties_with(&self, far: Party, exporter: [u8; 32], dials: bool) -> Parties {
        let own = Party {
            root: self.root,
            device: self.device,
            list: crypto::hash(&self.state.identity.list.list),
        };
        let (dialer, listener) = if dials { (own, far) } else { (far, own) };
        Parties {
            exporter,
            dialer,
            listener,
        }
    }

    /// Takes a message of an exchange.
    pub(super) fn handle_safety(&mut self, link: LinkId, id: ContactId, message: &Message, now: Now) {
        let known = self.links.get(&link).map(|link| (link.peer, link.stage));
        let Some((peer, Stage::Ready)) = known else { return };
        let dials = self.dials(&peer);
        let safety = self.safety.entry(id).or_default();
        match (safety.run.as_mut().filter(|run| run.link == link), message) {
            (Some(run), Message::SafetyLater) if run.exchange.is_untold() => {
                safety.ran_on = None;
                self.fail_run(id, Refusal::SafetyPause, now);
            }
            (Some(run), _) => match run.exchange.take(message) {
                Ok(progress) => self.go_on(id, link, progress, now),
                Err(_) => self.deviate(id, link, now),
            },
            (None, Message::SafetyLater) => {}
            (None, Message::SafetyAsk) if dials => self.asked_for_words(id, link, message, now),
            (None, Message::SafetyCommit(_)) if !dials => self.asked_for_words(id, link, message, now),
            (None, _) => self.deviate(id, link, now),
        }
    }

    /// The far side wants a run.
    fn asked_for_words(&mut self, id: ContactId, link: LinkId, message: &Message, now: Now) {
        let safety = self.safety.entry(id).or_default();
        if safety.ran_on == Some(link) {
            return self.deviate(id, link, now);
        }
        if safety.may_begin(now.boot).is_err() {
            return self.send_on(link, Message::SafetyLater, now);
        }
        self.begin_run(id, link, false, now);
        if let Message::SafetyCommit(_) = message {
            self.handle_safety(link, id, message, now);
        }
    }

    fn go_on(&mut self, id: ContactId, link: LinkId, progress: Progress, now: Now) {
        if let Some(message) = progress.send {
            self.send_on(link, message, now);
        }
        let (Some(words), Some(safety)) = (progress.words, self.safety.get_mut(&id)) else {
            return;
        };
        safety.run = None;
        safety.shown = Some(Shown {
            words,
            at: now.boot,
            same: None,
        });
        let waiting = std::mem::take(&mut safety.waiting);
        self.answer_waiting(waiting, &Reply::Contact(id));
        self.event(Event::Contact(id));
    }

    fn answer_waiting(&mut self, waiting: Vec<CommandId>, reply: &Reply) {
        self.out.extend(waiting.into_iter().map(|id| Output::Reply {
            id,
            reply: reply.clone(),
        }));
    }

    /// A far side that does not keep to the exchange may be somebody in the middle who tries his luck.
    fn deviate(&mut self, id: ContactId, link: LinkId, now: Now) {
        self.fail_run(id, Refusal::SafetyFailed, now);
        self.close(link, close_code::GARBAGE, now);
    }

    fn fail_run(&mut self, id: ContactId, why: Refusal, now: Now) {
        let Some(safety) = self.safety.get_mut(&id) else {
            return;
        };
        safety.run = None;
        safety.pause_until = Some(now.boot + bounds::SAFETY_PAUSE);
        let waiting = std::mem::take(&mut safety.waiting);
        self.answer_waiting(waiting, &Reply::Refused(why));
        self.event(Event::Contact(id));
    }

    /// The far side's Twocan is older than safety words.
    pub(super) fn safety_unsupported(&mut self, link: LinkId, id: ContactId, now: Now) {
        let run = self.safety.get(&id).and_then(|safety| safety.run.as_ref());
        if run.is_some_and(|run| run.link == link && run.exchange.is_untold()) {
            self.fail_run(id, Refusal::SafetyUnsupported, now);
        }
    }

    /// The own user has compared the words.
    pub(super) fn compared(&mut self, id: ContactId, same: bool, now: Now) -> Result {
        self.state.contact(id).ok_or(Refusal::NotFound)?;
        let shown = self.safety.get_mut(&id).and_then(|safety| safety.shown.as_mut());
        shown.ok_or(Refusal::WrongState)?.same = Some(same);
        let undo = self.mark(id, same).ok_or(Refusal::NotFound)?;
        if !same {
            self.calls.distrust(id, now.boot);
        }
        Ok(Outcome::Store(Reply::Contact(id), Some(Event::Contact(id)), undo))
    }

    /// Sets a contact's marks as the own user found the words, and says how to take that back.
    pub(super) fn mark(&mut self, id: ContactId, same: bool) -> Option<Undo> {
        let contact = self.state.contact_mut(id)?;
        let undo = Undo::RestoreMarks {
            contact: id,
            verified: contact.verified,
            alarm: contact.alarm,
        };
        contact.verified = same;
        contact.alarm = (!same).then_some(Alarm::WordsDiffer);
        Some(undo)
    }

    /// Ends runs whose link is not the contact's any more or that take too long, and forgets old words.
    pub(super) fn watch_safety(&mut self, now: Now) {
        let ids: Vec<ContactId> = self.safety.keys().copied().collect();
        for id in ids {
            self.watch_run(id, now);
            self.forget_words(id, now);
        }
    }

    fn watch_run(&mut self, id: ContactId, now: Now) {
        let run = self.safety.get(&id).and_then(|safety| safety.run.as_ref());
        let Some((link, until)) = run.map(|run| (run.link, run.until)) else {
            return;
        };
        if self.link_to(id).map(|link| link.id) != Some(link) {
            self.fail_run(id, Refusal::SafetyFailed, now);
        } else if now.boot >= until {
            self.fail_run(id, Refusal::SafetyFailed, now);
            self.close(link, close_code::SILENT, now);
        }
    }

    fn forget_words(&mut self, id: ContactId, now: Now) {
        let is_known = self.state.contact(id).is_some();
        let Some(safety) = self.safety.get_mut(&id) else {
            return;
        };
        let is_linked = safety.ran_on.is_some_and(|link| self.links.contains_key(&link));
        let is_old = safety
            .shown
            .as_ref()
            .is_some_and(|shown| now.boot >= shown.at + bounds::SAFETY_SHOWN);
        if !is_known {
            self.safety.remove(&id);
        } else if is_old && !is_linked {
            safety.shown = None;
            self.event(Event::Contact(id));
        }
    }

    /// The far side remembers nothing of before: it shows no words, or will show others.
    pub(super) fn forget_unanswered_words(&mut self, id: ContactId) {
        let Some(safety) = self.safety.get_mut(&id) else {
            return;
        };
        if safety.shown.take_if(|shown| shown.same.is_none()).is_some() {
            self.event(Event::Contact(id));
        }
    }

    /// When runs take too long.
    pub(super) fn safety_timeouts(&self) -> impl Iterator<Item = Duration> + '_ {
        let runs = self.safety.values().filter_map(|safety| safety.run.as_ref());
        runs.map(|run| run.until)
    }

    /// What clients see of it.
    pub(super) fn safety_view(&self, contact: &Contact) -> SafetyView {
        let safety = self.safety.get(&contact.id);
        let shown = safety.and_then(|safety| safety.shown.as_ref());
        let is_running = safety.is_some_and(|safety| safety.run.is_some());
        let state = match shown.map(|shown| shown.same) {
            _ if is_running => SafetyState::Running,
            None => SafetyState::None,
            // An answer counts once it is part of the state: a disk that failed takes it back.
            Some(Some(true)) if contact.verified => SafetyState::Same,
            Some(Some(false)) if contact.alarm == Some(Alarm::WordsDiffer) => SafetyState::Different,
            Some(_) => SafetyState::Compare,
        };
        SafetyView {
            state,
            words: shown.map(|shown| shown.words),
            number: sas::number(&self.root, &contact.root),
        }
    }
}
