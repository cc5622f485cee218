//! One daemon's decisions: the node owns identity, contacts, invites, peers, links and calls.
//!
//! A *peer* is somebody else's device that we look for or talk to. It belongs to a contact, or it is a guest who holds
//! one of our invites. A peer has at most one ready link; only the side with the lower device key dials, the other only
//! knocks. A link is provisional until the peer's `hello` has checked; nothing else of it is processed before.
//!
//! Invariants:
//! - a stranger gets no packet: nothing is sent in answer to a datagram that no key of ours opens;
//! - whoever is shown reachable has a ready link with a proof no older than [`bounds::GREY_AFTER`];
//! - a redemption is acknowledged only after the contact is on the disk;
//! - a stranger who came in at the door meets nothing of this but [`door`] and [`visit`];
//! - a gate opens only where [`crate::call`] says so.

mod commands;
mod control;
mod door;
mod finding;
mod hello;
mod introduce;
mod keeping;
mod knocks;
mod lifetime;
mod links;
mod manners;
mod network;
mod opening;
mod paste;
mod punch;
mod redeem;
mod relay;
mod reply;
mod safety;
mod served;
mod stored;
#[cfg(test)]
mod tests;
mod time;
mod turn;
mod view;
mod visit;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::call::{Calls, Deed};
use crate::crypto::Secret;
use crate::event::{Event, PathKind, Reachable};
use crate::identity::Identity;
use crate::ids::{CommandId, ContactId, DeviceKey, DialId, InviteId, LinkId, RootKey, Token};
use crate::io::{Input, Output};
use crate::knock::{Answers, Keyring, ReplayGuard};
use crate::reach::candidates::OwnAddresses;
use crate::reach::door::Door;
use crate::reach::keepalive::Keepalive;
use crate::reach::nat_report::NatKind;
use crate::reach::search::Search;
use crate::reach::via::{Place, Via};
use crate::rng::Rng;
use crate::session::Session;
use crate::state::{State, StateError};
use crate::time::Now;

/// The core of one daemon.
#[derive(Debug)]
pub struct Node {
    rng: Rng,
    state: State,
    root: RootKey,
    device: DeviceKey,
    own: OwnAddresses,
    network: network::Network,
    punch: punch::Punch,
    keyring: Keyring,
    keyring_stale: bool,
    replays: ReplayGuard,
    answers: Answers,
    asked: BTreeMap<[u8; 16], AskedKnock>,
    peers: BTreeMap<DeviceKey, Peer>,
    links: BTreeMap<LinkId, Link>,
    dials: BTreeMap<DialId, (DeviceKey, Via)>,
    next_dial: u64,
    next_tick: Duration,
    /// When any link was proven last.
    proven: Duration,
    base: u64,
    calls: Calls,
    /// Devices of contacts that have used up their rings.
    quiet: BTreeSet<DeviceKey>,
    /// Whether one click answers a contact of whom the user has not said it.
    one_click: bool,
    /// What this device is to those who use it as a relay.
    served: served::Served,
    /// Ways to others through contacts.
    relaying: relay::Relaying,
    turn: turn::Turn,
    safety: BTreeMap<ContactId, safety::Safety>,
    door: Door,
    /// Calls through a door, by what stands for the stranger.
    visits: BTreeMap<ContactId, door::Visit>,
    pings: BTreeMap<ContactId, Vec<(CommandId, Duration)>>,
    finder: finding::Finder,
    introductions: introduce::Introductions,
    generation: u64,
    /// Something differs from what is on the disk and may be written with the next tick.
    unstored: bool,
    pending: Vec<(u64, stored::Pending)>,
    /// What clients were last told of each contact: the dot, and what the link runs over.
    shown: BTreeMap<ContactId, (Reachable, Option<PathKind>)>,
    out: VecDeque<Output>,
}

/// Somebody else's device.
#[derive(Debug)]
struct Peer {
    device: DeviceKey,
    contact: Option<ContactId>,
    guest: Option<Guest>,
    search: Search,
    session: Session,
    link: Option<LinkId>,
    dialing: Option<DialId>,
    /// The token that this device was last admitted with.
    admitted: Option<Token>,
    went_away: bool,
    /// It has said that we may use it as a relay; true as long as there is a link to it.
    offers_relay: bool,
    /// When a birthday with it was last tried.
    birthday: Option<Duration>,
}

/// Somebody who holds an invite of ours, before we know who it is.
#[derive(Clone, Debug)]
struct Guest {
    invite: InviteId,
    key: Secret,
    until: Duration,
    /// Where it knocked from, or said that it is.
    places: Vec<Place>,
    /// The kind of NAT that it said it is behind.
    nat: NatKind,
}

