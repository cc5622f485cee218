//! A real Firefox page, driven over Marionette, the browser's own protocol: JSON behind its length, over TCP.
//!
//! Preferences are Firefox's own, but for a made-up camera, no question about it, sound that plays by itself, and a port.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::chromium::STEP;
use crate::wait::{at_most, until};

/// How long a browser may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

const PREFERENCES: &str = r#"user_pref("marionette.port", 0);
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.autoplay.default", 0);
user_pref("app.update.auto", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
"#;

/// One page in a Firefox of its own. Dropping it ends the browser.
#[derive(Debug)]
pub struct Firefox {
    name: String,
    wire: Mutex<Wire>,
    _child: Child,
    _folder: TempDir,
}

impl Firefox {
    /// Starts it with an empty page. `name` names it in failures.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-firefox-").tempdir().unwrap();
        std::fs::write(folder.path().join("user.js"), PREFERENCES).unwrap();
        let child = Command::new("firefox-esr")
            .args(["--headless", "--no-remote", "--marionette", "--profile"])
            .arg(folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("firefox-esr, of the package of that name");
        let port = until("Marionette's port", START, async || port_in(folder.path())).await;
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut wire = Wire { stream, last: 0 };
        let hello = at_most("Marionette's greeting", START, wire.receive()).await;
        assert_eq!(hello["marionetteProtocol"], 3, "{hello}");
        at_most("a session", START, wire.ask("WebDriver:NewSession", json!({}))).await;
        Self {
            name: name.to_owned(),
            wire: Mutex::new(wire),
            _child: child,
            _folder: folder,
        }
    }

    /// Goes to `url`.
    ///
    /// # Panics
    /// If it does not load.
    pub async fn open(&self, url: &str) {
        self.ask("WebDriver:Navigate", json!({ "url": url })).await;
    }

    /// What the JavaScript function body `script` returns; it may `await`.
    ///
    /// # Panics
    /// If it throws.
    pub async fn run(&self, script: &str) -> Value {
        let script = format!(
            "const [done] = arguments;
             (async () => {{ {script} }})().then(value => done({{ value: value ?? null }}), error => done({{ error: String(error) }}));"
        );
        let wish = json!({ "script": script, "args": [], "sandbox": null, "newSandbox": false });
        let result = self.ask("WebDriver:ExecuteAsyncScript", wish).await["value"].clone();
        assert!(result.get("error").is_none(), "{}: {result} in {script}", self.name);
        result["value"].clone()
    }

    /// Waits until `script` returns something other than null or false, and gives it.
    ///
    /// # Panics
    /// If it does not within `within`.
    pub async fn until(&self, what: &str, within: Duration, script: &str) -> Value {
        let look =
            async || Some(self.run(script).await).filter(|value| *value != json!(null) && *value != json!(false));
        until(&format!("{}: {what}", self.name), within, look).await
    }

    /// Clicks the button that does `act`, once it can be clicked.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn click(&self, act: &str) {
        let css = format!("[data-act=\"{act}\"]:not([aria-disabled])");
        let seen = format!("return [...document.querySelectorAll({css:?})].some(it => it.checkVisibility())");
        self.until(&format!("{css} to be seen"), STEP, &seen).await;
        let wish = json!({ "using": "css selector", "value": css });
        let found = self.ask("WebDriver:FindElement", wish).await;
        let id = found["value"]
            .as_object()
            .and_then(|element| element.values().next())
            .unwrap();
        self.ask("WebDriver:ElementClick", json!({ "id": id })).await;
    }

    async fn ask(&self, command: &str, parameters: Value) -> Value {
        let what = format!("{}: {command}", self.name);
        at_most(&what, STEP, async {
            self.wire.lock().await.ask(command, parameters).await
        })
        .await
    }
}

/// The port, once the browser has written it down.
fn port_in(profile: &Path) -> Option<u16> {
    std::fs::read_to_string(profile.join("MarionetteActivePort"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The connection: commands are `[0, id, name, parameters]`, answers `[1, id, error, result]`.
#[derive(Debug)]
struct Wire {
    stream: TcpStream,
    last: u64,
}

impl Wire {
    async fn ask(&mut self, command: &str, parameters: Value) -> Value {
        self.last += 1;
        let message = json!([0, self.last, command, parameters]).to_string();
        let framed = format!("{}:{message}", message.len());
        self.stream.write_all(framed.as_bytes()).await.unwrap();
        let answer = self.receive().await;
        assert_eq!(answer[1], self.last, "{command}: {answer}");
        assert_eq!(answer[2], Value::Null, "{command}");
        answer[3].clone()
    }

    async fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            match self.stream.read_u8().await.unwrap() {
                b':' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}
