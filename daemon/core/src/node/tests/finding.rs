//! Finding each other over a DHT: records, first contact, and who must not know.

use std::net::SocketAddr;
use std::time::Duration;

use super::world::{World, at};
use crate::bounds;
use crate::command::{Command, Refusal, Reply};
use crate::event::{ContactState, Reachable, WhyNot};
use crate::io::{Input, Query};
use crate::reach::record;

fn elsewhere(number: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000 + number))
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn puts(world: &World, host: usize) -> usize {
    let puts = world
        .queries
        .iter()
        .filter(|(by, query)| *by == host && matches!(query, Query::DhtPut { .. }));
    puts.count()
}

fn gets(world: &World, host: usize) -> usize {
    let gets = world
        .queries
        .iter()
        .filter(|(by, query)| *by == host && matches!(query, Query::DhtGet { .. }));
    gets.count()
}

/// Whether the DHT holds a record of a host that says where it is, and that another one can read.
fn reads(world: &World, reader: usize, of: usize) -> bool {
    let state = crate::state::State::from_bytes(&world.hosts[reader].stored).unwrap();
    let device = world.hosts[of].node.device();
    let contact = state
        .contacts
        .iter()
        .find(|contact| contact.finding_of(&device).is_some());
    let Some((key, public)) = contact.and_then(|contact| contact.finding_of(&device)) else {
        return false;
    };
    let day = record::day(world.now.wall);
    let item = record::place(key, public, day).and_then(|place| world.dht.get(&place));
    let record = item.and_then(|item| record::read(item, key, public, day));
    record.is_some_and(|record| record.candidates.contains(&world.hosts[of].at))
}

#[test]
fn two_who_both_moved_find_each_other() {
    let mut world = World::friends(2).with_dht();
    world.pass(seconds(60));
    assert_eq!(gets(&world, 0), 0, "nobody looks for whom he is linked to");
    world.cut = true;
    world.move_host(0, elsewhere(0));
    world.move_host(1, elsewhere(1));
    world.pass(seconds(90));
    world.cut = false;
    // What was looked up while nothing passed is tried again at the next meeting.
    world.pass(bounds::MEETING_PAUSE + bounds::MEETING + bounds::KNOCK_PATIENCE);
    for host in [0, 1] {
        assert_eq!(world.contact(host).reachable, Reachable::Yes, "host {host}");
    }
}

#[test]
fn without_a_dht_nothing_is_asked() {
    let mut world = World::friends(2);
    world.move_host(0, elsewhere(0));
    world.move_host(1, elsewhere(1));
    world.pass(seconds(600));
    assert_eq!(world.queries, []);
    assert_ne!(world.contact(0).reachable, Reachable::Yes);
}

#[test]
fn a_day_has_at_most_fifty_puts_however_often_one_moves() {
    let mut world = World::friends(2).with_dht();
    let before = puts(&world, 0);
    for minute in 0..24 * 60 {
        if minute % 7 == 0 {
            world.hosts[0].at = elsewhere(minute);
            world.input(0, Input::Interfaces(super::world::addresses_at(elsewhere(minute))));
        }
        world.pass(seconds(60));
    }
    let count = puts(&world, 0) - before;
    assert!((24..=50).contains(&count), "{count}");
    let quiet = puts(&world, 1);
    assert!((24..=32).contains(&quiet), "{quiet} by who stayed");
}

#[test]
fn whoever_stays_away_is_asked_for_rarely() {
    let mut world = World::friends(2).with_dht();
    world.pass(seconds(30));
    world.cut = true;
    world.input(1, Input::Going);
    world.pass(seconds(24 * 3600));
    let first = gets(&world, 0);
    world.pass(seconds(24 * 3600));
    let second = gets(&world, 0) - first;
    assert!(first <= 16 && second <= 7, "{first}, then {second}");
}

#[test]
fn a_blocked_contact_finds_nothing_any_more() {
    let mut world = World::new(3).with_dht();
    world.befriend(1, 0);
    world.befriend(2, 0);
    world.pass(seconds(60));
    assert!(reads(&world, 1, 0) && reads(&world, 2, 0));
    let blocked = world
        .contacts(0)
        .into_iter()
        .find(|contact| contact.devices[0].key == world.hosts[1].node.device());
    let contact = blocked.unwrap().id;
    world.command(0, Command::Block { contact, blocked: true });
    world.pass(seconds(90));
    assert!(!reads(&world, 1, 0), "the blocked one");
    assert!(reads(&world, 2, 0), "the other one");
    world.command(
        0,
        Command::DeleteContact {
            contact: world.contacts(0)[1].id,
        },
    );
    world.pass(seconds(90));
    assert!(!reads(&world, 2, 0), "who was removed");
}

