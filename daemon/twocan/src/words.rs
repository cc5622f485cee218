//! What people read: states and reasons in plain words. Pure functions of API values.

use std::net::SocketAddr;

use twocan_api::{
    Call, CallState, Contact, ContactState, Direction, Door, Path, PathKind, Presence, Reachable, Safety, SafetyState,
    Status, Why,
};

use crate::print::table;

/// Lines for `status`.
pub(crate) fn status(status: &Status) -> Vec<String> {
    let rings = match status.presence {
        Presence::Available => "rings",
        Presence::DoNotDisturb => "does not ring: do not disturb is on",
    };
    let rows = [
        ["you".into(), status.person.name.clone()],
        ["device".into(), format!("{}, {rings}", status.device.name)],
        ["udp".into(), status.udp.join(", ")],
        ["control".into(), status.control.clone()],
        ["page".into(), status.page.clone()],
        ["key".into(), status.key.text.clone()],
        ["version".into(), format!("{}, pid {}", status.version, status.pid)],
    ];
    let mut lines = table(&rows);
    lines.extend(status.warnings.iter().flat_map(warning));
    lines
}

/// Lines for a standing warning: what it is and the way out.
pub(crate) fn warning(why: &Why) -> [String; 2] {
    [format!("warning: {}", why.text), format!("  {}", why.fix)]
}

/// Lines for `contacts`.
pub(crate) fn contacts(contacts: &[Contact]) -> Vec<String> {
    if contacts.is_empty() {
        return vec!["No contacts yet. Make a link for somebody with: twocan invite".into()];
    }
    let row = |contact: &Contact| {
        let (dot, word) = dot(contact.reachable);
        [dot.into(), contact.name.clone(), word.into(), about(contact)]
    };
    table(&contacts.iter().map(row).collect::<Vec<_>>())
}

/// What somebody can do whose inviter does not answer.
pub(crate) fn reply_hint(name: &str, reply: &str) -> String {
    format!("If {name} is online and nothing happens, send this back; {name} adds it with `twocan add`:\n{reply}")
}

/// The line for one contact.
pub(crate) fn contact(contact: &Contact) -> String {
    let (dot, word) = dot(contact.reachable);
    [dot, &contact.name, word, &about(contact)]
        .join("  ")
        .trim_end()
        .to_owned()
}

/// The dot and the word for it.
const fn dot(reachable: Reachable) -> (&'static str, &'static str) {
    match reachable {
        Reachable::Yes => ("●", "yes"),
        Reachable::Checking => ("◌", "checking"),
        Reachable::No => ("○", "no"),
    }
}

/// What is to know about a contact beyond its dot.
fn about(contact: &Contact) -> String {
    let mut facts = Vec::new();
    match contact.state {
        ContactState::Pending => facts.push("pending".to_owned()),
        ContactState::Accepted => {}
        ContactState::Contested => facts.push("contested".to_owned()),
    }
    if contact.verified {
        facts.push("verified".to_owned());
    }
    if contact.blocked {
        facts.push("blocked".to_owned());
    }
    if contact.relay {
        facts.push("may relay here".to_owned());
    }
    if contact.relay_only {
        facts.push("your address is hidden".to_owned());
    }
    if contact.one_click {
        facts.push("answered by one click".to_owned());
    }
    if let Some(path) = &contact.path {
        facts.push(format!("{}, {:.0} ms", path_words(path), path.rtt_ms));
    }
    if let Some(why) = &contact.why {
        facts.push([why.text.as_str(), why.fix.as_str()].join(" ").trim().to_owned());
    }
    if let Some(alarm) = &contact.alarm {
        facts.push(format!("WARNING: {} {}", alarm.text, alarm.fix));
    }
    facts.join(" · ")
}

/// Lines for `verify`.
pub(crate) fn safety(name: &str, safety: &Safety) -> Vec<String> {
    let words = safety.words.as_deref().unwrap_or_default().join("  ");
    vec![
        format!("Read these words to each other, in a call or wherever you know {name}'s voice:"),
        format!("  {words}"),
        "The same on both sides: nobody sits between you. Different: somebody does.".into(),
        "On paper, instead, compare this number:".into(),
        format!("  {}", safety.number),
    ]
}

