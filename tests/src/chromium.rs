//! Real Chromium pages, with made-up cameras and microphones, driven as a person would: by clicks and pastes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::api::exchange;
use crate::wait::{at_most, until};

/// How long a browser may take to start on a busy machine.
const START: Duration = Duration::from_secs(40);
/// How long one step in a page may take.
pub const STEP: Duration = Duration::from_secs(10);

/// Nothing is seen of it.
const HEADLESS: &str = "--headless=new";

/// No sandbox, for it wants rights that a container does not give; no traffic of the browser's own.
const FLAGS: [&str; 12] = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream=device-count=2",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,800",
    "--lang=en-US",
];

/// Every page gets camera and microphone.
const ASKS_NOBODY: &str = "--use-fake-ui-for-media-stream";

/// A camera of 360 lines, whatever a page asks for: coding 1080 by program takes more than two cores have, and most tests look at
/// something else.
const SMALL_CAMERAS: &str = "(() => {
    const devices = navigator.mediaDevices;
    if (!devices) return;
    const ask = devices.getUserMedia.bind(devices);
    const small = { width: { ideal: 640 }, height: { ideal: 360 } };
    devices.getUserMedia = wish => ask(wish?.video?.width ? { ...wish, video: { ...wish.video, ...small } } : wish);
})()";

/// `chromedriver`, and a folder in which browsers keep what they keep. Dropping it ends both.
#[derive(Debug)]
pub struct Driver {
    _child: Child,
    address: String,
    folder: TempDir,
    are_cameras_small: bool,
}

impl Driver {
    /// Starts it, for browsers with small cameras.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start() -> Self {
        Self::begin(true).await
    }

    /// Starts it, for browsers whose cameras give what a page asks for.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_with_large_cameras() -> Self {
        Self::begin(false).await
    }

    async fn begin(are_cameras_small: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-browser-").tempdir().unwrap();
        let mut child = Command::new("chromedriver")
            .args(["--port=0", "--log-level=WARNING"])
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver, of the package chromium-driver");
        let port = at_most("chromedriver's port", START, port_of(&mut child)).await;
        Self {
            _child: child,
            address: format!("127.0.0.1:{port}"),
            folder,
            are_cameras_small,
        }
    }

    /// A browser of its own with one empty page. `name` names it in screenshots.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn page(&self, name: &str) -> Page {
        self.page_with(name, &[ASKS_NOBODY]).await
    }

    /// The same, but for a browser that asks the person before a page gets camera or microphone. Nobody answers here:
    /// [`Page::permit`] says beforehand what the answer is.
    pub async fn asking_page(&self, name: &str) -> Page {
        self.page_with(name, &[]).await
    }

    async fn page_with(&self, name: &str, more: &[&str]) -> Page {
        let profile = format!("--user-data-dir={}", self.folder.path().join(name).display());
        let flags = [HEADLESS].into_iter().chain(FLAGS).chain(more.iter().copied());
        let flags: Vec<_> = flags.chain([profile.as_str()]).collect();
        let page = self.session(name, json!({ "args": flags })).await;
        let cameras = self.are_cameras_small.then_some(SMALL_CAMERAS);
        for source in cameras.into_iter().chain([include_str!("watcher.js")]) {
            page.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source }))
                .await;
        }
        page
    }

    /// What a program that starts a browser by itself is to start it with, so that [`Self::join`] finds it under this
    /// name. Whoever asks for camera or microphone gets it where `asks` is false.
    #[must_use]
    pub fn flags(&self, name: &str, asks: bool) -> Vec<String> {
        let profile = format!("--user-data-dir={}", self.folder.path().join(name).display());
        let own = [profile.as_str(), "--remote-debugging-port=0"];
        let all = FLAGS.into_iter().chain(own).chain((!asks).then_some(ASKS_NOBODY));
        all.map(str::to_owned).collect()
    }

    /// The one page of a browser that somebody else has started with [`Self::flags`], once it runs.
    ///
    /// # Panics
    /// If it does not.
    pub async fn join(&self, name: &str) -> Page {
        let told = self.folder.path().join(name).join("DevToolsActivePort");
        let port = until("the browser's port", START, async || {
            let text = std::fs::read_to_string(&told).ok()?;
            text.lines().next()?.parse::<u16>().ok()
        })
        .await;
        // The next browser of this name writes it anew.
        std::fs::remove_file(&told).unwrap();
        let at = json!({ "debuggerAddress": format!("127.0.0.1:{port}") });
        self.session(name, at).await
    }

    /// Waits until a browser that somebody else has started under this name is gone.
    pub async fn ended(&self, name: &str) {
        let lock = self.folder.path().join(name).join("SingletonLock");
        until("the browser's end", START, async || {
            std::fs::symlink_metadata(&lock).is_err().then_some(())
        })
        .await;
    }

    async fn session(&self, name: &str, options: Value) -> Page {
        let wishes = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wishes.as_object().unwrap().clone());
        let url = format!("http://{}", self.address);
        let client = at_most("a browser", START, builder.connect(&url)).await.unwrap();
        let session = client.session_id().await.unwrap().unwrap();
        Page {
            client,
            name: name.to_owned(),
            driver: self.address.clone(),
            session,
            shots: AtomicU32::new(0),
        }
    }
}

