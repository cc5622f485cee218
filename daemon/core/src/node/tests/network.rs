//! What a node finds out about its own network, and whom it tells.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::lab::Lab;
use crate::bounds;
use crate::command::{Command, Reply};
use crate::event::{Event, FromOutside};
use crate::invite::Link;
use crate::io::{Input, Means};
use crate::reach::candidates::{CandidateKind, Interface, OwnAddresses};
use crate::reach::lifetime::Lifetime;
use crate::reach::nat_report::{Known, Mapping, NatKind, PortMapping, Report, Source};
use crate::reach::stun;
use crate::reach::via::Via;
use crate::state::State;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const SERVERS: [&str; 2] = ["198.51.100.1:3478", "198.51.101.1:3478"];

/// Two who know each other, the first one at home behind a NAT whose outer address is given for each server.
fn behind_nat(outer: [&str; 2]) -> Lab {
    let mut lab = Lab::pair();
    lab.stun = SERVERS.map(at).to_vec();
    for (server, outer) in SERVERS.into_iter().zip(outer) {
        lab.mapped.insert((0, at(server)), at(outer));
    }
    lab.feed(0, Input::Interfaces(home()));
    lab
}

fn home() -> OwnAddresses {
    OwnAddresses {
        interfaces: vec![Interface {
            ip: "192.168.1.10".parse().unwrap(),
            prefix: 24,
        }],
        port: 2226,
        loopback_only: false,
    }
}

fn report(lab: &Lab, index: usize) -> Report {
    lab.hosts[index].node.snapshot(lab.now).network.report
}

fn reflexive(report: &Report) -> Vec<String> {
    let of_kind = report
        .candidates
        .iter()
        .filter(|candidate| candidate.kind == CandidateKind::Reflexive);
    of_kind.map(|candidate| candidate.at.to_string()).collect()
}

fn known_addresses(lab: &Lab, of: usize, by: usize) -> Vec<SocketAddr> {
    let root = lab.hosts[of].node.root();
    lab.hosts[by].node.state.contact_of(&root).unwrap().addresses.clone()
}

#[test]
fn an_outer_address_goes_into_invites_and_to_whoever_is_linked() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    let found = report(&lab, 0);
    assert_eq!((found.kind(), found.translated), (NatKind::Easy, Known::Yes));
    assert_eq!(reflexive(&found), [outer]);
    assert!(known_addresses(&lab, 0, 1).contains(&at(outer)), "announced at once");
    assert_eq!(lab.contact(1, 0).nat, NatKind::Easy);
    assert!(lab.hosts[0].events.contains(&Event::Network));
    let link = Link::find(&lab.invite(0)).unwrap();
    assert_eq!(link.candidates, [at(outer), at("192.168.1.10:2226")]);
}

#[test]
fn disagreement_is_told_as_hard() {
    let lab = behind_nat(["203.0.113.7:40000", "203.0.113.7:40001"]);
    let found = report(&lab, 0);
    assert_eq!(
        (found.kind(), found.mapping, found.disagreement),
        (NatKind::Hard, Mapping::Dependent, true)
    );
    assert_eq!(reflexive(&found).len(), 1);
    assert_eq!(lab.contact(1, 0).nat, NatKind::Hard);
}

#[test]
fn what_was_told_of_a_nat_outlives_a_restart() {
    let mut lab = behind_nat(["203.0.113.7:40000", "203.0.113.7:40001"]);
    lab.pass(bounds::TICK * 2);
    let stored = State::from_bytes(&lab.hosts[1].disk).unwrap();
    assert_eq!(stored.contacts[0].nat, NatKind::Hard);
}

#[test]
fn only_an_answer_to_a_question_is_taken() {
    let mut lab = Lab::new(1);
    lab.stun = vec![at(SERVERS[0])];
    let response = stun::Response {
        tx: [1; 12],
        mapped: at("203.0.113.99:1"),
        other: None,
    };
    for _ in 0..2 {
        lab.feed(
            0,
            Input::Stun {
                from: at(SERVERS[0]),
                via: Via::Own,
                bytes: response.to_bytes(),
            },
        );
        assert!(report(&lab, 0).answers.is_empty());
        lab.stun_answers = false;
        lab.feed(0, Input::Interfaces(home()));
    }
}

