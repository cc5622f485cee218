//! Core values become API values here and nowhere else, by exhaustive matches.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use twocan_api as api;
use twocan_core::bounds::GREY_AFTER;
use twocan_core::call::EndReason;
use twocan_core::call::end_reason::FailCode;
use twocan_core::command::{PasteKind, PasteView};
use twocan_core::event::{
    CallState, CallView, Carrier, ContactState, ContactView, DoorView, FromOutside, InviteView, MeView, NetworkView,
    Notice, PathKind, PathView, Reachable, SafetyState, SafetyView, StrangerView, WhyNot,
};
use twocan_core::ids::{ContactId, RootKey};
use twocan_core::reach::candidates::CandidateKind;
use twocan_core::reach::nat_report::{Answer, Filtering, Known, Mapping, NatKind, PortMapping, Source};
use twocan_core::reach::outlook::{self, Works};
use twocan_core::state::Alarm;
use twocan_core::time::UnixSeconds;

use super::hub::Published;
use super::problem::{Code, of_refusal};
use super::words;

/// Hexadecimal digits of a root key that make a person's id: 128 bits, more than anybody can aim at.
const PERSON_ID: usize = 32;

/// `GET /v1/status`; `None` while the daemon starts.
pub(super) fn status(published: &Published) -> Option<api::Status> {
    let me = me(published.snapshot.me.as_ref()?);
    let listeners = published.listeners?;
    let facts = &published.facts;
    Some(api::Status {
        version: facts.version.clone(),
        pid: facts.pid,
        udp: facts.udp.iter().map(SocketAddr::to_string).collect(),
        control: origin(listeners.control),
        page: origin(listeners.page),
        person: me.person,
        device: me.device,
        presence: me.presence,
        second_call: me.second_call,
        ring_sound: facts.ring_sound,
        key: facts.key.clone(),
        warnings: warnings(published),
    })
}

/// The standing warnings: the shell's, the one about clocks, of whoever is furthest from ours, and the relay server's.
pub(super) fn warnings(published: &Published) -> Vec<api::Why> {
    let shown = &published.snapshot;
    let furthest = shown.clocks.iter().max_by_key(|clock| clock.by_s);
    let clock = furthest.and_then(|clock| {
        let contact = shown.contacts.iter().find(|contact| contact.id == clock.contact)?;
        Some(words::clocks_apart(&contact.name, clock.by_s))
    });
    let server = shown.relay_server_fails.then(words::relay_server_fails);
    let standing = published.facts.warnings.iter().cloned();
    standing.chain(clock).chain(server).collect()
}

/// Everything, with ages as of `boot`.
pub(super) fn snapshot(published: &Published, boot: Duration) -> Option<api::Snapshot> {
    let shown = &published.snapshot;
    Some(api::Snapshot {
        status: status(published)?,
        contacts: shown.contacts.iter().map(|view| contact(view, boot)).collect(),
        calls: shown.calls.iter().map(|view| call(view, boot)).collect(),
        invites: shown.invites.iter().map(invite).collect(),
        door: door(&shown.door, boot),
    })
}

/// The origin of a listener.
pub(super) fn origin(bound: SocketAddr) -> String {
    format!("http://{bound}")
}

pub(super) fn me(me: &MeView) -> api::Me {
    api::Me {
        person: api::PersonRef {
            id: person_id(&me.root),
            name: me.name.clone(),
        },
        device: api::DeviceRef {
            id: me.device.to_hex(),
            name: me.device_name.clone(),
        },
        presence: if me.will_ring {
            api::Presence::Available
        } else {
            api::Presence::DoNotDisturb
        },
        second_call: if me.second_call_waits {
            api::SecondCall::Wait
        } else {
            api::SecondCall::Busy
        },
    }
}

/// Whether a second call rings, as a client set it.
pub(super) const fn waits(second_call: api::SecondCall) -> bool {
    match second_call {
        api::SecondCall::Busy => false,
        api::SecondCall::Wait => true,
    }
}

fn person_id(root: &RootKey) -> String {
    root.to_hex().chars().take(PERSON_ID).collect()
}

/// The presence that a client set.
pub(super) const fn will_ring(presence: api::Presence) -> bool {
    match presence {
        api::Presence::Available => true,
        api::Presence::DoNotDisturb => false,
    }
}

