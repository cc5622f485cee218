//! Links in doubt, links replaced, links that time forgot.

use std::time::Duration;

use super::*;
use crate::io::Input;

#[test]
fn friends_are_green() {
    let world = World::friends(2);
    for host in [0, 1] {
        let contact = world.contact(host);
        assert_eq!(
            (contact.state, contact.reachable),
            (ContactState::Accepted, Reachable::Yes)
        );
    }
    assert_eq!(world.hosts[0].dials, 1);
}

/// Both sides say in their `hello` what time it is; what counts is one's own clock as it is when one looks.
#[test]
fn clocks_far_apart_are_shown_until_they_are_set_right() {
    let world = World::friends(2);
    let day = 24 * 3600;
    for host in [0, 1] {
        let seen_at = |wall| {
            let now = crate::time::Now { wall, ..world.now };
            world.hosts[host].node.snapshot(now).clocks
        };
        let right = world.now.wall;
        let contact = world.contact(host).id;
        let apart = |by_s| vec![crate::event::ClockApart { contact, by_s }];
        assert_eq!(seen_at(right), []);
        assert_eq!(seen_at(right + bounds::CLOCKS_APART_S - 1), []);
        assert_eq!(seen_at(right + day), apart(day));
        assert_eq!(seen_at(right - day), apart(day));
    }
}

#[test]
fn waking_up_does_not_close_a_link_that_still_works() {
    let mut world = World::friends(2);
    world.pass(Duration::from_secs(600));
    for host in [0, 1] {
        world.hosts[host].closes.clear();
    }
    world.input(0, Input::Resumed);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.hosts[0].closes, Vec::<u32>::new());
    assert_eq!(world.contact(0).reachable, Reachable::Yes);
    assert_eq!(world.hosts[0].dials, 1);
}

#[test]
fn a_doubted_link_is_asked_before_it_is_closed() {
    let mut world = World::friends(2);
    world.pass(Duration::from_secs(600));
    world.cut = true;
    world.input(0, Input::Resumed);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.hosts[0].closes, Vec::<u32>::new());
    world.cut = false;
    world.pass(Duration::from_secs(5));
    assert_eq!(world.contact(0).reachable, Reachable::Yes);
    assert!(!world.hosts[0].closes.contains(&bounds::close_code::SILENT));
}

#[test]
fn a_contact_that_comes_back_while_its_old_link_closes_is_looked_for() {
    let mut world = World::friends(2);
    let link = world.invite(1);
    let id = world.contact(0).id;
    world.command(0, Command::DeleteContact { contact: id });
    world.add(0, &link);
    world.pass(Duration::from_secs(20));
    assert_eq!(world.contact(0).state, ContactState::Accepted);
}

#[test]
fn a_device_that_does_not_ring_turns_grey_like_any_other_and_clients_hear_of_it() {
    let mut world = World::friends(2);
    world.command(
        1,
        Command::EditMe {
            name: None,
            will_ring: Some(false),
        },
    );
    assert_eq!(world.contact(0).reachable, Reachable::No(WhyNot::WillNotRing));
    world.cut = true;
    for _ in 0..70 {
        world.hosts[0].events.clear();
        let before = world.contact(0);
        world.pass(Duration::from_secs(1));
        let told = !world.hosts[0].events.is_empty();
        assert!(told || world.contact(0).reachable == before.reachable);
    }
}

#[test]
fn a_changed_network_is_proven_anew_at_once() {
    let mut world = World::friends(2);
    world.pass(Duration::from_secs(30));
    world.cut = true;
    let mut own = world::addresses(0);
    own.port += 100;
    world.input(0, Input::Interfaces(own));
    world.hosts[0].sent.clear();
    world.pass(Duration::from_secs(8));
    assert!(!world.hosts[0].sent.is_empty(), "a search is under way");
}
