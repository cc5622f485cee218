//! Calls.

use std::time::Duration;

use super::*;
use crate::ids::LegId;
use crate::io::{Input, LegFact};

fn start(world: &mut World, host: usize) {
    let contact = world.contact(host).id;
    let reply = world.command(host, Command::StartCall { contact, media: BOTH });
    assert!(matches!(reply, Some(Reply::CallStarted(_))), "{reply:?}");
}

#[test]
fn a_call_runs_over_the_link_that_is_open() {
    for caller in [0, 1] {
        let mut world = World::friends(2);
        world.pass(Duration::from_secs(15));
        let dials = world.hosts[0].dials;
        start(&mut world, caller);
        world.pass(Duration::from_secs(5));
        assert_eq!(world.call(1 - caller).state, CallState::Ringing);
        assert_eq!(world.hosts[0].dials, dials);
    }
}

/// A restart waits for what it would break off.
#[test]
fn a_call_and_an_open_door_keep_a_node_from_rest() {
    let mut world = World::friends(2);
    let rests = |world: &World, host: usize| world.hosts[host].node.is_at_rest(world.now);
    assert!(rests(&world, 0) && rests(&world, 1));
    start(&mut world, 0);
    assert!(!rests(&world, 0) && !rests(&world, 1), "it rings");
    let call = world.call(1).id;
    world.command(1, Command::Answer { call });
    world.pass(Duration::from_secs(1));
    assert!(!rests(&world, 0) && !rests(&world, 1), "they talk");
    world.command(0, Command::HangUp { call });
    world.pass(Duration::from_secs(1));
    assert!(rests(&world, 0) && rests(&world, 1));
    let door = |open| Command::SetDoor { open, for_s: 600 };
    world.command(0, door(true));
    assert!(!rests(&world, 0));
    world.command(0, door(false));
    assert!(rests(&world, 0));
}

#[test]
fn a_page_closed_while_it_rang_does_not_end_the_call_that_was_answered_elsewhere() {
    let mut world = World::friends(2);
    start(&mut world, 0);
    let call = world.call(1).id;
    let leg = LegId(1);
    for fact in [LegFact::Warm(None), LegFact::Lost] {
        world.input(1, Input::Leg { call, leg, fact });
    }
    world.pass(Duration::from_secs(15));
    world.command(1, Command::Answer { call });
    world.pass(Duration::from_secs(5));
    assert_eq!(world.call(1).state, CallState::Active);
    world.pass(Duration::from_secs(10));
    assert_eq!(
        world.call(1).state,
        CallState::Ended,
        "nobody came back within ten seconds"
    );
}

#[test]
fn waking_up_while_it_rings_does_not_end_the_call() {
    let mut world = World::friends(2);
    start(&mut world, 0);
    world.pass(Duration::from_secs(8));
    world.input(0, Input::Resumed);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.call(0).state, CallState::Ringing);
}

#[test]
fn a_call_with_an_impossible_base_closes_the_link() {
    use crate::ids::CallId;
    use crate::message::{Frame, Message, Ring};
    for base in [u64::MAX, 0, 9] {
        let ring = Ring {
            call: CallId([7; 16]),
            audio: true,
            video: true,
            base,
            alone: true,
        };
        let bytes = Frame::new(1, 0, &Message::Ring(ring)).to_bytes();
        assert!(Frame::parse(&bytes).is_err(), "{base}");
    }
}
