//! A machine of somebody's, with one network card `eth0`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use super::netns::Netns;

/// A client machine.
#[derive(Clone, Debug)]
pub struct Host {
    netns: Netns,
    address: IpAddr,
}

impl Host {
    pub(super) const fn new(netns: Netns, address: IpAddr) -> Self {
        Self { netns, address }
    }

    /// Its namespace.
    #[must_use]
    pub const fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Its own address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    pub(super) const fn moved(&mut self, address: IpAddr) {
        self.address = address;
    }

    /// A UDP socket there, at any address of it.
    ///
    /// # Panics
    /// If the port is taken.
    #[must_use]
    pub fn udp(&self, port: u16) -> UdpSocket {
        let any: IpAddr = if self.address.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        self.netns.udp(SocketAddr::new(any, port))
    }
}
