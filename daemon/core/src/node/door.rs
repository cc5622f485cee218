//! The door, and the calls through one: strangers who ring here, and our own calls to an address.
//!
//! A *visit* is one such call with its connection. It has nothing in common with contacts: another table, a throw-away TLS
//! key on both sides, a few messages ([`super::visit`]). To the call machine a stranger is a [`ContactId`] of its own,
//! drawn at random and in no list.
//!
//! Invariants: nobody is let in while the door is closed or somebody else has not been answered; nothing says who we are
//! before both people accepted; a visit has one connection, and its call ends with it.

use std::net::SocketAddr;
use std::time::Duration;

use super::commands::{Outcome, Result};
use super::{Node, visit};
use crate::bounds::{self, close_code};
use crate::call::outgoing::{NewCall, Placed};
use crate::call::{EndReason, PathFacts, Phase};
use crate::command::{Media, Refusal, Reply};
use crate::crypto::Secret;
use crate::event::{CallView, DoorView, Event, PathKind, PathView, WhyNot};
use crate::ids::{CallId, ContactId, DialId, LinkId, VisitorId};
use crate::io::{LinkUp, Output};
use crate::reach::candidates::OwnAddresses;
use crate::reach::keepalive::Keepalive;
use crate::session::Session;
use crate::time::Now;

/// One call through a door, here or there.
#[derive(Debug)]
pub(super) struct Visit {
    /// Stands for the stranger in the call machine.
    pub(super) id: ContactId,
    /// Where he is.
    pub(super) address: SocketAddr,
    /// The call, from the moment when it rings or is placed.
    pub(super) call: Option<CallId>,
    pub(super) way: Way,
    pub(super) talk: visit::Talk,
}

/// How far a visit's connection is.
#[derive(Debug)]
pub(super) enum Way {
    /// Let in at our door; the handshake goes on.
    Entering { visitor: VisitorId, until: Duration },
    /// We ring at somebody's door.
    Dialing(DialId),
    /// Connected.
    Open(Box<Line>),
    /// The connection is gone, or never came.
    Closed,
}

/// A visit's connection.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) link: LinkId,
    pub(super) dialed: bool,
    pub(super) exporter: [u8; 32],
    pub(super) session: Session,
    keepalive: Keepalive,
    rtt: Duration,
    /// When it is closed if nobody has rung on it.
    ring_by: Duration,
    /// When it is closed, once it is of no more use: what was said last gets a moment to arrive.
    close_at: Option<Duration>,
}

impl Visit {
    pub(super) fn line(&self) -> Option<&Line> {
        match &self.way {
            Way::Open(line) => Some(line),
            Way::Entering { .. } | Way::Dialing(_) | Way::Closed => None,
        }
    }

    pub(super) fn line_mut(&mut self) -> Option<&mut Line> {
        match &mut self.way {
            Way::Open(line) => Some(line),
            Way::Entering { .. } | Way::Dialing(_) | Way::Closed => None,
        }
    }

    fn is_on(&self, link: LinkId) -> bool {
        self.line().is_some_and(|line| line.link == link)
    }
}

impl Node {
    /// Opens the door, or closes it.
    pub(super) fn set_door(&mut self, open: bool, for_s: u64, now: Now) -> Result {
        if !(bounds::DOOR_LIFE_LEAST_S..=bounds::DOOR_LIFE_MOST_S).contains(&for_s) {
            return Err(Refusal::OutOfBounds);
        }
        if !open {
            self.close_door();
            return Ok(Outcome::Reply(Reply::Done));
        }
        self.door.open(for_s, now);
        let seed = Secret(self.rng.bytes());
        self.push(Output::OpenDoor {
            seed,
            valid_for: Duration::from_secs(for_s),
        });
        self.event(Event::Door);
        Ok(Outcome::Reply(Reply::Done))
    }

    pub(super) fn close_door(&mut self) {
        if self.door.close() {
            self.push(Output::CloseDoor);
            self.event(Event::Door);
        }
    }

