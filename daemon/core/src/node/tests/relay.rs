//! Two who cannot hear each other, a friend between them, and a server.

use std::time::Duration;

use super::world::{self, at};
use super::*;
use crate::event::{Carrier, ContactView, PathKind};
use crate::ids::ContactId;
use crate::io::Input;

/// Ann, Bob and Carol: each two are contacts, and green.
fn three() -> World {
    let mut world = World::new(3);
    for (inviter, invitee) in [(1, 0), (2, 0), (2, 1)] {
        world.befriend(inviter, invitee);
    }
    world.pass(Duration::from_secs(10));
    world
}

const ANN: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn view(world: &World, host: usize, other: usize) -> ContactView {
    let root = world.hosts[other].node.root();
    let id = world.hosts[host].node.state.contact_of(&root).unwrap().id;
    world
        .contacts(host)
        .into_iter()
        .find(|contact| contact.id == id)
        .unwrap()
}

fn id(world: &World, host: usize, other: usize) -> ContactId {
    view(world, host, other).id
}

fn is_green(world: &World, host: usize, other: usize) -> bool {
    view(world, host, other).reachable == Reachable::Yes
}

fn kind(world: &World, host: usize, other: usize) -> Option<PathKind> {
    view(world, host, other).path.map(|path| path.kind)
}

fn set(world: &mut World, host: usize, other: usize, relay: Option<bool>, relay_only: Option<bool>) {
    let contact = id(world, host, other);
    let command = Command::SetRelays {
        contact,
        relay,
        relay_only,
    };
    assert_eq!(world.command(host, command), Some(Reply::Contact(contact)));
}

/// Carol's user lets both use her device.
fn carol_relays(world: &mut World) {
    for other in [ANN, BOB] {
        set(world, CAROL, other, Some(true), None);
    }
}

/// A link through Carol stands.
fn through_carol() -> World {
    let mut world = three();
    carol_relays(&mut world);
    world.part(ANN, BOB, true);
    world.pass(Duration::from_secs(100));
    world
}

#[test]
fn a_friend_between_two_makes_them_green_and_both_say_through_whom() {
    let world = through_carol();
    for (host, other) in [(ANN, BOB), (BOB, ANN)] {
        assert!(is_green(&world, host, other), "{:?}", view(&world, host, other));
        let carol = id(&world, host, CAROL);
        assert_eq!(
            kind(&world, host, other),
            Some(PathKind::Relay(Carrier::Contact(carol)))
        );
        let path = view(&world, host, other).path.unwrap();
        assert_eq!(path.via, Some(view(&world, host, CAROL).name));
    }
}

#[test]
fn nobody_relays_who_was_not_told_to_or_for_one_of_two_alone() {
    for allowed in [None, Some(ANN), Some(BOB)] {
        let mut world = three();
        if let Some(other) = allowed {
            set(&mut world, CAROL, other, Some(true), None);
        }
        world.part(ANN, BOB, true);
        world.pass(Duration::from_secs(200));
        assert!(!is_green(&world, ANN, BOB) && !is_green(&world, BOB, ANN));
    }
}

#[test]
fn whoever_relays_for_all_contacts_needs_no_marks() {
    let mut world = three();
    let (for_contacts, server) = (true, false);
    world.input(CAROL, Input::Relays { for_contacts, server });
    world.restart(ANN, 50);
    world.restart(BOB, 51);
    world.part(ANN, BOB, true);
    world.pass(Duration::from_secs(30));
    assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
}

