//! Every timer and every bound on what a peer or a client may send.

use std::time::Duration;

/// The port where calls come in, unless told otherwise: "2CAN" on a phone's keys.
pub const PORT: u16 = 2226;
/// How long a device rings before the call counts as missed.
pub const RING: Duration = Duration::from_secs(45);
/// The caller renews a ring this often.
pub const RING_RENEWAL: Duration = Duration::from_secs(2);
/// A ring that is not renewed for this long ends as missed.
pub const RING_LEASE: Duration = Duration::from_secs(5);
/// How long one search for a contact's path may take, and how long one QUIC dial.
pub const DIAL: Duration = Duration::from_secs(10);
/// In a call, silence of the path after which it shows "reconnecting".
pub const RECONNECTING: Duration = Duration::from_secs(5);
/// In a call, silence of the path after which the call is lost.
pub const LOST: Duration = Duration::from_secs(30);
/// The keep-alive tick, aligned to Unix time.
pub const TICK: Duration = Duration::from_secs(20);
/// Without a keep-alive for this long, the listening side starts to ask by itself.
pub const LISTENER_SILENCE: Duration = Duration::from_secs(22);
/// Pauses before an unanswered keep-alive is repeated.
pub const ALIVE_REPEATS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// A proof older than this no longer makes a dot green.
pub const GREY_AFTER: Duration = Duration::from_secs(30);
/// A path without proof for this long is closed.
pub const CLOSED_AFTER: Duration = Duration::from_secs(60);
/// Knocks of one attempt go out at these offsets; with a padded one beside the first that may arrive, five packets to an
/// address.
pub const KNOCK_SLOTS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
];
/// How many hops the knocks of each slot live on their way out of our networks. The first ones open our own routers and die
/// before the far one, which might take a packet that comes too early for something that is none of ours.
pub const KNOCK_HOPS: [Option<u8>; 4] = [Some(2), Some(OPENING_HOPS), None, None];
/// How many hops a knock lives at most that is only to open our own routers.
pub const OPENING_HOPS: u8 = 4;
/// Packets to an address that has not answered, within [`COOL_DOWN`].
pub const UNANSWERED: u32 = 40;
/// The time over which packets to addresses that have not answered are counted, and the pause between two birthdays with the
/// same device.
pub const COOL_DOWN: Duration = Duration::from_secs(60);
/// Searches that go on for long begin their attempts once in this time, both sides at the same moment of Unix time.
pub const MEETING: Duration = Duration::from_secs(60);
/// No meeting sooner than this after an attempt: what a router made of packets that came too early must be forgotten.
pub const MEETING_PAUSE: Duration = Duration::from_secs(31);
/// A search without news for this long uses every second meeting, for twice as long every fourth, and so on.
pub const RARER_AFTER: Duration = Duration::from_secs(4 * 60);
/// Of so many meetings one is used at the least: about one an hour.
pub const RAREST_MEETING: u32 = 64;
/// Addresses of one device for whose knocks the own router is opened while the device is away.
pub const OPENED: usize = 2;
/// Behind a hard NAT one knock goes out at meetings whose minute can be divided by this, instead.
pub const KNOCKS_IN_BETWEEN: u64 = 4;
/// Sockets that the side behind a hard NAT opens for a birthday.
pub const SPARES: u16 = 256;
/// The side behind an easy NAT guesses so many ports of the other one at once, with [`GUESS_PAUSE`] between: 100 a second.
pub const GUESSES_AT_ONCE: u32 = 5;
/// See [`GUESSES_AT_ONCE`].
pub const GUESS_PAUSE: Duration = Duration::from_millis(50);
/// Guesses in one birthday.
pub const GUESSES: u32 = 2048;
/// The spares stay open for as long as the other side may guess, and a little longer.
pub const BIRTHDAY: Duration = Duration::from_secs(45);
/// Addresses of one device that a birthday is tried with.
pub const BIRTHDAY_TARGETS: usize = 2;
/// Unanswered knocks after which the tag no longer depends on the clock.
pub const DATED_KNOCKS: usize = 3;
/// A search ends, and pauses, this long after it began.
pub const KNOCK_PATIENCE: Duration = Duration::from_millis(3000);
/// A peer that asks again within this pause is not asked back again.
pub const KNOCK_BACK_PAUSE: Duration = Duration::from_millis(200);
/// A link that is only just up, and has left a question without an answer for this long, is replaced when the peer knocks.
pub const KNOCK_BACK_SILENCE: Duration = Duration::from_secs(1);
/// A reply is accepted for this long after its knock.
pub const REPLY_PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between the attempts of a search that has just begun; after them it goes on once a [`MEETING`].
pub const BACKOFF: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// How long an admitted token lets an Initial in.
pub const TOKEN_LIFE: Duration = Duration::from_secs(12);
/// A connection whose `hello` has not come by then is closed.
pub const HELLO: Duration = Duration::from_secs(5);
/// An ended call stays listed this long.
pub const ENDED_LISTED: Duration = Duration::from_secs(60);
/// A lost page has this long to come back before its call ends.
pub const LEG_RETURN: Duration = Duration::from_secs(10);
/// A link that is to close stays this long, so that what was said last arrives.
pub const LAST_WORDS: Duration = Duration::from_millis(500);
/// A camera is off this long after its call ended, at the latest.
pub const CAMERA_OFF: Duration = Duration::from_millis(500);
/// An exchange of safety words takes no longer; the far side answers by itself.
pub const SAFETY_RUN: Duration = Duration::from_secs(5);
/// After a run that did not end well, safety words with this contact pause.
pub const SAFETY_PAUSE: Duration = Duration::from_secs(60);
/// Runs with one contact within [`SAFETY_DAY`].
pub const SAFETY_RUNS: usize = 5;
/// The time over which runs are counted.
pub const SAFETY_DAY: Duration = Duration::from_secs(24 * 3600);
/// Words can be answered this long, and as long as their link stands.
pub const SAFETY_SHOWN: Duration = Duration::from_secs(600);
/// Unanswered rings of one contact within [`RINGS_WINDOW`]; further ones do not ring.
pub const RINGS: usize = 3;
/// The time over which unanswered rings are counted.
pub const RINGS_WINDOW: Duration = Duration::from_secs(600);
/// A door stays open this long unless asked otherwise.
pub const DOOR_LIFE_S: u64 = 600;
/// The shortest opening of a door.
pub const DOOR_LIFE_LEAST_S: u64 = 1;
/// The longest opening of a door.
pub const DOOR_LIFE_MOST_S: u64 = 3600;
/// Whoever was let in at the door must have rung by then.
pub const DOOR_ENTRY: Duration = Duration::from_secs(5);
/// The pause between two entries from one network: a /24 of IPv4, a /56 of IPv6.
pub const DOOR_PAUSE: Duration = Duration::from_secs(60);
/// Networks whose pauses are remembered at once; with so many the door lets nobody in.
pub const DOOR_NETWORKS: usize = 256;
/// Rings at the door within [`DOOR_WINDOW`], by all strangers together.
pub const DOOR_RINGS: usize = 6;
/// The time over which rings at the door are counted.
pub const DOOR_WINDOW: Duration = Duration::from_secs(3600);
/// An invite lives this long unless asked otherwise.
pub const INVITE_LIFE_S: u64 = 48 * 3600;
/// The shortest life of an invite.
pub const INVITE_LIFE_LEAST_S: u64 = 1;
/// The longest life of an invite.
pub const INVITE_LIFE_MOST_S: u64 = 30 * 24 * 3600;

