//! A hostile page in the user's own browser, which holds the cookie: 0 calls, 0 changes.
//!
//! It stands at another port of the same host, where the browser sends the cookie along (cookies ignore ports, and the
//! sites are the same), at another name of it, and at an address that is not loopback.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twocan_tests::chromium::{Driver, STEP};
use twocan_tests::namespace::{ADDRESS, inside};

use super::stage::Stage;

/// Serves an empty page at every path, and gives the port.
async fn hostile() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let page = "<!doctype html><title>win a prize</title><body>";
                let text = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                let _ = stream.write_all(text.as_bytes()).await;
            });
        }
    });
    port
}

/// How many answers of a class a listener has given.
pub(super) async fn answers(stage: &Stage, listener: &str, class: &str) -> u64 {
    let [control, _] = stage.sides().await;
    // A look is counted when it has been answered, so the next one shows it.
    let text = control.request("GET", "/metrics").send(control.address).await.body;
    let series = format!("twocan_api_answers_total{{listener=\"{listener}\",class=\"{class}\"}} ");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&series))
        .expect("the series");
    line.parse().unwrap()
}

#[test]
fn a_hostile_page_changes_nothing() {
    inside("attacker::a_hostile_page_changes_nothing", async || {
        let (stage, driver) = (Stage::set().await, Driver::start().await);
        let browser = driver.page("attacked").await;
        let way_in = stage.ann.json(&["open"]).await;
        browser.open(way_in["url"].as_str().unwrap()).await;
        browser.visible("[data-act=answer]").await;
        let (before, port) = (stage.picture().await, hostile().await);
        let ready = stage.ann.ready();
        let targets = json!({ "control": ready.control, "page": ready.page, "call": stage.call });
        for from in ["127.0.0.1", "localhost", ADDRESS] {
            browser.open(&format!("http://{from}:{port}/")).await;
            let refused = answers(&stage, "page", "4xx").await + answers(&stage, "control", "4xx").await;
            let control = answers(&stage, "control", "2xx").await;
            let page = answers(&stage, "page", "2xx").await;
            let tried = browser.run_with(include_str!("attacker.js"), targets.clone()).await;
            unread(from, &tried);
            // The page's own stream ended before; each look at the metrics is one answer on the control listener.
            assert_eq!(answers(&stage, "page", "2xx").await, page, "{from}: {tried}");
            assert_eq!(answers(&stage, "control", "2xx").await, control + 3, "{from}: {tried}");
            if from == "127.0.0.1" {
                let after = answers(&stage, "page", "4xx").await + answers(&stage, "control", "4xx").await;
                assert!(
                    after >= refused + 16,
                    "the attack did not arrive: {refused}, {after}: {tried}"
                );
            }
            // A form that takes the whole window along.
            for base in [&ready.control, &ready.page] {
                browser.open(&format!("http://{from}:{port}/")).await;
                let action = format!("{base}/v1/calls/{}/answer", stage.call);
                let submit = "const form = document.body.appendChild(Object.assign(document.createElement('form'), \
                     { action: argument, method: 'post', enctype: 'text/plain' })); setTimeout(() => form.submit(), 0);";
                browser.run_with(submit, json!(action)).await;
                let went = "return document.title !== 'win a prize' && document.readyState === 'complete'";
                browser.until("the form's answer", STEP, went).await;
            }
            assert_eq!(stage.picture().await, before, "{from}: {tried}");
        }
        // The same browser at our own page may do what was refused.
        let way_in = stage.ann.json(&["open"]).await;
        browser.open(way_in["url"].as_str().unwrap()).await;
        let own = "const answer = await fetch('/v1/invites', { method: 'POST', headers: { 'content-type': 'application/json' }, \
             body: '{}' }); return answer.status";
        assert_eq!(browser.run(own).await, 201);
        assert_ne!(stage.picture().await, before);
    });
}

/// Nothing was opened, loaded as what it is, or readable.
fn unread(from: &str, tried: &Value) {
    for (name, came) in tried.as_object().unwrap() {
        let came = came.as_str().unwrap();
        let readable = came == "opened" || came.starts_with("cors") || came.starts_with("basic");
        assert!(!readable, "{from}: {name}: {came}");
    }
}
