//! Whole cores, simulated: seeds of each kind, and mutants that the simulation must notice.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a simulation stops at the first surprise"
)]

mod sim;

use std::time::Duration;

use twocan_core::bounds;
use twocan_core::reach::lifetime::Lifetime;

use sim::homes::Home;
use sim::mutant::Mutant;
use sim::proof;
use sim::runs;
use sim::scenes::{Kind, homes};
use sim::sessions;
use sim::watch::Invariant;

#[test]
fn chaos_comes_right() {
    runs::seeds(Kind::Chaos, 700);
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
fn doors_open_and_close() {
    runs::seeds(Kind::Doors, 300);
}

#[test]
fn friends_relay_for_those_they_may() {
    runs::seeds(Kind::Relays, 200);
}

#[test]
fn whoever_can_be_joined_is() {
    runs::seeds(Kind::Homes, 2000);
}

/// Every pair of homes, from the moment when both sides know of each other.
#[test]
fn every_pair_of_homes_is_joined_or_cannot_be() {
    let mut table = Vec::new();
    for (row, one) in Home::ALL.iter().enumerate() {
        for other in &Home::ALL[row..] {
            let took = homes::joined(1, [*one, *other]);
            let took = took.unwrap_or_else(|text| panic!("{one:?} and {other:?}: {text}"));
            table.push((one, other, took));
        }
    }
    for (one, other, took) in &table {
        match took {
            Some(took) => eprintln!("{one:?} and {other:?}: {:.2} s", took.as_secs_f64()),
            None => eprintln!("{one:?} and {other:?}: needs somebody in between"),
        }
    }
    let alone = table.iter().filter(|(_, _, took)| took.is_none()).count();
    assert_eq!((table.len(), alone), (120, 25));
}

/// Whatever the router: what is said of its memory is true, and as close as the steps are.
#[test]
fn every_router_forgets_after_the_time_that_is_measured() {
    let mut failures = Vec::new();
    for home in Home::ALL {
        for truth in [15, 29, 75, 121, 1000].map(Duration::from_secs) {
            let found = match homes::measured(1, *home, truth) {
                Ok(found) => found,
                Err(error) => {
                    failures.push(format!("{home:?}, {truth:?}: {error}"));
                    continue;
                }
            };
            let steps = bounds::LIFETIME_STEPS;
            let measured = Lifetime {
                at_least: steps.iter().rev().find(|step| **step < truth).copied(),
                at_most: steps.iter().find(|step| **step > truth).copied(),
            };
            // Nothing there has to remember, or nothing passes.
            let has_none = matches!(home, Home::Public | Home::Blocked);
            let wanted = if has_none { Lifetime::default() } else { measured };
            if found != wanted {
                failures.push(format!("{home:?}, {truth:?}: {found:?}, not {wanted:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// First contacts by a link and the DHT alone: what the laboratory measures in seconds, in many runs.
#[test]
fn strangers_meet_in_time() {
    use Home::{Carrier, Linux, LinuxClash, PortRestricted, PublicFirewall, Sequential, Symmetric};
    // The worst may be one of whom the DHT lost a word.
    for (pair, median, most) in [
        ([Linux, Linux], 6, 40),
        ([LinuxClash, Linux], 6, 40),
        ([LinuxClash, LinuxClash], 6, 40),
        ([Linux, Symmetric], 12, 60),
        ([Symmetric, PortRestricted], 12, 60),
        ([PortRestricted, Carrier], 12, 60),
        ([PublicFirewall, Sequential], 12, 60),
    ] {
        let times = (1..=20).map(|seed| homes::met(seed, pair).unwrap_or_else(|text| panic!("{pair:?}: {text}")));
        let mut times: Vec<f64> = times.map(|took| took.unwrap().as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        let (middle, worst) = (times[times.len() / 2], times[times.len() - 1]);
        eprintln!("{pair:?}: median {middle:.1} s, worst {worst:.1} s");
        assert!(
            middle <= f64::from(median) && worst <= f64::from(most),
            "{pair:?}: {times:?}"
        );
    }
}

#[test]
fn the_dht_leads_to_those_who_may_be_found() {
    runs::seeds(Kind::Finding, 200);
}

#[test]
fn calls_outlive_changes_of_network() {
    runs::seeds(Kind::Change, 200);
}

#[test]
fn neighbours_and_those_long_away_find_each_other() {
    runs::seeds(Kind::Neighbours, 100);
}

#[test]
fn idling_is_cheap() {
    runs::seeds(Kind::Idle, 40);
}

#[test]
fn session_messages_are_applied_once_and_in_order() {
    for seed in 0..2000 {
        let found = sessions::run(seed, None);
        assert!(found.is_ok(), "seed {seed}: {found:?}");
    }
}

/// How many of the wrong catches of a mutant are printed.
const SHOWN: usize = 3;

/// No invariant is without something that breaks it, nothing that breaks one goes by unnoticed, and no mutant is idle.
#[test]
fn every_invariant_has_a_mutant_that_it_catches() {
    let mut asleep = Vec::new();
    for invariant in Invariant::ALL.iter().copied() {
        let breaks = proof::breaks(invariant);
        if breaks.is_empty() {
            asleep.push(format!("{invariant:?}: nothing breaks it"));
        }
        for by in breaks {
            match proof::catches(invariant, by) {
                Ok(seed) => eprintln!("{invariant:?}: {by:?} is caught in seed {seed}"),
                Err(mut others) => {
                    others.truncate(SHOWN);
                    asleep.push(format!("{invariant:?}: {by:?} is not caught, but {others:?}, …"));
                }
            }
        }
    }
    assert!(asleep.is_empty(), "{}", asleep.join("\n"));
}

#[test]
fn no_mutant_is_idle() {
    let used: Vec<Mutant> = Invariant::ALL
        .iter()
        .copied()
        .flat_map(proof::breaks)
        .filter_map(proof::mutant_of)
        .collect();
    for mutant in Mutant::ALL {
        assert!(used.contains(mutant), "{mutant:?} breaks no invariant");
    }
}
