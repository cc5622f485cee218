//! One network namespace.
//!
//! A socket stays in the namespace in which it was made, so whoever needs one there lets a thread enter, make it and end.

use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns};

use super::command::run;

/// A network namespace, by its name. It goes with the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netns {
    name: String,
    path: PathBuf,
}

impl Netns {
    /// A new one for a host, without anything in it but loopback.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn make(name: &str) -> Self {
        let made = Self::add(name);
        // An address that comes by itself once a card is plugged in would be a change of network in the middle of a test.
        made.sysctl("net/ipv6/conf/default/addr_gen_mode", "1");
        made
    }

    /// A new one for a router.
    pub(super) fn router(name: &str) -> Self {
        let made = Self::add(name);
        made.forwards();
        made
    }

    fn add(name: &str) -> Self {
        run("ip", &["netns", "add", name], "");
        let made = Self {
            name: name.to_owned(),
            path: PathBuf::from("/run/netns").join(name),
        };
        made.sysctl("net/ipv6/conf/default/accept_dad", "0");
        made.ip("link set lo up");
        made
    }

    /// The one in which the test itself runs, a router.
    pub(super) fn own() -> Self {
        let own = Self {
            name: "core".to_owned(),
            path: PathBuf::from("/proc")
                .join(std::process::id().to_string())
                .join("ns/net"),
        };
        own.sysctl("net/ipv6/conf/default/accept_dad", "0");
        own.ip("link set lo up");
        own.forwards();
        own
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Does `work` inside, on a thread of its own; threads that it starts stay inside.
    ///
    /// # Panics
    /// If `work` does, or nobody may enter.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let namespace = File::open(&self.path).unwrap();
                setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A UDP socket inside.
    ///
    /// # Panics
    /// If the address is not to be had there.
    #[must_use]
    pub fn udp(&self, address: SocketAddr) -> UdpSocket {
        self.within(|| UdpSocket::bind(address).unwrap_or_else(|error| panic!("{}: {address}: {error}", self.name)))
    }

    /// A command that runs inside; it has the process id of what `enter` starts.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path.display())).arg(program);
        command.stdin(Stdio::null());
        command
    }

    /// What a program prints that runs inside, errors included.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn output(&self, program: &str, args: &[&str]) -> String {
        let output = self.command(program).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Runs lines of `ip` inside.
    ///
    /// # Panics
    /// If one fails.
    pub fn ip(&self, lines: &str) {
        self.feed("ip", &["-batch", "-"], lines);
    }

    /// Loads rules of nftables inside, all or none.
    ///
    /// # Panics
    /// If there is a mistake in them.
    pub fn nft(&self, rules: &str) {
        self.feed("nft", &["-f", "-"], rules);
    }

    fn feed(&self, program: &str, args: &[&str], input: &str) {
        let enter = format!("--net={}", self.path.display());
        let all: Vec<&str> = [enter.as_str(), program]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        run("nsenter", &all, input);
    }

    /// Sets a value under `/proc/sys`.
    ///
    /// # Panics
    /// If it cannot be set.
    pub fn sysctl(&self, key: &str, value: &str) {
        self.within(|| {
            std::fs::write(format!("/proc/sys/{key}"), value)
                .unwrap_or_else(|error| panic!("{}: {key} = {value}: {error}", self.name));
        });
    }

    /// Lets packets pass. Its links have link-local addresses: without one, the kernel asks for no neighbour on behalf of a
    /// packet that only passes.
    fn forwards(&self) {
        self.sysctl("net/ipv6/conf/default/addr_gen_mode", "0");
        self.sysctl("net/ipv4/ip_forward", "1");
        self.sysctl("net/ipv6/conf/all/forwarding", "1");
        for scope in ["all", "default"] {
            self.sysctl(&format!("net/ipv4/conf/{scope}/send_redirects"), "0");
        }
    }
}