#[test]
fn the_user_may_ask_at_any_time_and_gets_an_answer() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    lab.pass(bounds::NETWORK_CHECK_PAUSE * 2);
    let asked = lab.stun_asked;
    lab.mapped.insert((0, at(SERVERS[0])), at("203.0.113.7:5"));
    lab.mapped.insert((0, at(SERVERS[1])), at("203.0.113.7:5"));
    let id = lab.begin(0, Command::CheckNetwork);
    assert!(lab.hosts[0].node.snapshot(lab.now).network.checking);
    lab.pass(bounds::STUN_TEST_PATIENCE * 2);
    assert_eq!(lab.reply(0, id), Some(Reply::Done));
    assert_eq!(lab.stun_asked, asked + 2);
    assert_eq!(reflexive(&report(&lab, 0)), ["203.0.113.7:5"]);
    assert_eq!(lab.ask(0, Command::CheckNetwork), Reply::Done);
    assert_eq!(lab.stun_asked, asked + 2, "asked again at once: what there is");
    // Servers that do not answer keep nobody waiting for long.
    lab.pass(bounds::NETWORK_CHECK_PAUSE * 2);
    lab.stun_answers = false;
    let id = lab.begin(0, Command::CheckNetwork);
    lab.pass(bounds::STUN_PATIENCE + bounds::STUN_TEST_PATIENCE * 2);
    assert_eq!(lab.reply(0, id), Some(Reply::Done));
    assert!(report(&lab, 0).answers.iter().all(|answer| answer.seen.is_none()));
}

#[test]
fn on_loopback_nobody_is_asked_anything() {
    let mut lab = Lab::new(1);
    lab.stun = SERVERS.map(at).to_vec();
    let own = OwnAddresses {
        interfaces: vec![Interface {
            ip: IpAddr::from([127, 0, 0, 1]),
            prefix: 8,
        }],
        port: 4000,
        loopback_only: true,
    };
    let before = lab.stun_names_asked;
    lab.feed(0, Input::Interfaces(own));
    lab.feed(0, Input::Resumed);
    assert_eq!(lab.ask(0, Command::CheckNetwork), Reply::Done);
    lab.pass(bounds::NETWORK_CHECK_EVERY * 2);
    assert_eq!((lab.stun_asked, lab.stun_names_asked), (0, before));
    let view = lab.hosts[0].node.snapshot(lab.now).network;
    assert_eq!(view.from_outside, FromOutside::No);
    assert_eq!(view.report.candidates.len(), 1);
}

#[test]
fn an_idle_daemon_looks_again_rarely() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    // The other host knew no server when it started, and looks again sooner.
    lab.pass(bounds::NETWORK_DOUBT_PAUSE * 2);
    assert_eq!(lab.stun_asked, 4);
    lab.pass(bounds::NETWORK_CHECK_EVERY - bounds::NETWORK_DOUBT_PAUSE * 3);
    assert_eq!(lab.stun_asked, 4);
    lab.pass(bounds::NETWORK_DOUBT_PAUSE * 4);
    assert_eq!(lab.stun_asked, 8);
}

#[test]
fn waking_and_another_network_are_reasons_to_look() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    lab.pass(bounds::STUN_TEST_PATIENCE * 2);
    let asked = lab.stun_asked;
    lab.feed(0, Input::Resumed);
    assert_eq!(lab.stun_asked, asked + 2);
    let mut elsewhere = home();
    elsewhere.interfaces[0].ip = "10.0.0.5".parse().unwrap();
    lab.stun_answers = false;
    lab.feed(0, Input::Interfaces(elsewhere));
    assert!(
        reflexive(&report(&lab, 0)).is_empty(),
        "what was seen was seen elsewhere"
    );
}