pub(super) fn contact(contact: &ContactView, boot: Duration) -> api::Contact {
    let (reachable, why) = match as_of(contact, boot) {
        Reachable::Yes => (api::Reachable::Yes, None),
        Reachable::Checking(why) => (api::Reachable::Checking, Some(why)),
        Reachable::No(why) => (api::Reachable::No, Some(why)),
    };
    api::Contact {
        id: contact.id.to_hex(),
        name: contact.name.clone(),
        state: contact_state(contact.state),
        verified: contact.verified,
        reachable,
        why: why.map(|why| words::why_not(why, &contact.name)),
        path: contact.path.as_ref().map(|view| path(view, boot)),
        devices: contact.devices.iter().map(device).collect(),
        safety: safety(&contact.safety),
        blocked: contact.blocked,
        quiet: contact.quiet,
        alarm: contact.alarm.map(|alarm| words::alarm(alarm, &contact.name)),
        relay: contact.relay,
        relay_only: contact.relay_only,
        one_click: contact.one_click,
        reply: contact.reply.clone(),
        introduces: contact.introduces,
    }
}

/// The dot as of `boot`. A picture that was drawn before the machine slept is looked at, for a moment, after it has woken:
/// what was green in it need not be.
pub(super) fn as_of(contact: &ContactView, boot: Duration) -> Reachable {
    let is_old = |path: &PathView| boot >= path.last_proof + GREY_AFTER;
    match contact.reachable {
        Reachable::Yes if contact.path.as_ref().is_some_and(is_old) => Reachable::Checking(WhyNot::Silent),
        shown @ (Reachable::Yes | Reachable::Checking(_) | Reachable::No(_)) => shown,
    }
}

/// What there is to compare with a contact.
pub(super) fn safety(safety: &SafetyView) -> api::Safety {
    let words = safety.words.map(|words| words.map(str::to_owned).to_vec());
    api::Safety {
        state: match safety.state {
            SafetyState::None => api::SafetyState::None,
            SafetyState::Running => api::SafetyState::Running,
            SafetyState::Compare => api::SafetyState::Compare,
            SafetyState::Same => api::SafetyState::Same,
            SafetyState::Different => api::SafetyState::Different,
        },
        words,
        number: safety.number.clone(),
    }
}

const fn contact_state(state: ContactState) -> api::ContactState {
    match state {
        ContactState::Pending => api::ContactState::Pending,
        ContactState::Accepted => api::ContactState::Accepted,
        ContactState::Contested => api::ContactState::Contested,
    }
}

/// The name of a contact's state, as problems carry it.
pub(super) const fn contact_state_name(state: ContactState) -> &'static str {
    match state {
        ContactState::Pending => "pending",
        ContactState::Accepted => "accepted",
        ContactState::Contested => "contested",
    }
}

/// The name of what a dot shows, as problems and counts carry it.
pub(super) const fn reachable_name(reachable: Reachable) -> &'static str {
    match reachable {
        Reachable::Yes => "yes",
        Reachable::Checking(_) => "checking",
        Reachable::No(_) => "no",
    }
}

fn device(device: &twocan_core::event::DeviceView) -> api::DeviceRef {
    api::DeviceRef {
        id: device.key.to_hex(),
        name: device.name.clone(),
    }
}

fn path(path: &PathView, boot: Duration) -> api::Path {
    let age = boot.saturating_sub(path.last_proof);
    api::Path {
        kind: path_kind(path.kind),
        via: via(path),
        carrier: carrier(path.kind),
        rtt_ms: milliseconds(path.rtt),
        last_proof_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
    }
}

/// What a path runs over.
pub(super) const fn path_kind(kind: PathKind) -> api::PathKind {
    match kind {
        PathKind::Lan => api::PathKind::Lan,
        PathKind::Direct => api::PathKind::Direct,
        PathKind::Relay(_) => api::PathKind::Relay,
    }
}

/// What carries a relayed path.
const fn carrier(kind: PathKind) -> Option<api::Carrier> {
    match kind {
        PathKind::Lan | PathKind::Direct => None,
        PathKind::Relay(Carrier::Contact(_)) => Some(api::Carrier::Contact),
        PathKind::Relay(Carrier::OwnServer) => Some(api::Carrier::OwnServer),
        PathKind::Relay(Carrier::TheirServer) => Some(api::Carrier::TheirServer),
    }
}

