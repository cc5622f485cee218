//! Looking at what somebody sent.

use std::time::Duration;

use super::*;
use crate::command::{PasteKind, PasteView};
use crate::state::Invite;

fn look(world: &mut World, host: usize, text: &str) -> PasteView {
    let text = text.to_owned();
    match world.command(host, Command::LookAtPaste { text }) {
        Some(Reply::Paste(view)) => *view,
        other => panic!("{other:?}"),
    }
}

fn invite(world: &World, host: usize) -> Invite {
    world.hosts[host].node.state.invites[0].clone()
}

#[test]
fn a_look_changes_nothing_and_says_what_redeeming_would_say() {
    let mut world = World::new(2);
    let link = world.invite(1);
    let before = world.hosts[0].node.state.clone();
    let seen = look(&mut world, 0, &format!("Call me: {link}\n(it works once)"));
    let kind = PasteKind::Invite {
        name: world.hosts[1].node.state.identity.name.clone(),
        expires_at: invite(&world, 1).expiry,
        contact: None,
    };
    assert_eq!((seen.kind, seen.refusal), (kind, None));
    assert!(seen.link.starts_with(&link), "{}", seen.link);
    world.hosts[0].frames.clear();
    world.pass(Duration::from_secs(30));
    assert_eq!(world.hosts[0].node.state, before);
    assert!(world.contacts(0).is_empty() && world.contacts(1).is_empty());

    assert_eq!(look(&mut world, 1, &link).refusal, Some(Refusal::InviteOwn));
    world.add(0, &seen.link);
    world.pass(Duration::from_secs(3));
    let known = world.contact(0).id;
    let again = look(&mut world, 0, &link);
    assert!(matches!(again.kind, PasteKind::Invite { contact: Some(id), .. } if id == known));
}

#[test]
fn a_look_at_what_is_no_link_is_refused() {
    let mut world = World::new(1);
    for text in ["", "twocan:", "twocan:AAAA", "hello", "twocan-reply:AAAA"] {
        let reply = world.command(0, Command::LookAtPaste { text: text.to_owned() });
        assert_eq!(reply, Some(Reply::Refused(Refusal::InviteDamaged)), "{text}");
    }
}

#[test]
fn an_old_invite_says_so() {
    let mut world = World::new(2);
    let link = world.invite(1);
    world.pass(Duration::from_secs(49 * 3600));
    assert_eq!(look(&mut world, 0, &link).refusal, Some(Refusal::InviteExpired));
}

#[test]
fn a_reply_is_told_from_an_invite() {
    let mut world = World::new(2);
    let link = world.invite(1);
    world.part(0, 1, true);
    world.add(0, &link);
    world.pass(Duration::from_secs(1));
    let reply = world.contact(0).reply.unwrap();
    let seen = look(&mut world, 1, &format!("Here: {reply}"));
    assert_eq!((seen.kind, seen.refusal), (PasteKind::Reply, None));
    // To whoever did not make the invite it says nothing.
    assert_eq!(look(&mut world, 0, &reply).refusal, Some(Refusal::NotFound));
}
