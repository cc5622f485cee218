//! The menu of every situation, written out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use twocan_api::{CallState, Direction, Why};

use super::*;
use crate::state::tests::{call, contact, up};

/// A menu as text: a line an item, its key behind it, levels by indentation.
fn lines(items: &[Item]) -> Vec<String> {
    let mut lines = Vec::new();
    for item in items {
        match item {
            Item::Rule => lines.push("--".to_owned()),
            Item::Note(text) => lines.push(format!("({text})")),
            Item::Act { label, act, enabled } => {
                let off = if *enabled { "" } else { " off" };
                lines.push(format!("{label} [{}]{off}", act.key()));
            }
            Item::Check { label, act, on } => {
                let mark = if *on { "x" } else { " " };
                lines.push(format!("{mark} {label} [{}]", act.key()));
            }
            Item::Sub { label, items } => {
                lines.push(format!("{label}:"));
                lines.extend(self::lines(items).iter().map(|line| format!("  {line}")));
            }
        }
    }
    lines
}

fn shown(state: &State) -> Vec<String> {
    lines(&menu(state, &Settings::default()))
}

/// The lines before the first rule.
fn head(state: &State) -> Vec<String> {
    shown(state).into_iter().take_while(|line| line != "--").collect()
}

#[test]
fn at_rest() {
    let mut bob = contact("bob", "Bob", Reachable::No);
    bob.why = Some(Why {
        code: "silent".into(),
        text: "Bob's Twocan does not answer.".into(),
        fix: String::new(),
    });
    let state = up(vec![bob, contact("ann", "Ann", Reachable::Yes)]);
    assert_eq!(
        shown(&state),
        [
            "● Ann:",
            "  Video call [video:ann]",
            "  Voice call [voice:ann]",
            "○ Bob:",
            "  Video call [video:bob] off",
            "  Voice call [voice:bob] off",
            "  (Bob's Twocan does not answer.)",
            "--",
            "Copy my Call-me link [copy-link]",
            "Call the link in my clipboard [call-clipboard]",
            "--",
            "  Do not disturb [do-not-disturb]",
            "Ring sound:",
            "    Loud [ring:100]",
            "  x Medium [ring:60]",
            "    Soft [ring:25]",
            "    Silent [ring:0]",
            "--",
            "Open Twocan [open]",
            "Check my network [doctor]",
            "(Your key lies in a file, unprotected)",
            "--",
            "Close this icon; Twocan goes on [quit]",
        ]
    );
}

#[test]
fn what_rings_stands_first() {
    let mut state = up(vec![contact("ann", "Ann", Reachable::Yes)]);
    state.calls = vec![call("c", Direction::In, CallState::Ringing)];
    assert_eq!(
        head(&state),
        [
            "(Ann is calling)",
            "Answer [answer:c]",
            "Answer without camera [answer-voice:c]",
            "Decline [decline:c]",
        ]
    );
}

#[test]
fn a_voice_call_has_no_camera_to_leave_out() {
    let mut state = up(Vec::new());
    let mut ring = call("c", Direction::In, CallState::Ringing);
    ring.media.video = false;
    state.calls = vec![ring];
    assert_eq!(
        head(&state),
        ["(Ann is calling)", "Answer [answer:c]", "Decline [decline:c]"]
    );
}

#[test]
fn a_call_can_be_shown_and_hung_up_and_no_other_begun() {
    let mut state = up(vec![contact("ann", "Ann", Reachable::Yes)]);
    state.calls = vec![call("c", Direction::Out, CallState::Active)];
    assert_eq!(
        head(&state),
        ["(In a call with Ann)", "Show the call [show:c]", "Hang up [hang-up:c]"]
    );
    assert!(shown(&state).contains(&"  Video call [video:ann] off".to_owned()));
    assert!(shown(&state).contains(&"  (You are in a call already)".to_owned()));
    state.calls = vec![call("c", Direction::Out, CallState::Ringing)];
    assert_eq!(head(&state).first().unwrap(), "(Calling Ann)");
}

#[test]
fn a_second_caller_stands_before_the_call() {
    let mut state = up(Vec::new());
    state.calls = vec![
        call("a", Direction::Out, CallState::Active),
        call("b", Direction::In, CallState::Ringing),
    ];
    let head = head(&state);
    let place = |key: &str| head.iter().position(|line| line.contains(key)).unwrap();
    assert!(place("[answer:b]") < place("[hang-up:a]"));
}

