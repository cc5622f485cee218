//! Nodes on a network without delay. What a test wants otherwise it asks for: a cut line, a slow or full disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::command::{Command, Reply};
use crate::event::{CallView, ContactView, Event};
use crate::ids::{CallId, CommandId, ContactId, LinkId, RelayHandle, RelayId, Token};
use crate::io::{DhtAnswer, Input, LinkUp, Means, Output, Query};
use crate::message::{Frame, Message};
use crate::node::{Defaults, Node};
use crate::reach::candidates::{Interface, OwnAddresses};
use crate::reach::record::{self, Item};
use crate::reach::relay::{Forwards, unwrap, wrap};
use crate::reach::via::{Place, Via};
use crate::time::Now;

/// How a node's disk behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    Good,
    Full,
    /// Takes everything and says nothing until told to.
    Slow,
}

pub(super) struct Host {
    pub(super) node: Node,
    pub(super) disk: Disk,
    /// Generations that a slow disk has not answered.
    pub(super) unanswered: VecDeque<(u64, Vec<u8>)>,
    pub(super) stored: Vec<u8>,
    pub(super) stores: usize,
    pub(super) at: SocketAddr,
    pub(super) dials: usize,
    pub(super) sent: Vec<(SocketAddr, Vec<u8>)>,
    /// Where packets went that nobody passed on.
    pub(super) sent_directly: Vec<SocketAddr>,
    pub(super) forwards: Forwards,
    pub(super) closes: Vec<u32>,
    pub(super) events: Vec<Event>,
    pub(super) gates: Vec<CallId>,
    pub(super) frames: Vec<Vec<u8>>,
    admitted: BTreeSet<Token>,
    replies: BTreeMap<CommandId, Reply>,
    commands: u64,
}

pub(super) struct World {
    pub(super) hosts: Vec<Host>,
    pub(super) now: Now,
    /// Whether anything passes between hosts.
    pub(super) cut: bool,
    /// What the DHT holds, and every question to it.
    pub(super) dht: BTreeMap<record::Place, Item>,
    pub(super) queries: Vec<(usize, Query)>,
    /// Whether every REFUSED is lost.
    pub(super) loses_refusals: bool,
    /// Frames to this host wait.
    pub(super) hold: Option<usize>,
    held: Vec<(usize, Input)>,
    links: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    next_link: u64,
    /// Pairs that hear each other through somebody else alone.
    apart: BTreeSet<(usize, usize)>,
    /// Where each end of a link sends to.
    roads: BTreeMap<(usize, LinkId), Place>,
    /// The ways that each host has through others.
    ways: BTreeMap<(usize, RelayId), (SocketAddr, RelayHandle)>,
    /// Hosts that have an address at a relay server.
    pub(super) at_server: BTreeSet<usize>,
    /// Whether nobody gets one.
    pub(super) server_fails: bool,
    /// On its way.
    mail: VecDeque<(usize, Input)>,
}

pub(super) fn at(host: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 4000 + u16::try_from(host).unwrap()))
}

/// A host's address at its relay server.
pub(super) fn at_server(host: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000 + u16::try_from(host).unwrap()))
}

pub(super) fn addresses(host: usize) -> OwnAddresses {
    addresses_at(at(host))
}

pub(super) fn addresses_at(at: SocketAddr) -> OwnAddresses {
    OwnAddresses {
        interfaces: vec![Interface { ip: at.ip(), prefix: 8 }],
        port: at.port(),
        loopback_only: true,
    }
}

