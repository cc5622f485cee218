//! What went wrong, as the user is told it: what happened, and what to do about it.

use twocan_api::client::ClientError;

use crate::strings as s;

/// Two sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What happened.
    pub(crate) title: String,
    /// What to do about it, or more about it.
    pub(crate) text: String,
}

impl Trouble {
    pub(crate) fn new(title: &str, text: impl Into<String>) -> Self {
        Self {
            title: title.to_owned(),
            text: text.into(),
        }
    }
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        match error.problem() {
            Some(problem) => Self::new(&problem.title, &problem.detail),
            None => Self::new(s::FAILED, error.to_string()),
        }
    }
}
