//! Two daemons, two real Chromium pages, one call: by clicks and a paste, as two people would.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::{inside, narrow};
use twocan_tests::packets::{Capture, Packet};

/// How long a hundred frames may take, start included, where two browsers share two cores.
const HUNDRED_FRAMES: Duration = Duration::from_secs(30);
/// How long a camera may stay on after its call ended, in milliseconds.
const CAMERA_OFF_MS: i64 = 500;

/// What the leg has received.
const RECEIVED: &str = "
    const pc = document.querySelector('twocan-call')?.pc;
    if (!pc) return null;
    const got = { frames: 0, energy: 0, lost: 0 };
    for (const [, stat] of await pc.getStats()) {
        if (stat.type !== 'inbound-rtp') continue;
        if (stat.kind === 'video') got.frames = stat.framesDecoded ?? 0;
        if (stat.kind === 'audio') got.energy = stat.totalAudioEnergy ?? 0;
        got.lost += stat.packetsLost ?? 0;
    }
    return got;";

/// The brightness of a grid of points of the remote picture, as it is drawn.
const PIXELS: &str = "
    const video = document.querySelector('video[data-remote]');
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 64, 48);
    const { data } = context.getImageData(0, 0, 64, 48);
    const grey = [];
    for (let at = 0; at < data.length; at += 4) grey.push(Math.round((data[at] + data[at + 1] + data[at + 2]) / 3));
    return grey;";

/// A person: a daemon and a page that shows it.
struct Person {
    home: Home,
    page: Page,
}

impl Person {
    async fn come(driver: &Driver, name: &str) -> Self {
        let home = Home::up(name).await;
        let page = driver.page(name).await;
        let opened = home.json(&["open"]).await;
        page.open(opened["url"].as_str().unwrap()).await;
        page.screen("home").await;
        Self { home, page }
    }

    /// The page shows a contact as reachable.
    async fn sees_green(&self) {
        let green = "return document.querySelector('twocan-contact')?.dataset.reachable === 'yes'";
        self.page.until("a green contact", GREEN + STEP, green).await;
    }

    async fn received(&self, key: &str) -> f64 {
        self.page.run(RECEIVED).await[key].as_f64().unwrap_or_default()
    }

    /// How often the page has asked for a camera or microphone.
    async fn asked(&self) -> usize {
        self.page.run("return watched.asked").await.as_array().unwrap().len()
    }

    /// When the button that does `act` was last clicked.
    async fn clicked(&self, act: &str) -> i64 {
        let clicks = self.page.run("return watched.clicks").await;
        let last = clicks.as_array().unwrap().iter().rfind(|click| click["act"] == act);
        last.unwrap_or_else(|| panic!("no click on {act}: {clicks}"))["at"]
            .as_i64()
            .unwrap()
    }

    /// No track of this page is live, and the last one ended at most `CAMERA_OFF_MS` after `end`.
    async fn camera_went_off(&self, end: i64) {
        let off = "return watched.tracks.length > 0 && watched.tracks.every(track => !track.live())";
        self.page.until("camera and microphone off", STEP, off).await;
        let tracks = self
            .page
            .run("return watched.tracks.map(({ kind, stopped }) => ({ kind, stopped }))")
            .await;
        for track in tracks.as_array().unwrap() {
            let after = track["stopped"].as_i64().unwrap() - end;
            assert!(
                after <= CAMERA_OFF_MS,
                "{} was on for {after} ms after the call",
                track["kind"]
            );
        }
    }

    /// The remote picture is one: neither of one colour nor standing still.
    async fn sees_a_moving_picture(&self) {
        let first = pixels(&self.page.run(PIXELS).await);
        assert!(spread(&first) > 50, "the picture is of one colour: {first:?}");
        let changed = format!(
            "const before = {first:?};
             const now = await (async () => {{ {PIXELS} }})();
             return now.filter((value, at) => Math.abs(value - before[at]) > 16).length >= 8;"
        );
        self.page.until("the remote picture to move", STEP, &changed).await;
    }

