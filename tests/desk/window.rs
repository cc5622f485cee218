//! The window of a call: a real Chromium that the tray starts, on a screen in memory. Pictures of it are kept.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use twocan_tests::chromium::{Driver, Page, STEP};
use twocan_tests::namespace::inside;
use twocan_tests::person::Person;
use twocan_tests::wait::{at_most, until_at_most};

use super::real::{NOTIFYD, Screen};
use super::*;

/// What the page of a call has open: `off`, `audio`, `audio video`.
const CAPTURE: &str = "return document.querySelector('twocan-call').dataset.capture";

/// Ann at her page, and Bob with a tray, whose browser is started by it.
struct Scene {
    driver: Driver,
    ann: Person,
    bob: Home,
    desktop: Desktop,
    screen: Screen,
    _tray: Tray,
}

impl Scene {
    /// `asks`: Bob's browser asks him before a page gets camera or microphone.
    async fn begin(asks: bool) -> Self {
        let driver = Driver::start().await;
        let desktop = Desktop::start().await;
        let mut screen = Screen::start(&desktop).await;
        screen.begin("xfwm4", &["--compositor=off"]);
        desktop.browse(&screen.display, &driver.flags("Bob", asks));
        let (ann, bob) = (Person::come(&driver, "Ann").await, Home::up("Bob").await);
        acquaint(&ann.home, &bob).await;
        ann.sees_green().await;
        let tray = desktop.tray(&bob.path());
        Self {
            driver,
            ann,
            bob,
            desktop,
            screen,
            _tray: tray,
        }
    }

    async fn one_click(&self) {
        self.bob.json(&["one-click", "on", "Ann"]).await;
    }

    /// Ann calls with picture; gives what is shown of it at Bob's, and the call.
    async fn ring(&self) -> (Notice, String) {
        self.ann.page.click("call-video").await;
        let call = self.bob.call("a ring", SOON, |call| call["state"] == "ringing").await;
        let call = call["id"].as_str().unwrap().to_owned();
        let own = format!("answer:{call}");
        let fits = |notice: &Notice| notice.actions.iter().any(|(key, _)| *key == own);
        (self.desktop.notice("the ring", fits).await, call)
    }

    async fn press(&self, (ring, call): &(Notice, String), answer: &str) {
        self.desktop.press(ring.id, &format!("{answer}:{call}")).await;
    }

    async fn hang_up(&self) {
        self.ann.page.click("hangup").await;
        self.ann.page.screen("ended").await;
        self.ann.page.click("close").await;
    }
}

async fn captures(page: &Page, what: &str) {
    page.until(what, STEP, &format!("{CAPTURE} === '{what}'")).await;
}

/// One click, and the call is up, in a window of its own, with camera and microphone; the next one without camera, though
/// a window of the last call is still open.
#[test]
fn one_click_and_the_camera_is_live() {
    inside("window::one_click_and_the_camera_is_live", async || {
        let scene = Scene::begin(false).await;
        scene.one_click().await;
        let ring = scene.ring().await;
        let window = until_at_most(NEVER, async || scene.screen.windows("chromium").await.pop()).await;
        assert_eq!(window, None, "a ring opens no window");
        scene.press(&ring, "answer").await;
        let page = scene.driver.join("Bob").await;
        page.screen("call").await;
        captures(&page, "audio video").await;
        scene.ann.sees_frames(30).await;
        scene.ann.hears_something().await;
        scene.screen.picture("6-window").await;
        assert_eq!(page.run("return location.pathname").await, format!("/call/{}", ring.1));
        assert_eq!(
            page.run("return matchMedia('(display-mode: standalone)').matches || menubar.visible === false")
                .await,
            true,
            "a window of its own"
        );
        scene.hang_up().await;
        page.screen("ended").await;
        captures(&page, "off").await;

        let ring = scene.ring().await;
        scene.press(&ring, "answer-voice").await;
        page.turn_to_the_other_window().await;
        page.screen("call").await;
        captures(&page, "audio").await;
        scene.ann.hears_something().await;
        scene.ann.page.screen("call").await;
        let dark = "return document.querySelector('twocan-call').dataset.picture === 'none'";
        scene.ann.page.until("no picture of Bob", STEP, dark).await;
        assert!(scene.ann.received("frames").await < 1.0, "a picture came");
        page.screenshot("voice").await;
        page.turn_to_the_other_window().await;
        let passive = "return !['call', 'calling'].includes(document.querySelector('twocan-app').dataset.screen)";
        page.until("the old window to leave the call alone", STEP, passive)
            .await;
        scene.hang_up().await;
    });
}

/// Without one click the window shows who rings; the camera opens by the click on the page, and by nothing else.
#[test]
fn without_one_click_the_window_asks() {
    inside("window::without_one_click_the_window_asks", async || {
        let scene = Scene::begin(false).await;
        let ring = scene.ring().await;
        scene.press(&ring, "answer-voice").await;
        let page = scene.driver.join("Bob").await;
        page.screen("ringing").await;
        scene.screen.picture("7-voice-first").await;
        let first = "return [...document.querySelectorAll('twocan-call .ring-acts button')]
            .map(it => `${it.dataset.act} ${it.className}`.trim()).join(', ')";
        assert_eq!(page.run(first).await, "answer-voice go, answer, decline danger");
        let opened = until_at_most(NEVER, async || {
            Some(page.run(CAPTURE).await).filter(|capture| capture != "off")
        });
        assert_eq!(opened.await, None, "nobody answered");
        let ringing = "return document.querySelector('twocan-call').dataset.callState === 'ringing'";
        assert_eq!(scene.ann.page.run(ringing).await, true);
        page.click("answer-voice").await;
        page.screen("call").await;
        captures(&page, "audio").await;
        scene.hang_up().await;
        page.screen("ended").await;
        captures(&page, "off").await;
    });
}

