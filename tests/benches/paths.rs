//! A call between two Chromium pages over bad paths: packets of the link are lost, or exceed a rate that steps down and
//! up again. Printed as Markdown.
//!
//! `./tests/run bench --bench paths`. The kernel's packet filter drops what arrives for either daemon from the other, and
//! nothing else; the rate is a policer's, without a queue, which is harder on a sender than a router is.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, or fails by panicking"
)]

use std::time::Duration;

use tokio::time::sleep;
use twocan_tests::chromium::Driver;
use twocan_tests::home::acquaint;
use twocan_tests::namespace::run_inside;
use twocan_tests::path::Path;
use twocan_tests::person::Person;

/// For how long a path is held before it is measured, and measured.
const SETTLE: Duration = Duration::from_secs(10);
const MEASURE: Duration = Duration::from_secs(15);

/// Frames decoded, freezes, their seconds, bytes received, retransmission requests sent, seconds: of the page's pictures.
const SEEN: &str = "
    const { pc } = document.querySelector('twocan-call');
    for (const [, stat] of await pc.getStats()) {
        if (stat.type !== 'inbound-rtp' || stat.kind !== 'video') continue;
        return [stat.framesDecoded, stat.freezeCount, stat.totalFreezesDuration, stat.bytesReceived, stat.nackCount, stat.timestamp / 1000];
    }
    return [0, 0, 0, 0, 0, 0];";

fn main() {
    run_inside(&[], async || table().await);
}

async fn table() {
    let driver = Driver::start().await;
    let (ann, bob) = (Person::come(&driver, "Ann").await, Person::come(&driver, "Bob").await);
    acquaint(&ann.home, &bob.home).await;
    ann.sees_green().await;
    ann.page.click("call-video").await;
    bob.page.click("answer").await;
    for person in [&ann, &bob] {
        person.sees_frames(100).await;
    }
    let ends = [&ann, &bob].map(|person| person.home.ready().udp.port());
    println!("| path | frames/s | freezes | frozen s | Mbit/s | NACKs |\n|---|---|---|---|---|---|");
    for percent in [0, 1, 3, 5] {
        Path::Loses(percent).between(ends);
        row(&format!("{percent} % lost"), &ann, &bob).await;
    }
    for kbit in [2500, 1000, 2500] {
        Path::Carries(kbit).between(ends);
        row(&format!("{kbit} kbit/s"), &ann, &bob).await;
    }
}

/// What both see on the path as it is, as the mean of the two.
async fn row(path: &str, ann: &Person, bob: &Person) {
    sleep(SETTLE).await;
    let before = [seen(ann).await, seen(bob).await];
    sleep(MEASURE).await;
    let after = [seen(ann).await, seen(bob).await];
    let mut sums = [0.0; 6];
    for (before, after) in before.iter().zip(&after) {
        for (sum, (before, after)) in sums.iter_mut().zip(before.iter().zip(after)) {
            *sum += (after - before) / 2.0;
        }
    }
    let [frames, freezes, frozen, bytes, nacks, seconds] = sums;
    println!(
        "| {path} | {:.1} | {freezes:.1} | {frozen:.2} | {:.2} | {nacks:.0} |",
        frames / seconds,
        bytes * 8.0 / 1e6 / seconds
    );
}

async fn seen(person: &Person) -> [f64; 6] {
    serde_json::from_value(person.page.run(SEEN).await).unwrap()
}
