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
    /// The safety words.
    #[serde(default)]
    pub safety: Safety,
    /// The user wants to hear nothing of it: it cannot ring, and sees a device that is switched off.
    #[serde(default)]
    pub blocked: bool,
    /// It has rung three times within ten minutes without being answered, and does not ring for a while.
    #[serde(default)]
    pub quiet: bool,
    /// What speaks against it, in words: `words_differ` or `other_root`. Show it wherever the contact is shown.
    #[serde(default)]
    pub alarm: Option<Why>,
    /// It may use this device as a relay to a contact that both have.
    #[serde(default)]
    pub relay: bool,
    /// It is to learn no address of this device's: packets to it go through a relay alone.
    #[serde(default)]
    pub relay_only: bool,
    /// A click on Answer in a notification or the tray answers its calls at once; without it, such a click opens the page,
    /// where the user answers. What `calls.one_click` of the configuration says, unless it was set for this contact.
    #[serde(default)]
    pub one_click: bool,
    /// While it is pending: a reply link. Sent back to whoever made the invite, and given there to `POST /v1/invites/replies`, it
    /// tells where this device is; needed only where the two do not find each other by themselves.
    #[serde(default)]
    pub reply: Option<String>,
    /// The user named it as introducer: it passes on where this device is to contacts of both who named it too, and the
    /// other way round.
    #[serde(default)]
    pub introduces: bool,
}

/// What two people compare to be sure that nobody sits between them. Also the answer to
/// `POST /v1/contacts/{id}/verify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Safety {
    /// Where it stands.
    pub state: SafetyState,
    /// Four words, the same on both screens; null while there are none. They can be answered for ten minutes, and as
    /// long as the connection stands over which they were made.
    pub words: Option<Vec<String>>,
    /// Sixty digits in groups of five, for paper: the same on both screens, always.
    pub number: String,
}

/// Where the comparing of safety words stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SafetyState {
    /// There are no words; a POST without `result` makes some.
    #[default]
    None,
    /// They are being made.
    Running,
    /// They are there and wait for the user's answer, whichever side asked for them.
    Compare,
    /// The user found them equal: the contact is verified.
    Same,
    /// The user found them different.
    Different,
}

/// `POST /v1/contacts/{id}/verify`. Empty: make the words, or give those that wait for an answer; returns when they are
/// there, within 5 s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// What the user found. `same` marks the contact verified, on this side only; `different` ends the call, if there is
    /// one, and sets the contact's `alarm`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<SafetyResult>,
}

/// What the user found when comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SafetyResult {
    /// Both have the same words.
    Same,
    /// They have not.
    Different,
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
    /// Who carries it, where it is relayed: a contact's petname, `your server` or `their server`.
    pub via: Option<String>,
    /// What `via` names, where the path is relayed.
    #[serde(default)]
    pub carrier: Option<Carrier>,
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

/// Who carries a relayed path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// A mutual contact's device.
    Contact,
    /// The relay server of one's own configuration.
    OwnServer,
    /// The contact's relay server.
    TheirServer,
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
    /// Whether it is to be gone when the daemon ends, however that ends: it is not stored. Somebody who is a contact already stays one.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub temporary: bool,
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
    /// Whether to hear nothing of it any more. A call with it ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blocked: Option<bool>,
    /// Whether it may use this device as a relay to a contact that both have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub relay: Option<bool>,
    /// Whether to hide this device's addresses from it. What it knows already it keeps; a direct link ends at once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub relay_only: Option<bool>,
    /// Whether a click on Answer in a notification or the tray is enough to answer its calls.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub one_click: Option<bool>,
    /// Whether it is an introducer between this device and contacts who named it too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub introduces: Option<bool>,
}

/// `POST /v1/contacts/{id}/ping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pong {
    /// Round trip, in milliseconds.
    pub rtt_ms: u64,
}