#[test]
fn missed_calls_are_listed_and_ended_ones_are_not() {
    let mut state = up(Vec::new());
    let mut missed = call("m", Direction::In, CallState::Ended);
    missed.missed = true;
    state.calls = vec![missed, call("e", Direction::In, CallState::Ended)];
    assert_eq!(head(&state), ["Missed call from Ann [show:m]"]);
}

#[test]
fn nobody_who_would_not_ring_can_be_called() {
    let pending = Contact {
        state: ContactState::Pending,
        ..contact("p", "Pia", Reachable::Yes)
    };
    let contested = Contact {
        state: ContactState::Contested,
        ..contact("c", "Cleo", Reachable::Yes)
    };
    let blocked = Contact {
        blocked: true,
        ..contact("b", "Bob", Reachable::Yes)
    };
    let checking = contact("d", "Dora", Reachable::Checking);
    let state = up(vec![pending, contested, blocked, checking]);
    let offered = acts(&menu(&state, &Settings::default()));
    assert!(
        !offered.iter().any(|act| matches!(act, Act::Call { .. })),
        "{offered:?}"
    );
}

#[test]
fn many_people_do_not_fill_the_screen() {
    let people = (0..40).map(|n| contact(&format!("{n:02}"), &format!("N{n:02}"), Reachable::Yes));
    let state = up(people.collect());
    let items = menu(&state, &Settings::default());
    let top = items.iter().filter(|item| matches!(item, Item::Sub { .. })).count();
    assert_eq!(top, PEOPLE + 2, "people, the others, and the ring");
    let calls = acts(&items)
        .iter()
        .filter(|act| matches!(act, Act::Call { .. }))
        .count();
    assert_eq!(calls, 80);
}

#[test]
fn no_two_lines_mean_the_same_key() {
    let mut state = up((0..30)
        .map(|n| contact(&n.to_string(), "Same", Reachable::Yes))
        .collect());
    state.calls = vec![
        call("a", Direction::In, CallState::Ringing),
        call("b", Direction::In, CallState::Ringing),
    ];
    let mut keys: Vec<String> = acts(&menu(&state, &Settings::default())).iter().map(Act::key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn without_a_daemon_there_is_little() {
    let mut state = up(vec![contact("ann", "Ann", Reachable::Yes)]);
    state.is_ours = true;
    state.daemon(Daemon::Starting);
    assert_eq!(shown(&state), ["(Twocan is starting …)", "--", "Quit [quit]"]);
    state.daemon(Daemon::Gone);
    assert_eq!(
        shown(&state),
        ["(Twocan is not running)", "Start Twocan [start]", "--", "Quit [quit]"]
    );
    state.daemon(Daemon::Waits(Why {
        code: "keyring_locked".into(),
        text: "Twocan waits for your keyring to be unlocked.".into(),
        fix: "Unlock it.".into(),
    }));
    assert_eq!(
        shown(&state),
        [
            "(Twocan waits for your keyring to be unlocked.)",
            "(Unlock it.)",
            "--",
            "Quit [quit]"
        ]
    );
    state.daemon(Daemon::Failed("Port 2227 is held by another program.".into()));
    assert_eq!(
        shown(&state),
        [
            "(Twocan does not start)",
            "(Port 2227 is held by another program.)",
            "Start Twocan [start]",
            "--",
            "Quit [quit]"
        ]
    );
}

#[test]
fn a_silent_configuration_leaves_no_loudness_to_choose() {
    let mut state = up(Vec::new());
    assert!(shown(&state).contains(&"Ring sound:".to_owned()));
    state.status.as_mut().unwrap().ring_sound = false;
    let lines = shown(&state);
    assert!(
        lines.contains(&"(Ring sound is off in config.toml)".to_owned()),
        "{lines:?}"
    );
    assert!(!lines.contains(&"Ring sound:".to_owned()), "{lines:?}");
}

#[test]
fn quitting_says_what_it_ends() {
    let mut state = up(Vec::new());
    state.is_ours = true;
    assert_eq!(shown(&state).last().unwrap(), "Quit [quit]");
    state.calls = vec![call("c", Direction::Out, CallState::Active)];
    assert_eq!(shown(&state).last().unwrap(), "Hang up and quit [quit]");
}

#[test]
fn do_not_disturb_is_ticked() {
    let mut state = up(Vec::new());
    state.status.as_mut().unwrap().presence = Presence::DoNotDisturb;
    assert!(shown(&state).contains(&"x Do not disturb [available]".to_owned()));
}

#[test]
fn a_name_cannot_pass_for_another_line() {
    let state = up(vec![contact("x", "Eve\nQuit\u{202e}", Reachable::Yes)]);
    assert_eq!(head(&state).first().unwrap(), "● EveQuit:");
}
