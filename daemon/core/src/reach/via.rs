//! What a packet goes through.
//!
//! A path is more than the address at its far end: the same address is another path through another socket, or through
//! somebody who passes packets on. Whatever names a path therefore names both.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::ids::RelayId;

/// What a packet leaves by, or came in by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The device's own socket.
    #[default]
    Own,
    /// One of the sockets that were opened for an attempt behind a hard NAT.
    Spare(u16),
    /// A contact's device, which passes the packets on to one other device.
    Relay(RelayId),
    /// One's own relay server.
    Turn,
}

impl Via {
    /// Whether nobody passes packets on: the address at the far end is the one that the far side's packets come from, and
    /// other ways may lead there as well.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        match self {
            Self::Own | Self::Spare(_) => true,
            Self::Relay(_) | Self::Turn => false,
        }
    }
}

/// Where a packet goes to or came from, and what through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The far address.
    pub at: SocketAddr,
    /// What the packet goes through.
    pub via: Via,
}

impl Place {
    /// An address as the device's own socket reaches it.
    #[must_use]
    pub const fn own(at: SocketAddr) -> Self {
        Self { at, via: Via::Own }
    }

    /// Whether the address is the one that the far side's packets come from.
    #[must_use]
    pub const fn is_seen(self) -> bool {
        match self.via {
            Via::Own | Via::Spare(_) | Via::Turn => true,
            Via::Relay(_) => false,
        }
    }

    /// The far end of a way through a contact's device, whose address nobody tells.
    #[must_use]
    pub const fn relayed(id: RelayId) -> Self {
        Self {
            at: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 1),
            via: Via::Relay(id),
        }
    }
}
