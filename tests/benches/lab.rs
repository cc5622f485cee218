//! The NAT laboratory by hand: the whole matrix, one cell of it, shells behind two routers, times to green.
//!
//! `./tests/run lab` tells how each is used.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, or fails by panicking"
)]

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use twocan_tests::lab::{Cells, GREEN, KNOWN, Lab, Netns, Pair, Pairing, Site, known, run_lab};

const USAGE: &str = "\
lab matrix [--again]     every pair that was not measured yet (--again: all anew), then tests/lab/MATRIX.md
lab cell TYPE TYPE       one pair, with logs and the state of routers; kept for the matrix
lab shell TYPE TYPE      two homes and servers, without daemons, and shells in them
TYPE TYPE may also be: same-home TYPE, same-carrier TYPE";

/// How many pairs are measured at a time.
const WORKERS: usize = 2;

fn main() {
    // Cargo adds flags of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["matrix"] => matrix(Cells::load()),
        ["matrix", "--again"] => matrix(Cells::none()),
        ["cell", first, second] => {
            let pairing = pairing(first, second);
            let outcome = measure(pairing, true);
            println!("{outcome}");
            let mut cells = Cells::load();
            cells.keep(pairing, outcome);
        }
        ["measure", first, second] => run_lab(&["measure", first, second], async |lab| {
            one(lab, pairing(first, second)).await;
        }),
        ["shell", first, second] => run_lab(&["shell", first, second], async |lab| {
            shell(lab, pairing(first, second));
        }),
        _ => println!("{USAGE}"),
    }
}

fn pairing(first: &str, second: &str) -> Pairing {
    Pairing::named(first, second).unwrap_or_else(|| panic!("no pair {first} {second}\n{USAGE}"))
}

/// Measures every pair that `cells` does not know, a few at a time: most of it is waiting.
fn matrix(cells: Cells) {
    let all = Pairing::matrix().into_iter().chain(Pairing::OTHERS);
    let left: VecDeque<Pairing> = all.filter(|pairing| !cells.has(*pairing)).collect();
    let (left, cells) = (Mutex::new(left), Mutex::new(cells));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(pairing) = left.lock().unwrap().pop_front() else {
                        return;
                    };
                    let outcome = measure(pairing, false);
                    let [first, second] = pairing.words();
                    println!("{first} × {second}: {outcome}");
                    let mut cells = cells.lock().unwrap();
                    cells.keep(pairing, outcome);
                    cells.publish();
                }
            });
        }
    });
    let cells = cells.into_inner().unwrap();
    cells.publish();
    let (works, measured) = cells.count();
    println!("{works} of {measured} work: tests/lab/MATRIX.md");
}

/// Measures one pair in a process of its own, so that nothing is left of it. `loud` shows what went wrong.
fn measure(pairing: Pairing, loud: bool) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("measure")
        .args(pairing.words())
        .stdin(Stdio::null())
        .stderr(if loud { Stdio::inherit() } else { Stdio::null() })
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| json!({ "technique": null, "green_ms": null, "wrong": "the laboratory failed" }))
}

async fn one(lab: Lab, pairing: Pairing) {
    let pair = Pair::make(lab, pairing).await;
    let outcome = pair.run(if known(pairing).is_some() { KNOWN } else { GREEN }).await;
    if !outcome.works() {
        eprintln!("{}", pair.state());
    }
    println!("{}", outcome.json());
}

/// Builds the homes of a pair and the servers, and holds them for whoever enters by hand.
fn shell(mut lab: Lab, pairing: Pairing) {
    let server = lab.server();
    let (_stun, turn, dht) = (server.stun(), server.turn(), server.dht(6));
    let sites: Vec<Site> = match pairing {
        Pairing::Apart(one, other) => vec![lab.site(one), lab.site(other)],
        Pairing::SameHome(kind) => {
            let mut site = lab.site(kind);
            site.add_client();
            vec![site]
        }
        Pairing::SameCarrier(kind) => {
            let one = lab.site(kind);
            let other = lab.neighbour(&one);
            vec![one, other]
        }
    };
    println!(
        "STUN {}:3478 and {}:3478 (and 3479)",
        server.address(1),
        server.address(2)
    );
    println!(
        "TURN {}, user {}, password {:?}",
        turn.address, turn.user.0, turn.user.1
    );
    println!("DHT  {:?}", dht.addresses());
    for (name, what) in sites.iter().flat_map(Site::places) {
        println!("  {name:4} {what}");
    }
    prompt(lab.core());
}

/// Opens shells until the input ends.
fn prompt(core: &Netns) {
    loop {
        print!("A shell where? (a name above, core, or nothing to end) ");
        std::io::stdout().flush().unwrap();
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
            return;
        }
        let netns = match line.trim() {
            "core" => core.path(),
            name => Path::new("/run/netns").join(name),
        };
        let shell = std::env::var("SHELL").unwrap_or_else(|_| "sh".to_owned());
        let ended = Command::new("nsenter")
            .arg(format!("--net={}", netns.display()))
            .arg(shell)
            .env("PS1", format!("{}$ ", line.trim()))
            .status();
        if !ended.is_ok_and(|status| status.success()) {
            println!("that shell ended with an error");
        }
    }
}
