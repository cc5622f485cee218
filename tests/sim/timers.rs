//! The shells' one alarm: armed anew after every input, and a little late.

use std::time::Duration;

use twocan_core::event::CallState;
use twocan_core::node::Node;
use twocan_core::time::Now;

use super::happening::{Cause, Happening};
use super::host::{Host, WALL};
use super::mutant::Mutant;
use super::world::World;

impl World {
    pub(super) fn timer(&mut self, index: usize, timer: u64) {
        if self.hosts[index].shell.timer == timer && self.hosts[index].works() {
            self.hosts[index].shell.armed = None;
            let rings = |host: &Host| {
                host.seen
                    .calls
                    .values()
                    .any(|call| call.incoming && call.state == CallState::Ringing)
            };
            if self.is(Mutant::StuckTimers) && rings(&self.hosts[index]) {
                return;
            }
            self.time_out(index);
        }
    }

    /// What the clocks of a machine show to its shell.
    pub(super) fn shell_clock(&self, index: usize) -> Now {
        let host = &self.hosts[index];
        let mut now = host.clock(self.now);
        if self.is(Mutant::StoppedClock) {
            now.wall = WALL;
        }
        now
    }

    pub(super) fn time_out(&mut self, index: usize) {
        self.watch_wakeup(index);
        let mut now = self.shell_clock(index);
        if self.is(Mutant::EarlyTimers) {
            now.boot -= Duration::from_millis(3);
        }
        if let Some(node) = &mut self.hosts[index].node {
            node.handle_timeout(now);
        }
        self.drain(index, Cause::Other);
    }

    pub(super) fn arm(&mut self, index: usize) {
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
}
