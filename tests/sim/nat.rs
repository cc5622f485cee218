//! Routers between the machines: what they map, whom they let in, and how long they remember it (RFC 4787's words).
//!
//! A [`Router`] stands between its hosts (or a router of theirs) and a carrier's router or the Internet. A packet goes up from
//! its sender, is under way, and comes down to whoever has its destination; [`Routers::up`] and [`Routers::down`] are the two
//! halves, and change what the routers on the way remember.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use twocan_core::bounds::LIFETIME_SPARES;

/// Routers between any two networks, beside those that are simulated.
const CORE: u8 = 8;
/// How many hops a packet lives that is not told otherwise.
pub(crate) const HOPS: u8 = 64;
/// The first port of spare sockets, and of those that measure.
const SPARE_PORTS: u16 = 30_000;
const MEASURING_PORTS: u16 = 29_000;
/// The port that every machine's one socket has.
pub(crate) const PORT: u16 = 2226;

/// Which destinations see the same outer port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// There is no translation.
    Nothing,
    /// All, and it is the inner one where that is free.
    Preserved,
    /// All.
    Independent,
    /// All ports of one address.
    ByAddress,
    /// As Linux does it: the inner port, unless that is taken for the same destination.
    Conntrack,
    /// None: drawn by chance.
    Random,
    /// None: one after another.
    Sequential,
}

/// Whose packets are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filtering {
    Everybody,
    ByAddress,
    ByAddressAndPort,
}

/// How a router behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) mapping: Mapping,
    pub(crate) filtering: Filtering,
    /// Packets to its own outer address from within are turned round.
    pub(crate) hairpin: bool,
    /// What nobody asked for is not dropped but taken for its own, and claims the place of what might be asked for.
    pub(crate) claims: bool,
    /// No UDP passes.
    pub(crate) blocks: bool,
    /// How long a place is remembered that was not answered, and one that was.
    pub(crate) lives: [Duration; 2],
}

impl Manner {
    pub(crate) const fn new(mapping: Mapping, filtering: Filtering) -> Self {
        Self {
            mapping,
            filtering,
            hairpin: false,
            claims: false,
            blocks: false,
            lives: [Duration::from_secs(30), Duration::from_secs(120)],
        }
    }
}

/// One router.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) manner: Manner,
    /// Its outer address.
    pub(crate) ip: Ipv4Addr,
    /// The router that it is behind.
    outer: Option<usize>,
    /// Ports that lead to an inner address for everybody, because somebody asked for it.
    pub(crate) mapped: BTreeMap<u16, SocketAddr>,
    sessions: Vec<Session>,
    /// What chance there is.
    drawn: u64,
}

#[derive(Clone, Debug)]
struct Session {
    /// `None` where the router itself holds the place, for a packet that nobody asked for.
    inside: Option<SocketAddr>,
    port: u16,
    /// Where the first packet went.
    to: SocketAddr,
    asked: BTreeMap<SocketAddr, Duration>,
    answered: bool,
    last: Duration,
}

impl Router {
    fn draw(&mut self) -> u64 {
        self.drawn = self
            .drawn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.drawn >> 33
    }

    fn forget(&mut self, now: Duration) {
        let [new, stream] = self.manner.lives;
        self.sessions
            .retain(|session| now < session.last + if session.answered { stream } else { new });
    }

    /// It has another outer address, and knows nothing of what was under the old one.
    pub(crate) fn renumber(&mut self, ip: Ipv4Addr) {
        self.ip = ip;
        self.reboot();
    }

    /// It forgets everything, and draws other ports from now on.
    pub(crate) fn reboot(&mut self) {
        self.sessions.clear();
        self.drawn ^= 0x5bd1_e995;
    }

    /// The outer address of a packet from within.
    fn outward(&mut self, inside: SocketAddr, to: SocketAddr, now: Duration) -> Option<SocketAddr> {
        if self.manner.blocks {
            return None;
        }
        self.forget(now);
        if let Some((port, _)) = self.mapped.iter().find(|(_, leads)| **leads == inside) {
            return Some((self.ip, *port).into());
        }
        let mapping = self.manner.mapping;
        let is_same = |session: &&mut Session| {
            session.inside == Some(inside)
                && match mapping {
                    Mapping::Nothing | Mapping::Preserved | Mapping::Independent => true,
                    Mapping::ByAddress => session.to.ip() == to.ip(),
                    Mapping::Conntrack | Mapping::Random | Mapping::Sequential => session.to == to,
                }
        };
        if let Some(session) = self.sessions.iter_mut().find(is_same) {
            session.last = now;
            session.asked.insert(to, now);
            return Some((self.ip, session.port).into());
        }
        let port = self.free_port(inside, to);
        self.sessions.push(Session {
            inside: Some(inside),
            port,
            to,
            asked: BTreeMap::from([(to, now)]),
            answered: false,
            last: now,
        });
        Some((self.ip, port).into())
    }

