//! What keeps the daemon running for weeks: the service manager's patience, and upgrades.

use std::path::PathBuf;
use std::time::Duration;

use twocan_core::time::Now;

use super::manager::Manager;
use super::program::Program;

/// The service manager, and the program's file.
#[derive(Debug)]
pub(super) struct Upkeep {
    manager: Manager,
    /// `None` where no successor is heeded.
    program: Option<Program>,
}

impl Upkeep {
    /// Begins; `renews` where a program that takes this one's place is heeded.
    pub(super) fn new(renews: bool, now: Now) -> Self {
        Self {
            manager: Manager::of_environment(now.boot),
            program: renews.then(Program::of_this_process).flatten(),
        }
    }

    /// Everything listens.
    pub(super) fn ready(&self, status: &str) {
        self.manager.ready(status);
    }

    /// To be called in each turn of the loop; gives the program that has taken the place of this one, if one has.
    pub(super) fn turn(&mut self, now: Now) -> Option<PathBuf> {
        self.manager.turn(now.boot);
        let program = self.program.as_mut()?;
        program.is_replaced(now.boot).then(|| program.path())
    }

    /// When the loop has to turn next for the sake of any of this.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        let program = self.program.as_ref().and_then(Program::next_timeout);
        [self.manager.next_timeout(), program].into_iter().flatten().min()
    }

    /// The loop has come to its end; another program goes on, or none.
    pub(super) fn ending(&self, is_replaced: bool) {
        if is_replaced {
            self.manager.reloading();
        } else {
            self.manager.stopping();
        }
    }
}
