//! The commands as processes, against a daemon made of canned answers: exit codes, what goes to which output, signals.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod alone;
mod fake;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Child;

use fake::{Fake, Hub, Ran, call, contact, list, problem, status, twocan};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// A daemon on which `POST /v1/calls` announces these states of the call.
fn calls(states: &'static [(&'static str, &'static str)]) -> Fake {
    Fake::start(move |hub, method, path, _| match (method, path) {
        ("POST", "/v1/calls") => {
            for (state, reason) in states {
                hub.call_states(&[(state, reason_of(reason))]);
            }
            (201, call("c1", "out", "dialing", &Value::Null))
        }
        _ => panic!("{method} {path}"),
    })
}

fn reason_of(code: &str) -> Value {
    if code.is_empty() {
        Value::Null
    } else {
        json!({"code": code})
    }
}

/// Reads standard error until a line contains this.
fn wait_for(child: &mut Child, text: &str) -> BufReader<std::process::ChildStderr> {
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "{text} never came");
    }
    reader
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[test]
fn without_a_daemon_every_command_ends_with_three() {
    let home = tempfile::tempdir().unwrap();
    for line in [
        "status",
        "invite",
        "add twocan:x",
        "contacts",
        "calls",
        "call Ann",
        "answer",
        "hangup",
        "events",
    ] {
        let ran = Ran::of(twocan(home.path(), line).wait_with_output().unwrap());
        assert_eq!(ran.code, Some(3), "{line}");
        assert!(ran.out.is_empty() && ran.err.contains("twocan up"), "{line}: {ran:?}");
    }
}

#[test]
fn json_is_exactly_the_body_in_either_place() {
    let fake = Fake::start(|_, _, _, _| (200, status()));
    for line in ["--json status", "status --json"] {
        let ran = fake.run(line);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(0), format!("{}\n", status()).as_str())
        );
    }
    let ran = fake.run("status");
    assert!(ran.out.contains("The key is a file."), "{ran:?}");
}

#[test]
fn lists_are_the_api_s_lists() {
    let fake = Fake::start(|_, _, path, _| match path {
        "/v1/contacts" => (200, list(&[contact("k1", "Ann", "accepted")])),
        "/v1/calls" => (200, list(&[])),
        _ => panic!("{path}"),
    });
    assert_eq!(
        fake.run("contacts --json").json(),
        list(&[contact("k1", "Ann", "accepted")])
    );
    assert_eq!(fake.run("calls --json").json(), list(&[]));
    assert_eq!(fake.run("contacts").out, "●  Ann  yes\n");
}

#[test]
fn an_answered_call_is_done_and_its_last_body_printed() {
    let fake = calls(&[("ringing", ""), ("active", ""), ("ended", "hung_up")]);
    let ran = fake.run("call Ann --json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json(), call("c1", "out", "ended", &json!({"code": "hung_up"})));
    assert!(ran.err.contains("Connected"), "{ran:?}");
}

#[test]
fn a_call_that_was_not_answered_says_why_by_its_code() {
    assert_eq!(
        calls(&[("ringing", ""), ("ended", "declined")]).run("call Ann").code,
        Some(5)
    );
    assert_eq!(
        calls(&[("ringing", ""), ("ended", "busy")]).run("call Ann").code,
        Some(5)
    );
    assert_eq!(
        calls(&[("ringing", ""), ("ended", "missed")]).run("call Ann").code,
        Some(5)
    );
    assert_eq!(calls(&[("ended", "unreachable")]).run("call Ann").code, Some(4));
    assert_eq!(
        calls(&[("ringing", ""), ("ended", "failed")]).run("call Ann").code,
        Some(1)
    );
}

#[test]
fn a_refused_call_ends_by_its_problem_and_prints_it() {
    for (status, code, exit) in [
        (409, "ambiguous", 2),
        (404, "no_such_contact", 1),
        (409, "unreachable", 4),
    ] {
        let fake = Fake::start(move |_, _, _, _| problem(status, code));
        let ran = fake.run("--json call Ann");
        assert_eq!(ran.code, Some(exit), "{code}");
        assert_eq!(ran.json(), problem(status, code).1);
        assert!(ran.err.contains("Do that."), "{ran:?}");
        assert_eq!(fake.run("call Ann").out, "");
    }
}

#[test]
fn a_signal_hangs_up_and_waits_for_the_end() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let fake = Fake::start(|hub, _, path, _| match path {
            "/v1/calls" => {
                hub.call_states(&[("ringing", Value::Null)]);
                (201, call("c1", "out", "dialing", &Value::Null))
            }
            "/v1/calls/c1/hangup" => {
                hub.call_states(&[("ended", json!({"code": "cancelled"}))]);
                (200, call("c1", "out", "ringing", &Value::Null))
            }
            _ => panic!("{path}"),
        });
        let mut child = fake.spawn("call Ann --json");
        let stderr = wait_for(&mut child, "Ringing");
        send(&child, signal);
        let ran = Ran::of(child.wait_with_output().unwrap());
        drop(stderr);
        assert_eq!(ran.code, Some(1));
        assert_eq!(ran.json()["reason"]["code"], "cancelled");
    }
}

