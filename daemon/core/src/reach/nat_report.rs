//! What this device looks like from outside, in the words of RFC 4787, and where it can be reached because of that.
//!
//! [`Evidence`] is what others said, each with its source; [`judge`] makes a [`Report`] of it, purely. Everything is
//! three-valued: what nobody has shown is *unknown*, never guessed. Where sources disagree, all of them stay listed, and the
//! report says that they do.
//!
//! A source has one vote, and keeps the last thing it said. A contact may lie: its word alone is heard only where no two others
//! agree on something else, and it counts for the mapping only where fewer than two STUN servers have answered. Nodes of the DHT may
//! lie as contacts may, and nobody chose them: see [`sound`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::bounds;
use crate::event::FromOutside;
use crate::ids::ContactId;
use crate::reach::candidates::{self, Candidate, Learnt, OwnAddresses};
use crate::reach::lifetime::Lifetime;
use crate::reach::survey::{Behaviour, Findings};

/// Yes, no, or nobody has shown it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Nothing shows it, either way.
    #[default]
    Unknown,
}

impl From<bool> for Known {
    fn from(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Known {
    fn from(is: Option<bool>) -> Self {
        is.map_or(Self::Unknown, Self::from)
    }
}

/// Which destinations see the same outer address of one socket (RFC 4787, section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mapping {
    /// All.
    EndpointIndependent,
    /// All ports of one IP address.
    AddressDependent,
    /// Each only one for itself.
    AddressAndPortDependent,
    /// Not all; which do is not known.
    Dependent,
    /// Fewer than two have said what they see.
    #[default]
    Unknown,
}

/// Who may send to a mapped address (RFC 4787, section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filtering {
    /// Everybody.
    EndpointIndependent,
    /// Whoever has an IP address that was sent to.
    AddressDependent,
    /// Whoever has an IP address and port that was sent to.
    AddressAndPortDependent,
    /// No server could show it.
    #[default]
    Unknown,
}

impl Filtering {
    /// Whether strangers are known to be kept out.
    #[must_use]
    pub const fn is_shut(self) -> bool {
        match self {
            Self::AddressDependent | Self::AddressAndPortDependent => true,
            Self::EndpointIndependent | Self::Unknown => false,
        }
    }
}

/// What matters to somebody who wants to reach a device behind a NAT. Told to contacts: 0 easy, 1 hard, whatever else unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NatKind {
    /// The outer address is the same for everybody, or there is no NAT.
    Easy,
    /// Each destination sees another one.
    Hard,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl NatKind {
    /// `None` where nobody knows.
    #[must_use]
    pub const fn known(self) -> Option<Self> {
        match self {
            Self::Easy | Self::Hard => Some(self),
            Self::Unknown => None,
        }
    }
}

impl<C> Encode<C> for NatKind {
    fn encode<W: Write>(&self, out: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        out.u8(match self {
            Self::Easy => 0,
            Self::Hard => 1,
            Self::Unknown => 2,
        })?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for NatKind {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Ok(match decoder.u64()? {
            0 => Self::Easy,
            1 => Self::Hard,
            _ => Self::Unknown,
        })
    }
}

/// Who says where we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A STUN server.
    Stun(SocketAddr),
    /// A node of the DHT, in answer to a ping from our very socket (BEP 42).
    Dht(IpAddr),
    /// A contact, in its reply to our knock.
    Contact(ContactId),
}

/// What one source said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub source: Source,
    /// Where it saw us; `None` where it did not answer.
    pub seen: Option<SocketAddr>,
    /// When, on the boot clock.
    pub at: Duration,
}

/// What the router says that maps ports for us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortMapping {
    /// Whether the user wants it.
    pub enabled: bool,
    /// Whether a router answered by UPnP IGD.
    pub upnp: Known,
    /// Whether a router answered by NAT-PMP.
    pub nat_pmp: Known,
    /// Whether a router answered by PCP.
    pub pcp: Known,
    /// The outer address that leads to our socket.
    pub external: Option<SocketAddr>,
}

