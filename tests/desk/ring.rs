//! A call that rings.

use super::*;

#[tokio::test]
async fn a_ring_is_answered_from_its_notification_and_from_nothing_else() {
    let two = Two::start().await;
    let desktop = &two.desktop;
    desktop.line(1, "Video call").await;
    let calm = desktop.property("IconPixmap").await;

    let call = two.ann_calls().await;
    let ring = desktop
        .notice("a ring", |notice| notice.title == "Ann is calling")
        .await;
    let keys = ["answer", "answer-voice", "decline"].map(|act| format!("{act}:{call}"));
    assert_eq!(
        ring.actions.iter().map(|(key, _)| key).collect::<Vec<_>>(),
        keys.each_ref()
    );
    assert_eq!(ring.urgency, 2, "critical");
    desktop.line(0, "Answer without camera").await;
    assert_ne!(desktop.property("IconPixmap").await, calm, "the icon rings, too");
    until("the sound", SOON, async || desktop.played().pop()).await;

    // A click beside the buttons, a button of another notification, and an act that this one does not offer.
    desktop.press(ring.id, "default").await;
    desktop.press(ring.id + 7, &keys[0]).await;
    desktop.press(ring.id, "quit").await;
    desktop.press(ring.id, &keys[0]).await;
    assert_eq!(desktop.opens(1).await, format!("/call/{call}"));
    assert_eq!(desktop.opened().len(), 1, "one press opens one page");
    two.bobs_call(&call, "ringing").await;

    // The page answers; for the tray that is elsewhere.
    two.bob.api().post(&format!("/v1/calls/{call}/answer"), json!({})).await;
    desktop
        .notice("the ring's end", |notice| notice.id == ring.id && notice.is_closed)
        .await;
    desktop.line(0, "In a call with Ann").await;
    until("silence", SOON, async || {
        let player = desktop.folder().join("bin/pw-play").display().to_string();
        (!is_running(&player)).then_some(())
    })
    .await;
    desktop.click(0, "Hang up").await;
    two.bobs_call(&call, "ended").await;
    until("the calm icon", SOON, async || {
        (desktop.property("IconPixmap").await == calm).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_ring_is_declined_and_a_cancelled_one_closes() {
    let two = Two::start().await;
    let desktop = &two.desktop;
    let declined = two.ann_calls().await;
    let ring = desktop.notice("a ring", |notice| notice.urgency == 2).await;
    desktop.press(ring.id, &format!("decline:{declined}")).await;
    let ended = two.bobs_call(&declined, "ended").await;
    assert_eq!(ended["reason"]["code"], "declined");
    desktop
        .notice("the ring's end", |notice| notice.id == ring.id && notice.is_closed)
        .await;

    let cancelled = two.ann_calls().await;
    let again = desktop
        .notice("another ring", |notice| notice.urgency == 2 && notice.id > ring.id)
        .await;
    two.ann.twocan(&["hangup"]).await.exited(0);
    desktop
        .notice("its end", |notice| notice.id == again.id && notice.is_closed)
        .await;
    desktop.line(0, "Missed call from Ann").await;
    // What was pressed too late does nothing.
    desktop.press(again.id, &format!("answer:{cancelled}")).await;
    let opened = twocan_tests::wait::until_at_most(NEVER, async || desktop.opened().pop()).await;
    assert_eq!(opened, None);
}

/// Where no notification can be shown, the ring is in the menu, and no window comes by itself.
#[tokio::test]
async fn without_notifications_the_menu_rings() {
    let desktop = Desktop::without_notifications().await;
    let two = Two::on(desktop).await;
    two.desktop.line(1, "Video call").await;
    let call = two.ann_calls().await;
    two.desktop.line(0, "Answer without camera").await;
    until("the sound", SOON, async || two.desktop.played().pop()).await;
    let opened = twocan_tests::wait::until_at_most(NEVER, async || two.desktop.opened().pop()).await;
    assert_eq!(opened, None);
    two.desktop.click(0, "Decline").await;
    two.bobs_call(&call, "ended").await;
}

/// Who wants no sound on this device is still shown the ring.
#[tokio::test]
async fn a_silent_configuration_rings_without_a_sound() {
    let mut two = Two::start().await;
    two.bob.stop().await;
    two.bob.configure("[calls]\nring_sound = false\n");
    two.bob.start().await;
    two.desktop.line(0, "Ring sound is off in config.toml").await;
    two.bob.green("Ann", SOON).await;
    two.ann.green("Bob", SOON).await;
    two.ann_calls().await;
    two.desktop
        .notice("a ring", |notice| notice.title == "Ann is calling")
        .await;
    let played = twocan_tests::wait::until_at_most(NEVER, async || two.desktop.played().pop()).await;
    assert_eq!(played, None);
}

/// Where there is no icon either, the page is all that can be seen of it. It asks for no focus.
#[tokio::test]
async fn without_notifications_and_panel_the_page_rings() {
    let two = Two::on(Desktop::bare(false).await).await;
    assert_eq!(two.desktop.opens(1).await, "/");
    let call = two.ann_calls().await;
    assert_eq!(two.desktop.opens(2).await, format!("/call/{call}"));
    let [_, startup] = &two.desktop.opened()[1].tokens;
    assert!(
        startup.ends_with("_TIME0"),
        "who types elsewhere goes on typing there: {startup}"
    );
}

/// Whether a process runs that was started as this script.
fn is_running(script: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap();
    processes.flatten().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(script)
    })
}
