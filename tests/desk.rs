//! The tray on a desktop: its icon and menu on the bus, the ring as a notification, and what comes of pressing either.
//! The last test is for the eyes as well: a real panel and real notifications, whose pictures are kept.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "desk/answer.rs"]
mod answer;
#[path = "desk/real.rs"]
mod real;
#[path = "desk/ring.rs"]
mod ring;
#[path = "desk/stay.rs"]
mod stay;
#[path = "desk/window.rs"]
mod window;

use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::desktop::{Desktop, Notice, SOON, Tray};
use twocan_tests::home::{Home, acquaint};
use twocan_tests::wait::until;

/// Ann, and Bob with a tray, who are contacts.
struct Two {
    ann: Home,
    bob: Home,
    desktop: Desktop,
    tray: Tray,
}

impl Two {
    async fn start() -> Self {
        Self::on(Desktop::start().await).await
    }

    async fn on(desktop: Desktop) -> Self {
        let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
        acquaint(&ann, &bob).await;
        let tray = desktop.tray(&bob.path());
        Self {
            ann,
            bob,
            desktop,
            tray,
        }
    }

    /// Ann calls Bob; gives the call's id on Bob's side, once it rings there.
    async fn ann_calls(&self) -> String {
        self.ann.json(&["call", "Bob", "--detach"]).await;
        let call = self.bob.call("a ring", SOON, |call| call["state"] == "ringing").await;
        call["id"].as_str().unwrap().to_owned()
    }

    async fn bobs_call(&self, id: &str, state: &str) -> Value {
        let fits = |call: &Value| call["id"] == id && call["state"] == state;
        self.bob.call(state, SOON, fits).await
    }
}

/// The tray has ended its daemon, or never had one: nobody answers in this home.
async fn is_silent(home: &Home) {
    let socket = home.path().join("run/api.sock");
    until("the daemon's end", SOON, async || {
        let reached = tokio::net::UnixStream::connect(&socket).await;
        reached.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_icon_shows_and_its_menu_works() {
    let two = Two::start().await;
    let desktop = &two.desktop;
    let call = desktop.line(1, "Video call").await;
    assert!(call.enabled);
    let (icon, title) = (desktop.property("IconPixmap").await, desktop.property("Title").await);
    assert_eq!((&icon[0][0], &icon[0][1]), (&json!(48), &json!(48)));
    assert_eq!(title, "Twocan");

    desktop.click(0, "Do not disturb").await;
    until("do not disturb", SOON, async || {
        let me = two.bob.api().get("/v1/me").await;
        (me["presence"] == "do_not_disturb").then_some(())
    })
    .await;
    until("its tick, and another icon", SOON, async || {
        let is_on = desktop.line(0, "Do not disturb").await.on;
        (is_on && desktop.property("IconPixmap").await != icon).then_some(())
    })
    .await;

    desktop.click(1, "Silent").await;
    let file = two.bob.path().join("tray.toml");
    until("the setting on the disk", SOON, async || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.contains("mute = true").then_some(())
    })
    .await;

    desktop.click(0, "Open Twocan").await;
    assert_eq!(desktop.opens(1).await, "/");
    desktop.click(0, "Check my network").await;
    assert_eq!(desktop.opens(2).await, "/network");
    desktop.click(1, "Video call").await;
    let call = two
        .ann
        .call("Bob's ring", SOON, |call| call["state"] == "ringing")
        .await;
    assert_eq!(call["media"], json!({ "audio": true, "video": true }));
    let own = two
        .bob
        .call("the own call", SOON, |call| call["direction"] == "out")
        .await;
    let page = format!("/call/{}", own["id"].as_str().unwrap());
    assert_eq!(desktop.opens(3).await, page);
    desktop.click(0, "Hang up").await;
    two.bobs_call(own["id"].as_str().unwrap(), "ended").await;
}

/// Where the desktop has no place for icons, the page comes instead, and that is said.
#[tokio::test]
async fn without_a_panel_the_page_opens() {
    let desktop = Desktop::bare(false).await;
    let bob = Home::up("Bob").await;
    let tray = desktop.tray(&bob.path());
    assert_eq!(desktop.opens(1).await, "/");
    let said = tray.log();
    assert!(said.contains("Your desktop has no place for tray icons"), "{said}");
}

/// How long something may take that must not happen.
const NEVER: Duration = Duration::from_secs(2);
