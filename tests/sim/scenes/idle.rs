//! A day of nothing: what it costs to stay green, and to look for those who are away.

use std::time::Duration;

use twocan_core::bounds;

use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::World;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// After this long whoever is away is looked for as rarely as ever.
const SETTLED: Duration = Duration::from_secs(8 * 3600);
/// Those who stay, linked to the first, and those who go.
const STAY: [usize; 2] = [0, 1];
const GO: [usize; 3] = [2, 3, 4];
/// Per tick and link: question, answer, confirmation.
const PER_TICK: u64 = 3;
/// Packets of one search to one address; who is away has one or two.
const PER_SEARCH: u64 = 10;
/// Puts of a device, and looks for one who is away, in a day.
const PUTS: u64 = 50;
const GETS: u64 = 7;

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, STAY.len() + GO.len(), Conditions::HOME, mutant, trace);
    if !(1..STAY.len() + GO.len()).all(|other| world.befriend(0, other)) {
        return world;
    }
    GO.into_iter().for_each(|host| world.crash(host));
    world.run_for(SETTLED);
    world.idle_for(DAY);
    world
}

impl World {
    fn idle_for(&mut self, time: Duration) {
        for counter in [
            &mut self.watch.alive_sent,
            &mut self.watch.knocks_sent,
            &mut self.watch.puts,
            &mut self.watch.gets,
        ] {
            counter.fill(0);
        }
        let green_before = self.is_linked(0, 1);
        self.run_for(time);
        let away = u64::try_from(GO.len()).unwrap();
        let share = |period: Duration| time.as_secs() / period.as_secs();
        let alive: u64 = self.watch.alive_sent.iter().sum();
        let searches = share(bounds::MEETING * bounds::RAREST_MEETING) + 2;
        let bounds = [
            (Invariant::IdleAlive, alive, PER_TICK * (share(bounds::TICK) + 5)),
            (
                Invariant::IdleKnocks,
                self.watch.knocks_sent[0],
                PER_SEARCH * searches * away,
            ),
            (Invariant::IdlePuts, self.watch.puts[0], PUTS),
            (Invariant::IdleGets, self.watch.gets[0], GETS * away),
        ];
        for (invariant, count, most) in bounds {
            if count > most && self.is_well() {
                self.fail(invariant, format!("{count} in {time:?}, at most {most}"));
            }
        }
        let steady = green_before && self.is_linked(0, 1);
        if !steady && self.is_well() {
            self.fail(Invariant::GreenInTime, "not green while idle".to_owned());
        }
    }
}
