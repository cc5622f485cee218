//! The flux capacitor: one true clock, one queue of what happens next, and the shells of all hosts.
//!
//! True time is the time since the simulation began. Every host has a boot clock and a wall clock of its own, which are
//! true time with an offset. What a shell does with a core's outputs happens here, as faithfully as a simulation can;
//! a [`Mutant`] makes it unfaithful in one way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::command::{Command, Reply};
use twocan_core::event::Event;
use twocan_core::ids::{CallId, CommandId, DialId, LegId};
use twocan_core::io::{Input, LegFact, Output};
use twocan_core::node::{Defaults, Node};

use super::conn::Conn;
use super::dice::Dice;
use super::host::{Asked, Gate, Held, Host, Seen, Shell, Then};
use super::mutant::Mutant;
use super::network::{Conditions, Network};
use super::quic::Attempt;
use super::watch::Watch;

/// Something that is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    Timer {
        host: usize,
        timer: u64,
    },
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Initial(Attempt),
    ClientUp {
        conn: usize,
        dial: DialId,
    },
    ServerUp {
        conn: usize,
        until: Duration,
    },
    Frame {
        conn: usize,
        side: usize,
    },
    Alive {
        conn: usize,
        side: usize,
        bytes: Vec<u8>,
        sent: Duration,
    },
    Closing {
        conn: usize,
        side: usize,
        code: u32,
        again: bool,
    },
    DiskWritten {
        host: usize,
        run: u32,
        generation: u64,
        state: Vec<u8>,
    },
    DiskTold {
        host: usize,
        run: u32,
        generation: u64,
        written: bool,
    },
    Wake {
        host: usize,
    },
    Start {
        host: usize,
    },
    Hear {
        one: usize,
        other: usize,
    },
    Do {
        host: usize,
        run: u32,
        command: Command,
        then: Then,
    },
    Redeem {
        host: usize,
        link: String,
    },
    Leg {
        host: usize,
        run: u32,
        call: CallId,
        leg: LegId,
        fact: LegFact,
    },
    Act,
}

/// What an output answers to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    Datagram { from: SocketAddr, size: usize },
    Other,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Duration,
    queue: BTreeMap<(Duration, u64), Happening>,
    queued: u64,
    pub(crate) dice: Dice,
    pub(crate) hosts: Vec<Host>,
    pub(crate) network: Network,
    pub(crate) conns: Vec<Conn>,
    pub(crate) watch: Watch,
    pub(crate) mutant: Option<Mutant>,
    /// Whether people react to rings and legs appear by themselves.
    pub(crate) lively: bool,
    /// Actions still to be drawn.
    pub(crate) actions_left: u32,
    pub(crate) steps: u64,
    /// Filled only when a failing seed is run again.
    pub(crate) trace: Option<Vec<String>>,
}

/// Adds a line to the trace, if there is one.
macro_rules! note {
    ($world:expr, $($text:tt)*) => {
        if $world.trace.is_some() {
            let line = format!($($text)*);
            $world.note(&line);
        }
    };
}
pub(crate) use note;