/// What it means that the words of a stranger differ.
pub(crate) fn stranger_differs() -> Why {
    Why {
        code: "words_differ".into(),
        text: "The words were different: somebody may be sitting between you and hear everything. The call was ended."
            .into(),
        fix: "Exchange an invite link over a channel that you trust instead: twocan invite".into(),
    }
}

/// What a path runs over, and who carries it.
fn path_words(path: &Path) -> String {
    match &path.via {
        Some(via) => format!("through {via}"),
        None => path_kind(path.kind).to_owned(),
    }
}

/// What a path runs over.
pub(crate) const fn path_kind(kind: PathKind) -> &'static str {
    match kind {
        PathKind::Lan => "lan",
        PathKind::Direct => "direct",
        PathKind::Relay => "relay",
    }
}

/// Lines for `calls`.
pub(crate) fn calls(calls: &[Call]) -> Vec<String> {
    if calls.is_empty() {
        return vec!["No calls. Call somebody with: twocan call NAME".into()];
    }
    let row = |call: &Call| {
        let arrow = match call.direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        [call.id.clone(), arrow.into(), peer(call), self::call(call)]
    };
    table(&calls.iter().map(row).collect::<Vec<_>>())
}

/// Where a call stands, in a few words.
pub(crate) fn call(call: &Call) -> String {
    match call.state {
        CallState::Dialing => "dialing".into(),
        CallState::Ringing => "ringing".into(),
        CallState::Active if call.reconnecting => "reconnecting".into(),
        CallState::Active => "connected".into(),
        CallState::Ended => ended(call),
    }
}

/// Who is at the other end: a petname, or what a stranger's address tells.
pub(crate) fn peer(call: &Call) -> String {
    match (&call.peer.address, call.direction) {
        (Some(address), Direction::In) if call.peer.name.is_empty() => {
            format!("an unknown caller from {}", host(address))
        }
        (Some(address), Direction::Out) if call.peer.name.is_empty() => address.clone(),
        (Some(_) | None, Direction::In | Direction::Out) => call.peer.name.clone(),
    }
}

/// An address without its port, which says nothing about a caller.
fn host(address: &str) -> String {
    let parsed = address.parse::<SocketAddr>();
    parsed.map_or_else(|_| address.to_owned(), |address| address.ip().to_string())
}

/// What is to be told of a call: where it stands, and of a stranger the words to compare and whether he wants to stay.
pub(crate) fn progress(call: &Call) -> Vec<String> {
    let mut lines = vec![sentence(&standing(call))];
    let Some(stranger) = &call.stranger else { return lines };
    let address = call.peer.address.as_deref().map(host).unwrap_or_default();
    if let (Some(words), CallState::Active, SafetyState::Compare) =
        (&stranger.safety.words, call.state, stranger.safety.state)
    {
        let words = words.join("  ");
        lines.push(format!("Safety words: {words}"));
        lines.push(format!(
            "  Read them to each other. The same on both sides: nobody sits between you. Answer with: twocan verify {address}"
        ));
    }
    if stranger.peer_keeps && stranger.can_keep && stranger.keep.is_none() {
        lines.push("The other side wants to keep you as a contact. If you want that too: twocan keep".into());
    }
    if call.state == CallState::Ended && stranger.can_keep && stranger.keep.is_none() {
        lines.push("For a minute you can still keep this person as a contact: twocan keep".into());
    }
    lines
}

/// What saying whether to keep a stranger has led to.
pub(crate) fn kept(call: &Call) -> String {
    let wish = call.stranger.as_ref().and_then(|stranger| stranger.keep);
    match (wish, &call.contact) {
        (Some(true), Some(_)) => format!("{} is a contact.", call.peer.name),
        (Some(true), None) => "Told. When the other side keeps you as well, you are contacts.".into(),
        (Some(false) | None, _) => "Nobody was kept.".into(),
    }
}