/// Its name.
fn via(path: &PathView) -> Option<String> {
    match path.kind {
        PathKind::Lan | PathKind::Direct => None,
        PathKind::Relay(Carrier::Contact(_)) => path.via.clone(),
        PathKind::Relay(Carrier::OwnServer) => Some("your server".to_owned()),
        PathKind::Relay(Carrier::TheirServer) => Some("their server".to_owned()),
    }
}

/// Seconds, a begun one counted as whole.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// Milliseconds, exact to the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)).as_secs_f64() * 1e3
}

pub(super) fn call(call: &CallView, boot: Duration) -> api::Call {
    api::Call {
        id: call.id.to_hex(),
        direction: if call.incoming {
            api::Direction::In
        } else {
            api::Direction::Out
        },
        state: call_state(call.state),
        contact: call.contact.map(|contact| contact.to_hex()),
        peer: api::Peer {
            name: call.peer_name.clone(),
            address: call.stranger.as_ref().map(|stranger| stranger.address.to_string()),
        },
        stranger: call.stranger.as_ref().map(|view| stranger(view, boot)),
        media: shown_media(call.media),
        own_media: shown_media(call.own_media),
        peer_media: shown_media(call.peer_media),
        peer_takes: call
            .peer_takes
            .map(|formats| formats.iter().map(words::format).collect()),
        picture_held: call.held.map(|why| words::picture_held(why, call)),
        reconnecting: call.reconnecting,
        missed: call.missed,
        reason: call.reason.map(reason),
    }
}

fn stranger(stranger: &StrangerView, boot: Duration) -> api::Stranger {
    api::Stranger {
        safety: safety(&stranger.safety),
        keep: stranger.keep,
        peer_keeps: stranger.peer_keeps,
        can_keep: stranger.can_keep,
        path: stranger.path.as_ref().map(|view| path(view, boot)),
    }
}

pub(super) fn door(door: &DoorView, boot: Duration) -> api::Door {
    let why = match door.from_outside {
        FromOutside::Yes => None,
        FromOutside::No if door.addresses.iter().any(|address| !address.ip().is_loopback()) => {
            Some(words::door_behind_nat())
        }
        FromOutside::No => Some(words::door_shut_off()),
        FromOutside::Unknown => Some(words::door_unknown()),
    };
    let until = door.open_until;
    api::Door {
        open: until.is_some(),
        closes_at: until.map(|until| time(until.wall)),
        closes_in_s: until.map(|until| whole_seconds(until.boot.saturating_sub(boot))),
        addresses: door.addresses.iter().map(SocketAddr::to_string).collect(),
        reachable: from_outside(door.from_outside),
        why,
    }
}

const fn from_outside(from_outside: FromOutside) -> api::FromOutside {
    match from_outside {
        FromOutside::Yes => api::FromOutside::Yes,
        FromOutside::No => api::FromOutside::No,
        FromOutside::Unknown => api::FromOutside::Unknown,
    }
}

/// One's own network, with ages as of `boot`.
pub(super) fn network(network: &NetworkView, boot: Duration) -> api::Network {
    let report = &network.report;
    let age = |at: Duration| boot.saturating_sub(at).as_secs();
    api::Network {
        checking: network.checking,
        checked_s_ago: network.checked.map(age),
        kind: nat_kind(report.kind()),
        summary: words::network(network),
        reachable: from_outside(network.from_outside),
        translated: known(report.translated),
        mapping: match report.mapping {
            Mapping::EndpointIndependent => api::NatMapping::EndpointIndependent,
            Mapping::AddressDependent => api::NatMapping::AddressDependent,
            Mapping::AddressAndPortDependent => api::NatMapping::AddressAndPortDependent,
            Mapping::Dependent => api::NatMapping::Dependent,
            Mapping::Unknown => api::NatMapping::Unknown,
        },
        filtering: filtering(report.filtering),
        hairpin: known(report.hairpin),
        port_preservation: known(report.port_preservation),
        lifetime_at_least_s: report.lifetime.at_least.map(|silence| silence.as_secs()),
        lifetime_at_most_s: report.lifetime.at_most.map(|silence| silence.as_secs()),
        measuring_lifetime: network.measures_lifetime,
        ipv6: known(report.ipv6),
        ipv6_filtering: filtering(report.ipv6_filtering),
        double_nat: known(report.double_nat),
        disagreement: report.disagreement,
        port_mapping: port_mapping(&report.port_mapping),
        sources: report.answers.iter().map(|answer| source(answer, age)).collect(),
        addresses: report
            .candidates
            .iter()
            .map(|candidate| api::OwnAddress {
                address: candidate.at.to_string(),
                kind: match candidate.kind {
                    CandidateKind::Host => api::AddressKind::Host,
                    CandidateKind::Mapped => api::AddressKind::Mapped,
                    CandidateKind::Reflexive => api::AddressKind::Reflexive,
                },
            })
            .collect(),
    }
}

