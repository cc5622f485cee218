//! Knocks: recordings, old links pasted again, floods.

use std::time::Duration;

use super::*;
use crate::io::Input;
use crate::reach::via::Via;
use world::at;

/// A knock of host 0 from before its restart, which host 1 never saw.
fn recorded(world: &mut World) -> Vec<u8> {
    world.cut = true;
    let link = world.link(0);
    world.input(0, Input::LinkDown { link, code: None });
    world.pass(Duration::from_millis(300));
    let knock = world.hosts[0].sent.last().unwrap().1.clone();
    world.cut = false;
    knock
}

#[test]
fn a_recorded_knock_closes_nothing() {
    let mut world = World::friends(2);
    let knock = recorded(&mut world);
    world.restart(0, 60);
    world.pass(Duration::from_secs(100));
    assert_eq!(world.contact(1).reachable, Reachable::Yes);
    world.hosts[1].closes.clear();
    world.input(
        1,
        Input::Datagram {
            from: at(9),
            via: Via::Own,
            bytes: knock,
        },
    );
    world.pass(Duration::from_secs(5));
    assert_eq!(world.hosts[1].closes, Vec::<u32>::new());
    assert_eq!(world.contact(1).reachable, Reachable::Yes);
}

#[test]
fn an_old_link_pasted_again_does_not_hide_a_contact() {
    for (inviter, invitee) in [(1, 0), (0, 1)] {
        let mut world = World::new(2);
        let old = world.invite(inviter);
        world.befriend(inviter, invitee);
        // The inviter takes the other invite back, and is away for a while.
        let invites = world.hosts[inviter].node.snapshot(world.now).invites;
        world.command(inviter, Command::DeleteInvite { invite: invites[0].id });
        world.cut = true;
        world.pass(Duration::from_secs(300));
        world.add(invitee, &old);
        world.pass(Duration::from_secs(5));
        world.cut = false;
        // The inviter, silent by itself, must be found by the invitee's own knocks.
        world.hosts[inviter].node.rest_all(world.now);
        world.pass(Duration::from_secs(40));
        assert_eq!(world.contact(invitee).reachable, Reachable::Yes, "{invitee}");
    }
}

#[test]
fn one_contact_cannot_make_us_answer_a_flood() {
    let mut world = World::friends(2);
    let seal = world.hosts[0]
        .node
        .seals(&world.hosts[1].node.device())
        .into_iter()
        .next()
        .unwrap();
    let now = world.now;
    world.hosts[1].sent.clear();
    for _ in 0..2000 {
        let device = world.hosts[1].node.device();
        let node = &mut world.hosts[0].node;
        let tx = node.rng.bytes();
        let knock = crate::knock::Knock {
            tx,
            ..node.blank_knock(&device, now)
        };
        let bytes = crate::knock::seal(&knock, &seal, true, crate::knock::SIZE, now, &mut node.rng).unwrap();
        world.hosts[1].node.handle(
            Input::Datagram {
                from: at(7),
                via: Via::Own,
                bytes,
            },
            now,
        );
    }
    let mut answers = 0;
    while let Some(output) = world.hosts[1].node.poll_output() {
        answers += usize::from(matches!(output, crate::io::Output::Transmit { .. }));
    }
    assert!(answers <= 200, "{answers}");
}
