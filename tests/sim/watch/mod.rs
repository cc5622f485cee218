//! What must hold after every step, and the facts by which that is judged.
//!
//! Facts come from the simulated world (what arrived where and when, what people clicked), never from a core's own idea
//! of them. The first violation stops the run; each is named by an [`Invariant`], and [`super::proof`] has mutants that provoke each.

mod calls;
mod contacts;
mod dots;
mod invariant;
mod packets;
mod relays;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use twocan_core::event::{CallView, ContactState, Event, Notice, Reachable, Snapshot};
use twocan_core::ids::{CallId, ContactId};
use twocan_core::invite::Link;
use twocan_core::io::Input;
use twocan_core::node::Node;

use super::host::Asked;
use super::mutant::Mutant;
use super::world::{World, note};

pub(crate) use calls::Story;
pub(crate) use invariant::Invariant;

/// A reply comes within this time.
const REPLY: Duration = Duration::from_secs(15);
/// Wake-ups without the clock advancing.
const SPINS: u32 = 1000;

/// An invariant that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) invariant: Invariant,
    pub(crate) text: String,
}

/// The facts.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) violation: Option<Violation>,
    /// When each host, and each pair, was last disturbed.
    disturbed: Vec<Duration>,
    disturbed_pairs: Vec<Vec<Duration>>,
    /// `[a][b]`: when the newest keep-alive of b that a received was sent.
    heard: Vec<Vec<Option<Duration>>>,
    /// `[a][b]`: since when a shows b as it does.
    pub(crate) accepted_since: Vec<Vec<Option<Duration>>>,
    /// `[a][b]`: until when a had b, who rang too often, not ring.
    quiet_until: Vec<Vec<Duration>>,
    /// `[a][b]`: when a last showed b green.
    green: Vec<Vec<Duration>>,
    /// `[a][b]`: addresses at which a has proven b, and since when.
    knows: Vec<Vec<BTreeMap<SocketAddr, Duration>>>,
    pub(crate) stories: BTreeMap<CallId, Story>,
    /// Contacts that must not get lost.
    must_hold: Vec<BTreeSet<usize>>,
    /// Contacts on which the user has still to decide.
    contested: Vec<BTreeSet<usize>>,
    pub(crate) refused: Vec<Vec<twocan_core::event::InviteRefusal>>,
    redeeming: BTreeMap<(usize, usize), [u8; 16]>,
    redeemers: BTreeMap<[u8; 16], BTreeSet<usize>>,
    /// The last link that each host took from each other.
    links: BTreeMap<(usize, usize), Link>,
    /// Hosts whose user has ever wanted second calls to wait.
    lets_wait: Vec<bool>,
    packets: packets::Packets,
    marks: relays::Marks,
    /// Keep-alive datagrams and knocks sent by each host.
    pub(crate) alive_sent: Vec<u64>,
    pub(crate) knocks_sent: Vec<u64>,
    /// Questions to the DHT of each host.
    pub(crate) puts: Vec<u64>,
    pub(crate) gets: Vec<u64>,
    looks: u64,
}

impl Watch {
    pub(crate) fn new(hosts: usize) -> Self {
        Self {
            violation: None,
            disturbed: vec![Duration::ZERO; hosts],
            disturbed_pairs: vec![vec![Duration::ZERO; hosts]; hosts],
            heard: vec![vec![None; hosts]; hosts],
            accepted_since: vec![vec![None; hosts]; hosts],
            quiet_until: vec![vec![Duration::ZERO; hosts]; hosts],
            green: vec![vec![Duration::ZERO; hosts]; hosts],
            knows: vec![vec![BTreeMap::new(); hosts]; hosts],
            stories: BTreeMap::new(),
            must_hold: vec![BTreeSet::new(); hosts],
            contested: vec![BTreeSet::new(); hosts],
            refused: vec![Vec::new(); hosts],
            redeeming: BTreeMap::new(),
            redeemers: BTreeMap::new(),
            links: BTreeMap::new(),
            lets_wait: vec![false; hosts],
            packets: packets::Packets::new(hosts),
            marks: relays::Marks::default(),
            alive_sent: vec![0; hosts],
            knocks_sent: vec![0; hosts],
            puts: vec![0; hosts],
            gets: vec![0; hosts],
            looks: 0,
        }
    }

