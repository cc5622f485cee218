//! Why a command could not do what it was asked to.

use twocan_api::Why;
use twocan_api::client::ClientError;

use crate::exit::{self, Exit};

/// A failure as the user is told it: what happened and the one best next step.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code to end with.
    pub(crate) exit: Exit,
    /// What happened, one sentence.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) fix: String,
    /// The API's own body, printed under `--json`.
    pub(crate) json: Option<String>,
}

/// What a command gives.
pub(crate) type Done = Result<Exit, Failure>;

impl Failure {
    /// A failure of the command itself.
    pub(crate) fn new(exit: Exit, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            exit,
            text: text.into(),
            fix: fix.into(),
            json: None,
        }
    }

    /// A failure that the daemon explained.
    pub(crate) fn explained(exit: Exit, why: Why, json: String) -> Self {
        Self {
            exit,
            text: why.text,
            fix: why.fix,
            json: Some(json),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let text = error.to_string();
        match error {
            ClientError::NotRunning { waiting: Some(why), .. } => Self::new(Exit::NotRunning, why.text, why.fix),
            ClientError::NotRunning { socket, waiting: None } => Self::new(
                Exit::NotRunning,
                format!("Twocan is not running (nothing answers on {}).", socket.display()),
                "Start it with: twocan up",
            ),
            ClientError::Gone => Self::new(
                Exit::NotRunning,
                "Twocan stopped before it answered.",
                "Start it again with: twocan up",
            ),
            ClientError::Problem { problem, json } => Self {
                exit: exit::of_problem(&problem),
                text: problem.title,
                fix: problem.detail,
                json: Some(json),
            },
            ClientError::Connect { .. } => Self::new(
                Exit::Failed,
                sentence(&text),
                "Run the command as the user who runs `twocan up`.",
            ),
            ClientError::TimedOut { .. } => Self::new(
                Exit::Failed,
                sentence(&text),
                "Look at what `twocan up` prints, and restart it.",
            ),
            ClientError::Status { .. } | ClientError::Http(_) | ClientError::Shape(_) => Self::new(
                Exit::Failed,
                sentence(&text),
                "The running daemon may be of another version: restart it with: twocan up",
            ),
        }
    }
}

/// An error's text as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_daemon_has_its_own_code_and_says_how_to_start_one() {
        let failure = Failure::from(ClientError::NotRunning {
            socket: "/x".into(),
            waiting: None,
        });
        assert_eq!(failure.exit, Exit::NotRunning);
        assert!(failure.fix.contains("twocan up"));
        assert_eq!(Failure::from(ClientError::Gone).exit, Exit::NotRunning);
    }

    #[test]
    fn a_daemon_that_waits_says_what_for() {
        let why = Why {
            code: "keyring_locked".into(),
            text: "It waits.".into(),
            fix: "Unlock it.".into(),
        };
        let failure = Failure::from(ClientError::NotRunning {
            socket: "/x".into(),
            waiting: Some(why),
        });
        assert_eq!(failure.exit, Exit::NotRunning);
        assert_eq!(
            (failure.text.as_str(), failure.fix.as_str()),
            ("It waits.", "Unlock it.")
        );
    }

    #[test]
    fn sentences_begin_large_and_end_once() {
        assert_eq!(sentence("no way."), "No way.");
        assert_eq!(sentence("über"), "Über.");
        assert_eq!(sentence(""), ".");
    }
}
