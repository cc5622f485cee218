//! `GET,PUT /v1/door`: whether people who know nothing but this device's address may ring.

use serde::{Deserialize, Serialize};

use super::Why;

/// The door.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Door {
    /// Whether strangers may ring.
    pub open: bool,
    /// When it closes by itself, RFC 3339; null while it is closed.
    #[serde(default)]
    pub closes_at: Option<String>,
    /// Seconds until then, when this was sent.
    #[serde(default)]
    pub closes_in_s: Option<u64>,
    /// This device's addresses, as far as it can see them, best first: what to tell somebody who is to call.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Whether somebody outside this network can get here.
    #[serde(default)]
    pub reachable: FromOutside,
    /// Why that is not `yes`, and what to do.
    #[serde(default)]
    pub why: Option<Why>,
}

/// Whether a device can be reached from outside its network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FromOutside {
    /// Somebody from outside who was not called first has come in, or the router says that it forwards the port.
    Yes,
    /// No: the daemon listens on this machine alone, or the router was seen to keep strangers out.
    No,
    /// Nothing shows it, either way.
    #[default]
    Unknown,
}

/// `PUT /v1/door`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DoorPut {
    /// Whether strangers may ring from now on.
    pub open: bool,
    /// For how long, 1 to 3600; ten minutes unless told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3600))]
    pub seconds: Option<u64>,
}