const fn filtering(filtering: Filtering) -> api::NatFiltering {
    match filtering {
        Filtering::EndpointIndependent => api::NatFiltering::EndpointIndependent,
        Filtering::AddressDependent => api::NatFiltering::AddressDependent,
        Filtering::AddressAndPortDependent => api::NatFiltering::AddressAndPortDependent,
        Filtering::Unknown => api::NatFiltering::Unknown,
    }
}

fn source(answer: &Answer, age: impl Fn(Duration) -> u64) -> api::NetworkSource {
    let (kind, address, contact) = match answer.source {
        Source::Stun(server) => (api::SourceKind::Stun, Some(server.to_string()), None),
        Source::Dht(node) => (api::SourceKind::Dht, Some(node.to_string()), None),
        Source::Contact(contact) => (api::SourceKind::Contact, None, Some(contact.to_hex())),
    };
    api::NetworkSource {
        kind,
        address,
        contact,
        seen: answer.seen.map(|seen| seen.to_string()),
        s_ago: age(answer.at),
    }
}

fn port_mapping(mapping: &PortMapping) -> api::PortMapping {
    api::PortMapping {
        enabled: mapping.enabled,
        upnp: known(mapping.upnp),
        nat_pmp: known(mapping.nat_pmp),
        pcp: known(mapping.pcp),
        external: mapping.external.map(|external| external.to_string()),
    }
}

const fn known(known: Known) -> api::Known {
    match known {
        Known::Yes => api::Known::Yes,
        Known::No => api::Known::No,
        Known::Unknown => api::Known::Unknown,
    }
}

const fn nat_kind(kind: NatKind) -> api::NatKind {
    match kind {
        NatKind::Easy => api::NatKind::Easy,
        NatKind::Hard => api::NatKind::Hard,
        NatKind::Unknown => api::NatKind::Unknown,
    }
}

/// What both sides are behind.
pub(super) fn contact_network(network: &NetworkView, contact: &ContactView, boot: Duration) -> api::ContactNetwork {
    let shown = self::contact(contact, boot);
    let outlook = outlook::outlook(&network.report, contact.nat, contact.path.is_some());
    api::ContactNetwork {
        contact: shown.id,
        own: nat_kind(network.report.kind()),
        theirs: nat_kind(contact.nat),
        works: match outlook.works {
            Works::Now => api::Works::Now,
            Works::Soon => api::Works::Soon,
            Works::Slowly => api::Works::Slowly,
            Works::Relay => api::Works::Relay,
            Works::Unknown => api::Works::Unknown,
        },
        summary: words::outlook(&network.report, contact.nat, outlook, &contact.name),
        reachable: shown.reachable,
        path: shown.path,
    }
}

const fn shown_media(media: twocan_core::command::Media) -> api::Media {
    api::Media {
        audio: media.audio,
        video: media.video,
    }
}

const fn call_state(state: CallState) -> api::CallState {
    match state {
        CallState::Dialing => api::CallState::Dialing,
        CallState::Ringing => api::CallState::Ringing,
        CallState::Active => api::CallState::Active,
        CallState::Ended => api::CallState::Ended,
    }
}

/// The name of a call's state, as problems carry it.
pub(super) const fn call_state_name(state: CallState) -> &'static str {
    match state {
        CallState::Dialing => "dialing",
        CallState::Ringing => "ringing",
        CallState::Active => "active",
        CallState::Ended => "ended",
    }
}

fn reason(reason: EndReason) -> api::Reason {
    let (code, why, after_s) = match reason {
        EndReason::HungUp => ("hung_up", None, None),
        EndReason::Declined => ("declined", None, None),
        EndReason::DeclinedElsewhere => ("declined_elsewhere", None, None),
        EndReason::AnsweredElsewhere => ("answered_elsewhere", None, None),
        EndReason::Busy => ("busy", None, None),
        EndReason::Missed => ("missed", None, None),
        EndReason::Cancelled => ("cancelled", None, None),
        EndReason::Unreachable(why) => ("unreachable", Some(words::why_not_code(why)), None),
        EndReason::Lost { after_s } => ("lost", None, Some(after_s)),
        EndReason::GlareMerged => ("glare_merged", None, None),
        EndReason::Blocked => ("blocked", None, None),
        EndReason::Failed(code) => ("failed", Some(fail_code(code)), None),
    };
    api::Reason {
        code: code.to_owned(),
        why: why.map(str::to_owned),
        after_s,
    }
}

