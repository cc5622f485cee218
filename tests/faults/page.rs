//! What a person reads on the page, in a real Chromium: about the own camera, and about the disk.

use serde_json::json;
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::screens::check;

use crate::disk::SmallDisk;

/// The other person's picture moves.
const MOVING: &str = "return document.querySelector('twocan-call')?.dataset.picture === 'moving'";

/// Something that fits `css` is seen and says `text`.
async fn says(page: &Page, css: &str, text: &str) {
    let script = format!(
        "return [...document.querySelectorAll({})].some(it => it.checkVisibility() && it.innerText.includes({}))",
        json!(css),
        json!(text)
    );
    page.until(&format!("{css} to say: {text}"), STEP, &script).await;
}

/// Refused before the call: it is said where one looks at oneself, the call comes about all the same, one sees and hears the
/// other, and after a change of mind the key that was named opens the camera.
#[test]
fn camera_refused() {
    inside("page::camera_refused", async || {
        let driver = Driver::start().await;
        let ann = Person::come(&driver, "Ann").await;
        let page = driver.asking_page("Bob").await;
        for device in ["camera", "microphone"] {
            page.permit(device, false).await;
        }
        let bob = Person::at(Home::up("Bob").await, page).await;
        acquaint(&ann.home, &bob.home).await;
        bob.sees_green().await;
        let refused = "The browser may not use your camera. Allow it beside the address, then press V.";

        bob.page.click("call-video").await;
        bob.page.screen("join").await;
        says(&bob.page, "twocan-preview", refused).await;
        bob.page.press('v').await;
        says(&bob.page, "twocan-preview", refused).await;
        check(&bob.page, "camera-refused").await;
        bob.page.click("join-video").await;
        ann.page.click("answer").await;
        bob.page.screen("call").await;
        bob.page.until("Ann's picture", STEP, MOVING).await;
        bob.sees_a_moving_picture().await;
        says(&bob.page, "[data-hint=video]", refused).await;
        let deaf = "The browser may not use your microphone. Allow it beside the address, then press M.";
        says(&bob.page, "[data-hint=audio]", deaf).await;
        bob.page.screenshot("camera-refused").await;

        for (device, key) in [("camera", 'v'), ("microphone", 'm')] {
            bob.page.permit(device, true).await;
            bob.page.press(key).await;
        }
        let quiet =
            "return [...document.querySelectorAll('[data-hint=video], [data-hint=audio]')].every(it => it.hidden)";
        bob.page.until("no complaint", STEP, quiet).await;
        ann.page.until("Bob's picture", STEP, MOVING).await;
        ann.hears_something().await;
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// Another program has the camera, and lets go of it in the middle of the call. No made-up camera of Chromium's can be
/// busy, so `getUserMedia` is told to fail as it does then: with a `NotReadableError`, for pictures alone.
#[test]
fn camera_busy() {
    inside("page::camera_busy", async || {
        let driver = Driver::start().await;
        let bob = Person::come(&driver, "Bob").await;
        let page = driver.page("Ann").await;
        let busy = "globalThis.cameraBusy = true;
            const devices = navigator.mediaDevices;
            const open = devices?.getUserMedia.bind(devices);
            if (devices) devices.getUserMedia = async (wish) => {
                if (wish.video && cameraBusy) throw new DOMException('Could not start video source', 'NotReadableError');
                return open(wish);
            };";
        page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": busy }))
            .await;
        let ann = Person::at(Home::up("Ann").await, page).await;
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;

        ann.page.click("call-video").await;
        bob.page.click("answer").await;
        ann.page.screen("call").await;
        let taken = "Another program has the camera. Close it there, then press V.";
        says(&ann.page, "[data-hint=video]", taken).await;
        ann.page.until("Bob's picture", STEP, MOVING).await;
        ann.sees_a_moving_picture().await;
        bob.hears_something().await;
        ann.page.screenshot("camera-busy").await;

        ann.page.run("globalThis.cameraBusy = false").await;
        ann.page.press('v').await;
        bob.page.until("Ann's picture", STEP, MOVING).await;
        bob.sees_a_moving_picture().await;
        let quiet = "return document.querySelector('[data-hint=video]').hidden";
        ann.page.until("no complaint", STEP, quiet).await;
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// A disk that fills up while the page is open: what was wanted is refused with a sentence, the warning comes without a
/// reload, and what was refused works once there is room.
#[test]
fn page_of_a_full_disk() {
    inside("page::page_of_a_full_disk", async || {
        let driver = Driver::start().await;
        let mut home = Home::empty("Ann");
        let disk = SmallDisk::under(&home);
        home.begin_life().await;
        let ann = Person::at(home, driver.page("Ann").await).await;
        disk.fill();
        ann.page.click("invite").await;
        says(
            &ann.page,
            "[data-notice]",
            "The change could not be written to the disk, so nothing was changed.",
        )
        .await;
        says(
            &ann.page,
            "[data-notice]",
            "Free some space or make the state folder writable, then try again.",
        )
        .await;
        says(&ann.page, "[data-notice]", "The disk is full, read-only or broken").await;
        ann.page.devtools("Page.reload", json!({})).await;
        says(&ann.page, "[data-warning=not_stored]", "Twocan tries again by itself.").await;
        check(&ann.page, "disk-full").await;
        disk.free();
        ann.page.click("invite").await;
        ann.page.visible("[data-invite-text]").await;
    });
}
