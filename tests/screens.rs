//! The page's screens: that everybody can use them, that one can look at oneself before a call, and that the camera is
//! on for no longer than it should be.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "screens/begin.rs"]
mod begin;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::acquaint;
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::root;
use twocan_tests::screens::check;
use twocan_tests::wait::until;

/// How long a reloaded page may take until it shows the other person, in milliseconds.
const BACK_MS: f64 = 2000.0;
/// How long a page that does not come back may keep the other side waiting: 10 s, and what noticing takes.
const GIVEN_UP: Duration = Duration::from_secs(25);

/// The other person's picture moves.
const MOVING: &str = "return document.querySelector('twocan-call')?.dataset.picture === 'moving'";
/// The preview shows a picture.
const PREVIEW: &str =
    "return [...document.querySelectorAll('[data-preview]')].some(it => it.checkVisibility() && it.videoWidth > 0)";
/// The device that films the preview.
const FILMING: &str = "return document.querySelector('[data-preview]').srcObject?.getVideoTracks()[0]?.label";

async fn pair(driver: &Driver) -> (Person, Person) {
    let (ann, bob) = (Person::come(driver, "Ann").await, Person::come(driver, "Bob").await);
    acquaint(&ann.home, &bob.home).await;
    for person in [&ann, &bob] {
        person.sees_green().await;
    }
    (ann, bob)
}

/// Ann calls Bob, and both see each other.
async fn talk(ann: &Person, bob: &Person) {
    ann.page.click("call-video").await;
    bob.page.click("answer").await;
    for person in [ann, bob] {
        person.page.screen("call").await;
        person.page.until("a moving picture", STEP, MOVING).await;
    }
}

/// Follows a link of the page's own.
async fn go(page: &Page, link: &str, screen: &str) {
    page.run_with("document.querySelector(argument).click()", json!(link))
        .await;
    page.screen(screen).await;
}

