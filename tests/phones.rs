//! Strangers' phones as legs of a call: aiortc and GStreamer's webrtcbin, by WHIP and WHEP and both ways at once.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its numbers"
)]

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::root;
use twocan_tests::running::first_line;
use twocan_tests::wait::at_most;

/// How long a call may take to be there.
const STEP: Duration = Duration::from_secs(10);
/// How long a phone may take in all.
const PHONE: Duration = Duration::from_secs(40);
/// Of 150 pictures and 250 packets of sound in five seconds; the rest is start-up on a busy machine.
const PICTURES: f64 = 60.0;
const SOUNDS: f64 = 120.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Aiortc,
    GStreamer,
}

/// A phone on a home's call. It goes on until it is dropped.
#[derive(Debug)]
struct Phone {
    who: String,
    child: Child,
}

impl Phone {
    fn start(home: &Home, maker: Maker, direction: &str) -> Self {
        let scripts = root().join("tests/phones");
        let (python, script) = match maker {
            Maker::Aiortc => (root().join("target/phones/bin/python"), "aiortc_phone.py"),
            Maker::GStreamer => ("/usr/bin/python3".into(), "gst_phone.py"),
        };
        let child = Command::new(python)
            .arg(scripts.join(script))
            .args(["--control", &home.ready().control, "--direction", direction])
            .arg("--token")
            .arg(home.path().join("run/api.token"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python, and what tests/run installs for the phones");
        Self {
            who: format!("{}'s {maker:?} ({direction})", home.name()),
            child,
        }
    }

    /// What it has received and sent in five seconds of media.
    async fn report(&mut self) -> Value {
        let line = first_line(self.child.stdout.as_mut().unwrap());
        let line = at_most(&self.who, PHONE, line).await;
        println!("{}: {line}", self.who);
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{}: {error}: {line:?}", self.who))
    }

    /// Reports pictures and sound of another phone.
    async fn hears(&mut self) {
        let got = self.report().await;
        let number = |key: &str| got[key].as_f64().unwrap();
        assert!(number("video_frames") >= PICTURES, "{}: {got}", self.who);
        assert!(number("audio_frames") >= SOUNDS, "{}: {got}", self.who);
        assert!(number("loudest") > 1000.0, "{}: {got}", self.who);
        assert!(number("spread") > 50.0 && number("moved") > 0.5, "{}: {got}", self.who);
    }
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
        let mut aiortc = Phone::start(&ann, Maker::Aiortc, "both");
        let mut webrtcbin = Phone::start(&bob, Maker::GStreamer, "both");
        aiortc.hears().await;
        webrtcbin.hears().await;
    });
}

/// A leg that only sends and one that only receives stand side by side in one call.
#[test]
fn senders_and_receivers_side_by_side() {
    inside("senders_and_receivers_side_by_side", async || {
        let (ann, bob) = call().await;
        let _senders = [
            Phone::start(&ann, Maker::GStreamer, "send"),
            Phone::start(&bob, Maker::Aiortc, "send"),
        ];
        let mut webrtcbin = Phone::start(&ann, Maker::GStreamer, "receive");
        let mut aiortc = Phone::start(&bob, Maker::Aiortc, "receive");
        webrtcbin.hears().await;
        aiortc.hears().await;
    });
}