#[test]
fn a_detached_call_returns_at_once() {
    let fake = calls(&[]);
    let ran = fake.run("call Ann --detach --json");
    assert_eq!(
        (ran.code, ran.json()),
        (Some(0), call("c1", "out", "dialing", &Value::Null))
    );
}

#[test]
fn after_glare_the_other_call_is_the_one_that_counts() {
    let fake = Fake::start(|hub, _, path, _| match path {
        "/v1/calls/c2" | "/v1/calls/c2/" => {
            hub.announce("call", &call("c2", "in", "ended", &json!({"code": "hung_up"})));
            (200, call("c2", "in", "active", &Value::Null))
        }
        "/v1/calls" if hub.asked().len() == 1 => {
            hub.call_states(&[("ended", json!({"code": "glare_merged"}))]);
            (201, call("c1", "out", "dialing", &Value::Null))
        }
        "/v1/calls" => (200, list(&[call("c2", "in", "active", &Value::Null)])),
        _ => panic!("{path}"),
    });
    let ran = fake.run("call Ann --json");
    assert_eq!((ran.code, &ran.json()["id"]), (Some(0), &json!("c2")), "{ran:?}");
}

#[test]
fn a_daemon_that_goes_away_ends_the_command() {
    let fake = Fake::start(|hub, _, path, _| match path {
        "/v1/calls" => {
            hub.call_states(&[("ringing", Value::Null)]);
            (201, call("c1", "out", "dialing", &Value::Null))
        }
        _ => panic!("{path}"),
    });
    let mut child = fake.spawn("call Ann --json");
    let stderr = wait_for(&mut child, "Ringing");
    drop(fake);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    drop(stderr);
}

/// The answers to a call with the clip, once it is active.
fn clip_answers(hub: &Hub, path: &str) -> (u16, Value) {
    match path {
        "/v1/calls/c1/clip" => {
            let stats = json!({
                "answer_to_media_ms": 9.5, "rtt_ms": 0.5, "audio_packets": 50, "video_frames": 30, "video_fps": 30.0,
                "lost_packets": 0, "path": "lan", "done": true,
            });
            (200, stats)
        }
        "/v1/calls/c1/hangup" => {
            let ended = call("c1", "out", "ended", &json!({"code": "hung_up"}));
            hub.announce("call", &ended);
            (200, ended)
        }
        _ => panic!("{path}"),
    }
}

