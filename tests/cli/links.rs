//! `twocan open LINK`, as the desktop calls it for whatever somebody put into a mail: it asks, and never dials.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use twocan_tests::home::Home;
use twocan_tests::running::{Output, command};
use twocan_tests::wait::{at_most, until};

/// How many hostile links are clicked.
const HOSTILE: usize = 1000;
/// The most bytes that the system lets an argument have.
const ARGUMENT: usize = 128 * 1024;
const ONE: Duration = Duration::from_secs(10);

/// A home whose browser writes down what it is to open.
struct Clicker {
    home: Home,
    opened: PathBuf,
}

impl Clicker {
    fn new(name: &str) -> Self {
        let home = Home::empty(name);
        let (browser, opened) = (home.path().join("browser"), home.path().join("opened"));
        home.configure(&format!("[calls]\nbrowser = {:?}\n", browser.to_str().unwrap()));
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >> {:?}\n", opened.to_str().unwrap());
        std::fs::write(&browser, script).unwrap();
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { home, opened }
    }

    async fn up(name: &str) -> Self {
        let mut clicker = Self::new(name);
        clicker.home.begin_life().await;
        clicker
    }

    /// As the desktop file says.
    async fn click(&self, what: &[&str]) -> Output {
        let mut open = command(&self.home.path());
        open.args(["open", "--desktop", "--"]).args(what);
        // No service manager and no notifications of whoever runs the tests.
        open.env_remove("DBUS_SESSION_BUS_ADDRESS").stdin(Stdio::null());
        let done = at_most("twocan open", ONE, open.output()).await.unwrap();
        Output {
            code: done.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    fn opened(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.opened).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Contacts, calls and invites.
    async fn lists(&self) -> Value {
        let api = self.home.api();
        json!([
            api.list("/v1/contacts").await,
            api.list("/v1/calls").await,
            api.list("/v1/invites").await
        ])
    }
}

async fn link_of(home: &Home) -> String {
    let invite = home.api().post("/v1/invites", json!({})).await.body;
    invite["link"].as_str().unwrap().to_owned()
}

/// Where the page leads that was opened: the one-time address is used up.
async fn leads_to(clicker: &Clicker, url: &str) -> String {
    let page = &clicker.home.ready().page;
    assert!(url.starts_with(&format!("{page}/enter/")), "{url}");
    let done = tokio::process::Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{redirect_url}", url])
        .output();
    let done = at_most("curl", ONE, done).await.unwrap();
    let place = String::from_utf8(done.stdout).unwrap();
    place.strip_prefix(page.as_str()).unwrap_or(&place).to_owned()
}

#[tokio::test]
async fn a_click_on_a_link_asks_and_never_dials() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Clicker::up("Bob"));
    let (link, before) = (link_of(&ann).await, bob.lists().await);
    for written in [
        link.clone(),
        link.replacen("twocan:", "TWOCAN:", 1),
        link.replacen("twocan:", "twocan://", 1),
    ] {
        bob.click(&[&written]).await.exited(0);
        let url = bob.opened().pop().unwrap();
        let place = leads_to(&bob, &url).await;
        let id = place.strip_prefix("/link/").unwrap_or_else(|| panic!("{place}"));
        assert!(
            !place.contains(&link[10..40]) && !url.contains(&link[10..40]),
            "{url} {place}"
        );
        let paste = bob.home.api().get(&format!("/v1/pastes/{id}")).await;
        assert_eq!((&paste["name"], &paste["why"]), (&json!("Ann"), &json!(null)));
        assert_eq!(paste["link"], link);
    }
    assert_eq!(bob.lists().await, before);
    assert_eq!(ann.api().list("/v1/contacts").await.len(), 0);
}

