//! The loop's body: inputs into the core, outputs out of it, answers after publication.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use twocan_api::Why;
use twocan_core::command::{Command, Reply};
use twocan_core::event::Event;
use twocan_core::ids::CommandId;
use twocan_core::io::{Input, Means, Output, Query};
use twocan_core::node::Node;
use twocan_core::time::Now;

use super::Signals;
use super::echo::Echo;
use super::upkeep::Upkeep;
use crate::clock::{self, Alarm, SleepWatch};
use crate::http::{Ask, KeyMove, Publisher, ServiceFacts};
use crate::leg::gate::{Gates, LegReport};
use crate::net::Net;
use crate::net::dht::Dht;
use crate::net::mdns::Neighbours;
use crate::store::secrets::{CannotMove, is_about_place};
use crate::store::worker::{Moved, StoreWorker};

/// Inputs taken in one turn before clients hear of it.
const BATCH: usize = 256;

/// What reaches the world outside.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) net: Net,
    /// `None` where it may not be used.
    pub(super) dht: Option<Dht>,
    /// The same.
    pub(super) neighbours: Option<Neighbours>,
}

/// The owner of the core.
#[derive(Debug)]
pub(super) struct Shell {
    node: Node,
    net: Net,
    dht: Option<Dht>,
    neighbours: Option<Neighbours>,
    gates: Gates,
    store: StoreWorker,
    publisher: Publisher,
    replies: BTreeMap<CommandId, oneshot::Sender<Reply>>,
    answered: Vec<(oneshot::Sender<Reply>, Reply)>,
    events: Vec<Event>,
    commands: u64,
    echo: Option<Echo>,
    erasing: Option<Erasing>,
    moving: Option<Moving>,
    facts: ServiceFacts,
    /// The last store failed, and the core tries again.
    disk_refuses: bool,
    /// Another program is installed, and waits for what is under way.
    update_waits: bool,
}

/// An erasure under way.
#[derive(Debug)]
struct Erasing {
    outcome: oneshot::Receiver<bool>,
    asker: oneshot::Sender<bool>,
}

/// A move of the key under way.
#[derive(Debug)]
struct Moving {
    outcome: oneshot::Receiver<Moved>,
    asker: oneshot::Sender<KeyMove>,
}

impl Shell {
    pub(super) fn new(
        node: Node,
        outside: Outside,
        gates: Gates,
        store: StoreWorker,
        publisher: Publisher,
        facts: ServiceFacts,
        echo: bool,
    ) -> Self {
        Self {
            node,
            net: outside.net,
            dht: outside.dht,
            neighbours: outside.neighbours,
            gates,
            store,
            publisher,
            replies: BTreeMap::new(),
            answered: Vec::new(),
            events: Vec::new(),
            commands: 0,
            echo: echo.then(Echo::default),
            erasing: None,
            moving: None,
            facts,
            disk_refuses: false,
            update_waits: false,
        }
    }

    /// Tells the core what is configured and its addresses, without which the first invite would lead nowhere, performs what it wanted before
    /// the loop runs, and shows the first picture.
    pub(super) fn begin(&mut self, configured: impl IntoIterator<Item = Input>, now: Now) {
        for input in configured {
            self.handle(input);
        }
        self.handle(Input::Interfaces(self.net.own_addresses()));
        self.handle(Input::Means(Means {
            dht: self.dht.is_some(),
            lan: self.neighbours.is_some(),
        }));
        self.publish(now);
    }