    fn free_port(&mut self, inside: SocketAddr, to: SocketAddr) -> u16 {
        let by_destination = self.manner.mapping == Mapping::Conntrack;
        let mut port = match self.manner.mapping {
            Mapping::Nothing => return inside.port(),
            Mapping::Preserved | Mapping::Conntrack => inside.port(),
            Mapping::Sequential => {
                self.drawn += 1;
                u16::try_from(40_000 + self.drawn % 20_000).unwrap()
            }
            Mapping::Independent | Mapping::ByAddress | Mapping::Random => self.random_port(),
        };
        while self
            .sessions
            .iter()
            .any(|session| session.port == port && (!by_destination || session.to == to))
        {
            port = self.random_port();
        }
        port
    }

    fn random_port(&mut self) -> u16 {
        u16::try_from(1024 + self.draw() % 64_512).unwrap()
    }

    /// Where a packet from outside is let through to.
    fn inward(&mut self, port: u16, from: SocketAddr, now: Duration) -> Option<SocketAddr> {
        if self.manner.blocks {
            return None;
        }
        self.forget(now);
        if let Some(inside) = self.mapped.get(&port) {
            return Some(*inside);
        }
        let (mapping, filtering) = (self.manner.mapping, self.manner.filtering);
        let lets_in = |session: &&mut Session| {
            let fits = match mapping {
                Mapping::Conntrack => session.to == from,
                Mapping::Nothing
                | Mapping::Preserved
                | Mapping::Independent
                | Mapping::ByAddress
                | Mapping::Random
                | Mapping::Sequential => true,
            };
            let asked = match filtering {
                Filtering::Everybody => true,
                Filtering::ByAddress => session.asked.keys().any(|asked| asked.ip() == from.ip()),
                Filtering::ByAddressAndPort => session.asked.contains_key(&from),
            };
            session.port == port && fits && asked
        };
        if let Some(session) = self.sessions.iter_mut().find(lets_in) {
            session.last = now;
            session.answered |= session.inside.is_some();
            return session.inside;
        }
        if self.manner.claims {
            self.sessions.push(Session {
                inside: None,
                port,
                to: from,
                asked: BTreeMap::from([(from, now)]),
                answered: false,
                last: now,
            });
        }
        None
    }
}

/// A machine's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) router: Option<usize>,
    pub(crate) ip: IpAddr,
}

/// A packet that has left its sender's routers behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Air {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    hops: u8,
    /// In which router's network it is.
    level: Option<usize>,
}

impl Air {
    /// A packet of somebody on the Internet.
    pub(crate) const fn outside(from: SocketAddr, to: SocketAddr) -> Self {
        Self {
            from,
            to,
            hops: HOPS,
            level: None,
        }
    }
}

/// All routers.
#[derive(Debug, Default)]
pub(crate) struct Routers(pub(crate) Vec<Router>);

impl Routers {
    /// The router that stands between this one and the Internet, or this one.
    pub(crate) fn outermost(&self, router: usize) -> usize {
        match self.0[router].outer {
            Some(outer) => self.outermost(outer),
            None => router,
        }
    }

    /// Every router forgets places after this long, whatever answered.
    pub(crate) fn forget_after(&mut self, life: Duration) {
        for router in &mut self.0 {
            router.manner.lives = [life; 2];
        }
    }
}