/// A redeemed invite is kept for this long after its expiry, for a redeemer who has not heard that he was accepted.
pub const REDEEMED_KEPT_S: u64 = 30 * 24 * 3600;

/// Wall clocks of two people that differ by this much, in seconds, are worth a word: dated knocks no longer open there, and
/// invites run out at the wrong time.
pub const CLOCKS_APART_S: u64 = 3600;

/// A record is published again after this long: the nodes of the DHT forget it after two hours.
pub const REPUBLISH: Duration = Duration::from_secs(3600);
/// Own addresses have settled when they have not changed for this long; then the record is published.
pub const PUBLISH_SETTLE: Duration = Duration::from_secs(2);
/// Between two publications of changed addresses.
pub const PUBLISH_PAUSE: Duration = Duration::from_secs(20);
/// Between two answers to invitees' words about one invite, which anybody can make who has read the link.
pub const ANSWER_PAUSE: Duration = Duration::from_secs(60);
/// Publications of changed addresses in a day; with one an hour, and those of neighbouring days, at most 50 of a device's record.
pub const PUBLISH_CHANGES: usize = 18;
/// An invitee publishes when the inviter has not answered for this long, unless the link says that nothing of his can get in
/// there: then at once.
pub const INVITEE_PATIENCE: Duration = Duration::from_secs(1);
/// The longest pause between two looks at the record of somebody who is away.
pub const READ_MOST: Duration = Duration::from_secs(4 * 3600);
/// Nothing is asked of the DHT again within this pause.
pub const DHT_AGAIN: Duration = Duration::from_secs(10);
/// Questions to the DHT at one time.
pub const DHT_AT_ONCE: usize = 8;
/// A question to the DHT that has no answer by then has none.
pub const DHT_PATIENCE: Duration = Duration::from_secs(60);
/// The time over which publications are counted.
pub const DHT_DAY: Duration = Duration::from_secs(24 * 3600);
/// Pauses between two looks for an invitee: while the invite is fresh, while it is young, then within its first hour, then.
pub const INVITE_POLLS: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(300),
];
/// An invite is fresh for this long: whoever sits beside it, or has it read out, waits.
pub const INVITE_FRESH: Duration = Duration::from_secs(120);
/// An invite is young for this long.
pub const INVITE_YOUNG: Duration = Duration::from_secs(600);
/// The end of an invite's first hour.
pub const INVITE_MIDDLE: Duration = Duration::from_secs(3600);
/// Whoever has pasted a link is promised a few seconds for so long, in seconds.
pub const PROMISE_SECONDS_S: u64 = 20;
/// Then a minute, until then.
pub const PROMISE_MINUTE_S: u64 = 80;
/// Then six minutes, until then; after that the inviter's device is not on.
pub const PROMISE_MINUTES_S: u64 = 360;
/// Open invites that are looked after at full pace; with more of them each is looked after less often.
pub const INVITES_AT_PACE: usize = 4;
/// STUN servers asked in one round.
pub const STUN_SERVERS: usize = 8;
/// A STUN question goes out at these offsets, until it is answered.
pub const STUN_SENDS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1500)];
/// STUN servers have this long to say where they see us.
pub const STUN_PATIENCE: Duration = Duration::from_secs(3);
/// Each of the tests that show how a NAT behaves takes this long at most; what has not come by then does not come.
pub const STUN_TEST_PATIENCE: Duration = Duration::from_millis(2500);
/// The shell has this long to find the addresses of the STUN servers.
pub const STUN_NAMES_PATIENCE: Duration = Duration::from_secs(6);
/// A NAT may let an address in for this long after something was sent to it (RFC 4787 asks for two minutes at least, and
/// five are common).
pub const NAT_MEMORY: Duration = Duration::from_secs(600);
/// One's own network is looked at again this often when nothing happens.
pub const NETWORK_CHECK_EVERY: Duration = Duration::from_secs(1800);
/// The shortest time between two looks at one's own network in one place.
pub const NETWORK_CHECK_PAUSE: Duration = Duration::from_secs(5);
/// The first pause before one's own network is looked at again because nobody answered; it doubles up to
/// [`NETWORK_CHECK_EVERY`]. And the shortest time between two looks for any other reason but the user's wish, another network,
/// or waking.
pub const NETWORK_DOUBT_PAUSE: Duration = Duration::from_secs(60);
/// When a link falls silent and another one was proven within this time, it is not one's own network that is down.
pub const NETWORK_UP_PROOF: Duration = Duration::from_secs(15);
/// Silence on a path that shows for how long a NAT keeps it open, from here on; less is shown by every keep-alive.
pub const LIFETIME_LEAST: Duration = Duration::from_secs(10);
/// After so much silence a way through the NAT is tried, beside the one socket.
pub const LIFETIME_STEPS: [Duration; 9] = [
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
    Duration::from_secs(45),
    Duration::from_secs(60),
    Duration::from_secs(90),
    Duration::from_secs(120),
    Duration::from_secs(180),
    Duration::from_secs(300),
];
/// The pause between the two exchanges that make a way; netfilter takes for a conversation what goes on after two seconds.
pub const LIFETIME_PAUSE: Duration = Duration::from_secs(3);
/// One such try begins after the other, so that the server gets a packet now and then.
pub const LIFETIME_APART: Duration = Duration::from_secs(1);
/// A network is tried in that way, once, when it has been looked at for so long, or when the user asks.
pub const LIFETIME_AFTER: Duration = Duration::from_secs(600);
/// STUN servers with which that is begun in one network, until one knows how.
pub const LIFETIME_SERVERS: usize = 4;
/// The first of the spares that are used for that; birthdays have those below.
pub const LIFETIME_SPARES: u16 = 0xFF00;
/// Nodes of the DHT that are asked in one round where they see us.
pub const DHT_NODES_ASKED: usize = 4;
/// Nodes of the DHT from which those are chosen.
pub const DHT_NODES_KNOWN: usize = 32;
/// Contacts whose word about our address is kept.
pub const OBSERVERS: usize = 32;
/// What somebody saw of our address is compared with what others saw within this time.
pub const OBSERVED_TOGETHER: Duration = Duration::from_secs(120);
/// What a contact saw of our address is believed for this long.
pub const OBSERVED_KEPT: Duration = Duration::from_secs(3600);

