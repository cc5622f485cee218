//! How the packets of a pair got through, as the core of the lab saw them and the daemons tell.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

use super::kind::{Filtering, Kind};
use super::pair::{Pair, Sites};
use crate::packets::Packet;

/// More ports than this on one side of a pair's packets, and they were guessed.
const GUESSED: usize = 24;

/// How the packets that got through came to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Technique {
    /// Within one network.
    Lan,
    /// One side lets everybody in.
    Dial,
    /// Both sent at once.
    Simultaneous,
    /// To a port that a router had mapped.
    Mapped,
    /// To a port that was guessed.
    Birthday,
    /// Through somebody else.
    Relay,
}

impl Technique {
    /// As the matrix writes it.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Lan => 'L',
            Self::Dial => 'D',
            Self::Simultaneous => 'S',
            Self::Mapped => 'M',
            Self::Birthday => 'B',
            Self::Relay => 'R',
        }
    }
}

impl Pair {
    /// How the packets got through, as the core saw them.
    pub(super) async fn technique(&self) -> Technique {
        let contacts = self.bob.api().list("/v1/contacts").await;
        let path = contacts
            .iter()
            .find(|contact| contact["name"] == "Ann")
            .map(|contact| contact["path"].clone())
            .unwrap_or_default();
        let (one, other) = match (&self.sites, path["kind"].as_str()) {
            (Sites::One(_), _) | (Sites::Two(_), Some("lan")) => return Technique::Lan,
            (Sites::Two(_), Some("relay")) => return Technique::Relay,
            (Sites::Two([one, other]), _) => (one, other),
        };
        if one.kind() == Kind::Firewall6 {
            // The capture reads IPv4.
            return Technique::Simultaneous;
        }
        let between = self.capture.packets(|packet| {
            let ends = [packet.from, packet.to].map(|end| *end.ip());
            [one, other].iter().all(|site| ends.iter().any(|ip| site.owns(*ip)))
        });
        let links: Vec<&Packet> = between.iter().filter(|packet| is_quic(packet)).collect();
        if links.is_empty() {
            return Technique::Lan;
        }
        let ports = |side: fn(&Packet) -> SocketAddrV4| -> usize {
            between
                .iter()
                .filter(|packet| is_knock(packet))
                .map(side)
                .collect::<BTreeSet<_>>()
                .len()
        };
        let both = [one, other];
        if both.iter().any(|site| lets_in(site.kind())) {
            Technique::Dial
        } else if links
            .iter()
            .any(|packet| both.iter().any(|site| site.has_mapped(packet.to)))
        {
            Technique::Mapped
        } else if ports(|packet| packet.from) > GUESSED || ports(|packet| packet.to) > GUESSED {
            Technique::Birthday
        } else {
            Technique::Simultaneous
        }
    }
}

fn lets_in(kind: Kind) -> bool {
    kind.promise()
        .is_some_and(|promise| promise.filtering == Filtering::EndpointIndependent)
}

fn is_quic(packet: &Packet) -> bool {
    packet.bytes.first().is_some_and(|first| *first >= 64)
}

fn is_knock(packet: &Packet) -> bool {
    packet
        .bytes
        .first()
        .is_some_and(|first| (4..=15).contains(first) && *first != 8)
}