/// What Bob's browser asks him once, by its own button, it does not ask again: not in the next call, not after a restart of
/// browser and daemon, for the page's address stays.
#[test]
fn the_camera_is_asked_for_once() {
    inside("window::the_camera_is_asked_for_once", async || {
        let mut scene = Scene::begin(true).await;
        scene.one_click().await;
        let ring = scene.ring().await;
        scene.press(&ring, "answer").await;
        let page = scene.driver.join("Bob").await;
        page.screen("call").await;
        captures(&page, "opening").await;
        assert!(
            scene.ann.received("frames").await < 1.0,
            "a picture before anybody allowed it"
        );
        scene.screen.picture("8-question").await;
        let allowed = format!("{CAPTURE} === 'audio video'");
        until("the camera, by the browser's own button", STEP, async || {
            scene.screen.click(ALLOW, "1").await;
            // A click too early is not heard, nor is one that follows it soon.
            until_at_most(NEVER, async || (page.run(&allowed).await == true).then_some(())).await
        })
        .await;
        scene.ann.sees_frames(1).await;
        let origin = page.run("return location.origin").await;
        scene.hang_up().await;
        page.screen("ended").await;
        scene.screen.ask("xdotool", &["key", "alt+F4"]).await;
        scene.driver.ended("Bob").await;

        let address = origin.as_str().unwrap().trim_start_matches("http://");
        scene.bob.stop().await;
        scene.bob.serve_page_at(address);
        scene.bob.start().await;
        scene.ann.sees_green().await;
        let ring = scene.ring().await;
        scene.press(&ring, "answer").await;
        let page = scene.driver.join("Bob").await;
        page.screen("call").await;
        captures(&page, "audio video").await;
        scene.ann.sees_frames(1).await;
        assert_eq!(page.run("return location.origin").await, origin);
    });
}

/// Somebody types while it rings: every letter arrives where it was meant to, with a notification and, where none can be
/// shown, with the icon alone.
#[test]
fn whoever_types_goes_on_typing() {
    inside("window::whoever_types_goes_on_typing", async || {
        let desktop = Desktop::bare(true).await;
        let mut screen = Screen::start(&desktop).await;
        screen.begin("xfwm4", &["--compositor=off"]);
        screen.begin("xfce4-panel", &[]);
        let notifications = screen.begin(NOTIFYD, &[]);
        desktop.owned("org.freedesktop.Notifications", true).await;
        let two = Two::on(desktop).await;
        until("the icon", SOON, async || {
            (screen.colour("#5b86f7").await > 40).then_some(())
        })
        .await;
        let mut editor = Editor::open(&screen).await;

        let call = two.ann_calls().await;
        screen.window("xfce4-notifyd").await;
        editor.takes(&screen, "hello").await;
        assert_eq!(two.desktop.opened(), [], "a ring opens no window");
        two.bob
            .api()
            .post(&format!("/v1/calls/{call}/decline"), json!({}))
            .await;
        two.bobs_call(&call, "ended").await;

        screen.end(notifications).await;
        two.desktop.owned("org.freedesktop.Notifications", false).await;
        two.ann_calls().await;
        until("the icon of a ring", SOON, async || {
            (screen.colour("#2ea043").await > 40).then_some(())
        })
        .await;
        editor.takes(&screen, "world").await;
        screen.picture("9-typing").await;
        let opened = until_at_most(NEVER, async || two.desktop.opened().pop()).await;
        assert_eq!(opened, None, "the icon rings, and the sound");
    });
}

/// Where Chromium's button *Allow while visiting the site* stands, in a window that fills the screen.
const ALLOW: (i32, i32) = (200, 519);

/// A window in which somebody types.
struct Editor {
    _program: Child,
    keys: Lines<BufReader<ChildStdout>>,
}

impl Editor {
    async fn open(screen: &Screen) -> Self {
        let mut program = screen
            .command("xev", &["-event", "keyboard"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = BufReader::new(program.stdout.take().unwrap()).lines();
        until("the focus", SOON, async || {
            let active = screen.ask("xdotool", &["getactivewindow", "getwindowname"]).await;
            active.contains("Event Tester").then_some(())
        })
        .await;
        Self {
            _program: program,
            keys,
        }
    }

    /// Types `text`, wherever that goes, and waits until all of it has come here.
    async fn takes(&mut self, screen: &Screen, text: &str) {
        screen.ask("xdotool", &["type", text]).await;
        for letter in text.chars() {
            let pressed = format!("XLookupString gives 1 bytes: ({:x}) \"{letter}\"", u32::from(letter));
            let came = async {
                while let Some(line) = self.keys.next_line().await.unwrap() {
                    if line.contains(&pressed) {
                        return;
                    }
                }
                panic!("the editor has ended");
            };
            at_most(&format!("the letter {letter}"), SOON, came).await;
        }
    }
}