/// Names on the local network that are remembered.
pub const NEIGHBOURS: usize = 256;
/// Tags that one contact watches at an introducer.
pub const WATCHED_TAGS: usize = 512;
/// Bytes of a word that an introducer passes on.
pub const PASSED_WORD: usize = 320;
/// Words that are given to an introducer at once.
pub const PASSED_AT_ONCE: usize = 16;
/// Words that an introducer takes from one contact within a tick.
pub const PASSED_IN_A_TICK: u32 = 64;
/// Links to which one word is passed on: those of one person.
pub const PASSED_TO: usize = 4;
/// After a change of one's own addresses a link has this long to show that it still works, before another path is looked for.
pub const CHANGE_PATIENCE: Duration = Duration::from_millis(300);

/// UDP payload bytes of a QUIC Initial on a path of which nothing is known.
pub const MTU_SAFE: u16 = 1200;
/// UDP payload bytes of a padded knock; a path that echoed one carries QUIC packets of this size from the start.
pub const MTU_PROVEN: u16 = 1252;

/// Bytes of the longest control frame.
pub const CONTROL_FRAME: usize = 64 * 1024;
/// Characters of the longest name.
pub const NAME_CHARS: usize = 64;
/// Bytes of the longest pasted text.
pub const PASTE_BYTES: usize = 16 * 1024;
/// Candidates in one knock, link or list.
pub const CANDIDATES: usize = 8;
/// Contacts.
pub const CONTACTS: usize = 2000;
/// Open invites.
pub const INVITES: usize = 200;
/// Devices in one list.
pub const DEVICES: usize = 16;
/// Pair keys of one contact.
pub const PAIR_KEYS: usize = 4;
/// Control messages waiting for an acknowledgement on one session.
pub const UNACKED: usize = 64;
/// Knock nonces remembered.
pub const NONCES: usize = 20_000;
/// Undated knocks opened in one second, by all senders together.
pub const UNDATED_PER_S: u32 = 50;
/// Knocks answered in one second to one contact, or to all who hold one invite.
pub const ANSWERS_PER_S: u32 = 60;
/// Missed calls kept in memory.
pub const MISSED: usize = 100;

