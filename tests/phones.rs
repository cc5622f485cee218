//! Strangers' phones as legs of a call: aiortc and GStreamer's webrtcbin, by WHIP and WHEP and both ways at once.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its numbers"
)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::process::{Child, Command};
use twocan_tests::chromium::Driver;
use twocan_tests::firefox::Firefox;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::packets::{Capture, Packet};
use twocan_tests::path::Path;
use twocan_tests::person::{FORMATS, Person};
use twocan_tests::root;
use twocan_tests::running::first_line;
use twocan_tests::wait::{at_most, until};

/// How long a call may take to be there.
const STEP: Duration = Duration::from_secs(10);
/// How long a phone may take in all.
const PHONE: Duration = Duration::from_secs(40);
/// Of 150 pictures and 250 packets of sound in five seconds; the rest is start-up on a busy machine.
const PICTURES: f64 = 60.0;
const SOUNDS: f64 = 120.0;

/// Three intervals of some seconds each, and the round about: RFC 8083, section 4.3, with reports every second or two.
const CUT_BY: Duration = Duration::from_secs(15);

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
        Self::start_with(home, maker, direction, &[])
    }

    /// One that knows a single video format.
    fn start_in(home: &Home, maker: Maker, direction: &str, format: &str) -> Self {
        Self::start_with(home, maker, direction, &["--format", format])
    }

    fn start_with(home: &Home, maker: Maker, direction: &str, more: &[&str]) -> Self {
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
            .args(more)
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

/// A page sends what a stranger's phone can show, and shows what it sends.
#[test]
fn a_page_suits_itself_to_a_phone_with_h264_alone() {
    inside("a_page_suits_itself_to_a_phone_with_h264_alone", async || {
        let driver = Driver::start().await;
        let (ann, bob) = (Person::come(&driver, "Ann").await, Home::up("Bob").await);
        acquaint(&ann.home, &bob).await;
        bob.twocan(&["call", "Ann", "--detach"]).await.exited(0);
        ann.page.click("answer").await;
        bob.call("the call", STEP, |call| call["state"] == "active").await;
        let mut phone = Phone::start_in(&bob, Maker::GStreamer, "both", "H264");
        ann.sends_and_shows("H264", "H264").await;
        phone.hears().await;
        ann.sees_frames(60).await;
        ann.sees_a_moving_picture().await;
        let hint = "return document.querySelector('[data-hint=held]').checkVisibility()";
        assert_eq!(ann.page.run(hint).await, false, "nothing is held back any more");
        assert_eq!(ann.page.wrong().await, Vec::<String>::new());
    });
}

/// Firefox has no H.264 of its own here: it suits itself to VP9, and says plainly what it cannot send.
#[test]
fn firefox_suits_itself_or_says_that_it_cannot() {
    inside("firefox_suits_itself_or_says_that_it_cannot", async || {
        let (fox_home, bob) = (Home::up("Fox").await, Home::up("Bob").await);
        let fox = Firefox::start("Fox").await;
        fox.open(fox_home.json(&["open"]).await["url"].as_str().unwrap()).await;
        let screen = "return document.querySelector('twocan-app')?.dataset.screen === 'home'";
        fox.until("the page", STEP, screen).await;
        acquaint(&fox_home, &bob).await;
        bob.twocan(&["call", "Fox", "--detach"]).await.exited(0);
        fox.click("answer").await;
        bob.call("the call", STEP, |call| call["state"] == "active").await;
        let mut phone = Phone::start_in(&bob, Maker::GStreamer, "both", "VP9");
        let vp9 = format!(
            "const found = await (async () => {{ {FORMATS} }})();
             return found.sent === 'video/VP9' && found.shown === 'video/VP9';"
        );
        fox.until("VP9 both ways", PHONE, &vp9).await;
        let got = phone.report().await;
        assert!(got["video_frames"].as_f64().unwrap() >= PICTURES, "{got}");
        drop(phone);

        let _phone = Phone::start_in(&bob, Maker::GStreamer, "both", "H264");
        let hint = "
            const hint = document.querySelector('[data-hint=held]');
            return hint.checkVisibility() && hint.textContent;";
        let said = fox.until("the sentence", PHONE, hint).await;
        assert!(said.as_str().unwrap().contains("H264 instead"), "{said}");
    });
}

/// The call in which `home` is told what the far side can show.
async fn told(home: &Home, formats: &[&str]) {
    let what = format!("word that the far side shows {formats:?}");
    home.call(&what, PHONE, |call| call["peer_takes"] == json!(formats))
        .await;
}

/// A phone with H.264 alone, and one that has it too and would rather send VP8: it is answered with what the other shows.
#[test]
fn a_phone_that_knows_one_format_is_sent_that_one() {
    inside("a_phone_that_knows_one_format_is_sent_that_one", async || {
        let (ann, bob) = call().await;
        let mut webrtcbin = Phone::start_in(&ann, Maker::GStreamer, "both", "H264");
        told(&bob, &["H264"]).await;
        let mut aiortc = Phone::start(&bob, Maker::Aiortc, "both");
        aiortc.hears().await;
        webrtcbin.hears().await;
        let call = bob
            .call("nothing held back", STEP, |call| call["state"] == "active")
            .await;
        assert!(call.get("picture_held").is_none(), "{call}");
    });
}

/// A picture that the far side cannot show does not travel, both people are told, and the sound does.
#[test]
fn what_the_far_side_cannot_show_is_said() {
    inside("what_the_far_side_cannot_show_is_said", async || {
        let (ann, bob) = call().await;
        let mut listener = Phone::start_in(&ann, Maker::Aiortc, "receive", "VP8");
        told(&bob, &["VP8"]).await;
        let _camera = Phone::start_in(&bob, Maker::GStreamer, "send", "H264");
        let held = |call: &Value| call["picture_held"]["code"] == "format_not_shown";
        let call = bob.call("the picture held back", PHONE, held).await;
        let text = call["picture_held"]["text"].as_str().unwrap();
        assert!(text.contains("H264") && text.contains("Ann"), "{text}");
        assert!(call["picture_held"]["fix"].as_str().unwrap().contains("VP8"), "{call}");
        ann.call("a camera that is off", STEP, |call| {
            call["peer_media"]["video"] == false
        })
        .await;
        // It waits for a picture in vain, then says what it heard.
        let got = listener.report().await;
        assert_eq!(got["video_frames"], 0, "{got}");
        assert!(got["audio_frames"].as_f64().unwrap() >= SOUNDS, "{got}");
    });
}

/// A camera that sends at its rate whatever becomes of it, over a path that carries a fraction: it is cut within the
/// intervals of RFC 8083, its person is told, the sound goes on, and when the path is better it is seen again.
#[test]
fn a_blind_camera_on_a_narrow_path_is_cut_and_the_sound_goes_on() {
    inside(
        "a_blind_camera_on_a_narrow_path_is_cut_and_the_sound_goes_on",
        async || {
            let (capture, (ann, bob)) = (Capture::start(), call().await);
            let ends = [&ann, &bob].map(|home| home.ready().udp.port());
            let mut listener = Phone::start_with(&ann, Maker::Aiortc, "receive", &["--seconds", "15"]);
            told(&bob, &["VP8", "H264"]).await;
            Path::Carries(700).between(ends);
            let _camera = Phone::start_with(&bob, Maker::GStreamer, "send", &["--kbit", "3000"]);
            let large = |packet: &Packet| packet.from.port() == ends[1] && packet.bytes.len() > 900;
            until("pictures to go out", PHONE, async || {
                (capture.packets(large).len() > 300).then_some(())
            })
            .await;
            let sent = Instant::now();
            let cut = |call: &Value| call["picture_held"]["code"] == "path_overloaded";
            bob.call("the cut", PHONE, cut).await;
            let after = sent.elapsed();
            println!("cut after {:.1} s", after.as_secs_f64());
            assert!(after < CUT_BY, "cut after {after:?}");
            ann.call("a camera that is off", STEP, |call| {
                call["peer_media"]["video"] == false
            })
            .await;
            let got = listener.report().await;
            assert!(got["audio_frames"].as_f64().unwrap() >= 400.0, "of 750: {got}");

            Path::Good.between(ends);
            drop(listener);
            let on = |call: &Value| call["state"] == "active" && call.get("picture_held").is_none();
            bob.call("another attempt", PHONE, on).await;
            Phone::start(&ann, Maker::Aiortc, "receive").hears().await;
        },
    );
}