#[test]
fn contacts_are_observers_with_one_vote_each() {
    let mut lab = behind_nat(["203.0.113.7:40000", "203.0.113.7:40000"]);
    lab.stun_answers = false;
    lab.feed(0, Input::Interfaces(lab_home_again()));
    lab.pass(bounds::STUN_PATIENCE * 3);
    // The other one answers our knocks and says where it sees us.
    lab.cut();
    let found = report(&lab, 0);
    let by_contact: Vec<_> = found
        .answers
        .iter()
        .filter(|answer| matches!(answer.source, Source::Contact(_)))
        .collect();
    assert_eq!(by_contact.len(), 1, "{found:?}");
    assert_eq!(by_contact[0].seen, Some(lab.hosts[0].at()));
    assert_eq!(reflexive(&found), [lab.hosts[0].at().to_string()]);
}

fn lab_home_again() -> OwnAddresses {
    let mut own = home();
    own.interfaces[0].ip = "192.168.2.10".parse().unwrap();
    own
}

#[test]
fn a_contact_that_sees_us_elsewhere_is_a_reason_to_look() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    lab.pass(bounds::NETWORK_DOUBT_PAUSE * 2);
    let asked = lab.stun_asked;
    let observed = |lab: &mut Lab, text: &str| {
        let contact = lab.id(0, 1);
        let now = lab.now;
        lab.hosts[0].node.observed_by(contact, Some(at(text)), now);
        lab.settle();
    };
    observed(&mut lab, outer);
    assert_eq!(lab.stun_asked, asked, "nothing new");
    observed(&mut lab, "203.0.113.7:41000");
    assert_eq!(lab.stun_asked, asked + 2);
    let found = report(&lab, 0);
    assert_eq!((found.kind(), found.disagreement), (NatKind::Easy, true));
    assert_eq!(reflexive(&found), [outer]);
}

#[test]
fn a_mapped_port_is_told_and_taken_back() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    let mapping = |external: Option<&str>| {
        Input::Mapping(PortMapping {
            enabled: true,
            upnp: Known::Yes,
            external: external.map(at),
            ..PortMapping::default()
        })
    };
    lab.pass(bounds::STUN_TEST_PATIENCE * 2);
    let asked = lab.stun_asked;
    lab.feed(0, mapping(Some("203.0.113.7:2226")));
    assert_eq!(lab.stun_asked, asked + 2, "a mapped port may be seen by everybody");
    assert_eq!(
        lab.hosts[0].node.snapshot(lab.now).network.from_outside,
        FromOutside::Yes
    );
    assert!(known_addresses(&lab, 0, 1).contains(&at("203.0.113.7:2226")));
    let link = Link::find(&lab.invite(0)).unwrap();
    assert_eq!(link.candidates.first(), Some(&at("203.0.113.7:2226")));
    // Who comes in by it sees it, which is no news.
    lab.pass(bounds::NETWORK_DOUBT_PAUSE * 2);
    let asked = lab.stun_asked;
    let (contact, now) = (lab.id(0, 1), lab.now);
    lab.hosts[0]
        .node
        .observed_by(contact, Some(at("203.0.113.7:2226")), now);
    lab.settle();
    assert_eq!(lab.stun_asked, asked);
    lab.feed(0, mapping(None));
    let link = Link::find(&lab.invite(0)).unwrap();
    assert_eq!(link.candidates.first(), Some(&at(outer)));
}

#[test]
fn whoever_wakes_in_the_middle_of_a_round_asks_again() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    let asked = lab.stun_asked;
    assert!(
        lab.hosts[0].node.snapshot(lab.now).network.checking,
        "the hairpin is being tried"
    );
    lab.feed(0, Input::Resumed);
    assert_eq!(lab.stun_asked, asked);
    lab.pass(bounds::STUN_TEST_PATIENCE * 3);
    assert_eq!(lab.stun_asked, asked + 2);
    assert!(!lab.hosts[0].node.snapshot(lab.now).network.checking);
}

