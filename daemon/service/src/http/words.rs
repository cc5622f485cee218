//! The sentences about contacts and invites that people read: what is, why, and the one best thing to do.

use twocan_api::Why;
use twocan_core::event::{CallView, FromOutside, NetworkView, WhyNot};
use twocan_core::media::breaker::Trip;
use twocan_core::media::codecs::Codec;
use twocan_core::media::outlet::Held;
use twocan_core::reach::nat_report::{Known, NatKind, Report};
use twocan_core::reach::outlook::{self, Fix, Outlook, Works};
use twocan_core::state::Alarm;

/// The stable code of a reason.
pub(super) const fn why_not_code(why: WhyNot) -> &'static str {
    match why {
        WhyNot::WaitingForInviter => "waiting_for_inviter",
        WhyNot::InviterInSeconds => "inviter_in_seconds",
        WhyNot::InviterInAMinute => "inviter_in_a_minute",
        WhyNot::InviterInMinutes => "inviter_in_minutes",
        WhyNot::Contested => "contested",
        WhyNot::Searching => "searching",
        WhyNot::NoAnswer => "no_answer",
        WhyNot::NeedsRelay => "needs_relay",
        WhyNot::NoAddress => "no_address",
        WhyNot::WentAway => "went_away",
        WhyNot::Silent => "silent",
        WhyNot::WillNotRing => "will_not_ring",
        WhyNot::Blocked => "blocked",
    }
}

/// Why the dot of the contact called `name` is not green.
pub(super) fn why_not(why: WhyNot, name: &str) -> Why {
    let (text, fix) = match why {
        WhyNot::WaitingForInviter => (
            format!("Waiting for {name} to come online."),
            format!(
                "Leave Twocan running; the rest happens by itself. If {name} is online and nothing happens, send the reply link back."
            ),
        ),
        WhyNot::InviterInSeconds => (
            format!("{name} is being looked for: this takes a few seconds."),
            "Wait a moment.".to_owned(),
        ),
        WhyNot::InviterInAMinute => (
            format!("{name} is being looked for: this takes a minute."),
            "Wait a moment.".to_owned(),
        ),
        WhyNot::InviterInMinutes => (
            format!("{name} is being looked for: with an older link this takes up to six minutes."),
            format!("Leave Twocan running, and ask {name} to do the same."),
        ),
        WhyNot::Contested => (
            format!("Somebody else tried to use the same invite as {name}."),
            format!("Ask {name} over another channel whether that was a friend, then keep or delete the contact."),
        ),
        WhyNot::Searching => (
            format!("A path to {name} is being looked for."),
            "Wait a few seconds.".to_owned(),
        ),
        WhyNot::NoAnswer => (
            format!("The device of {name} does not answer at any address where it was seen."),
            format!("Ask {name} to check that Twocan is running and the device is online."),
        ),
        WhyNot::NeedsRelay => (
            format!(
                "Your router and that of {name} both give every destination another port, so neither can be found."
            ),
            "Turn on UPnP or PCP in one of the two routers, or use a network of another provider on one side."
                .to_owned(),
        ),
        WhyNot::NoAddress => (
            format!("No address of {name} is known."),
            format!("Send {name} a new invite, or ask {name} for one."),
        ),
        WhyNot::WentAway => (
            format!("The device of {name} said that it was going away."),
            format!("Wait until {name} is back; the dot turns green by itself."),
        ),
        WhyNot::Silent => (
            format!("The path to {name} has gone silent and is being tried again."),
            "Wait a few seconds.".to_owned(),
        ),
        WhyNot::WillNotRing => (
            format!("The device of {name} is set not to ring."),
            "Try again later.".to_owned(),
        ),
        WhyNot::Blocked => (
            format!("You have blocked {name}, who sees you as switched off."),
            format!("Unblock {name} to talk again."),
        ),
    };
    Why {
        code: why_not_code(why).to_owned(),
        text,
        fix,
    }
}

/// The name of a video format, as session descriptions have it.
pub(super) fn format(codec: Codec) -> String {
    codec.rtpmap().split('/').next().unwrap_or_default().to_owned()
}

