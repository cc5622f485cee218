//! One's own network: when to ask how it looks from outside, and what is told to whom because of it.
//!
//! It is asked at the start, when the interfaces change, after waking, when the user wants it, when a contact sees us where nobody
//! else does, and rarely otherwise, on the common tick. The shell finds the STUN servers' addresses, names nodes of the DHT where
//! that may be used, and speaks with the router; the questions themselves go out through the one socket, for it is that socket's
//! mapping that matters. Servers and nodes are asked side by side. How long silence may last is tried elsewhere: [`super::lifetime`].
//!
//! Invariants: a socket bound to loopback asks nobody anything; what is told to contacts are the candidates of the newest report,
//! and a change of them is told at once to whoever is linked; nothing here keeps a timer while no round is under way.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Node, commands};
use crate::bounds;
use crate::command::Reply;
use crate::event::{Event, FromOutside, NetworkView};
use crate::ids::{CommandId, ContactId, DeviceKey};
use crate::io::Output;
use crate::reach::candidates::{Candidate, OwnAddresses};
use crate::reach::nat_report::{self, Evidence, NatKind, PortMapping, Report, Source};
use crate::reach::pings::Pings;
use crate::reach::stun::{self, Message};
use crate::reach::survey::{Contacted, Survey};
use crate::reach::via::{Place, Via};
use crate::time::Now;

/// What is known of one's own network.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) evidence: Evidence,
    contacted: Contacted,
    round: Option<Round>,
    /// When the last round was over.
    checked: Option<Duration>,
    /// Rounds in a row in which nobody answered.
    unanswered: u32,
    /// Something has changed since the round began that it may not have seen.
    again: bool,
    report: Report,
    /// Who waits for the round to be over.
    waiting: Vec<CommandId>,
    /// How long silence may last.
    pub(super) lifetime: super::lifetime::Measuring,
}

/// A round of questions, to both kinds of observers.
#[derive(Debug)]
struct Round {
    stun: Part<Survey>,
    nodes: Part<Pings>,
}

/// One kind of observers in a round.
#[derive(Debug)]
enum Part<T> {
    /// The shell looks for their addresses.
    Naming { until: Duration },
    /// They are asked.
    Asking(Box<T>),
    /// Nobody is asked any more, or nobody at all.
    Over,
}

impl<T> Part<T> {
    fn naming(now: Now) -> Self {
        Self::Naming {
            until: now.boot + bounds::STUN_NAMES_PATIENCE,
        }
    }

    const fn is_naming(&self) -> bool {
        matches!(self, Self::Naming { .. })
    }

    const fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// Names that come too late are not waited for.
    fn give_up(&mut self, now: Now) {
        if let Self::Naming { until } = self
            && now.boot >= *until
        {
            *self = Self::Over;
        }
    }

    fn next_timeout(&self, asking: impl Fn(&T) -> Option<Duration>) -> Option<Duration> {
        match self {
            Self::Naming { until } => Some(*until),
            Self::Asking(round) => asking(round),
            Self::Over => None,
        }
    }
}

impl Network {
    /// What this device looks like from outside.
    pub(super) const fn report(&self) -> &Report {
        &self.report
    }

    /// Where this device may be reached, best first.
    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.report.candidates
    }

    /// The same as bare addresses.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.candidates().iter().map(|candidate| candidate.at).collect()
    }

    /// Whether a round is under way.
    pub(super) const fn is_checking(&self) -> bool {
        self.round.is_some()
    }

    /// Whether all who were asked where they see us were silent: it may be that no UDP gets anywhere.
    pub(super) fn is_silent(&self) -> bool {
        let mut asked = self.report.answers.iter();
        let stun = |answer: &nat_report::Answer| matches!(answer.source, Source::Stun(_));
        self.unanswered > 0 && asked.any(stun)
    }

    /// When a round has something to do.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        let round = self.round.as_ref()?;
        let stun = round.stun.next_timeout(Survey::next_timeout);
        let nodes = round.nodes.next_timeout(|pings| Some(pings.next_timeout()));
        stun.into_iter().chain(nodes).min()
    }
}

