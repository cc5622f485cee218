//! `/docs` in a real browser: it loads from this daemon alone, under its own policy, and trying a call works.

use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::home::Home;
use twocan_tests::namespace::inside;

#[test]
fn the_documentation_can_be_read_and_tried() {
    inside("documentation::the_documentation_can_be_read_and_tried", async || {
        let (ann, driver) = (Home::up("Ann").await, Driver::start().await);
        let browser = driver.page("docs").await;
        let way_in = ann
            .api()
            .post("/v1/page", serde_json::json!({ "path": "/docs" }))
            .await
            .body;
        browser.open(way_in["url"].as_str().unwrap()).await;
        let operations = "return document.querySelectorAll('.opblock').length >= 30";
        browser.until("the operations", STEP, operations).await;
        browser.screenshot("operations").await;
        // As the button "Try it out" does it.
        let invite = "const answer = await fetch('/v1/invites', { method: 'POST', headers: { 'content-type': 'application/json' }, \
             body: '{}' }); return answer.status";
        assert_eq!(browser.run(invite).await, 201);
        let elsewhere = "return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin) && !name.startsWith('data:'))";
        assert_eq!(browser.run(elsewhere).await, serde_json::json!([]));
        assert_eq!(browser.wrong().await, Vec::<String>::new());
    });
}
