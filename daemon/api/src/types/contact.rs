//! `/v1/contacts`.

use serde::{Deserialize, Serialize};

use super::{DeviceRef, Why};

/// One contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Opaque.
    pub id: String,
    /// The petname.
    pub name: String,
    /// How far the acquaintance has come.
    pub state: ContactState,
    /// Whether the safety words were compared.
    pub verified: bool,
    /// What the dot shows.
    pub reachable: Reachable,
    /// Why not, unless `reachable` is `yes`.
    pub why: Option<Why>,
    /// The path, where there is one.
    pub path: Option<Path>,
    /// The contact's devices.
    pub devices: Vec<DeviceRef>,
}

/// How far an acquaintance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// Pasted here, not yet acknowledged there.
    Pending,
    /// Both sides hold each other.
    Accepted,
    /// Somebody else tried the same invite; it may not ring until the user decides.
    Contested,
}

/// What the dot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reachable {
    /// A call will ring there.
    Yes,
    /// Being tried.
    Checking,
    /// No.
    No,
}

/// A proven path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Path {
    /// What it runs over.
    pub kind: PathKind,
    /// Who carries it, where it is relayed.
    pub via: Option<String>,
    /// Round trip, in milliseconds.
    pub rtt_ms: f64,
    /// Age of the last proof, in milliseconds.
    pub last_proof_ms: u64,
}

/// What a path runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// This machine or network.
    Lan,
    /// Straight across the Internet.
    Direct,
    /// Through somebody that one of the two chose.
    Relay,
}

/// `POST /v1/contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// The pasted text: a link, or a message around one.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 16384))]
    pub link: String,
    /// The petname to use instead of the one in the link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub name: Option<String>,
}

/// `PATCH /v1/contacts/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContactPatch {
    /// A new petname.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub name: Option<String>,
    /// `accepted` keeps a contested contact; nothing else may be set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<ContactState>,
}

/// `POST /v1/contacts/{id}/ping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pong {
    /// Round trip, in milliseconds.
    pub rtt_ms: u64,
}