impl World {
    /// So many people; of any two, the one with the lower number dials.
    pub(super) fn new(count: usize) -> Self {
        let now = Now {
            boot: Duration::from_secs(1000),
            wall: 1_800_000_000,
            millis: 0,
        };
        let names = Defaults {
            person_name: "Person".into(),
            device_name: "computer".into(),
        };
        let mut nodes: Vec<Node> = (0..count)
            .map(|seed| Node::new([u8::try_from(seed).unwrap() + 1; 32], None, &names, now).unwrap())
            .collect();
        nodes.sort_by_key(Node::device);
        let hosts = nodes
            .into_iter()
            .enumerate()
            .map(|(host, node)| Host::new(node, at(host)))
            .collect();
        let mut world = Self {
            hosts,
            now,
            cut: false,
            dht: BTreeMap::new(),
            queries: Vec::new(),
            hold: None,
            loses_refusals: false,
            held: Vec::new(),
            links: BTreeMap::new(),
            apart: BTreeSet::new(),
            roads: BTreeMap::new(),
            ways: BTreeMap::new(),
            at_server: BTreeSet::new(),
            server_fails: false,
            next_link: 1,
            mail: VecDeque::new(),
        };
        for host in 0..count {
            world.input(host, Input::Interfaces(addresses(host)));
        }
        world
    }

    /// As [`Self::new`], and the first two are each other's contacts, green.
    pub(super) fn friends(count: usize) -> Self {
        let mut world = Self::new(count);
        world.befriend(1, 0);
        world
    }

    /// Gives everybody a DHT.
    pub(super) fn with_dht(mut self) -> Self {
        for host in 0..self.hosts.len() {
            self.input(host, Input::Means(Means { dht: true, lan: false }));
        }
        self
    }

    /// A question to the DHT, which is perfect.
    fn answer_query(&mut self, host: usize, query: Query) {
        self.queries.push((host, query.clone()));
        let answers = match query {
            Query::LanShow { .. } => Vec::new(),
            Query::DhtPut { query, item } => {
                let known = self.dht.get(&item.place).map(|known| known.seq);
                let answer = if known.is_some_and(|known| item.seq <= known) {
                    DhtAnswer::Failed
                } else {
                    self.dht.insert(item.place, item);
                    DhtAnswer::Stored
                };
                vec![Input::DhtAnswer { query, answer }]
            }
            Query::DhtGet { query, place } => {
                let found = self.dht.get(&place).cloned().map(DhtAnswer::Found);
                let answers = found.into_iter().chain([DhtAnswer::Done]);
                answers.map(|answer| Input::DhtAnswer { query, answer }).collect()
            }
        };
        self.mail.extend(answers.into_iter().map(|answer| (host, answer)));
    }

    pub(super) fn invite(&mut self, host: usize) -> String {
        let reply = self.command(host, Command::CreateInvite { expires_in_s: 3600 });
        let Some(Reply::Invite(id)) = reply else {
            panic!("{reply:?}")
        };
        let snapshot = self.hosts[host].node.snapshot(self.now);
        let invite = snapshot.invites.iter().find(|invite| invite.id == id).unwrap();
        invite.link.clone()
    }

    pub(super) fn add(&mut self, host: usize, link: &str) -> ContactId {
        let reply = self.command(
            host,
            Command::AddContact {
                link: link.into(),
                name: None,
                temporary: false,
            },
        );
        let Some(Reply::Contact(id)) = reply else {
            panic!("{reply:?}")
        };
        id
    }

    pub(super) fn befriend(&mut self, inviter: usize, invitee: usize) {
        let link = self.invite(inviter);
        self.add(invitee, &link);
        self.pass(Duration::from_secs(1));
    }

    pub(super) fn command(&mut self, host: usize, command: Command) -> Option<Reply> {
        self.hosts[host].commands += 1;
        let id = CommandId(self.hosts[host].commands);
        self.input(host, Input::Command { id, command });
        self.hosts[host].replies.get(&id).cloned()
    }

    pub(super) fn reply(&self, host: usize, command: u64) -> Option<&Reply> {
        self.hosts[host].replies.get(&CommandId(command))
    }

    pub(super) fn last_command(&self, host: usize) -> u64 {
        self.hosts[host].commands
    }

    pub(super) fn contacts(&self, host: usize) -> Vec<ContactView> {
        self.hosts[host].node.snapshot(self.now).contacts
    }

    /// The only contact.
    pub(super) fn contact(&self, host: usize) -> ContactView {
        self.contacts(host).into_iter().next().unwrap()
    }

    /// The newest call.
    pub(super) fn call(&self, host: usize) -> CallView {
        self.calls(host).into_iter().next_back().unwrap()
    }

