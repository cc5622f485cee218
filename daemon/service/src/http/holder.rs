//! Who listens at an address that we cannot have.
//!
//! Read from `/proc` (proc(5)): the socket table gives the listening socket's inode, and the program is the one that
//! has it open. Other users' programs cannot be looked into, and other systems have no `/proc`; then nobody is named.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The state of a listening socket in the table.
const LISTEN: &str = "0A";

/// The name and process id of the program that listens there.
pub(super) fn holder(address: SocketAddr) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| listening(line, address))
    })?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| has_open(*pid, &socket))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (pid {pid})", name.trim()))
}

/// The inode of the socket in this line, if it listens where `address` would.
fn listening(line: &str, address: SocketAddr) -> Option<String> {
    let mut fields = line.split_whitespace();
    let (ip, port) = fields.nth(1)?.split_once(':')?;
    let there = u16::from_str_radix(port, 16).ok()? == address.port() && (is_any(ip) || is(ip, address.ip()));
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?;
    (there && state == LISTEN).then(|| inode.to_owned())
}

fn is_any(hex: &str) -> bool {
    hex.bytes().all(|digit| digit == b'0')
}

/// Whether the table's hexadecimal, 32-bit words in the machine's byte order, is this address.
fn is(hex: &str, ip: IpAddr) -> bool {
    let words = |bytes: &[u8]| {
        let words = bytes.as_chunks::<4>().0.iter();
        words
            .map(|word| format!("{:08X}", u32::from_ne_bytes(*word)))
            .collect::<String>()
    };
    let v4 = |v4: Ipv4Addr| hex == words(&v4.octets()) || hex == words(&v4.to_ipv6_mapped().octets());
    match ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => hex == words(&ip.octets()),
    }
}

fn has_open(pid: u32, socket: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let mut targets = descriptors
        .filter_map(Result::ok)
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.any(|target| target.to_str() == Some(socket))
}
