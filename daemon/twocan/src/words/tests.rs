//! What people are told.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use twocan_api::{Carrier, DeviceRef, Media, Peer, PersonRef, Reason, SecondCall, Stranger};

use super::*;

fn ann(state: ContactState, reachable: Reachable) -> Contact {
    Contact {
        id: "k1".into(),
        name: "Ann".into(),
        state,
        verified: false,
        reachable,
        why: None,
        path: None,
        devices: Vec::new(),
        safety: Safety::default(),
        blocked: false,
        quiet: false,
        alarm: None,
        relay: false,
        relay_only: false,
        one_click: false,
        reply: None,
        introduces: false,
    }
}

fn out(state: CallState, code: Option<&str>) -> Call {
    Call {
        id: "c1".into(),
        direction: Direction::Out,
        state,
        contact: Some("k1".into()),
        peer: Peer {
            name: "Ann".into(),
            address: None,
        },
        stranger: None,
        media: Media::default(),
        own_media: Media::default(),
        peer_media: Media::default(),
        peer_takes: None,
        picture_held: None,
        reconnecting: false,
        missed: false,
        reason: code.map(|code| Reason {
            code: code.into(),
            why: None,
            after_s: None,
        }),
    }
}

#[test]
fn contacts_show_a_dot_and_the_word() {
    let path = Path {
        kind: PathKind::Lan,
        via: None,
        carrier: None,
        rtt_ms: 0.7,
        last_proof_ms: 3,
    };
    let relayed = Contact {
        path: Some(Path {
            kind: PathKind::Relay,
            via: Some("Cleo".into()),
            carrier: Some(Carrier::Contact),
            ..path
        }),
        relay: true,
        relay_only: true,
        one_click: true,
        ..ann(ContactState::Accepted, Reachable::Yes)
    };
    assert_eq!(
        about(&relayed),
        "may relay here · your address is hidden · answered by one click · through Cleo, 1 ms"
    );
    let green = Contact {
        path: Some(path),
        ..ann(ContactState::Accepted, Reachable::Yes)
    };
    let why = Why {
        code: "silent".into(),
        text: "No answer.".into(),
        fix: "Wait.".into(),
    };
    let grey = Contact {
        why: Some(why),
        ..ann(ContactState::Accepted, Reachable::Checking)
    };
    let lines = contacts(&[green, grey, ann(ContactState::Pending, Reachable::No)]);
    assert_eq!(
        lines,
        [
            "●  Ann  yes       lan, 1 ms",
            "◌  Ann  checking  No answer. Wait.",
            "○  Ann  no        pending"
        ]
    );
}

#[test]
fn status_shows_every_standing_warning_with_its_way_out() {
    let person = PersonRef {
        id: "p".into(),
        name: "Ann".into(),
    };
    let device = DeviceRef {
        id: "d".into(),
        name: "desk".into(),
    };
    let warning = Why {
        code: "file_key".into(),
        text: "The key is a file.".into(),
        fix: "Use a keyring.".into(),
    };
    let lines = status(&Status {
        version: "0.1.0".into(),
        pid: 7,
        udp: vec!["[::]:2226".into()],
        control: "http://127.0.0.1:2226".into(),
        page: "http://127.0.0.1:2227".into(),
        person,
        device,
        presence: Presence::Available,
        second_call: SecondCall::Busy,
        ring_sound: true,
        key: twocan_api::KeyPlace::default(),
        warnings: vec![warning],
    });
    assert!(
        lines.ends_with(&["warning: The key is a file.".into(), "  Use a keyring.".into()]),
        "{lines:?}"
    );
}

#[test]
fn every_end_has_words_of_its_own() {
    let codes = [
        "hung_up",
        "declined",
        "answered_elsewhere",
        "busy",
        "missed",
        "cancelled",
        "unreachable",
        "lost",
        "glare_merged",
        "blocked",
        "failed",
    ];
    let told: std::collections::BTreeSet<String> = codes
        .iter()
        .map(|code| call(&out(CallState::Ended, Some(code))))
        .collect();
    assert_eq!(told.len(), codes.len());
}

#[test]
fn safety_words_come_with_what_to_do() {
    let shown = Safety {
        words: Some(["abandon", "ability", "able", "about"].map(str::to_owned).to_vec()),
        number: "00000 11111".into(),
        ..Safety::default()
    };
    let lines = safety("Ann", &shown);
    assert!(
        lines.contains(&"  abandon  ability  able  about".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"  00000 11111".to_owned()), "{lines:?}");
}

#[test]
fn what_is_marked_about_a_contact_is_told() {
    let alarm = Why {
        code: "words_differ".into(),
        text: "They differ.".into(),
        fix: "Meet.".into(),
    };
    let marked = Contact {
        verified: true,
        blocked: true,
        alarm: Some(alarm),
        ..ann(ContactState::Accepted, Reachable::No)
    };
    assert_eq!(about(&marked), "verified · blocked · WARNING: They differ. Meet.");
}

#[test]
fn progress_names_the_other_person() {
    assert_eq!(progress(&out(CallState::Ringing, None)), ["Ringing at Ann."]);
    assert_eq!(
        progress(&out(CallState::Ended, Some("busy"))),
        ["Ann is in another call. Try again later."]
    );
}

fn strange(state: CallState, code: Option<&str>) -> Call {
    Call {
        direction: Direction::In,
        contact: None,
        peer: Peer {
            name: String::new(),
            address: Some("192.0.2.7:40123".into()),
        },
        stranger: Some(Stranger {
            safety: Safety::default(),
            keep: None,
            peer_keeps: false,
            can_keep: false,
            path: None,
        }),
        ..out(state, code)
    }
}

#[test]
fn a_stranger_is_an_address_until_he_is_kept() {
    let rings = strange(CallState::Ringing, None);
    assert_eq!(progress(&rings), ["An unknown caller from 192.0.2.7 is calling."]);
    let mut talks = strange(CallState::Active, None);
    let stranger = talks.stranger.as_mut().unwrap();
    stranger.safety.state = SafetyState::Compare;
    stranger.safety.words = Some(["abandon", "ability", "able", "about"].map(str::to_owned).to_vec());
    stranger.peer_keeps = true;
    stranger.can_keep = true;
    let lines = progress(&talks);
    assert_eq!(lines[1], "Safety words: abandon  ability  able  about");
    assert!(lines[2].ends_with("twocan verify 192.0.2.7"), "{lines:?}");
    assert!(lines[3].ends_with("twocan keep"), "{lines:?}");
    talks.contact = Some("k1".into());
    talks.peer.name = "Zoe".into();
    assert_eq!(peer(&talks), "Zoe");
    assert_eq!(
        call(&strange(CallState::Ended, Some("missed"))),
        "A call of an unknown caller from 192.0.2.7 was missed."
    );
}

#[test]
fn the_door_tells_how_long_and_what_to_type() {
    let closed = door(&Door::default());
    assert!(closed[0].starts_with("The door is closed"), "{closed:?}");
    let why = Why {
        code: "reach_unknown".into(),
        text: "Not known.".into(),
        fix: "Try.".into(),
    };
    let open = Door {
        open: true,
        closes_in_s: Some(90),
        addresses: vec!["192.0.2.1:2226".into(), "192.0.2.2:2226".into()],
        why: Some(why),
        ..Door::default()
    };
    let lines = door(&open);
    assert!(lines[0].contains("1 min 30 s"), "{lines:?}");
    assert!(lines[1].ends_with("twocan call 192.0.2.1:2226"), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with("twocan invite")), "{lines:?}");
}
