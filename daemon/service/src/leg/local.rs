//! This machine's own addresses: where legs listen, and the only sources they hear.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

/// Sockets, and so candidates, of one leg.
const SOCKETS_MOST: usize = 8;
/// An unknown source makes us look at the interfaces again, this often at most.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// One socket on each own address: loopback and every interface, because some browsers offer no loopback candidate
/// that pairs with ours alone. Must be called within a tokio runtime.
///
/// # Errors
/// Where not even one address can be bound.
pub(super) fn bind() -> std::io::Result<Vec<UdpSocket>> {
    let mut sockets = Vec::new();
    let mut failure = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in own_addresses().into_iter().filter(is_candidate).take(SOCKETS_MOST) {
        match std::net::UdpSocket::bind(SocketAddr::new(address, 0)).and_then(into_tokio) {
            Ok(socket) => sockets.push(socket),
            Err(error) => failure = error,
        }
    }
    if sockets.is_empty() { Err(failure) } else { Ok(sockets) }
}

/// Whether the machine has no address but loopback: browsers then open no leg.
pub(super) fn only_loopback() -> bool {
    own_addresses().iter().all(IpAddr::is_loopback)
}

fn into_tokio(socket: std::net::UdpSocket) -> std::io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Loopback first, then interfaces; IPv4 before IPv6 within each.
fn own_addresses() -> Vec<IpAddr> {
    let found: BTreeSet<IpAddr> = nix::ifaddrs::getifaddrs()
        .map(|interfaces| interfaces.filter_map(|interface| ip(&interface.address?)).collect())
        .unwrap_or_default();
    let mut addresses: Vec<_> = found.into_iter().collect();
    addresses.sort_by_key(|address| (!address.is_loopback(), address.is_ipv6(), *address));
    addresses
}

fn ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

/// Link-local addresses need a zone, which candidates cannot carry.
fn is_candidate(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// The sources that a leg hears: this machine's own addresses, and nothing else.
#[derive(Debug)]
pub(super) struct Sources {
    own: BTreeSet<IpAddr>,
    looked: Instant,
}

impl Sources {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            own: own_addresses().into_iter().collect(),
            looked: now,
        }
    }

    /// Whether the address is this machine's, now.
    pub(super) fn is_local(&mut self, from: IpAddr, now: Instant) -> bool {
        if from.is_loopback() || self.own.contains(&from) {
            return true;
        }
        if now.saturating_duration_since(self.looked) < LOOK_AGAIN {
            return false;
        }
        *self = Self::new(now);
        self.own.contains(&from)
    }
}
