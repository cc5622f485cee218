//! Hours of nothing: what it costs to stay green, and to look for somebody who is away.

use std::time::Duration;

use twocan_core::bounds;

use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::World;

const HOUR: Duration = Duration::from_secs(3600);
/// Per tick and link: question, answer, confirmation.
const PER_TICK: u64 = 3;
/// Packets of one search to one address; who is away has one or two.
const PER_SEARCH: u64 = 10;

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 3, Conditions::HOME, mutant, trace);
    if !world.befriend(0, 1) || !world.befriend(2, 0) {
        return world;
    }
    world.crash(2);
    world.run_for(HOUR / 6);
    world.watch.alive_sent.fill(0);
    world.watch.knocks_sent.fill(0);
    let green_before = world.is_linked(0, 1);
    world.run_for(HOUR);
    let ticks = HOUR.as_secs() / bounds::TICK.as_secs();
    let alive: u64 = world.watch.alive_sent.iter().sum();
    if alive > PER_TICK * (ticks + 5) {
        world.fail(Invariant::IdleAlive, format!("{alive} keep-alives in an hour"));
    }
    let (knocks, searches) = (world.watch.knocks_sent[0], HOUR.as_secs() / bounds::MEETING.as_secs());
    if knocks > PER_SEARCH * (searches + 2) {
        world.fail(Invariant::IdleKnocks, format!("{knocks} knocks in an hour"));
    }
    let steady = green_before && world.is_linked(0, 1);
    if !steady && world.watch.violation.is_none() {
        world.fail(Invariant::GreenInTime, "not green while idle".to_owned());
    }
    world
}
