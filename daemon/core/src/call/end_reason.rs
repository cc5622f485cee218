//! Why a call ended, in the words that both users are shown.

use crate::event::WhyNot;

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Either side hung up.
    HungUp,
    /// The callee declined.
    Declined,
    /// Another device of the callee declined for all.
    DeclinedElsewhere,
    /// Another device answered.
    AnsweredElsewhere,
    /// The callee is in another call.
    Busy,
    /// It rang and nobody answered, or the caller vanished.
    Missed,
    /// The caller gave up while it rang.
    Cancelled,
    /// No path, or no answer to the call over it.
    Unreachable(WhyNot),
    /// The path was silent for too long.
    Lost {
        /// Whole seconds from the last sign of life to the end.
        after_s: u64,
    },
    /// Both called at once and the other call goes on.
    GlareMerged,
    /// Refused without a word.
    Blocked,
    /// Something of ours broke.
    Failed(FailCode),
}

/// What of ours broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailCode {
    /// The page went away and did not come back.
    LegLost,
    /// The daemon is shutting down.
    ShuttingDown,
    /// The far side's session was replaced: its daemon restarted.
    PeerRestarted,
}
