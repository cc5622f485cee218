//! A few nodes in one room, like `world`, but with a line that can be bent: whatever one sends, the other has at once, and
//! control messages may be changed or lost on their way.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::super::{Defaults, Node};
use crate::command::{Command, Reply};
use crate::event::{CallView, ContactView, Event};
use crate::ids::{CallId, CommandId, ContactId, DeviceKey, DialId, LinkId, VisitorId};
use crate::io::{Input, LinkUp, Output};
use crate::message::{Frame, Message};
use crate::reach::candidates::{Interface, OwnAddresses};
use crate::reach::via::Via;
use crate::reach::{krpc, stun};
use crate::time::Now;

/// Changes a control message on its way, or swallows it. The first argument is the sender.
pub(super) type Bend = Box<dyn FnMut(usize, Message) -> Option<Message>>;

pub(super) struct Host {
    pub(super) node: Node,
    at: SocketAddr,
    pub(super) disk: Vec<u8>,
    pub(super) disk_fails: bool,
    replies: BTreeMap<CommandId, Reply>,
    pub(super) events: Vec<Event>,
    /// Codes with which this host closed links.
    pub(super) closed: Vec<u32>,
    pub(super) knocks: usize,
    pub(super) opened: Vec<CallId>,
    /// The TLS key that its open door shows.
    pub(super) door: Option<DeviceKey>,
    /// Entries asked for, let in and turned away.
    pub(super) visitors: [usize; 3],
}

pub(super) struct Lab {
    pub(super) hosts: Vec<Host>,
    pub(super) now: Now,
    ends: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    numbers: u64,
    pub(super) waiting: VecDeque<(usize, Input)>,
    pub(super) bend: Bend,
    /// The STUN servers that every host is told of.
    pub(super) stun: Vec<SocketAddr>,
    /// Where a server sees a host; by default where it is.
    pub(super) mapped: BTreeMap<(usize, SocketAddr), SocketAddr>,
    /// Questions that STUN servers were asked.
    pub(super) stun_asked: usize,
    /// Whether they answer.
    pub(super) stun_answers: bool,
    /// How often somebody wanted to know where they are.
    pub(super) stun_names_asked: usize,
    /// Questions that STUN servers were asked beside the one socket.
    pub(super) spares_asked: usize,
    /// The nodes of the DHT that every host is told of, and where each sees everybody.
    pub(super) nodes: BTreeMap<SocketAddr, SocketAddr>,
    /// How often somebody wanted to know nodes, and pings they got.
    pub(super) nodes_asked: usize,
    pub(super) pings: usize,
    /// Who stands at which door: the caller, its dial, and the key it shows.
    callers: BTreeMap<VisitorId, (usize, DialId, DeviceKey)>,
}

impl Host {
    /// Where its packets come from.
    pub(super) const fn at(&self) -> SocketAddr {
        self.at
    }
}

impl Lab {
    /// Hosts that know nobody.
    pub(super) fn new(hosts: usize) -> Self {
        let now = Now {
            boot: Duration::from_secs(1000),
            wall: 1_800_000_000,
            millis: 0,
        };
        let mut lab = Self {
            hosts: Vec::new(),
            now,
            ends: BTreeMap::new(),
            numbers: 0,
            waiting: VecDeque::new(),
            bend: Box::new(|_, message| Some(message)),
            stun: Vec::new(),
            mapped: BTreeMap::new(),
            stun_asked: 0,
            stun_answers: true,
            stun_names_asked: 0,
            spares_asked: 0,
            nodes: BTreeMap::new(),
            nodes_asked: 0,
            pings: 0,
            callers: BTreeMap::new(),
        };
        for index in 0..hosts {
            let node = start(index, None, now);
            lab.hosts.push(Host {
                node,
                at: SocketAddr::from(([11, 0, 0, u8::try_from(index + 1).unwrap()], 2226)),
                disk: Vec::new(),
                disk_fails: false,
                replies: BTreeMap::new(),
                events: Vec::new(),
                closed: Vec::new(),
                knocks: 0,
                opened: Vec::new(),
                door: None,
                visitors: [0; 3],
            });
            lab.move_in(index);
        }
        lab.settle();
        lab
    }

    /// Two who know each other and are green.
    pub(super) fn pair() -> Self {
        let mut lab = Self::new(2);
        lab.acquaint(0, 1);
        lab
    }

    pub(super) fn move_in(&mut self, index: usize) {
        let at = self.hosts[index].at;
        let own = OwnAddresses {
            interfaces: vec![Interface {
                ip: at.ip(),
                prefix: 24,
            }],
            port: at.port(),
            loopback_only: false,
        };
        self.waiting.push_back((index, Input::Interfaces(own)));
    }