#[test]
fn a_packet_after_a_silence_shows_how_long_the_nat_waited() {
    let mut lab = Lab::pair();
    // The side that is asked on every tick.
    let listener = usize::from(lab.hosts[0].node.device() < lab.hosts[1].node.device());
    lab.stun = SERVERS.map(at).to_vec();
    for server in SERVERS {
        lab.mapped.insert((listener, at(server)), at("203.0.113.7:40000"));
    }
    lab.feed(listener, Input::Interfaces(home()));
    assert_eq!(report(&lab, listener).lifetime, Lifetime::default());
    lab.pass(bounds::TICK * 4);
    let lifetime = report(&lab, listener).lifetime.at_least.unwrap();
    assert!(
        lifetime + bounds::LIFETIME_LEAST > bounds::TICK && lifetime <= bounds::LISTENER_SILENCE,
        "{lifetime:?}"
    );
    assert_eq!(
        report(&lab, 1 - listener).lifetime,
        Lifetime::default(),
        "who speaks first opens the way by that"
    );
}

#[test]
fn no_round_keeps_a_timer_when_it_is_over() {
    let mut lab = behind_nat(["203.0.113.7:40000", "203.0.113.7:40000"]);
    lab.pass(Duration::from_secs(30));
    assert!(!lab.hosts[0].node.snapshot(lab.now).network.checking);
    assert!(lab.hosts[0].node.poll_timeout() > lab.now.boot);
}

const NODES: [&str; 5] = [
    "198.18.0.1:6881",
    "198.18.0.2:6881",
    "198.18.0.3:6881",
    "198.18.0.4:6881",
    "198.18.0.5:6881",
];

/// At home where nobody answers but nodes of the DHT, who see this.
fn among_nodes(seen: [&str; 5]) -> Lab {
    let mut lab = Lab::pair();
    lab.nodes = NODES
        .into_iter()
        .zip(seen)
        .map(|(node, seen)| (at(node), at(seen)))
        .collect();
    lab.feed(0, Input::Means(Means { dht: true, lan: false }));
    lab.feed(0, Input::Interfaces(home()));
    lab
}

#[test]
fn nodes_of_the_dht_say_where_they_see_this_very_socket() {
    let outer = "203.0.113.7:40000";
    let lab = among_nodes([outer; 5]);
    let found = report(&lab, 0);
    assert_eq!((found.kind(), found.translated), (NatKind::Easy, Known::Yes));
    assert_eq!(reflexive(&found), [outer]);
    let nodes = found
        .answers
        .iter()
        .filter(|answer| matches!(answer.source, Source::Dht(_)));
    assert_eq!(
        nodes.count(),
        bounds::DHT_NODES_ASKED,
        "each has one vote, and nobody who was not asked: {found:?}"
    );
    assert_eq!((lab.nodes_asked, lab.pings), (1, bounds::DHT_NODES_ASKED));
}

#[test]
fn nodes_that_see_other_ports_show_a_hard_nat() {
    let lab = among_nodes([
        "203.0.113.7:1",
        "203.0.113.7:2",
        "203.0.113.7:3",
        "203.0.113.7:4",
        "203.0.113.7:5",
    ]);
    let found = report(&lab, 0);
    assert_eq!((found.kind(), found.disagreement), (NatKind::Hard, true));
    assert_eq!(reflexive(&found).len(), 1, "an address, of which the port means little");
}

#[test]
fn what_nodes_alone_say_is_not_told_beside_a_server() {
    let (outer, lie) = ("203.0.113.7:40000", "192.0.2.66:53");
    let mut lab = behind_nat([outer; 2]);
    lab.nodes = NODES.into_iter().map(|node| (at(node), at(lie))).collect();
    lab.feed(0, Input::Means(Means { dht: true, lan: false }));
    lab.pass(bounds::NETWORK_CHECK_PAUSE * 2);
    lab.begin(0, Command::CheckNetwork);
    lab.pass(bounds::STUN_TEST_PATIENCE * 3);
    let found = report(&lab, 0);
    assert_eq!(
        (found.kind(), found.disagreement),
        (NatKind::Easy, true),
        "all stay listed: {found:?}"
    );
    assert_eq!(reflexive(&found), [outer]);
}