/// Everything that was said.
#[derive(Debug, Default)]
pub struct Evidence {
    answers: BTreeMap<Source, Answer>,
    findings: Findings,
    /// The longest silence after which something came in, and what was measured.
    lifetime: Lifetime,
    /// The port mapper.
    pub mapping: PortMapping,
}

/// What follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether the outer address is another one than ours.
    pub translated: Known,
    /// On what the outer address depends.
    pub mapping: Mapping,
    /// Who is let in.
    pub filtering: Filtering,
    /// Whether a packet to our own outer address comes back.
    pub hairpin: Known,
    /// Whether the outer port is the inner one.
    pub port_preservation: Known,
    /// For how long a silent mapping stays, or a firewall's memory of it.
    pub lifetime: Lifetime,
    /// Whether IPv6 works.
    pub ipv6: Known,
    /// Who is let in over IPv6.
    pub ipv6_filtering: Filtering,
    /// Whether there is another NAT behind the first: a second router, or the carrier's.
    pub double_nat: Known,
    /// Whether the address can be reached from outside.
    pub from_outside: FromOutside,
    /// Whether sources say things that cannot all be true, or that a NAT with endpoint-independent mapping would not do.
    pub disagreement: bool,
    /// The port mapper.
    pub port_mapping: PortMapping,
    /// What each source said.
    pub answers: Vec<Answer>,
    /// Where this device may be reached, best first.
    pub candidates: Vec<Candidate>,
}

impl Report {
    /// What contacts need to know of the NAT. A mapped port makes the hardest one easy.
    #[must_use]
    pub const fn kind(&self) -> NatKind {
        match (self.port_mapping.external.is_some(), self.double_nat) {
            (true, Known::No) => NatKind::Easy,
            (_, Known::Yes | Known::No | Known::Unknown) => self.unmapped_kind(),
        }
    }

    /// The same of what is not mapped.
    const fn unmapped_kind(&self) -> NatKind {
        match (self.translated, self.mapping) {
            (Known::No, _) | (_, Mapping::EndpointIndependent) => NatKind::Easy,
            (_, Mapping::AddressDependent | Mapping::AddressAndPortDependent | Mapping::Dependent) => NatKind::Hard,
            (_, Mapping::Unknown) => NatKind::Unknown,
        }
    }

    /// Whether there is something between us and the world that has to remember who may answer.
    #[must_use]
    pub fn forgets(&self) -> bool {
        self.translated == Known::Yes || self.filtering.is_shut()
    }

    /// Whether packets that nobody asked for are known not to get in at the outer addresses.
    #[must_use]
    pub const fn is_shut(&self) -> bool {
        self.filtering.is_shut() && self.port_mapping.external.is_none()
    }

    /// The same, whenever it was said.
    #[must_use]
    pub fn timeless(mut self) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.at = Duration::ZERO);
        self
    }
}

impl Evidence {
    /// What nodes of the DHT have seen in a round, in place of what others saw in the one before.
    pub fn take_nodes(&mut self, seen: &BTreeMap<SocketAddr, SocketAddr>, now: Duration) {
        self.answers.retain(|source, _| !matches!(source, Source::Dht(_)));
        for (node, seen) in seen {
            self.note(Source::Dht(node.ip()), *seen, now);
        }
    }

    /// What a contact or a node of the DHT saw.
    pub fn note(&mut self, source: Source, seen: SocketAddr, now: Duration) {
        let seen = Some(SocketAddr::new(seen.ip().to_canonical(), seen.port()));
        self.answers.insert(source, Answer { source, seen, at: now });
        let mut contacts: Vec<(Duration, Source)> = self
            .answers
            .values()
            .filter(|answer| !matches!(answer.source, Source::Stun(_)))
            .map(|answer| (answer.at, answer.source))
            .collect();
        contacts.sort_unstable();
        let surplus = contacts.len().saturating_sub(bounds::OBSERVERS);
        for (_, source) in contacts.into_iter().take(surplus) {
            self.answers.remove(&source);
        }
    }

