//! A site: a /24 of the Internet with a home in it, its router or routers, and its clients.
//!
//! ```text
//! core ── wan│r3│lan ── eth0│c3 .10, d3 .11         a home
//! core ── wan│k3│lan ── wan│r3│lan ── eth0│c3        behind a carrier, 100.64.0.0/16
//! ```
//! Where the client is public, its router only passes packets on, so that it is as many hops away as any other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use super::host::Host;
use super::kind::Kind;
use super::netns::Netns;
use super::router::Router;
use super::shaper::{Shape, Shaper};

/// A client's card, and the one of a VPN.
const CARD: &str = "eth0";
const TUNNEL: &str = "tun0";

/// A site with its home.
#[derive(Debug)]
pub struct Site {
    number: u8,
    /// Whose /24 it has: its own, or that of the neighbour with whom it shares a carrier.
    network: u8,
    kind: Kind,
    carrier: Option<Router>,
    router: Router,
    clients: Vec<Host>,
    shaper: Option<Shaper>,
}

/// What a host is told about its network.
struct Lease {
    /// `address/prefix`.
    own: String,
    gateway: IpAddr,
}

impl Site {
    pub(super) fn make(core: &Netns, number: u8, kind: Kind, shape: Option<Shape>) -> Self {
        let wan = Ipv4Addr::new(11, 0, number, 1);
        let outermost = Netns::router(&format!("{}{number}", if kind.has_carrier() { "k" } else { "r" }));
        let shaper = uplink(core, &outermost, number, shape);
        let (carrier, router) = if kind.has_carrier() {
            lan(&outermost, "100.64.0.1/16");
            let carrier = Router::of_carrier(outermost, wan, kind);
            let router = behind(&carrier, number, kind);
            (Some(carrier), router)
        } else {
            lan(&outermost, inner(kind));
            if kind.is_public() {
                public_routes(core, &outermost, number);
            }
            (None, Router::of_home(outermost, wan, kind))
        };
        Self {
            number,
            network: number,
            kind,
            carrier,
            router,
            clients: Vec::new(),
            shaper,
        }
    }

    /// A home behind the same carrier.
    pub(super) fn neighbour(number: u8, of: &Self) -> Self {
        let carrier = of.carrier.as_ref().expect("a site with a carrier");
        let router = behind(carrier, number, of.kind);
        Self {
            number,
            network: of.network,
            kind: of.kind,
            carrier: None,
            router,
            clients: Vec::new(),
            shaper: None,
        }
    }

