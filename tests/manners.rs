//! What two people at their pages do besides talking: compare safety words, mute themselves, let a second call wait.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::screens::check;

async fn pair(driver: &Driver, names: [&str; 2]) -> (Person, Person) {
    let [one, other] = names;
    let (one, other) = (Person::come(driver, one).await, Person::come(driver, other).await);
    acquaint(&one.home, &other.home).await;
    one.sees_green().await;
    (one, other)
}

async fn talk(from: &Person, to: &Person) {
    from.page.click("call-video").await;
    to.page.click("answer").await;
    for person in [from, to] {
        person.page.screen("call").await;
        person.sees_frames(1).await;
    }
}

/// The words that a page shows, once it shows them.
async fn words(page: &Page) -> Value {
    let shown = "const words = [...document.querySelectorAll('[data-words=words] li')].map(it => it.textContent);
        return words.length === 4 && document.querySelector('[data-words=words]').checkVisibility() ? words : null";
    page.until("four words", STEP, shown).await
}

async fn is_verified(person: &Person, other: &str) {
    let contact = person
        .home
        .contact(other, STEP, |contact| contact["verified"] == true)
        .await;
    assert_eq!(contact["name"], other);
    person.page.visible(".top-verified").await;
}

/// In a call both open the words, see the same ones, and say so: then each is verified for the other.
#[test]
fn words_compared_in_a_call() {
    inside("words_compared_in_a_call", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver, ["Ida", "Jon"]).await;
        talk(&ann, &bob).await;
        for person in [&ann, &bob] {
            person.page.press('i').await;
            person.page.click("badge-words").await;
        }
        let (here, there) = (words(&ann.page).await, words(&bob.page).await);
        assert_eq!(here, there, "they see different words");
        check(&ann.page, "words").await;
        for person in [&ann, &bob] {
            person.page.click("words-same").await;
            person.page.click("words-done").await;
        }
        is_verified(&ann, "Jon").await;
        is_verified(&bob, "Ida").await;
        check(&ann.page, "verified").await;
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// Who mutes or darkens a camera is shown so on the far side, which hears and sees nothing meanwhile.
#[test]
fn muted_and_dark_are_shown_there() {
    inside("muted_and_dark_are_shown_there", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver, ["Kim", "Leo"]).await;
        talk(&ann, &bob).await;
        bob.hears_something().await;
        ann.page.press('m').await;
        bob.page.visible("[data-peer-muted]:not([hidden])").await;
        ann.page.press('v').await;
        let dark = "return document.querySelector('twocan-call').dataset.picture === 'none'";
        bob.page.until("no picture", STEP, dark).await;
        bob.page.screenshot("peer-dark").await;
        ann.page.press('m').await;
        ann.page.press('v').await;
        let back = "return document.querySelector('[data-peer-muted]').hidden
            && document.querySelector('twocan-call').dataset.picture === 'moving'";
        bob.page.until("picture and sound", STEP, back).await;
        bob.hears_something().await;
    });
}

/// A third person calls somebody who wants a second call to ring: it is shown over the call, and answering it ends the
/// first one.
#[test]
fn a_second_call_waits() {
    inside("a_second_call_waits", async || {
        let driver = Driver::start().await;
        let (ann, bob) = pair(&driver, ["Mia", "Ned"]).await;
        let cat = Home::up("Ola").await;
        acquaint(&cat, &ann.home).await;
        ann.home.green("Ola", GREEN).await;
        let api = ann.home.api();
        let answer = api.patch("/v1/me", json!({ "second_call": "wait" })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        bob.page.click("call-video").await;
        ann.page.click("answer").await;
        ann.sees_frames(1).await;
        let second = cat.json(&["call", "Mia", "--detach"]).await;
        ann.page.visible("twocan-ring [data-act=answer]").await;
        check(&ann.page, "second-call").await;
        ann.page.click("answer").await;
        bob.page.screen("ended").await;
        let active = |call: &Value| call["id"] == second["id"] && call["state"] == "active";
        cat.call("the second call", STEP, active).await;
        assert_eq!(ann.page.wrong().await, Vec::<String>::new());
    });
}