/// It says which port it took on standard output.
async fn port_of(child: &mut Child) -> u16 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("chromedriver ended");
        let port = line
            .split_once("started successfully on port ")
            .map(|(_, port)| port.trim_end_matches('.').parse());
        if let Some(port) = port {
            // Its pipe must stay open: it ends when it cannot write.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return port.unwrap();
        }
    }
}

/// One page in a browser of its own.
pub struct Page {
    client: Client,
    name: String,
    driver: String,
    session: String,
    shots: AtomicU32,
}

impl fmt::Debug for Page {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Page")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Page {
    /// Goes to `url`.
    ///
    /// # Panics
    /// If it does not load.
    pub async fn open(&self, url: &str) {
        at_most(url, STEP, self.client.goto(url)).await.unwrap();
    }

    /// Looks at the other window of the browser, once there are two.
    ///
    /// # Panics
    /// If it stays the only one.
    pub async fn turn_to_the_other_window(&self) {
        let here = self.client.window().await.unwrap();
        let other = until("another window", START, async || {
            let all = self.client.windows().await.unwrap();
            all.into_iter().find(|window| *window != here)
        });
        self.client.switch_to_window(other.await).await.unwrap();
    }

    /// Closes the browser.
    ///
    /// # Panics
    /// If it does not close.
    pub async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// What the JavaScript function body `script` returns; it may `await`.
    ///
    /// # Panics
    /// If it throws.
    pub async fn run(&self, script: &str) -> Value {
        self.run_with(script, Value::Null).await
    }

    /// The same; the script finds `argument` under that name.
    ///
    /// # Panics
    /// If it throws.
    pub async fn run_with(&self, script: &str, argument: Value) -> Value {
        let script = format!(
            "const [argument, done] = arguments;
             (async () => {{ {script} }})().then(value => done({{ value: value ?? null }}), error => done({{ error: String(error) }}));"
        );
        let what = format!("{}'s script {script}", self.name);
        let result = at_most(&what, STEP, self.client.execute_async(&script, vec![argument]))
            .await
            .unwrap();
        assert!(result.get("error").is_none(), "{}: {result} in {script}", self.name);
        result["value"].clone()
    }

    /// Waits until `script` returns something other than null or false, and gives it.
    ///
    /// # Panics
    /// If it does not within `within`; keeps a screenshot then.
    pub async fn until(&self, what: &str, within: Duration, script: &str) -> Value {
        let look =
            async || Some(self.run(script).await).filter(|value| *value != json!(null) && *value != json!(false));
        let wait = until(what, within + STEP, look);
        if let Ok(value) = tokio::time::timeout(within, wait).await {
            return value;
        }
        let shot = self.screenshot("failed").await;
        let wrong = self.wrong().await;
        panic!(
            "{} waited {within:?} in vain: {what}; see {}; {wrong:?}",
            self.name,
            shot.display()
        );
    }