/// Bytes a second that a relay passes on between two contacts, both directions together: 4 Mbit/s.
pub const RELAY_BYTES_PER_S: u64 = 500_000;
/// Bytes that a relay passes on at once after a pause; a key frame with what follows it.
pub const RELAY_BURST: u64 = 500_000;
/// Pairs that a relay serves at once.
pub const RELAY_PAIRS: usize = 8;
/// Pairs that a relay serves at once of which one side is the same contact.
pub const RELAY_PAIRS_EACH: usize = 3;
/// Wishes to meet somebody that a relay keeps of one device.
pub const RELAY_ASKS: usize = 32;
/// A wish at a relay, and the pair that came of it, lives this long after it was last said.
pub const RELAY_LEASE: Duration = Duration::from_secs(150);
/// Who uses a relay, or waits for somebody there, says so again after this long.
pub const RELAY_RENEWAL: Duration = Duration::from_secs(45);
/// Contacts that are asked at once to relay to one device.
pub const RELAYS: usize = 8;
/// Nobody has answered for this long: one's own relay server is asked for an address.
pub const TURN_AFTER: Duration = Duration::from_secs(3);
/// An invite that is being made waits this long for an address at one's own relay server, and so does a direct link that is to
/// give way to that address.
pub const TURN_INVITE: Duration = Duration::from_secs(3);
/// An address at one's own relay server that nobody uses is given back this long after the search began.
pub const TURN_PATIENCE: Duration = Duration::from_secs(600);
/// A relay server that failed is asked again after this long.
pub const TURN_PAUSE: Duration = Duration::from_secs(60);

/// Application error codes with which a link is closed.
pub mod close_code {
    /// Nothing wrong: the daemon exits.
    pub const GOING: u32 = 0;
    /// A newer connection between the same devices took over.
    pub const REPLACED: u32 = 1;
    /// No proof for too long.
    pub const SILENT: u32 = 2;
    /// The `hello` did not check or did not come.
    pub const BAD_HELLO: u32 = 3;
    /// A control frame or datagram that is no message of ours.
    pub const GARBAGE: u32 = 4;
    /// More than the bounds allow.
    pub const TOO_MUCH: u32 = 5;
    /// Not a contact, or no longer.
    pub const STRANGER: u32 = 6;
    /// The invite was refused.
    pub const REFUSED: u32 = 7;
}
