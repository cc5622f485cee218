//! Exit codes: what scripts learn without reading a word.

use twocan_api::{Problem, Reason};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; of a call: it was answered.
    Done,
    /// It failed.
    Failed,
    /// The command line cannot be understood, or a name fits several.
    Usage,
    /// No daemon is running.
    NotRunning,
    /// The other side cannot be reached.
    Unreachable,
    /// The call was declined, busy or missed.
    Refused,
}

impl Exit {
    /// The process exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotRunning => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
        }
    }
}

/// The exit for a refusal by the API.
pub(crate) fn of_problem(problem: &Problem) -> Exit {
    match problem.code.as_str() {
        code if code.starts_with("ambiguous") => Exit::Usage,
        "unreachable" => Exit::Unreachable,
        "busy" | "declined" | "missed" => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// The exit for a call that is over. `answered` says whether both people had accepted at some time.
///
/// A path that dies while it rings leaves the callee as unreachable as one that was never there, and being blocked
/// is a refusal.
pub(crate) fn of_call(answered: bool, reason: Option<&Reason>) -> Exit {
    if answered {
        return Exit::Done;
    }
    match reason.map(|reason| reason.code.as_str()) {
        // Only an answered call is hung up; its time as an active one may have been too short to be seen.
        Some("hung_up") => Exit::Done,
        Some("unreachable" | "lost") => Exit::Unreachable,
        Some("declined" | "declined_elsewhere" | "busy" | "missed" | "blocked") => Exit::Refused,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str) -> Reason {
        Reason {
            code: code.into(),
            why: None,
            after_s: None,
        }
    }

    fn problem(code: &str) -> Problem {
        Problem {
            kind: "about:blank".into(),
            status: 409,
            code: code.into(),
            title: String::new(),
            detail: String::new(),
            state: None,
        }
    }

    #[test]
    fn codes_are_what_scripts_know() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::NotRunning,
            Exit::Unreachable,
            Exit::Refused,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_call_that_was_answered_is_done_however_it_ended() {
        for code in ["hung_up", "lost", "failed", "cancelled"] {
            assert_eq!(of_call(true, Some(&reason(code))), Exit::Done, "{code}");
        }
        assert_eq!(of_call(true, None), Exit::Done);
    }

    #[test]
    fn a_call_that_was_not_answered_says_why() {
        let table = [
            ("hung_up", Exit::Done),
            ("declined", Exit::Refused),
            ("declined_elsewhere", Exit::Refused),
            ("answered_elsewhere", Exit::Failed),
            ("busy", Exit::Refused),
            ("missed", Exit::Refused),
            ("cancelled", Exit::Failed),
            ("unreachable", Exit::Unreachable),
            ("lost", Exit::Unreachable),
            ("glare_merged", Exit::Failed),
            ("blocked", Exit::Refused),
            ("failed", Exit::Failed),
            ("of_a_later_version", Exit::Failed),
        ];
        for (code, exit) in table {
            assert_eq!(of_call(false, Some(&reason(code))), exit, "{code}");
        }
        assert_eq!(of_call(false, None), Exit::Failed);
    }

    #[test]
    fn a_problem_says_why() {
        let table = [
            ("ambiguous", Exit::Usage),
            ("ambiguous_name", Exit::Usage),
            ("unreachable", Exit::Unreachable),
            ("busy", Exit::Refused),
            ("not_found", Exit::Failed),
            ("invite_used", Exit::Failed),
        ];
        for (code, exit) in table {
            assert_eq!(of_problem(&problem(code)), exit, "{code}");
        }
    }
}
