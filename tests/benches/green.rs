//! How long until two people show each other green, in the situations that people meet.
//!
//! `./tests/run bench green [RUNS] [ROW…]`. Each run has a lab, homes and daemons of its own; printed are median and worst as Markdown.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, or fails by panicking"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twocan_tests::home::Home;
use twocan_tests::lab::{Kind, Lab, Pair, Pairing, Sites, run_lab};
use twocan_tests::wait::until_at_most;

/// Runs of each row.
const RUNS: usize = 10;
/// After this a run counts as failed.
const PATIENCE: Duration = Duration::from_secs(70);

/// How old links are when somebody moves.
const SETTLED: Duration = Duration::from_secs(6);

/// One situation.
struct Row {
    name: &'static str,
    what: &'static str,
    target: &'static str,
    kinds: (Kind, Kind),
}

const ROWS: [Row; 6] = [
    Row {
        name: "known",
        what: "both known, one starts (linux × linux)",
        target: "≤ 2 s",
        kinds: (Kind::Linux, Kind::Linux),
    },
    Row {
        name: "invite",
        what: "first contact by invite, both behind routers (linux × linux)",
        target: "≤ 15 s",
        kinds: (Kind::Linux, Kind::Linux),
    },
    Row {
        name: "moved",
        what: "one side moved to another home, no introducer (public × linux)",
        target: "≤ 60 s",
        kinds: (Kind::Public, Kind::Linux),
    },
    Row {
        name: "moved-hidden",
        what: "one side moved to another home, no introducer (linux × linux)",
        target: "≤ 60 s",
        kinds: (Kind::Linux, Kind::Linux),
    },
    Row {
        name: "moved-introduced",
        what: "one side moved to another home, with an introducer (linux × linux)",
        target: "≤ 1 s",
        kinds: (Kind::Linux, Kind::Linux),
    },
    Row {
        name: "hard",
        what: "hard × easy, first contact (symmetric × port-restricted)",
        target: "≤ 15 s",
        kinds: (Kind::Symmetric, Kind::PortRestricted),
    },
];

fn main() {
    // Cargo adds flags of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let [once, name] = words.as_slice()
        && once == "once"
    {
        let row = ROWS.iter().find(|row| row.name == name).unwrap();
        return run_lab(&["once", name], async |lab| once_inside(lab, row).await);
    }
    let runs = words.iter().find_map(|word| word.parse().ok()).unwrap_or(RUNS);
    println!("| time to green | median | worst | target | failed |\n|---|---|---|---|---|");
    for row in &ROWS {
        if words.iter().all(|word| word.parse::<usize>().is_ok()) || words.iter().any(|word| word == row.name) {
            print(row, runs);
        }
    }
}

fn print(row: &Row, runs: usize) {
    let all: Vec<Option<f64>> = (0..runs).map(|_| once_outside(row)).collect();
    let mut times: Vec<f64> = all.iter().flatten().copied().collect();
    times.sort_by(f64::total_cmp);
    let seconds = |time: Option<&f64>| time.map_or_else(|| "—".to_owned(), |time| format!("{time:.2} s"));
    let (median, worst) = (seconds(times.get(times.len() / 2)), seconds(times.last()));
    let failed = all.len() - times.len();
    println!(
        "| {} | {median} | {worst} | {} | {failed} of {runs} |",
        row.what, row.target
    );
}

/// One run, in a process of its own.
fn once_outside(row: &Row) -> Option<f64> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["once", row.name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let told: Value = text.lines().rev().find_map(|line| serde_json::from_str(line).ok())?;
    told["seconds"].as_f64()
}

async fn once_inside(lab: Lab, row: &Row) {
    let (one, other) = row.kinds;
    let mut pair = Pair::make(lab, Pairing::Apart(one, other)).await;
    let outcome = pair.meet(PATIENCE).await;
    let took = match row.name {
        "known" => known(&mut pair).await,
        "moved" | "moved-hidden" => moved(&mut pair).await,
        "moved-introduced" => {
            pair.add_introducer().await;
            moved(&mut pair).await
        }
        _ => outcome.ok(),
    };
    println!("{}", json!({ "seconds": took.map(|took| took.as_secs_f64()) }));
}

/// Bob's daemon starts again: from its ready line until both are green.
async fn known(pair: &mut Pair) -> Option<Duration> {
    pair.bob.restart().await;
    let began = Instant::now();
    fresh(pair, began).await
}

/// Bob's machine moves to another home with the same type of router.
async fn moved(pair: &mut Pair) -> Option<Duration> {
    let mut elsewhere = pair.lab.site(Kind::Linux);
    let Sites::Two([_, home]) = &pair.sites else {
        return None;
    };
    let mut machine = home.client().clone();
    settled(pair).await;
    let began = Instant::now();
    elsewhere.receive(&mut machine);
    let took = fresh(pair, began).await;
    // The new home must outlive the wait.
    drop(elsewhere);
    took
}

/// Nobody moves in the seconds in which he was found: everybody's links have stood for a while.
async fn settled(pair: &Pair) {
    let began = Instant::now();
    let old = async || (began.elapsed() >= SETTLED).then_some(());
    let stood = until_at_most(2 * SETTLED, old).await;
    assert!(stood.is_some() && fresh(pair, Instant::now()).await.is_some());
}

/// Until both are green by a proof from after `began`.
async fn fresh(pair: &Pair, began: Instant) -> Option<Duration> {
    let proven = async |home: &Home| {
        let since = began.elapsed().as_millis();
        let contacts = home.api().list("/v1/contacts").await;
        contacts
            .iter()
            .filter(|contact| contact["name"] != "Carol")
            .any(|contact| {
                let age = contact["path"]["last_proof_ms"].as_u64().map(u128::from);
                contact["reachable"] == "yes" && age.is_some_and(|age| age < since)
            })
    };
    until_at_most(PATIENCE, async || {
        (proven(&pair.ann).await && proven(&pair.bob).await).then(|| began.elapsed())
    })
    .await
}
