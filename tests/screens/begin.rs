//! The first minute: one's name, a look at oneself, a link to give away, a test call; and a link that was clicked.

use std::time::Duration;

use serde_json::json;
use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::home::Home;
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::screens::check;
use twocan_tests::wait::until;

use super::{MOVING, PREVIEW, sees_both_ways_to_begin};

/// How long Echo may take to start, be added and be reached, where a browser shares the cores.
const ECHO: Duration = Duration::from_secs(30);

#[test]
fn the_first_minute() {
    inside("begin::the_first_minute", async || {
        let driver = Driver::start().await;
        let ann = Person::come(&driver, "Ann").await;
        let page = &ann.page;
        assert_eq!(ann.asked().await, 0, "nothing films before a button is pressed");
        page.run("const name = document.getElementById('begin-name'); name.value = 'Ann of the hill'; name.form.requestSubmit()")
            .await;
        until("her name", STEP, async || {
            let me = ann.home.api().get("/v1/me").await;
            (me["person"]["name"] == "Ann of the hill").then_some(())
        })
        .await;
        page.click("begin-look").await;
        page.until("the preview", STEP, PREVIEW).await;
        check(page, "begin-look").await;
        page.click("begin-close").await;
        page.until(
            "a closed camera",
            STEP,
            "return watched.tracks.every(track => !track.live())",
        )
        .await;
        page.click("invite").await;
        let drawn = "return document.querySelector('[data-invite-code]')?.naturalWidth > 0";
        page.until("the code", STEP, drawn).await;
        check(page, "begin-invite").await;
        assert_eq!(page.wrong().await, Vec::<String>::new());
    });
}

#[test]
fn a_test_call_shows_oneself() {
    inside("begin::a_test_call_shows_oneself", async || {
        let driver = Driver::start().await;
        let ann = Person::come(&driver, "Ann").await;
        let page = &ann.page;
        page.click("test-call").await;
        page.until("Echo's call", ECHO, "return location.pathname.startsWith('/call/')")
            .await;
        page.screen("call").await;
        page.until("oneself, sent back", ECHO, MOVING).await;
        page.screenshot("test-call").await;
        let again = ann.home.api().post("/v1/test-call", json!({})).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("in_call")));
        page.click("hangup").await;
        until("Echo's leave", ECHO, async || {
            ann.home.api().list("/v1/contacts").await.is_empty().then_some(())
        })
        .await;
        assert_eq!(page.wrong().await, Vec::<String>::new());
    });
}

#[test]
fn a_clicked_link_is_asked_about() {
    inside("begin::a_clicked_link_is_asked_about", async || {
        let driver = Driver::start().await;
        let (ann, bob) = (Home::up("Ann").await, Person::come(&driver, "Bob").await);
        let invite = ann.api().post("/v1/invites", json!({})).await.body;
        let link = invite["link"].as_str().unwrap();
        let opened = bob.home.json(&["open", link]).await;
        let page = &bob.page;
        page.open(opened["url"].as_str().unwrap()).await;
        page.screen("link").await;
        page.until(
            "the question",
            STEP,
            "return document.querySelector('twocan-link').dataset.link === 'invite'",
        )
        .await;
        check(page, "link").await;
        assert!(
            bob.home.api().list("/v1/contacts").await.is_empty(),
            "asked, and no more"
        );
        assert!(
            !page
                .run("return location.href")
                .await
                .as_str()
                .unwrap()
                .contains(&link[10..40])
        );
        page.click("link-use").await;
        page.screen("join").await;
        let green = "return document.querySelector('[data-act=join-video]').getAttribute('aria-disabled') === null";
        page.until("Ann, who can be called", ECHO, green).await;
        assert_eq!(bob.asked().await, 0, "nothing films before a button is pressed");
        // Ann's second link is one of somebody known; her own is hers, and says so.
        ann.api().post("/v1/invites", json!({})).await;
        let own = bob.home.api().post("/v1/invites", json!({})).await.body;
        let opened = bob.home.json(&["open", own["link"].as_str().unwrap()]).await;
        page.open(opened["url"].as_str().unwrap()).await;
        page.until(
            "the refusal",
            STEP,
            "return document.querySelector('twocan-link').dataset.link === 'refused'",
        )
        .await;
        check(page, "link-refused").await;
        assert_eq!(page.wrong().await, Vec::<String>::new());
    });
}

/// Both ways to begin stay in sight whatever stands beside them.
#[test]
fn the_first_screen_fits() {
    inside("begin::the_first_screen_fits", async || {
        let driver = Driver::start().await;
        let ann = Person::come(&driver, "Ann").await;
        sees_both_ways_to_begin(&ann.page).await;
        let test =
            "return document.querySelector('[data-act=test-call]').getBoundingClientRect().bottom <= innerHeight";
        assert_eq!(
            ann.page.run(test).await,
            json!(true),
            "the test call is below the window's edge"
        );
    });
}