    /// Takes over what a round has found up to now; it replaces what an earlier one had found. What it did not try stands.
    pub fn take(&mut self, found: &Findings, is_over: bool, now: Duration) {
        if found.seen.values().all(Option::is_none) && !is_over {
            return;
        }
        self.answers
            .retain(|source, _| !matches!(source, Source::Stun(server) if !found.seen.contains_key(server)));
        for (server, seen) in &found.seen {
            let source = Source::Stun(*server);
            let is_new = self.answers.get(&source).is_none_or(|answer| answer.seen != *seen);
            if seen.is_some() || is_over {
                let at = if is_new {
                    now
                } else {
                    self.answers.get(&source).map_or(now, |answer| answer.at)
                };
                self.answers.insert(
                    source,
                    Answer {
                        source,
                        seen: *seen,
                        at,
                    },
                );
            } else {
                self.answers.remove(&source);
            }
        }
        if is_over {
            let before = std::mem::take(&mut self.findings);
            let kept = |found: &Behaviour, before: &Behaviour| Behaviour {
                from_other_ip: found.from_other_ip.or(before.from_other_ip),
                from_other_port: found.from_other_port.or(before.from_other_port),
                ..*found
            };
            self.findings = Findings {
                ipv4: kept(&found.ipv4, &before.ipv4),
                ipv6: kept(&found.ipv6, &before.ipv6),
                ..found.clone()
            };
        }
    }

    /// The addresses of one family are others: whatever was said about those before is about another place.
    pub fn moved(&mut self, ipv4: bool) {
        self.answers
            .retain(|_, answer| answer.seen.is_some_and(|seen| seen.is_ipv4() != ipv4));
        self.findings.hairpin = None;
        if ipv4 {
            self.mapping.external = None;
            self.findings.ipv4 = Behaviour::default();
        } else {
            self.findings.ipv6 = Behaviour::default();
        }
    }

    /// Another router is another lifetime.
    pub fn forget_lifetime(&mut self) {
        self.lifetime = Lifetime::default();
    }

    /// Something came in after a silence of this length. True where that is longer than any before; seconds are exact enough.
    pub fn note_lifetime(&mut self, silence: Duration) -> bool {
        let silence = Duration::from_secs(silence.as_secs());
        silence >= bounds::LIFETIME_LEAST && self.lifetime.stretch(silence)
    }

    /// What a measurement has shown.
    pub const fn measured(&mut self, lifetime: Lifetime) {
        self.lifetime = lifetime;
    }

    /// A server to measure the lifetime with over IPv4, not one of `unable`: one with a second address, since that knows RFC 5780, or
    /// else any that has answered.
    #[must_use]
    pub fn lifetime_server(&self, unable: &BTreeSet<SocketAddr>) -> Option<SocketAddr> {
        let answered = self.answers.values().filter(|answer| answer.seen.is_some());
        let others = answered.filter_map(|answer| match answer.source {
            Source::Stun(server) => Some(server),
            Source::Dht(_) | Source::Contact(_) => None,
        });
        let mut servers = self.findings.ipv4.server.into_iter().chain(others);
        servers.find(|server| server.is_ipv4() && !unable.contains(server))
    }

    /// Whether anybody has answered in the last round.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        let was_asked = |source: &Source| matches!(source, Source::Stun(_) | Source::Dht(_));
        self.answers
            .values()
            .any(|answer| was_asked(&answer.source) && answer.seen.is_some())
    }

    /// What contacts said long ago is forgotten.
    pub fn forget_old(&mut self, now: Duration) {
        self.answers.retain(|source, answer| match source {
            Source::Stun(_) => true,
            Source::Dht(_) | Source::Contact(_) => now < answer.at + bounds::OBSERVED_KEPT,
        });
    }

    /// A contact that is gone has no vote.
    pub fn forget(&mut self, contact: ContactId) {
        self.answers.remove(&Source::Contact(contact));
    }

    /// Whether somebody's word is news: another outer IP address than any that is known, or another port of a NAT that keeps
    /// its ports.
    #[must_use]
    pub fn is_news(&self, seen: &SocketAddr, kind: NatKind) -> bool {
        let seen_before = self.answers.values().filter_map(|answer| answer.seen);
        let mut known = seen_before.chain(self.mapping.external);
        match kind {
            NatKind::Hard => !known.any(|known| known.ip() == seen.ip()),
            NatKind::Easy | NatKind::Unknown => !known.any(|known| known == *seen),
        }
    }

    /// What was seen of one family of addresses, by source.
    fn votes(&self, own: &OwnAddresses, ipv4: bool) -> Vec<(Source, SocketAddr, Duration)> {
        let seen = self
            .answers
            .values()
            .filter_map(|answer| Some((answer.source, answer.seen?, answer.at)));
        seen.filter(|(_, seen, _)| seen.is_ipv4() == ipv4 && candidates::may_be_outer(&seen.ip(), own))
            // A contact that came in by the mapped port sees it, and that says nothing about the rest of the NAT.
            .filter(|(source, seen, _)| !matches!(source, Source::Contact(_)) || Some(*seen) != self.mapping.external)
            .collect()
    }
}

