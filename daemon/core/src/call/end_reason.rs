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
    /// The far side's daemon said that it is being stopped, or restarted.
    PeerStopped,
    /// The user found the safety words different.
    WordsDiffer,
}

/// The reasons that travel: what one side tells the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireReason {
    /// The sender hung up.
    HungUp,
    /// The callee's user declined.
    Declined,
    /// The callee is in another call.
    Busy,
    /// Rang for the whole time.
    Missed,
    /// The caller gave up.
    Cancelled,
    /// Merged with the call that came the other way.
    GlareMerged,
    /// The callee does not ring at the moment.
    WillNotRing,
    /// The callee has not decided yet who redeemed its invite.
    NotAccepted,
    /// The path was silent for too long.
    Lost,
    /// Something of the sender's broke.
    Failed,
    /// The sender's daemon is being stopped, or restarted.
    Stopped,
}

impl WireReason {
    const ALL: [Self; 11] = [
        Self::HungUp,
        Self::Declined,
        Self::Busy,
        Self::Missed,
        Self::Cancelled,
        Self::GlareMerged,
        Self::WillNotRing,
        Self::NotAccepted,
        Self::Lost,
        Self::Failed,
        Self::Stopped,
    ];
}

impl<C> minicbor::Encode<C> for WireReason {
    fn encode<W: minicbor::encode::Write>(
        &self,
        out: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        out.u8(*self as u8).map(drop)
    }
}

impl<'b, C> minicbor::Decode<'b, C> for WireReason {
    fn decode(decoder: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let number = decoder.u64()?;
        Ok(Self::ALL
            .into_iter()
            .find(|reason| *reason as u64 == number)
            .unwrap_or(Self::HungUp))
    }
}
