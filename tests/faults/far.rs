//! The far side is gone, for good or for a while, and so is oneself.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::time::Instant;
use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::running::Running;

/// Silence shows after 5 s.
const RECONNECTING: Duration = Duration::from_secs(8);
/// A silent call is lost after 30 s.
const LOST: Duration = Duration::from_secs(34);
/// How long the suspended machine sleeps: more than it takes to lose a call, and to stop being green.
const ASLEEP: Duration = Duration::from_secs(35);
/// Who woke is green again within this.
const AWAKE: Duration = Duration::from_secs(10);
/// How long nobody answers the one who woke.
const ALONE: Duration = Duration::from_secs(2);

fn signal(home: &Home, signal: Signal) {
    kill(Pid::from_raw(home.pid()), signal).unwrap();
}

async fn pair() -> (Home, Home) {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    (ann, bob)
}

/// `from` calls `to` by the command, which goes on, and is answered.
async fn talk(from: &Home, to: &Home) -> (Running, Value) {
    let command = from.begin(&["call", to.name()]);
    let ring = to.call("a ring", GREEN * 5, |call| call["state"] == "ringing").await;
    to.json(&["answer"]).await;
    let id = ring["id"].clone();
    from.call("a call", GREEN * 5, |call| {
        call["id"] == id && call["state"] == "active"
    })
    .await;
    (command, ring)
}

/// The page says so as soon as it is known, and how it ended, and both what to do.
#[test]
fn far_side_killed() {
    inside("far::far_side_killed", async || {
        let driver = Driver::start().await;
        let ann = Person::come(&driver, "Ann").await;
        let mut bob = Home::up("Bob").await;
        acquaint(&ann.home, &bob).await;
        ann.sees_green().await;
        ann.page.click("call-voice").await;
        bob.call("a ring", GREEN * 5, |call| call["state"] == "ringing").await;
        bob.json(&["answer"]).await;
        ann.page.screen("call").await;
        bob.crash().await;

        let hint = "const hint = document.querySelector('[data-hint=path]');
            return hint.checkVisibility() && hint.textContent === 'Reconnecting…'";
        ann.page.until("the page to say so", RECONNECTING, hint).await;
        let ended = "return document.querySelector('twocan-app').dataset.screen === 'ended'";
        ann.page.until("the call's end", LOST, ended).await;
        ann.page.screenshot("lost").await;
        let said = "const text = document.querySelector('twocan-ended').innerText;
            return text.includes('The connection to Bob was lost')
                && text.includes('Nothing came through for 30 seconds. Check your network, then call again.')
                && text.includes('The path to Bob has gone silent and is being tried again.')";
        ann.page.until("why, and what to do", STEP * 2, said).await;
        assert_eq!(ann.page.wrong().await, Vec::<String>::new());
    });
}

/// One that comes back at once has forgotten the call, and the other side hears that.
#[tokio::test]
async fn far_side_killed_and_back() {
    let (ann, mut bob) = pair().await;
    let (command, _) = talk(&ann, &bob).await;
    bob.crash().await;
    bob.start().await;
    let said = command.end(AWAKE).await.exited(0).stdout;
    assert!(said.contains("The call failed (peer restarted). Call again."), "{said}");
    let (ann_sees, bob_sees) = tokio::join!(ann.green("Bob", AWAKE), bob.green("Ann", AWAKE));
    assert_eq!((&ann_sees["why"], &bob_sees["why"]), (&Value::Null, &Value::Null));
    bob.json(&["call", "Ann", "--detach"]).await;
    ann.call("a ring", GREEN * 5, |call| call["state"] == "ringing").await;
}

/// A machine that sleeps in a call, shortly and then for longer.
///
/// The sleep is a stopped process here, and lasts 35 s rather than minutes: that is more than any limit a call or a dot has,
/// and the suite has to end some time. Sleeps of two minutes to two hours are played by the simulation (`CalleeSleepsTalking`
/// in `sim/scenes/call_ends.rs`).
#[tokio::test]
async fn suspended() {
    let (ann, bob) = pair().await;
    let (command, call) = talk(&ann, &bob).await;
    let is = |reconnecting: bool| move |seen: &Value| seen["state"] == "active" && seen["reconnecting"] == reconnecting;

    signal(&bob, Signal::SIGSTOP);
    ann.call("reconnecting", RECONNECTING, is(true)).await;
    signal(&bob, Signal::SIGCONT);
    for home in [&ann, &bob] {
        home.call("the call to go on", AWAKE, is(false)).await;
    }

    signal(&bob, Signal::SIGSTOP);
    let asleep = Instant::now();
    ann.call("reconnecting", RECONNECTING, is(true)).await;
    let said = command.end(LOST).await.exited(0).stdout;
    for part in [
        "Nothing comes from Bob at the moment. Reconnecting …\nConnected with Bob.",
        "The connection to Bob was lost after 30 s of silence. Call again.",
    ] {
        assert!(said.contains(part), "not said: {part}\n{said}");
    }
    tokio::time::sleep_until(asleep + ASLEEP).await;

    // Nobody is there who could answer, so whatever is green now was never asked.
    signal(&ann, Signal::SIGSTOP);
    wakes_without_green(&bob);
    let alone = Instant::now();
    let mut events = bob.api().events().await;
    while let Some(left) = ALONE.checked_sub(alone.elapsed()) {
        let Ok(event) = tokio::time::timeout(left, events.next(ALONE * 2)).await else {
            break;
        };
        let text = event.data.to_string();
        assert!(
            !text.contains("\"reachable\":\"yes\""),
            "green and not proven: {} {text}",
            event.name
        );
    }
    let over = bob
        .call("the call's end", GREEN, |seen| {
            seen["id"] == call["id"] && seen["state"] == "ended"
        })
        .await;
    assert_eq!(over["reason"]["code"], "lost", "{over}");
    assert!(
        over["reason"]["after_s"].as_u64() >= Some(ASLEEP.as_secs() - 1),
        "{over}"
    );
    let said = bob.twocan(&["contacts"]).await.exited(0).stdout;
    assert!(
        said.contains("has gone silent and is being tried again.") || said.contains("is being looked for."),
        "{said}"
    );

    signal(&ann, Signal::SIGCONT);
    tokio::join!(ann.green("Bob", AWAKE), bob.green("Ann", AWAKE));
    bob.json(&["call", "Ann", "--detach"]).await;
    ann.call("a ring", GREEN * 5, |call| call["state"] == "ringing").await;
}

/// Wakes the daemon while a question waits for it: what it draws first must not be what it saw before it slept.
fn wakes_without_green(home: &Home) {
    let mut stream = UnixStream::connect(home.path().join("run/api.sock")).unwrap();
    stream.set_read_timeout(Some(AWAKE)).unwrap();
    stream
        .write_all(b"GET /v1/contacts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    signal(home, Signal::SIGCONT);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"reachable\":\""), "{answer}");
    assert!(
        !answer.contains("\"reachable\":\"yes\""),
        "green and not proven: {answer}"
    );
}
