//! Disks that are slow, full, or both.

use std::time::Duration;

use super::*;
use crate::io::Input;
use world::Disk;

fn rename(world: &mut World, name: &str) -> u64 {
    let contact = world.contact(0).id;
    world.command(
        0,
        Command::EditContact {
            contact,
            name: Some(name.into()),
            accept: false,
        },
    );
    world.last_command(0)
}

#[test]
fn two_changes_that_both_fail_are_both_taken_back() {
    let mut world = World::friends(2);
    let before = world.contact(0).name;
    world.hosts[0].disk = Disk::Slow;
    let (one, two) = (rename(&mut world, "One"), rename(&mut world, "Two"));
    world.disk_answers(0, false);
    world.disk_answers(0, false);
    for command in [one, two] {
        assert_eq!(world.reply(0, command), Some(&Reply::Refused(Refusal::StoreFailed)));
    }
    assert_eq!(world.contact(0).name, before);
}

#[test]
fn a_change_that_failed_is_done_where_a_later_state_with_it_is_on_the_disk() {
    let mut world = World::friends(2);
    world.hosts[0].disk = Disk::Slow;
    let (one, two) = (rename(&mut world, "One"), rename(&mut world, "Two"));
    world.disk_answers(0, false);
    assert_eq!(world.reply(0, one), None);
    world.disk_answers(0, true);
    assert_eq!(world.contact(0).name, "Two");
    for command in [one, two] {
        assert!(matches!(world.reply(0, command), Some(Reply::Contact(_))));
    }
}

#[test]
fn what_nobody_waits_for_is_stored_once_the_disk_has_room() {
    let mut world = World::friends(3);
    let link = world.invite(1);
    world.add(2, &link);
    world.pass(Duration::from_secs(1));
    world.hosts[1].disk = Disk::Full;
    world.hosts[1].node.store();
    world.hosts[1].disk = Disk::Full;
    world.pass(Duration::from_secs(1));
    let stores = world.hosts[1].stores;
    world.hosts[1].disk = Disk::Good;
    world.pass(Duration::from_secs(25));
    assert!(world.hosts[1].stores > stores);
}

#[test]
fn a_used_invite_stays_used_when_the_disk_fails_a_second_redemption() {
    let mut world = World::new(3);
    let link = world.invite(1);
    world.add(0, &link);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.contact(1).state, ContactState::Accepted);
    // The acknowledgement is lost and the first one redeems again, while the disk is full.
    let id = world.contact(0).id;
    world.command(0, Command::DeleteContact { contact: id });
    world.hosts[1].disk = Disk::Full;
    world.pass(Duration::from_secs(3));
    world.add(0, &link);
    world.pass(Duration::from_secs(3));
    world.hosts[1].disk = Disk::Good;
    // Somebody else comes with the same link.
    world.add(2, &link);
    world.pass(Duration::from_secs(3));
    assert!(world.contacts(2).is_empty(), "refused");
    assert_eq!(world.contacts(1).len(), 1);
}

/// Whether one click answers: what is usual here, until the user says it of a contact; kept over a restart, and taken back
/// where the disk does not take it.
#[test]
fn one_click_is_as_the_user_said_else_as_is_usual() {
    let mut world = World::friends(2);
    let set = |world: &mut World, one_click| {
        let contact = world.contact(0).id;
        world.command(0, Command::SetOneClick { contact, one_click })
    };
    assert!(!world.contact(0).one_click);
    let usual = true;
    world.input(0, Input::OneClick { usual });
    assert!(world.contact(0).one_click, "nobody said anything of this contact");
    world.hosts[0].disk = Disk::Full;
    assert_eq!(set(&mut world, false), Some(Reply::Refused(Refusal::StoreFailed)));
    assert!(world.contact(0).one_click, "what is not on the disk is not so");
    world.hosts[0].disk = Disk::Good;
    assert!(matches!(set(&mut world, false), Some(Reply::Contact(_))));
    assert!(!world.contact(0).one_click);
    world.restart(0, 7);
    world.input(0, Input::OneClick { usual });
    assert!(!world.contact(0).one_click);
    assert!(matches!(set(&mut world, true), Some(Reply::Contact(_))));
    world.restart(0, 8);
    assert!(world.contact(0).one_click);
    let unknown = Command::SetOneClick {
        contact: crate::ids::ContactId([9; 8]),
        one_click: true,
    };
    assert_eq!(world.command(0, unknown), Some(Reply::Refused(Refusal::NotFound)));
}

/// A temporary contact is one like any other until the end of the run, whatever is stored meanwhile; whoever was a contact
/// stays one, and a link pasted in earnest makes a temporary one last.
#[test]
fn a_temporary_contact_is_of_one_run() {
    let add = |world: &mut World, temporary| {
        let link = world.invite(1);
        let added = world.command(
            0,
            Command::AddContact {
                link,
                name: None,
                temporary,
            },
        );
        assert!(matches!(added, Some(Reply::Contact(_))), "{added:?}");
        world.pass(Duration::from_secs(1));
        assert_eq!(world.contact(0).state, ContactState::Accepted);
    };
    let mut world = World::new(2);
    add(&mut world, true);
    rename(&mut world, "Echo");
    world.restart(0, 5);
    assert!(world.contacts(0).is_empty());

    add(&mut world, true);
    add(&mut world, false);
    world.restart(0, 6);
    assert_eq!(world.contacts(0).len(), 1);

    add(&mut world, true);
    world.restart(0, 7);
    assert_eq!(world.contacts(0).len(), 1);
}
