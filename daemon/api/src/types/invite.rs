//! `/v1/invites`.

use serde::{Deserialize, Serialize};

use super::{FromOutside, Why};

/// One open invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    /// Opaque.
    pub id: String,
    /// The `twocan:` link.
    pub link: String,
    /// The message to send: "Call me: …" and one line of help.
    pub text: String,
    /// RFC 3339.
    pub expires_at: String,
    /// Whether this device's address can be reached from outside. The link works either way.
    #[serde(default)]
    pub reachable: FromOutside,
    /// What it means for the link that it is not `yes`.
    #[serde(default)]
    pub why: Option<Why>,
}

/// What every invite's link begins with.
pub const SCHEME: &str = "twocan:";

/// What every reply link begins with.
pub const REPLY_SCHEME: &str = "twocan-reply:";

/// `POST /v1/invites/replies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReply {
    /// The reply link, or the message around it.
    pub reply: String,
}

/// `POST /v1/invites`; an empty body means all defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// How long it may be redeemed; 48 hours unless told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_592_000))]
    pub expires_in_s: Option<u64>,
}
