//! Where this device may be reached, and which addresses a packet of ours may go to when somebody else named them.
//!
//! One's own list ([`own_candidates`]) is a pure function of the interfaces and of what was learnt from outside; it always has
//! room for what was learnt, however many interfaces there are.
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

/// How a candidate came to be (RFC 8445, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An address of an interface.
    Host,
    /// An address that the router maps to ours on request.
    Mapped,
    /// An address that others see us at.
    Reflexive,
}

/// One place where a device may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The address.
    pub at: SocketAddr,
    /// How it came to be.
    pub kind: CandidateKind,
}

/// What others have told of where we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// What the port mapper gave.
    pub mapped: Option<SocketAddr>,
    /// Whether no other NAT is known to stand before that.
    pub mapped_is_outermost: bool,
    /// What others see, best first.
    pub reflexive: Vec<SocketAddr>,
}

/// Public addresses of interfaces that go before what was learnt; a machine may have dozens.
const PUBLIC_HOSTS_FIRST: usize = 3;
/// Outer addresses of each family.
const REFLEXIVE_EACH: usize = 2;

/// What this device tells others of itself, best first, at most [`bounds::CANDIDATES`]: public addresses of its own, the mapped
/// and the reflexive ones, then those that only neighbours can use.
#[must_use]
pub fn own_candidates(own: &OwnAddresses, learnt: &Learnt) -> Vec<Candidate> {
    let host = |at: SocketAddr| Candidate {
        at,
        kind: CandidateKind::Host,
    };
    let (near, public): (Vec<SocketAddr>, Vec<SocketAddr>) =
        own.hosts().partition(|at| own.loopback_only || is_private(&at.ip()));
    let mut public = public.into_iter();
    let mut list: Vec<Candidate> = public.by_ref().take(PUBLIC_HOSTS_FIRST).map(host).collect();
    let mapped = learnt
        .mapped
        .filter(|at| at.port() != 0 && !never(&at.ip()) && !own.loopback_only);
    let mapped = mapped.map(|at| Candidate {
        at,
        kind: CandidateKind::Mapped,
    });
    list.extend(mapped.filter(|_| learnt.mapped_is_outermost));
    for ipv4 in [true, false] {
        let seen = learnt.reflexive.iter().filter(|seen| seen.is_ipv4() == ipv4);
        let outer = seen.filter(|seen| may_be_outer(&seen.ip(), own) && seen.port() != 0 && !own.is_own(seen));
        list.extend(outer.take(REFLEXIVE_EACH).map(|at| Candidate {
            at: *at,
            kind: CandidateKind::Reflexive,
        }));
    }
    list.extend(near.into_iter().map(host));
    list.extend(mapped.filter(|_| !learnt.mapped_is_outermost));
    list.extend(public.map(host));
    let mut places = std::collections::BTreeSet::new();
    list.retain(|candidate| places.insert(candidate.at));
    list.truncate(bounds::CANDIDATES);
    list
}

/// Whether somebody outside can have seen us at an IP address.
#[must_use]
pub fn may_be_outer(ip: &IpAddr, own: &OwnAddresses) -> bool {
    !own.loopback_only && !never(ip) && !ip.is_loopback() && !is_private(ip)
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
    /// The addresses of the interfaces, as far as others can use them.
    pub fn hosts(&self) -> impl Iterator<Item = SocketAddr> {
        let may_offer = |ip: &IpAddr| ip.is_loopback() == self.loopback_only && !never(ip);
        let ips = self.interfaces.iter().map(|own| own.ip).filter(may_offer);
        ips.map(|ip| SocketAddr::new(ip, self.port))
    }

    /// Whether an address is this socket's own, untranslated.
    #[must_use]
    pub fn is_own(&self, address: &SocketAddr) -> bool {
        address.port() == self.port && self.interfaces.iter().any(|own| own.ip == address.ip())
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

/// Whether an address means something only in a network of its own: private, shared by a carrier, or unique local.
#[must_use]
pub const fn is_private(ip: &IpAddr) -> bool {
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
        assert_eq!(test.hosts().count(), 1);
        assert_eq!(own("127.0.0.1", 8, false).hosts().count(), 0);
    }

    fn machine(ips: &[&str]) -> OwnAddresses {
        let interfaces = ips.iter().map(|ip| Interface {
            ip: ip.parse().expect("address"),
            prefix: 24,
        });
        OwnAddresses {
            interfaces: interfaces.collect(),
            port: 2226,
            loopback_only: false,
        }
    }

    fn shown(own: &OwnAddresses, mapped: Option<&str>, outermost: bool, reflexive: &[&str]) -> Vec<String> {
        let address = |text: &&str| text.parse().expect("address");
        let learnt = Learnt {
            mapped: mapped.as_ref().map(address),
            mapped_is_outermost: outermost,
            reflexive: reflexive.iter().map(address).collect(),
        };
        let list = own_candidates(own, &learnt).into_iter();
        list.map(|candidate| format!("{:?} {}", candidate.kind, candidate.at))
            .collect()
    }

    #[test]
    fn what_reaches_far_goes_before_what_neighbours_use() {
        let home = machine(&["192.168.1.10", "2001:db8::5"]);
        assert_eq!(
            shown(&home, Some("203.0.113.7:2226"), true, &["203.0.113.7:40000"]),
            [
                "Host [2001:db8::5]:2226",
                "Mapped 203.0.113.7:2226",
                "Reflexive 203.0.113.7:40000",
                "Host 192.168.1.10:2226"
            ]
        );
        assert_eq!(
            shown(&home, Some("100.64.0.3:2226"), false, &["203.0.113.7:40000"]),
            [
                "Host [2001:db8::5]:2226",
                "Reflexive 203.0.113.7:40000",
                "Host 192.168.1.10:2226",
                "Mapped 100.64.0.3:2226"
            ],
            "behind another NAT only neighbours of the first can use it"
        );
    }

    #[test]
    fn nothing_is_said_twice_and_nothing_impossible() {
        let public = machine(&["203.0.113.7"]);
        let odd = [
            "203.0.113.7:2226",
            "192.168.7.7:5",
            "169.254.1.1:5",
            "203.0.113.7:0",
            "127.0.0.1:9",
            "224.0.0.1:9",
        ];
        assert_eq!(
            shown(&public, Some("203.0.113.7:2226"), true, &odd),
            ["Host 203.0.113.7:2226"]
        );
        assert_eq!(shown(&public, Some("0.0.0.0:5"), true, &[]), ["Host 203.0.113.7:2226"]);
        let loopback = own("127.0.0.1", 8, true);
        assert_eq!(
            shown(&loopback, Some("203.0.113.7:1"), true, &["203.0.113.7:2"]),
            ["Host 127.0.0.1:2226"]
        );
    }

    #[test]
    fn many_interfaces_leave_room_for_what_was_learnt() {
        let ips: Vec<String> = (1..30)
            .flat_map(|last| [format!("10.0.0.{last}"), format!("2001:db8::{last}")])
            .collect();
        let ips: Vec<&str> = ips.iter().map(String::as_str).collect();
        let list = shown(&machine(&ips), Some("203.0.113.7:1"), true, &["203.0.113.7:2"]);
        assert_eq!(list.len(), bounds::CANDIDATES);
        assert!(list.contains(&"Mapped 203.0.113.7:1".to_owned()), "{list:?}");
        assert!(list.contains(&"Reflexive 203.0.113.7:2".to_owned()), "{list:?}");
        assert!(list.iter().any(|one| one.starts_with("Host 10.")), "{list:?}");
    }
}
