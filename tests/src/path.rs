//! A bad path inside a namespace: the kernel's packet filter drops what arrives at one port from another.
//!
//! A rate is a policer's, without a queue, which is harder on a sender than a router is. Batches that a program hands to
//! the kernel in one piece are taken apart first, as any network card does: else each would be lost as a whole.

use std::process::{Command, Stdio};

/// What becomes of the datagrams from one end to the other, each way by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing.
    Good,
    /// So many of a hundred are dropped, at random.
    Loses(u32),
    /// What exceeds so many kbit/s is dropped.
    Carries(u32),
}

impl Path {
    /// Makes the path between two UDP ports this one, and every other one good.
    ///
    /// # Panics
    /// If the kernel does not let us.
    pub fn between(self, [one, other]: [u16; 2]) {
        nft("add table inet path");
        nft("delete table inet path");
        let which = match self {
            Self::Good => return,
            Self::Loses(percent) => format!("numgen random mod 100 < {percent}"),
            Self::Carries(kbit) => format!("limit rate over {} kbytes/second burst 32 kbytes", kbit / 8),
        };
        run("ip", &["link", "set", "lo", "gso_max_segs", "1"]);
        nft("add table inet path");
        nft("add chain inet path arriving { type filter hook input priority 0; }");
        for (from, to) in [(one, other), (other, one)] {
            nft(&format!(
                "add rule inet path arriving udp sport {from} udp dport {to} {which} drop"
            ));
        }
    }
}

fn nft(line: &str) {
    run("nft", &[line]);
}

fn run(program: &str, args: &[&str]) {
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .status()
        .expect("nft, of the package nftables, and ip, of iproute2");
    assert!(status.success(), "{program} {args:?}: {status}");
}
