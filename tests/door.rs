//! The door on the page: opened by the switch, an address called from the box, a stranger's ring, words, and keeping each
//! other.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::home::GREEN;
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::screens::check;

/// Bob opens his door, and Ann calls the address that his page shows.
async fn rings(ann: &Person, bob: &Person) {
    bob.page.click("door-open").await;
    bob.page.visible("[data-door-left]").await;
    let shown = bob
        .page
        .run("return document.querySelector('.addresses code').textContent")
        .await;
    assert_eq!(shown, json!(bob.home.ready().udp.to_string()));
    ann.page.paste("[data-address]", shown.as_str().unwrap()).await;
    ann.page.click("address-video").await;
    ann.page.screen("calling").await;
    bob.page.visible("twocan-ring[data-stranger]").await;
}

/// The words that a page shows, once it shows them.
async fn words(page: &Page) -> Value {
    let shown = "const list = document.querySelector('twocan-call [data-words=stranger]');
        const words = [...list.children].map(it => it.textContent);
        return words.length === 4 && list.checkVisibility() ? words : null";
    page.until("four words", STEP, shown).await
}

async fn wish(page: &Page, what: &str) {
    let shown = "return [...document.querySelectorAll('[data-wish]')].some(it => it.checkVisibility() && it.textContent.includes(argument))";
    let seen = format!("const argument = {}; {shown}", json!(what));
    page.until(what, STEP, &seen).await;
}

#[test]
fn a_stranger_calls_and_is_kept() {
    inside("a_stranger_calls_and_is_kept", async || {
        let driver = Driver::start().await;
        let (ann, bob) = (Person::come(&driver, "Ada").await, Person::come(&driver, "Ben").await);
        rings(&ann, &bob).await;
        let who = bob
            .page
            .run("return document.querySelector('twocan-ring h2').textContent")
            .await;
        assert_eq!(who, json!("Unknown caller from 127.0.0.1"));
        bob.page.click("answer").await;
        for person in [&ann, &bob] {
            person.page.screen("call").await;
            person.sees_frames(1).await;
        }
        let (here, there) = (words(&ann.page).await, words(&bob.page).await);
        assert_eq!(here, there, "they see different words");
        check(&bob.page, "stranger").await;
        bob.page.click("stranger-same").await;
        bob.page.visible(".top-verified").await;
        ann.page.click("stranger-keep").await;
        wish(&ann.page, "Told.").await;
        wish(&bob.page, "wants to keep you").await;
        bob.page.click("stranger-keep").await;
        wish(&bob.page, "Ada is in your list").await;
        wish(&ann.page, "Ben is in your list").await;
        ann.sees_a_moving_picture().await;
        ann.home.green("Ben", GREEN).await;
        let verified = bob.home.contact("Ada", STEP, |_| true).await;
        assert_eq!(verified["verified"], true, "{verified}");
        for person in [&ann, &bob] {
            assert_eq!(person.page.wrong().await, Vec::<String>::new());
        }
    });
}

/// The door's card, the ring of a stranger and the end of such a call keep to what every screen keeps to.
#[test]
fn screens_of_a_door() {
    inside("screens_of_a_door", async || {
        let driver = Driver::start().await;
        let (ann, bob) = (Person::come(&driver, "Ada").await, Person::come(&driver, "Ben").await);
        rings(&ann, &bob).await;
        check(&bob.page, "stranger-ring").await;
        bob.page.click("answer").await;
        words(&ann.page).await;
        ann.home.json(&["hangup"]).await;
        bob.page.screen("ended").await;
        wish(&bob.page, "It takes both of you").await;
        check(&bob.page, "stranger-ended").await;
        bob.page.click("stranger-keep").await;
        wish(&bob.page, "Told.").await;
        bob.page.click("close").await;
        bob.page.screen("home").await;
        check(&bob.page, "door-open").await;
        bob.page.click("door-close").await;
        bob.page.visible("[data-act=door-open]").await;
        check(&bob.page, "door-closed").await;
        let seen = ann
            .home
            .call("the wish", STEP, |call| call["stranger"]["peer_keeps"] == true)
            .await;
        assert_eq!(seen["contact"], Value::Null, "{seen}");
    });
}
