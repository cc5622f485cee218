//! The daemon: found, started where it is not running, followed, and followed again when it comes back.
//!
//! Where it is a service that starts by itself, the service manager is asked for it, and brings back what failed: one that
//! was stopped stays stopped until somebody wants it again. Else the tray starts one of its own, which is the tray's to
//! end. A daemon that goes away is first given time to come back by itself, for whoever started it may be restarting it.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::time::{Instant, sleep, timeout};
use twocan_api::client::{Client, ClientError, Events, service};
use twocan_api::{Event, Why};

use crate::program;
use crate::strings as s;
use crate::tray::Message;

/// Between two looks for a daemon that is not there.
const LOOK: Duration = Duration::from_millis(300);

/// How long a daemon that went away may take to come back by itself.
const GRACE: Duration = Duration::from_secs(8);

/// How long one may take from its start until it answers.
const START: Duration = Duration::from_secs(30);

/// After a start that failed.
const AGAIN: Duration = Duration::from_secs(60);

/// How long the daemon may take to end.
const END: Duration = Duration::from_secs(6);

/// The most of a dying daemon's words that is looked at.
const LAST_WORDS: usize = 4096;

/// What is new of the daemon.
#[derive(Debug)]
pub(crate) enum News {
    /// It is being started.
    Starting,
    /// It answers.
    Up {
        /// Whether it is this tray's.
        is_ours: bool,
        /// Whether it was not running and this tray had it started.
        was_started: bool,
    },
    /// Something of it changed.
    Event(Box<Event>),
    /// It is there, and waits for this before it answers.
    Waits(Box<Why>),
    /// It went away.
    Gone,
    /// It does not start, for this reason.
    Failed(String),
}

/// What the tray asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Start the daemon now.
    Start,
    /// End the daemon that this tray started, and come to an end.
    End,
}

/// Looks after the daemon until it is told to end.
pub(crate) async fn keep(client: Client, news: UnboundedSender<Message>, mut orders: Receiver<Order>) {
    let mut keeper = Keeper {
        client,
        news,
        child: None,
        service_since: None,
        is_wanted: true,
        was_started: false,
        waits: None,
        start_at: Instant::now(),
    };
    loop {
        tokio::select! {
            () = keeper.run() => {}
            order = orders.recv() => match order {
                Some(Order::Start) => keeper.want(),
                Some(Order::End) | None => break,
            },
        }
    }
    keeper.end().await;
}

struct Keeper {
    client: Client,
    news: UnboundedSender<Message>,
    child: Option<Started>,
    /// Since when the service is waited for.
    service_since: Option<Instant>,
    /// Whether somebody wants a daemon here who did not have one since.
    is_wanted: bool,
    /// Whether this tray had one started that has not answered yet.
    was_started: bool,
    /// What the daemon waits for, as it was told last.
    waits: Option<Why>,
    /// When to start one, unless one is found until then.
    start_at: Instant,
}

/// A daemon that this tray started.
struct Started {
    child: Child,
    log: std::fs::File,
    since: Instant,
}

impl Keeper {
    fn tell(&self, news: News) {
        // Nobody listens only when the tray ends.
        drop(self.news.send(Message::News(news)));
    }

    fn want(&mut self) {
        self.is_wanted = true;
        self.service_since = None;
        self.start_at = Instant::now();
    }

    /// Follows the daemon while there is one, and sees to it that there is one. Never returns; may be dropped and begun
    /// anew at any time.
    async fn run(&mut self) {
        loop {
            match self.client.events().await {
                Ok(events) => {
                    self.is_wanted = false;
                    self.service_since = None;
                    self.follow(events).await;
                    self.waits = None;
                    self.tell(News::Gone);
                    self.start_at = Instant::now() + GRACE;
                }
                Err(error) => self.look_whether_it_waits(error),
            }
            self.look_after_child();
            self.look_after_service();
            let is_awaited = self.child.is_some() || self.service_since.is_some();
            if !is_awaited && Instant::now() >= self.start_at {
                self.start().await;
            }
            sleep(LOOK).await;
        }
    }

    /// Whoever waits for a keyring will answer; another daemon beside it would not start.
    fn look_whether_it_waits(&mut self, error: ClientError) {
        let waits = match error {
            ClientError::NotRunning { waiting, .. } => waiting,
            ClientError::Gone
            | ClientError::Connect { .. }
            | ClientError::TimedOut { .. }
            | ClientError::Problem { .. }
            | ClientError::Status { .. }
            | ClientError::Http(_)
            | ClientError::Shape(_) => None,
        };
        if waits.is_some() {
            self.start_at = Instant::now() + GRACE;
            self.service_since = None;
        }
        if self.waits == waits {
            return;
        }
        self.waits.clone_from(&waits);
        self.tell(waits.map_or(News::Gone, |why| News::Waits(Box::new(why))));
    }

