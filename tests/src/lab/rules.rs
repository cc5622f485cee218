//! What a router of each type does, as rules of nftables.
//!
//! Every router has one link `wan` towards the Internet and one bridge `lan`. Who may come in is decided by connection
//! tracking and a chain of ours; which port goes out, by the rule at `srcnat`.
//!
//! nft 1.0.6 takes the result of `jhash` and `numgen` as a port in the host's byte order. Hence `| 0x8080`, which keeps
//! a hashed port above 32,896 in either order, and the literal map of the ports in a row.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::kind::Kind;

/// The core: it takes as many hops as the Internet does, so that a packet with a low time to live dies in it.
pub(super) const CORE: &str = "
table inet core {
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip ttl < 5 drop
        ip6 hoplimit < 5 drop
    }
}
";

/// The first of the ports in a row, and their number.
const ROW: u16 = 20_000;
const ROW_LENGTH: u16 = 2_000;

/// How the source of a packet to the Internet is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nat {
    /// Not at all.
    None,
    /// To a port that depends on the inner socket alone.
    Hashed,
    /// To the same port, where it is free.
    Preserving,
    /// To another port at random for each destination.
    Random,
    /// To the next port for each destination.
    InARow,
}

/// Who may come in, beside answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// Everybody; there is no filter at all.
    Everybody,
    /// Nobody.
    Nobody,
    /// Nobody; but what comes uninvited is not dropped by the router either.
    NobodyUndropped,
    /// Whoever sends to a port that is mapped.
    Mapped,
    /// The same, from addresses that were sent to through it.
    MappedByAddress,
    /// Nobody, and nothing goes out but TCP to port 443.
    Only443,
}

/// One router's behaviour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behaviour {
    nat: Nat,
    entry: Entry,
    hairpin: bool,
}

impl Behaviour {
    /// Of the router that stands in the home.
    pub(super) const fn of_home(kind: Kind) -> Self {
        let (nat, entry) = match kind {
            Kind::Public => (Nat::None, Entry::Everybody),
            Kind::PublicFw | Kind::Firewall6 => (Nat::None, Entry::Nobody),
            Kind::FullCone | Kind::Hairpin => (Nat::Hashed, Entry::Mapped),
            Kind::AddrRestricted => (Nat::Hashed, Entry::MappedByAddress),
            Kind::PortRestricted => (Nat::Hashed, Entry::Nobody),
            Kind::LinuxClash => (Nat::Preserving, Entry::NobodyUndropped),
            Kind::Symmetric | Kind::SymPcp => (Nat::Random, Entry::Nobody),
            Kind::SymmetricSeq => (Nat::InARow, Entry::Nobody),
            Kind::UdpBlocked => (Nat::Preserving, Entry::Only443),
            Kind::Linux | Kind::Pcp | Kind::NatPmp | Kind::Upnp | Kind::Cgnat | Kind::CgnatEim | Kind::CgUpnp => {
                (Nat::Preserving, Entry::Nobody)
            }
        };
        let hairpin = matches!(kind, Kind::Hairpin);
        Self { nat, entry, hairpin }
    }

    /// Of the carrier's, for a type that has one.
    pub(super) const fn of_carrier(kind: Kind) -> Self {
        let eim = matches!(kind, Kind::CgnatEim);
        let nat = if eim { Nat::Hashed } else { Nat::Random };
        Self {
            nat,
            entry: Entry::Nobody,
            // RFC 6888 asks it of carriers, and is heard where the rest of it is.
            hairpin: eim,
        }
    }

    /// The rules, replacing those of before; mappings of before are forgotten.
    pub(super) fn rules(self, wan: Ipv4Addr, seed: u32, lifetime: u32) -> String {
        let mut text = "table inet lab\ndelete table inet lab\ntable inet lab {\n".to_owned();
        if self.learns() {
            let _ = write!(text, "{}", learning(lifetime));
        }
        let _ = write!(text, "{}{}", self.coming(wan), self.going(wan, seed));
        text += "}\n";
        text
    }

