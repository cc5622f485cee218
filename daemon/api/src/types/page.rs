//! `POST /v1/page`: a way in for the user's browser.

use serde::{Deserialize, Serialize};

/// `POST /v1/page`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPage {
    /// The path to open, such as `/call/{id}`; `/` unless told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
}

/// The URL with its one-time code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageUrl {
    /// Works once.
    pub url: String,
    /// RFC 3339.
    pub expires_at: String,
}