impl Node {
    /// The interfaces are others. What was said about addresses that are gone is forgotten.
    pub(super) fn network_changed(&mut self, before: &OwnAddresses, now: Now) {
        let of_family = |own: &OwnAddresses, ipv4: bool| -> Vec<_> {
            let mut of_family = own.interfaces.clone();
            of_family.retain(|interface| interface.ip.is_ipv4() == ipv4);
            of_family
        };
        for ipv4 in [true, false] {
            if of_family(before, ipv4) != of_family(&self.own, ipv4) {
                self.network.evidence.moved(ipv4);
                self.network.contacted.clear();
                // Addresses of IPv6 come and go in one and the same network.
                if ipv4 || of_family(&self.own, true).is_empty() {
                    self.forget_lifetime();
                }
            }
        }
        self.network.round = None;
        self.network.unanswered = 0;
        self.judge_network(now);
        self.check_network(true, now);
    }

    /// Begins a round; where one is under way, that one will do, or with doubts another after it. A router that maps a port is
    /// asked again only where there is a reason to doubt that it still does.
    pub(super) fn check_network(&mut self, doubts: bool, now: Now) {
        if self.network.is_checking() {
            self.network.again |= doubts;
            if doubts {
                self.push(Output::AskPortMapper);
            }
            return;
        }
        if self.own.loopback_only {
            return self.end_check(now);
        }
        self.network.round = Some(Round {
            stun: Part::naming(now),
            nodes: Part::Over,
        });
        self.push(Output::FindStunServers);
        self.ask_dht_nodes(now);
        if doubts || self.network.evidence.mapping.external.is_none() {
            self.push(Output::AskPortMapper);
        }
        self.event(Event::Network);
    }

    /// A link has fallen silent. Where no other shows that our own network is up, that may be why.
    pub(super) fn doubt_network(&mut self, now: Now) {
        let is_fresh = |link: &super::Link| {
            let proof = link.keepalive.last_proof();
            proof.is_some_and(|proof| now.boot < proof + bounds::NETWORK_UP_PROOF)
        };
        if !self.links.values().any(is_fresh) && self.network_rested(now) {
            self.check_network(true, now);
        }
    }

    /// Whether the last round is long enough ago for another without a pressing reason.
    fn network_rested(&self, now: Now) -> bool {
        let rested = |last: Duration| now.boot >= last + bounds::NETWORK_DOUBT_PAUSE;
        self.network.checked.is_some_and(rested)
    }

    /// The user wants to know now. One who asks again at once gets what there is.
    pub(super) fn check_network_for(&mut self, command: CommandId, now: Now) -> commands::Outcome {
        let last = self.network.checked;
        if !self.network.is_checking() && last.is_some_and(|last| now.boot < last + bounds::NETWORK_CHECK_PAUSE) {
            self.measure_lifetime(now);
            return commands::Outcome::Reply(Reply::Done);
        }
        self.network.waiting.push(command);
        if !self.network.is_checking() {
            self.check_network(true, now);
        }
        commands::Outcome::Later
    }

    /// Nodes of the DHT are asked in the round that is under way, where there is a DHT.
    pub(super) fn ask_dht_nodes(&mut self, now: Now) {
        if !self.uses_dht() {
            return;
        }
        if let Some(round) = self.network.round.as_mut().filter(|round| round.nodes.is_over()) {
            round.nodes = Part::naming(now);
            self.push(Output::FindDhtNodes);
        }
    }

    /// The shell has found the servers.
    pub(super) fn handle_stun_servers(&mut self, servers: &[SocketAddr], now: Now) {
        let usable = self.observers(servers);
        let Some(round) = self.network.round.as_mut().filter(|round| round.stun.is_naming()) else {
            return;
        };
        let survey = Survey::begin(&usable, &mut self.rng, now.boot);
        round.stun = Part::Asking(Box::new(survey));
        self.watch_network(now);
    }

    /// The shell has named nodes of the DHT. Where they may be comes from others: it is as good as a peer's list.
    pub(super) fn handle_dht_nodes(&mut self, nodes: &[SocketAddr], now: Now) {
        let mut usable = self.observers(nodes);
        usable.retain(|node| self.own.may_send_to(node) && !self.own.is_own(node));
        usable.truncate(bounds::DHT_NODES_KNOWN);
        let Some(round) = self.network.round.as_mut().filter(|round| round.nodes.is_naming()) else {
            return;
        };
        let pings = Pings::begin(&usable, &mut self.rng, now.boot);
        round.nodes = Part::Asking(Box::new(pings));
        self.watch_network(now);
    }

