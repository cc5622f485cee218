//! A daemon in a home of its own.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Child;

use crate::api::Api;
use crate::binary;
use crate::running::{COMMAND, Output, Running, command_of, first_line, pid};
use crate::wait::{at_most, until};

/// How long a daemon may take to say that it is ready, on a busy machine.
const READY: Duration = Duration::from_secs(15);
/// How long a daemon may take to end when asked to.
const GONE: Duration = Duration::from_secs(10);
/// What daemons log here: everything of ours, so that a failed test shows it, and what others find important.
const LOGGED: &str = "info,twocan=debug,twocan_core=debug,twocan_service=debug";
/// How long two daemons on one machine may take to show each other green.
pub const GREEN: Duration = Duration::from_secs(2);

/// A throw-away home, and its daemon while one runs. Dropping it kills the daemon and deletes the home.
#[derive(Debug)]
pub struct Home {
    name: String,
    folder: TempDir,
    udp: String,
    page: String,
    environment: Vec<(String, String)>,
    netns: Option<PathBuf>,
    program: PathBuf,
    daemon: Option<Daemon>,
}

/// A running daemon and what its ready line said.
#[derive(Debug)]
struct Daemon {
    child: Child,
    ready: Ready,
}

/// The ready line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The UDP address.
    pub udp: SocketAddr,
    /// The control listener's origin.
    pub control: String,
    /// The page listener's origin.
    pub page: String,
}

impl Ready {
    /// Reads `twocan ready udp=… control=… page=…`.
    ///
    /// # Panics
    /// If it is any other line.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let fields: Vec<_> = line.split(' ').collect();
        let ["twocan", "ready", udp, control, page] = fields.as_slice() else {
            panic!("no ready line: {line:?}")
        };
        let value = |field: &str, name: &str| {
            let value = field.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            value.unwrap_or_else(|| panic!("no {name}: {line:?}")).to_owned()
        };
        let udp = value(udp, "udp")
            .parse()
            .unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self {
            udp,
            control: value(control, "control"),
            page: value(page, "page"),
        }
    }
}

impl Home {
    /// A home in which nothing ever ran, for a person of this name.
    ///
    /// # Panics
    /// If there is no room for it.
    #[must_use]
    pub fn empty(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-test-").tempdir().unwrap();
        Self {
            name: name.to_owned(),
            folder,
            udp: "127.0.0.1:0".to_owned(),
            page: "127.0.0.1:0".to_owned(),
            environment: Vec::new(),
            netns: None,
            program: binary::twocan().to_owned(),
            daemon: None,
        }
    }

    /// The same, whose daemon is to bind its UDP socket to `udp`.
    #[must_use]
    pub fn bound(name: &str, udp: &str) -> Self {
        let mut home = Self::empty(name);
        udp.clone_into(&mut home.udp);
        home
    }

    /// A home whose daemon is to run in the network namespace at `netns`, its UDP socket at the usual port of all
    /// addresses there.
    #[must_use]
    pub fn within(name: &str, netns: PathBuf) -> Self {
        let mut home = Self::empty(name);
        "[::]:2226".clone_into(&mut home.udp);
        home.netns = Some(netns);
        home
    }

    /// Has the daemon be this program, from its next start on.
    pub fn run(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// Serves its page at `address` from the next start on.
    pub fn serve_page_at(&mut self, address: &str) {
        address.clone_into(&mut self.page);
    }

    /// Writes `config.toml`, for the next start.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn configure(&self, text: &str) {
        std::fs::create_dir_all(self.path()).unwrap();
        std::fs::write(self.path().join("config.toml"), text).unwrap();
    }

    /// A home whose daemon runs and whose person has this name.
    pub async fn up(name: &str) -> Self {
        Self::up_on(name, "127.0.0.1:0").await
    }

    /// The same, with its UDP socket bound to `udp`.
    pub async fn up_on(name: &str, udp: &str) -> Self {
        let mut home = Self::bound(name, udp);
        home.begin_life().await;
        home
    }