    /// Runs until a signal, until everything is erased, until another program is to take over, which is returned, or until
    /// whoever feeds the loop is gone.
    pub(super) async fn run(
        &mut self,
        mut inbox: mpsc::Receiver<Input>,
        mut asks: mpsc::Receiver<Ask>,
        mut reports: mpsc::UnboundedReceiver<LegReport>,
        mut signals: Signals,
        mut upkeep: Upkeep,
    ) -> anyhow::Result<Option<PathBuf>> {
        let mut alarm = Alarm::new()?;
        let mut watch = SleepWatch::start();
        let mut successor = None;
        loop {
            let due = [Some(self.next_timeout()), upkeep.next_timeout()];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                () = signals.received() => break,
                input = inbox.recv() => match input {
                    Some(input) => self.take(input, &mut inbox),
                    None => break,
                },
                ask = asks.recv() => match ask {
                    Some(ask) => self.take_ask(ask),
                    None => break,
                },
                report = reports.recv() => match report {
                    Some(report) => self.handle(leg_input(report)),
                    None => break,
                },
                is_erased = erased(&mut self.erasing) => if is_erased { break },
                moved = moved(&mut self.moving) => self.take_moved(moved),
                rung = alarm.until(due) => rung?,
            }
            if watch.resumed(due) {
                self.handle(Input::Resumed);
            }
            let now = clock::now();
            self.tend(now);
            successor = self.look_after(&mut upkeep, now);
            if successor.is_some() {
                break;
            }
        }
        upkeep.ending(successor.is_some());
        self.handle(Input::Going);
        self.publish(clock::now());
        Ok(successor)
    }

    /// Waits for the disk.
    pub(super) fn finish(self) {
        self.store.finish();
    }

    fn take(&mut self, first: Input, inbox: &mut mpsc::Receiver<Input>) {
        self.handle(first);
        for _ in 1..BATCH {
            match inbox.try_recv() {
                Ok(input) => self.handle(input),
                Err(_) => return,
            }
        }
    }

    fn take_ask(&mut self, ask: Ask) {
        match ask {
            Ask::Command { command, reply } => {
                self.commands += 1;
                let id = CommandId(self.commands);
                self.replies.insert(id, reply);
                self.handle(Input::Command { id, command });
            }
            Ask::Erase { reply } => {
                let outcome = self.store.erase();
                self.erasing = Some(Erasing { outcome, asker: reply });
            }
            Ask::MoveKey { reply, .. } if self.moving.is_some() => {
                let _ = reply.send(KeyMove::Busy);
            }
            Ask::MoveKey { to, reply } => {
                let outcome = self.store.move_key(to);
                self.moving = Some(Moving { outcome, asker: reply });
            }
        }
    }

    fn command(&mut self, command: Command) {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.handle(Input::Command { id, command });
    }

    fn handle(&mut self, input: Input) {
        self.watch_disk(&input);
        self.node.handle(input, clock::now());
        self.perform_all();
    }

    /// Tells the service manager that the loop turns. Gives the program that is to take over, once nothing is under way, and
    /// warns of it until then.
    fn look_after(&mut self, upkeep: &mut Upkeep, now: Now) -> Option<PathBuf> {
        let successor = upkeep.turn(now);
        if successor.is_some() && self.node.is_at_rest(now) {
            return successor;
        }
        if std::mem::replace(&mut self.update_waits, successor.is_some()) != self.update_waits {
            self.tell_facts();
        }
        None
    }

    /// Warns as long as the disk takes nothing.
    fn watch_disk(&mut self, input: &Input) {
        let refuses = matches!(input, Input::StoreFailed { .. });
        if !refuses && !matches!(input, Input::Stored { .. }) {
            return;
        }
        if std::mem::replace(&mut self.disk_refuses, refuses) != refuses {
            self.tell_facts();
        }
    }

    /// Shows where the key is, then tells whoever had it moved.
    fn take_moved(&mut self, moved: Moved) {
        let outcome = match moved {
            Ok((place, warnings)) => {
                self.facts.key = place.clone();
                self.facts.warnings.retain(|warning| !is_about_place(warning));
                self.facts.warnings.extend(warnings);
                self.tell_facts();
                KeyMove::Done(place)
            }
            Err(why) => KeyMove::Refused(why),
        };
        if let Some(moving) = self.moving.take() {
            // Whoever asked may have hung up meanwhile.
            let _ = moving.asker.send(outcome);
        }
    }

    fn tell_facts(&self) {
        let mut facts = self.facts.clone();
        facts.warnings.extend(self.disk_refuses.then(not_stored));
        facts.warnings.extend(self.update_waits.then(update_waits));
        self.publisher.facts(facts);
    }

    fn next_timeout(&self) -> Duration {
        let core = self.node.poll_timeout();
        let echo = self.echo.as_ref().and_then(Echo::next_timeout);
        echo.map_or(core, |echo| echo.min(core))
    }

    /// Does what time has made due, then lets clients see the result.
    fn tend(&mut self, now: Now) {
        if now.boot >= self.node.poll_timeout() {
            self.node.handle_timeout(now);
            self.perform_all();
        }
        let due = self.echo.as_mut().map(|echo| echo.due(now.boot)).unwrap_or_default();
        for command in due {
            self.command(command);
        }
        self.publish(now);
    }

    fn publish(&mut self, now: Now) {
        let snapshot = self.node.snapshot(now);
        if let Some(echo) = &mut self.echo {
            echo.look(&snapshot, &self.gates, now.boot);
        }
        let events = std::mem::take(&mut self.events);
        self.publisher.publish(snapshot, &events);
        for (asker, reply) in self.answered.drain(..) {
            // Whoever asked may have hung up meanwhile.
            let _ = asker.send(reply);
        }
    }

    fn ask_outside(&mut self, query: Query) {
        match query {
            Query::DhtPut { .. } | Query::DhtGet { .. } => {
                if let Some(dht) = &self.dht {
                    dht.ask(query);
                }
            }
            Query::LanShow { names, addresses } => {
                if let Some(neighbours) = &mut self.neighbours {
                    neighbours.show(&names, &addresses);
                }
            }
        }
    }

    fn perform_all(&mut self) {
        while let Some(output) = self.node.poll_output() {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Transmit { to, via, ttl, bytes } => self.net.transmit(to, via, ttl, &bytes),
            Output::OpenSpares { numbers } => self.net.open_spares(numbers),
            Output::CloseSpares { numbers } => self.net.close_spares(numbers),
            Output::FindStunServers => self.net.find_stun_servers(),
            Output::FindDhtNodes => {
                if let Some(dht) = &self.dht {
                    dht.find_nodes();
                }
            }
            Output::AskPortMapper => self.net.ask_port_mapper(),
            Output::Admit { token, valid_for } => self.net.admit(token, valid_for),
            Output::Revoke { token } => self.net.revoke(token),
            Output::Dial {
                dial,
                peer,
                to,
                via,
                token,
                initial_mtu,
            } => self.net.dial(dial, peer, (to, via), token, initial_mtu),
            Output::OpenDoor { seed, valid_for } => self.net.open_door(&seed, valid_for),
            Output::CloseDoor => self.net.close_door(),
            Output::LetIn { visitor } => self.net.decide(visitor, true),
            Output::TurnAway { visitor } => self.net.decide(visitor, false),
            Output::DialDoor { dial, to, seed } => self.net.dial_door(dial, to, seed),
            Output::UseRelay { relay, at, handle } => self.net.use_relay(relay, at, handle),
            Output::LeaveRelay { relay } => self.net.leave_relay(relay),
            Output::Forward(pair) => self.net.forward(&pair),
            Output::EndForward { pair } => self.net.end_forward(pair),
            Output::Turn { wanted } => self.net.want_turn(wanted),
            Output::Close { link, code } => self.net.close(link, code),
            Output::Send { link, bytes } => self.net.send(link, bytes),
            Output::SendAlive { link, bytes } => self.net.send_alive(link, &bytes),
            Output::Route { call, link, base, role } => {
                if let Some(sender) = self.net.media_sender(link) {
                    self.gates.route(call, link, base, role, sender);
                }
            }
            Output::FarTakes { call, formats } => self.gates.far_takes(call, formats),
            Output::OpenGate { call } => self.gates.open(call),
            Output::EndMedia { call } => self.gates.end(call),
            Output::Store { generation, state } => self.store.store(generation, state),
            Output::Reply { id, reply } => {
                if let Some(asker) = self.replies.remove(&id) {
                    self.answered.push((asker, reply));
                }
            }
            Output::Query(query) => self.ask_outside(query),
            Output::Event(event) => self.events.push(event),
        }
    }
}

