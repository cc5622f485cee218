//! Who may do what to whom.

use std::time::Duration;

use super::*;
use crate::ids::{DeviceKey, RootKey};
use crate::invite::{InviteKeys, Link};
use crate::io::Input;
use crate::message::{Frame, Message};

/// Host 0 redeemed host 1's invite; host 2 tried it too.
fn contested() -> (World, String) {
    let mut world = World::new(3);
    let link = world.invite(1);
    world.add(0, &link);
    world.pass(Duration::from_secs(1));
    world.add(2, &link);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.contact(1).state, ContactState::Contested);
    assert_eq!(world.contact(0).state, ContactState::Contested);
    assert!(world.contacts(2).is_empty());
    (world, link)
}

#[test]
fn a_contested_contact_hears_of_no_address() {
    let (mut world, _) = contested();
    world.hosts[1].frames.clear();
    let mut own = world::addresses(1);
    own.port += 100;
    world.input(1, Input::Interfaces(own));
    let told = world.hosts[1]
        .frames
        .iter()
        .any(|frame| matches!(Frame::parse(frame), Ok((_, Message::Addresses(_)))));
    assert!(!told);
}

#[test]
fn somebody_refused_hears_of_no_address() {
    let mut world = World::new(3);
    let link = world.invite(1);
    world.add(0, &link);
    world.pass(Duration::from_secs(1));
    world.hosts[1].frames.clear();
    world.add(2, &link);
    world.pass(Duration::from_secs(3));
    for frame in &world.hosts[1].frames {
        if let Ok((_, Message::Hello(hello))) = Frame::parse(frame) {
            assert_eq!(hello.addresses, Vec::new());
        }
    }
}

#[test]
fn a_refusal_that_was_lost_is_said_again() {
    let mut world = World::new(3);
    let link = world.invite(1);
    world.add(0, &link);
    world.pass(Duration::from_secs(1));
    world.loses_refusals = true;
    world.add(2, &link);
    world.pass(Duration::from_millis(500));
    world.loses_refusals = false;
    assert_eq!(world.contacts(2).len(), 1, "the refusal is lost");
    // The session goes on over the next connection, and its numbers with it.
    world.pass(Duration::from_secs(30));
    assert!(world.contacts(2).is_empty());
}

#[test]
fn a_refusal_is_about_the_link_that_was_tried() {
    let mut world = World::new(3);
    let old = world.invite(1);
    world.add(2, &old);
    world.pass(Duration::from_secs(1));
    // The first link is used up; while the refusal is on its way, another one is pasted.
    world.hold = Some(0);
    world.add(0, &old);
    world.pass(Duration::from_millis(100));
    let fresh = world.invite(1);
    world.add(0, &fresh);
    world.release();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.contact(0).state, ContactState::Accepted);
}

#[test]
fn a_decision_is_final() {
    let (mut world, link) = contested();
    let contact = world.contact(1).id;
    world.command(
        1,
        Command::EditContact {
            contact,
            name: None,
            accept: true,
        },
    );
    world.pass(Duration::from_secs(1));
    assert_eq!(world.contact(0).state, ContactState::Accepted);
    world.add(2, &link);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.contact(1).state, ContactState::Accepted);
}

#[test]
fn a_deleted_contact_does_not_come_back_with_its_old_invite() {
    let (mut world, link) = contested();
    let contact = world.contact(1).id;
    world.command(1, Command::DeleteContact { contact });
    world.pass(Duration::from_secs(1));
    let id = world.contact(0).id;
    world.command(0, Command::DeleteContact { contact: id });
    world.add(0, &link);
    world.pass(Duration::from_secs(30));
    assert!(world.contacts(1).is_empty());
}

fn forged(root: RootKey, device: DeviceKey) -> String {
    let keys = InviteKeys {
        secret: [9; 16],
        one_time: crate::crypto::Secret([8; 32]),
    };
    let at = crate::invite::Whereabouts {
        candidates: vec![world::at(0)],
        ..crate::invite::Whereabouts::default()
    };
    Link::new(root, device, &keys, at, 1_900_000_000, "Mallory").to_text()
}

#[test]
fn a_link_cannot_claim_the_device_of_a_contact() {
    let mut world = World::friends(2);
    let device = world.hosts[0].node.device();
    let text = forged(
        RootKey(crate::crypto::sign_public(&crate::crypto::Secret([77; 32]))),
        device,
    );
    let reply = world.command(
        1,
        Command::AddContact {
            link: text,
            name: None,
            temporary: false,
        },
    );
    assert_eq!(reply, Some(Reply::Refused(Refusal::InviteDamaged)));
    let own = forged(RootKey([5; 32]), world.hosts[1].node.device());
    let reply = world.command(
        1,
        Command::AddContact {
            link: own,
            name: None,
            temporary: false,
        },
    );
    assert_eq!(reply, Some(Reply::Refused(Refusal::InviteOwn)));
}

/// The list of a person who claims somebody else's device beside its own.
#[test]
fn a_list_cannot_claim_the_device_of_a_contact() {
    let mut world = World::friends(3);
    world.befriend(1, 2);
    assert_eq!(world.contacts(1).len(), 2);
    let victim = world.hosts[0].node.device();
    world.hosts[2].node.claim_device(victim);
    // Its next hello shows the greedy list; then everybody is met again, in the stored order.
    world.restart(2, 50);
    world.hosts[2].node.claim_device(victim);
    world.pass(Duration::from_secs(90));
    let first = world.hosts[1].node.state.contacts.remove(0);
    world.hosts[1].node.state.contacts.push(first);
    world.hosts[1].node.store();
    world.pass(Duration::from_secs(1));
    world.restart(1, 51);
    world.pass(Duration::from_secs(90));
    let contacts = world.contacts(1);
    let root = world.hosts[0].node.root();
    let id = world.hosts[1].node.state.contact_of(&root).unwrap().id;
    let friend = contacts.iter().find(|contact| contact.id == id).unwrap();
    assert_eq!(friend.reachable, Reachable::Yes);
    assert_eq!(world.hosts[1].node.link_to(id).unwrap().peer, victim);
}

#[test]
fn a_guest_who_says_hello_again_and_again_costs_one_write() {
    let mut world = World::new(2);
    let link = world.invite(1);
    world.hosts[1].disk = world::Disk::Slow;
    world.add(0, &link);
    world.pass(Duration::from_millis(10));
    let hello = world.hosts[0]
        .frames
        .iter()
        .find(|frame| matches!(Frame::parse(frame), Ok((_, Message::Hello(_)))))
        .unwrap()
        .clone();
    let stores = world.hosts[1].stores;
    let link = world.link(1);
    for _ in 0..10 {
        world.input(
            1,
            Input::Control {
                link,
                bytes: hello.clone(),
            },
        );
    }
    assert_eq!(world.hosts[1].stores, stores);
}

#[test]
fn no_dot_lies_about_who_would_ring() {
    let (world, _) = contested();
    assert_eq!(world.contact(0).reachable, Reachable::No(WhyNot::Contested));
    assert!(bounds::GREY_AFTER > bounds::TICK);
}