/// Why one's own picture does not reach the far side of a call.
pub(super) fn picture_held(why: Held, call: &CallView) -> Why {
    let who = Some(call.peer_name.as_str()).filter(|name| !name.is_empty());
    let who = who.unwrap_or("the other side");
    match why {
        Held::NotShown(codec) => {
            let takes = call.peer_takes.unwrap_or_default();
            let shown: Vec<_> = takes.iter().map(format).collect();
            let fix = if shown.is_empty() {
                format!("Go on by voice, or ask {who} to join with a browser.")
            } else {
                format!(
                    "Send {} instead, or ask {who} to join with a browser.",
                    shown.join(" or ")
                )
            };
            Why {
                code: "format_not_shown".to_owned(),
                text: format!(
                    "Your picture is {}, which the device of {who} cannot show.",
                    format(codec)
                ),
                fix,
            }
        }
        Held::Cut(Trip::Overload) => Why {
            code: "path_overloaded".to_owned(),
            text: format!("Your picture was stopped, because the path to {who} carries only a small part of it."),
            fix: "It is tried again in a moment. A lower bit rate in the program that sends it would help; your voice goes on."
                .to_owned(),
        },
        Held::Cut(Trip::NothingArrives) => Why {
            code: "picture_not_arriving".to_owned(),
            text: format!("Your picture was stopped, because nothing of it reaches {who}."),
            fix: "It is tried again in a moment; your voice goes on.".to_owned(),
        },
        Held::Cut(Trip::Silence) => Why {
            code: "nobody_watching".to_owned(),
            text: format!("Your picture was stopped, because nobody at the end of {who} has said for a while that it arrives."),
            fix: "It goes on as soon as somebody is there again.".to_owned(),
        },
    }
}

/// What speaks against the contact called `name`.
pub(super) fn alarm(alarm: Alarm, name: &str) -> Why {
    let (code, text, fix) = match alarm {
        Alarm::WordsDiffer => (
            "words_differ",
            format!(
                "Your safety words and those of {name} were different: somebody may be sitting between you and hear everything."
            ),
            format!(
                "Say nothing confidential here. Meet {name} or use another channel; if the words differ again, delete the contact and exchange a new invite."
            ),
        ),
        Alarm::OtherRoot => (
            "other_root",
            format!("A device that belongs to {name} showed the key of another person, and was turned away."),
            format!(
                "Ask {name} over another channel. If Twocan was set up anew there, delete the contact, exchange a new invite and compare safety words; if not, somebody is pretending to be {name}."
            ),
        ),
    };
    Why {
        code: code.to_owned(),
        text,
        fix,
    }
}

/// The wall clock of the contact called `name` and ours are `by_s` seconds apart.
pub(super) fn clocks_apart(name: &str, by_s: u64) -> Why {
    Why {
        code: "clocks_apart".to_owned(),
        text: format!(
            "The clocks of this computer and of {name}'s are about {} apart.",
            span(by_s)
        ),
        fix: format!(
            "Set date and time right where they are wrong, here or at {name}'s; until then links run out too early or too late."
        ),
    }
}

