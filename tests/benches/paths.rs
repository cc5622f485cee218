//! A call between two Chromium pages over bad paths: packets are lost, or exceed a rate that steps down and up again.
//! First the same two browsers connected directly, then through both daemons; printed as Markdown, drawn in `plots`.
//!
//! `./tests/run bench paths [loss] [rate]`. The kernel's packet filter drops what arrives for either end from the other,
//! and nothing else; the rate is a policer's, without a queue, which is harder on a sender than a router is.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, or fails by panicking"
)]

#[path = "paths/plot.rs"]
mod plot;
#[path = "paths/seen.rs"]
mod seen;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::run_inside;
use twocan_tests::path::Path;
use twocan_tests::person::Person;

use self::plot::{Bars, Lines};
use self::seen::{Seen, watch};

/// For how many seconds a path is held before it is measured, and measured.
const SETTLE: u32 = 8;
const MEASURE: u32 = 12;

const LOSSES: [u32; 4] = [0, 1, 3, 5];
const RATES: [u32; 3] = [2500, 1000, 2500];

/// What one way of connecting has come to on one path.
struct Row {
    path: Path,
    /// Over the measured time, mean of both pages.
    all: Seen,
    /// Of each second, settling included.
    seconds: Vec<Seen>,
}

fn main() {
    // Cargo adds flags of its own.
    let rows: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let args: Vec<&str> = rows.iter().map(String::as_str).collect();
    run_inside(&args, async || table(&args).await);
}

async fn table(rows: &[&str]) {
    let wanted = |row: &str| rows.is_empty() || rows.contains(&row);
    let driver = Driver::start_with_large_cameras().await;
    let (ann, bob) = (demanding(&driver, "Ann").await, demanding(&driver, "Bob").await);
    acquaint(&ann.home, &bob.home).await;
    println!(
        "| path | way | frames/s | freezes | frozen s | Mbit/s | NACKs | latency ms |\n|---|---|---|---|---|---|---|---|"
    );
    if wanted("loss") {
        let [direct, ours] = both_ways(&ann, &bob, &LOSSES.map(Path::Loses)).await;
        plot::keep("loss", &losses(&direct, &ours));
    }
    if wanted("rate") {
        let [direct, ours] = both_ways(&ann, &bob, &RATES.map(Path::Carries)).await;
        plot::keep("rate", &rates(&direct, &ours));
    }
}

/// A person whose camera shows what no encoder can make small.
async fn demanding(driver: &Driver, name: &str) -> Person {
    let page = driver.page(name).await;
    page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": NOISE }))
        .await;
    Person::at(Home::up(name).await, page).await
}

/// Puts noise, 30 times a second, in place of the made-up camera, which changes so little that it fits any path.
const NOISE: &str = "
    const devices = navigator.mediaDevices;
    const ask = devices?.getUserMedia.bind(devices);
    if (devices) devices.getUserMedia = async wish => {
        const stream = await ask(wish);
        if (!wish.video) return stream;
        for (const track of stream.getVideoTracks()) {
            stream.removeTrack(track);
            track.stop();
        }
        const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
        const context = canvas.getContext('2d');
        const pictures = Array.from({ length: 12 }, () => {
            const picture = context.createImageData(canvas.width, canvas.height);
            for (let at = 0; at < picture.data.length; at += 4) {
                picture.data.fill(64 + Math.random() * 128, at, at + 3);
                picture.data[at + 3] = 255;
            }
            return picture;
        });
        let shown = 0;
        setInterval(() => context.putImageData(pictures[shown++ % pictures.length], 0, 0), 33);
        stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
        return stream;
    };";

