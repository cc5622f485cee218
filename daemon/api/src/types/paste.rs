//! `/v1/pastes`: a link that somebody sent, looked at before it is used.

use serde::{Deserialize, Serialize};

use super::Why;

/// `POST /v1/pastes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPaste {
    /// The link, or the message around it.
    pub text: String,
}

/// What a link is. Nothing has come of it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Paste {
    /// Opaque; forgotten after ten minutes.
    pub id: String,
    /// What kind of link.
    pub kind: PasteKind,
    /// The link without what stood around it: for `POST /v1/contacts`, or `POST /v1/invites/replies`.
    pub link: String,
    /// What the inviter calls himself; null in a reply.
    pub name: Option<String>,
    /// RFC 3339, of an invite.
    pub expires_at: Option<String>,
    /// The inviter's id, where he is a contact already.
    pub contact: Option<String>,
    /// Why it would be refused now.
    pub why: Option<Why>,
}

/// The links that people send each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PasteKind {
    /// Somebody wants to be called.
    Invite,
    /// Somebody answers an invite by hand.
    Reply,
}