/// Lines for `door`.
pub(crate) fn door(door: &Door) -> Vec<String> {
    let Some(seconds) = door.closes_in_s.filter(|_| door.open) else {
        return vec!["The door is closed: strangers get no answer. Open it with: twocan door open".into()];
    };
    let mut lines = vec![format!(
        "The door is open for {}. Close it with: twocan door close",
        duration(seconds)
    )];
    if let Some(address) = door.addresses.first() {
        lines.push(format!("Whoever is to ring types: twocan call {address}"));
        let others: Vec<&str> = door.addresses.iter().skip(1).map(String::as_str).collect();
        if !others.is_empty() {
            lines.push(format!("  or another address of this device: {}", others.join(", ")));
        }
    }
    if let Some(why) = &door.why {
        lines.push(why.text.clone());
        lines.push(format!("  {} An invite link: twocan invite", why.fix));
    }
    lines
}

/// A time in minutes and seconds.
fn duration(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// A line that begins with a capital letter.
fn sentence(line: &str) -> String {
    let mut letters = line.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Where a call stands, as a sentence.
fn standing(call: &Call) -> String {
    let name = peer(call);
    match (call.state, call.direction) {
        (CallState::Dialing, _) => format!("Calling {name} …"),
        (CallState::Ringing, Direction::Out) => format!("Ringing at {name}."),
        (CallState::Ringing, Direction::In) => format!("{name} is calling."),
        (CallState::Active, _) if call.reconnecting => {
            format!("Nothing comes from {name} at the moment. Reconnecting …")
        }
        (CallState::Active, _) => format!("Connected with {name}. Ctrl-C hangs up."),
        (CallState::Ended, _) => ended(call),
    }
}

/// Why a call is over, with what to do where there is something to do.
fn ended(call: &Call) -> String {
    let name = peer(call);
    let Some(reason) = &call.reason else {
        return "The call is over.".into();
    };
    let why = reason
        .why
        .as_deref()
        .map(|why| format!(" ({})", why.replace('_', " ")))
        .unwrap_or_default();
    let incoming = call.direction == Direction::In;
    match reason.code.as_str() {
        "hung_up" => "The call is over: hung up.".into(),
        "declined" | "declined_elsewhere" if incoming => format!("The call of {name} was declined."),
        "declined" | "declined_elsewhere" => format!("{name} declined."),
        "answered_elsewhere" => "Another device answered.".into(),
        "busy" if call.stranger.is_some() => {
            format!(
                "{name} lets nobody in at the moment: somebody else rings there, or you rang a moment ago. Try again in a minute."
            )
        }
        "missed" if incoming && call.stranger.is_some() => format!("A call of {name} was missed."),
        "unreachable" if call.stranger.is_some() && reason.why.as_deref() == Some("no_answer") => {
            format!(
                "Nobody answers at {name}: the door there is closed, or calls from here do not get through. Ask for an invite link."
            )
        }
        "busy" => format!("{name} is in another call. Try again later."),
        "missed" if incoming => format!("A call of {name} was missed. Call back with: twocan call"),
        "missed" => format!("{name} did not answer. Try again later."),
        "cancelled" if incoming => format!("{name} gave up."),
        "cancelled" => "The call was given up before it was answered.".into(),
        "unreachable" => format!("{name} cannot be reached{why}. See why with: twocan contacts"),
        "lost" => {
            let after = reason
                .after_s
                .map(|seconds| format!(" after {seconds} s of silence"))
                .unwrap_or_default();
            format!("The connection to {name} was lost{after}. Call again.")
        }
        "glare_merged" => format!("{name} was calling at the same moment: that call goes on."),
        "blocked" => format!("{name} does not take this call."),
        "failed" if reason.why.as_deref() == Some("words_differ") => {
            format!(
                "The safety words differed, so the call with {name} was ended. See what that means: twocan contacts"
            )
        }
        "failed" if reason.why.as_deref() == Some("peer_stopped") => {
            format!("The Twocan of {name} was stopped, or is being restarted. Call again when the dot is green.")
        }
        "failed" => format!("The call failed{why}. Call again."),
        other => format!("The call is over: {}.", other.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
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
}