/// One connection.
#[derive(Debug)]
struct Link {
    id: LinkId,
    peer: DeviceKey,
    remote: Place,
    exporter: [u8; 32],
    /// Names the invite that our `hello` spoke of.
    redeems: Option<[u8; 8]>,
    up: Duration,
    stage: Stage,
    keepalive: Keepalive,
    /// When a packet last passed on it, either way, as far as the core knows.
    stirred: Duration,
    rtt: Duration,
    /// The peer's wall clock less our boot clock, in seconds, as its `hello` said.
    clock: Option<i64>,
    /// The peer's end is at its relay server, as its `hello` said.
    their_server: bool,
    /// Where it leads may be wrong: the peer was heard elsewhere, or our own addresses are others. Until the next proof.
    shaken: bool,
    /// When it is closed in any case, and with which code.
    closing: Option<(Duration, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing but the TLS key is known.
    AwaitingHello,
    /// A guest has shown itself, and its redemption waits for the disk or was refused.
    Judging,
    /// The inviter has shown itself and is judging our redemption.
    Redeeming,
    /// The peer has shown who it is and is a contact.
    Ready,
}

/// A knock of ours that may still be answered.
#[derive(Debug)]
struct AskedKnock {
    peer: DeviceKey,
    to: Place,
    key: Secret,
    padded: bool,
    /// Whether it can arrive: else it was only to open routers of ours.
    is_far: bool,
    at: Duration,
}

/// What a new person is called until the user says otherwise.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// The person.
    pub person_name: String,
    /// The device.
    pub device_name: String,
}

impl Node {
    /// A daemon with the stored state, or a new person where there is none; a new person is stored at once.
    ///
    /// # Errors
    /// [`StateError`] where the bytes are no state of ours.
    pub fn new(seed: [u8; 32], stored: Option<&[u8]>, defaults: &Defaults, now: Now) -> Result<Self, StateError> {
        let mut rng = Rng::new(seed);
        let state = match stored {
            Some(bytes) => State::from_bytes(bytes)?,
            None => State::new(Identity::create(&mut rng, &defaults.person_name, &defaults.device_name)),
        };
        let (root, device) = (state.identity.root(), state.identity.device());
        let mut node = Self {
            rng,
            state,
            root,
            device,
            own: OwnAddresses::default(),
            network: network::Network::default(),
            punch: punch::Punch::default(),
            keyring: Keyring::default(),
            keyring_stale: true,
            replays: ReplayGuard::default(),
            answers: Answers::default(),
            asked: BTreeMap::new(),
            peers: BTreeMap::new(),
            links: BTreeMap::new(),
            dials: BTreeMap::new(),
            next_dial: 1,
            next_tick: now.boot,
            proven: now.boot,
            base: 0,
            calls: Calls::default(),
            quiet: BTreeSet::new(),
            one_click: false,
            served: served::Served::default(),
            relaying: relay::Relaying::default(),
            turn: turn::Turn::default(),
            safety: BTreeMap::new(),
            door: Door::default(),
            visits: BTreeMap::new(),
            pings: BTreeMap::new(),
            finder: finding::Finder::default(),
            introductions: introduce::Introductions::default(),
            generation: 0,
            unstored: false,
            pending: Vec::new(),
            shown: BTreeMap::new(),
            out: VecDeque::new(),
        };
        node.base = node.rng.below(u64::from(u16::MAX));
        node.align_tick(now);
        node.meet_all();
        if node.have_finding_keys() || stored.is_none() {
            node.store();
        }
        Ok(node)
    }

    /// The seed of this device's TLS key.
    #[must_use]
    pub fn device_seed(&self) -> Secret {
        self.state.identity.device_seed.clone()
    }

    /// This device's TLS key.
    #[must_use]
    pub const fn device(&self) -> DeviceKey {
        self.device
    }

    /// One's own root.
    #[must_use]
    pub const fn root(&self) -> RootKey {
        self.root
    }

