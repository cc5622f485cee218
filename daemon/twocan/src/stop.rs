//! The signals that ask a command to end: Ctrl-C, a service manager's SIGTERM, a closed terminal.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;
use crate::failure::Failure;

/// Listens from the moment it is made, so that no signal kills a command that has something to clean up.
#[derive(Debug)]
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Stop {
    /// Takes the signals over from their default action.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let take = |kind| signal(kind).map_err(|error| unheard(&error));
        Ok(Self {
            interrupt: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
            hangup: take(SignalKind::hangup())?,
        })
    }

    /// Waits for the next of them. Cancel-safe.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    /// Does a step that a signal ends early, as a failure.
    pub(crate) async fn or<T>(&mut self, step: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            done = step => done,
            () = self.asked() => Err(Failure::new(Exit::Failed, "Stopped.", "")),
        }
    }
}

fn unheard(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("Signals cannot be heard: {error}."),
        "Close some programs and try again.",
    )
}
