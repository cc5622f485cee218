//! What happens in a run: chaos, or a scene whose outcome is known beforehand.

mod call_ends;
mod calls;
mod change;
mod chaos;
mod doors;
mod finding;
pub(crate) mod homes;
mod idle;
mod invites;
mod manners;
mod neighbours;
mod relays;

use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::event::{CallState, ContactState};
use twocan_core::ids::CallId;

use super::host::{Gift, Then};
use super::mutant::Mutant;
use super::network::Conditions;
use super::people::VIDEO;
use super::watch::Invariant;

use super::world::World;
pub(crate) use homes::leaky;

/// The kinds of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything at any time; then calm, and everything must come right.
    Chaos,
    /// Calls between linked people, whose ends are predicted.
    Calls,
    /// Invites of all sorts.
    Invites,
    /// Calls to an address, between people who know nothing of each other.
    Doors,
    /// Two who do not hear each other, and a friend between them.
    Relays,
    /// People who are not where anybody remembers them.
    Finding,
    /// Two people behind routers of all kinds.
    Homes,
    /// Calls between homes whose networks change.
    Change,
    /// Homes behind one router, routers that forget soon, and people who come back after hours.
    Neighbours,
    /// Hours of nothing.
    Idle,
}

/// Runs one seed of a kind.
pub(crate) fn run(kind: Kind, seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    match kind {
        Kind::Chaos => chaos::run(seed, mutant, trace),
        Kind::Calls => calls::run(seed, mutant, trace),
        Kind::Invites => invites::run(seed, mutant, trace),
        Kind::Doors => doors::run(seed, mutant, trace),
        Kind::Relays => relays::run(seed, mutant, trace),
        Kind::Finding => finding::run(seed, mutant, trace),
        Kind::Homes => homes::run(seed, mutant, trace),
        Kind::Change => change::run(seed, mutant, trace),
        Kind::Neighbours => neighbours::run(seed, mutant, trace),
        Kind::Idle => idle::run(seed, mutant, trace),
    }
}

/// A person who has been added is green on both screens within this time, on a network that loses nothing.
const FRESH: Duration = Duration::from_secs(3);

impl World {
    fn is_well(&self) -> bool {
        self.watch.violation.is_none()
    }

    /// Fails unless something comes to be so within a time.
    fn expect(&mut self, invariant: Invariant, what: &str, limit: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let came = self.run_until(limit, is_so);
        if !came && self.is_well() {
            self.fail(invariant, format!("not within {limit:?}: {what}"));
        }
        came
    }

    fn some_weather(&mut self) -> Conditions {
        self.dice
            .pick(&[Conditions::LAN, Conditions::HOME, Conditions::HOME, Conditions::FAR])
    }

    fn invite(&mut self, from: usize, gifts: Vec<Gift>, expires_in_s: u64) {
        self.command(from, Command::CreateInvite { expires_in_s }, Then::Give(gifts));
    }

    /// `to` redeems an invite of `from`; both are green on each other's screens soon.
    fn befriend(&mut self, from: usize, to: usize) -> bool {
        let gift = Gift {
            to,
            after: Duration::from_millis(100),
            damaged: false,
        };
        self.invite(from, vec![gift], 3600);
        let grace = if self.network.conditions.loss > 0 {
            30 * FRESH
        } else {
            FRESH
        };
        let limit = grace + Duration::from_millis(200);
        self.expect(Invariant::FreshAdd, "both green after an invite", limit, |world| {
            world.is_linked(from, to)
        })
    }

    fn call(&mut self, from: usize, to: usize) {
        if let Some(contact) = self.contact_id(from, to) {
            self.command(from, Command::StartCall { contact, media: VIDEO }, Then::Nothing);
        }
    }

    /// The call that goes on at a host.
    fn open_call(&self, at: usize) -> Option<(CallId, CallState)> {
        let calls = self.hosts[at].seen.calls.values();
        calls
            .filter(|call| call.state != CallState::Ended)
            .map(|call| (call.id, call.state))
            .next()
    }

    fn is_calling(&self, at: usize, state: CallState) -> bool {
        self.open_call(at).is_some_and(|(_, is)| is == state)
    }

    fn contact_state(&self, one: usize, other: usize) -> Option<ContactState> {
        self.hosts[one].contact_for(other).map(|contact| contact.state)
    }
}