    /// Another client in the same home, at the next address.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn add_client(&mut self) -> Host {
        let place = u8::try_from(self.clients.len()).unwrap();
        let letter = char::from(b'c' + place);
        let netns = Netns::make(&format!("{letter}{}", self.number));
        let lease = self.lease(10 + place);
        plug(&self.router, &netns, CARD, &lease);
        let (address, _) = lease.own.split_once('/').unwrap();
        let host = Host::new(netns, address.parse().unwrap());
        self.clients.push(host.clone());
        host
    }

    /// Moves a client of another site here: its card is pulled there and plugged in here, and its sockets live on.
    ///
    /// # Panics
    /// If it cannot.
    pub fn receive(&mut self, host: &mut Host) {
        host.netns().ip("link del eth0");
        let lease = self.lease(10 + u8::try_from(self.clients.len()).unwrap());
        plug(&self.router, host.netns(), CARD, &lease);
        let (address, _) = lease.own.split_once('/').unwrap();
        host.moved(address.parse().unwrap());
        self.clients.push(host.clone());
    }

    /// Takes the first client's card out of service, as when the cable is pulled.
    ///
    /// # Panics
    /// If it cannot.
    pub fn unplug(&self) {
        self.client().netns().ip(&format!("link set {CARD} down"));
    }

    /// The end of [`Self::unplug`]: the same address and the same way out.
    ///
    /// # Panics
    /// If it cannot.
    pub fn plug_in(&self) {
        let lease = self.lease(10);
        self.client().netns().ip(&format!("link set {CARD} up"));
        routes(self.client().netns(), CARD, &lease);
    }

    /// Gives a machine that lives elsewhere a second card, in this home, through which it reaches everything from here on, as a VPN
    /// does it. This site is public, so that the two networks of the machine differ.
    ///
    /// # Panics
    /// If it cannot.
    pub fn tunnel(&self, host: &Host) {
        let lease = self.lease(10 + u8::try_from(self.clients.len()).unwrap());
        let port = port(host.netns());
        connect(&self.router, host.netns(), &port, TUNNEL);
        let (netns, Lease { own, gateway }) = (host.netns(), lease);
        netns.ip(&format!(
            "addr add {own} dev {TUNNEL}
             link set {TUNNEL} up
             route add {gateway} dev {TUNNEL}
             route add 0.0.0.0/1 via {gateway} dev {TUNNEL}
             route add 128.0.0.0/1 via {gateway} dev {TUNNEL}"
        ));
    }

    /// The end of [`Self::tunnel`].
    ///
    /// # Panics
    /// If there is none.
    pub fn close_tunnel(&self, host: &Host) {
        host.netns().ip(&format!("link del {TUNNEL}"));
    }

    fn lease(&self, last: u8) -> Lease {
        match self.kind {
            Kind::Firewall6 => Lease {
                own: format!("{}/64", public6(self.number, last)),
                gateway: public6(self.number, 1).into(),
            },
            Kind::Public | Kind::PublicFw => Lease {
                own: format!("11.0.{}.{last}/32", self.number),
                gateway: Ipv4Addr::new(11, 0, self.number, 1).into(),
            },
            Kind::FullCone
            | Kind::AddrRestricted
            | Kind::PortRestricted
            | Kind::Linux
            | Kind::Symmetric
            | Kind::SymmetricSeq
            | Kind::Cgnat
            | Kind::CgnatEim
            | Kind::Pcp
            | Kind::SymPcp
            | Kind::CgUpnp
            | Kind::UdpBlocked
            | Kind::LinuxClash
            | Kind::NatPmp
            | Kind::Upnp
            | Kind::Hairpin => Lease {
                own: format!("192.168.1.{last}/24"),
                gateway: Ipv4Addr::new(192, 168, 1, 1).into(),
            },
        }
    }

    /// Gives the first client of a public site an address of IPv6 beside that of IPv4, behind the same router.
    ///
    /// # Panics
    /// If it cannot, or has none to give.
    pub fn add_ipv6(&self) {
        assert!(self.kind.is_public(), "{} has no network of IPv6", self.kind);
        let (own, gateway) = (public6(self.number, 10), public6(self.number, 1));
        self.client().netns().ip(&format!(
            "addr add {own}/64 dev eth0 nodad\nroute add default via {gateway} dev eth0"
        ));
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The first client.
    ///
    /// # Panics
    /// If the site is empty.
    #[must_use]
    pub fn client(&self) -> &Host {
        self.clients.first().unwrap()
    }

    /// The router of the home.
    pub const fn router(&mut self) -> &mut Router {
        &mut self.router
    }

    /// The router that has the public address: the carrier's, where this site has one.
    pub const fn outermost(&mut self) -> &mut Router {
        match &mut self.carrier {
            Some(carrier) => carrier,
            None => &mut self.router,
        }
    }

    /// The public address that the Internet sees of it.
    #[must_use]
    pub fn public(&self) -> Ipv4Addr {
        match (self.client().address(), &self.carrier) {
            (IpAddr::V4(ip), _) if self.kind.is_public() => ip,
            (_, Some(carrier)) => carrier.wan(),
            (_, None) => self.router.wan(),
        }
    }

    /// The public port of the first client's socket at this port, where the home's router has mapped it.
    #[must_use]
    pub fn public_of(&self, port: u16) -> Option<u16> {
        self.router.public_port(self.client().address(), port)
    }

    /// Its link to the Internet, where it has a shape.
    #[must_use]
    pub const fn shaper(&self) -> Option<&Shaper> {
        self.shaper.as_ref()
    }

    /// Its namespaces, each with what it is.
    pub fn places(&self) -> impl Iterator<Item = (&str, String)> {
        let routers = self
            .carrier
            .iter()
            .map(|carrier| (carrier.netns().name(), "its carrier".to_owned()));
        let router = (self.router.netns().name(), format!("router, {}", self.kind));
        let clients = self.clients.iter();
        let clients = clients.map(|client| (client.netns().name(), format!("client, {}", client.address())));
        clients.chain([router]).chain(routers)
    }

    /// Whether a public address is of this site.
    pub(super) fn owns(&self, ip: Ipv4Addr) -> bool {
        ip.octets()[..3] == [11, 0, self.network]
    }

    /// Whether the home's router has mapped this address by itself.
    pub(super) fn has_mapped(&self, address: SocketAddrV4) -> bool {
        self.router.wan() == *address.ip() && self.router.has_mapped(address.port())
    }

    /// All its routers.
    pub(super) fn routers(&self) -> impl Iterator<Item = &Router> {
        self.carrier.iter().chain([&self.router])
    }
}