    /// Passes on what happens until the stream ends.
    async fn follow(&mut self, mut events: Events) {
        let was_started = std::mem::take(&mut self.was_started);
        self.tell(News::Up {
            is_ours: self.child.is_some(),
            was_started,
        });
        if let Ok(network) = self.client.network().await {
            self.tell(News::Event(Box::new(Event::Network(Box::new(network.value)))));
        }
        while let Ok(event) = events.next().await {
            self.tell(News::Event(Box::new(event)));
        }
    }

    async fn start(&mut self) {
        match service::look().await.filter(|service| service.is_enabled) {
            Some(service) if service.is_underway => self.await_service(),
            Some(_) if self.is_wanted => self.start_service().await,
            // It was stopped: the manager brings back what fails.
            Some(_) => self.start_at = Instant::now() + GRACE,
            None => self.start_child(),
        }
    }

    async fn start_service(&mut self) {
        if service::start().await {
            self.was_started = true;
            self.await_service();
        } else {
            self.failed(s::SERVICE_REFUSED.to_owned());
        }
    }

    fn await_service(&mut self) {
        self.tell(News::Starting);
        self.service_since = Some(Instant::now());
    }

    fn start_child(&mut self) {
        self.tell(News::Starting);
        match spawn() {
            Ok(started) => {
                self.was_started = true;
                self.child = Some(started);
            }
            Err(why) => self.failed(why),
        }
    }

    fn failed(&mut self, why: String) {
        self.was_started = false;
        self.service_since = None;
        self.start_at = Instant::now() + AGAIN;
        self.tell(News::Failed(why));
    }

    /// Sees whether the service answers too late. The manager goes on trying.
    fn look_after_service(&mut self) {
        if self.service_since.is_some_and(|since| since.elapsed() >= START) {
            self.failed(s::SERVICE_SILENT.to_owned());
        }
    }

    /// Sees whether the daemon that was started has ended, or answers too late.
    fn look_after_child(&mut self) {
        let Some(started) = &mut self.child else { return };
        match started.child.try_wait() {
            Ok(None) if started.since.elapsed() < START => {}
            // It runs and does not answer: another one would not either.
            Ok(None) => started.since = Instant::now(),
            Ok(Some(_)) | Err(_) => {
                let why = last_words(&mut started.log);
                let was_short = started.since.elapsed() < START;
                self.child = None;
                if was_short {
                    self.failed(why);
                }
            }
        }
    }

    /// Ends the daemon if it is this tray's, and waits for that.
    async fn end(&mut self) {
        let Some(started) = &mut self.child else { return };
        if let Some(pid) = started.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            drop(timeout(END, started.child.wait()).await);
        }
    }
}

/// Starts `twocan up` in a group of its own, so that it outlives a tray that crashes. Its log goes to a file that has
/// no name and goes with it.
fn spawn() -> Result<Started, String> {
    let program = program::twocan().ok_or(s::NO_PROGRAM)?;
    let log = tempfile::tempfile().map_err(|error| error.to_string())?;
    let stderr = log.try_clone().map_err(|error| error.to_string())?;
    let child = Command::new(program)
        .arg("up")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(stderr))
        .process_group(0)
        .spawn()
        .map_err(|error| error.to_string())?;
    Ok(Started {
        child,
        log,
        since: Instant::now(),
    })
}

/// The last line of a log.
fn last_words(log: &mut std::fs::File) -> String {
    let mut text = Vec::new();
    let length = log.seek(SeekFrom::End(0)).unwrap_or_default();
    let from = length.saturating_sub(u64::try_from(LAST_WORDS).unwrap_or_default());
    drop(log.seek(SeekFrom::Start(from)));
    drop(log.read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or(s::ENDED_SILENTLY).trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_line_is_the_reason() {
        let mut log = tempfile::tempfile().unwrap();
        assert_eq!(last_words(&mut log), s::ENDED_SILENTLY);
        log.write_all(&vec![b'x'; 10_000]).unwrap();
        log.write_all(b"\nPort 2227 is taken.\n\n").unwrap();
        assert_eq!(last_words(&mut log), "Port 2227 is taken.");
    }
}
