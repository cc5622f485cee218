//! The newcomer's first minute: `twocan demo`, without a browser.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use twocan_tests::binary;
use twocan_tests::chromium::Driver;
use twocan_tests::home::Home;
use twocan_tests::namespace::{inside, narrow, others};
use twocan_tests::person::{PIXELS, RECEIVED, pixels, spread};
use twocan_tests::wait::{at_most, until};

/// Five seconds of call, one of ringing, and two daemons' start on a busy machine.
const DEMO: Duration = Duration::from_secs(30);

/// What the demo prints must be there and hold.
fn check(body: &Value, frames: f64) {
    let number = |key: &str| {
        body[key]
            .as_f64()
            .unwrap_or_else(|| panic!("no number `{key}`: {body}"))
    };
    assert!(number("video_frames") >= frames, "{body}");
    assert!(number("answer_to_media_ms") <= 300.0, "{body}");
    assert_eq!(number("lost_packets"), 0.0, "{body}");
    assert_eq!(body["path"], "lan", "{body}");
    assert!(number("audio_packets") >= frames, "{body}");
    assert!(
        (500.0..3000.0).contains(&number("ringing_ms")),
        "Echo rings for one second: {body}"
    );
    assert!(number("rtt_ms") > 0.0 && number("rtt_ms") < 100.0, "{body}");
    assert!(number("video_fps") >= 10.0, "{body}");
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect()
}

/// Runs the demo for `seconds` where no daemon runs, and checks what it says; gives its home and temporary folder.
async fn bare(seconds: u32, frames: f64) -> (TempDir, TempDir) {
    let (home, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let demo = Command::new(binary::twocan())
        .args(["demo", "--headless", "--json", "--seconds", &seconds.to_string()])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home.path())
        .env("TMPDIR", temp.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = at_most("the demo's end", DEMO, demo).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    check(&serde_json::from_slice(&output.stdout).unwrap(), frames);
    (home, temp)
}

/// Without a daemon: a throw-away home, of which nothing is left.
#[test]
fn on_a_bare_machine() {
    inside("on_a_bare_machine", async || {
        let (home, temp) = bare(5, 60.0).await;
        assert_eq!(others(), Vec::<String>::new(), "processes are left");
        assert_eq!(files(temp.path()), Vec::<String>::new(), "files are left");
        assert_eq!(files(home.path()), Vec::<String>::new(), "files are left");
    });
}

/// The narrowest path that IPv6 allows (RFC 8200, section 5) carries the same.
#[test]
fn over_a_narrow_path() {
    inside("over_a_narrow_path", async || {
        narrow(1280);
        bare(2, 24.0).await;
    });
}

/// With a daemon: it is called from there, and Echo is no contact afterwards.
#[test]
fn beside_a_running_daemon() {
    inside("beside_a_running_daemon", async || {
        let ann = Home::up("Ann").await;
        let demo = ann.begin(&["demo", "--headless", "--seconds", "2", "--json"]);
        check(&demo.end(DEMO).await.exited(0).json(), 24.0);
        assert_eq!(ann.api().list("/v1/contacts").await, Vec::<Value>::new());
        assert_eq!(ann.api().list("/v1/invites").await, Vec::<Value>::new());
        until("only the daemon is left", Duration::from_secs(2), async || {
            (others().len() == 1).then_some(())
        })
        .await;
    });
}

/// As a newcomer sees it: the page that the demo names shows oneself as Echo sends one back, until Ctrl-C.
#[test]
fn in_a_browser() {
    inside("in_a_browser", async || {
        let driver = Driver::start().await;
        let (home, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut demo = Command::new(binary::twocan())
            .args(["demo", "--no-page"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("TMPDIR", temp.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        let url = at_most("the page's address", DEMO, async {
            loop {
                let line = lines.next_line().await.unwrap().expect("a line with an address");
                if let Some(at) = line.find("http://") {
                    break line[at..].split_whitespace().next().unwrap().to_owned();
                }
            }
        });
        let (url, page) = (url.await, driver.page("Newcomer").await);
        page.open(&url).await;
        page.screen("call").await;
        page.screenshot("demo-first-sight").await;
        page.until(
            "oneself",
            DEMO,
            &format!("const got = await (async () => {{ {RECEIVED} }})(); return got?.frames >= 100"),
        )
        .await;
        assert!(
            spread(&pixels(&page.run(PIXELS).await)) > 50,
            "the picture is of one colour"
        );
        page.screenshot("demo").await;
        let pid = Pid::from_raw(i32::try_from(demo.id().unwrap()).unwrap());
        kill(pid, Signal::SIGINT).unwrap();
        let status = at_most("the demo's end", DEMO, demo.wait()).await.unwrap();
        assert!(status.success(), "{status}");
        page.screenshot("demo-after").await;
        for folder in [&home, &temp] {
            assert_eq!(files(folder.path()), Vec::<String>::new(), "files are left");
        }
    });
}