    pub(super) fn acquaint(&mut self, inviter: usize, invitee: usize) {
        let link = self.invite(inviter);
        let added = self.ask(
            invitee,
            Command::AddContact {
                link,
                name: None,
                temporary: false,
            },
        );
        assert!(matches!(added, Reply::Contact(_)), "{added:?}");
        self.pass(Duration::from_secs(5));
        assert!(self.contact(inviter, invitee).path.is_some());
    }

    pub(super) fn invite(&mut self, inviter: usize) -> String {
        let Reply::Invite(id) = self.ask(inviter, Command::CreateInvite { expires_in_s: 3600 }) else {
            panic!("no invite");
        };
        let invites = self.hosts[inviter].node.snapshot(self.now).invites;
        invites.into_iter().find(|invite| invite.id == id).unwrap().link
    }

    /// Hands one input over and lets everything come of it that does.
    pub(super) fn feed(&mut self, index: usize, input: Input) {
        self.waiting.push_back((index, input));
        self.settle();
    }

    /// Has a host do something and gives the answer, which must come at once.
    pub(super) fn ask(&mut self, index: usize, command: Command) -> Reply {
        let id = self.begin(index, command);
        self.reply(index, id).unwrap()
    }

    /// Has a host do something whose answer may come later.
    pub(super) fn begin(&mut self, index: usize, command: Command) -> CommandId {
        self.numbers += 1;
        let id = CommandId(self.numbers);
        self.waiting.push_back((index, Input::Command { id, command }));
        self.settle();
        id
    }

    pub(super) fn reply(&self, index: usize, id: CommandId) -> Option<Reply> {
        self.hosts[index].replies.get(&id).cloned()
    }

    /// How one host shows the other.
    pub(super) fn contact(&self, index: usize, other: usize) -> ContactView {
        let root = self.hosts[other].node.root();
        let known = self.hosts[index].node.state.contact_of(&root).unwrap().id;
        let contacts = self.hosts[index].node.snapshot(self.now).contacts;
        contacts.into_iter().find(|contact| contact.id == known).unwrap()
    }

    pub(super) fn id(&self, index: usize, other: usize) -> ContactId {
        self.contact(index, other).id
    }

    /// A call as one host shows it.
    pub(super) fn call(&self, index: usize, id: CallId) -> CallView {
        let calls = self.hosts[index].node.snapshot(self.now).calls;
        calls.into_iter().find(|call| call.id == id).unwrap()
    }

    /// Everything that follows at this moment.
    pub(super) fn settle(&mut self) {
        loop {
            for index in 0..self.hosts.len() {
                while let Some(output) = self.hosts[index].node.poll_output() {
                    self.perform(index, output);
                }
            }
            let Some((index, input)) = self.waiting.pop_front() else {
                return;
            };
            self.hosts[index].node.handle(input, self.now);
        }
    }

    /// Lets time pass, with everything that is due in it.
    pub(super) fn pass(&mut self, time: Duration) {
        let (begin, end) = (self.now, self.now.boot + time);
        loop {
            let due = self.hosts.iter().map(|host| host.node.poll_timeout()).min().unwrap();
            self.now.boot = due.clamp(self.now.boot, end);
            self.now.wall = begin.wall + (self.now.boot - begin.boot).as_secs();
            if due > end {
                self.now.boot = end;
                return;
            }
            for index in 0..self.hosts.len() {
                if self.hosts[index].node.poll_timeout() <= self.now.boot {
                    self.hosts[index].node.handle_timeout(self.now);
                }
            }
            self.settle();
        }
    }