async fn close_dialog(page: &Page) {
    page.run("document.querySelector('dialog[open]').close()").await;
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Nothing of these is found by axe-core, and what a newcomer needs is seen at once.
#[test]
fn quiet_screens() {
    inside("quiet_screens", async || {
        let driver = Driver::start().await;
        let ann = Person::come(&driver, "Ann").await;
        let page = &ann.page;
        check(page, "home-empty").await;
        sees_both_ways_to_begin(page).await;
        let bob = Person::come(&driver, "Bob").await;
        acquaint(&ann.home, &bob.home).await;
        ann.sees_green().await;
        check(page, "home").await;
        sees_both_ways_to_begin(page).await;
        page.click("more").await;
        check(page, "person").await;
        page.click("look").await;
        page.screen("join").await;
        page.until("the preview", STEP, PREVIEW).await;
        check(page, "join").await;
        go(page, "[data-nav=settings]", "settings").await;
        check(page, "settings").await;
        go(page, "[data-nav=privacy]", "privacy").await;
        page.visible("[data-stored] dt").await;
        check(page, "privacy").await;
        go(page, "[data-nav=settings]", "settings").await;
        go(page, "[data-act=settings-network]", "network").await;
        page.visible("[data-facts] dt").await;
        page.visible("[data-people] dt").await;
        check(page, "network").await;
        page.press('?').await;
        page.visible("dialog[open]").await;
        check(page, "keys").await;
        close_dialog(page).await;
        go(page, ".brand", "home").await;
        page.click("invite").await;
        page.visible("[data-invite-text]").await;
        check(page, "invite").await;
        assert_eq!(page.wrong().await, Vec::<String>::new());
        bob.page.close().await;
    });
}

/// Each switch of the dialog of one person says to the daemon what it says to people, and shows what the daemon says.
#[test]
fn switches_of_a_person() {
    inside("switches_of_a_person", async || {
        let driver = Driver::start().await;
        let (ann, _bob) = pair(&driver).await;
        let page = &ann.page;
        page.click("more").await;
        check(page, "person-one-click").await;
        page.click("person-reach").await;
        page.visible("dialog[open] #person-introduces").await;
        check(page, "person-reach").await;
        for (switch, mark) in [
            ("one-click", "one_click"),
            ("introduces", "introduces"),
            ("relay", "relay"),
            ("relay-only", "relay_only"),
        ] {
            for is_on in [true, false] {
                let press = format!("document.querySelector('label[for=person-{switch}]').click()");
                page.run(&press).await;
                let marked = async || (ann.home.api().list("/v1/contacts").await[0][mark] == is_on).then_some(());
                until(mark, STEP, marked).await;
                let shown = format!("return document.getElementById('person-{switch}').checked === {is_on}");
                page.until(switch, STEP, &shown).await;
            }
        }
        assert_eq!(page.wrong().await, Vec::<String>::new());
    });
}

/// The page asks once more, and then nothing is left: no file, no daemon, nothing in the browser.
#[test]
fn everything_is_erased_from_the_page() {
    inside("everything_is_erased_from_the_page", async || {
        let driver = Driver::start().await;
        let mut ann = Person::come(&driver, "Ann").await;
        let (page, kept) = (&ann.page, ann.home.path().join("state.sealed"));
        page.run("localStorage.setItem('twocan-volume', '0.5')").await;
        go(page, "[data-nav=privacy]", "privacy").await;
        page.click("erase").await;
        page.visible("dialog[open] [data-act=erase-yes]").await;
        check(page, "erase").await;
        page.click("erase-no").await;
        assert!(kept.exists(), "a question erases nothing");
        page.click("erase").await;
        page.click("erase-yes").await;
        page.screen("offline").await;
        assert_eq!(
            page.run("return localStorage.length + sessionStorage.length").await,
            json!(0)
        );
        let notice = "return [...document.querySelectorAll('twocan-notices h2, twocan-notices strong, twocan-notices p')].some(it => it.innerText.includes('erased'))";
        page.until("that all is gone", STEP, notice).await;
        check(page, "erased").await;
        ann.home.ended().await;
        assert!(!kept.exists() && !ann.home.path().join("state.key").exists());
    });
}

/// [Call me] and the paste box lie in a laptop's window, without scrolling.
async fn sees_both_ways_to_begin(page: &Page) {
    let below = "return ['[data-act=invite]', '[data-paste]', '[data-act=add]'].filter(
        css => document.querySelector(css).getBoundingClientRect().bottom > innerHeight)";
    assert_eq!(page.run(below).await, json!([]), "below the window's edge");
}

/// The same while it rings. It rings for a limited time, so this stands by itself.
#[test]
fn screens_of_a_ring() {
    inside("screens_of_a_ring", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver).await;
        ann.page.click("call-video").await;
        ann.page.screen("calling").await;
        check(&ann.page, "calling").await;
        bob.page.visible("[data-act=answer]").await;
        check(&bob.page, "ring-panel").await;
        let id = bob.home.api().list("/v1/calls").await[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let show = "history.pushState(null, '', `/call/${argument}`); dispatchEvent(new PopStateEvent('popstate'))";
        bob.page.run_with(show, json!(id)).await;
        bob.page.screen("ringing").await;
        check(&bob.page, "ringing").await;
    });
}

/// The same in a call and after it.
#[test]
fn screens_of_a_call() {
    inside("screens_of_a_call", async || {
        let driver = Driver::start().await;
        let (mut ann, bob) = pair(&driver).await;
        talk(&ann, &bob).await;
        check(&bob.page, "call").await;
        bob.page.press('i').await;
        let facts = "return document.querySelector('.badge[open] dl')?.innerText.includes('VP8')";
        bob.page.until("the codec", STEP, facts).await;
        check(&bob.page, "facts").await;
        bob.page.press('d').await;
        bob.page.visible("dialog[open] [data-device=camera]").await;
        check(&bob.page, "devices").await;
        close_dialog(&bob.page).await;
        go(&bob.page, ".brand", "home").await;
        bob.page.visible("[data-act=open-call]").await;
        check(&bob.page, "home-in-call").await;
        ann.page.click("hangup").await;
        ann.page.screen("ended").await;
        check(&ann.page, "ended").await;
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
        ann.home.stop().await;
        ann.page.screen("offline").await;
        check(&ann.page, "offline").await;
    });
}

