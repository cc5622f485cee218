//! Problem documents (RFC 9457).

use serde::{Deserialize, Serialize};

/// The body of every error, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: `code` is the stable name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: String,
    /// One sentence.
    pub title: String,
    /// What to do about it.
    pub detail: String,
    /// Of a 409: the state that the thing is in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
}