    /// How clients see the door.
    pub(super) fn door_view(&self) -> DoorView {
        DoorView {
            open_until: self.door.open_until(),
            addresses: self.network.addresses(),
            from_outside: self.reach_from_outside(),
        }
    }

    /// A stranger asks to be let in.
    pub(super) fn handle_visitor(&mut self, visitor: VisitorId, from: SocketAddr, now: Now) {
        let is_taken = self.visits.values().any(|visit| self.stands_in_the_door(visit));
        if is_taken || !self.door.may_enter(from.ip(), now.boot) {
            return self.push(Output::TurnAway { visitor });
        }
        let before = self.door_view();
        self.door.entered(from.ip(), self.own.is_outside(&from), now.boot);
        if self.door_view() != before {
            self.event(Event::Door);
        }
        let until = now.boot + bounds::DOOR_ENTRY;
        self.visit(from, None, Way::Entering { visitor, until });
        self.push(Output::LetIn { visitor });
    }

    /// Whether a visitor of ours has not been answered yet.
    fn stands_in_the_door(&self, visit: &Visit) -> bool {
        match (&visit.way, visit.call) {
            (Way::Entering { .. }, _) => true,
            (Way::Open(line), None) => !line.dialed,
            (Way::Open(line), Some(call)) => {
                let phase = self.calls.get(call).map(|call| call.phase);
                !line.dialed && matches!(phase, Some(Phase::Ringing { .. }))
            }
            (Way::Dialing(_) | Way::Closed, _) => false,
        }
    }

    fn visit(&mut self, address: SocketAddr, call: Option<CallId>, way: Way) -> ContactId {
        let id = ContactId(self.rng.bytes());
        let visit = Visit {
            id,
            address,
            call,
            way,
            talk: visit::Talk::default(),
        };
        self.visits.insert(id, visit);
        id
    }

    /// Calls whoever is at an address.
    pub(super) fn call_address(&mut self, to: SocketAddr, media: Media, now: Now) -> Result {
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        if !OwnAddresses::may_call(&to) {
            return Err(Refusal::BadAddress);
        }
        let call = CallId(self.rng.bytes());
        let dial = DialId(self.next_dial);
        self.next_dial += 1;
        let stranger = self.visit(to, Some(call), Way::Dialing(dial));
        let new = NewCall {
            id: call,
            contact: stranger,
            name: String::new(),
            media,
            base: self.next_base(true),
        };
        match self.calls.start(new, None, now.boot) {
            Placed::Started(call) => {
                let seed = Secret(self.rng.bytes());
                self.push(Output::DialDoor { dial, to, seed });
                Ok(Outcome::Reply(Reply::CallStarted(call)))
            }
            Placed::Answered(_) | Placed::Already(_) | Placed::Occupied => {
                self.visits.remove(&stranger);
                Err(Refusal::InCall)
            }
        }
    }

    /// Takes a connection that belongs to a visit. False where it does not.
    pub(super) fn visit_up(&mut self, up: &LinkUp, now: Now) -> bool {
        let number = u32::from_be_bytes(self.rng.bytes());
        let awaited = self.visits.values_mut().find(|visit| match &visit.way {
            Way::Entering { visitor, .. } => up.visitor == Some(*visitor),
            Way::Dialing(dial) => up.dial == Some(*dial),
            Way::Open(_) | Way::Closed => false,
        });
        let Some(visit) = awaited else {
            return false;
        };
        let dialed = up.dial.is_some();
        visit.way = Way::Open(Box::new(Line {
            link: up.link,
            dialed,
            exporter: up.exporter,
            session: Session::new([0; 16]),
            keepalive: Keepalive::new(dialed, number, now.boot),
            rtt: Duration::ZERO,
            ring_by: now.boot + bounds::DOOR_ENTRY,
            close_at: None,
        }));
        visit.address = if dialed { visit.address } else { up.remote };
        if dialed {
            let id = visit.id;
            self.calls.path_up(id, up.link, true, now.boot);
        }
        true
    }

