//! Anything at any time. When it is over everybody is up and heard, and then everything must come right by itself.

use std::time::Duration;

use crate::sim::happening::Happening;
use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::World;

/// After chaos, everything is as it should be within this time.
const HEALED: Duration = Duration::from_secs(150);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 2, Conditions::HOME, mutant, trace);
    let hosts = world.dice.weighted(&[(4, 2), (4, 3), (1, 4), (1, 5)]);
    world = World::new(seed, hosts, Conditions::HOME, mutant, trace);
    world.network.conditions = world.some_weather();
    world.lively = true;
    // Most people know each other already when trouble begins.
    for one in 0..hosts {
        for other in one + 1..hosts {
            if world.dice.chance(60) && !world.befriend(one, other) {
                return world;
            }
        }
    }
    world.actions_left = world.dice.weighted(&[(3, 10), (3, 20), (1, 40)]);
    world.later(Duration::ZERO, Happening::Act);
    world.run_until(Duration::from_secs(48 * 3600), |world| world.actions_left == 0);
    world.calm();
    world.run_for(HEALED);
    world.check_peace();
    world
}

impl World {
    /// Nothing is left over: everybody's view is complete, and nobody waits for an answer.
    fn check_peace(&mut self) {
        self.check_pending();
        for index in 0..self.hosts.len() {
            self.check_views(index);
            let waiting = self.hosts[index].shell.asked.len();
            if waiting > 0 && self.is_well() {
                self.fail(
                    Invariant::OneReply,
                    format!("host {index} still owes {waiting} replies"),
                );
            }
        }
    }
}