impl Routers {
    pub(crate) fn add(&mut self, manner: Manner, ip: Ipv4Addr, outer: Option<usize>) -> usize {
        let drawn = u64::from(ip.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0.push(Router {
            manner,
            ip,
            outer,
            mapped: BTreeMap::new(),
            sessions: Vec::new(),
            drawn,
        });
        self.0.len() - 1
    }

    /// The way of a packet out of its sender's networks; `None` where it is lost.
    pub(crate) fn up(
        &mut self,
        seats: &[Seat],
        seat: Seat,
        port: u16,
        to: SocketAddr,
        hops: u8,
        now: Duration,
    ) -> Option<Air> {
        let mut air = Air {
            from: SocketAddr::new(seat.ip, port),
            to,
            hops,
            level: seat.router,
        };
        while let Some(level) = air.level {
            if self.is_in(seats, Some(level), to.ip()) {
                return Some(air);
            }
            air.hops = air.hops.checked_sub(1).filter(|hops| *hops > 0)?;
            let router = &mut self.0[level];
            let to_itself = to.ip() == IpAddr::V4(router.ip) && router.manner.mapping != Mapping::Nothing;
            if to_itself && !router.manner.hairpin {
                return None;
            }
            air.from = router.outward(air.from, to, now)?;
            air.level = router.outer;
            if to_itself {
                return Some(air);
            }
        }
        air.hops = air.hops.checked_sub(CORE).filter(|hops| *hops > 0)?;
        Some(air)
    }

    /// Which machine gets a packet, and at which port.
    pub(crate) fn down(&mut self, seats: &[Seat], air: Air, now: Duration) -> Option<(usize, u16)> {
        let Air {
            from,
            mut to,
            mut hops,
            mut level,
        } = air;
        loop {
            let host = seats.iter().position(|seat| seat.router == level && seat.ip == to.ip());
            if let Some(host) = host {
                return Some((host, to.port()));
            }
            let router = self.router_in(level, to.ip())?;
            to = self.0[router].inward(to.port(), from, now).map(|inside| {
                // Without translation the destination stays.
                if self.0[router].manner.mapping == Mapping::Nothing {
                    to
                } else {
                    inside
                }
            })?;
            hops = hops.checked_sub(1).filter(|hops| *hops > 0)?;
            level = Some(router);
        }
    }

    fn router_in(&self, level: Option<usize>, ip: IpAddr) -> Option<usize> {
        self.0
            .iter()
            .position(|router| router.outer == level && IpAddr::V4(router.ip) == ip)
    }

    fn is_in(&self, seats: &[Seat], level: Option<usize>, ip: IpAddr) -> bool {
        seats.iter().any(|seat| seat.router == level && seat.ip == ip) || self.router_in(level, ip).is_some()
    }
}

/// The port of the socket behind a number.
pub(crate) fn port_of(via: twocan_core::reach::via::Via) -> u16 {
    use twocan_core::reach::via::Via;
    match via {
        Via::Own => PORT,
        Via::Spare(number) => match number.checked_sub(LIFETIME_SPARES) {
            Some(measuring) => MEASURING_PORTS + measuring,
            None => SPARE_PORTS + number,
        },
        // Neither has a socket.
        Via::Relay(_) | Via::Turn => 0,
    }
}

/// The inverse of [`port_of`].
pub(crate) fn via_of(port: u16) -> Option<twocan_core::reach::via::Via> {
    use twocan_core::reach::via::Via;
    match port {
        PORT => Some(Via::Own),
        MEASURING_PORTS..SPARE_PORTS => Some(Via::Spare(LIFETIME_SPARES + (port - MEASURING_PORTS))),
        SPARE_PORTS.. => Some(Via::Spare(port - SPARE_PORTS)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn router(manner: Manner) -> Router {
        let mut routers = Routers::default();
        routers.add(manner, Ipv4Addr::new(11, 0, 0, 200), None);
        routers.0.remove(0)
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn ports(mapping: Mapping) -> Vec<u16> {
        let mut router = router(Manner::new(mapping, Filtering::ByAddressAndPort));
        ["12.0.0.1:1", "12.0.0.1:2", "12.0.0.2:1"]
            .map(|to| router.outward(at("192.168.1.10:2226"), at(to), NOW).unwrap().port())
            .to_vec()
    }

    #[test]
    fn mappings_are_what_their_names_say() {
        for mapping in [Mapping::Preserved, Mapping::Conntrack] {
            assert_eq!(ports(mapping), [2226; 3], "{mapping:?}");
        }
        let independent = ports(Mapping::Independent);
        assert!(independent.iter().all(|port| *port == independent[0] && *port != 2226));
        let by_address = ports(Mapping::ByAddress);
        assert!(by_address[0] == by_address[1] && by_address[1] != by_address[2]);
        let sequential = ports(Mapping::Sequential);
        assert_eq!([sequential[1], sequential[2]], [sequential[0] + 1, sequential[0] + 2]);
        let random = ports(Mapping::Random);
        assert!(random[0] != random[1] && random[1] != random[2]);
    }

    #[test]
    fn filters_let_in_whom_they_say() {
        for (filtering, lets_in) in [
            (Filtering::Everybody, [true, true, true]),
            (Filtering::ByAddress, [true, true, false]),
            (Filtering::ByAddressAndPort, [true, false, false]),
        ] {
            let mut router = router(Manner::new(Mapping::Independent, filtering));
            let outer = router.outward(at("192.168.1.10:2226"), at("12.0.0.1:1"), NOW).unwrap();
            let from = ["12.0.0.1:1", "12.0.0.1:2", "12.0.0.2:1"].map(at);
            let let_in = from.map(|from| router.inward(outer.port(), from, NOW).is_some());
            assert_eq!(let_in, lets_in, "{filtering:?}");
            let later = NOW + Duration::from_secs(121);
            assert!(router.inward(outer.port(), from[0], later).is_none(), "it forgets");
        }
    }

    #[test]
    fn a_packet_that_comes_too_early_claims_the_place() {
        let manner = Manner {
            claims: true,
            ..Manner::new(Mapping::Conntrack, Filtering::ByAddressAndPort)
        };
        let (inside, peer) = (at("192.168.1.10:2226"), at("12.0.0.1:1"));
        let mut early = router(manner);
        assert_eq!(early.inward(2226, peer, NOW), None);
        assert_ne!(early.outward(inside, peer, NOW).unwrap().port(), 2226);
        let mut late = router(manner);
        assert_eq!(late.outward(inside, peer, NOW).unwrap().port(), 2226);
        assert_eq!(late.inward(2226, peer, NOW), Some(inside));
    }
}