fn not_stored() -> Why {
    Why {
        code: "not_stored".to_owned(),
        text: "The disk is full, read-only or broken: nothing that changes here can be stored. Calls go on.".to_owned(),
        fix: "Free some space, or make the state folder writable; Twocan tries again by itself.".to_owned(),
    }
}

fn update_waits() -> Why {
    Why {
        code: "update_waits".to_owned(),
        text: "A newer Twocan is installed. It starts when your call is over and your door is closed.".to_owned(),
        fix: "Nothing is to be done; contacts are green again a moment later.".to_owned(),
    }
}

/// Waits for the outcome of an erasure, and tells whoever asked for it.
async fn erased(erasing: &mut Option<Erasing>) -> bool {
    let Some(under_way) = erasing else {
        return std::future::pending().await;
    };
    let is_erased = (&mut under_way.outcome).await.unwrap_or(false);
    if let Some(done) = erasing.take() {
        // Whoever asked may have hung up meanwhile.
        let _ = done.asker.send(is_erased);
    }
    is_erased
}

/// Waits for what comes of a move. The store's thread outlives the loop, so an answer comes.
async fn moved(moving: &mut Option<Moving>) -> Moved {
    let Some(under_way) = moving else {
        return std::future::pending().await;
    };
    match (&mut under_way.outcome).await {
        Ok(moved) => moved,
        Err(_) => Err(CannotMove::Io(std::io::Error::other("the thread that saves is gone"))),
    }
}

const fn leg_input(report: LegReport) -> Input {
    Input::Leg {
        call: report.call,
        leg: report.leg,
        fact: report.fact,
    }
}