/// The address of a client or router in the site's network of IPv6.
pub(super) fn public6(number: u8, last: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2a00, 0x11, u16::from(number), 0, 0, 0, 0, u16::from(last))
}

/// What the home's router calls its own on the inside.
const fn inner(kind: Kind) -> &'static str {
    if kind.is_public() { "" } else { "192.168.1.1/24" }
}

/// A link from the core to a router, with the addresses of both ends.
fn uplink(core: &Netns, router: &Netns, number: u8, shape: Option<Shape>) -> Option<Shaper> {
    let near = format!("s{number}");
    let shaper = shape.map(|shape| Shaper::between(&format!("x{number}"), (core, &near), (router, "wan"), shape));
    if shaper.is_none() {
        core.ip(&format!(
            "link add {near} type veth peer name wan netns {}",
            router.name()
        ));
    }
    core.ip(&format!(
        "addr add 11.0.{number}.254/24 dev s{number}
         addr add 2a00:11:{number}:ffff::254/64 dev s{number} nodad
         link set s{number} up"
    ));
    router.ip(&format!(
        "addr add 11.0.{number}.1/24 dev wan
         addr add 2a00:11:{number}:ffff::1/64 dev wan nodad
         link set wan up
         route add default via 11.0.{number}.254
         route add default via 2a00:11:{number}:ffff::254"
    ));
    shaper
}

/// A home router's link to its carrier.
fn behind(carrier: &Router, number: u8, kind: Kind) -> Router {
    let netns = Netns::router(&format!("r{number}"));
    let wan = Ipv4Addr::new(100, 64, 1, number);
    carrier.netns().ip(&format!(
        "link add h{number} type veth peer name wan netns r{number}
         link set h{number} master lan
         link set h{number} up"
    ));
    netns.ip(&format!(
        "addr add {wan}/16 dev wan
         link set wan up
         route add default via 100.64.0.1"
    ));
    lan(&netns, inner(kind));
    Router::of_home(netns, wan, kind)
}

/// The bridge of a home or of a carrier.
fn lan(router: &Netns, own: &str) {
    router.ip("link add lan type bridge forward_delay 0 mcast_snooping 0\nlink set lan up");
    if !own.is_empty() {
        router.ip(&format!("addr add {own} dev lan"));
    }
}

/// Public clients' addresses lie behind the router, which answers for itself on both sides.
fn public_routes(core: &Netns, router: &Netns, number: u8) {
    for last in 10..14 {
        core.ip(&format!("route add 11.0.{number}.{last}/32 via 11.0.{number}.1"));
        router.ip(&format!("route add 11.0.{number}.{last}/32 dev lan"));
    }
    core.ip(&format!("route add 2a00:11:{number}::/64 via 2a00:11:{number}:ffff::1"));
    router.ip(&format!("addr add {}/64 dev lan nodad", public6(number, 1)));
}

/// Plugs a host into a home's bridge.
fn plug(router: &Router, host: &Netns, card: &str, lease: &Lease) {
    connect(router, host, &port(host), card);
    host.ip(&format!("addr add {} dev {card}\nlink set {card} up", lease.own));
    routes(host, card, lease);
}

/// A host's place at a bridge.
fn port(host: &Netns) -> String {
    format!("p-{}", host.name())
}

fn connect(router: &Router, host: &Netns, port: &str, card: &str) {
    router.netns().ip(&format!(
        "link add {port} type veth peer name {card} netns {}
         link set {port} master lan
         link set {port} up",
        host.name()
    ));
}

/// The way out.
fn routes(host: &Netns, card: &str, lease: &Lease) {
    let Lease { own, gateway } = lease;
    if gateway.is_ipv4() && own.ends_with("/32") {
        host.ip(&format!("route add {gateway} dev {card}"));
    }
    host.ip(&format!("route add default via {gateway} dev {card}"));
}