#[tokio::test]
async fn the_menu_starts_what_does_not_run() {
    let ann = Clicker::new("Ann");
    // Ports of this home's own, as the command that is started has no flags for them.
    ann.home.configure(&format!(
        "{}[network]\nudp = \"127.0.0.1:0\"\n[api]\ncontrol = \"127.0.0.1:0\"\npage = \"127.0.0.1:0\"\n",
        std::fs::read_to_string(ann.home.path().join("config.toml")).unwrap()
    ));
    ann.click(&[]).await.exited(0);
    let status = ann.home.json(&["status"]).await;
    let url = ann.opened().pop().unwrap();
    assert!(
        url.starts_with(&format!("{}/enter/", status["page"].as_str().unwrap())),
        "{url}"
    );
    let pid = i32::try_from(status["pid"].as_i64().unwrap()).unwrap();
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let socket = ann.home.path().join("run/api.sock");
    until("its end", ONE, async || (!socket.exists()).then_some(())).await;
}

/// What somebody might put behind the scheme.
fn hostile(number: usize, link: &str) -> String {
    let kinds = [
        "twocan:%00",
        "twocan:$(touch x)",
        "twocan:`touch x`",
        "twocan:--help",
        "twocan://--json",
        "twocan:-rf /",
        "twocan:;id",
        "twocan:/call/",
        "twocan:/../../etc/passwd",
        "twocan:\u{202e}cba",
        "twocan:\u{1f4de}\u{1f4de}",
        "twocan:\n\ntwocan:",
        "twocan:",
        "twocan:%74%77%6f",
        "TWOCAN:AAAA",
        "twocan-reply:AAAA",
        "twocan:javascript:alert(1)",
        "twocan:file:///etc/passwd",
        "twocan:?call=1&answer=1",
        "twocan:#answer",
        "--version",
        "--json",
        "-h",
        "javascript:alert(1)",
        "//evil.example/",
        "\\\\evil",
        "/call/../../x?y",
        "https://evil.example/",
        "twocan:\u{0}",
    ];
    let kind = kinds[number % kinds.len()].replace('\0', "%00");
    let round = number / kinds.len();
    match round % 4 {
        0 => kind,
        1 => format!("{kind}{}", "A".repeat((1 << (round % 17)).min(ARGUMENT / 2))),
        // A whole link with one letter bent.
        2 => {
            // In the first half: the last bits of the last letter say nothing.
            let at = "twocan:".len() + (number * 7) % (link.len() / 2);
            let bent = if link.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{bent}{}", &link[..at], &link[at + 1..])
        }
        _ => format!("{kind}{}", link.chars().rev().collect::<String>()),
    }
}

#[tokio::test]
async fn hostile_links_dial_nothing_and_open_nothing() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Clicker::up("Bob"));
    let (link, before) = (link_of(&ann).await, bob.lists().await);
    let folder = std::fs::read_dir(bob.home.path()).unwrap().count();
    for number in 0..HOSTILE {
        let text = hostile(number, &link);
        let done = bob.click(&[&text]).await;
        assert!([1, 2].contains(&done.code), "{text:?}: {done:?}");
        assert!(
            !done.stderr.contains("panicked") && done.stdout.is_empty(),
            "{text:?}: {done:?}"
        );
    }
    assert_eq!(bob.opened(), Vec::<String>::new());
    assert_eq!(bob.lists().await, before);
    assert_eq!(std::fs::read_dir(bob.home.path()).unwrap().count(), folder);
    assert_eq!(bob.home.api().get("/v1/status").await["person"]["name"], "Bob");
}

/// What no argument can hold comes through the API.
#[tokio::test]
async fn a_megabyte_is_refused() {
    let bob = Home::up("Bob").await;
    for text in ["A".repeat(1 << 20), format!("twocan:{}", "A".repeat(1 << 20))] {
        let answer = bob.api().post("/v1/pastes", json!({ "text": text })).await;
        assert_eq!((answer.status, &answer.body["code"]), (413, &json!("too_large")));
    }
    let large = bob
        .api()
        .post(
            "/v1/pastes",
            json!({ "text": format!("twocan:{}", "A".repeat(16_000)) }),
        )
        .await;
    assert_eq!((large.status, &large.body["code"]), (422, &json!("invite_damaged")));
}
