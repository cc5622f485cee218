//! Whole cores, simulated: seeds of each kind, and mutants that the simulation must notice.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a simulation stops at the first surprise"
)]

mod sim;

use sim::mutant::Mutant;
use sim::runs;
use sim::scenes::Kind;
use sim::sessions::{self, Fault};

#[test]
fn chaos_comes_right() {
    runs::seeds(Kind::Chaos, 900);
}

#[test]
fn calls_end_as_predicted() {
    runs::seeds(Kind::Calls, 500);
}

#[test]
fn invites_make_whole_contacts_or_none() {
    runs::seeds(Kind::Invites, 560);
}

#[test]
fn idling_is_cheap() {
    runs::seeds(Kind::Idle, 40);
}

#[test]
fn session_messages_are_applied_once_and_in_order() {
    for seed in 0..2000 {
        assert_eq!(sessions::run(seed, None), Ok(()), "seed {seed}");
    }
    for fault in [Fault::Renumbers, Fault::Swaps] {
        assert!(
            (0..60).any(|seed| sessions::run(seed, Some(fault)).is_err()),
            "{fault:?}"
        );
    }
}

/// Each invariant, with a mutant that breaks it and the kind of run that notices.
#[test]
fn every_invariant_has_a_mutant_that_it_catches() {
    let table = [
        (Mutant::ForgesProofs, Kind::Chaos, "green"),
        (Mutant::LyingPresence, Kind::Chaos, "will_ring"),
        (Mutant::DeafDoor, Kind::Invites, "fresh_add"),
        (Mutant::SlowDisk, Kind::Calls, "fresh_add"),
        (Mutant::FalseStored, Kind::Chaos, "contact_lost"),
        (Mutant::WipedDisk, Kind::Chaos, "identity"),
        (Mutant::RolledBackDisk, Kind::Invites, "one_redeemer"),
        (Mutant::LosesAccept, Kind::Calls, "glare"),
        (Mutant::LosesEnd, Kind::Chaos, "both_end"),
        (Mutant::LosesHeld, Kind::Invites, "contested_told"),
        (Mutant::AutoAccepts, Kind::Invites, "contested_rings"),
        (Mutant::EarlyGate, Kind::Chaos, "gate_before_accept"),
        (Mutant::GateAfterEnd, Kind::Chaos, "gate_after_end"),
        (Mutant::LosesEndMedia, Kind::Chaos, "end_media"),
        (Mutant::RepeatsEndMedia, Kind::Chaos, "end_media"),
        (Mutant::StuckTimers, Kind::Calls, "ring_lease"),
        (Mutant::EarlyTimers, Kind::Chaos, "progress"),
        (Mutant::StammeringKeepalives, Kind::Idle, "idle_cost"),
        (Mutant::EchoesStrangers, Kind::Chaos, "silence"),
        (Mutant::StammeringSocket, Kind::Invites, "unproven"),
        (Mutant::LosesReplies, Kind::Chaos, "one_reply"),
        (Mutant::RepeatsReplies, Kind::Chaos, "one_reply"),
        (Mutant::LosesEvents, Kind::Chaos, "events"),
    ];
    let mut asleep = Vec::new();
    for (mutant, kind, invariant) in table {
        match runs::catches(mutant, kind, invariant, 60) {
            Ok(_) => {}
            Err(others) => asleep.push(format!("{mutant:?} is not caught as {invariant}; {others:?}")),
        }
    }
    assert!(asleep.is_empty(), "{}", asleep.join("\n"));
}