    const fn learns(self) -> bool {
        self.hairpin || matches!(self.entry, Entry::Mapped | Entry::MappedByAddress)
    }

    /// The chains for what comes in.
    fn coming(self, wan: Ipv4Addr) -> String {
        let invited = match self.entry {
            Entry::Mapped => "iifname wan dnat ip to udp dport map @cone",
            Entry::MappedByAddress => "iifname wan udp dport . ip saddr @perm dnat ip to udp dport map @cone",
            Entry::Everybody | Entry::Nobody | Entry::NobodyUndropped | Entry::Only443 => "",
        };
        let turned = if self.hairpin {
            format!("iifname lan ip daddr {wan} dnat ip to udp dport map @cone")
        } else {
            String::new()
        };
        let through = match self.entry {
            Entry::Everybody => "accept",
            Entry::Only443 => "iifname lan tcp dport 443 accept",
            Entry::Nobody | Entry::NobodyUndropped => "iifname lan accept",
            Entry::Mapped | Entry::MappedByAddress => "iifname lan accept\n        ct status dnat accept",
        };
        let uninvited = match self.entry {
            Entry::Everybody | Entry::NobodyUndropped => "accept",
            Entry::Nobody | Entry::Mapped | Entry::MappedByAddress | Entry::Only443 => {
                "meta l4proto { icmp, icmpv6 } accept\n        iifname wan drop"
            }
        };
        format!(
            "
    chain pre {{
        type nat hook prerouting priority dstnat; policy accept;
        {invited}
        {turned}
    }}
    chain input {{
        type filter hook input priority filter; policy accept;
        ct state established,related accept
        {uninvited}
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        {through}
        jump mapped
    }}
    chain mapped {{
    }}
"
        )
    }

    /// The chain for what goes out.
    fn going(self, wan: Ipv4Addr, seed: u32) -> String {
        let hashed = format!("snat ip to {wan}:jhash ip saddr . udp sport mod 65536 seed {seed} | 0x8080");
        let udp = match self.nat {
            Nat::None => return String::new(),
            Nat::Hashed => format!("oifname wan meta l4proto udp {hashed}"),
            Nat::Preserving => String::new(),
            Nat::Random => "oifname wan meta l4proto udp masquerade fully-random".to_owned(),
            Nat::InARow => format!("oifname wan meta l4proto udp snat ip to {wan}:{}", in_a_row(seed)),
        };
        let turned = if self.hairpin {
            format!("oifname lan ip saddr {{ 192.168.0.0/16, 100.64.0.0/10 }} meta l4proto udp ct status dnat {hashed}")
        } else {
            String::new()
        };
        format!(
            "
    chain post {{
        type nat hook postrouting priority srcnat; policy accept;
        {udp}
        {turned}
        oifname wan masquerade
    }}
"
        )
    }
}

/// What a router learns from packets that went out: a filter chain behind the rewriting sees them as the Internet does.
fn learning(lifetime: u32) -> String {
    format!(
        "
    map cone {{
        type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout {lifetime}s; size 65535;
    }}
    set perm {{
        type inet_service . ipv4_addr; flags dynamic,timeout; timeout {lifetime}s; size 65535;
    }}
    chain learn {{
        type filter hook postrouting priority srcnat + 1; policy accept;
        oifname wan ct direction original update @cone {{ udp sport : ct original ip saddr . ct original proto-src }}
        oifname wan ct direction reply update @cone {{ udp sport : ct reply ip saddr . ct reply proto-src }}
        oifname wan update @perm {{ udp sport . ip daddr }}
    }}
"
    )
}

/// The next port of a row that begins where `seed` says.
fn in_a_row(seed: u32) -> String {
    let first = ROW + u16::try_from(seed % 20_000).unwrap();
    let ports: Vec<String> = (0..ROW_LENGTH).map(|at| format!("{at} : {}", first + at)).collect();
    format!("numgen inc mod {ROW_LENGTH} map {{ {} }}", ports.join(", "))
}