    async fn hears_something(&self) {
        let before = self.received("energy").await;
        let louder = format!(
            "const got = await (async () => {{ {RECEIVED} }})();
             return got !== null && got.energy > {before} + 1e-6;"
        );
        self.page.until("sound from the other side", STEP, &louder).await;
    }

    async fn sees_frames(&self, least: u32) {
        let enough = format!(
            "const got = await (async () => {{ {RECEIVED} }})();
             return got !== null && got.frames >= {least};"
        );
        self.page
            .until(&format!("{least} decoded frames"), HUNDRED_FRAMES, &enough)
            .await;
    }
}

fn pixels(value: &Value) -> Vec<i64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|pixel| pixel.as_i64().unwrap())
        .collect()
}

/// How far the darkest and the brightest point lie apart, of 255.
fn spread(pixels: &[i64]) -> i64 {
    pixels.iter().max().unwrap() - pixels.iter().min().unwrap()
}

/// More datagrams a second than this between two daemons are media; a ring's own are a few.
const MEDIA_RATE: f64 = 30.0;

/// `from` calls by a click, `to` sees it ring. Nobody's camera opens at the callee's, and no media passes.
async fn ring(from: &Person, to: &Person, capture: &Capture) {
    let asked = to.asked().await;
    let (began, before) = (Instant::now(), between(from, to, capture));
    from.page.click("call-video").await;
    from.page.screen("calling").await;
    to.page.visible("[data-act=answer]").await;
    to.page.screenshot("ring").await;
    let ringing = "return document.querySelector('twocan-call').dataset.callState === 'ringing'";
    from.page.until("ringing there", STEP, ringing).await;
    from.page.screenshot("ringing-there").await;
    assert_eq!(to.asked().await, asked, "the camera was opened by somebody else's call");
    for person in [from, to] {
        assert!(person.received("frames").await < 1.0, "media before the answer");
    }
    let passed = between(from, to, capture) - before;
    let rate = f64::from(passed) / began.elapsed().as_secs_f64();
    assert!(
        rate < MEDIA_RATE,
        "{passed} datagrams passed while it rang, {rate} a second"
    );
}

/// How many datagrams passed between the daemons of two people.
fn between(one: &Person, other: &Person, capture: &Capture) -> u32 {
    let ends = [one, other].map(|person| person.home.ready().udp);
    let fits = |packet: &Packet| ends.contains(&packet.from.into()) && ends.contains(&packet.to.into());
    // Each is seen going and coming.
    u32::try_from(capture.packets(fits).len() / 2).unwrap()
}