    /// A dial of ours came to nothing; `turned_away` where somebody was there and said so. False for other dials.
    pub(super) fn visit_failed(&mut self, dial: DialId, turned_away: bool, now: Now) -> bool {
        let dialing = |visit: &&mut Visit| matches!(visit.way, Way::Dialing(own) if own == dial);
        let Some(visit) = self.visits.values_mut().find(dialing) else {
            return false;
        };
        visit.way = Way::Closed;
        let id = visit.id;
        let reason = if turned_away {
            EndReason::Busy
        } else {
            EndReason::Unreachable(WhyNot::NoAnswer)
        };
        self.calls.give_up(id, reason, now.boot);
        true
    }

    /// The visit that a connection belongs to.
    pub(super) fn visit_on(&self, link: LinkId) -> Option<ContactId> {
        let visit = self.visits.values().find(|visit| visit.is_on(link))?;
        Some(visit.id)
    }

    /// A visit's connection is gone.
    pub(super) fn visit_down(&mut self, id: ContactId, code: Option<u64>, now: Now) {
        let Some(visit) = self.visits.get_mut(&id) else { return };
        visit.way = Way::Closed;
        visit.talk.line_lost();
        if code == Some(u64::from(close_code::GOING)) {
            self.calls.went_away(id, now.boot);
        } else {
            self.calls.cut_off(id, now.boot);
        }
        self.visit_changed(id);
    }

    /// Closes a visit's connection, and with it what is left of its call.
    pub(super) fn close_visit(&mut self, id: ContactId, code: u32, now: Now) {
        let link = self.visits.get(&id).and_then(Visit::line).map(|line| line.link);
        let Some(link) = link else { return };
        self.push(Output::Close { link, code });
        self.visit_down(id, Some(u64::from(code)), now);
    }

    /// Clients should look at a visit's call again.
    pub(super) fn visit_changed(&mut self, id: ContactId) {
        let call = self.visits.get(&id).and_then(|visit| visit.call);
        self.out.extend(call.map(|call| Output::Event(Event::Call(call))));
    }

    pub(super) fn visit_alive(&mut self, id: ContactId, bytes: &[u8], now: Now) {
        let Some(line) = self.visits.get_mut(&id).and_then(Visit::line_mut) else {
            return;
        };
        let (link, was_proven) = (line.link, line.keepalive.last_proof().is_some());
        let answer = line.keepalive.receive(bytes, true, now.boot);
        let is_first = !was_proven && line.keepalive.last_proof().is_some();
        match answer {
            Ok(Some(bytes)) => self.push(Output::SendAlive { link, bytes }),
            Ok(None) => {}
            Err(_) => return self.close_visit(id, close_code::GARBAGE, now),
        }
        if is_first {
            self.visit_changed(id);
        }
    }

    pub(super) fn visit_rtt(&mut self, id: ContactId, rtt: Duration) {
        if let Some(line) = self.visits.get_mut(&id).and_then(Visit::line_mut) {
            line.rtt = rtt;
        }
    }

    /// The path to a stranger, once it is proven.
    pub(super) fn stranger_path(&self, visit: &Visit) -> Option<PathView> {
        let line = visit.line()?;
        let kind = if self.own.is_near(&visit.address) {
            PathKind::Lan
        } else {
            PathKind::Direct
        };
        Some(PathView {
            remote: visit.address,
            kind,
            via: None,
            rtt: line.rtt,
            last_proof: line.keepalive.last_proof()?,
        })
    }

    /// What the call machine may know of a visit's path.
    pub(super) fn visit_facts(&self, id: ContactId) -> Option<PathFacts> {
        let line = self.visits.get(&id)?.line();
        Some(PathFacts {
            link: line.map(|line| line.link),
            last_proof: line.and_then(|line| line.keepalive.last_sign()),
            why_not: WhyNot::NoAnswer,
        })
    }

