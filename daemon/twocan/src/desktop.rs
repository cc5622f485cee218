//! For people who start Twocan from their desktop's menu, or click a link: there is no terminal to read.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use twocan_api::client::{Client, ClientError, service};

use crate::exit::Exit;
use crate::failure::Failure;

/// How long a daemon may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks whether it does.
const LOOK: Duration = Duration::from_millis(100);
/// How long a program that tells something may take.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// Sees to it that the daemon runs: as the service that is installed, else by itself.
pub(crate) async fn start(client: &Client) -> Result<(), Failure> {
    if is_up(client).await {
        return Ok(());
    }
    let mut child = if service::start().await { None } else { Some(spawn()?) };
    let until = Instant::now() + READY_WITHIN;
    while Instant::now() < until {
        if is_up(client).await {
            return Ok(());
        }
        if child.as_mut().is_some_and(has_ended) {
            break;
        }
        sleep(LOOK).await;
    }
    Err(match client.status().await {
        Err(error @ ClientError::NotRunning { waiting: Some(_), .. }) => error.into(),
        Ok(_) | Err(_) => Failure::new(
            Exit::NotRunning,
            "Twocan does not start.",
            "See why in a terminal, with: twocan up",
        ),
    })
}

/// Whatever answers is no daemon to be started once more, even where it answers with a problem.
async fn is_up(client: &Client) -> bool {
    !matches!(client.status().await, Err(ClientError::NotRunning { .. }))
}

/// Starts `twocan up` in a group of its own, so that it outlives this command.
fn spawn() -> Result<Child, Failure> {
    let program = std::env::current_exe().map_err(|error| unstarted(&error))?;
    let mut command = quiet(program);
    command.arg("up").process_group(0);
    command.spawn().map_err(|error| unstarted(&error))
}

fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Shows a failure on the desktop, where that has a program to show it.
pub(crate) async fn tell(failure: &Failure) {
    let mut command = quiet("notify-send");
    command.args(["--app-name=Twocan", "--", &failure.text, &failure.fix]);
    // Without such a program the words stand in the log of the session.
    drop(timeout(TOLD_WITHIN, command.status()).await);
}

fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn unstarted(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::NotRunning,
        format!("Twocan cannot be started: {error}."),
        "Install it again.",
    )
}
