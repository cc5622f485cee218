//! Invites: redeemed, refused, contested, given again, and never half.

use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::event::{ContactState, InviteRefusal};

use super::FRESH;
use crate::sim::happening::Happening;
use crate::sim::host::{Gift, Then};
use crate::sim::mutant::Mutant;
use crate::sim::network::Conditions;
use crate::sim::watch::Invariant;
use crate::sim::world::{World, note};

/// One thing that can happen to an invite.
#[derive(Clone, Copy, Debug)]
enum Scene {
    TwoTakers,
    Expired,
    Own,
    Damaged,
    GivenAgain,
    InviterAway,
    DiesRedeeming,
    HearsLate,
    DiskFails,
    WrongClock,
}

const SCENES: [Scene; 11] = [
    Scene::TwoTakers,
    Scene::TwoTakers,
    Scene::Expired,
    Scene::Own,
    Scene::Damaged,
    Scene::GivenAgain,
    Scene::InviterAway,
    Scene::DiesRedeeming,
    Scene::HearsLate,
    Scene::DiskFails,
    Scene::WrongClock,
];

const SOON: Duration = Duration::from_millis(100);
/// Whatever went wrong meanwhile, a redemption comes right within this time.
const HEALED: Duration = Duration::from_secs(150);

pub(super) fn run(seed: u64, mutant: Option<Mutant>, trace: bool) -> World {
    let mut world = World::new(seed, 3, Conditions::HOME, mutant, trace);
    world.network.conditions = world.dice.pick(&[Conditions::LAN, Conditions::HOME]);
    let scene = world.dice.pick(&SCENES);
    note!(world, "== {scene:?}");
    match scene {
        Scene::TwoTakers => world.two_takers(),
        Scene::Expired => world.expired(),
        Scene::Own => world.refused_here(0, false),
        Scene::Damaged => world.refused_here(1, true),
        Scene::GivenAgain => world.given_again(),
        Scene::InviterAway => world.inviter_away(),
        Scene::DiesRedeeming => world.dies_redeeming(),
        Scene::HearsLate => world.hears_late(),
        Scene::DiskFails => world.disk_fails(),
        Scene::WrongClock => world.wrong_clock(),
    }
    for index in 0..3 {
        world.check_views(index);
    }
    world
}

const fn gift(to: usize, after: Duration) -> Gift {
    Gift {
        to,
        after,
        damaged: false,
    }
}

impl World {
    /// One link in two hands: the first is contested until the inviter decides, the second refused; both are told.
    fn two_takers(&mut self) {
        let later = self.dice.ms(0, 8000);
        self.invite(0, vec![gift(1, SOON), gift(2, SOON + later)], 3600);
        if later > FRESH {
            self.run_until(FRESH, |world| world.is_linked(0, 1));
            self.crash(0);
            self.later(SOON, Happening::Start { host: 0 });
        }
        let judged = |world: &Self| {
            let (first, second) = if world.hosts[0].contact_for(1).is_some() {
                (1, 2)
            } else {
                (2, 1)
            };
            world.contact_state(0, first) == Some(ContactState::Contested)
                && world.contact_state(first, 0) == Some(ContactState::Contested)
                && world.hosts[second].contact_for(0).is_none()
                && world.watch.refused[second] == [InviteRefusal::Used]
        };
        let limit = later + 4 * FRESH;
        self.expect(
            Invariant::ContestedTold,
            "one contested, one refused, both told",
            limit,
            judged,
        );
        let first = if self.hosts[0].contact_for(1).is_some() { 1 } else { 2 };
        // The contested cannot ring, whatever his daemon thinks.
        for _ in 0..2 {
            self.call(first, 0);
            self.run_for(Duration::from_secs(5));
            if self.open_call(0).is_some() {
                self.fail(Invariant::ContestedRings, "the contested rings".to_owned());
            }
            let wait = self.dice.ms(0, 60_000);
            self.run_for(wait);
        }
        if self.dice.chance(30) {
            self.crash(0);
            self.later(SOON, Happening::Start { host: 0 });
            self.run_for(Duration::from_secs(8));
        }
        if let Some(contact) = self.contact_id(0, first) {
            let command = Command::EditContact {
                contact,
                name: None,
                accept: true,
            };
            self.command(0, command, Then::Nothing);
        }
        self.expect(
            Invariant::ContestedTold,
            "the inviter's decision is told",
            HEALED,
            |world| world.is_linked(0, first),
        );
    }

    fn expired(&mut self) {
        self.invite(0, vec![gift(1, Duration::from_secs(4))], 1);
        self.run_for(Duration::from_secs(10));
        if self.hosts[1].contact_for(0).is_some() || self.hosts[0].contact_for(1).is_some() {
            self.fail(Invariant::ExpiredRefused, "an expired invite was redeemed".to_owned());
        }
    }