/// Whoever names nodes has no more say than a peer that names candidates.
#[test]
fn nodes_at_forbidden_places_are_not_asked() {
    let mut lab = Lab::pair();
    let forbidden = [
        "224.0.0.251:5353",
        "169.254.169.254:80",
        "127.0.0.1:6881",
        "10.9.9.9:6881",
        "198.18.0.9:0",
        "240.0.0.1:6881",
        "192.168.1.10:2226",
    ];
    for node in forbidden.into_iter().chain([NODES[0]]) {
        lab.nodes.insert(at(node), at("203.0.113.7:40000"));
    }
    lab.feed(0, Input::Means(Means { dht: true, lan: false }));
    lab.feed(0, Input::Interfaces(home()));
    lab.pass(bounds::STUN_PATIENCE);
    let asked: Vec<Source> = report(&lab, 0).answers.iter().map(|answer| answer.source).collect();
    assert_eq!((asked, lab.pings), (vec![Source::Dht(at(NODES[0]).ip())], 1));
}

#[test]
fn without_a_dht_no_node_is_asked() {
    let mut lab = among_nodes(["203.0.113.7:40000"; 5]);
    let before = (lab.nodes_asked, lab.pings);
    lab.feed(0, Input::Means(Means::default()));
    lab.pass(bounds::NETWORK_CHECK_EVERY * 2);
    assert_eq!((lab.nodes_asked, lab.pings), before);
    lab.feed(0, Input::Means(Means { dht: true, lan: false }));
    let loopback = OwnAddresses {
        interfaces: vec![Interface {
            ip: IpAddr::from([127, 0, 0, 1]),
            prefix: 8,
        }],
        port: 4000,
        loopback_only: true,
    };
    lab.feed(0, Input::Interfaces(loopback));
    lab.pass(bounds::NETWORK_CHECK_EVERY * 2);
    assert_eq!((lab.nodes_asked, lab.pings), before, "nor on loopback");
}

/// The DHT is said to be there after the first round has begun.
#[test]
fn a_round_that_has_begun_asks_nodes_once_they_may_be_asked() {
    let mut lab = Lab::new(1);
    lab.nodes.insert(at(NODES[0]), at("203.0.113.7:40000"));
    lab.stun = SERVERS.map(at).to_vec();
    lab.stun_answers = false;
    lab.feed(0, Input::Interfaces(home()));
    lab.feed(0, Input::Means(Means { dht: true, lan: false }));
    assert_eq!((lab.nodes_asked, lab.pings), (1, 1));
}

/// Three packets to each server, and then no more in this network.
#[test]
fn servers_that_cannot_measure_a_lifetime_are_soon_left_alone() {
    let outer = "203.0.113.7:40000";
    let mut lab = behind_nat([outer, outer]);
    lab.pass(bounds::LIFETIME_AFTER / 2);
    assert_eq!(lab.spares_asked, 0);
    let is_measuring = |lab: &Lab| lab.hosts[0].node.snapshot(lab.now).network.measures_lifetime;
    lab.begin(0, Command::CheckNetwork);
    lab.pass(bounds::STUN_PATIENCE * 2);
    assert!(is_measuring(&lab));
    lab.pass(bounds::LIFETIME_AFTER * 3);
    assert!(!is_measuring(&lab));
    assert_eq!(lab.spares_asked, SERVERS.len() * bounds::STUN_SENDS.len());
    // Another network is another question, and a sleep in the middle of it ends it.
    lab.feed(0, Input::Interfaces(lab_home_again()));
    lab.pass(bounds::LIFETIME_AFTER);
    let before = lab.spares_asked;
    lab.pass(bounds::TICK * 2);
    assert!(lab.spares_asked > before, "by itself");
    lab.feed(0, Input::Resumed);
    assert!(!is_measuring(&lab));
}
