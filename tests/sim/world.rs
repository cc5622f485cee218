//! The flux capacitor: one true clock, and one queue of what happens next.
//!
//! True time is the time since the simulation began. Every host has a boot clock and a wall clock of its own, which are
//! true time with an offset. What shells do with a core's outputs stands in the files beside this one ([`super::shell`]),
//! as faithfully as a simulation can; a [`Mutant`] makes them unfaithful in one way.

use std::collections::BTreeMap;
use std::time::Duration;

use super::conn::Conn;
use super::dht::Dht;
use super::dice::Dice;
use super::happening::Happening;
use super::host::Host;
use super::mutant::Mutant;
use super::network::{Conditions, Network};
use super::watch::Watch;

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Duration,
    queue: BTreeMap<(Duration, u64), Happening>,
    pub(super) queued: u64,
    pub(crate) dice: Dice,
    pub(crate) hosts: Vec<Host>,
    pub(crate) network: Network,
    pub(crate) dht: Dht,
    pub(crate) conns: Vec<Conn>,
    pub(crate) watch: Watch,
    pub(crate) mutant: Option<Mutant>,
    /// The link that each host gave away last.
    pub(crate) newest_links: BTreeMap<usize, String>,
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
            dht: Dht::default(),
            conns: Vec::new(),
            watch: Watch::new(hosts),
            mutant,
            newest_links: BTreeMap::new(),
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
}
