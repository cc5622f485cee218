#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::reach::candidates::{CandidateKind, Interface};

const INNER: &str = "192.168.1.10";
const OUTER: &str = "203.0.113.7:40000";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn home() -> OwnAddresses {
    OwnAddresses {
        interfaces: vec![Interface {
            ip: INNER.parse().unwrap(),
            prefix: 24,
        }],
        port: 2226,
        loopback_only: false,
    }
}

const T: Duration = Duration::from_secs(5000);

/// What these servers have seen in a round that is over.
fn stun(seen: &[(&str, Option<&str>)]) -> Findings {
    Findings {
        seen: seen.iter().map(|(server, seen)| (at(server), seen.map(at))).collect(),
        ..Findings::default()
    }
}

fn after(found: &Findings) -> Evidence {
    let mut evidence = Evidence::default();
    evidence.take(found, true, T);
    evidence
}

fn contact(number: u8) -> Source {
    Source::Contact(ContactId([number; 8]))
}

fn candidates(report: &Report, kind: CandidateKind) -> Vec<String> {
    let of_kind = report.candidates.iter().filter(|candidate| candidate.kind == kind);
    of_kind.map(|candidate| candidate.at.to_string()).collect()
}

#[test]
fn nobody_has_said_anything() {
    let report = judge(&Evidence::default(), &home());
    assert_eq!(
        report.timeless(),
        Report {
            ipv6: Known::No,
            candidates: vec![Candidate {
                at: at("192.168.1.10:2226"),
                kind: CandidateKind::Host
            }],
            ..Report::default()
        }
    );
}

#[test]
fn two_servers_that_agree_make_an_easy_nat() {
    let evidence = after(&stun(&[
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.2:1", Some(OUTER)),
    ]));
    let report = judge(&evidence, &home());
    assert_eq!(
        (report.translated, report.mapping),
        (Known::Yes, Mapping::EndpointIndependent)
    );
    assert_eq!((report.kind(), report.disagreement), (NatKind::Easy, false));
    assert_eq!(
        (report.port_preservation, report.double_nat),
        (Known::No, Known::Unknown)
    );
    assert_eq!(
        (report.filtering, report.from_outside),
        (Filtering::Unknown, FromOutside::Unknown)
    );
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
}

#[test]
fn two_servers_that_disagree_make_a_hard_one() {
    for other in ["203.0.113.7:40001", "203.0.113.8:40000"] {
        let evidence = after(&stun(&[
            ("198.51.100.1:1", Some(OUTER)),
            ("198.51.100.2:1", Some(other)),
        ]));
        let report = judge(&evidence, &home());
        assert_eq!(
            (report.mapping, report.kind()),
            (Mapping::Dependent, NatKind::Hard),
            "{other}"
        );
        assert_eq!((report.disagreement, report.from_outside), (true, FromOutside::No));
        assert_eq!(report.answers.len(), 2, "both stay listed");
        let places: BTreeSet<String> = candidates(&report, CandidateKind::Reflexive).into_iter().collect();
        assert_eq!(places.len(), if other.contains(".8:") { 2 } else { 1 });
    }
}

#[test]
fn one_server_alone_shows_no_mapping() {
    let evidence = after(&stun(&[
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.1:2", Some(OUTER)),
    ]));
    let report = judge(&evidence, &home());
    assert_eq!(report.mapping, Mapping::Unknown, "a NAT may look at the address alone");
    let ports = [
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.1:2", Some("203.0.113.7:40001")),
    ];
    let report = judge(&after(&stun(&ports)), &home());
    assert_eq!(report.mapping, Mapping::AddressAndPortDependent);
    let report = judge(
        &after(&stun(&[("198.51.100.1:1", Some(OUTER)), ("198.51.100.2:1", None)])),
        &home(),
    );
    assert_eq!((report.mapping, report.kind()), (Mapping::Unknown, NatKind::Unknown));
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
    assert_eq!(report.answers.len(), 2, "who did not answer is listed, too");
}

