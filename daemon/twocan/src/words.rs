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
mod tests;