/// The whole main job: invite, paste, call, ring, answer, see and hear each other, hang up.
#[test]
fn two_people_talk() {
    inside("two_people_talk", async || {
        let (capture, driver) = (Capture::start(), Driver::start().await);
        let (ann, bob) = (Person::come(&driver, "Ann").await, Person::come(&driver, "Bob").await);

        ann.page.click("invite").await;
        let text = ann.page.until(
            "the invite",
            STEP,
            "return document.querySelector('[data-invite-text]')?.textContent",
        );
        let text = text.await;
        ann.page.screenshot("invite").await;
        bob.page.paste("[data-paste]", text.as_str().unwrap()).await;
        bob.page.click("add").await;
        for person in [&ann, &bob] {
            person.sees_green().await;
            person.page.screenshot("green").await;
        }

        ring(&bob, &ann, &capture).await;
        ann.page.click("answer").await;
        for person in [&ann, &bob] {
            person.page.screen("call").await;
            person.sees_frames(100).await;
            person.sees_a_moving_picture().await;
            person.hears_something().await;
            person.page.screenshot("talking").await;
        }

        bob.page.click("hangup").await;
        let end = bob.clicked("hangup").await;
        for person in [&ann, &bob] {
            person.page.screen("ended").await;
            person.camera_went_off(end).await;
            let calls = person.home.api().list("/v1/calls").await;
            assert!(
                calls.iter().all(|call| call["reason"]["code"] == "hung_up"),
                "{calls:?}"
            );
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// Full packets of a browser do not fit the narrowest path with what a link adds: the call is held all the same.
#[test]
fn over_a_narrow_path() {
    inside("over_a_narrow_path", async || {
        narrow(1280);
        let driver = Driver::start().await;
        let (ann, bob) = (Person::come(&driver, "Eve").await, Person::come(&driver, "Fay").await);
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        ann.page.click("call-video").await;
        bob.page.click("answer").await;
        for person in [&ann, &bob] {
            person.sees_frames(100).await;
            person.sees_a_moving_picture().await;
        }
        ann.page.click("hangup").await;
        bob.page.screen("ended").await;
    });
}

/// Calls that come to nothing: declined by a click, cancelled by a click. No camera stays on, none opened at the callee's.
#[test]
fn declined_and_cancelled() {
    inside("declined_and_cancelled", async || {
        let (capture, driver) = (Capture::start(), Driver::start().await);
        let (ann, bob) = (Person::come(&driver, "Cat").await, Person::come(&driver, "Dan").await);
        acquaint(&ann.home, &bob.home).await;
        for person in [&ann, &bob] {
            person.sees_green().await;
        }

        ring(&ann, &bob, &capture).await;
        bob.page.click("decline").await;
        ann.page.screen("ended").await;
        ann.camera_went_off(bob.clicked("decline").await).await;
        ann.page.click("close").await;
        ann.page.screen("home").await;

        ring(&ann, &bob, &capture).await;
        ann.page.click("cancel").await;
        ann.page.screen("ended").await;
        ann.camera_went_off(ann.clicked("cancel").await).await;
        let quiet = "return ![...document.querySelectorAll('[data-act=answer]')].some(it => it.checkVisibility())";
        bob.page.until("the ring's end", STEP, quiet).await;
        bob.page.screenshot("missed").await;
        assert_eq!(bob.asked().await, 0, "the callee's camera was opened without an answer");
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// The measures themselves: a page that opens a camera is seen to, its picture moves, and its end is noticed.
#[test]
fn the_watcher_sees() {
    inside("the_watcher_sees", async || {
        let driver = Driver::start().await;
        let page = driver.page("Watched").await;
        page.open(&serve_one_page().await).await;
        assert_eq!(page.run("return watched.asked.length").await, 0);
        page.click("answer").await;
        page.until(
            "an open camera",
            STEP,
            "return watched.tracks.length === 1 && watched.tracks[0].live()",
        )
        .await;
        page.until(
            "a picture",
            STEP,
            "return document.querySelector('video').videoWidth > 0",
        )
        .await;
        let first = pixels(&page.run(PIXELS).await);
        assert!(spread(&first) > 50, "the picture is of one colour: {first:?}");
        page.click("hangup").await;
        page.until(
            "the end",
            STEP,
            "return !watched.tracks[0].live() && watched.tracks[0].stopped !== null",
        )
        .await;
        assert_eq!(
            page.run("return watched.clicks.map(click => click.act)").await,
            json!(["answer", "hangup"])
        );
        assert_eq!(page.wrong().await, Vec::<String>::new());
        page.run("console.error('something'); throw_nothing = 1;").await;
        assert_eq!(page.wrong().await.len(), 1);
        page.close().await;
    });
}

/// Serves a page with a picture and two buttons; gives its address.
async fn serve_one_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body = "<!doctype html><link rel=icon href=data:,><video data-remote muted autoplay></video>
                <button data-act=answer onclick='answer()'>1</button><button data-act=hangup onclick='end()'>2</button>
                <script>
                let stream;
                const answer = async () => {
                    stream = await navigator.mediaDevices.getUserMedia({ video: true });
                    document.querySelector('video').srcObject = stream;
                };
                const end = () => stream.getTracks().forEach(track => track.stop());
                </script>";
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    format!("http://{address}/")
}