#[test]
fn a_direct_path_is_taken_when_there_is_one_and_nothing_breaks_meanwhile() {
    let mut world = through_carol();
    let contact = id(&world, ANN, BOB);
    world.command(ANN, Command::StartCall { contact, media: BOTH });
    let call = world.call(BOB).id;
    world.command(BOB, Command::Answer { call });
    world.part(ANN, BOB, false);
    for second in 0.. {
        world.pass(Duration::from_secs(1));
        let call = world.call(ANN);
        assert!(call.state == CallState::Active && !call.reconnecting);
        if kind(&world, ANN, BOB) == Some(PathKind::Lan) && kind(&world, BOB, ANN) == Some(PathKind::Lan) {
            break;
        }
        assert!(second < 85, "{:?}", view(&world, ANN, BOB));
    }
    world.pass(Duration::from_secs(5));
    assert_eq!(world.calls(ANN).len(), 1);
    let carol = &world.hosts[CAROL].node;
    assert!(carol.served.is_idle(), "what nobody uses is given back");
    assert!(world.hosts[ANN].node.relaying.is_idle() && world.hosts[BOB].node.relaying.is_idle());
}

#[test]
fn in_a_call_a_path_that_breaks_is_replaced_by_one_through_the_friend() {
    let mut world = three();
    carol_relays(&mut world);
    let contact = id(&world, BOB, ANN);
    world.command(BOB, Command::StartCall { contact, media: BOTH });
    let call = world.call(ANN).id;
    world.command(ANN, Command::Answer { call });
    world.pass(Duration::from_secs(5));
    world.part(ANN, BOB, true);
    world.pass(Duration::from_secs(5));
    assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
    for host in [ANN, BOB] {
        let call = world.call(host);
        assert!(call.state == CallState::Active && !call.reconnecting);
        assert!(matches!(kind(&world, host, BOB - host), Some(PathKind::Relay(_))));
    }
}

#[test]
fn a_mark_taken_back_ends_the_pair_at_once() {
    for (host, mark) in [(ANN, true), (BOB, false)] {
        let mut world = through_carol();
        if mark {
            set(&mut world, CAROL, host, Some(false), None);
        } else {
            let contact = id(&world, CAROL, host);
            let blocked = true;
            world.command(CAROL, Command::Block { contact, blocked });
        }
        assert!(world.hosts[CAROL].node.served.is_idle());
        world.pass(Duration::from_secs(70));
        assert!(!is_green(&world, ANN, BOB) && !is_green(&world, BOB, ANN));
    }
}

#[test]
fn a_relay_that_starts_anew_serves_the_same_two_again() {
    let mut world = through_carol();
    world.restart(CAROL, 77);
    world.pass(Duration::from_secs(90));
    assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
    assert!(matches!(kind(&world, ANN, BOB), Some(PathKind::Relay(_))));
}

#[test]
fn a_relayed_pair_stays_green_for_hours_and_costs_the_relay_one_pair() {
    let mut world = through_carol();
    for _ in 0..120 {
        world.pass(Duration::from_secs(60));
        assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
    }
    assert_eq!(world.hosts[CAROL].node.served.pairs(), 1);
}

/// From here on nothing of Ann's goes to Bob but through somebody.
#[test]
fn whoever_hides_sends_nothing_directly_and_names_no_address() {
    let mut world = three();
    carol_relays(&mut world);
    set(&mut world, ANN, BOB, None, Some(true));
    world.hosts[ANN].sent_directly.clear();
    world.hosts[ANN].frames.clear();
    world.pass(Duration::from_secs(100));
    assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
    assert!(matches!(kind(&world, ANN, BOB), Some(PathKind::Relay(_))));
    let mut moved = world::addresses(ANN);
    moved.port += 500;
    world.input(ANN, Input::Interfaces(moved));
    world.pass(Duration::from_secs(300));
    assert!(!world.hosts[ANN].sent_directly.contains(&at(BOB)), "no packet");
    let known = world.hosts[BOB].node.state.contact_of(&world.hosts[ANN].node.root());
    assert!(
        known
            .unwrap()
            .addresses
            .iter()
            .all(|known| known.port() != at(ANN).port() + 500)
    );
}

#[test]
fn whoever_hides_and_has_no_relay_says_so() {
    let mut world = World::friends(2);
    set(&mut world, ANN, BOB, None, Some(true));
    world.pass(Duration::from_secs(100));
    assert_eq!(view(&world, ANN, BOB).reachable, Reachable::No(WhyNot::NoRelay));
    assert!(!is_green(&world, BOB, ANN));
    set(&mut world, ANN, BOB, None, Some(false));
    world.pass(Duration::from_secs(70));
    assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
}

