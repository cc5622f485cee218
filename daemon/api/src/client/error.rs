//! What can go wrong between a client and the daemon.

use std::path::PathBuf;

use crate::types::{Problem, Why};

/// Why a request has no answer to give.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("no daemon is listening on {}", .socket.display())]
    NotRunning {
        /// The socket that was tried.
        socket: PathBuf,
        /// What a daemon waits for that was started and does not listen yet.
        waiting: Option<Why>,
    },
    /// The daemon went away in the middle of an answer or of the event stream.
    #[error("the daemon closed the connection")]
    Gone,
    /// The socket is there and cannot be used.
    #[error("cannot connect to {}: {source}", .socket.display())]
    Connect {
        /// The socket that was tried.
        socket: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("the daemon did not answer within {seconds} s")]
    TimedOut {
        /// How long it was waited for.
        seconds: u64,
    },
    /// The API refused.
    #[error("{}", .problem.title)]
    Problem {
        /// The parsed problem document.
        problem: Box<Problem>,
        /// The problem document as the daemon wrote it.
        json: String,
    },
    /// An answer that is neither success nor a problem document.
    #[error("the daemon answered with status {status} and no problem document")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The conversation is not HTTP as we know it.
    #[error("the daemon's answer cannot be read: {0}")]
    Http(String),
    /// JSON that does not have the expected shape.
    #[error("the daemon's answer has an unknown shape: {0}")]
    Shape(#[source] serde_json::Error),
}

impl ClientError {
    /// The problem document, where the API refused.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            Self::NotRunning { .. }
            | Self::Gone
            | Self::Connect { .. }
            | Self::TimedOut { .. }
            | Self::Status { .. }
            | Self::Http(_)
            | Self::Shape(_) => None,
        }
    }
}
