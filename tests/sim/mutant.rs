//! Deliberate unfaithfulness: each mutant misbehaves in one way, and [`super::proof`] sees that the watch notices.
//!
//! Mutants live in the simulated shells and networks, so production code holds none of them. They do what a shell does,
//! only wrongly: what is watched is what passes, never the mutant.

use std::time::Duration;

use twocan_core::call::end_reason::WireReason;
use twocan_core::command::Command;
use twocan_core::crypto::{self, Secret};
use twocan_core::event::{Event, Notice};
use twocan_core::ids::RootKey;
use twocan_core::invite::Link;
use twocan_core::message::{Frame, Hello, Message};

use super::happening::Happening;
use super::listed::listed;
use super::world::World;

listed! {
    /// One way of being wrong.
    Mutant {
        // On the wire.
        /// ACCEPT never arrives.
        LosesAccept,
        /// END never arrives.
        LosesEnd,
        /// The news of being held back never arrives.
        LosesHeld,
        /// REDEEMED never arrives.
        LosesRedeemed,
        /// REFUSED never arrives.
        LosesRefused,
        /// RING never arrives.
        LosesRing,
        /// The wish to keep a stranger never arrives.
        LosesKeep,
        /// What introducers pass on never arrives.
        LosesWords,
        /// The key under which contacts are found never arrives.
        LosesFinding,
        /// The news of muted microphones never arrives.
        LosesSends,
        /// What a relay grants never arrives.
        LosesGrants,
        /// Every END says that somebody was busy.
        BendsReasons,
        /// Somebody in the middle exchanges the listener's nonce of safety words.
        BendsNonces,
        /// Whoever says hello shows a root of somebody else.
        ShowsOtherRoot,
        /// Keep-alive questions are answered by one's own machine.
        ForgesProofs,
        /// Every keep-alive says that its sender would ring.
        LyingPresence,
        /// Every keep-alive arrives three times.
        StammeringKeepalives,
        /// A path that failed stays so.
        NeverHeals,
        /// The DHT says that it has stored what it forgets at once.
        ForgetfulDht,
        // In the socket.
        /// A door that was open once stays open, and lets everybody in.
        OpenDoor,
        /// Admitted tokens are not let in.
        DeafDoor,
        /// A daemon that starts again hears no knocks.
        DeafSocket,
        /// Each device is dialed once; later dials go nowhere.
        DialsOnce,
        /// Whatever comes goes back to where it came from, once.
        EchoesKnocks,
        /// A knock that comes again gets the answer that it got.
        KeepsAnswers,
        /// A longer copy goes out before each answer.
        PadsAnswers,
        /// Every knock is sent six times.
        StammeringSocket,
        /// A relay goes on passing packets of pairs that are over.
        KeepsForwarding,
        /// A relay passes on whatever comes.
        BottomlessRelay,
        /// A copy of every knock goes to where clouds keep their secrets.
        AsksMetadata,
        /// Knocks that are to live for a few hops live on.
        IgnoresHops,
        /// What opens the own router alone is not sent.
        KeepsRoutersShut,
        /// Each knock that asks is as large as a packet can be.
        BloatsKnocks,
        /// A keep-alive from elsewhere is dropped.
        DeafToMoves,
        /// Routers forget after ten seconds.
        HastyRouters,
        /// Each put to the DHT is counted and sent three times.
        StammeringPuts,
        /// Each look at the DHT is sent three times.
        StammeringGets,
        /// Routers let everybody in whom they should not.
        LeakyRouters,
        // On the disk.
        /// The disk answers after four seconds.
        SlowDisk,
        /// Nothing can be written.
        FullDisk,
        /// The disk says that it has stored what it has not.
        FalseStored,
        /// The state is gone when the daemon starts for the second time.
        WipedDisk,
        /// The finding key is the first one again at a restart.
        OldFindingKey,
        /// A state of before the last redemption is found at a restart.
        RolledBackDisk,
        // Clocks and alarms.
        /// The wall clock stands still.
        StoppedClock,
        /// No timer fires while it rings.
        StuckTimers,
        /// Timers fire before they are due.
        EarlyTimers,
        // In the media.
        /// The gate opens as soon as there is a route.
        EarlyGate,
        /// The gate opens again when a call has ended.
        GateAfterEnd,
        /// Cameras stay on.
        LosesEndMedia,
        /// Media is ended twice.
        RepeatsEndMedia,
        // In the local API.
        /// Whoever is contested is accepted by itself, after half a minute.
        AutoAccepts,
        /// A pasted link that is damaged or one's own is exchanged for the newest one of somebody else.
        MendsLinks,
        /// Nobody gets blocked.
        NeverBlocks,
        /// Nobody hides.
        NeverHides,
        /// Second calls wait though nobody wants that.
        LetsCallsWait,
        /// Second calls do not wait though somebody wants that.
        NeverWaits,
        /// Some replies are lost.
        LosesReplies,
        /// Some commands are answered twice.
        RepeatsReplies,
        /// Clients do not hear of changes.
        LosesEvents,
        /// Clients do not hear that a call is silent.
        HidesSilence,
    }
}