#[test]
fn a_headless_call_plays_the_clip_hangs_up_and_reports() {
    let fake = Fake::start(|hub, method, path, body| match (method, path) {
        ("POST", "/v1/calls") => (201, call("c1", "out", "dialing", &Value::Null)),
        ("POST", "/v1/calls/c1/clip") => {
            assert_eq!(body, r#"{"seconds":1}"#);
            hub.call_states(&[("ringing", Value::Null), ("active", Value::Null)]);
            (201, json!({}))
        }
        _ => clip_answers(hub, path),
    });
    let ran = fake.run("call Ann --headless --seconds 1 --json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let body = ran.json();
    assert_eq!(
        (&body["id"], &body["state"], &body["reason"]["code"]),
        (&json!("c1"), &json!("ended"), &json!("hung_up"))
    );
    assert_eq!((&body["video_frames"], &body["path"]), (&json!(30), &json!("lan")));
    assert!(body["ringing_ms"].is_u64(), "{body}");
    assert_eq!(
        fake.hub
            .asked()
            .iter()
            .filter(|asked| asked.ends_with("hangup"))
            .count(),
        1
    );
}

#[test]
fn a_clip_that_cannot_be_attached_ends_the_call() {
    let fake = Fake::start(|hub, method, path, _| match (method, path) {
        ("POST", "/v1/calls") => {
            hub.call_states(&[("active", Value::Null)]);
            (201, call("c1", "out", "dialing", &Value::Null))
        }
        ("POST", "/v1/calls/c1/clip") => problem(409, "too_many_legs"),
        _ => clip_answers(hub, path),
    });
    assert_eq!(fake.run("call Ann --headless --json").code, Some(1));
    assert!(fake.hub.asked().contains(&"POST /v1/calls/c1/hangup".to_owned()));
}

#[test]
fn answer_takes_the_only_ringing_call_and_returns_at_active() {
    let fake = Fake::start(|hub, _, path, _| match path {
        "/v1/calls" => (200, list(&[call("c1", "in", "ringing", &Value::Null)])),
        "/v1/calls/c1" => (200, call("c1", "in", "ringing", &Value::Null)),
        "/v1/calls/c1/answer" => {
            hub.announce("call", &call("c1", "in", "active", &Value::Null));
            (200, call("c1", "in", "ringing", &Value::Null))
        }
        _ => panic!("{path}"),
    });
    let ran = fake.run("answer --json");
    assert_eq!(
        (ran.code, ran.json()),
        (Some(0), call("c1", "in", "active", &Value::Null))
    );
}

#[test]
fn none_to_answer_fails_and_several_are_a_usage_error() {
    let none = Fake::start(|_, _, _, _| (200, list(&[call("c1", "out", "ringing", &Value::Null)])));
    assert_eq!(none.run("answer").code, Some(1));
    assert_eq!(none.run("decline").code, Some(1));
    let two = Fake::start(|_, _, _, _| {
        let ringing = |id| call(id, "in", "ringing", &Value::Null);
        (200, list(&[ringing("c1"), ringing("c2")]))
    });
    assert_eq!(two.run("answer").code, Some(2));
    assert_eq!(two.run("hangup").code, Some(1));
}

#[test]
fn decline_and_hangup_print_the_end() {
    let fake = Fake::start(|_, _, path, _| match path {
        "/v1/calls/c1" => (200, call("c1", "in", "ringing", &Value::Null)),
        "/v1/calls/c1/decline" => (200, call("c1", "in", "ended", &json!({"code": "declined"}))),
        "/v1/calls/c1/hangup" => (200, call("c1", "in", "ended", &json!({"code": "hung_up"}))),
        _ => problem(404, "no_such_call"),
    });
    assert_eq!(fake.run("decline c1 --json").json()["reason"]["code"], "declined");
    assert_eq!(fake.run("hangup c1 --json").json()["reason"]["code"], "hung_up");
    assert_eq!(fake.run("hangup c9").code, Some(1));
}

#[test]
fn add_waits_until_both_sides_hold_the_contact() {
    let fake = Fake::start(|hub, _, _, body| {
        assert_eq!(body, r#"{"link":"Call me: twocan:abc","name":"Ann"}"#);
        hub.announce("contact", &contact("k0", "Bob", "accepted"));
        hub.announce("contact", &contact("k1", "Ann", "accepted"));
        (201, contact("k1", "Ann", "pending"))
    });
    let ran = fake.run("add Call me: twocan:abc --name Ann --json");
    assert_eq!((ran.code, ran.json()), (Some(0), contact("k1", "Ann", "accepted")));
}

#[test]
fn a_refused_link_fails_and_says_why() {
    let fake = Fake::start(|hub, _, _, _| {
        let why = json!({"code": "invite_used", "text": "Used already.", "fix": "Ask for a new one."});
        hub.announce("contact_removed", &json!({"id": "k1", "why": why}));
        (201, contact("k1", "Ann", "pending"))
    });
    let ran = fake.run("add twocan:abc --json");
    assert_eq!((ran.code, &ran.json()["why"]["code"]), (Some(1), &json!("invite_used")));
    assert!(ran.err.contains("Ask for a new one."));
    let damaged = Fake::start(|_, _, _, _| problem(422, "invite_damaged"));
    assert_eq!(damaged.run("add nonsense").code, Some(1));
}

#[test]
fn add_reads_a_mail_from_standard_input() {
    let fake = Fake::start(|_, _, _, body| {
        assert_eq!(body, r#"{"link":"> Call me:\n> twocan:abc"}"#);
        (200, contact("k1", "Ann", "accepted"))
    });
    let mut child = fake.spawn("add - --json");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"> Call me:\n> twocan:abc")
        .unwrap();
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, Some(0));
}

#[test]
fn ping_resolves_the_name_itself() {
    let fake = Fake::start(|_, _, path, _| match path {
        "/v1/contacts" => (
            200,
            list(&[contact("k1", "Ann", "accepted"), contact("k2", "Anna", "accepted")]),
        ),
        "/v1/contacts/k1/ping" => (200, json!({"rtt_ms": 4})),
        _ => panic!("{path}"),
    });
    assert_eq!(fake.run("ping Ann --json").json(), json!({"rtt_ms": 4}));
    assert_eq!(fake.run("ping an").code, Some(2));
    assert_eq!(fake.run("ping Bob").code, Some(1));
}

#[test]
fn events_are_one_line_each_until_a_signal() {
    let fake = Fake::start(|_, _, path, _| panic!("{path}"));
    let mut child = fake.spawn("events --json");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        (&first["name"], &first["data"]["status"]),
        (&json!("snapshot"), &status())
    );
    send(&child, Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn invite_prints_the_message_and_open_the_address() {
    let fake = Fake::start(|_, _, path, body| match path {
        "/v1/invites" => {
            assert_eq!(body, "{}");
            (
                201,
                json!({"id": "i", "link": "twocan:x", "text": "Call me: twocan:x", "expires_at": "2030-01-01T00:00:00Z"}),
            )
        }
        "/v1/page" => (
            200,
            json!({"url": "http://127.0.0.1:3/enter/x", "expires_at": "2030-01-01T00:00:00Z"}),
        ),
        _ => panic!("{path}"),
    });
    let ran = fake.run("invite");
    assert_eq!(
        (ran.out.as_str(), ran.err.contains("once")),
        ("Call me: twocan:x\n", true)
    );
    assert_eq!(fake.run("invite --json").json()["link"], "twocan:x");
    assert_eq!(fake.run("open").out, "http://127.0.0.1:3/enter/x\n");
}
