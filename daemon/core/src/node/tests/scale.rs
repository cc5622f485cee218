//! What two hundred contacts cost who are away, over days: packets, questions to the DHT, and wakeups.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::World;
use crate::bounds;
use crate::crypto::Secret;
use crate::identity::Identity;
use crate::ids::ContactId;
use crate::io::{DhtAnswer, Input, Means, Output, Query};
use crate::node::{Defaults, Node};
use crate::reach::candidates::{Interface, OwnAddresses};
use crate::reach::record;
use crate::rng::Rng;
use crate::state::{Contact, DeviceFinding, Finding, State};
use crate::time::Now;

const CONTACTS: u8 = 200;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// IPv4 and UDP.
const HEADERS: u64 = 28;
/// Bytes a minute and contact that is away; a peer needs 0.8 kB, three tenths of it are the goal.
const BYTES_A_MINUTE: u64 = 240;
/// Wakeups that 50 contacts who are away may cause in 100 s: a twentieth of a peer's 13.75 a second.
const WAKEUPS_IN_100_S: u64 = 68;

/// What left a node in some time.
#[derive(Debug, Default)]
struct Spent {
    packets: u64,
    bytes: u64,
    puts: u64,
    gets: u64,
    stores: u64,
    wakeups: u64,
}

/// Somebody whom nobody has seen for long.
fn contact(number: u8, like: &Contact, rng: &mut Rng) -> Contact {
    let person = Identity::create(rng, "Somebody", "computer");
    let public = record::finding_public(&Secret(rng.bytes()));
    let address = |third: u8, port| SocketAddr::from(([11, third, number, 9], port));
    Contact {
        id: ContactId(rng.bytes()),
        root: person.root(),
        list: Some(person.list.clone()),
        keys: vec![Secret(rng.bytes())],
        // Where it is seen from outside, where it was before, and where it is at home.
        addresses: vec![
            address(1, 2226),
            address(2, 40_000),
            "192.168.7.7:2226".parse().unwrap(),
        ],
        proven: vec![person.device()],
        finding: Some(Finding {
            key: Secret(rng.bytes()),
            devices: vec![DeviceFinding {
                device: person.device(),
                public,
            }],
        }),
        ..like.clone()
    }
}

fn state() -> State {
    let world = World::friends(2);
    let mut state = State::from_bytes(&world.hosts[0].stored).unwrap();
    let (like, mut rng) = (state.contacts.remove(0), Rng::new([9; 32]));
    state.contacts = (0..CONTACTS).map(|number| contact(number, &like, &mut rng)).collect();
    state
}

const fn at(boot: Duration) -> Now {
    Now {
        boot,
        wall: 1_800_000_000 + boot.as_secs(),
        millis: 0,
    }
}

struct Alone {
    node: Node,
    now: Now,
    spent: Spent,
}

impl Alone {
    /// A daemon behind a router, which nobody answers.
    fn new() -> Self {
        let (now, names) = (
            at(Duration::from_secs(1000)),
            Defaults {
                person_name: "Ann".into(),
                device_name: "desk".into(),
            },
        );
        let node = Node::new([3; 32], Some(&state().to_bytes()), &names, now).unwrap();
        let spent = Spent::default();
        let mut alone = Self { node, now, spent };
        let ip: IpAddr = "192.168.1.10".parse().unwrap();
        alone.input(Input::Interfaces(OwnAddresses {
            interfaces: vec![Interface { ip, prefix: 24 }],
            port: 2226,
            loopback_only: false,
        }));
        alone.input(Input::Means(Means { dht: true, lan: true }));
        alone
    }

