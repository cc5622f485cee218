//! Links in doubt, links replaced, links that time forgot.

use std::time::Duration;

use super::*;
use crate::io::Input;
use crate::reach::via::Via;

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

/// A keep-alive that comes from elsewhere leads to a knock there, and that to a second connection, whoever of the two moved.
#[test]
fn who_is_heard_from_elsewhere_is_linked_there() {
    for (stayer, mover) in [(0, 1), (1, 0)] {
        let mut world = World::friends(2);
        world.pass(Duration::from_secs(30));
        let before = world.link(stayer);
        for host in [0, 1] {
            world.hosts[host].closes.clear();
        }
        let elsewhere = world::at(40);
        world.hosts[mover].at = elsewhere;
        let moved = || Input::Moved {
            link: before,
            from: elsewhere,
            via: Via::Own,
        };
        world.input(stayer, moved());
        assert_ne!(world.link(stayer), before);
        let contact = world.contact(stayer);
        assert_eq!(contact.path.unwrap().remote, elsewhere);
        assert_eq!(contact.reachable, Reachable::Yes);
        world.hosts[stayer].sent.clear();
        world.input(stayer, moved());
        assert_eq!(world.hosts[stayer].sent, [], "that link is no longer the one");
        world.pass(Duration::from_secs(3));
        assert_eq!(world.hosts[stayer].closes, [bounds::close_code::REPLACED]);
    }
}

/// Also a moment after the last move: the link is young, and wrong all the same.
#[test]
fn who_moves_twice_is_followed_twice() {
    let mut world = World::friends(2);
    for number in [40, 41, 42] {
        let link = world.link(0);
        let (from, via) = (world::at(number), Via::Own);
        world.hosts[1].at = from;
        world.input(0, Input::Moved { link, from, via });
        assert_eq!(world.contact(0).path.unwrap().remote, from);
    }
}

/// What comes from elsewhere proves nothing: nobody is green for it, nothing goes where nothing may go, and who holds packets back and
/// sends them from anywhere gets few knocks.
#[test]
fn who_seems_to_be_elsewhere_is_asked_a_few_times() {
    let mut world = World::friends(2);
    world.pass(Duration::from_secs(30));
    let (link, remote) = (world.link(0), world.contact(0).path.unwrap().remote);
    world.cut = true;
    let mut knocks = |from: std::net::SocketAddr, pause: u64| {
        world.hosts[0].sent.clear();
        let via = Via::Own;
        world.input(0, Input::Moved { link, from, via });
        world.pass(Duration::from_millis(pause));
        world.hosts[0].sent.iter().filter(|(to, _)| *to == from).count()
    };
    let elsewhere = world::at(40);
    assert_eq!(
        [knocks(elsewhere, 0), knocks(elsewhere, 150)],
        [2, 0],
        "one question at a time"
    );
    let all: usize = (0..100).map(|_| knocks(elsewhere, 210)).sum();
    assert_eq!(all, bounds::UNANSWERED as usize - 2);
    for forbidden in ["10.0.0.1:2226", "224.0.0.1:2226", "169.254.169.254:80", "127.0.0.1:0"] {
        assert_eq!(knocks(forbidden.parse().unwrap(), 0), 0, "{forbidden}");
    }
    let shown = world.contact(0).path.map(|path| path.remote);
    assert!(shown.is_none_or(|at| at == remote));
}
