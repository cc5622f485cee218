//! What stays on a desktop all day: a daemon with its contacts, the tray beside it, and nothing happening.

use std::time::Duration;

use tokio::time::sleep;
use twocan_tests::desktop::Desktop;
use twocan_tests::home::Home;
use twocan_tests::usage::Usage;

use super::{all_green, float, one, spoke};

/// Contacts who are there, as few people have more at a time.
const GREEN: usize = 5;
/// For how long idleness is measured.
const IDLE: Duration = Duration::from_secs(120);

/// A daemon with five green contacts, and a tray with its icon on a stand-in of a panel.
pub(super) async fn desk() {
    let desktop = Desktop::start().await;
    let hub = Home::up("Hub").await;
    let mut spokes = Vec::new();
    for number in 0..GREEN {
        spokes.push(spoke(&hub, number).await);
    }
    all_green(&hub, GREEN).await;
    let tray = desktop.tray(&hub.path());
    desktop.icon().await;
    // What is done once at the start is no idleness.
    sleep(IDLE / 4).await;
    let pids = [hub.pid(), tray.pid()];
    let before = pids.map(Usage::of);
    sleep(IDLE).await;
    let after = pids.map(Usage::of);
    for (at, who) in ["the daemon, 5 links", "the tray"].into_iter().enumerate() {
        let (Some(before), Some(after)) = (before.get(at), after.get(at)) else {
            continue;
        };
        let cpu = (after.cpu - before.cpu).as_secs_f64() * 3600.0 / IDLE.as_secs_f64();
        one(&format!("a day on the desk, {who}: processor (s/h)"), cpu);
        let wakeups = float(after.wakeups - before.wakeups) / IDLE.as_secs_f64();
        one(&format!("the same, {who}: wakeups a second"), wakeups);
        one(
            &format!("the same, {who}: memory, PSS (MiB)"),
            float(after.memory_kb) / 1024.0,
        );
        one(
            &format!("the same, {who}: memory written to (MiB)"),
            float(after.own_kb) / 1024.0,
        );
    }
}
