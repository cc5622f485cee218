//! Finding each other: no address that anybody remembers is right, and only the DHT knows.

use std::time::Duration;

use twocan_core::bounds;
use twocan_core::command::Command;
use twocan_core::io::{Input, Means};

use crate::sim::dht::FOUND;
use crate::sim::happening::{Cause, Happening};
use crate::sim::host::{Gift, Then};
use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

#[derive(Clone, Copy, Debug)]
enum Scene {
    BothMove,
    FirstContact,
    Blocked,
    Introduced,
}

const SOON: Duration = Duration::from_millis(100);
/// A record is published within this time, were it put three times.
const PUBLISHED: Duration = Duration::from_secs(90);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 3, Conditions::HOME, mutant, trace);
    let scene = world
        .dice
        .pick(&[Scene::BothMove, Scene::FirstContact, Scene::Blocked, Scene::Introduced]);
    note!(world, "== {scene:?}");
    match scene {
        Scene::BothMove => world.both_move(),
        Scene::FirstContact => world.first_contact(),
        Scene::Blocked => world.blocked_finds_nothing(),
        Scene::Introduced => world.introduced(),
    }
    for index in 0..3 {
        world.check_views(index);
    }
    world
}

impl World {
    /// Both are elsewhere before they hear each other again; one may have been off meanwhile.
    fn both_move(&mut self) {
        if !self.befriend(0, 1) {
            return;
        }
        self.run_for(PUBLISHED);
        self.block(0, 1);
        self.block(1, 0);
        if self.dice.chance(50) {
            self.crash(1);
            let away = self.dice.ms(1000, 4 * 3_600_000);
            self.later(away, Happening::Start { host: 1 });
            self.run_for(away);
        }
        self.move_away(0);
        self.move_away(1);
        let rest = self.dice.ms(1000, 100_000);
        self.run_for(rest);
        self.heal(0, 1);
        self.expect(
            Invariant::Found,
            "both moved and found each other",
            2 * FOUND,
            |world| world.is_linked(0, 1),
        );
    }

    /// The inviter is elsewhere when his link is taken, and each of them may start anew before it leads to anything.
    fn first_contact(&mut self) {
        let gift = Gift {
            to: 1,
            after: Duration::from_secs(5),
            damaged: false,
        };
        self.invite(0, vec![gift], 48 * 3600);
        self.run_for(SOON * 10);
        self.move_away(0);
        if self.dice.chance(50) {
            let (who, after) = (self.dice.index(2), self.dice.ms(6000, 20_000));
            self.run_for(after);
            self.crash(who);
            let back = self.dice.ms(100, 20_000);
            self.later(back, Happening::Start { host: who });
            self.run_for(back);
        }
        self.expect(
            Invariant::Found,
            "a link without an address was redeemed",
            2 * FOUND,
            |world| world.is_linked(0, 1),
        );
    }

    /// Both move while they do not hear each other, and have no DHT; the third, whom both named, stays.
    fn introduced(&mut self) {
        if !self.befriend(0, 1) || !self.befriend(2, 0) || !self.befriend(2, 1) {
            return;
        }
        for host in [0, 1] {
            self.feed(host, Input::Means(Means::default()), Cause::Other);
            if let Some(contact) = self.contact_id(host, 2) {
                let introduces = true;
                self.command(host, Command::SetIntroducer { contact, introduces }, Then::Nothing);
            }
        }
        let rest = self.dice.ms(2000, 30_000);
        self.run_for(rest);
        self.block(0, 1);
        self.block(1, 0);
        self.run_for(bounds::CLOSED_AFTER + Duration::from_secs(10));
        self.move_away(0);
        self.move_away(1);
        self.run_for(Duration::from_secs(1));
        self.heal(0, 1);
        // The word has come already; the search that it began knocks again soon.
        let quickly = Duration::from_secs(12);
        self.expect(
            Invariant::Introduced,
            "introduced by a mutual contact",
            quickly,
            |world| world.is_linked(0, 1),
        );
    }

    /// Whoever is blocked or contested learns no new address; [`Invariant::Hidden`] watches every record.
    fn blocked_finds_nothing(&mut self) {
        if !self.befriend(0, 1) || !self.befriend(0, 2) {
            return;
        }
        self.run_for(PUBLISHED);
        if let Some(contact) = self.contact_id(0, 1) {
            self.command(0, Command::Block { contact, blocked: true }, Then::Nothing);
        }
        self.run_for(Duration::from_secs(5));
        if self.dice.chance(70) {
            self.crash(0);
            self.later(SOON, Happening::Start { host: 0 });
        }
        self.run_for(PUBLISHED);
        self.move_away(0);
        self.run_for(PUBLISHED);
        self.expect(Invariant::Found, "the one who is not blocked", FOUND, |world| {
            world.is_linked(0, 2)
        });
    }
}
