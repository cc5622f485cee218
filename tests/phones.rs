//! Strangers' phones as legs of a call: aiortc and GStreamer's webrtcbin, by WHIP and WHEP and both ways at once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::root;
use twocan_tests::wait::at_most;

/// How long a call may take to be there.
const STEP: Duration = Duration::from_secs(10);
/// How long a phone may take in all.
const PHONE: Duration = Duration::from_secs(40);
/// Seconds of media that whoever receives listens for; whoever only sends goes on for longer.
const LISTEN: u32 = 5;
/// Of 150 pictures and 250 packets of sound in five seconds; the rest is start-up on a busy machine.
const PICTURES: u64 = 60;
const SOUNDS: u64 = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Aiortc,
    GStreamer,
}

/// Runs one phone on a home's call to its end, and gives what it printed.
async fn phone(home: &Home, maker: Maker, direction: &str) -> Value {
    let scripts = root().join("tests/phones");
    let (python, script) = match maker {
        Maker::Aiortc => (root().join("target/phones/bin/python"), "aiortc_phone.py"),
        Maker::GStreamer => ("/usr/bin/python3".into(), "gst_phone.py"),
    };
    let seconds = if direction == "send" { 3 * LISTEN } else { LISTEN };
    let output = Command::new(python)
        .arg(scripts.join(script))
        .args(["--control", &home.ready().control, "--direction", direction])
        .args(["--seconds", &seconds.to_string(), "--token"])
        .arg(home.path().join("run/api.token"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = at_most("a phone", PHONE, output)
        .await
        .expect("python, and what tests/run installs for the phones");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{maker:?} {direction}: {output:?} {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a phone that listened has got.
#[track_caller]
fn heard(who: &str, got: &Value) {
    println!("{who}: {got}");
    let number = |key: &str| got[key].as_f64().unwrap();
    assert!(got["video_frames"].as_u64().unwrap() >= PICTURES, "{who}: {got}");
    assert!(got["audio_frames"].as_u64().unwrap() >= SOUNDS, "{who}: {got}");
    assert!(number("loudest") > 1000.0, "{who}: {got}");
    assert!(number("spread") > 50.0 && number("moved") > 0.5, "{who}: {got}");
}

/// Two homes with a call between them that nobody has attached a leg to.
async fn call() -> (Home, Home) {
    let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
    acquaint(&ann, &bob).await;
    bob.twocan(&["call", "Ann", "--detach"]).await.exited(0);
    ann.call("the ring", STEP, |call| call["state"] == "ringing").await;
    ann.twocan(&["answer"]).await.exited(0);
    (ann, bob)
}

#[test]
fn two_makers_talk_both_ways() {
    inside("two_makers_talk_both_ways", async || {
        let (ann, bob) = call().await;
        let (one, other) = tokio::join!(
            phone(&ann, Maker::Aiortc, "both"),
            phone(&bob, Maker::GStreamer, "both")
        );
        heard("aiortc", &one);
        heard("webrtcbin", &other);
    });
}

/// A leg that only sends and one that only receives stand side by side in one call.
#[test]
fn senders_and_receivers_side_by_side() {
    inside("senders_and_receivers_side_by_side", async || {
        let (ann, bob) = call().await;
        let (_, one, _, other) = tokio::join!(
            phone(&ann, Maker::GStreamer, "send"),
            phone(&ann, Maker::GStreamer, "receive"),
            phone(&bob, Maker::Aiortc, "send"),
            phone(&bob, Maker::Aiortc, "receive"),
        );
        heard("webrtcbin", &one);
        heard("aiortc", &other);
    });
}