    pub(super) fn perform(&mut self, index: usize, output: Output) {
        match output {
            // These servers do not know RFC 5780.
            Output::Transmit {
                to,
                via: Via::Spare(_),
                bytes: _,
                ttl: _,
            } if self.stun.contains(&to) => self.spares_asked += 1,
            Output::Transmit { to, bytes, .. } if self.stun.contains(&to) => self.answer_stun(index, to, &bytes),
            Output::Transmit { to, bytes, .. } if self.nodes.contains_key(&to) => self.answer_ping(index, to, &bytes),
            Output::FindDhtNodes => {
                self.nodes_asked += 1;
                let nodes = self.nodes.keys().copied().collect();
                self.waiting.push_back((index, Input::DhtNodes(nodes)));
            }
            Output::FindStunServers => {
                self.stun_names_asked += 1;
                let servers = self.stun.clone();
                self.waiting.push_back((index, Input::StunServers(servers)));
            }
            Output::Transmit { to, via, bytes, .. } => {
                self.hosts[index].knocks += 1;
                let from = self.hosts[index].at;
                if let Some(there) = self.hosts.iter().position(|host| host.at == to) {
                    self.waiting.push_back((there, Input::Datagram { from, via, bytes }));
                }
            }
            Output::Dial { dial, peer, to, .. } => self.connect(index, dial, peer, to),
            Output::Close { link, code } => {
                self.hosts[index].closed.push(code);
                if let Some((there, far)) = self.ends.remove(&(index, link)) {
                    self.ends.remove(&(there, far));
                    let code = Some(u64::from(code));
                    self.waiting.push_back((there, Input::LinkDown { link: far, code }));
                }
            }
            Output::Send { link, bytes } => self.send(index, link, &bytes),
            Output::SendAlive { link, bytes } => {
                if let Some((there, link)) = self.ends.get(&(index, link)).copied() {
                    self.waiting.push_back((there, Input::Alive { link, bytes }));
                }
            }
            Output::Store { generation, state } => {
                let host = &mut self.hosts[index];
                let input = if host.disk_fails {
                    Input::StoreFailed { generation }
                } else {
                    host.disk = state;
                    Input::Stored { generation }
                };
                self.waiting.push_back((index, input));
            }
            Output::Reply { id, reply } => {
                self.hosts[index].replies.insert(id, reply);
            }
            Output::Event(event) => self.hosts[index].events.push(event),
            Output::OpenGate { call } => self.hosts[index].opened.push(call),
            Output::OpenDoor { seed, .. } => self.hosts[index].door = Some(tls_key(&seed)),
            Output::CloseDoor => self.hosts[index].door = None,
            Output::DialDoor { dial, to, seed } => self.ring_at(index, dial, to, tls_key(&seed)),
            Output::LetIn { visitor } => self.let_in(index, visitor),
            Output::TurnAway { visitor } => {
                self.hosts[index].visitors[2] += 1;
                let (caller, dial, _) = self.callers.remove(&visitor).unwrap();
                self.waiting.push_back((caller, Input::TurnedAway { dial }));
            }
            Output::OpenSpares { .. } | Output::CloseSpares { .. } => {}
            Output::Admit { .. }
            | Output::Revoke { .. }
            | Output::Route { .. }
            | Output::EndMedia { .. }
            | Output::AskPortMapper
            | Output::FarTakes { .. }
            | Output::UseRelay { .. }
            | Output::LeaveRelay { .. }
            | Output::Forward(_)
            | Output::EndForward { .. }
            | Output::Turn { .. }
            | Output::Query(_) => {}
        }
    }

    pub(super) fn connect(&mut self, index: usize, dial: DialId, peer: DeviceKey, to: SocketAddr) {
        let there = self
            .hosts
            .iter()
            .position(|host| host.at == to && host.node.device() == peer);
        let Some(there) = there else {
            return self.waiting.push_back((index, Input::DialFailed { dial }));
        };
        let (here_link, there_link, exporter) = self.join(index, there);
        let up = |link, dial, who: &Host| {
            Input::LinkUp(LinkUp {
                link,
                dial,
                peer: who.node.device(),
                remote: who.at,
                via: Via::Own,
                visitor: None,
                exporter,
            })
        };
        let here = up(here_link, Some(dial), &self.hosts[there]);
        let far = up(there_link, None, &self.hosts[index]);
        self.waiting.extend([(index, here), (there, far)]);
    }

    fn join(&mut self, here: usize, there: usize) -> (LinkId, LinkId, [u8; 32]) {
        self.numbers += 1;
        let (here_link, there_link) = (LinkId(2 * self.numbers), LinkId(2 * self.numbers + 1));
        self.ends.insert((here, here_link), (there, there_link));
        self.ends.insert((there, there_link), (here, here_link));
        (here_link, there_link, crate::crypto::hash(&self.numbers.to_be_bytes()))
    }

    /// Rings at a door; where it is closed nothing comes back, and the dial comes to nothing.
    fn ring_at(&mut self, index: usize, dial: DialId, to: SocketAddr, key: DeviceKey) {
        let Some(there) = self.hosts.iter().position(|host| host.at == to && host.door.is_some()) else {
            return self.waiting.push_back((index, Input::DialFailed { dial }));
        };
        self.numbers += 1;
        let visitor = VisitorId(self.numbers);
        self.callers.insert(visitor, (index, dial, key));
        self.hosts[there].visitors[0] += 1;
        let from = self.hosts[index].at;
        self.waiting.push_back((there, Input::Visitor { visitor, from }));
    }

