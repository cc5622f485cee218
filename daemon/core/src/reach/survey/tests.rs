//! Surveys of made-up routers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::reach::stun;

const OUR: &str = "192.0.2.1:2226";
const SERVER: &str = "198.51.100.1:3478";
const OTHER: &str = "198.51.100.2:3479";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A NAT of RFC 4787 with servers behind it: what it maps us to, and what it lets in.
struct World {
    maps: fn(SocketAddr) -> u16,
    lets_in: fn(SocketAddr) -> bool,
    hairpins: bool,
    other: Option<SocketAddr>,
    packets: usize,
}

impl World {
    fn run(&mut self, servers: &[&str], contacted: &mut Contacted) -> (Findings, Duration) {
        let servers: Vec<SocketAddr> = servers.iter().map(|server| at(server)).collect();
        let (mut rng, mut now) = (Rng::new([1; 32]), Duration::from_secs(1000));
        let mut survey = Survey::begin(&servers, &mut rng, now);
        while !survey.is_over() {
            for (to, bytes) in survey.poll(|_| true, contacted, &mut rng, now) {
                self.packets += 1;
                self.answer(&mut survey, to, &bytes);
            }
            now = survey.next_timeout().map_or(now, |due| due.max(now));
        }
        (survey.findings().clone(), now)
    }

    fn answer(&self, survey: &mut Survey, to: SocketAddr, bytes: &[u8]) {
        let Some(Message::Request(request)) = stun::parse(bytes) else {
            panic!("a request")
        };
        let mapped = SocketAddr::new(at(OUR).ip(), (self.maps)(to));
        if to.ip() == at(OUR).ip() {
            if self.hairpins {
                assert!(survey.handle(mapped, &Message::Request(request)));
            }
            return;
        }
        let other = at(OTHER);
        let ip = if request.change.ip { other.ip() } else { to.ip() };
        let port = if request.change.port { other.port() } else { to.port() };
        let from = SocketAddr::new(ip, port);
        if from != to && !(self.lets_in)(from) {
            return;
        }
        let response = Message::Response(Response {
            tx: request.tx,
            mapped,
            other: self.other,
        });
        assert!(!survey.handle(at("203.0.113.9:3478"), &response), "from somebody else");
        assert!(survey.handle(from, &response));
        assert!(!survey.handle(from, &response), "a second time");
    }
}

fn easy() -> World {
    World {
        maps: |_| 4000,
        lets_in: |_| false,
        hairpins: false,
        other: Some(at(OTHER)),
        packets: 0,
    }
}

#[test]
fn a_friendly_nat_is_seen_through_in_no_time() {
    let mut world = World {
        lets_in: |_| true,
        hairpins: true,
        ..easy()
    };
    let (found, end) = world.run(&[SERVER], &mut Contacted::default());
    assert_eq!(
        (found.ipv4.from_other_ip, found.ipv4.from_other_port),
        (Some(true), Some(true))
    );
    assert_eq!(found.hairpin, Some(true));
    assert_eq!((found.ipv4.other_ip, found.ipv4.other_both), (found.ipv4.subject, None));
    assert_eq!(end, Duration::from_secs(1000));
    assert_eq!(world.packets, 5);
}

#[test]
fn filtering_and_dependence_are_told_apart() {
    let mut world = World {
        lets_in: |from| from.ip() == at(SERVER).ip(),
        maps: |to| if to.ip() == at(SERVER).ip() { 4000 } else { to.port() },
        ..easy()
    };
    let (found, end) = world.run(&[SERVER], &mut Contacted::default());
    assert_eq!(
        (found.ipv4.from_other_ip, found.ipv4.from_other_port),
        (Some(false), Some(true))
    );
    assert_eq!(found.hairpin, Some(false));
    assert_eq!(found.ipv4.other_ip.unwrap().port(), 3478);
    assert_eq!(found.ipv4.other_both.unwrap().port(), 3479);
    assert_eq!(end, Duration::from_secs(1000) + bounds::STUN_TEST_PATIENCE);
}

#[test]
fn whoever_was_written_to_lately_shows_nothing_about_filtering() {
    let mut contacted = Contacted::default();
    let (first, _) = easy().run(&[SERVER], &mut contacted);
    assert_eq!(first.ipv4.from_other_ip, Some(false));
    let (again, _) = easy().run(&[SERVER], &mut contacted);
    assert_eq!((again.ipv4.from_other_ip, again.ipv4.from_other_port), (None, None));
    contacted.clear();
    let (elsewhere, _) = easy().run(&[SERVER, "198.51.100.2:3478"], &mut contacted);
    assert_eq!(
        elsewhere.ipv4.from_other_ip, None,
        "the second address is a server of its own"
    );
}

#[test]
fn silence_is_bounded_in_packets_and_time() {
    let mut rng = Rng::new([1; 32]);
    let servers: Vec<SocketAddr> = (0..20)
        .map(|last| SocketAddr::from(([198, 51, 100, last], 3478)))
        .collect();
    let mut now = Duration::ZERO;
    let mut survey = Survey::begin(&servers, &mut rng, now);
    let mut sent: BTreeMap<SocketAddr, usize> = BTreeMap::new();
    while let Some(due) = survey.next_timeout() {
        now = now.max(due);
        for (to, _) in survey.poll(|_| true, &mut Contacted::default(), &mut rng, now) {
            *sent.entry(to).or_default() += 1;
        }
    }
    assert_eq!(sent.len(), bounds::STUN_SERVERS);
    assert!(
        sent.values().all(|count| *count == bounds::STUN_SENDS.len()),
        "{sent:?}"
    );
    assert_eq!(now, bounds::STUN_PATIENCE);
    assert!(survey.findings().seen.values().all(Option::is_none));
}

#[test]
fn a_second_address_that_is_none_is_not_used() {
    for other in ["198.51.100.1:3479", "198.51.100.2:3478", "[2001:db8::1]:3479"] {
        let mut world = World {
            other: Some(at(other)),
            ..easy()
        };
        let (found, _) = world.run(&[SERVER], &mut Contacted::default());
        assert_eq!((found.ipv4.from_other_ip, found.ipv4.subject), (None, None), "{other}");
    }
}

#[test]
fn a_server_that_refuses_shows_nothing() {
    let (mut rng, now) = (Rng::new([1; 32]), Duration::ZERO);
    let mut contacted = Contacted::default();
    let mut survey = Survey::begin(&[at(SERVER)], &mut rng, now);
    while survey.stage != Stage::Mapping {
        let sends = survey.poll(|_| true, &mut contacted, &mut rng, now);
        for (to, bytes) in sends {
            let Some(Message::Request(Request { tx, change, .. })) = stun::parse(&bytes) else {
                panic!("a request")
            };
            let answer = if change == Change::default() {
                Message::Response(Response {
                    tx,
                    mapped: at(OUR),
                    other: Some(at(OTHER)),
                })
            } else {
                Message::Failure(tx)
            };
            let answer = if to == at(OUR) {
                Message::Request(Request {
                    tx,
                    change,
                    answer_to: None,
                })
            } else {
                answer
            };
            assert!(survey.handle(to, &answer));
        }
    }
    let found = survey.findings();
    assert_eq!(
        (found.ipv4.from_other_ip, found.ipv4.from_other_port, found.hairpin),
        (None, None, Some(true))
    );
}
