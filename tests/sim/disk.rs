//! The shells' disks: one write at a time, the newest state only, told a moment after it is written.

use std::time::Duration;

use twocan_core::io::Input;
use twocan_core::state::State;

use super::happening::{Cause, Happening};
use super::mutant::Mutant;
use super::world::World;

impl World {
    pub(super) fn store(&mut self, index: usize, generation: u64, state: Vec<u8>) {
        self.hosts[index].disk.queue.push_back((generation, state));
        self.write(index);
    }

    fn write(&mut self, index: usize) {
        let wait = if self.hosts[index].disk.slow {
            self.dice.ms(200, 2500)
        } else {
            self.dice.ms(1, 30)
        };
        let coalesces = self.dice.chance(70);
        let host = &mut self.hosts[index];
        if host.disk.busy {
            return;
        }
        let Some((mut generation, mut state)) = host.disk.queue.pop_front() else {
            return;
        };
        if coalesces && let Some((newer, newest)) = host.disk.queue.pop_back() {
            host.disk.queue.clear();
            (generation, state) = (newer, newest);
        }
        host.disk.busy = true;
        let run = host.run;
        self.later(
            wait,
            Happening::DiskWritten {
                host: index,
                run,
                generation,
                state,
            },
        );
    }

    pub(super) fn disk_written(&mut self, index: usize, run: u32, generation: u64, state: Vec<u8>) {
        let fails = self.is(Mutant::FullDisk) || (self.hosts[index].disk.fails && self.dice.chance(70));
        let lies = self.is(Mutant::FalseStored) && generation > 1;
        let host = &mut self.hosts[index];
        // A write that a crash interrupted may have been finished by the machine, unless the daemon is up again.
        let is_of_this_run = host.run == run;
        if !is_of_this_run || (host.node.is_none() && self.dice.chance(50)) {
            return;
        }
        if !fails && !lies {
            if host.disk.first_finding.is_none() {
                host.disk.first_finding = State::from_bytes(&state).ok().and_then(|state| state.finding);
            }
            host.disk.written = Some(state);
        }
        if host.node.is_none() {
            return;
        }
        host.disk.busy = false;
        let wait = if self.is(Mutant::SlowDisk) {
            Duration::from_secs(4)
        } else {
            self.dice.ms(0, 5)
        };
        let written = !fails;
        self.later(
            wait,
            Happening::DiskTold {
                host: index,
                run,
                generation,
                written,
            },
        );
        self.write(index);
    }

    pub(super) fn disk_told(&mut self, index: usize, run: u32, generation: u64, written: bool) {
        let host = &self.hosts[index];
        if host.run != run || host.node.is_none() {
            return;
        }
        if host.asleep {
            return self.later(
                Duration::from_secs(1),
                Happening::DiskTold {
                    host: index,
                    run,
                    generation,
                    written,
                },
            );
        }
        let input = if written {
            Input::Stored { generation }
        } else {
            Input::StoreFailed { generation }
        };
        self.feed(index, input, Cause::Other);
    }
}
