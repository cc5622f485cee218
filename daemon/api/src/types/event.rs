//! `GET /v1/events`: server-sent events, each named, each with an id `boot-seq` and a JSON body.

use serde::{Deserialize, Serialize};

use super::{Call, Contact, Door, Invite, KeyPlace, Me, Network, Status, Why};

/// One event. `name` is the SSE event name, the body its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "name", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// Everything, at the start of a stream and after a gap.
    Snapshot(Box<Snapshot>),
    /// A contact, whole.
    Contact(Box<Contact>),
    /// A contact is gone.
    ContactRemoved(ContactRemoved),
    /// A call, whole.
    Call(Box<Call>),
    /// A call is no longer listed.
    CallRemoved(CallRemoved),
    /// An invite, whole.
    Invite(Box<Invite>),
    /// An invite was used up, ran out or was taken back.
    InviteRemoved(InviteRemoved),
    /// The door.
    Door(Door),
    /// Oneself.
    Me(Me),
    /// One's own network, whole.
    Network(Box<Network>),
    /// The key that seals identity and contacts was moved.
    Key(KeyPlace),
    /// A warning.
    Warning(Why),
    /// Events were missed; a snapshot follows.
    Gap(Gap),
}

/// Everything a client needs to draw itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// As `GET /v1/status`.
    pub status: Status,
    /// All of them.
    pub contacts: Vec<Contact>,
    /// All that are listed.
    pub calls: Vec<Call>,
    /// All that are open.
    pub invites: Vec<Invite>,
    /// The door.
    pub door: Door,
}

/// A contact is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactRemoved {
    /// Its id.
    pub id: String,
    /// Why, where it was not the user's own doing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<Why>,
}

/// A call is no longer listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallRemoved {
    /// Its id.
    pub id: String,
}

/// An invite was used up, ran out or was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteRemoved {
    /// Its id.
    pub id: String,
}

/// Missed events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// The last id that the client had.
    pub from: String,
    /// The id at which the stream goes on.
    pub to: String,
}
