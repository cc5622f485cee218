//! Answering from a notification or the menu: at once for a contact of whom the user said so, else on the page.

use twocan_tests::wait::until_at_most;

use super::*;

/// The desktop's word for a click, as xfwm4 writes it.
const TOKEN: &str = "xfwm4-7-desk_TIME4711";

impl Two {
    /// Bob answers Ann's calls by one click, or does not.
    async fn one_click(&self, is_on: bool) {
        let switch = if is_on { "on" } else { "off" };
        let contact = self.bob.json(&["one-click", switch, "Ann"]).await;
        assert_eq!(contact["one_click"], is_on, "{contact}");
    }

    /// Ann calls; gives the call and what is shown of it.
    async fn ring(&self) -> (String, Notice) {
        let call = self.ann_calls().await;
        let own = format!("answer:{call}");
        let fits = |notice: &Notice| notice.actions.iter().any(|(key, _)| *key == own);
        (call, self.desktop.notice("the ring", fits).await)
    }

    /// Nothing that anybody but the user did has answered this call or opened anything.
    async fn nothing_came_of_it(&self, call: &str) {
        let came = until_at_most(NEVER, async || {
            let state = self.bob.api().get(&format!("/v1/calls/{call}")).await["state"].clone();
            (state != "ringing" || !self.desktop.opened().is_empty()).then_some(state)
        });
        assert_eq!(came.await, None, "{:?}", self.desktop.opened());
    }
}

#[tokio::test]
async fn one_click_answers_whom_the_user_said_and_opens_the_call_in_its_window() {
    let two = Two::start().await;
    two.one_click(true).await;
    let (call, ring) = two.ring().await;
    assert_eq!(ring.body, "Video call. Answer turns your camera and microphone on.");

    // A click beside the buttons is none on one of them, and nobody but the notifications speaks for them.
    two.desktop.press(ring.id, "default").await;
    two.desktop.forge(ring.id, &format!("answer:{call}")).await;
    two.nothing_came_of_it(&call).await;

    two.desktop.token(ring.id, TOKEN).await;
    two.desktop.press(ring.id, &format!("answer:{call}")).await;
    let active = two.bobs_call(&call, "active").await;
    assert_eq!(active["own_media"], json!({ "audio": true, "video": true }));
    assert_eq!(two.desktop.opens(1).await, format!("/call/{call}/answered"));
    let opened = &two.desktop.opened()[0];
    assert_eq!(opened.program, "chromium");
    assert!(opened.argument.starts_with("--app=http://127.0.0.1:"), "{opened:?}");
    assert_eq!(opened.tokens, [TOKEN, TOKEN], "the click has the focus");
    let closed = |notice: &Notice| notice.id == ring.id && notice.is_closed;
    two.desktop.notice("the ring's end", closed).await;
    two.ann.twocan(&["hangup"]).await.exited(0);
}

#[tokio::test]
async fn answered_without_camera_the_camera_is_off_from_the_start() {
    let two = Two::start().await;
    two.one_click(true).await;
    let (call, ring) = two.ring().await;
    two.desktop.press(ring.id, &format!("answer-voice:{call}")).await;
    let active = two.bobs_call(&call, "active").await;
    assert_eq!(active["own_media"], json!({ "audio": true, "video": false }));
    let there = |seen: &Value| seen["state"] == "active" && seen["peer_media"]["video"] == false;
    two.ann.call("a call without Bob's picture", SOON, there).await;
    assert_eq!(two.desktop.opens(1).await, format!("/call/{call}/answered"));
    assert_eq!(two.desktop.opened()[0].tokens, ["", ""], "no token came");
}

/// What the user did not allow takes the page: a press can be forged by whoever shows the notifications.
#[tokio::test]
async fn without_one_click_a_press_opens_the_ringing_screen_and_answers_nothing() {
    let two = Two::start().await;
    let (call, ring) = two.ring().await;
    assert!(ring.body.contains("stays off until you answer on the page"), "{ring:?}");
    two.desktop.press(ring.id, &format!("answer-voice:{call}")).await;
    assert_eq!(two.desktop.opens(1).await, format!("/call/{call}/voice"));
    two.desktop.press(ring.id, &format!("answer:{call}")).await;
    assert_eq!(two.desktop.opens(2).await, format!("/call/{call}"));
    // What the notification said when it came holds, whatever is switched meanwhile.
    two.one_click(true).await;
    two.desktop.press(ring.id, &format!("answer:{call}")).await;
    assert_eq!(two.desktop.opens(3).await, format!("/call/{call}"));
    two.bobs_call(&call, "ringing").await;
}

/// For everybody of whom nothing was said, as the configuration has it; by the menu, too; and a tab instead of a window.
#[tokio::test]
async fn the_configuration_says_what_is_usual() {
    let desktop = Desktop::start().await;
    let mut two = Two::on(desktop).await;
    two.bob.stop().await;
    let more = "\n[calls]\none_click = true\nwindow = false\n";
    let old = std::fs::read_to_string(two.bob.path().join("config.toml")).unwrap_or_default();
    two.bob.configure(&format!("{old}{more}"));
    two.bob.start().await;
    two.bob.green("Ann", SOON).await;
    two.ann.green("Bob", SOON).await;
    let warnings = two.bob.json(&["status"]).await["warnings"].to_string();
    assert!(!warnings.contains("setting_idle"), "{warnings}");
    let (call, _) = two.ring().await;
    two.desktop.click(0, "Answer").await;
    two.bobs_call(&call, "active").await;
    assert_eq!(two.desktop.opens(1).await, format!("/call/{call}/answered"));
    assert_eq!(two.desktop.opened()[0].program, "xdg-open");
}
