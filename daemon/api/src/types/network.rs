//! `/v1/network`: what this device looks like from outside, in the words of RFC 4787.

use serde::{Deserialize, Serialize};

use super::{FromOutside, Path, Reachable, Why};

/// One's own network, as far as it is known.
///
/// Nothing here is guessed: what nobody has shown is `unknown`. Where sources disagree, all of them are listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Network {
    /// Whether it is being looked at.
    pub checking: bool,
    /// How long ago the last look was over, in seconds; null before that.
    pub checked_s_ago: Option<u64>,
    /// What it comes to.
    pub kind: NatKind,
    /// The same in a sentence, and what would help.
    pub summary: Why,
    /// Whether somebody outside this network can get here without having been called.
    pub reachable: FromOutside,
    /// Whether the outer address is another one than this device's own.
    pub translated: Known,
    /// On what the outer address depends (RFC 4787, section 4.1).
    pub mapping: NatMapping,
    /// Who may send to it (RFC 4787, section 5).
    pub filtering: NatFiltering,
    /// Whether devices behind the same router reach each other by their outer addresses (RFC 4787, section 6).
    pub hairpin: Known,
    /// Whether the outer port is the inner one (RFC 4787, section 4.2.1).
    pub port_preservation: Known,
    /// For how many seconds of silence, at least, the router was seen to keep the way open (RFC 4787, section 4.3); null where
    /// nothing has shown it.
    pub lifetime_at_least_s: Option<u64>,
    /// After how many seconds of silence it was seen to have closed it; null where nothing has shown that.
    pub lifetime_at_most_s: Option<u64>,
    /// Whether that is being measured, beside the socket that is used (RFC 5780, section 4.6), which takes some minutes.
    pub measuring_lifetime: bool,
    /// Whether IPv6 works.
    pub ipv6: Known,
    /// Who may send to this device over IPv6 (RFC 4787, section 5, though nothing is translated there).
    pub ipv6_filtering: NatFiltering,
    /// Whether there is a second NAT before the router: another router, or the provider's.
    pub double_nat: Known,
    /// Whether sources say things that cannot all be true of a router that treats everybody alike.
    pub disagreement: bool,
    /// The router's port mapper.
    pub port_mapping: PortMapping,
    /// Who said what.
    pub sources: Vec<NetworkSource>,
    /// Where this device may be reached, best first.
    pub addresses: Vec<OwnAddress>,
}

/// Yes, no, or nobody has shown it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Nothing shows it, either way.
    #[default]
    Unknown,
}

/// What a NAT comes to for somebody who wants to get through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NatKind {
    /// The outer address is the same for everybody, or there is no NAT.
    Easy,
    /// Each destination sees another one.
    Hard,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// On what the outer address depends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NatMapping {
    /// On nothing: everybody sees the same.
    EndpointIndependent,
    /// On the destination's IP address.
    AddressDependent,
    /// On the destination's IP address and port.
    AddressAndPortDependent,
    /// On the destination, in a way that is not known more closely.
    Dependent,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// Who may send to a mapped address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NatFiltering {
    /// Everybody.
    EndpointIndependent,
    /// Whoever has an IP address that was sent to.
    AddressDependent,
    /// Whoever has an IP address and port that was sent to.
    AddressAndPortDependent,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// The router's port mapper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortMapping {
    /// Whether the settings allow to ask it.
    pub enabled: bool,
    /// Whether a router answered by UPnP IGD.
    pub upnp: Known,
    /// Whether a router answered by NAT-PMP (RFC 6886).
    pub nat_pmp: Known,
    /// Whether a router answered by PCP (RFC 6887).
    pub pcp: Known,
    /// The outer address that leads here; null where there is none.
    pub external: Option<String>,
}

/// What one source said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NetworkSource {
    /// What it is.
    pub kind: SourceKind,
    /// Its address, of a STUN server or a node of the DHT.
    pub address: Option<String>,
    /// The contact's id, of a contact.
    pub contact: Option<String>,
    /// Where it saw this device; null where it did not answer.
    pub seen: Option<String>,
    /// How long ago, in seconds.
    pub s_ago: u64,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A STUN server of the settings.
    Stun,
    /// A node of the DHT.
    Dht,
    /// A contact.
    Contact,
}

/// One place where this device may be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnAddress {
    /// The address.
    pub address: String,
    /// How it came to be.
    pub kind: AddressKind,
}

/// How an address came to be (RFC 8445, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// This device has it.
    Host,
    /// The router maps it here on request.
    Mapped,
    /// Others see this device there.
    Reflexive,
}

/// `GET /v1/contacts/{id}/network`: both sides, and what that means for a path between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactNetwork {
    /// The contact's id.
    pub contact: String,
    /// This side.
    pub own: NatKind,
    /// The contact's side, as its device last said.
    pub theirs: NatKind,
    /// What is to be expected.
    pub works: Works,
    /// The same in a sentence, and what would help.
    pub summary: Why,
    /// The contact's dot.
    pub reachable: Reachable,
    /// The path, where there is one.
    pub path: Option<Path>,
}

/// What is to be expected of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Works {
    /// There is one.
    Now,
    /// It comes within seconds when both are up.
    Soon,
    /// One side is hard: it comes after some guessing at ports.
    Slowly,
    /// Both sides are hard: only somebody in between helps.
    Relay,
    /// One side does not know what it is behind.
    #[default]
    Unknown,
}
