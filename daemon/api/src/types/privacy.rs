//! `GET /v1/privacy`: what is kept, and what others can see.

use serde::{Deserialize, Serialize};

/// Everything that is stored, and everything that outsiders can see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Privacy {
    /// What is stored, on this machine alone.
    pub stored: Vec<Stored>,
    /// Who can see what from outside.
    pub outsiders: Vec<Outsider>,
    /// What there is none of.
    pub never: Vec<String>,
}

/// One kind of stored thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stored {
    /// What it is.
    pub what: String,
    /// How many of them there are now; null where it is one thing.
    pub count: Option<u64>,
    /// The file, as seen from the daemon's home, or `memory`.
    pub place: String,
    /// Who can read it.
    pub protection: String,
    /// When it goes.
    pub until: String,
}

/// Somebody outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outsider {
    /// Who.
    pub who: String,
    /// What they can see.
    pub sees: String,
    /// What stays hidden from them.
    pub hidden: String,
}

/// `DELETE /v1/data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// Must be true, so that nobody erases everything by a slip.
    pub everything: bool,
}