const fn fail_code(code: FailCode) -> &'static str {
    match code {
        FailCode::LegLost => "leg_lost",
        FailCode::ShuttingDown => "shutting_down",
        FailCode::PeerRestarted => "peer_restarted",
        FailCode::PeerStopped => "peer_stopped",
        FailCode::WordsDiffer => "words_differ",
    }
}

pub(super) const fn media(media: api::Media) -> twocan_core::command::Media {
    twocan_core::command::Media {
        audio: media.audio,
        video: media.video,
    }
}

pub(super) fn invite(invite: &InviteView) -> api::Invite {
    api::Invite {
        id: invite.id.to_hex(),
        link: invite.link.clone(),
        text: words::invite_text(&invite.link),
        expires_at: time(invite.expires_at),
        reachable: from_outside(invite.from_outside),
        why: words::invite_from_outside(invite.from_outside),
    }
}

/// What a pasted link is.
pub(super) fn paste(id: String, seen: PasteView) -> api::Paste {
    let why = seen
        .refusal
        .map(|refusal| of_refusal(refusal, Code::NoSuchInvite).why());
    let blank = api::Paste {
        id,
        kind: api::PasteKind::Reply,
        link: seen.link,
        name: None,
        expires_at: None,
        contact: None,
        why,
    };
    match seen.kind {
        PasteKind::Reply => blank,
        PasteKind::Invite {
            name,
            expires_at,
            contact,
        } => api::Paste {
            kind: api::PasteKind::Invite,
            name: Some(name),
            expires_at: Some(time(expires_at)),
            contact: contact.map(|id| id.to_hex()),
            ..blank
        },
    }
}

/// RFC 3339, in UTC.
pub(super) fn time(at: UnixSeconds) -> String {
    let seconds = i64::try_from(at).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// A notice as the warning that clients show.
pub(super) fn notice(notice: Notice, contacts: &[ContactView]) -> api::Why {
    match notice {
        Notice::Contested(id) => words::contested(name_of(id, contacts)),
        Notice::OtherRoot(id) => words::alarm(Alarm::OtherRoot, name_of(id, contacts)),
    }
}

fn name_of(id: ContactId, contacts: &[ContactView]) -> &str {
    let contact = contacts.iter().find(|contact| contact.id == id);
    contact.map_or("a contact", |contact| contact.name.as_str())
}

#[cfg(test)]
mod tests {
    use twocan_core::event::WhyNot;

    use super::*;

    #[test]
    fn reasons_have_the_names_that_scripts_know() {
        let lost = EndReason::Lost { after_s: 30 };
        for (end, code, why, after_s) in [
            (EndReason::HungUp, "hung_up", None, None),
            (EndReason::Declined, "declined", None, None),
            (EndReason::DeclinedElsewhere, "declined_elsewhere", None, None),
            (EndReason::AnsweredElsewhere, "answered_elsewhere", None, None),
            (EndReason::Busy, "busy", None, None),
            (EndReason::Missed, "missed", None, None),
            (EndReason::Cancelled, "cancelled", None, None),
            (
                EndReason::Unreachable(WhyNot::NoAnswer),
                "unreachable",
                Some("no_answer"),
                None,
            ),
            (lost, "lost", None, Some(30)),
            (EndReason::GlareMerged, "glare_merged", None, None),
            (EndReason::Blocked, "blocked", None, None),
            (EndReason::Failed(FailCode::LegLost), "failed", Some("leg_lost"), None),
        ] {
            let shown = reason(end);
            assert_eq!(
                (shown.code.as_str(), shown.why.as_deref(), shown.after_s),
                (code, why, after_s)
            );
        }
    }

    #[test]
    fn times_and_round_trips_are_plain() {
        assert_eq!(time(1_800_000_000), "2027-01-15T08:00:00Z");
        assert!(time(u64::MAX).starts_with("9999-12-"));
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)).to_string(), "1.234");
    }
}
