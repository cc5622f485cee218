//! Nodes on a network without delay. What a test wants otherwise it asks for: a cut line, a slow or full disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::command::{Command, Reply};
use crate::event::{CallView, ContactView, Event};
use crate::ids::{CallId, CommandId, ContactId, LinkId, Token};
use crate::io::{Input, LinkUp, Output};
use crate::message::{Frame, Message};
use crate::node::{Defaults, Node};
use crate::reach::candidates::{Interface, OwnAddresses};
use crate::reach::via::Via;
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
    pub(super) dials: usize,
    pub(super) sent: Vec<(SocketAddr, Vec<u8>)>,
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
    /// Whether every REFUSED is lost.
    pub(super) loses_refusals: bool,
    /// Frames to this host wait.
    pub(super) hold: Option<usize>,
    held: Vec<(usize, Input)>,
    links: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    next_link: u64,
    /// On its way.
    mail: VecDeque<(usize, Input)>,
}

pub(super) fn at(host: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 4000 + u16::try_from(host).unwrap()))
}

pub(super) fn addresses(host: usize) -> OwnAddresses {
    OwnAddresses {
        interfaces: vec![Interface {
            ip: at(host).ip(),
            prefix: 8,
        }],
        port: at(host).port(),
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
        let hosts = nodes.into_iter().map(Host::new).collect();
        let mut world = Self {
            hosts,
            now,
            cut: false,
            hold: None,
            loses_refusals: false,
            held: Vec::new(),
            links: BTreeMap::new(),
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
        self.hosts[host] = Host::new(node);
        self.hosts[host].stored = stored;
        self.input(host, Input::Interfaces(addresses(host)));
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
        let now = self.now;
        match output {
            Output::Transmit { to, via, bytes, .. } => {
                self.hosts[host].sent.push((to, bytes.clone()));
                let target = (0..self.hosts.len()).find(|other| at(*other) == to);
                if let Some(target) = target.filter(|_| !self.cut) {
                    let from = at(host);
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
                dial, peer, to, token, ..
            } => {
                self.hosts[host].dials += 1;
                let target = (0..self.hosts.len()).find(|other| at(*other) == to).unwrap();
                assert!(self.hosts[target].admitted.remove(&token), "an admitted token");
                assert_eq!(self.hosts[target].node.device(), peer);
                let (near, far) = (LinkId(self.next_link), LinkId(self.next_link + 1));
                self.next_link += 2;
                self.links.insert((host, near), (target, far));
                self.links.insert((target, far), (host, near));
                let exporter = [u8::try_from(self.next_link % 251).unwrap(); 32];
                let up = |link, dial, peer, remote| {
                    Input::LinkUp(LinkUp {
                        link,
                        dial,
                        peer,
                        remote,
                        via: Via::Own,
                        visitor: None,
                        exporter,
                    })
                };
                let dialer = self.hosts[host].node.device();
                self.mail.push_back((target, up(far, None, dialer, at(host))));
                self.mail.push_back((host, up(near, Some(dial), peer, to)));
            }
            Output::Close { link, code } => {
                self.hosts[host].closes.push(code);
                let far = self.links.remove(&(host, link));
                if let Some((other, far)) = far.filter(|_| !self.cut) {
                    self.links.remove(&(other, far));
                    let code = Some(u64::from(code));
                    self.mail.push_back((other, Input::LinkDown { link: far, code }));
                }
            }
            Output::Send { link, bytes } => {
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
            Output::SendAlive { link, bytes } => {
                if let Some((other, far)) = self.far(host, link) {
                    self.mail.push_back((other, Input::Alive { link: far, bytes }));
                }
            }
            Output::Store { generation, state } => {
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
            Output::Reply { id, reply } => {
                self.hosts[host].replies.insert(id, reply);
            }
            Output::Event(event) => self.hosts[host].events.push(event),
            Output::OpenGate { call } => self.hosts[host].gates.push(call),
            Output::Route { .. }
            | Output::EndMedia { .. }
            | Output::OpenDoor { .. }
            | Output::CloseDoor
            | Output::LetIn { .. }
            | Output::TurnAway { .. }
            | Output::DialDoor { .. } => {}
        }
    }

    fn far(&self, host: usize, link: LinkId) -> Option<(usize, LinkId)> {
        self.links.get(&(host, link)).copied().filter(|_| !self.cut)
    }
}

impl Host {
    fn new(node: Node) -> Self {
        Self {
            node,
            disk: Disk::Good,
            unanswered: VecDeque::new(),
            stored: Vec::new(),
            stores: 0,
            dials: 0,
            sent: Vec::new(),
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