/// What the evidence shows.
#[must_use]
pub fn judge(evidence: &Evidence, own: &OwnAddresses) -> Report {
    let answers: Vec<Answer> = evidence.answers.values().copied().collect();
    if own.loopback_only {
        return Report {
            from_outside: FromOutside::No,
            port_mapping: evidence.mapping,
            candidates: candidates::own_candidates(own, &Learnt::default()),
            answers,
            ..Report::default()
        };
    }
    let ipv4 = evidence.votes(own, true);
    let ipv6 = evidence.votes(own, false);
    // IPv6 is looked at where there is no IPv4.
    let main = if ipv4.is_empty() { &ipv6 } else { &ipv4 };
    let behaviour = evidence.findings.of(!ipv4.is_empty());
    let (mapping, disagreement) = mapping(main, behaviour);
    let sound = sound(main);
    let translated = translated(&sound, own);
    let mut report = Report {
        translated,
        mapping,
        disagreement,
        filtering: filtering(behaviour),
        hairpin: hairpin(&evidence.findings, translated),
        port_preservation: port_preservation(&sound, own),
        lifetime: Lifetime::default(),
        ipv6: ipv6_works(&answers, own),
        ipv6_filtering: filtering(&evidence.findings.ipv6),
        double_nat: double_nat(&ipv4, evidence.mapping.external),
        from_outside: FromOutside::Unknown,
        port_mapping: evidence.mapping,
        answers,
        candidates: Vec::new(),
    };
    report.from_outside = from_outside(&report);
    if report.forgets() {
        report.lifetime = evidence.lifetime;
    }
    let is_hard = report.unmapped_kind() == NatKind::Hard;
    let mut reflexive = reflexive(&self::sound(&ipv4), is_hard);
    reflexive.extend(self::reflexive(&self::sound(&ipv6), false));
    let learnt = Learnt {
        mapped: evidence.mapping.external,
        mapped_is_outermost: report.double_nat != Known::Yes,
        reflexive,
    };
    report.candidates = candidates::own_candidates(own, &learnt);
    report
}

type Vote = (Source, SocketAddr, Duration);

/// What is seen, and by how many.
fn tally(votes: &[Vote]) -> BTreeMap<SocketAddr, usize> {
    let mut tally = BTreeMap::new();
    for (_, seen, _) in votes {
        *tally.entry(*seen).or_default() += 1;
    }
    tally
}

const fn is_stun(vote: &Vote) -> bool {
    matches!(vote.0, Source::Stun(_))
}

/// Those votes that may make an address which others are told of. Nodes of the DHT are strangers whom nobody chose, and whoever is
/// told of an address knocks there: they are heard where no STUN server has answered, and two sources name the same IP address.
fn sound(votes: &[Vote]) -> Vec<Vote> {
    let by_stun = votes.iter().any(is_stun);
    let is_sound = |vote: &&Vote| match vote.0 {
        Source::Stun(_) | Source::Contact(_) => true,
        Source::Dht(_) => {
            let same = votes.iter().filter(|other| other.1.ip() == vote.1.ip());
            !by_stun && same.count() >= 2
        }
    };
    votes.iter().filter(is_sound).copied().collect()
}