#[test]
fn a_server_of_ones_own_is_used_where_nothing_else_leads_and_given_back_afterwards() {
    let mut world = World::friends(2);
    let (for_contacts, server) = (false, true);
    world.input(ANN, Input::Relays { for_contacts, server });
    world.pass(Duration::from_secs(60));
    assert!(world.at_server.is_empty(), "nothing needs it");
    world.part(ANN, BOB, true);
    world.pass(Duration::from_secs(100));
    assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN));
    assert_eq!(kind(&world, ANN, BOB), Some(PathKind::Relay(Carrier::OwnServer)));
    assert_eq!(kind(&world, BOB, ANN), Some(PathKind::Relay(Carrier::TheirServer)));
    world.part(ANN, BOB, false);
    world.pass(Duration::from_secs(100));
    assert_eq!(kind(&world, ANN, BOB), Some(PathKind::Lan));
    assert_eq!(kind(&world, BOB, ANN), Some(PathKind::Lan));
    assert!(world.at_server.is_empty(), "what nobody uses is given back");
}

#[test]
fn whoever_hides_is_found_at_the_address_of_the_server_by_both_roles() {
    for (hides, other) in [(ANN, BOB), (BOB, ANN)] {
        let mut world = World::friends(2);
        let (for_contacts, server) = (false, true);
        world.input(hides, Input::Relays { for_contacts, server });
        set(&mut world, hides, other, None, Some(true));
        world.hosts[hides].sent_directly.clear();
        let mut waited = Duration::ZERO;
        while !matches!(kind(&world, hides, other), Some(PathKind::Relay(_))) {
            world.pass(Duration::from_millis(10));
            waited += Duration::from_millis(10);
            assert!(waited < Duration::from_secs(100), "{hides}");
        }
        let mut links = world.hosts[hides].node.links.values();
        assert!(links.all(|link| !link.remote.via.is_direct()), "one link is enough");
        world.pass(Duration::from_secs(100));
        assert!(is_green(&world, ANN, BOB) && is_green(&world, BOB, ANN), "{hides}");
        assert!(world.hosts[hides].sent_directly.is_empty());
        world.pass(Duration::from_secs(3600));
        assert!(world.hosts[hides].sent_directly.is_empty());
        assert!(world.at_server.contains(&hides));
    }
}

#[test]
fn marks_that_the_disk_did_not_take_are_as_they_were() {
    let mut world = World::friends(2);
    world.hosts[ANN].disk = world::Disk::Full;
    let contact = id(&world, ANN, BOB);
    let (relay, relay_only) = (Some(true), Some(true));
    let command = Command::SetRelays {
        contact,
        relay,
        relay_only,
    };
    assert_eq!(world.command(ANN, command), Some(Reply::Refused(Refusal::StoreFailed)));
    assert!(!view(&world, ANN, BOB).relay && !view(&world, ANN, BOB).relay_only);
    world.pass(Duration::from_secs(70));
    assert!(is_green(&world, ANN, BOB));
}

#[test]
fn a_server_that_fails_is_left_alone_for_a_while_and_its_owner_is_told() {
    let mut world = World::friends(2);
    world.server_fails = true;
    let (for_contacts, server) = (false, true);
    world.input(ANN, Input::Relays { for_contacts, server });
    world.part(ANN, BOB, true);
    world.pass(Duration::from_secs(100));
    let fails = |world: &World| world.hosts[ANN].node.snapshot(world.now).relay_server_fails;
    assert!(fails(&world) && !is_green(&world, ANN, BOB));
    world.server_fails = false;
    world.pass(Duration::from_secs(150));
    assert!(!fails(&world) && is_green(&world, ANN, BOB));
    world.server_fails = true;
    world.at_server.clear();
    world.input(ANN, Input::Turn { relayed: None });
    world.pass(Duration::from_secs(100));
    assert!(fails(&world) && !is_green(&world, ANN, BOB));
}
