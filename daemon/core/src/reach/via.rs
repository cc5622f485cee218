//! What a packet goes through.
//!
//! A path is more than the address at its far end: the same address is another path through another socket, or through
//! somebody who passes packets on. Whatever names a path therefore names both.

use std::net::SocketAddr;

/// What a packet leaves by, or came in by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The device's own socket.
    #[default]
    Own,
    /// One of the sockets that were opened for an attempt behind a hard NAT.
    Spare(u16),
}

impl Via {
    /// Whether nobody passes packets on: the address at the far end is the one that the far side's packets come from, and
    /// other ways may lead there as well.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        match self {
            Self::Own | Self::Spare(_) => true,
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
}