#[test]
fn a_server_with_two_addresses_says_which_kind_of_hard_it_is() {
    let first = "203.0.113.7:1000";
    for (other_ip, other_both, mapping) in [
        (first, Some(first), Mapping::EndpointIndependent),
        ("203.0.113.7:1001", Some("203.0.113.7:1001"), Mapping::AddressDependent),
        (
            "203.0.113.7:1001",
            Some("203.0.113.7:1002"),
            Mapping::AddressAndPortDependent,
        ),
        ("203.0.113.7:1001", None, Mapping::Dependent),
    ] {
        let found = Findings {
            ipv4: Behaviour {
                subject: Some(at(first)),
                other_ip: Some(at(other_ip)),
                other_both: other_both.map(at),
                ..Behaviour::default()
            },
            ..stun(&[("198.51.100.1:1", Some(first))])
        };
        let report = judge(&after(&found), &home());
        assert_eq!(report.mapping, mapping);
        // Another server agrees with the first, or does not.
        let two = Findings {
            seen: stun(&[
                ("198.51.100.1:1", Some(first)),
                ("198.51.100.9:1", Some("203.0.113.7:1009")),
            ])
            .seen,
            ..found
        };
        let report = judge(&after(&two), &home());
        assert_eq!(report.kind(), NatKind::Hard);
        assert!(report.disagreement);
    }
}

#[test]
fn filtering_is_what_came_in() {
    for (from_other_ip, from_other_port, filtering, outside) in [
        (Some(true), Some(true), Filtering::EndpointIndependent, FromOutside::Yes),
        (Some(false), Some(true), Filtering::AddressDependent, FromOutside::No),
        (
            Some(false),
            Some(false),
            Filtering::AddressAndPortDependent,
            FromOutside::No,
        ),
        (None, None, Filtering::Unknown, FromOutside::Unknown),
    ] {
        let found = Findings {
            ipv4: Behaviour {
                from_other_ip,
                from_other_port,
                ..Behaviour::default()
            },
            hairpin: Some(false),
            ..stun(&[("198.51.100.1:1", Some(OUTER)), ("198.51.100.2:1", Some(OUTER))])
        };
        let mut evidence = after(&found);
        let report = judge(&evidence, &home());
        assert_eq!((report.filtering, report.from_outside), (filtering, outside));
        assert_eq!(report.hairpin, Known::Unknown, "silence shows nothing");
        // A later round that could not try it says nothing against it.
        evidence.take(
            &stun(&[("198.51.100.1:1", Some(OUTER)), ("198.51.100.2:1", Some(OUTER))]),
            true,
            T * 2,
        );
        assert_eq!(judge(&evidence, &home()).filtering, filtering);
        evidence.moved(true);
        assert_eq!(judge(&evidence, &home()).filtering, Filtering::Unknown);
    }
}

#[test]
fn what_comes_back_from_the_own_outer_address_shows_a_hairpin() {
    let found = Findings {
        hairpin: Some(true),
        ..stun(&[("198.51.100.1:1", Some(OUTER))])
    };
    assert_eq!(judge(&after(&found), &home()).hairpin, Known::Yes);
}

#[test]
fn no_nat_is_easy_and_has_nothing_reflexive() {
    let mut own = home();
    own.interfaces.push(Interface {
        ip: "203.0.113.7".parse().unwrap(),
        prefix: 24,
    });
    let seen = Some("203.0.113.7:2226");
    let report = judge(&after(&stun(&[("198.51.100.1:1", seen)])), &own);
    assert_eq!((report.translated, report.kind()), (Known::No, NatKind::Easy));
    assert_eq!((report.port_preservation, report.hairpin), (Known::Yes, Known::Unknown));
    assert!(candidates(&report, CandidateKind::Reflexive).is_empty());
}

#[test]
fn a_lying_contact_talks_nobody_out_of_what_two_others_say() {
    let mut evidence = after(&stun(&[
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.2:1", Some(OUTER)),
    ]));
    evidence.note(contact(1), at("198.18.0.1:53"), T);
    let report = judge(&evidence, &home());
    assert_eq!((report.kind(), report.disagreement), (NatKind::Easy, true));
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);

    let mut evidence = Evidence::default();
    for honest in 2..4 {
        evidence.note(contact(honest), at(OUTER), T);
    }
    for _ in 0..9 {
        evidence.note(contact(1), at("198.18.0.1:53"), T);
    }
    let report = judge(&evidence, &home());
    assert_eq!((report.kind(), report.disagreement), (NatKind::Easy, true));
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
    assert_eq!(report.answers.len(), 3, "one vote each");
}

#[test]
fn contacts_alone_show_where_we_are() {
    let mut evidence = Evidence::default();
    evidence.note(contact(1), at("[::ffff:203.0.113.7]:40000"), T);
    let report = judge(&evidence, &home());
    assert_eq!((report.translated, report.kind()), (Known::Yes, NatKind::Unknown));
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
    evidence.note(contact(2), at("203.0.113.7:40001"), T);
    assert_eq!(judge(&evidence, &home()).kind(), NatKind::Hard);
    // What was seen long before may have been another mapping of the same NAT.
    evidence.note(contact(2), at("203.0.113.7:40001"), T + bounds::OBSERVED_TOGETHER);
    assert_eq!(judge(&evidence, &home()).kind(), NatKind::Unknown);
    evidence.forget_old(T + bounds::OBSERVED_KEPT);
    assert_eq!(judge(&evidence, &home()).answers.len(), 1);
}

