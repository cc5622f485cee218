//! Which addresses a packet of ours may go to when somebody else named them.
//!
//! A peer's list is a wish, not a permission: multicast, link-local (cloud metadata lives there), unspecified and
//! reserved addresses never receive anything; private ones only where one of our own interfaces shares the subnet;
//! loopback ones only while our own socket is bound to loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::bounds;

/// One address of this machine with the length of its network's prefix, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    /// The address.
    pub ip: IpAddr,
    /// The prefix length.
    pub prefix: u8,
}

/// Where this device's socket can be found, as far as the device itself can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    /// The interfaces that the socket covers.
    pub interfaces: Vec<Interface>,
    /// The bound port.
    pub port: u16,
    /// Whether the socket is bound to a loopback address.
    pub loopback_only: bool,
}

impl OwnAddresses {
    /// What this device tells others, best first.
    #[must_use]
    pub fn candidates(&self) -> Vec<SocketAddr> {
        let may_offer = |ip: &IpAddr| ip.is_loopback() == self.loopback_only && !never(ip);
        let mut offered: Vec<SocketAddr> = self
            .interfaces
            .iter()
            .map(|own| own.ip)
            .filter(may_offer)
            .map(|ip| SocketAddr::new(ip, self.port))
            .collect();
        offered.dedup();
        offered.truncate(bounds::CANDIDATES);
        offered
    }

    /// Whether a packet may go to a named address.
    #[must_use]
    pub fn may_send_to(&self, to: &SocketAddr) -> bool {
        let ip = to.ip().to_canonical();
        if to.port() == 0 || never(&ip) {
            return false;
        }
        if ip.is_loopback() {
            return self.loopback_only;
        }
        !is_private(&ip)
            || self
                .interfaces
                .iter()
                .any(|own| same_subnet(own, &ip) || both_shared(&own.ip, &ip))
    }

    /// Whether a call may go to an address that the own user typed, which is a wish to be heard at just that place.
    #[must_use]
    pub fn may_call(to: &SocketAddr) -> bool {
        to.port() != 0 && !never(&to.ip().to_canonical())
    }

    /// Whether somebody at an address is in none of our networks, private ones behind routers of ours included.
    #[must_use]
    pub fn is_outside(&self, address: &SocketAddr) -> bool {
        !self.is_near(address) && !is_private(&address.ip().to_canonical())
    }

    /// Whether an address is on this machine or one of its networks.
    #[must_use]
    pub fn is_near(&self, address: &SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        ip.is_loopback() || self.interfaces.iter().any(|own| same_subnet(own, &ip))
    }

    /// Those of a peer's candidates that may be used, bounded, without repeats.
    #[must_use]
    pub fn usable(&self, named: &[SocketAddr]) -> Vec<SocketAddr> {
        let mut usable: Vec<SocketAddr> = Vec::new();
        for address in named.iter().filter(|address| self.may_send_to(address)) {
            if !usable.contains(address) && usable.len() < bounds::CANDIDATES {
                usable.push(*address);
            }
        }
        usable
    }
}

const fn never(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => never_v4(ip),
        IpAddr::V6(ip) => never_v6(ip),
    }
}

const fn never_v4(ip: &Ipv4Addr) -> bool {
    // The last one is "this network" (RFC 1122) and the reserved 240/4 (RFC 1112).
    ip.is_multicast() || ip.is_link_local() || ip.is_broadcast() || ip.octets()[0] == 0 || ip.octets()[0] >= 240
}

const fn never_v6(ip: &Ipv6Addr) -> bool {
    // The last one is the discard-only block (RFC 6666), which nothing is routed to.
    ip.is_multicast()
        || ip.is_unspecified()
        || ip.is_unicast_link_local()
        || matches!(ip.segments(), [0x100, 0, 0, 0, ..])
}

const fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || is_shared(ip),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// Carriers' shared space, 100.64/10 (RFC 6598).
const fn is_shared(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64,
        IpAddr::V6(_) => false,
    }
}

/// Private networks over the Internet give their members lone addresses of the shared space.
const fn both_shared(own: &IpAddr, ip: &IpAddr) -> bool {
    is_shared(own) && is_shared(ip)
}

fn same_subnet(own: &Interface, ip: &IpAddr) -> bool {
    match (own.ip, ip) {
        (IpAddr::V4(own_ip), IpAddr::V4(ip)) => {
            let shift = 32_u32.saturating_sub(u32::from(own.prefix));
            own_ip.to_bits().checked_shr(shift) == ip.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(own_ip), IpAddr::V6(ip)) => {
            let shift = 128_u32.saturating_sub(u32::from(own.prefix));
            own_ip.to_bits().checked_shr(shift) == ip.to_bits().checked_shr(shift)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(ip: &str, prefix: u8, loopback_only: bool) -> OwnAddresses {
        let interfaces = vec![Interface {
            ip: ip.parse().expect("address"),
            prefix,
        }];
        OwnAddresses {
            interfaces,
            port: 2226,
            loopback_only,
        }
    }

    fn may(own: &OwnAddresses, to: &str) -> bool {
        own.may_send_to(&to.parse().expect("address"))
    }

    #[test]
    fn forbidden_ranges_receive_nothing() {
        let home = own("192.168.1.10", 24, false);
        for bad in [
            "224.0.0.1:1",
            "169.254.169.254:80",
            "0.0.0.0:9",
            "255.255.255.255:9",
            "[ff02::1]:9",
            "[fe80::1]:9",
            "[100::1]:9",
            "1.2.3.4:0",
            "127.0.0.1:9",
            "10.0.0.1:9",
            "192.168.2.1:9",
            "[::ffff:127.0.0.1]:9",
        ] {
            assert!(!may(&home, bad), "{bad}");
        }
        for good in ["192.168.1.77:9", "11.0.0.1:9", "[2001:db9::1]:9"] {
            assert!(may(&home, good), "{good}");
        }
    }

    #[test]
    fn loopback_only_on_loopback() {
        let test = own("127.0.0.1", 8, true);
        assert!(may(&test, "127.0.0.1:9"));
        assert_eq!(test.candidates().len(), 1);
        assert!(own("127.0.0.1", 8, false).candidates().is_empty());
    }
}
