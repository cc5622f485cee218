//! Two daemons, two real Chromium pages, one call: by clicks and a paste, as two people would.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Instant;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::{inside, narrow};
use twocan_tests::packets::{Capture, Packet};
use twocan_tests::path::Path;
use twocan_tests::person::{PIXELS, Person, pixels, spread};

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
    let heard =
        "return document.querySelector('twocan-app').hasAttribute('data-ringback') && watched.loudness() > 0.01";
    from.page.until("the tone of a ring", STEP, heard).await;
    assert_eq!(
        to.page.run("return watched.loudness()").await,
        0,
        "the page of the one who is called is silent"
    );
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

/// The caller's tone is over.
async fn is_silent(person: &Person) {
    let silent =
        "return !document.querySelector('twocan-app').hasAttribute('data-ringback') && watched.loudness() === 0";
    person.page.until("silence", STEP, silent).await;
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
        let (capture, driver) = (Capture::start(), Driver::start_with_large_cameras().await);
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
        is_silent(&bob).await;
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
        let driver = Driver::start_with_large_cameras().await;
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

/// Two computers that have the power for it send VP9.
#[test]
fn with_cores_to_spare_pictures_are_vp9() {
    inside("with_cores_to_spare_pictures_are_vp9", async || {
        let driver = Driver::start_with_large_cameras().await;
        let strong = async |name: &str| {
            let page = driver.page(name).await;
            let source = "Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 8 });";
            page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source }))
                .await;
            Person::at(Home::up(name).await, page).await
        };
        let (ann, bob) = (strong("Ivy").await, strong("Jon").await);
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        ann.page.click("call-video").await;
        bob.page.click("answer").await;
        for person in [&ann, &bob] {
            person.sends_and_shows("VP9", "VP9").await;
            person.sees_more_frames(100).await;
            person.sees_a_moving_picture().await;
        }
        // A page that comes back finds the format agreed.
        bob.page.run("location.reload()").await;
        bob.page.screen("call").await;
        for person in [&ann, &bob] {
            person.sends_and_shows("VP9", "VP9").await;
            person.sees_more_frames(30).await;
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
        ann.page.click("hangup").await;
    });
}

/// Browsers control their rate: on a path that carries a fraction of it they are not cut, and see each other.
#[test]
fn browsers_on_a_narrow_path_are_not_cut() {
    inside("browsers_on_a_narrow_path_are_not_cut", async || {
        let driver = Driver::start_with_large_cameras().await;
        let (ann, bob) = (Person::come(&driver, "Kim").await, Person::come(&driver, "Lea").await);
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        ann.page.click("call-video").await;
        bob.page.click("answer").await;
        for person in [&ann, &bob] {
            person.sees_frames(60).await;
            person
                .page
                .run(
                    "watched.held = 0;
                     new MutationObserver(() => {
                         watched.held += document.querySelector('[data-hint=held]').checkVisibility();
                     }).observe(document.querySelector('twocan-hints'), { subtree: true, attributes: true, childList: true });",
                )
                .await;
        }
        Path::Carries(700).between([&ann, &bob].map(|person| person.home.ready().udp.port()));
        for _ in 0..3 {
            for person in [&ann, &bob] {
                person.sees_more_frames(60).await;
            }
        }
        for person in [&ann, &bob] {
            assert_eq!(
                person.page.run("return watched.held").await,
                0,
                "a picture was held back"
            );
        }
    });
}

/// Kilobits a second of the picture that a page sends, over at least thirty frames; null until then.
const SENT_KBIT: &str = "
    const { pc } = document.querySelector('twocan-call');
    for (const [, stat] of await pc.getStats()) {
        if (stat.type !== 'outbound-rtp' || stat.kind !== 'video' || !stat.framesSent) continue;
        const last = watched.lastSent ??= stat;
        if (stat.framesSent - last.framesSent < 30) return null;
        delete watched.lastSent;
        return (stat.bytesSent - last.bytesSent) * 8 / (stat.timestamp - last.timestamp);
    }
    return null;";

