//! Walls in this network namespace: who does not hear whom.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Stands until dropped.
#[derive(Debug)]
pub struct Wall {
    table: String,
}

impl Wall {
    /// No UDP packet passes between two addresses.
    ///
    /// # Panics
    /// Without `nft`, or the right to use it.
    #[must_use]
    pub fn between(one: SocketAddr, other: SocketAddr) -> Self {
        let wall = Self::empty();
        for (from, to) in [(one, other), (other, one)] {
            wall.rule(&format!(
                "ip saddr {} udp sport {} ip daddr {} udp dport {} drop",
                from.ip(),
                from.port(),
                to.ip(),
                to.port()
            ));
        }
        wall
    }

    /// No UDP packet leaves an address or gets to it.
    ///
    /// # Panics
    /// As [`Self::between`].
    #[must_use]
    pub fn around(one: SocketAddr) -> Self {
        let wall = Self::empty();
        wall.rule(&format!("ip saddr {} udp sport {} drop", one.ip(), one.port()));
        wall.rule(&format!("ip daddr {} udp dport {} drop", one.ip(), one.port()));
        wall
    }

    fn empty() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let table = format!("wall{}", MADE.fetch_add(1, Ordering::Relaxed));
        nft(&format!("add table ip {table}"));
        nft(&format!(
            "add chain ip {table} out {{ type filter hook output priority 0; policy accept; }}"
        ));
        Self { table }
    }

    fn rule(&self, rule: &str) {
        nft(&format!("add rule ip {} out {rule}", self.table));
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        nft(&format!("delete table ip {}", self.table));
    }
}

fn nft(line: &str) {
    let status = Command::new("nft")
        .arg(line)
        .status()
        .expect("nft, of the package nftables");
    assert!(status.success(), "nft {line}: {status}");
}
