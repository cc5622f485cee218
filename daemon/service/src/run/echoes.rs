//! Test calls: the command's own demo, run by the daemon for a person without a terminal.
//!
//! `twocan demo` has Echo added by a real link, calls it, and clears the stage whatever happens. It is a client of the
//! local API like any script, so here it is a process that is told to call, and that says which call it made. One at a
//! time; when the call is over the process ends, and Echo with it.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;
use twocan_core::ids::CallId;

use crate::http::{EchoProblem, Echoes};

/// What stands before the call's id on the line that tells it.
pub const CALL_LINE: &str = "twocan test call ";

/// How long it may take until Echo is called, on a machine under load.
const CALLED_WITHIN: Duration = Duration::from_secs(30);

/// Starts test calls.
#[derive(Debug)]
pub(super) struct EchoCalls {
    program: PathBuf,
    /// Held while one is under way.
    turn: Arc<Mutex<()>>,
}

impl EchoCalls {
    /// Test calls by this program.
    pub(super) fn new(program: PathBuf) -> Self {
        Self {
            program,
            turn: Arc::default(),
        }
    }

    fn start(&self) -> std::io::Result<(Child, Option<ChildStdout>)> {
        let mut child = Command::new(&self.program)
            .args(["demo", "--test-call"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            // What the service manager is told of this daemon is not the child's to say.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .spawn()?;
        let stdout = child.stdout.take();
        Ok((child, stdout))
    }
}

impl Echoes for EchoCalls {
    fn call(&self) -> BoxFuture<'_, Result<CallId, EchoProblem>> {
        Box::pin(async move {
            let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else {
                return Err(EchoProblem::UnderWay);
            };
            let started = self.start();
            let (child, stdout) = started.map_err(|error| {
                tracing::warn!(%error, "Echo cannot be started");
                EchoProblem::NotStarted
            })?;
            let mut lines = BufReader::new(stdout.ok_or(EchoProblem::NotStarted)?).lines();
            let (told, call) = tokio::sync::oneshot::channel();
            // Whoever asked may go away; the call and its end are looked after all the same.
            tokio::spawn(async move {
                let _ = told.send(timeout(CALLED_WITHIN, called(&mut lines)).await.ok().flatten());
                see_off(child, lines, turn).await;
            });
            call.await.ok().flatten().ok_or(EchoProblem::NotStarted)
        })
    }
}

/// Reads until the call is told.
async fn called(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<CallId> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(id) = line.strip_prefix(CALL_LINE) {
            return CallId::from_hex(id);
        }
    }
    None
}

/// Reads on, so that the process never waits for a reader, until it ends.
async fn see_off(mut child: Child, mut lines: Lines<BufReader<ChildStdout>>, turn: OwnedMutexGuard<()>) {
    while let Ok(Some(_)) = lines.next_line().await {}
    if let Err(error) = child.wait().await {
        tracing::warn!(%error, "the end of a test call was not seen");
    }
    drop(turn);
}
