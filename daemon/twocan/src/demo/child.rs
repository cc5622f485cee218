//! A throw-away daemon: a child process with a home of its own.
//!
//! It ends with its parent whatever ends the parent: its standard input is a pipe that the parent holds, and its end
//! is the child's signal to leave. It has a process group of its own, so that Ctrl-C reaches the parent alone, who
//! hangs up first. Child and parent both remove the home in the end, so that it goes whichever of them is killed.

use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use twocan_api::client::Client;

use crate::exit::Exit;
use crate::failure::Failure;

/// How the name of a throw-away home begins.
pub(crate) const HOME_PREFIX: &str = "twocan-demo-";

/// How long a daemon may take to be ready on a machine under load.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How long it may take to leave before it is killed.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// A running throw-away daemon. The child stands before its home: it is killed first when neither was stopped in order.
#[derive(Debug)]
pub(crate) struct Throwaway {
    child: Child,
    /// Held open for the child to write to.
    _stdout: Lines<BufReader<ChildStdout>>,
    client: Client,
    home: TempDir,
}

impl Throwaway {
    /// Starts a daemon whose calls use this address and any port, and waits until it is ready.
    pub(crate) async fn start(address: IpAddr, is_echo: bool) -> Result<Self, Failure> {
        let home = tempfile::Builder::new()
            .prefix(HOME_PREFIX)
            .tempdir()
            .map_err(unstarted)?;
        let mut child = command(home.path(), address, is_echo)?.spawn().map_err(unstarted)?;
        let stdout = child.stdout.take().ok_or_else(|| unstarted("no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let first = timeout(READY_WITHIN, lines.next_line()).await;
        match first {
            Ok(Ok(Some(line))) if line.starts_with("twocan ready ") => {
                let client = Client::at(home.path().join("run").join("api.sock"));
                Ok(Self {
                    child,
                    _stdout: lines,
                    client,
                    home,
                })
            }
            Ok(Ok(Some(_) | None)) | Ok(Err(_)) | Err(_) => Err(unstarted(last_words(home.path()))),
        }
    }

    /// A client of its local API.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Lets it leave in order, kills it where it does not, and removes its home.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if timeout(LEAVE_WITHIN, self.child.wait()).await.is_err() {
            drop(self.child.kill().await);
        }
        drop(self.home.close());
    }
}

fn command(home: &Path, address: IpAddr, is_echo: bool) -> Result<Command, Failure> {
    let program = std::env::current_exe().map_err(unstarted)?;
    let udp = std::net::SocketAddr::new(address, 0).to_string();
    let mut command = Command::new(program);
    command.args([
        "up",
        "--throwaway",
        "--udp",
        &udp,
        "--control",
        "127.0.0.1:0",
        "--page",
        "127.0.0.1:0",
    ]);
    if is_echo {
        command.arg("--echo");
    }
    command
        .env("TWOCAN_HOME", home)
        // Nothing of a throw-away home is left behind in the user's keyring.
        .env("TWOCAN_SECRETS_STORE", "file")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if std::env::var_os("TWOCAN_LOG").is_none() {
        let log = std::fs::File::create(home.join("log")).map_err(unstarted)?;
        command.env("TWOCAN_LOG", "warn").stderr(log);
    }
    command.process_group(0).kill_on_drop(true);
    Ok(command)
}

/// What the daemon wrote last before it gave up.
fn last_words(home: &Path) -> String {
    let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
    log.lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("it did not become ready in time")
        .to_owned()
}

fn unstarted(why: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("A throw-away Twocan cannot be started: {why}"),
        "See more with: TWOCAN_LOG=debug twocan demo",
    )
}