    /// Sets a variable in the environment of the daemon, from its next start on.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.push((variable.to_owned(), value.to_owned()));
    }

    /// Starts the daemon for the first time, and gives it the person's name.
    ///
    /// # Panics
    /// If it does not take the name.
    pub async fn begin_life(&mut self) {
        self.start().await;
        let answer = self.api().patch("/v1/me", json!({ "name": self.name })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The folder that `TWOCAN_HOME` names.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The person's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the ready line said.
    ///
    /// # Panics
    /// If no daemon runs.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.running().ready
    }

    /// The process id of the daemon.
    ///
    /// # Panics
    /// If no daemon runs.
    #[must_use]
    pub fn pid(&self) -> i32 {
        pid(&self.running().child).as_raw()
    }

    fn running(&self) -> &Daemon {
        self.daemon.as_ref().expect("a running daemon")
    }

    /// Starts the daemon and waits for its ready line.
    ///
    /// # Panics
    /// If it is not ready in time.
    pub async fn start(&mut self) {
        assert!(self.daemon.is_none(), "{} runs already", self.name);
        let mut child = command_of(&self.program, &self.path(), self.netns.as_deref())
            .args([
                "up",
                "--udp",
                &self.udp,
                "--control",
                "127.0.0.1:0",
                "--page",
                &self.page,
            ])
            .env("TWOCAN_LOG", LOGGED)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::from(self.open_log()))
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let line = at_most(&format!("{}'s ready line", self.name), READY, first_line(&mut stdout)).await;
        // Whoever reads the ready line may close the pipe; the daemon must not mind.
        drop(stdout);
        assert!(!line.is_empty(), "{}'s daemon ended: {}", self.name, self.log());
        self.daemon = Some(Daemon {
            child,
            ready: Ready::parse(&line),
        });
    }

    /// Ends the daemon as a person or a service manager would, and waits until it is gone.
    ///
    /// # Panics
    /// If it does not end, or not in peace.
    pub async fn stop(&mut self) {
        let mut daemon = self.daemon.take().expect("a running daemon");
        kill(pid(&daemon.child), Signal::SIGTERM).unwrap();
        let status = at_most(&format!("{}'s daemon ending", self.name), GONE, daemon.child.wait())
            .await
            .unwrap();
        assert!(status.success(), "{}'s daemon ended with {status}", self.name);
    }

    /// How the daemon ended that ends by itself.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut daemon = self.daemon.take().expect("a running daemon");
        at_most(&format!("{}'s daemon ending", self.name), GONE, daemon.child.wait())
            .await
            .unwrap()
    }

    /// Ends the daemon as a power cut would.
    ///
    /// # Panics
    /// If no daemon runs.
    pub async fn crash(&mut self) {
        self.daemon
            .take()
            .expect("a running daemon")
            .child
            .kill()
            .await
            .unwrap();
    }

    /// Ends the daemon and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    /// Runs `twocan ARGS` to its end.
    pub async fn twocan(&self, args: &[&str]) -> Output {
        self.begin(args).end(COMMAND).await
    }

    /// Starts `twocan ARGS`.
    #[must_use]
    pub fn begin(&self, args: &[&str]) -> Running {
        Running::start(&self.path(), args)
    }

    /// The body that `twocan --json ARGS` prints.
    ///
    /// # Panics
    /// If the command fails.
    pub async fn json(&self, args: &[&str]) -> Value {
        let args: Vec<_> = ["--json"].iter().chain(args).copied().collect();
        self.twocan(&args).await.exited(0).json()
    }

    /// The local API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(self.path().join("run/api.sock"))
    }

    /// The contact of this name, once `fits` holds for it.
    pub async fn contact(&self, name: &str, within: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        let api = self.api();
        let what = format!("{}'s contact {name} as expected", self.name);
        let mut last = Vec::new();
        let found = until(&what, within, async || {
            last = api.list("/v1/contacts").await;
            last.iter()
                .find(|contact| contact["name"] == name && fits(contact))
                .cloned()
        });
        found.await
    }

    /// The contact of this name, once its dot is green.
    pub async fn green(&self, name: &str, within: Duration) -> Value {
        self.contact(name, within, |contact| contact["reachable"] == "yes")
            .await
    }

    /// The call for which `fits` holds, once there is one.
    pub async fn call(&self, what: &str, within: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        let api = self.api();
        until(&format!("{}: {what}", self.name), within, async || {
            api.list("/v1/calls").await.into_iter().find(&fits)
        })
        .await
    }

    /// What the daemon has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn open_log(&self) -> File {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(20_000).map_or(0, |(at, _)| at);
            eprintln!("---- {}'s daemon logged:\n{}", self.name, &log[from..]);
        }
    }
}

/// Makes two homes each other's contact by an invite and a paste, as two people would.
///
/// # Panics
/// If they do not become contacts.
pub async fn acquaint(inviter: &Home, invitee: &Home) {
    let invite = inviter.json(&["invite"]).await;
    let link = invite["link"].as_str().unwrap();
    let contact = invitee.json(&["add", link]).await;
    assert_eq!(contact["state"], "accepted", "{contact}");
    inviter.green(invitee.name(), GREEN).await;
    invitee.green(inviter.name(), GREEN).await;
}