/// The mapping, and whether sources disagree.
fn mapping(votes: &[Vote], behaviour: &Behaviour) -> (Mapping, bool) {
    let disagreement = tally(votes).len() > 1;
    let Some(votes) = one_a_place(votes) else {
        return (Mapping::AddressAndPortDependent, disagreement);
    };
    let finer = finer_mapping(behaviour);
    let stun: Vec<Vote> = votes.iter().copied().filter(is_stun).collect();
    let coarse = if stun.len() >= 2 {
        dependence(&tally(&stun))
    } else if finer != Mapping::Unknown {
        Mapping::Unknown
    } else {
        among_all(&votes)
    };
    let judged = match (coarse, finer) {
        (Mapping::Unknown, finer) => finer,
        (_, Mapping::AddressDependent | Mapping::AddressAndPortDependent | Mapping::Dependent) => finer,
        // One server sees the same from both its addresses, and others see something else.
        (coarse, Mapping::EndpointIndependent | Mapping::Unknown) => coarse,
    };
    (judged, disagreement)
}

/// The ports of one STUN server's address have one vote, for a NAT may look at the address alone; `None` where they disagree,
/// which it does not.
fn one_a_place(votes: &[Vote]) -> Option<Vec<Vote>> {
    let mut places: BTreeMap<IpAddr, SocketAddr> = BTreeMap::new();
    let mut kept = Vec::new();
    for vote in votes {
        let Source::Stun(server) = vote.0 else {
            kept.push(*vote);
            continue;
        };
        match places.insert(server.ip(), vote.1) {
            None => kept.push(*vote),
            Some(before) if before == vote.1 => {}
            Some(_) => return None,
        }
    }
    Some(kept)
}

fn dependence(tally: &BTreeMap<SocketAddr, usize>) -> Mapping {
    if tally.len() == 1 {
        Mapping::EndpointIndependent
    } else {
        Mapping::Dependent
    }
}

/// Where contacts have to help: those who spoke at about the same time. One alone who contradicts two others is not heard.
fn among_all(votes: &[Vote]) -> Mapping {
    let newest = votes.iter().map(|vote| vote.2).max().unwrap_or_default();
    let together: Vec<Vote> = votes
        .iter()
        .copied()
        .filter(|vote| is_stun(vote) || newest < vote.2 + bounds::OBSERVED_TOGETHER)
        .collect();
    let tally = tally(&together);
    let alone_against = |seen: &SocketAddr| {
        let by_stun = together.iter().any(|vote| vote.1 == *seen && is_stun(vote));
        tally.get(seen) == Some(&1) && !by_stun
    };
    let has_agreement = tally.values().any(|count| *count >= 2);
    let heard: BTreeMap<SocketAddr, usize> = tally
        .iter()
        .filter(|(seen, _)| !(has_agreement && alone_against(seen)))
        .map(|(seen, count)| (*seen, *count))
        .collect();
    if heard.values().sum::<usize>() < 2 {
        Mapping::Unknown
    } else {
        dependence(&heard)
    }
}

/// RFC 5780, section 4.3.
fn finer_mapping(behaviour: &Behaviour) -> Mapping {
    let (Some(first), Some(at_ip)) = (behaviour.subject, behaviour.other_ip) else {
        return Mapping::Unknown;
    };
    match behaviour.other_both {
        _ if first == at_ip => Mapping::EndpointIndependent,
        Some(both) if both == at_ip => Mapping::AddressDependent,
        Some(_) => Mapping::AddressAndPortDependent,
        None => Mapping::Dependent,
    }
}

const fn filtering(behaviour: &Behaviour) -> Filtering {
    match (behaviour.from_other_ip, behaviour.from_other_port) {
        (Some(true), _) => Filtering::EndpointIndependent,
        (Some(false), Some(true)) => Filtering::AddressDependent,
        (Some(false), Some(false)) => Filtering::AddressAndPortDependent,
        (Some(false), None) | (None, _) => Filtering::Unknown,
    }
}

fn translated(votes: &[Vote], own: &OwnAddresses) -> Known {
    if votes.is_empty() {
        return Known::Unknown;
    }
    Known::from(!votes.iter().all(|(_, seen, _)| own.is_own(seen)))
}