/// All paths, first between the browsers alone, then through the daemons.
async fn both_ways(ann: &Person, bob: &Person, paths: &[Path]) -> [Vec<Row>; 2] {
    let pages = [&ann.page, &bob.page];
    let ports = seen::connect(pages).await;
    let direct = over("direct", pages, ports, paths).await;
    seen::part(pages).await;

    ann.sees_green().await;
    ann.page.click("call-video").await;
    bob.page.click("answer").await;
    for person in [ann, bob] {
        person.sees_frames(60).await;
        person
            .page
            .run("watched.pc = document.querySelector('twocan-call').pc")
            .await;
        watch(&person.page, "video[data-remote]").await;
    }
    let ports = [ann, bob].map(|person| person.home.ready().udp.port());
    let ours = over("daemons", pages, ports, paths).await;
    ann.page.click("hangup").await;
    for person in [ann, bob] {
        person.page.click("close").await;
    }
    [direct, ours]
}

async fn over(way: &str, pages: [&Page; 2], ports: [u16; 2], paths: &[Path]) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in paths {
        path.between(ports);
        let row = measure(*path, pages).await;
        row.print(way);
        rows.push(row);
    }
    Path::Good.between(ports);
    rows
}

async fn measure(path: Path, pages: [&Page; 2]) -> Row {
    let mut marks = vec![Seen::of(pages).await];
    for _ in 0..SETTLE + MEASURE {
        sleep(Duration::from_secs(1)).await;
        marks.push(Seen::of(pages).await);
    }
    let seconds: Vec<Seen> = marks
        .iter()
        .zip(marks.iter().skip(1))
        .map(|(before, after)| after.since(before))
        .collect();
    let settled = marks.get(usize::try_from(SETTLE).unwrap()).unwrap();
    Row {
        path,
        all: marks.last().unwrap().since(settled),
        seconds,
    }
}

impl Row {
    fn print(&self, way: &str) {
        let path = match self.path {
            Path::Good => "good".to_owned(),
            Path::Loses(percent) => format!("{percent} % lost"),
            Path::Carries(kbit) => format!("{kbit} kbit/s"),
        };
        let Seen {
            freezes, frozen, nacks, ..
        } = self.all;
        println!(
            "| {path} | {way} | {:.1} | {freezes:.1} | {frozen:.2} | {:.2} | {nacks:.0} | {:.0} |",
            self.all.frames_a_second(),
            self.all.mbit_a_second(),
            self.all.latency,
        );
    }
}

/// Frames a second and latency at each loss.
fn losses(direct: &[Row], ours: &[Row]) -> String {
    let groups = |value: fn(&Seen) -> f64| {
        let pairs = direct.iter().zip(ours);
        pairs
            .zip(LOSSES)
            .map(|((direct, ours), percent)| (format!("{percent} %"), [value(&direct.all), value(&ours.all)]))
            .collect()
    };
    plot::side_by_side(&[
        Bars {
            title: "frames a second, by packets lost",
            groups: groups(Seen::frames_a_second),
        },
        Bars {
            title: "latency from camera to screen, ms",
            groups: groups(|seen| seen.latency),
        },
        Bars {
            title: "Mbit/s received",
            groups: groups(Seen::mbit_a_second),
        },
    ])
}

/// What arrives second by second, and what the path carries.
fn rates(direct: &[Row], ours: &[Row]) -> String {
    let series = |rows: &[Row]| -> Vec<f64> {
        let seconds = rows.iter().flat_map(|row| &row.seconds);
        seconds.map(Seen::mbit_a_second).collect()
    };
    let limit = ours.iter().flat_map(|row| {
        let carries = match row.path {
            Path::Carries(kbit) => f64::from(kbit) / 1000.0,
            Path::Good | Path::Loses(_) => 0.0,
        };
        row.seconds.iter().map(move |_| carries)
    });
    Lines {
        title: "Mbit/s received, second by second",
        limit: limit.collect(),
        lines: [series(direct), series(ours)],
    }
    .draw()
}

/// A number of a JSON object; 0 where it is none.
fn number(of: &Value, key: &str) -> f64 {
    of.get(key).and_then(Value::as_f64).unwrap_or_default()
}

/// How long a step in a page may take here, where nothing else is measured by it.
const PATIENCE: Duration = Duration::from_secs(3 * STEP.as_secs());
