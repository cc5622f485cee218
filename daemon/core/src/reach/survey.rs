//! One round of questions to STUN servers: from where does the world see our socket, and what does the NAT let in?
//!
//! Three stages, each of which ends when everything is answered or its patience is over:
//! 1. every server is asked where it sees us;
//! 2. one that has a second address (RFC 5780) is asked to answer from there, which shows what the NAT lets in; and we ask
//!    ourselves at our own outer address, which shows whether it hairpins;
//! 3. the second address itself is asked where it sees us, which shows on what the mapping depends; at its other port only if
//!    that is another place, to tell what exactly it depends on.
//!
//! Filtering comes before mapping, because whatever we send to the second address opens the NAT for it. A server whose
//! second address heard from us a while ago is not asked for stage 2 at all: see [`Contacted`]. Its other port comes last, since a
//! router that does not drop what nobody asked for has taken stage 2's answer from there for its own: a packet of ours to that
//! place would get another port, and with netfilter all that follow to others, too.
//!
//! Invariant: a response counts only if its transaction is outstanding and it comes from the one address that was to answer.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::bounds;
use crate::reach::stun::{Change, Message, Request, Response, Transaction};
use crate::rng::Rng;

/// One round.
#[derive(Debug)]
pub struct Survey {
    began: Duration,
    stage: Stage,
    until: Duration,
    asked: BTreeMap<Transaction, Asked>,
    /// The servers whose second address is used, one of each family: IPv4 first.
    subjects: [Option<Subject>; 2],
    findings: Findings,
}

/// What a round has found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Where each server saw us, `None` where it did not answer.
    pub seen: BTreeMap<SocketAddr, Option<SocketAddr>>,
    /// Whether a packet to our own outer address came back; `None` where that was not tried.
    pub hairpin: Option<bool>,
    /// What the NAT or firewall does with IPv4.
    pub ipv4: Behaviour,
    /// The same of IPv6.
    pub ipv6: Behaviour,
}

/// What a server with a second address has shown of whatever stands between, for one family of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// The server, where one of this family has a second address.
    pub server: Option<SocketAddr>,
    /// Where its first address saw us, once something more was asked of it.
    pub subject: Option<SocketAddr>,
    /// Whether a packet came in from an address and port never contacted; `None` where that was not tried.
    pub from_other_ip: Option<bool>,
    /// Whether a packet came in from a contacted address, but another port; `None` where that was not tried.
    pub from_other_port: Option<bool>,
    /// Where the second address saw us: at the same port as the first, and at another one.
    pub other_ip: Option<SocketAddr>,
    /// See [`Self::other_ip`].
    pub other_both: Option<SocketAddr>,
}

impl Behaviour {
    /// Whether the second address was seen to have another view of us than the first.
    fn depends(&self) -> bool {
        self.other_ip.is_some() && self.other_ip != self.subject
    }
}

impl Findings {
    /// What was found of one family.
    #[must_use]
    pub const fn of(&self, ipv4: bool) -> &Behaviour {
        if ipv4 { &self.ipv4 } else { &self.ipv6 }
    }

