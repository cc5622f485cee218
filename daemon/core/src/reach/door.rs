//! The door: for a time, strangers who know nothing but our address may ring.
//!
//! It knows when it is open and whom it lets in: one entry a minute from one network, six rings an hour from all strangers
//! together. Whether somebody stands in it at the moment is the node's to know. Invariants: it shuts itself; its limits
//! outlive every opening, so that opening it again forgives nobody.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::bounds;
use crate::event::FromOutside;
use crate::time::Now;

/// The state of the door.
#[derive(Debug, Default)]
pub struct Door {
    open_until: Option<Now>,
    /// Whether a stranger from outside our networks came in at this opening.
    reached: bool,
    /// When each network was last let in.
    entries: BTreeMap<Network, Duration>,
    /// When strangers rang.
    rings: VecDeque<Duration>,
}

/// The start of an address that its holder cannot easily change: a /24 of IPv4, a /56 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Network(IpAddr);

impl Network {
    const V4_BITS: u32 = 24;
    const V6_BITS: u32 = 56;

    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & (u32::MAX << (32 - Self::V4_BITS))).into(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << (128 - Self::V6_BITS))).into(),
        })
    }
}

impl Door {
    /// Opens it for `seconds`, anew if it is open.
    pub fn open(&mut self, seconds: u64, now: Now) {
        self.reached = false;
        self.open_until = Some(Now {
            boot: now.boot + Duration::from_secs(seconds),
            wall: now.wall.saturating_add(seconds),
            millis: now.millis,
        });
    }

    /// Closes it. False where it is closed already.
    pub const fn close(&mut self) -> bool {
        self.reached = false;
        self.open_until.take().is_some()
    }

    /// Until when it is open.
    #[must_use]
    pub const fn open_until(&self) -> Option<Now> {
        self.open_until
    }

    /// Whether it is open now.
    #[must_use]
    pub fn is_open(&self, now: Duration) -> bool {
        self.open_until.is_some_and(|until| now < until.boot)
    }

    /// Whether its time is over and it is to be closed.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.open_until.is_some_and(|until| now >= until.boot)
    }

    /// Whether a stranger at this address may come in.
    pub fn may_enter(&mut self, from: IpAddr, now: Duration) -> bool {
        self.entries.retain(|_, at| now < *at + bounds::DOOR_PAUSE);
        self.rings.retain(|at| now < *at + bounds::DOOR_WINDOW);
        self.is_open(now)
            && self.rings.len() < bounds::DOOR_RINGS
            && self.entries.len() < bounds::DOOR_NETWORKS
            && !self.entries.contains_key(&Network::of(from))
    }

    /// A stranger is let in; `is_outside` where he is in none of our networks.
    pub fn entered(&mut self, from: IpAddr, is_outside: bool, now: Duration) {
        self.entries.insert(Network::of(from), now);
        self.reached |= is_outside;
    }

    /// A stranger rings.
    pub fn rang(&mut self, now: Duration) {
        self.rings.push_back(now);
    }

    /// Whether this device can be reached from outside its network, as far as that is known. `loopback_only` where the
    /// socket cannot be reached from anywhere.
    #[must_use]
    pub const fn from_outside(&self, loopback_only: bool) -> FromOutside {
        if loopback_only {
            FromOutside::No
        } else if self.reached {
            FromOutside::Yes
        } else {
            FromOutside::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn now(seconds: u64) -> Now {
        Now {
            boot: at(seconds),
            wall: 1_800_000_000 + seconds,
            millis: 0,
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    fn open(seconds: u64) -> Door {
        let mut door = Door::default();
        door.open(seconds, now(0));
        door
    }

    #[test]
    fn it_is_closed_unless_opened_and_closes_when_its_time_is_over() {
        let mut door = Door::default();
        assert!(!door.may_enter(ip("11.0.0.1"), at(0)) && !door.is_due(at(0)));
        door.open(600, now(0));
        assert!(door.may_enter(ip("11.0.0.1"), at(599)) && !door.is_due(at(599)));
        assert!(!door.may_enter(ip("11.0.0.1"), at(600)) && door.is_due(at(600)));
        assert_eq!(door.open_until(), Some(now(600)));
        assert!(door.close() && !door.close());
        assert_eq!(door.open_until(), None);
    }

    #[test]
    fn one_entry_a_minute_from_one_network() {
        let mut door = open(3600);
        door.entered(ip("11.0.0.1"), true, at(10));
        for (address, may) in [
            ("11.0.0.1", false),
            ("11.0.0.254", false),
            ("::ffff:11.0.0.7", false),
            ("11.0.1.1", true),
            ("2001:db8::1", true),
        ] {
            assert_eq!(door.may_enter(ip(address), at(69)), may, "{address}");
        }
        assert!(door.may_enter(ip("11.0.0.1"), at(70)));
        door.entered(ip("2001:db8:0:100::1"), true, at(80));
        assert!(!door.may_enter(ip("2001:db8:0:1ff::9"), at(90)));
        assert!(door.may_enter(ip("2001:db8:0:200::9"), at(90)));
    }

    #[test]
    fn six_rings_an_hour_even_when_it_is_opened_again() {
        let mut door = open(3600);
        for ring in 0..6 {
            assert!(door.may_enter(ip("11.0.0.1"), at(100 * ring)));
            door.rang(at(100 * ring));
        }
        door.open(3600, now(3000));
        assert!(!door.may_enter(ip("12.0.0.1"), at(3599)));
        assert!(door.may_enter(ip("12.0.0.1"), at(3600)));
    }

    #[test]
    fn what_is_remembered_of_networks_is_bounded() {
        let mut door = open(3600);
        for number in 0..256_u32 {
            assert!(door.may_enter(ip("12.0.0.1"), at(0)));
            door.entered(Ipv4Addr::from_bits(0x0b00_0000 | number << 8).into(), true, at(0));
        }
        assert!(!door.may_enter(ip("12.0.0.1"), at(59)));
        assert!(door.may_enter(ip("12.0.0.1"), at(60)));
    }

    #[test]
    fn only_a_stranger_from_outside_shows_that_there_is_a_way() {
        let mut door = open(600);
        assert_eq!(door.from_outside(false), FromOutside::Unknown);
        door.entered(ip("192.168.1.7"), false, at(1));
        assert_eq!(door.from_outside(false), FromOutside::Unknown);
        door.entered(ip("11.0.0.1"), true, at(2));
        assert_eq!(door.from_outside(false), FromOutside::Yes);
        assert_eq!(door.from_outside(true), FromOutside::No);
        door.open(600, now(3));
        assert_eq!(
            door.from_outside(false),
            FromOutside::Unknown,
            "shown anew at each opening"
        );
    }
}
