//! The networks that people sit in, and what must be possible between any two of them.
//!
//! [`path`] is the reference: it says from the nature of two networks alone whether packets can be made to pass, whatever our
//! program does about it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::listed::listed;
use super::nat::{Filtering, Manner, Mapping, PORT};
use super::world::World;

listed! {
    /// What somebody sits behind.
    Home {
        /// Nothing.
        Public,
        /// A firewall without translation.
        PublicFirewall,
        /// One port for all, and everybody is let in.
        FullCone,
        /// One port for all; addresses that were written to are let in.
        AddressRestricted,
        /// One port for all; addresses and ports that were written to are let in.
        PortRestricted,
        /// As Linux does it.
        Linux,
        /// As Linux does it where nothing drops what comes too early.
        LinuxClash,
        /// A port by chance for each destination.
        Symmetric,
        /// Ports in a row, one for each destination.
        Sequential,
        /// Behind a carrier's router that is symmetric.
        Carrier,
        /// Behind a carrier's router that gives one port for all.
        CarrierEasy,
        /// A port was asked of the router, and given.
        Mapped,
        /// The same at a router that is symmetric else.
        SymmetricMapped,
        /// A port was asked of the home's router, behind a carrier's that is symmetric.
        CarrierMapped,
        /// No UDP passes.
        Blocked,
    }
}

/// How two people can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// At once: by a dial, or when both knock.
    Soon,
    /// By chance, soon enough.
    Birthday,
    /// Not without somebody in between.
    Nothing,
}

/// What matters of a home to somebody outside.
struct Nature {
    /// Nobody knows the port that a new destination sees.
    hard: bool,
    lets_in: Filtering,
    blocked: bool,
}

fn nature(home: Home) -> Nature {
    use Filtering::{ByAddress, ByAddressAndPort, Everybody};
    let (hard, lets_in) = match home {
        // A port that was asked for leads in for everybody, and is the one that everybody sees.
        Home::Public | Home::FullCone | Home::Mapped | Home::SymmetricMapped => (false, Everybody),
        Home::AddressRestricted => (false, ByAddress),
        Home::PublicFirewall | Home::PortRestricted | Home::Linux | Home::LinuxClash | Home::CarrierEasy => {
            (false, ByAddressAndPort)
        }
        // What the home's router gives is no use behind another one.
        Home::Symmetric | Home::Sequential | Home::Carrier | Home::CarrierMapped | Home::Blocked => {
            (true, ByAddressAndPort)
        }
    };
    Nature {
        hard,
        lets_in,
        blocked: home == Home::Blocked,
    }
}

/// Whether and how a direct path is possible, where both know where the other one is seen from outside.
pub(crate) fn path(one: Home, other: Home) -> Path {
    let (a, b) = (nature(one), nature(other));
    if a.blocked || b.blocked {
        return Path::Nothing;
    }
    if a.lets_in == Filtering::Everybody || b.lets_in == Filtering::Everybody {
        return Path::Soon;
    }
    match (a.hard, b.hard) {
        (false, false) => Path::Soon,
        (true, true) => Path::Nothing,
        (true, false) if b.lets_in == Filtering::ByAddress => Path::Soon,
        (false, true) if a.lets_in == Filtering::ByAddress => Path::Soon,
        (true, false) | (false, true) => Path::Birthday,
    }
}

listed! {
    /// What may happen to the network of somebody who is in a call.
    Change {
        /// Its router forgets all places, and may give others.
        Rebound,
        /// Its outer address is another one.
        Renumbered,
        /// It is in another home.
        Moved,
        /// Its machine sleeps for less than half a minute.
        Slept,
        /// It has no network for less than half a minute.
        Unplugged,
    }
}

/// Whether a call goes on soon without anybody in between when the network of the first one changes: his packets are let in where
/// the second one is, though they come from elsewhere.
pub(crate) fn keeps(change: Change, one: Home, other: Home) -> bool {
    let lets_in = nature(other).lets_in;
    match change {
        Change::Slept | Change::Unplugged => true,
        Change::Rebound => lets_in != Filtering::ByAddressAndPort || keeps_places(one),
        Change::Renumbered | Change::Moved => {
            lets_in == Filtering::Everybody || matches!(one, Home::Public | Home::PublicFirewall)
        }
    }
}

/// Whether the innermost router gives the same places again when it has forgotten all of them.
const fn keeps_places(home: Home) -> bool {
    match home {
        Home::Public
        | Home::PublicFirewall
        | Home::Linux
        | Home::Carrier
        | Home::CarrierEasy
        | Home::Mapped
        | Home::SymmetricMapped
        | Home::CarrierMapped => true,
        // A packet of the other side takes the place first.
        Home::LinuxClash
        | Home::FullCone
        | Home::AddressRestricted
        | Home::PortRestricted
        | Home::Symmetric
        | Home::Sequential
        | Home::Blocked => false,
    }
}

/// The same, where the router of the first one has forgotten everything and the other one has not heard where that is seen now.
pub(crate) fn path_after_reboot(one: Home, other: Home) -> Path {
    let draws_again = matches!(one, Home::FullCone | Home::AddressRestricted | Home::PortRestricted);
    match nature(other).lets_in {
        Filtering::ByAddressAndPort if draws_again => Path::Nothing,
        Filtering::Everybody | Filtering::ByAddress | Filtering::ByAddressAndPort => path(one, other),
    }
}