    fn input(&mut self, input: Input) {
        self.node.handle(input, self.now);
        while let Some(output) = self.node.poll_output() {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Transmit { to, bytes, .. } => {
                assert!(to.ip() != IpAddr::from([192, 168, 7, 7]), "not in our network");
                self.spent.packets += 1;
                self.spent.bytes += HEADERS + bytes.len() as u64;
            }
            Output::Query(Query::DhtPut { query, .. }) => {
                self.spent.puts += 1;
                let answer = DhtAnswer::Stored;
                self.input(Input::DhtAnswer { query, answer });
            }
            Output::Query(Query::DhtGet { query, .. }) => {
                self.spent.gets += 1;
                let answer = DhtAnswer::Done;
                self.input(Input::DhtAnswer { query, answer });
            }
            Output::Store { generation, .. } => {
                self.spent.stores += 1;
                self.input(Input::Stored { generation });
            }
            Output::FindStunServers => self.input(Input::StunServers(Vec::new())),
            Output::FindDhtNodes => self.input(Input::DhtNodes(Vec::new())),
            Output::Query(Query::LanShow { .. })
            | Output::AskPortMapper
            | Output::OpenSpares { .. }
            | Output::CloseSpares { .. }
            | Output::Event(_)
            | Output::Admit { .. }
            | Output::Revoke { .. }
            | Output::Dial { .. }
            | Output::OpenDoor { .. }
            | Output::CloseDoor
            | Output::LetIn { .. }
            | Output::TurnAway { .. }
            | Output::DialDoor { .. }
            | Output::Close { .. }
            | Output::Send { .. }
            | Output::SendAlive { .. }
            | Output::Route { .. }
            | Output::UseRelay { .. }
            | Output::LeaveRelay { .. }
            | Output::Forward(_)
            | Output::EndForward { .. }
            | Output::Turn { .. }
            | Output::FarTakes { .. }
            | Output::OpenGate { .. }
            | Output::EndMedia { .. }
            | Output::Reply { .. } => {}
        }
    }

    fn pass(&mut self, time: Duration) -> Spent {
        let end = self.now.boot + time;
        self.spent = Spent::default();
        while self.node.poll_timeout() <= end {
            self.now = at(self.node.poll_timeout().max(self.now.boot));
            self.node.handle_timeout(self.now);
            self.spent.wakeups += 1;
            while let Some(output) = self.node.poll_output() {
                self.perform(output);
            }
        }
        self.now = at(end);
        std::mem::take(&mut self.spent)
    }
}

#[test]
fn two_hundred_who_are_away_cost_little() {
    let mut alone = Alone::new();
    let first = alone.pass(DAY);
    let second = alone.pass(DAY);
    let contacts = u64::from(CONTACTS);
    for (day, spent) in [("first", &first), ("second", &second)] {
        let each = spent.bytes / contacts;
        eprintln!(
            "{day} day: {spent:?}; a contact: {each} bytes, {} a minute, {} gets",
            each / (24 * 60),
            spent.gets / contacts
        );
        assert!((24..=50).contains(&spent.puts), "{} puts", spent.puts);
        let wakeups = spent.wakeups * 100 / DAY.as_secs();
        assert!(wakeups <= WAKEUPS_IN_100_S, "{wakeups} wakeups in 100 s");
    }
    let a_minute = |spent: &Spent| spent.bytes / contacts / (24 * 60);
    assert!(
        a_minute(&second) <= BYTES_A_MINUTE,
        "{} bytes a minute",
        a_minute(&second)
    );
    assert!(
        a_minute(&first) <= BYTES_A_MINUTE * 5 / 4,
        "{} on the first day",
        a_minute(&first)
    );
    assert!(first.gets <= 16 * contacts && second.gets <= 7 * contacts);
    assert!(second.stores <= 2, "nothing changes");
    assert!(second.packets > contacts * 24, "they are looked for all the same");
}

/// What comes after so long that few meetings are used finds the router open.
#[test]
fn the_own_router_is_opened_once_a_minute_for_each_who_is_away() {
    let mut alone = Alone::new();
    alone.pass(DAY / 4);
    let hour = alone.pass(Duration::from_secs(3600));
    let (minutes, contacts) = (60, u64::from(CONTACTS));
    let openers = contacts * minutes * bounds::OPENED as u64;
    assert!(
        (openers * 9 / 10..openers * 12 / 10).contains(&hour.packets),
        "{hour:?}"
    );
    assert!(hour.bytes < contacts * minutes * BYTES_A_MINUTE, "{hour:?}");
}