    const fn of_mut(&mut self, ipv4: bool) -> &mut Behaviour {
        if ipv4 { &mut self.ipv4 } else { &mut self.ipv6 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Servers,
    Filtering,
    Mapping,
    Dependence,
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Subject {
    server: SocketAddr,
    other: SocketAddr,
    mapped: SocketAddr,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Basic,
    FromOtherIp,
    FromOtherPort,
    Hairpin,
    AtOtherIp,
    AtOtherBoth,
}

/// A question that may still be answered.
#[derive(Debug)]
struct Asked {
    test: Test,
    to: SocketAddr,
    /// Who is to answer.
    from: SocketAddr,
    change: Change,
    at: Duration,
    sent: usize,
}

impl Asked {
    fn due(&self) -> Option<Duration> {
        bounds::STUN_SENDS.get(self.sent).map(|offset| self.at + *offset)
    }
}

/// Which addresses have heard from this socket, and so may get through to it for a while.
#[derive(Debug, Default)]
pub struct Contacted(BTreeMap<SocketAddr, Duration>);

impl Contacted {
    pub(super) fn note(&mut self, to: SocketAddr, now: Duration) {
        self.0.retain(|_, at| now < *at + bounds::NAT_MEMORY);
        self.0.insert(to, now);
    }

    /// Another network knows nothing of all that.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the NAT cannot hold anything open for a server's second address: neither address nor port of it has been
    /// written to, and its first address not at the other port.
    fn is_untouched(&self, server: &SocketAddr, other: &SocketAddr, now: Duration) -> bool {
        let recent = |at: &Duration| now < *at + bounds::NAT_MEMORY;
        let touched = |to: &SocketAddr| to.ip() == other.ip() || *to == SocketAddr::new(server.ip(), other.port());
        !self.0.iter().any(|(to, at)| recent(at) && touched(to))
    }
}

impl Survey {
    /// Begins a round with these servers; the first [`bounds::STUN_SERVERS`] of them are asked.
    #[must_use]
    pub fn begin(servers: &[SocketAddr], rng: &mut Rng, now: Duration) -> Self {
        let mut survey = Self {
            began: now,
            stage: Stage::Servers,
            until: now + bounds::STUN_PATIENCE,
            asked: BTreeMap::new(),
            subjects: [None, None],
            findings: Findings::default(),
        };
        for server in servers.iter().take(bounds::STUN_SERVERS) {
            if survey.findings.seen.insert(*server, None).is_none() {
                survey.ask(Test::Basic, *server, *server, Change::default(), rng, now);
            }
        }
        survey
    }

    /// What has been found so far.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether there is nothing left to ask.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// When [`Self::poll`] has something to do next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        if self.is_over() {
            return None;
        }
        if self.is_answered() {
            return Some(self.began);
        }
        let sends = self.asked.values().filter_map(Asked::due);
        Some(sends.fold(self.until, Duration::min))
    }

    /// What is to be sent now. `may_send_to` says whether a second address that a server named may be used.
    pub fn poll(
        &mut self,
        may_send_to: impl Fn(&SocketAddr) -> bool,
        contacted: &mut Contacted,
        rng: &mut Rng,
        now: Duration,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        while !self.is_over() && (now >= self.until || self.is_answered()) {
            self.next_stage(&may_send_to, contacted, rng, now);
        }
        let mut sends = Vec::new();
        for (tx, asked) in &mut self.asked {
            if asked.due().is_some_and(|due| now >= due) {
                asked.sent += 1;
                contacted.note(asked.to, now);
                let request = Request {
                    tx: *tx,
                    change: asked.change,
                    answer_to: None,
                };
                sends.push((asked.to, request.to_bytes()));
            }
        }
        sends
    }

    /// Takes a message in. True where it answered something.
    pub fn handle(&mut self, from: SocketAddr, message: &Message) -> bool {
        match message {
            Message::Request(request) => self.take(&request.tx, |test| test == Test::Hairpin, |_| true).is_some(),
            Message::Response(response) => {
                let comes_from = |asked: &Asked| asked.from == from || asked.to == from;
                let answered = self.take(&response.tx, |test| test != Test::Hairpin, comes_from);
                match &answered {
                    Some(asked) if asked.from == from => self.note_response(asked, response),
                    Some(asked) => self.note_unable(asked),
                    None => {}
                }
                answered.is_some()
            }
            Message::Failure(tx) => {
                let refused = self.take(tx, |test| test != Test::Hairpin, |asked| asked.to == from);
                if let Some(asked) = &refused {
                    self.note_unable(asked);
                }
                refused.is_some()
            }
        }
    }

    /// A server that does not do what RFC 5780 asks of it has shown nothing about the NAT.
    const fn note_unable(&mut self, asked: &Asked) {
        let behaviour = self.findings.of_mut(asked.to.is_ipv4());
        match asked.test {
            Test::FromOtherIp => behaviour.from_other_ip = None,
            Test::FromOtherPort => behaviour.from_other_port = None,
            Test::Basic | Test::Hairpin | Test::AtOtherIp | Test::AtOtherBoth => {}
        }
    }

    fn take(
        &mut self,
        tx: &Transaction,
        fits: impl Fn(Test) -> bool,
        comes_from: impl Fn(&Asked) -> bool,
    ) -> Option<Asked> {
        let is_it = |asked: &&Asked| fits(asked.test) && comes_from(asked) && asked.sent > 0;
        self.asked.get(tx).filter(is_it)?;
        let asked = self.asked.remove(tx)?;
        if asked.test == Test::Hairpin {
            self.findings.hairpin = Some(true);
        }
        Some(asked)
    }

    fn note_response(&mut self, asked: &Asked, response: &Response) {
        let behaviour = self.findings.of_mut(asked.to.is_ipv4());
        match asked.test {
            Test::Basic => {
                let other = response.other.filter(|other| is_second_address(&asked.to, other));
                let [ipv4, ipv6] = &mut self.subjects;
                let subject = if asked.to.is_ipv4() { ipv4 } else { ipv6 };
                if let (Some(other), None) = (other, &subject) {
                    behaviour.server = Some(asked.to);
                    *subject = Some(Subject {
                        server: asked.to,
                        other,
                        mapped: response.mapped,
                    });
                }
                self.findings.seen.insert(asked.to, Some(response.mapped));
            }
            Test::FromOtherIp => behaviour.from_other_ip = Some(true),
            Test::FromOtherPort => behaviour.from_other_port = Some(true),
            Test::AtOtherIp => behaviour.other_ip = Some(response.mapped),
            Test::AtOtherBoth => behaviour.other_both = Some(response.mapped),
            Test::Hairpin => {}
        }
    }

    fn is_answered(&self) -> bool {
        self.asked.is_empty()
    }

    fn next_stage(
        &mut self,
        may_send_to: &impl Fn(&SocketAddr) -> bool,
        contacted: &Contacted,
        rng: &mut Rng,
        now: Duration,
    ) {
        self.asked.clear();
        self.until = now + bounds::STUN_TEST_PATIENCE;
        self.stage = match self.stage {
            Stage::Servers => Stage::Filtering,
            Stage::Filtering => Stage::Mapping,
            Stage::Mapping if self.depends() => Stage::Dependence,
            Stage::Mapping | Stage::Dependence | Stage::Over => Stage::Over,
        };
        match self.stage {
            Stage::Filtering => self.ask_oneself(may_send_to, rng, now),
            Stage::Servers | Stage::Mapping | Stage::Dependence | Stage::Over => {}
        }
        let usable = |subject: &Subject| may_send_to(&subject.other);
        for subject in self.subjects.into_iter().flatten().filter(usable) {
            match self.stage {
                Stage::Filtering => {
                    if contacted.is_untouched(&subject.server, &subject.other, now) {
                        self.ask_for_other(subject, rng, now);
                    }
                }
                Stage::Mapping => self.ask_other(subject, rng, now),
                Stage::Dependence => {
                    let (to, ipv4) = (subject.other, subject.server.is_ipv4());
                    if self.findings.of(ipv4).depends() {
                        self.ask(Test::AtOtherBoth, to, to, Change::default(), rng, now);
                    }
                }
                Stage::Servers | Stage::Over => {}
            }
        }
    }

    /// At the outer address that the first server saw, of IPv4: IPv6 is not translated as a rule.
    fn ask_oneself(&mut self, may_send_to: &impl Fn(&SocketAddr) -> bool, rng: &mut Rng, now: Duration) {
        let seen = self.findings.seen.values().flatten();
        let outer = seen.copied().find(|seen| seen.is_ipv4() && may_send_to(seen));
        if let Some(outer) = outer {
            self.findings.hairpin = Some(false);
            self.ask(Test::Hairpin, outer, outer, Change::default(), rng, now);
        }
    }

    fn ask_for_other(&mut self, subject: Subject, rng: &mut Rng, now: Duration) {
        let Subject { server, other, mapped } = subject;
        let behaviour = self.findings.of_mut(server.is_ipv4());
        behaviour.subject = Some(mapped);
        behaviour.from_other_ip = Some(false);
        behaviour.from_other_port = Some(false);
        let both = Change { ip: true, port: true };
        self.ask(Test::FromOtherIp, server, other, both, rng, now);
        let port = Change { ip: false, port: true };
        let near = SocketAddr::new(server.ip(), other.port());
        self.ask(Test::FromOtherPort, server, near, port, rng, now);
    }

    /// Where a server's second address is asked, at the port of the first.
    fn ask_other(&mut self, subject: Subject, rng: &mut Rng, now: Duration) {
        self.findings.of_mut(subject.server.is_ipv4()).subject = Some(subject.mapped);
        let at_ip = SocketAddr::new(subject.other.ip(), subject.server.port());
        self.ask(Test::AtOtherIp, at_ip, at_ip, Change::default(), rng, now);
    }

    /// Whether a second address was seen to have another view of us than the first.
    fn depends(&self) -> bool {
        [&self.findings.ipv4, &self.findings.ipv6]
            .into_iter()
            .any(Behaviour::depends)
    }

    fn ask(&mut self, test: Test, to: SocketAddr, from: SocketAddr, change: Change, rng: &mut Rng, now: Duration) {
        let asked = Asked {
            test,
            to,
            from,
            change,
            at: now,
            sent: 0,
        };
        self.asked.insert(rng.bytes(), asked);
    }
}

/// Both the IP address and the port must be others, of the same family, or nothing is learnt from them.
fn is_second_address(server: &SocketAddr, other: &SocketAddr) -> bool {
    let same_family = matches!(
        (server.ip(), other.ip()),
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_))
    );
    same_family && server.ip() != other.ip() && server.port() != other.port()
}

#[cfg(test)]
mod tests;
