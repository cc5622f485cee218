//! What the service manager is told: that the daemon is ready, that its loop still turns, that it ends (`sd_notify(3)`).
//!
//! Without a manager in the environment nothing is said. Nothing here waits: a manager that does not listen misses a word,
//! and a missed watchdog word is followed by another one before the manager loses patience.

use std::ffi::OsString;
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
#[cfg(target_os = "linux")]
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The manager that started this process, if one did.
#[derive(Debug, Default)]
pub(super) struct Manager {
    voice: Option<Voice>,
    /// After this long without a word the manager restarts the daemon.
    patience: Option<Duration>,
    /// When it was last told that the loop turns.
    told: Duration,
}

#[derive(Debug)]
struct Voice {
    socket: UnixDatagram,
    to: SocketAddr,
}

impl Manager {
    /// The manager that the environment names.
    pub(super) fn of_environment(now: Duration) -> Self {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let patience = number("WATCHDOG_USEC").filter(|micros| is_meant && *micros > 0);
        Self::at(
            std::env::var_os("NOTIFY_SOCKET"),
            patience.map(Duration::from_micros),
            now,
        )
    }

    fn at(socket: Option<OsString>, patience: Option<Duration>, now: Duration) -> Self {
        let voice = socket.filter(|name| !name.is_empty()).and_then(|name| {
            let voice = Voice::to(&name);
            if let Err(error) = &voice {
                tracing::warn!(%error, "the service manager cannot be told anything");
            }
            voice.ok()
        });
        Self {
            patience: patience.filter(|_| voice.is_some()),
            voice,
            told: now,
        }
    }

    /// Everything listens; `status` is for people who ask the manager.
    pub(super) fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={status}\n"));
    }

    /// The daemon ends.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=Saying good-bye\n");
    }

    /// This process goes on as another program, which will say that it is ready.
    pub(super) fn reloading(&self) {
        self.say("RELOADING=1\nSTATUS=Starting the newly installed program\n");
    }

    /// To be called by the loop in each turn: tells that it turns, where that is due. Turns that come anyhow are used from
    /// a quarter of the manager's patience on, so that hardly one is made for this alone.
    pub(super) fn turn(&mut self, now: Duration) {
        if self.patience.is_some_and(|patience| now >= self.told + patience / 4) {
            self.told = now;
            self.say("WATCHDOG=1\n");
        }
    }

    /// When the loop has to turn for the manager's sake.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        Some(self.told + self.patience? / 2)
    }

    fn say(&self, words: &str) {
        let Some(voice) = &self.voice else { return };
        if let Err(error) = voice.socket.send_to_addr(words.as_bytes(), &voice.to) {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }
}

impl Voice {
    fn to(name: &OsString) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            to: address(name)?,
        })
    }
}

/// A path, or with an `@` in front a name that is in no folder.
#[cfg(target_os = "linux")]
fn address(name: &OsString) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
        _ => SocketAddr::from_pathname(name),
    }
}

#[cfg(not(target_os = "linux"))]
fn address(name: &OsString) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn heard(socket: &UnixDatagram) -> String {
        let mut text = [0; 256];
        let length = socket.recv(&mut text).unwrap_or_default();
        String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned()
    }

    #[test]
    fn a_loop_that_turns_is_heard_often_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut manager = Manager::at(Some(path.into()), Some(180 * SECOND), 1000 * SECOND);
        manager.ready("The page is at http://[::1]:1");
        assert_eq!(heard(&socket), "READY=1\nSTATUS=The page is at http://[::1]:1\n");
        assert_eq!(manager.next_timeout(), Some(1090 * SECOND));
        manager.turn(1044 * SECOND);
        assert_eq!(heard(&socket), "");
        manager.turn(1060 * SECOND);
        assert_eq!(heard(&socket), "WATCHDOG=1\n");
        assert_eq!(manager.next_timeout(), Some(1150 * SECOND));
        manager.stopping();
        assert!(heard(&socket).starts_with("STOPPING=1\n"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_manager_may_be_in_no_folder() {
        let name = format!("twocan-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Manager::at(Some(format!("@{name}").into()), None, SECOND).stopping();
        assert!(heard(&socket).starts_with("STOPPING=1\n"));
    }

    /// Whoever reads nothing blocks nobody, and where nobody is there is nothing to do.
    #[test]
    fn a_deaf_manager_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let manager = Manager::at(Some(path.into()), None, SECOND);
        for _ in 0..10_000 {
            manager.ready("still here");
        }
        let mut nobody = Manager::at(None, Some(SECOND), SECOND);
        nobody.turn(100 * SECOND);
        nobody.ready("");
        assert_eq!(nobody.next_timeout(), None);
    }
}
