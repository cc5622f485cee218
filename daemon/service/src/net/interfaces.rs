//! The addresses of this machine, told at the start and whenever they change.
//!
//! The kernel says when something changed (rtnetlink), so an idle daemon is not woken to look. Where that is not to be
//! had, it looks now and then.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use twocan_core::io::Input;
use twocan_core::reach::candidates::{Interface, OwnAddresses};

use super::Shared;

/// How often to look where the kernel does not tell.
const LOOK: Duration = Duration::from_secs(30);
/// A change of network comes as a burst of messages; one look after this long serves them all.
const SETTLE: Duration = Duration::from_millis(200);

/// Tells the loop about the addresses, for ever.
pub(super) async fn watch(shared: std::sync::Arc<Shared>) {
    let mut changes = netlink::Changes::subscribe();
    let mut told = None;
    loop {
        let own = own_addresses(shared.local());
        if told.as_ref() != Some(&own) {
            shared.tell(Input::Interfaces(own.clone())).await;
            told = Some(own);
        }
        changes.next().await;
    }
}

/// The addresses at which a socket bound to `bound` may be reached, as they are.
pub(super) fn own_addresses(bound: SocketAddr) -> OwnAddresses {
    OwnAddresses {
        interfaces: interfaces(bound),
        port: bound.port(),
        loopback_only: bound.ip().is_loopback(),
    }
}

/// The interfaces that a socket bound to `bound` covers: its own, or with a wildcard all of the machine.
fn interfaces(bound: SocketAddr) -> Vec<Interface> {
    let all = match getifaddrs() {
        Ok(all) => all,
        Err(error) => {
            tracing::warn!(%error, "the machine's addresses cannot be listed");
            return Vec::new();
        }
    };
    let mut covered: Vec<Interface> = all
        .filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP))
        .filter_map(|interface| {
            let mask = interface.netmask.as_ref().and_then(ip);
            let ip = ip(&interface.address?)?;
            Some(Interface {
                ip,
                prefix: mask.map_or_else(|| host_prefix(ip), ones),
            })
        })
        .filter(|interface| covers(bound, interface.ip))
        .collect();
    // A bound address that no interface lists, such as 127.0.0.2, is reachable all the same.
    if !bound.ip().is_unspecified() && covered.is_empty() {
        covered.push(Interface {
            ip: bound.ip(),
            prefix: host_prefix(bound.ip()),
        });
    }
    covered.sort_unstable();
    covered.dedup();
    covered
}

fn covers(bound: SocketAddr, ip: IpAddr) -> bool {
    if bound.ip().is_unspecified() {
        serves(ip, bound.is_ipv6())
    } else {
        bound.ip() == ip
    }
}

const fn host_prefix(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The length of the prefix that a netmask describes.
fn ones(mask: IpAddr) -> u8 {
    let count = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    u8::try_from(count).unwrap_or(u8::MAX)
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

/// Loopback and link-local addresses mean something else on every machine.
const fn serves(ip: IpAddr, dual_stack: bool) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !is_zero(v4),
        IpAddr::V6(v6) => {
            dual_stack && !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified() && !v6.is_multicast()
        }
    }
}

const fn is_zero(v4: Ipv4Addr) -> bool {
    v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()
}

#[cfg(target_os = "linux")]
mod netlink {
    //! rtnetlink's notices about links and addresses, of which only the fact that they came matters.

    use std::os::fd::{AsRawFd, OwnedFd};

    use nix::errno::Errno;
    use nix::sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::{LOOK, SETTLE};

    /// `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR` and `RTMGRP_IPV6_IFADDR` of rtnetlink(7).
    const GROUPS: u32 = 0x1 | 0x10 | 0x100;

    /// A subscription, or none where the kernel refuses it.
    #[derive(Debug)]
    pub(super) struct Changes(Option<AsyncFd<OwnedFd>>);

    impl Changes {
        pub(super) fn subscribe() -> Self {
            match open() {
                Ok(socket) => Self(Some(socket)),
                Err(error) => {
                    tracing::debug!(%error, "no rtnetlink");
                    Self(None)
                }
            }
        }

        /// Waits until something may have changed.
        pub(super) async fn next(&mut self) {
            match &self.0 {
                Some(socket) if noticed(socket).await.is_ok() => tokio::time::sleep(SETTLE).await,
                Some(_) | None => {
                    self.0 = None;
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    #[expect(deprecated, reason = "the descriptor is owned by the AsyncFd and closed with it")]
    fn open() -> std::io::Result<AsyncFd<OwnedFd>> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
        Ok(AsyncFd::try_with_interest(socket, Interest::READABLE)?)
    }

    /// Waits for a notice and takes all there are. An overrun (`ENOBUFS`) is a notice too.
    async fn noticed(socket: &AsyncFd<OwnedFd>) -> std::io::Result<()> {
        let mut ready = socket.readable().await?;
        let mut buffer = [0; 4096];
        loop {
            match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(_) | Err(Errno::EINTR | Errno::ENOBUFS) => {}
                Err(Errno::EAGAIN) => {
                    ready.clear_ready();
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod netlink {
    //! No notices: looking now and then has to do.

    use super::{LOOK, SETTLE};

    #[derive(Debug)]
    pub(super) struct Changes;

    impl Changes {
        pub(super) const fn subscribe() -> Self {
            Self
        }

        pub(super) async fn next(&mut self) {
            tokio::time::sleep(LOOK + SETTLE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_bound_address_is_the_only_one() {
        let (listed, unlisted) = ("127.0.0.1".parse().unwrap(), "127.0.0.9".parse().unwrap());
        let only = |ip| interfaces(SocketAddr::new(ip, 4000));
        assert_eq!(only(listed), [Interface { ip: listed, prefix: 8 }]);
        assert_eq!(
            only(unlisted),
            [Interface {
                ip: unlisted,
                prefix: 32
            }]
        );
    }

    #[test]
    fn a_wildcard_lists_what_others_can_use() {
        for bound in ["0.0.0.0:4000", "[::]:4000"].map(|bound| bound.parse::<SocketAddr>().unwrap()) {
            for Interface { ip, prefix } in interfaces(bound) {
                assert!(!ip.is_loopback() && (bound.is_ipv6() || ip.is_ipv4()));
                assert!((1..=host_prefix(ip)).contains(&prefix));
            }
        }
    }
}