/// `max_video_kbit` holds for whoever set it, from the first picture on, and for nobody else.
#[test]
fn who_limits_the_picture_sends_no_more() {
    inside("who_limits_the_picture_sends_no_more", async || {
        let (driver, limit) = (Driver::start_with_large_cameras().await, 300.0);
        let ann = Person::come(&driver, "Moe").await;
        let mut home = Home::empty("Ned");
        home.set("TWOCAN_CALLS_MAX_VIDEO_KBIT", &limit.to_string());
        home.begin_life().await;
        let bob = Person::at(home, driver.page("Ned").await).await;
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        ann.page.click("call-video").await;
        bob.page.click("answer").await;
        let free = format!(
            "const kbit = await (async () => {{ {SENT_KBIT} }})();
             return kbit !== null && kbit > {limit} * 1.5;"
        );
        ann.page.until("a picture without a limit", STEP, &free).await;
        for _ in 0..4 {
            let sent = bob.page.until("thirty frames", STEP, SENT_KBIT).await;
            let kbit = sent.as_f64().unwrap();
            assert!((1.0..limit * 1.2).contains(&kbit), "{kbit} kbit/s of {limit}");
        }
    });
}

/// A voice call: no camera opens on either side, no picture is awaited, and each hears the other.
#[test]
fn voice_alone() {
    inside("voice_alone", async || {
        let driver = Driver::start_with_large_cameras().await;
        let (ann, bob) = (Person::come(&driver, "Gus").await, Person::come(&driver, "Hal").await);
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        ann.page.click("call-voice").await;
        bob.page.screenshot("voice-ring").await;
        bob.page.click("answer").await;
        for person in [&ann, &bob] {
            person.page.screen("call").await;
            person.hears_something().await;
            person.page.screenshot("voice").await;
            let cameras = person
                .page
                .run("return watched.tracks.filter(it => it.kind === 'video').length")
                .await;
            assert_eq!(cameras, 0, "a camera was opened in a voice call");
            assert!(person.received("frames").await < 1.0, "a picture came in a voice call");
        }
        ann.page.click("hangup").await;
        for person in [&ann, &bob] {
            person.page.screen("ended").await;
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// Calls that come to nothing: declined by a click, cancelled by a click. No camera stays on, none opened at the callee's.
#[test]
fn declined_and_cancelled() {
    inside("declined_and_cancelled", async || {
        let (capture, driver) = (Capture::start(), Driver::start_with_large_cameras().await);
        let (ann, bob) = (Person::come(&driver, "Cat").await, Person::come(&driver, "Dan").await);
        acquaint(&ann.home, &bob.home).await;
        for person in [&ann, &bob] {
            person.sees_green().await;
        }

        ring(&ann, &bob, &capture).await;
        bob.page.click("decline").await;
        ann.page.screen("ended").await;
        is_silent(&ann).await;
        ann.camera_went_off(bob.clicked("decline").await).await;
        ann.page.click("close").await;
        ann.page.screen("home").await;

        ring(&ann, &bob, &capture).await;
        ann.page.click("cancel").await;
        ann.page.screen("ended").await;
        is_silent(&ann).await;
        ann.camera_went_off(ann.clicked("cancel").await).await;
        let quiet = "return ![...document.querySelectorAll('[data-act=answer]')].some(it => it.checkVisibility())";
        bob.page.until("the ring's end", STEP, quiet).await;
        bob.page.screenshot("missed").await;
        assert_eq!(bob.asked().await, 0, "the callee's camera was opened without an answer");

        // Answered by another program of Bob's: the ring is over on his page, and opens nothing there. Ann wants no tone.
        ann.page.click("close").await;
        ann.page.run("localStorage.setItem('twocan-ringback', '0')").await;
        ann.page.click("call-video").await;
        bob.page.visible("[data-act=answer]").await;
        let rings = "return document.querySelector('twocan-app').hasAttribute('data-ringback')";
        ann.page.until("the ring there", STEP, rings).await;
        assert_eq!(
            ann.page.run("return watched.loudness()").await,
            0,
            "all the way down is silent"
        );
        bob.home.json(&["answer", "--no-page"]).await;
        bob.page.until("the ring's end", STEP, quiet).await;
        bob.page.screenshot("answered-elsewhere").await;
        ann.page.screen("call").await;
        assert_eq!(
            bob.asked().await,
            0,
            "the callee's camera was opened by another program's answer"
        );
        ann.page.click("hangup").await;
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// The measures themselves: a page that opens a camera is seen to, its picture moves, and its end is noticed.
#[test]
fn the_watcher_sees() {
    inside("the_watcher_sees", async || {
        let driver = Driver::start_with_large_cameras().await;
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