impl World {
    pub(crate) fn new(seed: u64, hosts: usize, conditions: Conditions, mutant: Option<Mutant>, trace: bool) -> Self {
        let mut dice = Dice::new(seed);
        let mut world = Self {
            now: Duration::from_secs(1),
            queue: BTreeMap::new(),
            queued: 0,
            hosts: (0..hosts).map(|index| Host::new(index, &mut dice)).collect(),
            dice,
            network: Network::new(conditions),
            conns: Vec::new(),
            watch: Watch::new(hosts),
            mutant,
            lively: false,
            actions_left: 0,
            steps: 0,
            trace: trace.then(Vec::new),
        };
        for host in 0..hosts {
            world.start(host);
        }
        world
    }

    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(crate) fn note(&mut self, line: &str) {
        let at = self.now.as_secs_f64();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at:>11.4} {line}"));
        }
    }

    pub(crate) fn later(&mut self, after: Duration, happening: Happening) {
        self.queued += 1;
        self.queue.insert((self.now + after, self.queued), happening);
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_while(end, |_| true);
    }

    /// Lets time pass until something is so; whether it came to be within the time.
    pub(crate) fn run_until(&mut self, limit: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        self.run_while(end, |world| !is_so(world));
        is_so(self)
    }

    fn run_while(&mut self, end: Duration, goes_on: impl Fn(&Self) -> bool) {
        while self.watch.violation.is_none() && goes_on(self) {
            match self.queue.first_key_value() {
                Some(((at, _), _)) if *at <= end => self.step(),
                Some(_) | None => {
                    self.now = self.now.max(end);
                    return;
                }
            }
        }
    }

    fn step(&mut self) {
        let Some(((at, _), happening)) = self.queue.pop_first() else {
            return;
        };
        self.now = self.now.max(at);
        self.steps += 1;
        self.happen(happening);
        self.check_step();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Timer { host, timer } => self.timer(host, timer),
            Happening::Datagram { from, to, bytes } => self.datagram(from, to, bytes),
            Happening::Initial(attempt) => self.initial(attempt),
            Happening::ClientUp { conn, dial } => self.client_up(conn, dial),
            Happening::ServerUp { conn, until } => self.server_up(conn, until),
            Happening::Frame { conn, side } => self.frame(conn, side),
            Happening::Alive {
                conn,
                side,
                bytes,
                sent,
            } => self.alive(conn, side, bytes, sent),
            Happening::Closing {
                conn,
                side,
                code,
                again,
            } => self.closing(conn, side, code, again),
            Happening::DiskWritten {
                host,
                run,
                generation,
                state,
            } => self.disk_written(host, run, generation, state),
            Happening::DiskTold {
                host,
                run,
                generation,
                written,
            } => self.disk_told(host, run, generation, written),
            Happening::Wake { host } => self.wake(host),
            Happening::Start { host } => self.start(host),
            Happening::Hear { one, other } => self.heal(one, other),
            Happening::Do {
                host,
                run,
                command,
                then,
            } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    self.command(host, command, then);
                }
            }
            Happening::Redeem { host, link } => {
                if self.hosts[host].works() {
                    self.redeem(host, link);
                }
            }
            Happening::Leg {
                host,
                run,
                call,
                leg,
                fact,
            } => {
                if self.hosts[host].run == run && self.hosts[host].works() {
                    self.feed(host, Input::Leg { call, leg, fact }, Cause::Other);
                }
            }
            Happening::Act => self.act(),
        }
    }

    // Daemons and machines.

    /// Starts a daemon with what is on its disk.
    pub(crate) fn start(&mut self, index: usize) {
        if self.hosts[index].node.is_some() {
            return;
        }
        // Who was never written to the disk comes back as somebody else: the shell is not ready before.
        let is_first = self.hosts[index].disk.written.is_none();
        if self.is(Mutant::WipedDisk) && self.hosts[index].run == 1 {
            self.hosts[index].disk.written = None;
        }
        if self.is(Mutant::RolledBackDisk) {
            self.hosts[index].disk.forget_redeemers();
        }
        let seed = self.dice.bytes();
        let (now, host) = (self.now, &mut self.hosts[index]);
        let defaults = Defaults {
            person_name: host.name().to_string(),
            device_name: "computer".to_owned(),
        };
        let node = Node::new(seed, host.disk.written.as_deref(), &defaults, host.clock(now)).unwrap();
        host.run += 1;
        host.shell = Shell {
            last_wakeup: now,
            ..Shell::default()
        };
        host.asleep = false;
        let (root, device) = (node.root(), node.device());
        let same = is_first || (host.root, host.device) == (root, device);
        (host.root, host.device) = (root, device);
        host.node = Some(node);
        let kept = std::mem::take(&mut host.seen);
        host.seen = Seen {
            people: kept.people,
            will_ring: kept.will_ring,
            will_ring_since: kept.will_ring_since,
            ..Seen::default()
        };
        note!(
            self,
            "{} starts (run {})",
            self.hosts[index].name(),
            self.hosts[index].run
        );
        if !same {
            self.fail("identity", format!("host {index} became somebody else"));
        }
        self.disturb(index);
        let own = self.hosts[index].own_addresses();
        self.feed(index, Input::Interfaces(own), Cause::Other);
        self.look(index);
        self.check_restart(index, is_first);
    }

    /// The daemon dies on the spot.
    pub(crate) fn crash(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        if host.node.take().is_none() {
            return;
        }
        host.asleep = false;
        host.disk.queue.clear();
        host.disk.busy = false;
        host.seen.calls.clear();
        for contact in host.seen.contacts.values_mut() {
            contact.reachable = twocan_core::event::Reachable::No(twocan_core::event::WhyNot::NoAnswer);
        }
        note!(self, "{} dies", self.hosts[index].name());
        self.disturb(index);
        self.call_side_gone(index);
    }

    /// The daemon exits in order.
    pub(crate) fn leave(&mut self, index: usize) {
        if self.hosts[index].works() {
            note!(self, "{} exits", self.hosts[index].name());
            self.feed(index, Input::Going, Cause::Other);
            self.crash(index);
        }
    }

    pub(crate) fn sleep(&mut self, index: usize, time: Duration) {
        if self.hosts[index].works() {
            note!(self, "{} sleeps for {time:?}", self.hosts[index].name());
            self.hosts[index].asleep = true;
            self.disturb(index);
            self.call_side_gone(index);
            self.later(time, Happening::Wake { host: index });
        }
    }

    fn wake(&mut self, index: usize) {
        if !self.hosts[index].asleep {
            return;
        }
        note!(self, "{} wakes", self.hosts[index].name());
        self.hosts[index].asleep = false;
        self.disturb(index);
        // What a machine notices first when it wakes is chance.
        let mut first: Vec<u8> = vec![0, 1, 2];
        while !first.is_empty() {
            let place = self.dice.index(first.len());
            match first.remove(place) {
                0 => self.feed(index, Input::Resumed, Cause::Other),
                1 => self.time_out(index),
                _ => self.empty_backlog(index),
            }
        }
    }

    fn empty_backlog(&mut self, index: usize) {
        for held in std::mem::take(&mut self.hosts[index].shell.backlog) {
            match held {
                Held::Knock { from, bytes } => self.take_datagram(index, from, bytes),
                Held::Alive {
                    conn,
                    side,
                    bytes,
                    sent,
                } => self.alive(conn, side, bytes, sent),
            }
        }
    }

    pub(crate) fn move_away(&mut self, index: usize) {
        self.hosts[index].move_away();
        note!(
            self,
            "{} is now at {}",
            self.hosts[index].name(),
            self.hosts[index].address
        );
        self.disturb(index);
        if self.hosts[index].works() {
            let own = self.hosts[index].own_addresses();
            self.feed(index, Input::Interfaces(own), Cause::Other);
        }
    }

    pub(crate) fn block(&mut self, from: usize, to: usize) {
        note!(self, "{from} is not heard by {to}");
        self.network.block(from, to);
        self.disturb_pair(from, to);
    }

    pub(crate) fn heal(&mut self, one: usize, other: usize) {
        note!(self, "{one} and {other} hear each other");
        self.network.unblock(one, other);
        self.disturb_pair(one, other);
    }

    // Inputs.

    pub(crate) fn feed(&mut self, index: usize, input: Input, cause: Cause) {
        if super::words::is_told(&input) {
            note!(self, "{} <- {}", self.hosts[index].name(), super::words::input(&input));
        }
        self.watch_input(index, &input);
        let now = self.hosts[index].clock(self.now);
        if let Some(node) = &mut self.hosts[index].node {
            node.handle(input, now);
        }
        self.drain(index, cause);
    }

    fn timer(&mut self, index: usize, timer: u64) {
        if self.hosts[index].shell.timer == timer && self.hosts[index].works() {
            self.hosts[index].shell.armed = None;
            let rings = |host: &Host| {
                host.seen
                    .calls
                    .values()
                    .any(|call| call.incoming && call.state == twocan_core::event::CallState::Ringing)
            };
            if self.is(Mutant::StuckTimers) && rings(&self.hosts[index]) {
                return;
            }
            self.time_out(index);
        }
    }

    fn time_out(&mut self, index: usize) {
        self.watch_wakeup(index);
        let early = if self.is(Mutant::EarlyTimers) {
            Duration::from_millis(3)
        } else {
            Duration::ZERO
        };
        let now = self.hosts[index].clock(self.now - early);
        if let Some(node) = &mut self.hosts[index].node {
            node.handle_timeout(now);
        }
        self.drain(index, Cause::Other);
    }

    fn arm(&mut self, index: usize) {
        let lateness = Duration::from_micros(self.dice.below(1000));
        let host = &mut self.hosts[index];
        let Some(due) = host.node.as_ref().map(Node::poll_timeout) else {
            return;
        };
        let due = host.true_time(due);
        if host.shell.armed == Some(due) {
            return;
        }
        host.shell.armed = Some(due);
        host.shell.timer += 1;
        let timer = host.shell.timer;
        // A time-out that lies in the past fires at once, without a grace that would hide it.
        let after = if due <= self.now {
            Duration::ZERO
        } else {
            due - self.now + lateness
        };
        self.later(after, Happening::Timer { host: index, timer });
    }

    pub(crate) fn command(&mut self, index: usize, command: Command, then: Then) -> CommandId {
        let host = &mut self.hosts[index];
        let id = CommandId(self.queued);
        self.queued += 1;
        let at = self.now;
        let asked = Asked {
            at,
            command: command.clone(),
            then,
        };
        host.shell.asked.insert(id, asked);
        self.watch_command(index, &command);
        self.feed(index, Input::Command { id, command }, Cause::Other);
        id
    }

    // Outputs.

    fn drain(&mut self, index: usize, cause: Cause) {
        let mut changed = false;
        let mut sent = 0;
        while let Some(output) = self.hosts[index].node.as_mut().and_then(Node::poll_output) {
            note!(
                self,
                "    {} -> {}",
                self.hosts[index].name(),
                super::words::output(&output)
            );
            changed |= matches!(output, Output::Event(_));
            self.perform(index, output, cause, &mut sent);
        }
        if changed {
            self.look(index);
        }
        self.arm(index);
    }

    fn perform(&mut self, index: usize, output: Output, cause: Cause, sent: &mut usize) {
        match output {
            Output::Transmit { to, bytes } => {
                self.watch_transmit(index, to, &bytes, cause, *sent);
                *sent += 1;
                self.transmit(index, to, bytes);
            }
            Output::Admit { token, valid_for } => {
                if !self.is(Mutant::DeafDoor) {
                    let until = self.now + valid_for;
                    self.hosts[index].shell.admitted.insert(token, until);
                }
            }
            Output::Revoke { token } => {
                self.hosts[index].shell.admitted.remove(&token);
            }
            Output::Dial {
                dial,
                peer,
                to,
                token,
                initial_mtu: _,
            } => self.dial(index, dial, peer, to, token),
            // Nobody here calls an address.
            Output::OpenDoor { .. }
            | Output::CloseDoor
            | Output::LetIn { .. }
            | Output::TurnAway { .. }
            | Output::DialDoor { .. } => {}
            Output::Close { link, code } => self.close(index, link, code),
            Output::Send { link, bytes } => self.send(index, link, bytes),
            Output::SendAlive { link, bytes } => self.send_alive(index, link, bytes),
            Output::Route {
                call,
                link: _,
                base: _,
                role: _,
            } => self.route(index, call),
            Output::OpenGate { call } => self.open_gate(index, call),
            Output::EndMedia { call } => self.end_media(index, call),
            Output::Store { generation, state } => self.store(index, generation, state),
            Output::Reply { id, reply } => self.reply(index, id, reply),
            Output::Event(event) => self.watch_event(index, &event),
        }
    }

    fn transmit(&mut self, index: usize, to: SocketAddr, bytes: Vec<u8>) {
        let from = self.hosts[index].address;
        let copies = if self.is(Mutant::StammeringSocket) { 6 } else { 1 };
        for copy in 0..copies {
            if copy > 0 {
                self.watch_transmit(index, to, &bytes, Cause::Other, 1);
            }
            for delay in self.network.fates(&mut self.dice) {
                let bytes = bytes.clone();
                self.later(delay, Happening::Datagram { from, to, bytes });
            }
        }
    }

    fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let Some(index) = self.hosts.iter().position(|host| host.address == to) else {
            return;
        };
        let sender = self.watch.owner_of(from);
        let heard = sender.is_none_or(|sender| self.network.hears(sender, index));
        if !heard || self.hosts[index].node.is_none() {
            return;
        }
        if self.hosts[index].asleep {
            if self.hosts[index].shell.backlog.len() < 20 && self.dice.chance(25) {
                self.hosts[index].shell.backlog.push(Held::Knock { from, bytes });
            }
            return;
        }
        self.take_datagram(index, from, bytes);
    }

    fn take_datagram(&mut self, index: usize, from: SocketAddr, bytes: Vec<u8>) {
        let sender = self.watch.owner_of(from);
        self.watch_datagram(index, from, sender, &bytes);
        let size = bytes.len();
        self.feed(index, Input::Datagram { from, bytes }, Cause::Datagram { from, size });
        if sender.is_none() && self.is(Mutant::EchoesStrangers) {
            self.watch_transmit(index, from, &[0; 40], Cause::Datagram { from, size }, 0);
        }
    }

    fn reply(&mut self, index: usize, id: CommandId, reply: Reply) {
        if self.is(Mutant::LosesReplies) && self.dice.chance(20) {
            return;
        }
        let Some(asked) = self.hosts[index].shell.asked.remove(&id) else {
            return self.fail(
                "one_reply",
                format!("a second reply to one command at host {index}: {reply:?}"),
            );
        };
        self.watch_reply(index, &asked, &reply);
        if self.is(Mutant::RepeatsReplies) && self.dice.chance(20) {
            self.fail_if_unasked(index, id);
        }
        if let (Then::Give(gifts), Reply::Invite(invite)) = (&asked.then, &reply) {
            let now = self.hosts[index].clock(self.now);
            let open = self.hosts[index].node.as_ref().map(|node| node.snapshot(now).invites);
            let link = open.into_iter().flatten().find(|open| open.id == *invite);
            if let Some(link) = link {
                for gift in gifts {
                    let mut text = format!("Call me: {}", link.link);
                    if gift.damaged {
                        text = text.replacen("twocan:p", "twocan:q", 1);
                        text.truncate(text.len() - 9);
                    }
                    self.later(
                        gift.after,
                        Happening::Redeem {
                            host: gift.to,
                            link: text,
                        },
                    );
                }
            }
        }
    }

    fn fail_if_unasked(&mut self, index: usize, id: CommandId) {
        if !self.hosts[index].shell.asked.contains_key(&id) {
            self.fail("one_reply", format!("a second reply to one command at host {index}"));
        }
    }

    fn route(&mut self, index: usize, call: CallId) {
        let is_new = !self.hosts[index].shell.gates.contains_key(&call);
        let gate = self.hosts[index].shell.gates.entry(call).or_default();
        gate.routed = true;
        if is_new && self.is(Mutant::EarlyGate) {
            self.open_gate(index, call);
        }
        if is_new && self.lively && self.dice.chance(80) {
            let leg = self.new_leg(index);
            let after = self.dice.ms(30, 400);
            let run = self.hosts[index].run;
            self.later(
                after,
                Happening::Leg {
                    host: index,
                    run,
                    call,
                    leg,
                    fact: LegFact::Warm,
                },
            );
            if self.dice.chance(8) {
                let after = after + self.dice.ms(500, 20_000);
                self.later(
                    after,
                    Happening::Leg {
                        host: index,
                        run,
                        call,
                        leg,
                        fact: LegFact::Lost,
                    },
                );
                if self.dice.chance(50) {
                    let (after, leg) = (after + self.dice.ms(500, 9000), self.new_leg(index));
                    self.later(
                        after,
                        Happening::Leg {
                            host: index,
                            run,
                            call,
                            leg,
                            fact: LegFact::Warm,
                        },
                    );
                }
            }
        }
    }

    fn new_leg(&mut self, index: usize) -> LegId {
        let shell = &mut self.hosts[index].shell;
        shell.legs += 1;
        LegId(shell.legs)
    }

    fn open_gate(&mut self, index: usize, call: CallId) {
        self.hosts[index].shell.gates.entry(call).or_default().opened += 1;
        self.watch_gate(index, call);
    }

    fn end_media(&mut self, index: usize, call: CallId) {
        if self.is(Mutant::LosesEndMedia) {
            return;
        }
        let gate: &mut Gate = self.hosts[index].shell.gates.entry(call).or_default();
        gate.ended += if self.mutant == Some(Mutant::RepeatsEndMedia) {
            2
        } else {
            1
        };
        self.watch_end_media(index, call);
        if self.is(Mutant::GateAfterEnd) {
            self.open_gate(index, call);
        }
    }

    fn watch_event(&mut self, index: usize, event: &Event) {
        self.watch_told(index, event);
    }
}
