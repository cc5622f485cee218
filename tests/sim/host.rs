//! One machine with one daemon: the core, its clocks, its disk, and what a shell keeps beside them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::event::{CallView, ContactView};
use twocan_core::ids::{
    CallId, CommandId, ContactId, DeviceKey, LinkId, RelayHandle, RelayId, RootKey, Token, VisitorId,
};
use twocan_core::node::Node;
use twocan_core::reach::candidates::{Interface, OwnAddresses};
use twocan_core::reach::relay::Forwards;
use twocan_core::reach::via::Via;
use twocan_core::state::{OwnFinding, State};
use twocan_core::time::Now;

use super::dice::Dice;
use super::door::Visit;
use super::nat::{PORT, Seat};

/// The wall clock of somebody whose clock is right, when a simulation begins.
pub(crate) const WALL: u64 = 1_900_000_000;

/// A machine.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) index: usize,
    /// `None` while the daemon does not run.
    pub(crate) node: Option<Node>,
    /// Counts the starts of the daemon.
    pub(crate) run: u32,
    boot_offset: Duration,
    pub(crate) wall_offset: i64,
    /// Whether the wall clock never jumped: invites that expired by mistake are gone.
    pub(crate) clock_was_right: bool,
    addresses_used: u8,
    pub(crate) address: SocketAddr,
    /// The router that it is behind.
    pub(crate) router: Option<usize>,
    pub(crate) asleep: bool,
    pub(crate) root: RootKey,
    pub(crate) device: DeviceKey,
    pub(crate) disk: Disk,
    pub(crate) shell: Shell,
    pub(crate) seen: Seen,
}

/// The disk under a daemon.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// The state that a restart finds.
    pub(crate) written: Option<Vec<u8>>,
    pub(crate) queue: VecDeque<(u64, Vec<u8>)>,
    pub(crate) busy: bool,
    pub(crate) slow: bool,
    pub(crate) fails: bool,
    /// The first finding key that was ever written, for a mutant.
    pub(crate) first_finding: Option<OwnFinding>,
}

/// What the shell of one run of the daemon keeps.
#[derive(Debug, Default)]
pub(crate) struct Shell {
    pub(crate) admitted: BTreeMap<Token, Duration>,
    /// The key that the open door shows, and until when it is open.
    pub(crate) door: Option<(DeviceKey, Duration)>,
    /// Who asks to come in.
    pub(crate) visitors: BTreeMap<VisitorId, Visit>,
    /// Connection and side.
    pub(crate) links: BTreeMap<LinkId, (usize, usize)>,
    pub(crate) next_link: u64,
    pub(crate) armed: Option<Duration>,
    pub(crate) timer: u64,
    pub(crate) last_wakeup: Duration,
    pub(crate) spins: u32,
    pub(crate) asked: BTreeMap<CommandId, Asked>,
    pub(crate) gates: BTreeMap<CallId, Gate>,
    pub(crate) backlog: Vec<Held>,
    pub(crate) legs: u64,
    /// Ways through relays, and whom it is one for.
    pub(crate) ways: BTreeMap<RelayId, (SocketAddr, RelayHandle)>,
    pub(crate) forwards: Forwards,
    /// Sockets beside the one.
    pub(crate) spares: BTreeSet<u16>,
    /// Whom it has dialed.
    pub(crate) dialed: BTreeSet<DeviceKey>,
    /// The knock that is being handled, and what a mutant answered to which.
    pub(crate) asked_by: Vec<u8>,
    pub(crate) answers: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What a mutant sent back.
    pub(crate) echoed: BTreeSet<Vec<u8>>,
}

/// A packet in the socket of a sleeping machine.
#[derive(Debug)]
pub(crate) enum Held {
    Knock {
        from: SocketAddr,
        via: Via,
        sender: Option<usize>,
        bytes: Vec<u8>,
    },
    Alive {
        conn: usize,
        side: usize,
        bytes: Vec<u8>,
        sent: Duration,
    },
}

