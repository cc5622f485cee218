//! Doors in a storm: whatever happens in whatever order, nobody is kept who did not want it, nothing is heard before an
//! answer, one stranger at a time stands in a door, and nothing of a visit is left when it is over.

use std::collections::BTreeSet;
use std::time::Duration;

use super::BOTH;
use super::lab::Lab;
use crate::call::Phase;
use crate::command::Command;
use crate::event::{CallState, CallView};
use crate::ids::CallId;
use crate::rng::Rng;

const HOSTS: usize = 3;
const SEEDS: u8 = 200;
const STEPS: usize = 60;

/// What users did, as they remember it.
#[derive(Default)]
struct Memory {
    /// Who wanted to keep whom, by calls.
    wishes: BTreeSet<(usize, usize)>,
    answered: BTreeSet<CallId>,
}

struct Storm {
    lab: Lab,
    dice: Rng,
    memory: Memory,
}

impl Storm {
    fn new(seed: u8) -> Self {
        Self {
            lab: Lab::new(HOSTS),
            dice: Rng::new([seed; 32]),
            memory: Memory::default(),
        }
    }

    fn index(&mut self, most: usize) -> usize {
        usize::try_from(self.dice.below(u64::try_from(most).unwrap())).unwrap()
    }

    /// A call that a host lists and that fits, if there is one.
    fn some_call(&mut self, host: usize, fits: impl Fn(&CallView) -> bool) -> Option<CallId> {
        let calls = self.lab.hosts[host].node.snapshot(self.lab.now).calls;
        let fitting: Vec<CallId> = calls.iter().filter(|call| fits(call)).map(|call| call.id).collect();
        let place = self.index(fitting.len().max(1));
        fitting.get(place).copied()
    }

    fn click(&mut self, host: usize, command: Command) {
        self.lab.begin(host, command);
    }

    fn step(&mut self) {
        let host = self.index(HOSTS);
        match self.dice.below(16) {
            0 | 1 => {
                let for_s = 1 + self.dice.below(3600);
                self.click(host, Command::SetDoor { open: true, for_s });
            }
            2 => self.click(host, Command::SetDoor { open: false, for_s: 1 }),
            3..=5 => {
                let there = (host + 1 + self.index(HOSTS - 1)) % HOSTS;
                let to = format!("11.0.0.{}:2226", there + 1).parse().unwrap();
                self.click(host, Command::CallAddress { to, media: BOTH });
            }
            6..=8 => self.answer(host),
            9 => {
                if let Some(call) = self.some_call(host, |call| call.state != CallState::Ended) {
                    self.click(host, Command::HangUp { call });
                }
            }
            10..=13 => self.keep(host),
            14 => {
                let (same, fits) = (self.dice.below(8) > 0, |call: &CallView| call.stranger.is_some());
                if let Some(call) = self.some_call(host, fits) {
                    self.click(host, Command::ComparedWithStranger { call, same });
                }
            }
            _ => self.weather(host),
        }
        let pause = [0, 0, 0, 0, 1, 3, 20, 61][self.index(8)];
        self.lab.pass(Duration::from_secs(pause));
    }

    fn answer(&mut self, host: usize) {
        let rings = |call: &CallView| call.incoming && call.state == CallState::Ringing;
        if let Some(call) = self.some_call(host, rings) {
            self.memory.answered.insert(call);
            self.click(host, Command::Answer { call });
        }
    }

    fn keep(&mut self, host: usize) {
        let Some(call) = self.some_call(host, |call| call.stranger.is_some()) else {
            return;
        };
        let keep = self.dice.below(8) > 0;
        if keep {
            let others = (0..HOSTS).filter(|other| *other != host);
            let lists = |other: &usize| {
                let node = &self.lab.hosts[*other].node;
                node.visit_of(call).is_some()
            };
            let other: Vec<usize> = others.filter(lists).collect();
            self.memory.wishes.extend(other.into_iter().map(|other| (host, other)));
        }
        self.click(host, Command::Keep { call, keep });
    }

    fn weather(&mut self, host: usize) {
        match self.dice.below(4) {
            0 => self.lab.cut(),
            1 => self.lab.restart(host),
            2 => self.lab.hosts[host].disk_fails = true,
            _ => self.lab.hosts[host].disk_fails = false,
        }
    }

    fn check(&self) {
        for (index, host) in self.lab.hosts.iter().enumerate() {
            for call in &host.opened {
                assert!(self.memory.answered.contains(call), "a gate opened before the answer");
            }
            let waiting = host.node.visits.values().filter(|visit| {
                let phase = visit
                    .call
                    .and_then(|call| host.node.calls.get(call))
                    .map(|call| call.phase);
                let is_caller = visit.line().is_none_or(|line| line.dialed);
                !is_caller && matches!(phase, None | Some(Phase::Ringing { .. }))
            });
            assert!(waiting.count() <= 1, "two strangers stand in one door");
            for contact in &host.node.state.contacts {
                let roots = self.lab.hosts.iter().map(|host| host.node.root());
                let other = roots.enumerate().find(|(_, root)| *root == contact.root);
                let other = other.expect("somebody of this lab").0;
                let both = [(index, other), (other, index)];
                let mutual = both.iter().all(|wish| self.memory.wishes.contains(wish));
                assert!(mutual, "{index} keeps {other}: {:?}", self.memory.wishes);
            }
        }
    }

    /// The storm is over: doors close, calls end, and whoever holds each other finds each other.
    fn calm(&mut self) {
        for host in 0..HOSTS {
            self.lab.hosts[host].disk_fails = false;
            while let Some(call) = self.some_call(host, |call| call.state != CallState::Ended) {
                self.click(host, Command::HangUp { call });
            }
        }
        self.lab.pass(Duration::from_secs(3600));
        for host in 0..HOSTS {
            while let Some(call) = self.some_call(host, |call| call.missed) {
                self.click(host, Command::SeeMissed { call });
            }
        }
        self.lab.pass(Duration::from_secs(61));
        self.check();
        for host in &self.lab.hosts {
            assert!(host.node.visits.is_empty(), "{:?}", host.node.visits);
            assert!(host.door.is_none(), "a door stands open");
        }
        let holds = |here: usize, there: usize| {
            let root = self.lab.hosts[there].node.root();
            self.lab.hosts[here].node.state.contact_of(&root).is_some()
        };
        for (here, there) in [(0, 1), (0, 2), (1, 2)] {
            if holds(here, there) && holds(there, here) {
                assert!(self.lab.is_green(here, there), "{here} and {there} hold each other");
            }
        }
    }
}

#[test]
fn nobody_is_kept_or_heard_against_his_will() {
    let mut kept = 0;
    for seed in 0..SEEDS {
        let mut storm = Storm::new(seed);
        for _ in 0..STEPS {
            storm.step();
            storm.check();
        }
        storm.calm();
        kept += storm
            .lab
            .hosts
            .iter()
            .map(|host| host.node.state.contacts.len())
            .sum::<usize>();
    }
    assert!(kept > 20, "the storm hardly lets anybody be kept: {kept}");
}