    fn refused_here(&mut self, to: usize, damaged: bool) {
        let after = SOON;
        self.invite(0, vec![Gift { to, after, damaged }], 3600);
        self.run_for(Duration::from_secs(5));
        if self.hosts.iter().any(|host| !host.seen.contacts.is_empty()) {
            let invariant = if damaged {
                Invariant::DamagedRefused
            } else {
                Invariant::OwnRefused
            };
            self.fail(invariant, "an own or damaged invite was redeemed".to_owned());
        }
    }

    /// Deleted, invited again, green again, whoever invites.
    fn given_again(&mut self) {
        if !self.befriend(0, 1) {
            return;
        }
        let (deletes, invites) = (self.dice.index(2), self.dice.index(2));
        if let Some(contact) = self.contact_id(deletes, 1 - deletes) {
            self.command(deletes, Command::DeleteContact { contact }, Then::Nothing);
        }
        let wait = self.dice.ms(0, 9000);
        self.run_for(wait);
        self.invite(invites, vec![gift(1 - invites, SOON)], 3600);
        self.expect(Invariant::GivenAgain, "green after a new invite", HEALED, |world| {
            world.is_linked(0, 1)
        });
        self.run_for(Duration::from_secs(20));
        self.expect(Invariant::GivenAgain, "still green", FRESH, |world| {
            world.is_linked(0, 1)
        });
    }

    fn inviter_away(&mut self) {
        self.invite(0, vec![gift(1, Duration::from_secs(1))], 3600);
        self.run_for(SOON);
        self.crash(0);
        let wait = self.dice.ms(1000, 120_000);
        self.run_for(wait);
        if self.contact_state(1, 0) != Some(ContactState::Pending) {
            self.fail(Invariant::Pending, "not pending while the inviter is away".to_owned());
        }
        self.later(Duration::ZERO, Happening::Start { host: 0 });
        self.expect(
            Invariant::GreenInTime,
            "green when the inviter is back",
            HEALED,
            |world| world.is_linked(0, 1),
        );
    }

    /// A daemon dies somewhere in the middle of a redemption.
    fn dies_redeeming(&mut self) {
        self.invite(0, vec![gift(1, SOON)], 3600);
        self.run_until(FRESH, |world| world.hosts[1].contact_for(0).is_some());
        let (wait, who) = (self.dice.ms(0, 500), self.dice.index(2));
        self.run_for(wait);
        self.crash(who);
        let wait = self.dice.ms(0, 20_000);
        self.run_for(wait);
        self.later(Duration::ZERO, Happening::Start { host: who });
        self.expect(Invariant::GreenInTime, "green after all", HEALED, |world| {
            world.is_linked(0, 1)
        });
    }

    /// The redeemer dies before he hears that he was accepted, and comes back when the invite has expired.
    fn hears_late(&mut self) {
        self.invite(0, vec![gift(1, SOON)], 10);
        let held = |world: &Self| world.hosts[0].contact_for(1).is_some();
        self.expect(Invariant::FreshAdd, "the inviter holds the redeemer", FRESH, held);
        self.crash(1);
        self.run_for(Duration::from_secs(60));
        self.later(Duration::ZERO, Happening::Start { host: 1 });
        self.expect(
            Invariant::GreenInTime,
            "green although the invite has expired",
            HEALED,
            |world| world.is_linked(0, 1),
        );
    }

    /// A disk fails for a while: either both hold each other in the end, or the redeemer was told.
    fn disk_fails(&mut self) {
        let who = self.dice.index(2);
        self.invite(0, vec![gift(1, SOON)], 3600);
        self.run_for(SOON / 2);
        self.hosts[who].disk.fails = true;
        let wait = self.dice.ms(500, 20_000);
        self.run_for(wait);
        self.hosts[who].disk.fails = false;
        let whole =
            |world: &Self| world.is_linked(0, 1) || (0..2).all(|index| world.hosts[index].seen.contacts.is_empty());
        self.expect(Invariant::Half, "both hold each other, or neither does", HEALED, whole);
    }

    /// Clocks far apart: the invite holds on both, and the undated knocks get through.
    fn wrong_clock(&mut self) {
        let skew = self.dice.pick(&[7000, -7000, 40_000, -40_000, 100_000]);
        self.hosts[1].wall_offset = skew;
        self.invite(0, vec![gift(1, SOON)], 3 * 24 * 3600);
        self.expect(Invariant::FreshAdd, "green across wrong clocks", 2 * FRESH, |world| {
            world.is_linked(0, 1)
        });
        let who = self.dice.index(2);
        self.crash(who);
        self.later(SOON, Happening::Start { host: who });
        self.run_for(Duration::from_secs(1));
        self.expect(
            Invariant::GreenInTime,
            "green again across wrong clocks",
            HEALED,
            |world| world.is_linked(0, 1),
        );
    }
}