/// Before a call one sees oneself, picks another camera, and nothing rings; leaving closes the camera; the choice stays.
#[test]
fn look_before_calling() {
    inside("look_before_calling", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver).await;
        let page = &ann.page;
        page.click("more").await;
        page.click("look").await;
        page.screen("join").await;
        page.until("the preview", STEP, PREVIEW).await;
        let heard =
            "return Number(document.querySelector('twocan-join [role=meter]').getAttribute('aria-valuenow')) > 0";
        page.until("the meter to move", STEP, heard).await;
        picks_another_camera(page).await;
        page.click("join-back").await;
        page.screen("home").await;
        ann.camera_went_off(ann.clicked("join-back").await).await;
        assert_eq!(
            bob.home.api().list("/v1/calls").await,
            Vec::<serde_json::Value>::new(),
            "it rang"
        );

        page.click("more").await;
        page.click("look").await;
        page.until(
            "the chosen camera",
            STEP,
            &format!("{FILMING} === localStorage.getItem('chosen-label')"),
        )
        .await;
        // Chromium's second made-up camera films nothing that a call could carry.
        picks_any_camera(page).await;
        page.click("preview-mute").await;
        page.click("join-video").await;
        page.screen("calling").await;
        bob.page.click("answer").await;
        bob.page.until("a moving picture", STEP, MOVING).await;
        let muted = "return document.querySelector('[data-act=mute]').dataset.icon === 'micOff'";
        assert_eq!(
            page.run(muted).await,
            json!(true),
            "who was muted before the call is heard in it"
        );
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// Chooses a camera other than the one that films, and notes its name in the page.
async fn picks_another_camera(page: &Page) {
    let pick = format!(
        "const now = await (async () => {{ {FILMING} }})();
         const select = document.querySelector('twocan-join [data-device=camera]');
         const other = [...select.options].find(option => option.value !== '' && option.text !== now);
         if (!other) return null;
         select.value = other.value;
         select.dispatchEvent(new Event('change', {{ bubbles: true }}));
         localStorage.setItem('chosen-label', other.text);
         return other.text;"
    );
    let other = page.until("a second camera", STEP, &pick).await;
    page.until("the other camera", STEP, &format!("{FILMING} === {other}"))
        .await;
    page.until("its picture", STEP, PREVIEW).await;
}

/// Leaves the choice of a camera to the browser again.
async fn picks_any_camera(page: &Page) {
    let pick = "const select = document.querySelector('twocan-join [data-device=camera]');
         select.value = '';
         select.dispatchEvent(new Event('change', { bubbles: true }));";
    page.run(pick).await;
    let film = format!(
        "const label = await (async () => {{ {FILMING} }})(); return label && label !== localStorage.getItem('chosen-label');"
    );
    page.until("the first camera", STEP, &film).await;
}

/// A page that is loaded again in a call: the picture is back at once, who was muted stays muted, and the far side's
/// connection is the one it was.
#[test]
fn reloaded_in_a_call() {
    inside("reloaded_in_a_call", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver).await;
        talk(&ann, &bob).await;
        let watch = "const { pc } = document.querySelector('twocan-call');
            globalThis.kept = { pc, negotiated: 0 };
            pc.addEventListener('signalingstatechange', () => kept.negotiated += 1);";
        bob.page.run(watch).await;
        ann.page.press('m').await;
        ann.page.visible("[data-act=mute][data-off]").await;
        reload(&ann.page).await;
        let took = ann.page.run("return moved").await.as_f64().unwrap();
        assert!(took <= BACK_MS, "the picture was back after {took} ms");
        let muted = "return document.querySelector('[data-act=mute]').dataset.icon === 'micOff'
            && document.querySelector('twocan-call').dataset.capture === 'audio video'";
        ann.page.until("still muted", STEP, muted).await;
        let same = "return kept.pc === document.querySelector('twocan-call').pc && kept.negotiated === 0
            && kept.pc.connectionState === 'connected'";
        assert_eq!(bob.page.run(same).await, json!(true), "the far side negotiated again");
        bob.sees_a_moving_picture().await;
        ann.page.press('m').await;
        bob.hears_something().await;
    });
}

