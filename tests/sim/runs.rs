//! Seeds: how many, on how many threads, and how a failing one is shown and replayed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::mutant::Mutant;
use super::scenes::{self, Kind};
use super::watch::Violation;

/// Lines of the trace that are shown.
const TRACE: usize = 120;

/// Runs this many seeds of a kind; `TWOCAN_SIM_SEEDS` scales all kinds, `TWOCAN_SIM_SEED` replays one seed.
pub(crate) fn seeds(kind: Kind, ordinary: u64) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    if let Some(seed) = number("TWOCAN_SIM_SEED") {
        return show(kind, seed);
    }
    // The kind with the most has 2,000 in the ordinary run; what is asked for is its number, and the others go along.
    let count = number("TWOCAN_SIM_SEEDS").map_or(ordinary, |all| all * ordinary / 2000);
    let patience = if std::env::var_os("TWOCAN_SIM_ALL").is_some() {
        usize::MAX
    } else {
        1
    };
    let (next, failed, steps) = (AtomicU64::new(0), Mutex::new(Vec::new()), AtomicU64::new(0));
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failed.lock().unwrap().len() < patience {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    let result = std::panic::catch_unwind(|| scenes::run(kind, seed, None, false));
                    steps.fetch_add(result.as_ref().map_or(0, |world| world.steps), Ordering::Relaxed);
                    match result.map(|world| world.watch.violation) {
                        Ok(None) => {}
                        Ok(Some(violation)) => failed.lock().unwrap().push((seed, format!("{violation:?}"))),
                        Err(_) => failed.lock().unwrap().push((seed, "panic".to_owned())),
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    if let Some((seed, _)) = failed.first() {
        for (seed, text) in &failed {
            eprintln!("{kind:?}, seed {seed}: {text}");
        }
        show(kind, *seed);
        panic!("seed {seed} failed the first time and not the second: the simulation is not deterministic");
    }
    let steps = steps.load(Ordering::Relaxed);
    eprintln!("{kind:?}: {count} seeds, {steps} steps, {:?}", began.elapsed());
}

/// Runs one seed with its trace, and panics where an invariant does not hold.
fn show(kind: Kind, seed: u64) {
    eprintln!("{kind:?}, seed {seed}; again with: ./tests/run sim --seed {seed}");
    eprintln!("or: TWOCAN_SIM_SEED={seed} cargo nextest run --cargo-profile sim -p twocan-tests --test simulation");
    let world = scenes::run(kind, seed, None, true);
    let trace = world.trace.unwrap_or_default();
    let shown = if std::env::var_os("TWOCAN_SIM_TRACE").is_some() {
        trace.len()
    } else {
        TRACE
    };
    if let Some(Violation { invariant, text }) = world.watch.violation {
        for line in &trace[trace.len().saturating_sub(shown)..] {
            eprintln!("{line}");
        }
        panic!("{kind:?}, seed {seed}: {invariant:?}: {text}");
    }
    eprintln!("seed {seed} holds after {} steps", world.steps);
}

/// How a mutant is caught in one seed.
pub(crate) fn violation(kind: Kind, seed: u64, mutant: Mutant) -> Option<Violation> {
    scenes::run(kind, seed, Some(mutant), false).watch.violation
}
