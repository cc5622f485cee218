//! The shapes, one file a noun.

pub mod call;
pub mod clip;
pub mod contact;
pub mod door;
pub mod event;
pub mod invite;
pub mod key;
pub mod network;
pub mod page;
pub mod paste;
pub mod privacy;
pub mod problem;
pub mod status;

pub use call::*;
pub use clip::*;
pub use contact::*;
pub use door::*;
pub use event::*;
pub use invite::*;
pub use key::*;
pub use network::*;
pub use page::*;
pub use paste::*;
pub use privacy::*;
pub use problem::*;
pub use status::*;

use serde::{Deserialize, Serialize};

/// A reason with a way out, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Why {
    /// Stable, for programs.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// The one best next step.
    pub fix: String,
}

/// A list, by cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct List<T> {
    /// This page of it.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
}

/// `?cursor=…&limit=…` on lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ListQuery {
    /// As given in `next`.
    #[cfg_attr(feature = "openapi", param(pattern = r"^[0-9]{1,9}\.[0-9a-f]{0,64}$"))]
    pub cursor: Option<String>,
    /// Items a page, 1–200; 100 unless told.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u32>,
}