    /// Waits until the page shows this screen, and keeps a picture of it.
    pub async fn screen(&self, screen: &str) {
        let script = format!("return document.querySelector('twocan-app')?.dataset.screen === '{screen}'");
        self.until(&format!("the screen {screen}"), STEP, &script).await;
        self.screenshot(screen).await;
    }

    /// Waits until something that fits `css` can be seen.
    ///
    /// # Panics
    /// If nothing does; keeps a screenshot then.
    pub async fn visible(&self, css: &str) -> Element {
        let script = format!("return [...document.querySelectorAll({css:?})].some(it => it.checkVisibility())");
        self.until(&format!("{css} to be seen"), STEP, &script).await;
        for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
            if element.is_displayed().await.unwrap() {
                return element;
            }
        }
        panic!("{}: {css} went away", self.name);
    }

    /// Clicks the button that does `act`, with the mouse, once it can be clicked.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn click(&self, act: &str) {
        let css = format!("[data-act=\"{act}\"]:not([aria-disabled])");
        self.visible(&css)
            .await
            .click()
            .await
            .unwrap_or_else(|error| panic!("{}: {css}: {error}", self.name));
    }

    /// Pastes `text` into the field that fits `css`.
    ///
    /// # Panics
    /// If there is none.
    pub async fn paste(&self, css: &str, text: &str) {
        self.visible(css).await.click().await.unwrap();
        self.run_with("document.execCommand('insertText', false, argument)", json!(text))
            .await;
    }

    /// Presses and releases a key, wherever the focus is.
    ///
    /// # Panics
    /// If the driver refuses.
    pub async fn press(&self, key: char) {
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.client.perform_actions(press).await.unwrap();
    }

    /// One command of the browser's developer tools.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": command, "params": params }))
            .await
    }

    /// What the person would say to a page that wants `device`, `camera` or `microphone`.
    pub async fn permit(&self, device: &str, is_granted: bool) {
        let setting = if is_granted { "granted" } else { "denied" };
        let answer = json!({ "permission": { "name": device }, "setting": setting });
        self.devtools("Browser.setPermission", answer).await;
    }

    /// Keeps a picture of the page and gives its place.
    ///
    /// # Panics
    /// If there is no room for it.
    pub async fn screenshot(&self, of: &str) -> PathBuf {
        let number = self.shots.fetch_add(1, Ordering::Relaxed);
        let path = screens().join(format!("{}-{number:02}-{of}.png", self.name));
        std::fs::write(&path, self.client.screenshot().await.unwrap()).unwrap();
        path
    }

    /// What went wrong in the page: errors, refused policies, failed requests, warnings on the console.
    pub async fn wrong(&self) -> Vec<String> {
        let log = self.command("se/log", json!({ "type": "browser" })).await;
        let said = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        let mut wrong: Vec<_> = said.map(|entry| entry["message"].to_string()).collect();
        let seen = self.run("return globalThis.watched?.wrong ?? []").await;
        wrong.extend(seen.as_array().into_iter().flatten().map(Value::to_string));
        wrong
    }

    /// One command of the driver's own, beyond the standard.
    async fn command(&self, path: &str, body: Value) -> Value {
        let request = Request::post(format!("/session/{}/{path}", self.session))
            .header("host", &self.driver)
            .header("content-type", "application/json")
            .body(Full::from(Bytes::from(body.to_string())))
            .unwrap();
        let stream = TcpStream::connect(&self.driver).await.unwrap();
        let response = at_most(path, STEP, exchange(stream, request)).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer["value"].get("error").is_none(), "{path}: {answer}");
        answer["value"].clone()
    }
}

/// Where pictures of the screens are kept: `TWOCAN_SCREENS`, else `screens` in cargo's target folder.
///
/// # Panics
/// If there is no room for them.
#[must_use]
pub fn screens() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own
        .ancestors()
        .find(|folder| folder.ends_with("deps"))
        .and_then(Path::parent)
        .and_then(Path::parent);
    let named = std::env::var_os("TWOCAN_SCREENS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| target.unwrap().join("screens"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