/// A long time, rounded to hours or days.
fn span(seconds: u64) -> String {
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;
    let rounded = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    match (rounded(DAY), rounded(HOUR)) {
        (_, 0..=1) => "an hour".to_owned(),
        (_, hours @ 2..=23) => format!("{hours} hours"),
        (0..=1, _) => "a day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}

/// Somebody else tried to redeem the invite that made this contact.
pub(super) fn contested(name: &str) -> Why {
    why_not(WhyNot::Contested, name)
}

/// Whether a stranger's call finds its way here is not known.
pub(super) fn door_unknown() -> Why {
    Why {
        code: "reach_unknown".to_owned(),
        text: "Whether somebody outside your network gets through to this device is not known: routers often stop such calls."
            .to_owned(),
        fix: "Try it; and if nothing rings here, send an invite link instead.".to_owned(),
    }
}

/// No stranger's call finds its way here.
pub(super) fn door_shut_off() -> Why {
    Why {
        code: "loopback_only".to_owned(),
        text: "Twocan listens on this machine alone, so nobody else can ring.".to_owned(),
        fix: "Start it without `--udp 127.0.0.1`, or send an invite link.".to_owned(),
    }
}

/// No stranger's call gets through the router.
pub(super) fn door_behind_nat() -> Why {
    Why {
        code: "router_shut".to_owned(),
        text: "Your router lets nobody in who was not called first, so this address does not work from outside.".to_owned(),
        fix: "Send an invite link instead: a link works where an address does not. Or turn on UPnP, NAT-PMP or PCP in your router."
            .to_owned(),
    }
}

/// What an own address that may not be reached means for a link; nothing where it can.
pub(super) fn invite_from_outside(from_outside: FromOutside) -> Option<Why> {
    let (code, text) = match from_outside {
        FromOutside::Yes => return None,
        FromOutside::No => ("address_shut", "Your address cannot be reached from outside."),
        FromOutside::Unknown => (
            "address_unknown",
            "Whether your address can be reached from outside is not known.",
        ),
    };
    Some(Why {
        code: code.to_owned(),
        text: text.to_owned(),
        fix: "Send the link all the same: a link works where an address does not, for both sides then look for a way."
            .to_owned(),
    })
}

/// What one's own network comes to.
pub(super) fn network(network: &NetworkView) -> Why {
    let report = &network.report;
    let is_loopback = network.from_outside == FromOutside::No
        && report
            .candidates
            .iter()
            .all(|candidate| candidate.at.ip().is_loopback());
    let (code, text) = match (network.from_outside, report.translated, report.kind()) {
        _ if is_loopback => (
            "loopback_only",
            "Twocan listens on this machine alone, so nobody else can reach it.",
        ),
        (FromOutside::Yes, _, _) => (
            "open",
            "This device can be reached from outside: everybody gets through to you.",
        ),
        (_, Known::No, _) => (
            "public",
            "This device has a public address of its own; a firewall may still keep strangers out.",
        ),
        (_, _, NatKind::Easy) => (
            "easy",
            "Your router is easy: contacts get through to you, unless theirs is hard and yours maps no port.",
        ),
        (_, _, NatKind::Hard) => (
            "hard",
            "Your router is hard: it shows a different address to everybody, so a way has to be guessed, or lead through somebody in between.",
        ),
        (_, _, NatKind::Unknown) if network.checking => ("checking", "Your network is being looked at."),
        (_, _, NatKind::Unknown) if outlook::own_fix(report) == Some(Fix::LetStunAnswer) => (
            "no_answer",
            "No STUN server answered: this device is offline, or its network lets no UDP through.",
        ),
        (_, _, NatKind::Unknown) => (
            "unknown",
            "What your router is like is not known: too few have said where they see you.",
        ),
    };
    let fix = match outlook::own_fix(report).filter(|_| !is_loopback) {
        Some(fix) => fix_words(fix, "your contact"),
        None => "Nothing to do.".to_owned(),
    };
    Why {
        code: code.to_owned(),
        text: text.to_owned(),
        fix,
    }
}

/// What two NATs mean for a path to the contact called `name`.
pub(super) fn outlook(own: &Report, theirs: NatKind, outlook: Outlook, name: &str) -> Why {
    let kind = |kind: NatKind| match kind {
        NatKind::Easy => "easy",
        NatKind::Hard => "hard",
        NatKind::Unknown => "not known",
    };
    let (code, works) = match outlook.works {
        Works::Now => ("works", "it works"),
        Works::Soon => ("soon", "a path is found within seconds when both of you are up"),
        Works::Slowly => ("slowly", "a path takes some seconds of guessing"),
        Works::Relay => ("relay", "only somebody in between can connect you"),
        Works::Unknown => ("unknown", "what comes of that is not known"),
    };
    Why {
        code: code.to_owned(),
        text: format!(
            "Your router: {}; {name}'s: {}; {works}.",
            kind(own.kind()),
            kind(theirs)
        ),
        fix: outlook
            .fix
            .map_or_else(|| "Nothing to do.".to_owned(), |fix| fix_words(fix, name)),
    }
}

fn fix_words(fix: Fix, name: &str) -> String {
    match fix {
        Fix::AllowPortMapping => {
            "Let Twocan ask your router for a port: set port_mapping = true under [network] in config.toml.".to_owned()
        }
        Fix::TurnOnPortMapping => "Turn on UPnP (or NAT-PMP, or PCP) in your router.".to_owned(),
        Fix::LeaveDoubleNat => {
            "There is a second router before yours: connect to the first one, or ask your provider for an address of your own.".to_owned()
        }
        Fix::TheirPortMapping => format!("Ask {name} to turn on UPnP (or NAT-PMP, or PCP) in the router there."),
        Fix::LetStunAnswer => "Check that this device is online, and that its network lets UDP through.".to_owned(),
    }
}

/// The message that carries an invite. Everything after the first line is ignored by those who paste it.
pub(super) fn invite_text(link: &str) -> String {
    format!("Call me: {link}\nnot clickable? copy it into Twocan; how to get it: ask me\n")
}

/// A problem as a page of its own, for a person whose browser may not come in. It loads nothing.
pub(super) fn problem_page(title: &str, detail: &str) -> String {
    let (title, detail) = (escaped(title), escaped(detail));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Twocan</title>\n\
         <h1>Twocan</h1>\n<p>{title}</p>\n<p>{detail}</p>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