    /// Those that an address of ours may reach.
    fn observers(&self, named: &[SocketAddr]) -> Vec<SocketAddr> {
        let has = |ipv4: bool| self.own.interfaces.iter().any(|own| own.ip.is_ipv4() == ipv4);
        let usable = named.iter().copied();
        usable
            .filter(|at| OwnAddresses::may_call(at) && has(at.is_ipv4()))
            .collect()
    }

    /// A packet of the class STUN. What answers nothing that was asked vanishes.
    pub(super) fn handle_stun(&mut self, from: Place, bytes: &[u8], now: Now) {
        let Some(message) = stun::parse(bytes) else { return };
        match from.via {
            Via::Own => self.handle_survey(from.at, &message, now),
            Via::Spare(number) => self.handle_silent(number, from.at, &message, now),
            Via::Relay(_) | Via::Turn => {}
        }
    }

    fn handle_survey(&mut self, from: SocketAddr, message: &Message, now: Now) {
        let Some(Round {
            stun: Part::Asking(survey),
            ..
        }) = &mut self.network.round
        else {
            return;
        };
        if survey.handle(from, message) {
            let findings = survey.findings().clone();
            self.network.evidence.take(&findings, false, now.boot);
            self.judge_network(now);
            self.watch_network(now);
        }
    }

    /// A packet of the DHT's protocol. What answers nothing that was asked vanishes.
    pub(super) fn handle_krpc(&mut self, from: SocketAddr, bytes: &[u8], now: Now) {
        let Some(Round {
            nodes: Part::Asking(pings),
            ..
        }) = &mut self.network.round
        else {
            return;
        };
        if pings.handle(from, bytes) {
            self.network.evidence.take_nodes(pings.seen(), now.boot);
            self.judge_network(now);
            self.watch_network(now);
        }
    }

    /// What the router says.
    pub(super) fn handle_mapping(&mut self, mapping: PortMapping, now: Now) {
        let before = std::mem::replace(&mut self.network.evidence.mapping, mapping);
        if before == mapping {
            return;
        }
        self.judge_network(now);
        // A mapped port may be the one that everybody sees from now on.
        if mapping.external.is_some() && mapping.external != before.external {
            self.network.again |= self.network.is_checking();
            self.check_network(false, now);
        }
    }

    /// A contact says where it sees us, in a reply that has proven the path.
    pub(super) fn observed_by(&mut self, contact: ContactId, seen: Option<SocketAddr>, now: Now) {
        if let Some(seen) = seen {
            self.observe(Source::Contact(contact), seen, now);
        }
    }

    fn observe(&mut self, source: Source, seen: SocketAddr, now: Now) {
        if self.own.loopback_only || !crate::reach::candidates::may_be_outer(&seen.ip(), &self.own) {
            return;
        }
        let kind = self.network.report.kind();
        let is_news = self.network.evidence.is_news(&seen, kind) && !self.own.is_own(&seen);
        self.network.evidence.note(source, seen, now.boot);
        self.judge_network(now);
        if is_news && self.network_rested(now) {
            self.check_network(true, now);
        }
    }

    /// A contact that is gone has no say.
    pub(super) fn forget_observer(&mut self, contact: ContactId, now: Now) {
        self.network.evidence.forget(contact);
        self.judge_network(now);
    }

    /// How clients see all that.
    pub(super) fn network_view(&self) -> NetworkView {
        NetworkView {
            checking: self.network.is_checking(),
            checked: self.network.checked,
            measures_lifetime: self.network.lifetime.is_measuring(),
            from_outside: self.reach_from_outside(),
            report: self.network.report.clone(),
        }
    }

    /// Whether the own address can be reached from outside: somebody has, or the report says so.
    pub(super) fn reach_from_outside(&self) -> FromOutside {
        match self.door.from_outside(self.own.loopback_only) {
            FromOutside::Unknown => self.network.report.from_outside,
            shown @ (FromOutside::Yes | FromOutside::No) => shown,
        }
    }