    /// The host that has or had an address; `None` for strangers.
    pub(crate) fn owner_of(&self, address: SocketAddr) -> Option<usize> {
        match address.ip() {
            IpAddr::V4(ip) if ip.octets()[0] == 11 => Some(usize::from(ip.octets()[2]) - 1),
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        }
    }
}

impl World {
    pub(crate) fn fail(&mut self, invariant: Invariant, text: String) {
        note!(self, "!! {invariant:?}: {text}");
        if self.watch.violation.is_none() {
            self.watch.violation = Some(Violation { invariant, text });
        }
    }

    pub(crate) fn disturb(&mut self, host: usize) {
        self.watch.disturbed[host] = self.now;
    }

    pub(crate) fn disturb_pair(&mut self, one: usize, other: usize) {
        self.watch.disturbed_pairs[one][other] = self.now;
        self.watch.disturbed_pairs[other][one] = self.now;
    }

    pub(crate) fn disturb_all(&mut self) {
        for host in 0..self.hosts.len() {
            self.disturb(host);
        }
    }

    /// Since when nothing has disturbed a pair.
    pub(crate) fn calm_since(&self, one: usize, other: usize) -> Duration {
        self.watch.disturbed[one]
            .max(self.watch.disturbed[other])
            .max(self.watch.disturbed_pairs[one][other])
    }

    /// After every step.
    pub(crate) fn check_step(&mut self) {
        self.check_dots();
        self.check_calls();
        self.check_replies();
        self.watch.looks += 1;
        if self.watch.looks.is_multiple_of(61) {
            let index = self.dice.index(self.hosts.len());
            self.check_views(index);
        }
    }

    fn check_replies(&mut self) {
        let now = self.now;
        let late = self.hosts.iter().filter(|host| host.works()).find_map(|host| {
            let from = |asked: &&Asked| now > asked.at.max(self.watch.disturbed[host.index]) + REPLY;
            let asked = host.shell.asked.values().find(from)?;
            Some(format!("host {} has not answered {:?}", host.index, asked.command))
        });
        if let Some(text) = late {
            self.fail(Invariant::OneReply, text);
        }
    }

    pub(crate) fn watch_wakeup(&mut self, index: usize) {
        let now = self.now;
        let shell = &mut self.hosts[index].shell;
        shell.spins = if shell.last_wakeup == now { shell.spins + 1 } else { 0 };
        shell.last_wakeup = now;
        if shell.spins > SPINS {
            self.fail(Invariant::Progress, format!("host {index} wakes up without end"));
        }
    }

    pub(crate) fn watch_input(&mut self, index: usize, input: &Input) {
        let stirs = matches!(
            input,
            Input::Interfaces(_)
                | Input::Resumed
                | Input::LinkDown { .. }
                | Input::DialFailed { .. }
                | Input::LinkUp(_)
                | Input::Stored { .. }
                | Input::StoreFailed { .. }
                | Input::Command { .. }
                | Input::DhtAnswer { .. }
        );
        if stirs {
            self.watch.packets.stir(index, self.now);
        }
    }

    pub(crate) fn watch_told(&mut self, index: usize, event: &Event) {
        match event {
            Event::Notice(Notice::Contested(id)) => {
                if let Some(peer) = self.hosts[index].seen.people.get(id).copied() {
                    self.watch.contested[index].insert(peer);
                }
            }
            Event::ContactRemoved(id, why) => self.contact_removed(index, *id, *why),
            Event::Notice(Notice::OtherRoot(id)) => {
                self.fail(Invariant::OtherRoot, format!("host {index} saw another root of {id:?}"));
            }
            Event::Contact(_) | Event::Call(_) | Event::Invite(_) | Event::Door | Event::Me | Event::Network => {}
        }
    }

