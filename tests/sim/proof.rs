//! Proof that the watch is awake: for each invariant, what breaks it and where that is noticed.

use super::mutant::Mutant;
use super::runs;
use super::scenes::Kind;
use super::sessions::{self, Fault};
use super::watch::Invariant;

/// A misbehaviour must be caught within so many seeds.
const SEEDS: u64 = 300;

/// One way of breaking an invariant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Break {
    /// A mutant, in runs of this kind.
    Mutant(Mutant, Kind),
    /// A fault between two sessions.
    Session(Fault),
}

/// A mutant in chaos.
const fn chaos(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Chaos)
}

const fn calls(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Calls)
}

const fn invites(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Invites)
}

const fn doors(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Doors)
}

const fn homes(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Homes)
}

const fn change(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Change)
}

const fn neighbours(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Neighbours)
}

const fn finding(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Finding)
}

const fn idle(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Idle)
}

const fn relays(mutant: Mutant) -> Break {
    Break::Mutant(mutant, Kind::Relays)
}

/// What breaks an invariant. A new one makes the compiler ask.
pub(crate) fn breaks(invariant: Invariant) -> Vec<Break> {
    match invariant {
        Invariant::Green => vec![chaos(Mutant::ForgesProofs)],
        Invariant::WillRing => vec![chaos(Mutant::LyingPresence), calls(Mutant::LyingPresence)],
        Invariant::GreenInTime => vec![
            chaos(Mutant::DeafSocket),
            invites(Mutant::DeafSocket),
            calls(Mutant::DialsOnce),
        ],
        Invariant::FreshAdd => vec![invites(Mutant::DeafDoor), calls(Mutant::SlowDisk)],
        Invariant::Found => vec![finding(Mutant::LosesFinding), finding(Mutant::ForgetfulDht)],
        Invariant::Introduced => vec![finding(Mutant::LosesWords)],
        Invariant::Hidden => vec![finding(Mutant::OldFindingKey)],
        Invariant::ContactLost => vec![chaos(Mutant::FalseStored)],
        Invariant::Identity => vec![chaos(Mutant::WipedDisk)],
        Invariant::OtherRoot => vec![invites(Mutant::ShowsOtherRoot)],
        Invariant::OneRedeemer => vec![invites(Mutant::RolledBackDisk)],
        Invariant::ContestedTold => vec![invites(Mutant::LosesHeld), invites(Mutant::LosesRefused)],
        Invariant::ContestedRings => vec![invites(Mutant::AutoAccepts)],
        Invariant::Pending => vec![chaos(Mutant::LosesRedeemed), invites(Mutant::FullDisk)],
        Invariant::Half => vec![invites(Mutant::LosesRedeemed)],
        Invariant::GivenAgain => vec![invites(Mutant::DialsOnce)],
        Invariant::OwnRefused => vec![chaos(Mutant::MendsLinks)],
        Invariant::ExpiredRefused => vec![invites(Mutant::StoppedClock)],
        Invariant::DamagedRefused => vec![invites(Mutant::MendsLinks)],
        Invariant::Rings => vec![calls(Mutant::LosesRing)],
        Invariant::Answer => vec![calls(Mutant::LosesAccept)],
        Invariant::Glare => vec![calls(Mutant::LosesAccept)],
        Invariant::Survives => vec![calls(Mutant::DialsOnce), calls(Mutant::NeverHeals)],
        Invariant::Gap => vec![change(Mutant::DeafToMoves)],
        Invariant::SaysSilence => vec![change(Mutant::HidesSilence)],
        Invariant::Reasons => vec![calls(Mutant::BendsReasons)],
        Invariant::BothEnd => vec![chaos(Mutant::LosesEnd), calls(Mutant::LosesEnd)],
        Invariant::RingLease => vec![calls(Mutant::StuckTimers)],
        Invariant::OneCall => vec![calls(Mutant::LetsCallsWait)],
        Invariant::Door => vec![doors(Mutant::OpenDoor)],
        Invariant::Kept => vec![doors(Mutant::LosesKeep)],
        Invariant::GateBeforeAccept => vec![chaos(Mutant::EarlyGate)],
        Invariant::GateAfterEnd => vec![chaos(Mutant::GateAfterEnd)],
        Invariant::EndMedia => vec![chaos(Mutant::LosesEndMedia), chaos(Mutant::RepeatsEndMedia)],
        Invariant::RingLimit => vec![calls(Mutant::LyingPresence)],
        Invariant::Blocked => vec![calls(Mutant::NeverBlocks), calls(Mutant::EchoesKnocks)],
        Invariant::Sends => vec![calls(Mutant::LosesSends)],
        Invariant::SecondCall => vec![calls(Mutant::NeverWaits)],
        Invariant::Words => vec![calls(Mutant::BendsNonces)],
        Invariant::Silence => vec![chaos(Mutant::EchoesKnocks)],
        Invariant::Replays => vec![chaos(Mutant::KeepsAnswers)],
        Invariant::Amplification => vec![chaos(Mutant::PadsAnswers), chaos(Mutant::StammeringSocket)],
        Invariant::Unproven => vec![invites(Mutant::StammeringSocket)],
        Invariant::UnprovenBytes => vec![chaos(Mutant::BloatsKnocks)],
        Invariant::Forbidden => vec![chaos(Mutant::AsksMetadata)],
        Invariant::Punched => vec![homes(Mutant::IgnoresHops), neighbours(Mutant::KeepsRoutersShut)],
        Invariant::Impossible => vec![homes(Mutant::LeakyRouters)],
        Invariant::HoldsPlace => vec![neighbours(Mutant::HastyRouters)],
        Invariant::IdlePuts => vec![idle(Mutant::StammeringPuts)],
        Invariant::IdleGets => vec![idle(Mutant::StammeringGets)],
        Invariant::IdleAlive => vec![idle(Mutant::StammeringKeepalives)],
        Invariant::IdleKnocks => vec![idle(Mutant::StammeringSocket)],
        Invariant::RelayAllowed => vec![relays(Mutant::KeepsForwarding)],
        Invariant::RelayBytes => vec![relays(Mutant::BottomlessRelay)],
        Invariant::Relayed => vec![relays(Mutant::LosesGrants)],
        Invariant::DirectAgain => vec![relays(Mutant::NeverHeals)],
        Invariant::HidesAddress => vec![relays(Mutant::NeverHides)],
        Invariant::SessionOrder => vec![Break::Session(Fault::Renumbers), Break::Session(Fault::Swaps)],
        Invariant::SessionGap => vec![Break::Session(Fault::Loses)],
        Invariant::OneReply => vec![chaos(Mutant::LosesReplies), chaos(Mutant::RepeatsReplies)],
        Invariant::Events => vec![chaos(Mutant::LosesEvents)],
        Invariant::Progress => vec![chaos(Mutant::EarlyTimers)],
    }
}

/// The mutant of a break, if it is one.
pub(crate) const fn mutant_of(by: Break) -> Option<Mutant> {
    match by {
        Break::Mutant(mutant, _) => Some(mutant),
        Break::Session(_) => None,
    }
}

/// The first seed in which a misbehaviour is caught as a violation of this invariant; what else was caught, otherwise.
pub(crate) fn catches(invariant: Invariant, by: Break) -> Result<u64, Vec<String>> {
    let mut others = Vec::new();
    for seed in 0..SEEDS {
        let found = match by {
            Break::Mutant(mutant, kind) => runs::violation(kind, seed, mutant),
            Break::Session(fault) => sessions::run(seed, Some(fault)).err(),
        };
        match found {
            Some(violation) if violation.invariant == invariant => return Ok(seed),
            Some(violation) => others.push(format!("{seed}: {:?} ({})", violation.invariant, violation.text)),
            None => {}
        }
    }
    Err(others)
}