    /// Sends what is due in a round, and ends it.
    pub(super) fn watch_network(&mut self, now: Now) {
        let own = &self.own;
        let Some(round) = &mut self.network.round else { return };
        round.stun.give_up(now);
        round.nodes.give_up(now);
        let mut sends = Vec::new();
        if let Part::Asking(survey) = &mut round.stun {
            let may_send_to = |to: &SocketAddr| own.may_send_to(to) && !own.is_own(to);
            sends.extend(survey.poll(may_send_to, &mut self.network.contacted, &mut self.rng, now.boot));
            if survey.is_over() {
                self.network.evidence.take(survey.findings(), true, now.boot);
                round.stun = Part::Over;
            }
        }
        if let Part::Asking(pings) = &mut round.nodes {
            sends.extend(pings.poll(&mut self.network.contacted, now.boot));
            if pings.is_over(now.boot) {
                self.network.evidence.take_nodes(pings.seen(), now.boot);
                round.nodes = Part::Over;
            }
        }
        let is_over = round.stun.is_over() && round.nodes.is_over();
        for (to, bytes) in sends {
            self.push(Output::Transmit {
                to,
                via: Via::Own,
                ttl: None,
                bytes,
            });
        }
        if is_over {
            self.end_check(now);
        }
    }

    fn end_check(&mut self, now: Now) {
        self.network.round = None;
        self.network.checked = Some(now.boot);
        let is_answered = self.network.evidence.is_answered();
        if is_answered && self.network.unanswered > 0 {
            self.network_is_back(now);
        }
        self.network.unanswered = if is_answered {
            0
        } else {
            self.network.unanswered.saturating_add(1)
        };
        self.judge_network(now);
        self.event(Event::Network);
        if std::mem::take(&mut self.network.again) {
            return self.check_network(false, now);
        }
        let waiting = std::mem::take(&mut self.network.waiting);
        if !waiting.is_empty() {
            self.measure_lifetime(now);
        }
        for id in waiting {
            self.push(Output::Reply { id, reply: Reply::Done });
        }
    }

    /// On the common tick: rarely, a look whether everything is as it was; sooner, where nobody answered.
    pub(super) fn tick_network(&mut self, now: Now) {
        self.network.evidence.forget_old(now.boot);
        let pause = match self.network.unanswered {
            0 => bounds::NETWORK_CHECK_EVERY,
            rounds => bounds::NETWORK_DOUBT_PAUSE
                .saturating_mul(1 << (rounds - 1).min(16))
                .min(bounds::NETWORK_CHECK_EVERY),
        };
        if !self.own.loopback_only && self.network.checked.is_some_and(|last| now.boot >= last + pause) {
            self.check_network(false, now);
        }
        self.tick_lifetime(now);
    }

    /// Something came in on a path after a silence: for so long the NAT has kept it open, if we did not speak first.
    pub(super) fn note_lifetime(&mut self, silence: Duration, now: Now) {
        if self.network.evidence.note_lifetime(silence) {
            self.judge_network(now);
        }
    }

    /// Draws the conclusions anew, and tells whoever has to know.
    pub(super) fn judge_network(&mut self, now: Now) {
        let report = nat_report::judge(&self.network.evidence, &self.own);
        let before = std::mem::replace(&mut self.network.report, report);
        let report = &self.network.report;
        let told_differs = before.candidates != report.candidates || before.kind() != report.kind();
        let door_differs = told_differs || before.from_outside != report.from_outside;
        if before.timeless() != report.clone().timeless() {
            self.event(Event::Network);
        }
        if door_differs && self.door.open_until().is_some() {
            self.event(Event::Door);
        }
        if told_differs {
            self.finder.is_stale = true;
            self.announce(now);
        }
    }

    /// Tells everybody who is linked where we are.
    fn announce(&mut self, now: Now) {
        let linked: Vec<ContactId> = self
            .peers
            .values()
            .filter(|peer| peer.link.is_some() && !self.is_held_back(&peer.device))
            .filter_map(|peer| peer.contact)
            .collect();
        for contact in linked {
            if self.state.contact(contact).is_some_and(|contact| !contact.relay_only) {
                self.tell_addresses(contact, now);
            }
        }
    }

    /// What a contact is told of the NAT that we are behind: nothing, where we hide from it.
    pub(super) fn nat_for(&self, device: &DeviceKey) -> NatKind {
        if self.is_hidden_from(device) {
            return NatKind::Unknown;
        }
        self.network.report().kind()
    }

    /// What kind of NAT a contact said it is behind. Who does not know yet, having just started, takes nothing back.
    pub(super) fn note_nat(&mut self, contact: ContactId, nat: NatKind) {
        let known = self.state.contact_mut(contact);
        if let Some(known) = known.filter(|known| known.nat != nat && nat != NatKind::Unknown) {
            known.nat = nat;
            self.unstored = true;
            self.event(Event::Contact(contact));
        }
    }
}