impl Home {
    /// Whether its outer port differs from one destination to the next.
    pub(crate) const fn is_hard(self) -> bool {
        matches!(
            self,
            Self::Symmetric | Self::Sequential | Self::Carrier | Self::CarrierMapped
        )
    }
}

/// The routers of a home, from the outermost to the innermost.
fn routers(home: Home) -> Vec<Manner> {
    use Filtering::{ByAddress, ByAddressAndPort, Everybody};
    let symmetric = Manner::new(Mapping::Random, ByAddressAndPort);
    let linux = Manner::new(Mapping::Conntrack, ByAddressAndPort);
    let blocked = Manner { blocks: true, ..linux };
    match home {
        Home::Public => Vec::new(),
        Home::PublicFirewall => vec![Manner::new(Mapping::Nothing, ByAddressAndPort)],
        Home::FullCone => vec![Manner::new(Mapping::Independent, Everybody)],
        Home::AddressRestricted => vec![Manner::new(Mapping::Independent, ByAddress)],
        Home::PortRestricted => vec![Manner::new(Mapping::Independent, ByAddressAndPort)],
        Home::Linux | Home::Mapped => vec![linux],
        Home::LinuxClash => vec![Manner { claims: true, ..linux }],
        Home::Symmetric | Home::SymmetricMapped => vec![symmetric],
        Home::Sequential => vec![Manner::new(Mapping::Sequential, ByAddressAndPort)],
        Home::Carrier | Home::CarrierMapped => vec![symmetric, linux],
        Home::CarrierEasy => vec![Manner::new(Mapping::Independent, ByAddressAndPort), linux],
        Home::Blocked => vec![blocked],
    }
}

impl World {
    /// Somebody's machine is put behind the routers of a home. Every home has the same inner addresses.
    pub(crate) fn settle(&mut self, host: usize, home: Home) {
        let number = u8::try_from(host).unwrap() + 1;
        let manners = routers(home);
        let count = manners.len();
        let public = |last: u8| Ipv4Addr::new(11, 0, number, last);
        let mut outer = None;
        for (place, manner) in manners.into_iter().enumerate() {
            let ip = match (manner.mapping, place) {
                (Mapping::Nothing, _) => public(99),
                (_, 0) => public(200),
                (_, _) => Ipv4Addr::new(100, 64, 0, number),
            };
            let manner = if self.is(super::mutant::Mutant::LeakyRouters) && manner.mapping != Mapping::Nothing {
                super::scenes::leaky(manner)
            } else {
                manner
            };
            outer = Some(self.network.routers.borrow_mut().add(manner, ip, outer));
        }
        let inner = if home == Home::Public || home == Home::PublicFirewall || count == 0 {
            IpAddr::V4(public(99))
        } else {
            IpAddr::V4(Ipv4Addr::new(192, 168, 1, 10))
        };
        self.hosts[host].router = outer;
        self.hosts[host].address = SocketAddr::new(inner, PORT);
        let maps = matches!(home, Home::Mapped | Home::SymmetricMapped | Home::CarrierMapped);
        if let (true, Some(router)) = (maps, outer) {
            let address = self.hosts[host].address;
            self.network.routers.borrow_mut().0[router].mapped.insert(PORT, address);
        }
        self.disturb(host);
    }

    /// Where a server outside sees somebody's one socket.
    pub(crate) fn seen_from_outside(&mut self, host: usize) -> Option<SocketAddr> {
        let server = SocketAddr::from(([11, 9, 9, 9], 3478));
        let air = self.leave_networks(host, PORT, server, super::nat::HOPS)?;
        Some(air.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix of the design: D dial, S both knock, M a mapped port, B birthday, R relay.
    const MATRIX: [(Home, &str); 14] = [
        (Home::Public, "DDDDDDDDDDDDDR"),
        (Home::PublicFirewall, "DSDSSSBBBSSMBR"),
        (Home::FullCone, "DDDDDDDDDDDDDR"),
        (Home::AddressRestricted, "DSDSSSSSSSSSSR"),
        (Home::PortRestricted, "DSDSSSBBBSSMBR"),
        (Home::Linux, "DSDSSSBBBSSMBR"),
        (Home::Symmetric, "DBDSBBRRRBMMRR"),
        (Home::Sequential, "DBDSBBRRRBMMRR"),
        (Home::Carrier, "DBDSBBRRRBMMRR"),
        (Home::CarrierEasy, "DSDSSSBBBSSMBR"),
        (Home::Mapped, "DSDSSSMMMSSMMR"),
        (Home::SymmetricMapped, "DMDSMMMMMMMMMR"),
        (Home::CarrierMapped, "DBDSBBRRRBMMRR"),
        (Home::Blocked, "RRRRRRRRRRRRRR"),
    ];

    #[test]
    fn the_reference_is_the_matrix_of_the_design() {
        for (one, row) in MATRIX {
            for ((other, _), cell) in MATRIX.into_iter().zip(row.chars()) {
                let expected = match cell {
                    'D' | 'S' | 'M' => Path::Soon,
                    'B' => Path::Birthday,
                    _ => Path::Nothing,
                };
                assert_eq!(path(one, other), expected, "{one:?} and {other:?}: {cell}");
                assert_eq!(path(one, other), path(other, one));
            }
        }
    }
}