    /// Takes one input. What it leads to is waiting in [`Self::poll_output`].
    pub fn handle(&mut self, input: Input, now: Now) {
        self.refresh_keyring(now);
        self.finder.is_stale |= may_make_jobs(&input);
        match input {
            Input::Datagram { from, via, bytes } => self.handle_datagram(Place { at: from, via }, &bytes, now),
            Input::Interfaces(own) => self.handle_interfaces(own, now),
            Input::Relays { for_contacts, server } => self.handle_relays(for_contacts, server),
            Input::OneClick { usual } => self.one_click = usual,
            Input::Turn { relayed } => self.handle_turn(relayed, now),
            Input::Stun { from, via, bytes } => self.handle_stun(Place { at: from, via }, &bytes, now),
            Input::Krpc { from, bytes } => self.handle_krpc(from, &bytes, now),
            Input::DhtNodes(nodes) => self.handle_dht_nodes(&nodes, now),
            Input::StunServers(servers) => self.handle_stun_servers(&servers, now),
            Input::Mapping(mapping) => self.handle_mapping(mapping, now),
            Input::Resumed => self.handle_resumed(now),
            Input::Visitor { visitor, from } => self.handle_visitor(visitor, from, now),
            Input::LinkUp(up) => self.handle_link_up(up, now),
            Input::DialFailed { dial } => self.handle_dial_failed(dial, now),
            Input::TurnedAway { dial } => {
                self.visit_failed(dial, true, now);
            }
            Input::LinkDown { link, code } => match self.visit_on(link) {
                Some(visit) => self.visit_down(visit, code, now),
                None => self.handle_link_down(link, code, now),
            },
            Input::Control { link, bytes } => match self.visit_on(link) {
                Some(visit) => self.visit_control(visit, &bytes, now),
                None => self.handle_control(link, &bytes, now),
            },
            Input::Alive { link, bytes } => match self.visit_on(link) {
                Some(visit) => self.visit_alive(visit, &bytes, now),
                None => self.handle_alive(link, &bytes, now),
            },
            Input::Moved { link, from, via } => self.handle_moved(link, Place { at: from, via }, now),
            Input::Rtt { link, rtt } => match self.visit_on(link) {
                Some(visit) => self.visit_rtt(visit, rtt),
                None => self.handle_rtt(link, rtt),
            },
            Input::Leg { call, leg, fact } => self.calls.handle_leg(call, leg, fact, now.boot),
            Input::Stored { generation } => self.handle_stored(generation, now),
            Input::StoreFailed { generation } => self.handle_store_failed(generation, now),
            Input::Command { id, command } => self.handle_command(id, command, now),
            Input::Means(means) => self.handle_means(means, now),
            Input::DhtAnswer { query, answer } => self.handle_dht_answer(query, answer, now),
            Input::LanSeen { name, addresses } => self.handle_lan_seen(name, &addresses),
            Input::Going => self.handle_going(now),
        }
        self.settle(now);
    }

    /// Does what is due. To be called at, or any time after, [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        self.refresh_keyring(now);
        self.handle_due(now);
        self.settle(now);
    }

    /// The next thing for the shell to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Whatever the input was: calls look at the paths again, and clients hear of dots that changed.
    fn settle(&mut self, now: Now) {
        self.watch_safety(now);
        self.tend_served(now);
        self.tend_ways(now);
        self.tend_turn(now);
        self.poll_calls(now.boot);
        self.perform_deeds(now);
        self.tend_visits(now);
        self.perform_deeds(now);
        self.notice_quiet(now);
        self.tend_finding(now);
        self.notice_dots(now);
        self.tend_spares();
        self.refresh_keyring(now);
    }

    fn perform_deeds(&mut self, now: Now) {
        loop {
            let deeds = self.calls.take_deeds();
            if deeds.is_empty() {
                return;
            }
            for deed in deeds {
                self.perform(deed, now);
            }
        }
    }

    fn perform(&mut self, deed: Deed, now: Now) {
        match deed {
            Deed::Tell(contact, message) => self.tell(contact, message, now),
            Deed::Route { call, link, base, role } => self.push(Output::Route { call, link, base, role }),
            Deed::FarTakes(call, formats) => self.push(Output::FarTakes { call, formats }),
            Deed::OpenGate(call) => self.push(Output::OpenGate { call }),
            Deed::EndMedia(call) => self.push(Output::EndMedia { call }),
            Deed::Changed(call) => self.event(Event::Call(call)),
        }
    }

    fn push(&mut self, output: Output) {
        self.out.push_back(output);
    }

    fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    /// Whether this side opens connections to a device.
    fn dials(&self, peer: &DeviceKey) -> bool {
        self.device < *peer
    }
}

/// Whether an input may change what is looked up and published. The many small ones may not.
const fn may_make_jobs(input: &Input) -> bool {
    match input {
        Input::Datagram { .. }
        | Input::Alive { .. }
        | Input::Rtt { .. }
        | Input::Moved { .. }
        | Input::Leg { .. }
        | Input::Stun { .. }
        | Input::StunServers(_)
        | Input::Krpc { .. }
        | Input::DhtNodes(_)
        | Input::Mapping(_) => false,
        Input::Interfaces(_)
        | Input::Relays { .. }
        | Input::OneClick { .. }
        | Input::Turn { .. }
        | Input::Resumed
        | Input::LinkUp(_)
        | Input::DialFailed { .. }
        | Input::TurnedAway { .. }
        | Input::Visitor { .. }
        | Input::LinkDown { .. }
        | Input::Control { .. }
        | Input::Stored { .. }
        | Input::StoreFailed { .. }
        | Input::Command { .. }
        | Input::Means(_)
        | Input::DhtAnswer { .. }
        | Input::LanSeen { .. }
        | Input::Going => true,
    }
}