impl World {
    /// What a frame becomes under way. The number is kept, or the session would notice at once.
    pub(super) fn bend_frame(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(mutant) = self.mutant else { return bytes };
        let Ok((frame, message)) = Frame::parse(&bytes) else {
            return bytes;
        };
        match bent(mutant, message) {
            Some(message) => Frame::new(frame.number, frame.ack, &message).to_bytes(),
            None => bytes,
        }
    }

    /// What a command becomes between the user and the core.
    pub(super) fn bend_command(&self, index: usize, mut command: Command) -> Command {
        match (self.mutant, &mut command) {
            (Some(Mutant::MendsLinks), Command::AddContact { link, .. }) => {
                let is_good = Link::find(link).is_ok_and(|link| link.root != self.hosts[index].root);
                let other = self.newest_links.iter().rfind(|(from, _)| **from != index);
                if let Some((_, other)) = other.filter(|_| !is_good) {
                    link.clone_from(other);
                }
            }
            (Some(Mutant::NeverBlocks), Command::Block { blocked, .. }) => *blocked = false,
            (Some(Mutant::NeverHides), Command::SetRelays { relay_only, .. }) => *relay_only = None,
            (Some(Mutant::NeverWaits), Command::SetSecondCall { waits }) => *waits = false,
            (_, _) => {}
        }
        command
    }

    /// What a shell does by itself when an event passes.
    pub(super) fn act_on_event(&mut self, index: usize, event: &Event) {
        if let (true, Event::Notice(Notice::Contested(contact))) = (self.is(Mutant::AutoAccepts), event) {
            let accept = Command::EditContact {
                contact: *contact,
                name: None,
                accept: true,
            };
            let (after, run) = (Duration::from_secs(30), self.hosts[index].run);
            self.later(
                after,
                Happening::Meddle {
                    host: index,
                    run,
                    command: accept,
                },
            );
        }
    }
}

/// What a mutant makes of a message; `None` where it lets it pass.
fn bent(mutant: Mutant, message: Message) -> Option<Message> {
    match (mutant, message) {
        (Mutant::LosesAccept, Message::Accept(_))
        | (Mutant::LosesEnd, Message::End(_))
        | (Mutant::LosesHeld, Message::Held(_))
        | (Mutant::LosesRedeemed, Message::Redeemed)
        | (Mutant::LosesRefused, Message::Refused(_))
        | (Mutant::LosesRing, Message::Ring(_))
        | (Mutant::LosesKeep, Message::Keep(_))
        | (Mutant::LosesFinding, Message::Finding(_))
        | (Mutant::LosesWords, Message::Pass(_))
        | (Mutant::LosesSends, Message::Sends(_))
        | (Mutant::LosesGrants, Message::RelayGrant(_)) => Some(Message::Unknown(99)),
        (Mutant::BendsReasons, Message::End(mut end)) => {
            end.reason = WireReason::Busy;
            Some(Message::End(end))
        }
        (Mutant::BendsNonces, Message::SafetyAnswer(mut nonce)) => {
            nonce.nonce[0] ^= 1;
            Some(Message::SafetyAnswer(nonce))
        }
        (Mutant::ShowsOtherRoot, Message::Hello(hello)) => with_other_root(hello),
        (_, _) => None,
    }
}

fn with_other_root(mut hello: Box<Hello>) -> Option<Message> {
    let seed = Secret([7; 32]);
    let mut list = hello.list.content()?;
    list.root = RootKey(crypto::sign_public(&seed));
    hello.list = list.sign(&seed);
    Some(Message::Hello(hello))
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
