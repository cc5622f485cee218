//! Firefox, as Debian brings it, and Chromium call each other by clicks, and each sees and hears the other.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::Value;
use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::firefox::Firefox;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::person::{PIXELS, Person, RECEIVED, pixels, spread};

/// How long a hundred frames may take where two browsers share two cores.
const HUNDRED_FRAMES: Duration = Duration::from_secs(40);

/// Frames decoded, sound heard, and a picture that is one.
async fn sees_and_hears(page: &Firefox) {
    let enough = format!(
        "const got = await (async () => {{ {RECEIVED} }})();
         return got !== null && got.frames >= 100 && got.energy > 1e-4;"
    );
    page.until("a hundred frames and sound", HUNDRED_FRAMES, &enough).await;
    let first = pixels(&page.run(PIXELS).await);
    assert!(spread(&first) > 50, "the picture is of one colour: {first:?}");
}

#[test]
fn chromium_and_firefox_talk() {
    inside("chromium_and_firefox_talk", async || {
        let driver = Driver::start().await;
        let (ann, home) = (Person::come(&driver, "Ann").await, Home::up("Fox").await);
        let fox = Firefox::start("Fox").await;
        fox.open(home.json(&["open"]).await["url"].as_str().unwrap()).await;
        let screen = "return document.querySelector('twocan-app')?.dataset.screen === 'home'";
        fox.until("the page", STEP, screen).await;
        acquaint(&ann.home, &home).await;
        ann.sees_green().await;

        ann.page.click("call-video").await;
        fox.click("answer").await;
        both_talk(&ann, &fox).await;
        numbers_are_firefoxs_own(&fox).await;
        fox.click("hangup").await;
        ann.page.screen("ended").await;
        ann.page.click("close").await;
        ann.page.screen("home").await;
        fox.click("close").await;

        // Firefox asks for the camera at each call, so one looks at oneself before the other's phone rings.
        fox.click("call-video").await;
        fox.click("join-video").await;
        ann.page.click("answer").await;
        both_talk(&ann, &fox).await;
        ann.page.click("hangup").await;
        fox.until(
            "the end",
            STEP,
            "return document.querySelector('twocan-app')?.dataset.screen === 'ended'",
        )
        .await;
    });
}

async fn both_talk(ann: &Person, fox: &Firefox) {
    ann.page.screen("call").await;
    sees_and_hears(fox).await;
    ann.sees_frames(100).await;
    sees_another_colour(ann).await;
    ann.hears_something().await;
}

/// Firefox's made-up camera shows one colour at a time, and a figure in a corner; the colour changes.
async fn sees_another_colour(ann: &Person) {
    let first = pixels(&ann.page.run(PIXELS).await);
    let changed = format!(
        "const before = {first:?};
         const now = await (async () => {{ {PIXELS} }})();
         return now.filter((value, at) => Math.abs(value - before[at]) > 4).length >= 100;"
    );
    ann.page.until("another colour", HUNDRED_FRAMES, &changed).await;
}

/// What Firefox sends bears its own payload types: the canonical ones of the wire are neither asked for nor met.
async fn numbers_are_firefoxs_own(fox: &Firefox) {
    let script = "
        const { pc } = document.querySelector('twocan-call');
        return [...pc.remoteDescription.sdp.matchAll(/^a=rtpmap:(\\d+ (?:opus|VP8|rtx))\\//gm)].map(found => found[1]);";
    let agreed = fox.run(script).await;
    let agreed: Vec<_> = agreed.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for format in ["109 opus", "120 VP8", "124 rtx"] {
        assert!(agreed.contains(&format), "{format} is not among {agreed:?}");
    }
}