    fn let_in(&mut self, index: usize, visitor: VisitorId) {
        self.hosts[index].visitors[1] += 1;
        let (caller, dial, key) = self.callers.remove(&visitor).unwrap();
        let (near, far, exporter) = self.join(caller, index);
        let shown = self.hosts[index].door.unwrap();
        let up = |link, dial, visitor, peer, remote| {
            Input::LinkUp(LinkUp {
                link,
                dial,
                visitor,
                peer,
                remote,
                via: Via::Own,
                exporter,
            })
        };
        let (here, there) = (self.hosts[index].at, self.hosts[caller].at);
        self.waiting
            .push_back((index, up(far, None, Some(visitor), key, there)));
        self.waiting
            .push_back((caller, up(near, Some(dial), None, shown, here)));
    }

    pub(super) fn send(&mut self, index: usize, link: LinkId, bytes: &[u8]) {
        let Some((there, link)) = self.ends.get(&(index, link)).copied() else {
            return;
        };
        let (frame, message) = Frame::parse(bytes).unwrap();
        if let Some(message) = (self.bend)(index, message) {
            let bytes = Frame::new(frame.number, frame.ack, &message).to_bytes();
            self.waiting.push_back((there, Input::Control { link, bytes }));
        }
    }

    fn answer_stun(&mut self, index: usize, server: SocketAddr, bytes: &[u8]) {
        self.stun_asked += 1;
        if !self.stun_answers {
            return;
        }
        let Some(stun::Message::Request(request)) = stun::parse(bytes) else {
            panic!("a request")
        };
        let at = self.hosts[index].at;
        let response = stun::Response {
            tx: request.tx,
            mapped: self.mapped.get(&(index, server)).copied().unwrap_or(at),
            other: None,
        };
        let bytes = response.to_bytes();
        let via = Via::Own;
        self.waiting.push_back((
            index,
            Input::Stun {
                from: server,
                via,
                bytes,
            },
        ));
    }

    /// A node answers who pings it, and at first somebody else tries to.
    fn answer_ping(&mut self, index: usize, node: SocketAddr, bytes: &[u8]) {
        self.pings += 1;
        let at = bytes.windows(5).position(|window| window == b"1:t4:").unwrap() + 5;
        let pong = |seen| {
            let tx = bytes[at..at + 4].try_into().unwrap();
            krpc::Pong { tx, seen }.to_bytes(&[1; 20])
        };
        let forged = Input::Krpc {
            from: SocketAddr::new(node.ip(), 9),
            bytes: pong("203.0.113.99:9".parse().unwrap()),
        };
        let bytes = pong(self.nodes[&node]);
        self.waiting.push_back((index, forged));
        self.waiting.push_back((index, Input::Krpc { from: node, bytes }));
    }

    /// Every connection breaks; they are made again.
    pub(super) fn cut(&mut self) {
        let ends: Vec<(usize, LinkId)> = std::mem::take(&mut self.ends).into_keys().collect();
        for (index, link) in ends {
            self.waiting.push_back((index, Input::LinkDown { link, code: None }));
        }
        self.settle();
        self.pass(Duration::from_secs(5));
    }

    /// A daemon starts anew from its disk.
    pub(super) fn restart(&mut self, index: usize) {
        let (disk, now) = (self.hosts[index].disk.clone(), self.now);
        let ends: Vec<(usize, LinkId)> = self.ends.keys().copied().collect();
        for end in ends.into_iter().filter(|end| end.0 == index) {
            if let Some((there, link)) = self.ends.remove(&end) {
                self.ends.remove(&(there, link));
                self.waiting.push_back((there, Input::LinkDown { link, code: Some(0) }));
            }
        }
        self.hosts[index].node = start(index + 100, Some(&disk), now);
        self.hosts[index].door = None;
        self.move_in(index);
        self.settle();
        self.pass(Duration::from_secs(5));
    }

    pub(super) fn is_green(&self, index: usize, other: usize) -> bool {
        self.contact(index, other).reachable == crate::event::Reachable::Yes
    }
}

/// The TLS key that grows from a seed.
pub(super) fn tls_key(seed: &crate::crypto::Secret) -> DeviceKey {
    DeviceKey(crate::crypto::sign_public(seed))
}

fn start(seed: usize, disk: Option<&[u8]>, now: Now) -> Node {
    let defaults = Defaults {
        person_name: format!("Person {seed}"),
        device_name: "desk".into(),
    };
    Node::new([u8::try_from(seed).unwrap(); 32], disk, &defaults, now).unwrap()
}
