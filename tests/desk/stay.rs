//! The tray outlives what it depends on, starts what is missing, and ends what it started.

use twocan_tests::binary;
use twocan_tests::upgrade::{place, program, taken_up};

use super::*;

#[tokio::test]
async fn restarts_of_panel_and_daemon_are_survived() {
    let mut two = Two::start().await;
    two.desktop.line(1, "Video call").await;
    two.desktop.panel_goes().await;
    two.desktop.panel_comes().await;
    two.desktop.line(1, "Video call").await;

    two.bob.stop().await;
    two.desktop.line(0, "Twocan is not running").await;
    two.bob.start().await;
    two.desktop.line(1, "Video call").await;
    two.bob.crash().await;
    two.desktop.line(0, "Start Twocan").await;
    two.bob.start().await;
    let line = two.desktop.line(0, "● Ann").await;
    assert!(line.enabled);
    two.tray.stop().await;
    assert_eq!(two.bob.api().get("/v1/me").await["presence"], "available");
}

/// An upgrade replaces both programs. When the daemon comes back as the new one, the tray goes on as the new one, too, in
/// the same process, so that whoever started it keeps it.
#[tokio::test]
async fn an_upgrade_is_taken_up() {
    let desktop = Desktop::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twocan-tray");
    place(binary::tray(), &path);
    let mut bob = Home::up("Bob").await;
    let mut tray = desktop.tray_at(&path, &bob.path());
    desktop.line(0, "No contacts yet").await;
    assert_eq!(desktop.icons().len(), 1);
    bob.restart().await;
    desktop.line(0, "No contacts yet").await;
    assert_eq!(desktop.icons().len(), 1, "nothing was upgraded");

    place(binary::tray(), &path);
    assert_ne!(program(tray.pid()), path, "the old one goes on");
    bob.restart().await;
    taken_up(tray.pid(), &path).await;
    until("its icon", SOON, async || (desktop.icons().len() > 1).then_some(())).await;
    desktop.line(0, "No contacts yet").await;
    assert_eq!(desktop.opened(), [], "it is alone, and opens nothing");
    tray.stop().await;
    assert_eq!(bob.api().get("/v1/me").await["presence"], "available");
}

#[tokio::test]
async fn the_tray_starts_the_daemon_and_ends_it() {
    let desktop = Desktop::start().await;
    let home = Home::empty("Eve");
    home.configure(
        "version = 1\n[network]\nudp = \"127.0.0.1:0\"\n[api]\ncontrol = \"127.0.0.1:0\"\npage = \"127.0.0.1:0\"\n",
    );
    let mut tray = desktop.tray(&home.path());
    let told = desktop
        .notice("what was done", |notice| notice.title == "Twocan was not running")
        .await;
    assert_eq!(told.body, "It was started.");
    desktop.line(0, "No contacts yet").await;
    let pid = home.api().get("/v1/status").await["pid"].as_i64().unwrap();
    assert_ne!(i32::try_from(pid).unwrap(), tray.pid());

    // Another tray of the same home opens the page and leaves.
    let mut second = desktop.tray(&home.path());
    second.ended().await;
    assert_eq!(desktop.opens(1).await, "/");

    desktop.click(0, "Quit").await;
    tray.ended().await;
    is_silent(&home).await;
}

/// A daemon that cannot start says why, in the menu and in a notification.
#[tokio::test]
async fn what_keeps_the_daemon_from_starting_is_told() {
    let desktop = Desktop::start().await;
    let home = Home::empty("Eve");
    home.configure("version = 1\n[netwrk]\n");
    let tray = desktop.tray(&home.path());
    let told = desktop
        .notice("the reason", |notice| notice.title == "Twocan does not start")
        .await;
    assert!(told.body.contains("netwrk"), "{told:?} {}", tray.log());
    desktop.line(0, "Twocan does not start").await;
    desktop.line(0, "Start Twocan").await;
}