    /// A client takes a new picture of everything.
    pub(crate) fn look(&mut self, index: usize) {
        if self.is(Mutant::LosesEvents) && self.dice.chance(30) {
            return;
        }
        let Some(snapshot) = self.snapshot(index) else { return };
        let now = self.now;
        let me = snapshot.me.as_ref().is_some_and(|me| me.will_ring);
        let seen = &mut self.hosts[index].seen;
        if seen.will_ring != me {
            (seen.will_ring, seen.will_ring_since) = (me, now);
        }
        self.look_at_contacts(index, snapshot.contacts);
        self.look_at_calls(index, snapshot.calls);
    }

    pub(crate) fn snapshot(&self, index: usize) -> Option<Snapshot> {
        let host = &self.hosts[index];
        let snapshot = host
            .node
            .as_ref()
            .map(|node: &Node| node.snapshot(self.shell_clock(index)));
        snapshot.map(|mut snapshot| {
            if self.is(Mutant::HidesSilence) {
                snapshot.calls.iter_mut().for_each(|call| call.reconnecting = false);
            }
            snapshot
        })
    }

    /// What clients were told equals what is.
    pub(crate) fn check_views(&mut self, index: usize) {
        // What waits for the disk is shown before it is told, and what is due at this moment is about to be told.
        let host = &self.hosts[index];
        let is_due = host.shell.armed.is_some_and(|due| due <= self.now);
        if !host.works() || !host.shell.asked.is_empty() || is_due {
            return;
        }
        let Some(snapshot) = self.snapshot(index) else { return };
        let seen = &self.hosts[index].seen;
        let dots = snapshot.contacts.iter().all(|contact| {
            seen.contacts.get(&contact.id).is_some_and(|known| {
                (known.reachable, known.state, &known.name) == (contact.reachable, contact.state, &contact.name)
            })
        });
        let same_call = |call: &CallView| seen.calls.get(&call.id).map(without_numbers) == Some(without_numbers(call));
        let calls = snapshot.calls.iter().all(same_call);
        // A client keeps what has ended until it looks again, so only what is there is compared.
        if !dots || !calls || snapshot.contacts.len() != seen.contacts.len() {
            let told = format!("{:?} {:?}", seen.contacts, seen.calls);
            let is = format!("{:?} {:?}", snapshot.contacts, snapshot.calls);
            self.fail(
                Invariant::Events,
                format!("clients of host {index} were not told of a change: told {told}, is {is}"),
            );
        }
    }

    /// A restarted daemon knows what it must.
    pub(crate) fn check_restart(&mut self, index: usize, is_first: bool) {
        self.watch.packets.forget_proofs(index);
        self.watch.contested[index].clear();
        if is_first {
            return;
        }
        self.learn_from_disk(index);
    }

    pub(crate) fn is_accepted(&self, one: usize, other: usize) -> bool {
        self.hosts[one]
            .contact_for(other)
            .is_some_and(|contact| contact.state == ContactState::Accepted)
    }

    pub(crate) fn is_green(&self, one: usize, other: usize) -> bool {
        self.hosts[one]
            .contact_for(other)
            .is_some_and(|contact| contact.reachable == Reachable::Yes)
    }

    pub(crate) fn contact_id(&self, one: usize, other: usize) -> Option<ContactId> {
        self.hosts[one].contact_for(other).map(|contact| contact.id)
    }
}

/// A call without the numbers of its path, which change with each proof and are not told.
fn without_numbers(call: &CallView) -> (CallView, bool) {
    let mut call = call.clone();
    let path = call.stranger.as_mut().and_then(|stranger| stranger.path.take());
    (call, path.is_some())
}

/// Keeps the moments of the last while.
fn recent(times: &mut VecDeque<Duration>, now: Duration, window: Duration) -> usize {
    while times.front().is_some_and(|at| *at + window < now) {
        times.pop_front();
    }
    times.len()
}