/// A command that waits for its reply.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Duration,
    pub(crate) command: Command,
    pub(crate) then: Then,
}

/// What somebody does when a command is answered.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    Nothing,
    /// Gives the link of the new invite away.
    Give(Vec<Gift>),
}

/// A link on its way to somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gift {
    pub(crate) to: usize,
    pub(crate) after: Duration,
    pub(crate) damaged: bool,
}

/// What the media gate was told about one call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gate {
    pub(crate) routed: bool,
    /// The connection that it leads to.
    pub(crate) link: Option<LinkId>,
    pub(crate) opened: u32,
    pub(crate) ended: u32,
}

/// What a client of the local API has been told, and what the user did.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) contacts: BTreeMap<ContactId, ContactView>,
    pub(crate) calls: BTreeMap<CallId, CallView>,
    /// Whose contact it is; a pending contact does not say so itself.
    pub(crate) people: BTreeMap<ContactId, usize>,
    pub(crate) will_ring: bool,
    pub(crate) will_ring_since: Duration,
}

impl Disk {
    /// What a mutant does: invites are as if nobody had redeemed them.
    pub(crate) fn forget_redeemers(&mut self) {
        let state = self.written.as_deref().map(State::from_bytes);
        if let Some(Ok(mut state)) = state {
            for invite in &mut state.invites {
                invite.redeemer = None;
            }
            self.written = Some(state.to_bytes());
        }
    }
}

impl Host {
    pub(crate) fn new(index: usize, dice: &mut Dice) -> Self {
        let mut host = Self {
            index,
            node: None,
            run: 0,
            boot_offset: Duration::from_secs(1 + dice.below(1_000_000)) + dice.ms(0, 1000),
            wall_offset: 0,
            clock_was_right: true,
            addresses_used: 0,
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            router: None,
            asleep: false,
            root: RootKey([0; 32]),
            device: DeviceKey([0; 32]),
            disk: Disk::default(),
            shell: Shell::default(),
            seen: Seen {
                will_ring: true,
                ..Seen::default()
            },
        };
        host.move_away();
        host
    }

    /// Takes an address that nobody had before.
    pub(crate) fn move_away(&mut self) {
        self.addresses_used += 1;
        let index = u8::try_from(self.index).unwrap();
        self.address = SocketAddr::from(([11, 0, index + 1, self.addresses_used], PORT));
        self.router = None;
    }

    pub(crate) fn own_addresses(&self) -> OwnAddresses {
        OwnAddresses {
            interfaces: vec![Interface {
                ip: self.address.ip(),
                prefix: 24,
            }],
            port: self.address.port(),
            loopback_only: false,
        }
    }

    pub(crate) fn clock(&self, now: Duration) -> Now {
        let wall = i64::try_from(WALL + now.as_secs()).unwrap() + self.wall_offset;
        Now {
            boot: self.boot_offset + now,
            wall: u64::try_from(wall).unwrap(),
            millis: u16::try_from(now.subsec_millis()).unwrap(),
        }
    }

    /// The true time of a moment on this machine's boot clock.
    pub(crate) fn true_time(&self, boot: Duration) -> Duration {
        boot.saturating_sub(self.boot_offset)
    }

    /// Where it is in the network.
    pub(crate) const fn seat(&self) -> Seat {
        Seat {
            router: self.router,
            ip: self.address.ip(),
        }
    }

    /// Whether the daemon runs and the machine is awake.
    pub(crate) const fn works(&self) -> bool {
        self.node.is_some() && !self.asleep
    }

    pub(crate) fn name(&self) -> char {
        char::from(b'A' + u8::try_from(self.index).unwrap())
    }

    /// The contact that stands for another host.
    pub(crate) fn contact_for(&self, other: usize) -> Option<&ContactView> {
        self.seen
            .contacts
            .values()
            .find(|contact| self.seen.people.get(&contact.id) == Some(&other))
    }
}