#[test]
fn whoever_is_contested_is_not_told() {
    let mut world = World::new(3).with_dht();
    let link = world.invite(2);
    world.add(0, &link);
    world.pass(seconds(60));
    assert!(reads(&world, 0, 2));
    world.add(1, &link);
    world.pass(seconds(90));
    assert_eq!(world.contacts(2)[0].state, ContactState::Contested);
    assert!(!reads(&world, 0, 2), "until the user has decided");
    let contact = world.contacts(2)[0].id;
    let accept = Command::EditContact {
        contact,
        name: None,
        accept: true,
    };
    assert!(matches!(world.command(2, accept), Some(Reply::Contact(_))));
    world.pass(seconds(90));
    assert!(reads(&world, 0, 2));
}

#[test]
fn a_link_without_a_usable_address_leads_to_a_contact() {
    let mut world = World::new(2).with_dht();
    let link = world.invite(1);
    world.move_host(1, elsewhere(1));
    world.pass(seconds(400));
    world.add(0, &link);
    world.pass(seconds(15));
    for host in [0, 1] {
        let contact = world.contact(host);
        assert_eq!(
            (contact.state, contact.reachable),
            (ContactState::Accepted, Reachable::Yes)
        );
    }
}

#[test]
fn first_contact_survives_restarts_and_days() {
    let mut world = World::new(2).with_dht();
    let reply = world.command(
        1,
        Command::CreateInvite {
            expires_in_s: 48 * 3600,
        },
    );
    assert!(matches!(reply, Some(Reply::Invite(_))));
    let link = world.hosts[1].node.snapshot(world.now).invites[0].link.clone();
    world.hosts[1].at = elsewhere(1);
    world.cut = true;
    world.add(0, &link);
    world.pass(seconds(20 * 3600));
    world.restart(0, 77);
    world.restart(1, 78);
    let mut world = world.with_dht();
    world.cut = false;
    // The invite is old: the inviter looks every five minutes, and at once when it starts.
    world.pass(seconds(360));
    assert_eq!(world.contact(0).reachable, Reachable::Yes);
    assert_eq!(world.contact(1).reachable, Reachable::Yes);
}

#[test]
fn an_invite_that_is_used_is_looked_after_no_more() {
    let mut world = World::friends(2).with_dht();
    world.pass(seconds(600));
    assert_eq!(gets(&world, 1), 0);
    world.invite(1);
    let before = world.now;
    world.pass(bounds::INVITE_YOUNG);
    let polls = gets(&world, 1);
    assert!((120..=160).contains(&polls), "{polls} since {before:?}");
}

#[test]
fn a_stranger_with_the_link_makes_few_packets() {
    let mut world = World::new(2).with_dht();
    let link = world.invite(1);
    let link = crate::invite::Link::find(&link).unwrap();
    // Somebody who read the mail names a place of a third person, anew with every number.
    let mut rng = crate::rng::Rng::new([8; 32]);
    world.hosts[1].sent.clear();
    for turn in 0..60_u16 {
        let word = record::Record {
            device: crate::ids::DeviceKey([7; 32]),
            candidates: vec![elsewhere(turn)],
            time: world.now.wall,
            nat: None,
        };
        let ephemeral = crate::crypto::Secret([u8::try_from(turn).unwrap(); 32]);
        let value = record::seal_word(&word, &link.secret, &ephemeral, &link.one_time, record::VALUE, &mut rng);
        let item = record::sign_word(record::Word::Invitee, &link.secret, world.now.wall, value.unwrap());
        world.dht.insert(item.place, item);
        world.pass(seconds(5));
    }
    let to_others = world.hosts[1].sent.iter().filter(|(to, _)| *to != at(0)).count();
    assert!((5..=60 * 5).contains(&to_others), "{to_others}");
    let answers = world
        .queries
        .iter()
        .filter(|(by, query)| *by == 1 && matches!(query, Query::DhtPut { .. }));
    assert!(answers.count() <= 6, "answers are bounded, too");
}

#[test]
fn a_reply_by_hand_leads_to_a_contact_without_a_dht() {
    let mut world = World::new(2);
    let link = world.invite(1);
    world.move_host(1, elsewhere(1));
    world.add(0, &link);
    world.pass(seconds(300));
    assert!(matches!(
        world.contact(0).reachable,
        Reachable::No(WhyNot::WaitingForInviter) | Reachable::Checking(WhyNot::WaitingForInviter)
    ));
    let reply = world.contact(0).reply.unwrap();
    let pasted = format!("Here it is:\n> {reply}\n");
    assert!(matches!(
        world.command(1, Command::TakeReply { text: pasted }),
        Some(Reply::Invite(_))
    ));
    world.pass(seconds(5));
    for host in [0, 1] {
        assert_eq!(world.contact(host).reachable, Reachable::Yes, "host {host}");
        assert_eq!(world.contact(host).reply, None);
    }
}