    /// When something of the door or of a visit is due.
    pub(super) fn door_timeouts(&self) -> impl Iterator<Item = Duration> + '_ {
        let door = self.door.open_until().map(|until| until.boot);
        let visits = self.visits.values().filter_map(|visit| match &visit.way {
            Way::Entering { until, .. } => Some(*until),
            Way::Open(line) => {
                let alive = line.keepalive.next_timeout(self.calls.is_busy_with(visit.id));
                let ring = visit.call.is_none().then_some(line.ring_by);
                let due = [ring, visit.talk.next_timeout(), line.close_at].into_iter().flatten();
                Some(due.fold(alive, Duration::min))
            }
            Way::Dialing(_) | Way::Closed => None,
        });
        door.into_iter().chain(visits)
    }

    /// Does what time has made due.
    pub(super) fn watch_door(&mut self, now: Now) {
        if self.door.is_due(now.boot) {
            self.close_door();
        }
        let ids: Vec<ContactId> = self.visits.keys().copied().collect();
        for id in ids {
            self.watch_visit(id, now);
        }
    }

    fn watch_visit(&mut self, id: ContactId, now: Now) {
        let is_busy = self.calls.is_busy_with(id);
        let Some(visit) = self.visits.get_mut(&id) else { return };
        let has_rung = visit.call.is_some();
        match &mut visit.way {
            Way::Entering { until, .. } if now.boot >= *until => visit.way = Way::Closed,
            Way::Open(line) if line.close_at.is_some_and(|at| now.boot >= at) => {
                self.close_visit(id, close_code::GOING, now);
            }
            Way::Open(line) if !has_rung && now.boot >= line.ring_by => {
                self.close_visit(id, close_code::SILENT, now);
            }
            Way::Open(line) => {
                let (wish, link) = (line.keepalive.poll(true, is_busy, now.boot), line.link);
                self.out
                    .extend(wish.send.map(|bytes| Output::SendAlive { link, bytes }));
                if wish.close {
                    self.close_visit(id, close_code::SILENT, now);
                } else {
                    self.watch_words(id, now);
                }
            }
            Way::Entering { .. } | Way::Dialing(_) | Way::Closed => {}
        }
    }

    /// Whatever the input was: says what is to be said, hangs up where nothing is left to say, and forgets visits whose
    /// call nobody sees any more.
    pub(super) fn tend_visits(&mut self, now: Now) {
        let ids: Vec<ContactId> = self.visits.keys().copied().collect();
        for id in ids {
            self.introduce(id, now);
            let is_done = self.is_done(id);
            if let Some(line) = self.visits.get_mut(&id).and_then(Visit::line_mut) {
                let soon = now.boot + bounds::LAST_WORDS;
                line.close_at = is_done.then(|| line.close_at.unwrap_or(soon));
            }
        }
        let (visits, calls) = (&mut self.visits, &self.calls);
        visits.retain(|_, visit| {
            let is_listed = visit.call.is_some_and(|call| calls.get(call).is_some());
            is_listed || !matches!(visit.way, Way::Closed)
        });
    }

    /// Whether a visit's connection is of no more use: its call is over, and nobody can or wants to keep anybody.
    fn is_done(&self, id: ContactId) -> bool {
        let Some(visit) = self.visits.get(&id) else {
            return false;
        };
        let Some(call) = visit.call else { return false };
        let is_over = self.calls.get(call).is_none_or(|call| call.is_over());
        let is_unlisted = self.calls.get(call).is_none();
        is_over && (is_unlisted || !visit.talk.is_undecided())
    }

    pub(super) fn visit_of(&self, call: CallId) -> Option<&Visit> {
        self.visits.values().find(|visit| visit.call == Some(call))
    }

    /// A call as clients see it, with what is known of a stranger.
    pub(super) fn with_stranger(&self, mut call: CallView) -> CallView {
        let Some(visit) = self.visit_of(call.id) else {
            return call;
        };
        let known = visit.talk.contact().and_then(|id| self.state.contact(id));
        call.contact = known.map(|contact| contact.id);
        call.peer_name = known.map(|contact| contact.name.clone()).unwrap_or_default();
        call.stranger = Some(self.stranger_view(visit));
        call
    }

    /// The connections of all visits.
    pub(super) fn visit_links(&self) -> Vec<LinkId> {
        let lines = self.visits.values().filter_map(Visit::line);
        lines.map(|line| line.link).collect()
    }
}