#[test]
fn neighbours_see_nothing_of_the_outside() {
    let mut evidence = Evidence::default();
    evidence.note(contact(1), at("192.168.1.10:2226"), T);
    evidence.note(contact(2), at("10.1.1.1:2226"), T);
    let report = judge(&evidence, &home());
    assert_eq!((report.translated, report.kind()), (Known::Unknown, NatKind::Unknown));
}

#[test]
fn the_port_mapper_shows_double_nat_and_opens_the_way() {
    let seen = stun(&[
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.2:1", Some("203.0.113.7:40001")),
    ]);
    for (external, double_nat, outside) in [
        ("203.0.113.7:2226", Known::No, FromOutside::Yes),
        ("100.64.0.9:2226", Known::Yes, FromOutside::No),
        ("203.0.113.99:2226", Known::Yes, FromOutside::No),
    ] {
        let mut evidence = after(&seen);
        evidence.mapping.external = Some(at(external));
        let report = judge(&evidence, &home());
        assert_eq!(
            (report.double_nat, report.from_outside),
            (double_nat, outside),
            "{external}"
        );
        assert_eq!(candidates(&report, CandidateKind::Mapped), [external]);
        assert_eq!(report.kind() == NatKind::Easy, double_nat == Known::No, "{external}");
        let is_first = report.candidates.first().unwrap().kind == CandidateKind::Mapped;
        assert_eq!(is_first, double_nat == Known::No);
    }
    let mut evidence = Evidence::default();
    evidence.mapping.external = Some(at("203.0.113.7:2226"));
    let report = judge(&evidence, &home());
    assert_eq!(
        (report.double_nat, report.from_outside),
        (Known::Unknown, FromOutside::Unknown)
    );
}

#[test]
fn whoever_came_in_by_the_mapped_port_says_nothing_about_the_nat() {
    let mut evidence = after(&stun(&[("198.51.100.1:1", Some(OUTER))]));
    evidence.mapping.external = Some(at("203.0.113.7:2226"));
    evidence.note(contact(1), at("203.0.113.7:2226"), T);
    let report = judge(&evidence, &home());
    assert_eq!((report.mapping, report.disagreement), (Mapping::Unknown, false));
    assert_eq!(report.kind(), NatKind::Easy, "a mapped port makes any NAT easy");
}

#[test]
fn ipv6_is_said_to_work_when_it_did() {
    let v6 = "[2001:db8::1]:3478";
    let mut own = home();
    own.interfaces.push(Interface {
        ip: "2001:db8:9::5".parse().unwrap(),
        prefix: 64,
    });
    let report = |seen: &[(&str, Option<&str>)]| judge(&after(&stun(seen)), &own);
    assert_eq!(report(&[]).ipv6, Known::Unknown);
    assert_eq!(report(&[(v6, None)]).ipv6, Known::Unknown, "nothing works at all");
    assert_eq!(report(&[(v6, None), ("198.51.100.1:1", Some(OUTER))]).ipv6, Known::No);
    let both = report(&[(v6, Some("[2001:db8:9::5]:2226")), ("198.51.100.1:1", Some(OUTER))]);
    assert_eq!((both.ipv6, both.translated), (Known::Yes, Known::Yes));
    let alone = report(&[(v6, Some("[2001:db8:9::5]:2226"))]);
    assert_eq!((alone.ipv6, alone.translated), (Known::Yes, Known::No));
}

#[test]
fn a_round_under_way_is_heard_and_a_dead_one_believed() {
    let mut evidence = after(&stun(&[
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.2:1", Some(OUTER)),
    ]));
    evidence.take(
        &stun(&[("198.51.100.1:1", None), ("198.51.100.2:1", None)]),
        false,
        T * 2,
    );
    assert_eq!(judge(&evidence, &home()).kind(), NatKind::Easy, "nothing heard yet");
    evidence.take(
        &stun(&[("198.51.100.1:1", Some("203.0.113.7:5")), ("198.51.100.2:1", None)]),
        false,
        T * 2,
    );
    let report = judge(&evidence, &home());
    assert_eq!(candidates(&report, CandidateKind::Reflexive), ["203.0.113.7:5"]);
    evidence.take(
        &stun(&[("198.51.100.1:1", None), ("198.51.100.2:1", None)]),
        true,
        T * 2,
    );
    let report = judge(&evidence, &home());
    assert_eq!((report.kind(), report.answers.len()), (NatKind::Unknown, 2));
    assert!(candidates(&report, CandidateKind::Reflexive).is_empty());
}

