//! One run of the binary under test.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::binary;
use crate::wait::at_most;

/// How long a command may take that does not wait for people.
pub const COMMAND: Duration = Duration::from_secs(40);

/// A port that is free, of this machine alone.
pub const FREE: &str = "127.0.0.1:0";

/// The arguments of a daemon on ports of its own.
pub const UP: [&str; 7] = up_on(FREE, FREE, FREE);

/// The arguments of a daemon on these ports.
#[must_use]
pub const fn up_on<'a>(udp: &'a str, control: &'a str, page: &'a str) -> [&'a str; 7] {
    ["up", "--udp", udp, "--control", control, "--page", page]
}

/// A command under way. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    what: String,
    child: Child,
    out: JoinHandle<String>,
    err: JoinHandle<String>,
}

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; −1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command with an environment in which nothing but `home` says where Twocan's files are.
#[must_use]
pub fn command(home: &Path) -> Command {
    command_within(home, None)
}

/// The same in the network namespace at `netns`, where there is one.
#[must_use]
pub fn command_within(home: &Path, netns: Option<&Path>) -> Command {
    command_of(binary::twocan(), home, netns)
}

/// The same with a program other than the one under test, such as a copy of it.
#[must_use]
pub fn command_of(program: &Path, home: &Path, netns: Option<&Path>) -> Command {
    let mut command = match netns {
        // It becomes the command, so that the process id is the command's own.
        Some(netns) => {
            let mut enter = Command::new("nsenter");
            enter.arg(format!("--net={}", netns.display())).arg(program);
            enter
        }
        None => Command::new(program),
    };
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("XDG_") || name_text.starts_with("TWOCAN_") {
            command.env_remove(&name);
        }
    }
    command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("CREDENTIALS_DIRECTORY")
        .env_remove("RUST_LOG");
    command
        .env("HOME", home.parent().unwrap_or(home))
        .env("TWOCAN_HOME", home)
        // Whoever runs the tests may have a keyring, in which they have no business.
        .env("TWOCAN_SECRETS_STORE", "file")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        // Nothing of a test leaves this machine; who wants a DHT says where it is.
        .env("TWOCAN_DHT_ENABLED", "false")
        .env("TWOCAN_NETWORK_LAN", "false");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Running {
    /// Starts `twocan ARGS`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(home: &Path, args: &[&str]) -> Self {
        let what = format!("twocan {}", args.join(" "));
        let mut child = command(home)
            .args(args)
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let out = tokio::spawn(read_all(child.stdout.take().unwrap()));
        let err = tokio::spawn(read_all(child.stderr.take().unwrap()));
        Self { what, child, out, err }
    }

    /// Its process id.
    ///
    /// # Panics
    /// If it has ended.
    #[must_use]
    pub fn pid(&self) -> Pid {
        pid(&self.child)
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it has ended.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end within `within`.
    pub async fn end(mut self, within: Duration) -> Output {
        let status = at_most(&format!("the end of `{}`", self.what), within, self.child.wait())
            .await
            .unwrap();
        let (stdout, stderr) = (self.out.await.unwrap(), self.err.await.unwrap());
        Output {
            code: code(status),
            stdout,
            stderr,
        }
    }
}

impl Output {
    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// If it is anything else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Passes the output on if the command ended with `code`.
    ///
    /// # Panics
    /// If it ended with another.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// The process id of a child that has not been waited for.
///
/// # Panics
/// If it has.
#[must_use]
pub fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id().expect("a running process")).unwrap())
}

/// The first line that `from` gives, without its end.
///
/// # Panics
/// If `from` cannot be read.
pub async fn first_line(from: &mut (impl AsyncRead + Unpin)) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, from).read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

async fn read_all(mut from: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