/// Reloads, and notes in `moved` when the other person's picture was there, in milliseconds of the new page's life.
async fn reload(page: &Page) {
    let watch = "globalThis.moved = null;
        new MutationObserver(() => {
            if (document.querySelector('twocan-call')?.dataset.picture === 'moving') moved ??= performance.now();
        }).observe(document, { subtree: true, attributes: true });";
    page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": watch }))
        .await;
    page.devtools("Page.reload", json!({})).await;
    page.until("the picture after a reload", STEP, "return globalThis.moved")
        .await;
}

/// A closed tab has time to come back, and comes back to the call; one that does not ends it.
#[test]
fn closed_in_a_call() {
    inside("closed_in_a_call", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver).await;
        talk(&ann, &bob).await;
        let address = ann.page.run("return location.href").await;
        ann.page.open("about:blank").await;
        bob.page
            .until(
                "the picture to stop",
                STEP,
                "return document.querySelector('twocan-call').dataset.picture === 'none'",
            )
            .await;
        ann.page.open(address.as_str().unwrap()).await;
        for person in [&ann, &bob] {
            person.page.until("the picture to come back", STEP, MOVING).await;
        }
        ann.page.open("about:blank").await;
        let left = now();
        let ended = "return document.querySelector('twocan-app').dataset.screen === 'ended'";
        bob.page.until("the call's end", GIVEN_UP, ended).await;
        assert!(now() - left >= 9000, "it ended after {} ms", now() - left);
        bob.page.screen("ended").await;
        assert_eq!(bob.page.wrong().await, Vec::<String>::new());
    });
}

/// However a call ends, camera and microphone are off at once, and so is a screen that was shown.
#[test]
fn ends_close_the_camera() {
    inside("ends_close_the_camera", async || {
        let driver = Driver::start().await;
        let (mut ann, bob) = pair(&driver).await;

        // Declined there.
        ann.page.click("call-video").await;
        bob.page.click("decline").await;
        ann.page.screen("ended").await;
        ann.camera_went_off(bob.clicked("decline").await).await;
        go(&ann.page, ".brand", "home").await;

        // Hung up there, while a screen is shown.
        talk(&ann, &bob).await;
        ann.page.press('s').await;
        ann.page.visible("[data-act=unshare]").await;
        bob.sees_a_moving_picture().await;
        ann.page.press('s').await;
        ann.page
            .until(
                "the camera again",
                STEP,
                "return !('sharing' in document.querySelector('twocan-call').dataset)",
            )
            .await;
        ann.page.press('s').await;
        ann.page.visible("[data-act=unshare]").await;
        bob.page.press('\u{e00c}').await;
        bob.page.press('\u{e00c}').await;
        let end = now();
        for person in [&ann, &bob] {
            person.page.screen("ended").await;
            person.camera_went_off(end).await;
            go(&person.page, ".brand", "home").await;
        }

        // One's own daemon is killed.
        talk(&ann, &bob).await;
        let end = now();
        ann.home.crash().await;
        ann.page.screen("offline").await;
        ann.camera_went_off(end).await;
    });
}

/// index.html names every module, so that the browser asks for all of them at once.
#[test]
fn all_modules_are_named() {
    let page = root().join("daemon/page");
    let html = std::fs::read_to_string(page.join("index.html")).unwrap();
    for folder in ["", "elements/", "strings/"] {
        for entry in std::fs::read_dir(page.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let module = name.ends_with(".js") && name != "types.js";
            assert!(
                !module || html.contains(&format!("=\"/{folder}{name}\"")),
                "{folder}{name} is missing"
            );
        }
    }
}
