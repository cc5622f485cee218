//! Deliberate unfaithfulness: each mutant breaks one invariant, and the table test sees that the simulation notices.
//!
//! Mutants live in the simulated shells and networks, so production code holds none of them.

use twocan_core::message::{Frame, Message};

use super::world::World;

/// One way of being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Keep-alive questions are answered by one's own machine.
    ForgesProofs,
    /// Every keep-alive says that its sender would ring.
    LyingPresence,
    /// Admitted tokens are not let in.
    DeafDoor,
    /// The disk answers after four seconds.
    SlowDisk,
    /// The disk says that it has stored what it has not.
    FalseStored,
    /// The state is gone when the daemon starts for the second time.
    WipedDisk,
    /// A state of before the last redemption is found at a restart.
    RolledBackDisk,
    /// ACCEPT never arrives.
    LosesAccept,
    /// END never arrives.
    LosesEnd,
    /// The news of being held back never arrives.
    LosesHeld,
    /// Whoever is contested is accepted by itself.
    AutoAccepts,
    /// The gate opens as soon as there is a route.
    EarlyGate,
    /// The gate opens again when a call has ended.
    GateAfterEnd,
    /// Cameras stay on.
    LosesEndMedia,
    /// Media is ended twice.
    RepeatsEndMedia,
    /// No timer fires while it rings.
    StuckTimers,
    /// Timers fire before they are due.
    EarlyTimers,
    /// Every keep-alive arrives three times.
    StammeringKeepalives,
    /// Strangers are answered.
    EchoesStrangers,
    /// Every knock is sent six times.
    StammeringSocket,
    /// Some replies are lost.
    LosesReplies,
    /// Some commands are answered twice.
    RepeatsReplies,
    /// Clients do not hear of changes.
    LosesEvents,
}

impl World {
    /// What a frame becomes under way. The number is kept, or the session would notice at once.
    pub(super) fn bend_frame(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(mutant) = self.mutant else { return bytes };
        let Ok((frame, message)) = Frame::parse(&bytes) else {
            return bytes;
        };
        let lost = match mutant {
            Mutant::LosesAccept => matches!(message, Message::Accept(_)),
            Mutant::LosesEnd => matches!(message, Message::End(_)),
            Mutant::LosesHeld => matches!(message, Message::Held(_)),
            Mutant::ForgesProofs
            | Mutant::LyingPresence
            | Mutant::DeafDoor
            | Mutant::SlowDisk
            | Mutant::FalseStored
            | Mutant::WipedDisk
            | Mutant::RolledBackDisk
            | Mutant::AutoAccepts
            | Mutant::EarlyGate
            | Mutant::GateAfterEnd
            | Mutant::LosesEndMedia
            | Mutant::RepeatsEndMedia
            | Mutant::StuckTimers
            | Mutant::EarlyTimers
            | Mutant::StammeringKeepalives
            | Mutant::EchoesStrangers
            | Mutant::StammeringSocket
            | Mutant::LosesReplies
            | Mutant::RepeatsReplies
            | Mutant::LosesEvents => false,
        };
        if lost {
            Frame::new(frame.number, frame.ack, &Message::Unknown(99)).to_bytes()
        } else {
            bytes
        }
    }
}

/// The answer to a keep-alive question, made by whoever sent it; `None` for anything but a question.
pub(super) fn forged_answer(ask: &[u8]) -> Option<Vec<u8>> {
    // Ask: [0, [number, rings]] → Answer: [1, [number, own number, rings]]
    let number = ask.strip_prefix(&[0x82, 0x00, 0x82])?;
    let (_, number) = number.split_last()?;
    let mut answer = vec![0x82, 0x01, 0x83];
    answer.extend_from_slice(number);
    answer.extend_from_slice(&[0x01, 0xf5]);
    Some(answer)
}
