//! One router: a namespace with a link `wan`, a bridge `lan`, and rules.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU32, Ordering};

use super::kind::Kind;
use super::netns::Netns;
use super::rules::Behaviour;
use super::upnp::Mapper;

/// For how long a learnt mapping lives without packets, in seconds, unless told.
const LIFETIME: u32 = 300;
/// The first seed. A lab is the same each time; a rebinding takes the next one.
static SEED: AtomicU32 = AtomicU32::new(7919);

/// A router under way.
#[derive(Debug)]
pub struct Router {
    netns: Netns,
    wan: Ipv4Addr,
    behaviour: Behaviour,
    mapper: Option<Mapper>,
}

impl Router {
    /// The router of a home, whose links stand and have addresses.
    pub(super) fn of_home(netns: Netns, wan: Ipv4Addr, kind: Kind) -> Self {
        let mapper = Mapper::start(&netns, kind);
        Self::new(netns, wan, Behaviour::of_home(kind), mapper)
    }

    /// The one of its carrier.
    pub(super) fn of_carrier(netns: Netns, wan: Ipv4Addr, kind: Kind) -> Self {
        Self::new(netns, wan, Behaviour::of_carrier(kind), None)
    }

    fn new(netns: Netns, wan: Ipv4Addr, behaviour: Behaviour, mapper: Option<Mapper>) -> Self {
        let router = Self {
            netns,
            wan,
            behaviour,
            mapper,
        };
        router.load(LIFETIME);
        router
    }

    fn load(&self, lifetime: u32) {
        let seed = SEED.fetch_add(1, Ordering::Relaxed);
        self.netns.nft(&self.behaviour.rules(self.wan, seed, lifetime));
        if self.mapper.is_some() {
            self.netns.nft("add rule inet lab mapped ct status dnat accept");
        }
    }

    /// Its namespace.
    #[must_use]
    pub const fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Its address towards the Internet, or towards its carrier.
    #[must_use]
    pub const fn wan(&self) -> Ipv4Addr {
        self.wan
    }

    /// Forgets all mappings, and gives other ports from here on, as after a restart of the router. A router that
    /// preserves ports gives the same ones again.
    ///
    /// # Panics
    /// If it cannot.
    pub fn rebind(&self) {
        self.load(LIFETIME);
        self.forget();
    }

    /// Takes another address towards the Internet, as after a forced reconnect, and forgets all mappings.
    ///
    /// # Panics
    /// If it cannot.
    pub fn renumber(&mut self, wan: Ipv4Addr) {
        let old = self.wan;
        self.netns.ip(&format!(
            "addr del {old}/24 dev wan\naddr add {wan}/24 dev wan\nroute replace default via {}",
            Ipv4Addr::from([wan.octets()[0], wan.octets()[1], wan.octets()[2], 254]),
        ));
        self.wan = wan;
        self.rebind();
    }

    /// Forgets its connections.
    fn forget(&self) {
        // It says so on standard error when there was none.
        let _ = self.netns.output("conntrack", &["-F"]);
    }

    /// Lets mappings of UDP end after this long without packets.
    ///
    /// # Panics
    /// If it cannot.
    pub fn lifetime(&self, seconds: u32) {
        for key in ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"] {
            self.netns.sysctl(&format!("net/netfilter/{key}"), &seconds.to_string());
        }
        self.load(seconds);
        self.forget();
    }

    /// Whether its port mapper has mapped this port.
    pub(super) fn has_mapped(&self, port: u16) -> bool {
        let rule = format!("th dport {port} dnat");
        self.mapper
            .as_ref()
            .is_some_and(|mapper| mapper.mapped().contains(&rule))
    }

    /// The public port of an inner socket, as its connections tell: of any one where each has another.
    pub(super) fn public_port(&self, inner: IpAddr, port: u16) -> Option<u16> {
        let connections = self.netns.output("conntrack", &["-L", "-p", "udp"]);
        let own = format!("src={inner} ");
        let from = format!("sport={port} ");
        connections.lines().find_map(|line| {
            let (going, coming) = line.split_at(line.rfind(" src=")?);
            let public = coming.split_once("dport=")?.1.split(' ').next()?;
            (going.contains(&own) && going.contains(&from)).then(|| public.parse().ok())?
        })
    }

    /// Whether it remembers a mapping of this inner port.
    #[must_use]
    pub fn remembers(&self, port: u16) -> bool {
        let connections = self.netns.output("conntrack", &["-L", "-p", "udp"]);
        let rules = self.netns.output("nft", &["list", "table", "inet", "lab"]);
        connections.contains(&format!("sport={port} ")) || rules.contains(&format!(" . {port} "))
    }

    /// Its port mapper, where it has one.
    pub const fn mapper(&mut self) -> Option<&mut Mapper> {
        self.mapper.as_mut()
    }
}
