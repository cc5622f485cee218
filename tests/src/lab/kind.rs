//! The types of routers, in the words of RFC 4787, and what each promises to a probe.

use std::fmt;

/// How a client is connected to the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A public address without any filter.
    Public,
    /// A public address behind a stateful firewall.
    PublicFw,
    /// Endpoint-independent mapping and filtering; the port is not preserved.
    FullCone,
    /// Endpoint-independent mapping, address-dependent filtering.
    AddrRestricted,
    /// Endpoint-independent mapping, address- and port-dependent filtering.
    PortRestricted,
    /// Plain masquerading: the port is preserved where it is free.
    Linux,
    /// Address- and port-dependent mapping, ports at random.
    Symmetric,
    /// Address- and port-dependent mapping, ports in a row.
    SymmetricSeq,
    /// A home behind a carrier's symmetric NAT.
    Cgnat,
    /// A home behind a carrier's NAT with endpoint-independent mapping.
    CgnatEim,
    /// Plain masquerading, and a port can be mapped by PCP.
    Pcp,
    /// Symmetric, and a port can be mapped by PCP.
    SymPcp,
    /// A home with UPnP behind a carrier's symmetric NAT: what is mapped is not public.
    CgUpnp,
    /// Nothing passes but TCP to port 443.
    UdpBlocked,
    /// As `Linux`, but unsolicited packets are not dropped: an early one takes the peer's mapping away.
    LinuxClash,
    /// As `Linux`, and a port can be mapped by NAT-PMP alone.
    NatPmp,
    /// As `Linux`, and a port can be mapped by UPnP alone.
    Upnp,
    /// As `FullCone`, and clients reach each other at their public addresses.
    Hairpin,
    /// Public addresses of IPv6 alone, behind a stateful firewall.
    Firewall6,
}

/// How ports are chosen (RFC 4787, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// There is no NAT.
    None,
    /// One for all destinations.
    EndpointIndependent,
    /// One for each destination, address and port.
    AddressAndPortDependent,
}

/// Who may answer (RFC 4787, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filtering {
    /// Anybody.
    EndpointIndependent,
    /// Addresses that were sent to.
    AddressDependent,
    /// Addresses and ports that were sent to.
    AddressAndPortDependent,
}

/// What a probe must find; `None` where UDP does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// How ports are chosen.
    pub mapping: Mapping,
    /// Who may answer.
    pub filtering: Filtering,
    /// Whether the public port is the inner one.
    pub preserves_port: bool,
    /// Whether two clients of one home reach each other at their public addresses. Unsaid where there is one client only.
    pub hairpin: Option<bool>,
}

impl Kind {
    /// The types of the matrix, in its order.
    pub const MATRIX: [Self; 14] = [
        Self::Public,
        Self::PublicFw,
        Self::FullCone,
        Self::AddrRestricted,
        Self::PortRestricted,
        Self::Linux,
        Self::Symmetric,
        Self::SymmetricSeq,
        Self::Cgnat,
        Self::CgnatEim,
        Self::Pcp,
        Self::SymPcp,
        Self::CgUpnp,
        Self::UdpBlocked,
    ];

    /// Those beside it.
    pub const OTHERS: [Self; 5] = [
        Self::LinuxClash,
        Self::NatPmp,
        Self::Upnp,
        Self::Hairpin,
        Self::Firewall6,
    ];

    /// Its name, as in the matrix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::PublicFw => "public-fw",
            Self::FullCone => "full-cone",
            Self::AddrRestricted => "addr-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Linux => "linux",
            Self::Symmetric => "symmetric",
            Self::SymmetricSeq => "symmetric-seq",
            Self::Cgnat => "cgnat",
            Self::CgnatEim => "cgnat-eim",
            Self::Pcp => "pcp",
            Self::SymPcp => "sym-pcp",
            Self::CgUpnp => "cg-upnp",
            Self::UdpBlocked => "udp-blocked",
            Self::LinuxClash => "linux-clash",
            Self::NatPmp => "nat-pmp",
            Self::Upnp => "upnp",
            Self::Hairpin => "hairpin",
            Self::Firewall6 => "firewall6",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::MATRIX
            .into_iter()
            .chain(Self::OTHERS)
            .find(|kind| kind.name() == name)
    }

    /// What a probe must find.
    #[must_use]
    pub const fn promise(self) -> Option<Promise> {
        use Filtering as F;
        use Mapping as M;
        let (mapping, filtering, preserves_port, hairpin) = match self {
            Self::Public => (M::None, F::EndpointIndependent, true, None),
            Self::PublicFw | Self::Firewall6 => (M::None, F::AddressAndPortDependent, true, None),
            Self::FullCone => (M::EndpointIndependent, F::EndpointIndependent, false, Some(false)),
            Self::Hairpin => (M::EndpointIndependent, F::EndpointIndependent, false, Some(true)),
            Self::AddrRestricted => (M::EndpointIndependent, F::AddressDependent, false, Some(false)),
            Self::PortRestricted => (M::EndpointIndependent, F::AddressAndPortDependent, false, Some(false)),
            Self::Linux | Self::LinuxClash | Self::Pcp | Self::NatPmp | Self::Upnp => {
                (M::EndpointIndependent, F::AddressAndPortDependent, true, Some(false))
            }
            Self::Symmetric | Self::SymmetricSeq | Self::Cgnat | Self::SymPcp | Self::CgUpnp => (
                M::AddressAndPortDependent,
                F::AddressAndPortDependent,
                false,
                Some(false),
            ),
            Self::CgnatEim => (M::EndpointIndependent, F::AddressAndPortDependent, false, Some(false)),
            Self::UdpBlocked => return None,
        };
        Some(Promise {
            mapping,
            filtering,
            preserves_port,
            hairpin,
        })
    }

    /// Whether there is a carrier between the home's router and the Internet.
    #[must_use]
    pub const fn has_carrier(self) -> bool {
        matches!(self, Self::Cgnat | Self::CgnatEim | Self::CgUpnp)
    }

    /// Whether the client itself has a public address.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::PublicFw | Self::Firewall6)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