    pub(super) fn calls(&self, host: usize) -> Vec<CallView> {
        self.hosts[host].node.snapshot(self.now).calls
    }

    /// The host's newest link.
    pub(super) fn link(&self, host: usize) -> LinkId {
        self.links
            .keys()
            .filter(|(owner, _)| *owner == host)
            .map(|(_, link)| *link)
            .max()
            .unwrap()
    }

    /// Hands one input over and lets everything come of it that does.
    pub(super) fn input(&mut self, host: usize, input: Input) {
        let now = self.now;
        self.hosts[host].node.handle(input, now);
        self.settle();
    }

    /// Lets time pass, with every timer rung when it is due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.boot + time;
        for _ in 0..100_000 {
            let due = self.hosts.iter().map(|host| host.node.poll_timeout()).min();
            let due = due.unwrap().max(self.now.boot);
            if due > end {
                self.set_clock(end);
                return;
            }
            self.set_clock(due);
            let now = self.now;
            for host in &mut self.hosts {
                if host.node.poll_timeout() <= now.boot {
                    host.node.handle_timeout(now);
                }
            }
            self.settle();
        }
        panic!("the timers never come to rest");
    }

    fn set_clock(&mut self, boot: Duration) {
        let wall = 1_799_999_000 + boot.as_secs();
        let millis = u16::try_from(boot.subsec_millis()).unwrap();
        self.now = Now { boot, wall, millis };
    }

    /// Lets the frames that waited arrive.
    pub(super) fn release(&mut self) {
        self.hold = None;
        self.mail.extend(std::mem::take(&mut self.held));
        self.settle();
    }

    /// Answers what a slow disk was given, one generation.
    pub(super) fn disk_answers(&mut self, host: usize, good: bool) {
        let (generation, state) = self.hosts[host].unanswered.pop_front().unwrap();
        if good {
            self.hosts[host].stored = state;
        }
        self.input(
            host,
            if good {
                Input::Stored { generation }
            } else {
                Input::StoreFailed { generation }
            },
        );
    }

    /// The host dies at once and starts anew from its disk.
    pub(super) fn restart(&mut self, host: usize, seed: u8) {
        let names = Defaults {
            person_name: "?".into(),
            device_name: "?".into(),
        };
        let stored = self.hosts[host].stored.clone();
        let node = Node::new([seed; 32], Some(&stored), &names, self.now).unwrap();
        self.links.retain(|(one, _), (other, _)| *one != host && *other != host);
        self.hosts[host] = Host::new(node, self.hosts[host].at);
        self.hosts[host].stored = stored;
        self.ways.retain(|(owner, _), _| *owner != host);
        self.at_server.remove(&host);
        self.input(host, Input::Interfaces(addresses_at(self.hosts[host].at)));
    }

    /// The host is at another address from here on; its links are lost without a word.
    pub(super) fn move_host(&mut self, host: usize, to: SocketAddr) {
        self.hosts[host].at = to;
        self.links.retain(|(one, _), (other, _)| *one != host && *other != host);
        self.input(host, Input::Interfaces(addresses_at(to)));
    }

    fn host_at(&self, to: SocketAddr) -> Option<usize> {
        self.hosts.iter().position(|host| host.at == to)
    }

    fn settle(&mut self) {
        for _ in 0..20_000 {
            let next = (0..self.hosts.len()).find_map(|host| Some((host, self.hosts[host].node.poll_output()?)));
            let Some((host, output)) = next else {
                let Some((host, input)) = self.mail.pop_front() else {
                    return;
                };
                let now = self.now;
                self.hosts[host].node.handle(input, now);
                continue;
            };
            self.perform(host, output);
        }
        panic!("the nodes never come to rest");
    }

    fn perform(&mut self, host: usize, output: Output) {
        match output {
            Output::Transmit { to, via, bytes, .. } => {
                self.hosts[host].sent.push((to, bytes.clone()));
                if via.is_direct() {
                    self.hosts[host].sent_directly.push(to);
                }
                let road = self.road(host, Place { at: to, via });
                if let Some((target, Place { at: from, via })) = road {
                    self.mail.push_back((target, Input::Datagram { from, via, bytes }));
                }
            }
            Output::OpenSpares { .. } | Output::CloseSpares { .. } => {}
            Output::Admit { token, valid_for: _ } => {
                self.hosts[host].admitted.insert(token);
            }
            Output::Revoke { token } => {
                self.hosts[host].admitted.remove(&token);
            }
            Output::Dial {
                dial,
                peer,
                to,
                via,
                token,
                ..
            } => {
                self.hosts[host].dials += 1;
                let place = Place { at: to, via };
                let Some((target, seen)) = self.road(host, place) else {
                    return self.mail.push_back((host, Input::DialFailed { dial }));
                };
                assert!(self.hosts[target].admitted.remove(&token), "an admitted token");
                assert_eq!(self.hosts[target].node.device(), peer);
                let (near, far) = (LinkId(self.next_link), LinkId(self.next_link + 1));
                self.next_link += 2;
                self.links.insert((host, near), (target, far));
                self.links.insert((target, far), (host, near));
                self.roads.insert((host, near), place);
                self.roads.insert((target, far), seen);
                let exporter = [u8::try_from(self.next_link % 251).unwrap(); 32];
                let up = |link, dial, peer, place: Place| {
                    Input::LinkUp(LinkUp {
                        link,
                        dial,
                        peer,
                        remote: place.at,
                        via: place.via,
                        visitor: None,
                        exporter,
                    })
                };
                let dialer = self.hosts[host].node.device();
                self.mail.push_back((target, up(far, None, dialer, seen)));
                self.mail.push_back((host, up(near, Some(dial), peer, place)));
            }
            Output::Close { link, code } => {
                self.hosts[host].closes.push(code);
                let far = self.far(host, link);
                self.links.remove(&(host, link));
                if let Some((other, far)) = far {
                    self.links.remove(&(other, far));
                    let code = Some(u64::from(code));
                    self.mail.push_back((other, Input::LinkDown { link: far, code }));
                }
            }
            Output::Send { link, bytes } => self.deliver(host, link, bytes),
            Output::SendAlive { link, bytes } => {
                if let Some((other, far)) = self.far(host, link) {
                    self.mail.push_back((other, Input::Alive { link: far, bytes }));
                }
            }
            Output::Store { generation, state } => self.keep(host, generation, state),
            Output::Reply { id, reply } => {
                self.hosts[host].replies.insert(id, reply);
            }
            Output::Query(query) => self.answer_query(host, query),
            Output::Event(event) => self.hosts[host].events.push(event),
            Output::OpenGate { call } => self.hosts[host].gates.push(call),
            Output::UseRelay { .. }
            | Output::LeaveRelay { .. }
            | Output::Forward(_)
            | Output::EndForward { .. }
            | Output::Turn { .. } => self.perform_relay(host, &output),
            Output::Route { .. }
            | Output::FarTakes { .. }
            | Output::EndMedia { .. }
            | Output::FindStunServers
            | Output::FindDhtNodes
            | Output::AskPortMapper
            | Output::OpenDoor { .. }
            | Output::CloseDoor
            | Output::LetIn { .. }
            | Output::TurnAway { .. }
            | Output::DialDoor { .. } => {}
        }
    }

    fn perform_relay(&mut self, host: usize, output: &Output) {
        let now = self.now;
        if let Output::UseRelay { relay, at, handle } = output {
            self.ways.insert((host, *relay), (*at, *handle));
        } else if let Output::LeaveRelay { relay } = output {
            self.ways.remove(&(host, *relay));
        } else if let Output::Forward(pair) = output {
            self.hosts[host].forwards.open(pair, now.boot);
        } else if let Output::EndForward { pair } = output {
            self.hosts[host].forwards.close(*pair);
        } else if let Output::Turn { wanted } = output {
            if *wanted && !self.server_fails {
                self.at_server.insert(host);
            } else {
                self.at_server.remove(&host);
            }
            let relayed = self.at_server.contains(&host).then(|| at_server(host));
            if *wanted {
                self.mail.push_back((host, Input::Turn { relayed }));
            }
        }
    }

    fn keep(&mut self, host: usize, generation: u64, state: Vec<u8>) {
        let now = self.now;
        let host = &mut self.hosts[host];
        host.stores += 1;
        match host.disk {
            Disk::Good => {
                host.stored = state;
                host.node.handle(Input::Stored { generation }, now);
            }
            Disk::Full => host.node.handle(Input::StoreFailed { generation }, now),
            Disk::Slow => host.unanswered.push_back((generation, state)),
        }
    }

    fn far(&mut self, host: usize, link: LinkId) -> Option<(usize, LinkId)> {
        let place = *self.roads.get(&(host, link))?;
        let _heard = self.road(host, place)?;
        self.links.get(&(host, link)).copied()
    }

    /// Keeps two hosts from hearing each other directly, or does not.
    pub(super) fn part(&mut self, one: usize, other: usize, apart: bool) {
        for pair in [(one, other), (other, one)] {
            if apart {
                self.apart.insert(pair);
            } else {
                self.apart.remove(&pair);
            }
        }
    }

    fn deliver(&mut self, host: usize, link: LinkId, bytes: Vec<u8>) {
        self.hosts[host].frames.push(bytes.clone());
        if self.loses_refusals && matches!(Frame::parse(&bytes), Ok((_, Message::Refused(_)))) {
            return;
        }
        if let Some((other, far)) = self.far(host, link) {
            let input = Input::Control { link: far, bytes };
            if self.hold == Some(other) {
                self.held.push((other, input));
            } else {
                self.mail.push_back((other, input));
            }
        }
    }

    /// Who hears what a host sends to a place, and where it comes from there.
    fn road(&mut self, host: usize, to: Place) -> Option<(usize, Place)> {
        if self.cut {
            return None;
        }
        let places: Vec<SocketAddr> = self.hosts.iter().map(|host| host.at).collect();
        let at = |host: usize| places[host];
        let host_at = |wanted| self.host_at(wanted);
        let through_server = self.at_server.iter().copied().find(|other| at_server(*other) == to.at);
        let heard = |other: &usize| !self.apart.contains(&(host, *other));
        match to.via {
            Via::Own | Via::Spare(_) => match through_server {
                Some(target) => {
                    let via = Via::Turn;
                    Some((target, Place { at: at(host), via }))
                }
                None => Some((host_at(to.at).filter(heard)?, Place::own(at(host)))),
            },
            Via::Turn => {
                let via = if through_server.is_some() { Via::Turn } else { Via::Own };
                let target = through_server.or_else(|| host_at(to.at))?;
                let here = self.at_server.contains(&host);
                here.then(|| {
                    (
                        target,
                        Place {
                            at: at_server(host),
                            via,
                        },
                    )
                })
            }
            Via::Relay(id) => {
                let (relay_at, handle) = *self.ways.get(&(host, id))?;
                let relay = host_at(relay_at).filter(heard)?;
                let mut frame = wrap(handle, &[5; 100]);
                let now = self.now.boot;
                let end = self.hosts[relay].forwards.forward(at(host), &mut frame, now)?;
                let target = (0..self.hosts.len()).find(|other| at(*other) == end)?;
                let (handle, _) = unwrap(&frame)?;
                let known = |way: &(&(usize, RelayId), &(SocketAddr, RelayHandle))| {
                    way.0.0 == target && *way.1 == (at(relay), handle)
                };
                let id = self.ways.iter().find(known)?.0.1;
                let heard = !self.apart.contains(&(relay, target));
                heard.then(|| (target, Place::relayed(id)))
            }
        }
    }
}

impl Host {
    fn new(node: Node, at: SocketAddr) -> Self {
        Self {
            node,
            at,
            disk: Disk::Good,
            unanswered: VecDeque::new(),
            stored: Vec::new(),
            stores: 0,
            dials: 0,
            sent: Vec::new(),
            sent_directly: Vec::new(),
            forwards: Forwards::default(),
            closes: Vec::new(),
            events: Vec::new(),
            gates: Vec::new(),
            frames: Vec::new(),
            admitted: BTreeSet::new(),
            replies: BTreeMap::new(),
            commands: 0,
        }
    }
}