#[test]
fn only_who_made_the_invite_can_use_a_reply() {
    let mut world = World::new(3);
    let link = world.invite(1);
    world.move_host(1, elsewhere(1));
    world.add(0, &link);
    let reply = world.contact(0).reply.unwrap();
    let take = |text: &str| Command::TakeReply { text: text.to_owned() };
    let refused = |refusal| Some(Reply::Refused(refusal));
    assert_eq!(world.command(2, take(&reply)), refused(Refusal::NotFound));
    assert_eq!(world.command(0, take(&reply)), refused(Refusal::NotFound));
    assert_eq!(world.command(1, take(&reply[..80])), refused(Refusal::InviteDamaged));
    world.pass(seconds(2 * 3600));
    assert_eq!(
        world.command(1, take(&reply)),
        refused(Refusal::NotFound),
        "the invite is gone"
    );
    let sent = world.hosts[2].sent.len();
    assert_eq!(sent, 0);
}

#[test]
fn what_is_promised_depends_on_how_long_it_takes() {
    let mut world = World::new(2).with_dht();
    let link = world.invite(1);
    world.cut = true;
    world.hosts[1].at = elsewhere(1);
    world.add(0, &link);
    let mut seen = Vec::new();
    for _ in 0..25 {
        world.pass(seconds(20));
        let (Reachable::No(why) | Reachable::Checking(why)) = world.contact(0).reachable else {
            panic!("green")
        };
        if seen.last() != Some(&why) {
            seen.push(why);
        }
    }
    assert_eq!(
        seen,
        [
            WhyNot::InviterInSeconds,
            WhyNot::InviterInAMinute,
            WhyNot::InviterInMinutes,
            WhyNot::WaitingForInviter
        ][usize::from(seen.first() != Some(&WhyNot::InviterInSeconds))..]
    );
}

/// Three who know each other; the first two have named the third, where they are told to.
fn with_introducer(named: [bool; 2]) -> World {
    let mut world = World::new(3);
    world.befriend(1, 0);
    world.befriend(2, 0);
    world.befriend(2, 1);
    for (host, introduces) in named.into_iter().enumerate() {
        let device = world.hosts[2].node.device();
        let contacts = world.contacts(host);
        let third = contacts
            .iter()
            .find(|contact| contact.devices[0].key == device)
            .unwrap();
        let contact = third.id;
        world.command(host, Command::SetIntroducer { contact, introduces });
    }
    world.pass(seconds(1));
    world
}

fn sees(world: &World, host: usize, other: usize) -> bool {
    let device = world.hosts[other].node.device();
    let contacts = world.contacts(host);
    let contact = contacts
        .iter()
        .find(|contact| contact.devices[0].key == device)
        .unwrap();
    contact.reachable == Reachable::Yes
}

#[test]
fn a_mutual_contact_introduces_two_who_both_moved_within_a_second() {
    let mut world = with_introducer([true, true]);
    world.move_host(0, elsewhere(0));
    world.move_host(1, elsewhere(1));
    world.pass(seconds(1));
    assert!(sees(&world, 0, 1) && sees(&world, 1, 0));
    assert_eq!(world.queries, []);
}

#[test]
fn nobody_is_introduced_who_did_not_name_the_introducer() {
    for named in [[true, false], [false, true], [false, false]] {
        let mut world = with_introducer(named);
        world.move_host(0, elsewhere(0));
        world.move_host(1, elsewhere(1));
        world.pass(seconds(30));
        assert!(sees(&world, 0, 2) && sees(&world, 1, 2), "both know where the third is");
        assert!(!sees(&world, 0, 1) && !sees(&world, 1, 0), "{named:?}");
        let passed = world.hosts[2].frames.iter().filter(|bytes| {
            matches!(
                crate::message::Frame::parse(bytes),
                Ok((_, crate::message::Message::Pass(_)))
            )
        });
        assert_eq!(passed.count(), 0);
    }
}

#[test]
fn a_blocked_contact_is_not_introduced() {
    let mut world = with_introducer([true, true]);
    let device = world.hosts[1].node.device();
    let contacts = world.contacts(0);
    let contact = contacts
        .iter()
        .find(|contact| contact.devices[0].key == device)
        .unwrap()
        .id;
    world.command(0, Command::Block { contact, blocked: true });
    world.pass(seconds(1));
    world.hosts[2].frames.clear();
    world.move_host(0, elsewhere(0));
    world.move_host(1, elsewhere(1));
    world.pass(seconds(60));
    let to_the_blocked = world.hosts[2].frames.iter().filter(|bytes| {
        matches!(
            crate::message::Frame::parse(bytes),
            Ok((_, crate::message::Message::Pass(_)))
        )
    });
    assert_eq!(to_the_blocked.count(), 0, "nothing is passed on for the two");
}