#[test]
fn observers_are_bounded() {
    let mut evidence = Evidence::default();
    for number in 0..200 {
        evidence.note(contact(number), at(OUTER), T + Duration::from_secs(number.into()));
    }
    let report = judge(&evidence, &home());
    assert_eq!(report.answers.len(), bounds::OBSERVERS);
    assert!(report.answers.iter().all(|answer| answer.source > contact(100)));
}

#[test]
fn kinds_that_nobody_knows_yet_are_unknown() {
    for (kind, wire) in [(NatKind::Easy, 0), (NatKind::Hard, 1), (NatKind::Unknown, 2)] {
        assert_eq!(crate::cbor::encode(&kind), [wire]);
        assert_eq!(crate::cbor::decode::<NatKind>(&[wire]), Some(kind));
    }
    assert_eq!(crate::cbor::decode::<NatKind>(&[9]), Some(NatKind::Unknown));
}

/// A home with a NAT for IPv4 that keeps strangers out, and IPv6 through a firewall, or none.
fn with_ipv6(ipv6: Behaviour) -> Report {
    let mut own = home();
    let six = "2001:db8::10";
    own.interfaces.push(Interface {
        ip: six.parse().unwrap(),
        prefix: 64,
    });
    let shut = Behaviour {
        from_other_ip: Some(false),
        from_other_port: Some(false),
        ..Behaviour::default()
    };
    let seen_six = format!("[{six}]:2226");
    let found = Findings {
        ipv4: shut,
        ipv6,
        ..stun(&[
            ("198.51.100.1:1", Some(OUTER)),
            ("198.51.100.2:1", Some(OUTER)),
            ("[2001:db8:1::1]:1", Some(&seen_six)),
        ])
    };
    judge(&after(&found), &own)
}

#[test]
fn ipv6_has_a_filtering_of_its_own() {
    for (from_other_ip, from_other_port, filtering, outside) in [
        (
            Some(true),
            Some(true),
            Filtering::EndpointIndependent,
            FromOutside::Unknown,
        ),
        (Some(false), Some(true), Filtering::AddressDependent, FromOutside::No),
        (
            Some(false),
            Some(false),
            Filtering::AddressAndPortDependent,
            FromOutside::No,
        ),
        (None, None, Filtering::Unknown, FromOutside::Unknown),
    ] {
        let report = with_ipv6(Behaviour {
            from_other_ip,
            from_other_port,
            ..Behaviour::default()
        });
        assert_eq!(report.filtering, Filtering::AddressAndPortDependent, "of IPv4");
        assert_eq!((report.ipv6, report.ipv6_filtering), (Known::Yes, filtering));
        assert_eq!(report.from_outside, outside, "{filtering:?}");
    }
}

fn node(last: u8) -> Source {
    Source::Dht(IpAddr::from([198, 18, 0, last]))
}

#[test]
fn nodes_of_the_dht_are_heard_where_no_server_answers() {
    let mut evidence = Evidence::default();
    evidence.note(node(1), at(OUTER), T);
    let report = judge(&evidence, &home());
    assert_eq!(
        (report.mapping, report.translated),
        (Mapping::Unknown, Known::Unknown),
        "one alone"
    );
    assert!(candidates(&report, CandidateKind::Reflexive).is_empty());
    evidence.note(node(2), at(OUTER), T);
    let report = judge(&evidence, &home());
    assert_eq!(
        (report.mapping, report.translated),
        (Mapping::EndpointIndependent, Known::Yes)
    );
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
    evidence.note(node(3), at("192.0.2.66:53"), T);
    let report = judge(&evidence, &home());
    assert_eq!(
        (report.kind(), report.disagreement),
        (NatKind::Easy, true),
        "a liar among them"
    );
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
}

#[test]
fn what_strangers_say_beside_a_server_is_listed_and_told_to_nobody() {
    let mut evidence = after(&stun(&[
        ("198.51.100.1:1", Some(OUTER)),
        ("198.51.100.2:1", Some(OUTER)),
    ]));
    for last in 1..=4 {
        evidence.note(node(last), at("192.0.2.66:53"), T);
    }
    let report = judge(&evidence, &home());
    assert_eq!((report.kind(), report.disagreement), (NatKind::Easy, true));
    assert_eq!(candidates(&report, CandidateKind::Reflexive), [OUTER]);
    assert_eq!(report.answers.len(), 6);
}
