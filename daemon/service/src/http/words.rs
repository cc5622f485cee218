//! The sentences about contacts and invites that people read: what is, why, and the one best thing to do.

use twocan_api::Why;
use twocan_core::event::WhyNot;
use twocan_core::state::Alarm;

/// The stable code of a reason.
pub(super) const fn why_not_code(why: WhyNot) -> &'static str {
    match why {
        WhyNot::WaitingForInviter => "waiting_for_inviter",
        WhyNot::Contested => "contested",
        WhyNot::Searching => "searching",
        WhyNot::NoAnswer => "no_answer",
        WhyNot::NoAddress => "no_address",
        WhyNot::WentAway => "went_away",
        WhyNot::Silent => "silent",
        WhyNot::WillNotRing => "will_not_ring",
        WhyNot::Blocked => "blocked",
        WhyNot::NoRelay => "no_relay",
    }
}

/// Why the dot of the contact called `name` is not green.
pub(super) fn why_not(why: WhyNot, name: &str) -> Why {
    let (text, fix) = match why {
        WhyNot::WaitingForInviter => (
            format!("{name} has not confirmed the invite yet."),
            format!("Ask {name} to start Twocan; the rest happens by itself."),
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
        WhyNot::NoRelay => (
            format!("{name} is to be reached through a relay alone, and there is none at the moment."),
            format!(
                "Ask a friend of you both to let you two use their device, or set up a relay server; or stop hiding your address from {name}."
            ),
        ),
    };
    Why {
        code: why_not_code(why).to_owned(),
        text,
        fix,
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

/// The relay server of the configuration gives no address.
pub(super) fn relay_server_fails() -> Why {
    Why {
        code: "relay_server_fails".to_owned(),
        text: "Your relay server was needed and is of no use at the moment.".to_owned(),
        fix: "Check address, name and password under [relay] in config.toml, and the server. The log says more; Twocan tries again every minute.".to_owned(),
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
