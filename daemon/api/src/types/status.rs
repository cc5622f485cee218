//! `GET /v1/status`, `GET,PATCH /v1/me`.

use serde::{Deserialize, Serialize};

use super::{KeyPlace, Why};

/// `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The process id of the daemon.
    pub pid: u32,
    /// Bound UDP addresses.
    pub udp: Vec<String>,
    /// The control listener's origin.
    pub control: String,
    /// The page listener's origin.
    pub page: String,
    /// Oneself.
    pub person: PersonRef,
    /// This device.
    pub device: DeviceRef,
    /// Whether this device rings.
    pub presence: Presence,
    /// What a second caller meets during a call.
    #[serde(default)]
    pub second_call: SecondCall,
    /// Whether a ring is to be heard here: `calls.ring_sound` of the configuration. How loud is for whoever rings to say.
    #[serde(default = "is_heard")]
    pub ring_sound: bool,
    /// Where the key is that seals identity and contacts.
    #[serde(default)]
    pub key: KeyPlace,
    /// Standing warnings.
    pub warnings: Vec<Why>,
}

/// What a daemon means that does not say.
const fn is_heard() -> bool {
    true
}

/// A person, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonRef {
    /// The fingerprint of the root key.
    pub id: String,
    /// The name that invites carry.
    pub name: String,
}

/// A device, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceRef {
    /// The device key.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Whether a device rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It rings.
    Available,
    /// It does not.
    DoNotDisturb,
}

/// `GET /v1/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Oneself.
    pub person: PersonRef,
    /// This device.
    pub device: DeviceRef,
    /// Whether this device rings.
    pub presence: Presence,
    /// What a second caller meets during a call.
    #[serde(default)]
    pub second_call: SecondCall,
}

/// What a second caller meets during a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecondCall {
    /// It hears that this device is busy, and is listed as missed.
    #[default]
    Busy,
    /// It rings; answering it hangs up the first call.
    Wait,
}

/// `PATCH /v1/me`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MePatch {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub name: Option<String>,
    /// Whether to ring.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub presence: Option<Presence>,
    /// What a second caller is to meet during a call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub second_call: Option<SecondCall>,
}