fn hairpin(findings: &Findings, translated: Known) -> Known {
    match translated {
        // That nothing came back shows nothing: a NAT that turns packets of two devices round may be unable to do so for two
        // ends that are one and the same, as netfilter is, whose table cannot hold such a connection.
        Known::Yes if findings.hairpin == Some(true) => Known::Yes,
        // Without NAT there is nothing to turn round at.
        Known::Yes | Known::No | Known::Unknown => Known::Unknown,
    }
}

fn port_preservation(votes: &[Vote], own: &OwnAddresses) -> Known {
    if votes.is_empty() {
        return Known::Unknown;
    }
    Known::from(votes.iter().all(|(_, seen, _)| seen.port() == own.port))
}

fn ipv6_works(answers: &[Answer], own: &OwnAddresses) -> Known {
    let has_address = own.interfaces.iter().any(|own| own.ip.is_ipv6());
    let sees = |ipv6: bool| {
        answers
            .iter()
            .any(|answer| answer.seen.is_some_and(|seen| seen.is_ipv6() == ipv6))
    };
    let asked = answers
        .iter()
        .any(|answer| matches!(answer.source, Source::Stun(server) if server.is_ipv6()) && answer.seen.is_none());
    match () {
        () if sees(true) => Known::Yes,
        () if !has_address || (asked && sees(false)) => Known::No,
        () => Known::Unknown,
    }
}

/// A router that maps to an address which is not the one that the world sees has another NAT before it.
fn double_nat(ipv4: &[Vote], external: Option<SocketAddr>) -> Known {
    let Some(external) = external.map(|external| external.ip()) else {
        return Known::Unknown;
    };
    if candidates::is_private(&external) {
        return Known::Yes;
    }
    let stun: Vec<IpAddr> = ipv4
        .iter()
        .filter(|vote| is_stun(vote))
        .map(|vote| vote.1.ip())
        .collect();
    if stun.is_empty() {
        return Known::Unknown;
    }
    Known::from(!stun.contains(&external))
}

/// Whether somebody who was never written to gets through.
fn from_outside(report: &Report) -> FromOutside {
    let is_mapped = report.port_mapping.external.is_some() && report.double_nat == Known::No;
    let is_open = report.filtering == Filtering::EndpointIndependent && report.kind() == NatKind::Easy;
    if is_mapped || is_open {
        return FromOutside::Yes;
    }
    let is_shut = report.filtering.is_shut() || report.kind() == NatKind::Hard;
    // A mapping that may or may not be the outermost one leaves it open, and so does IPv6 where it is not known to be shut.
    let may_be_mapped = report.port_mapping.external.is_some() && report.double_nat == Known::Unknown;
    let may_use_ipv6 = report.ipv6 == Known::Yes && !report.ipv6_filtering.is_shut();
    if is_shut && !may_be_mapped && !may_use_ipv6 {
        FromOutside::No
    } else {
        FromOutside::Unknown
    }
}

/// The outer addresses worth telling. Of a hard NAT one for each IP address, since the port is another for everybody.
fn reflexive(votes: &[Vote], is_hard: bool) -> Vec<SocketAddr> {
    let tally = tally(votes);
    let has_agreement = tally.values().any(|count| *count >= 2);
    let by_stun = |seen: &SocketAddr| votes.iter().any(|vote| vote.1 == *seen && is_stun(vote));
    let newest = |seen: &SocketAddr| votes.iter().filter(|vote| vote.1 == *seen).map(|vote| vote.2).max();
    let mut ranked: Vec<SocketAddr> = tally.keys().copied().collect();
    ranked.retain(|seen| !has_agreement || by_stun(seen) || tally.get(seen).is_some_and(|count| *count >= 2));
    ranked.sort_by_key(|seen| {
        let votes = tally.get(seen).copied().unwrap_or_default();
        std::cmp::Reverse((votes.min(2), by_stun(seen), newest(seen), *seen))
    });
    if is_hard {
        let mut places = BTreeSet::new();
        ranked.retain(|seen| places.insert(seen.ip()));
    }
    ranked
}

#[cfg(test)]
mod tests;
