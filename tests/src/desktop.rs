//! A desktop for the tray: a session bus of its own, stand-ins for the panel and the notifications that write down what
//! they are asked, and stand-ins for the browsers and the sound player that write down what they are given.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use zbus::Connection;
use zbus::zvariant::OwnedValue;

use crate::binary;
use crate::running::{command_of, first_line, pid};
use crate::wait::{at_most, until};

/// How long something may take that happens on this machine alone.
pub const SOON: Duration = Duration::from_secs(15);

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";

/// A bus as desktops have it, but for who may start what on it.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  SERVICES
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A notification that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: u32,
    /// Its first line.
    pub title: String,
    /// The rest.
    pub body: String,
    /// Keys and labels of its buttons.
    pub actions: Vec<(String, String)>,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: u8,
    /// Whether it was taken back.
    pub is_closed: bool,
}

/// A session bus and what lives on it. Dropping it ends all of it.
#[derive(Debug)]
pub struct Desktop {
    folder: TempDir,
    bus: Child,
    address: String,
    connection: Connection,
    notices: Arc<Mutex<Vec<Notice>>>,
    items: Arc<Mutex<Vec<String>>>,
    environment: Vec<(String, String)>,
}

/// What a browser was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Which one.
    pub program: String,
    /// All that it was given.
    pub argument: String,
    /// `XDG_ACTIVATION_TOKEN` and `DESKTOP_STARTUP_ID`; empty where they were not set.
    pub tokens: [String; 2],
}

/// A screen in memory: its server, which ends with this, and its name.
///
/// # Panics
/// If there is no such server.
pub async fn screen_in_memory() -> (Child, String) {
    // The server takes a display that is free, and says which.
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1024x640x24", "-nolisten", "tcp"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdout = server.stdout.take().unwrap();
    let number = at_most("a screen", SOON, first_line(&mut stdout)).await;
    (server, format!(":{}", number.trim()))
}

/// A program of this desktop, written in shell.
fn script(path: &Path, text: &str) {
    // A program that runs cannot be written to: another one takes its name.
    let new = path.with_extension("new");
    std::fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(&new, path).unwrap();
}

/// Writes down what a browser is started with.
fn note(folder: &Path) -> String {
    let file = folder.join("opened");
    format!(
        "echo \"$(basename \"$0\")|$*|$XDG_ACTIVATION_TOKEN|$DESKTOP_STARTUP_ID\" >> '{}'",
        file.display()
    )
}

/// A running tray.
#[derive(Debug)]
pub struct Tray {
    child: Child,
    log: PathBuf,
}

struct Watcher(Arc<Mutex<Vec<String>>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str) {
        self.0.lock().unwrap().push(service.to_owned());
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

struct Notifications(Arc<Mutex<Vec<Notice>>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification has these")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        let mut notices = self.0.lock().unwrap();
        let id = u32::try_from(notices.len()).unwrap() + 1;
        let (pairs, _) = actions.as_chunks::<2>();
        notices.push(Notice {
            id,
            title: summary,
            body,
            actions: pairs.iter().map(|[key, label]| (key.clone(), label.clone())).collect(),
            urgency: hints.get("urgency").map_or(1, |value| u8::try_from(value).unwrap()),
            is_closed: false,
        });
        id
    }

    fn close_notification(&self, id: u32) {
        let mut notices = self.0.lock().unwrap();
        notices.iter_mut().find(|notice| notice.id == id).unwrap().is_closed = true;
    }
}

impl Desktop {
    /// A desktop with notifications, and with a panel.
    ///
    /// # Panics
    /// If the bus does not let it.
    pub async fn start() -> Self {
        let desktop = Self::without_notifications().await;
        let notifications = Notifications(Arc::clone(&desktop.notices));
        let at = desktop.connection.object_server();
        at.at("/org/freedesktop/Notifications", notifications).await.unwrap();
        desktop.connection.request_name(NOTIFICATIONS).await.unwrap();
        desktop
    }

    /// A desktop with a panel alone.
    ///
    /// # Panics
    /// If the bus does not let it.
    pub async fn without_notifications() -> Self {
        let desktop = Self::bare(false).await;
        let watcher = Watcher(Arc::clone(&desktop.items));
        let at = desktop.connection.object_server();
        at.at("/StatusNotifierWatcher", watcher).await.unwrap();
        desktop.panel_comes().await;
        desktop
    }

    /// A session bus on which nobody is, and programs that only write down what they are given. `activates`: the bus
    /// may start services that are installed here.
    ///
    /// # Panics
    /// If there is no bus.
    pub async fn bare(activates: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-desk-").tempdir().unwrap();
        let bin = folder.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let played = folder.path().join("pw-play");
        script(
            &bin.join("pw-play"),
            &format!("echo \"$@\" >> '{}'\nexec sleep 1", played.display()),
        );
        // Nobody has chosen a browser.
        script(&bin.join("xdg-settings"), "");
        for browser in ["xdg-open", "chromium"] {
            script(&bin.join(browser), &note(folder.path()));
        }
        let services = if activates {
            "<standard_session_servicedirs/>"
        } else {
            ""
        };
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, BUS.replace("SERVICES", services)).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address"])
            .arg(format!("--config-file={}", config.display()))
            // Services that it starts look there, and not at whoever runs the tests.
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .env("XDG_DATA_HOME", folder.path().join("data"))
            .env("XDG_RUNTIME_DIR", folder.path().join("run"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = bus.stdout.take().unwrap();
        let address = at_most("the bus's address", SOON, first_line(&mut stdout)).await;
        let address = address.trim().to_owned();
        let builder = zbus::connection::Builder::address(address.as_str()).unwrap();
        Self {
            folder,
            bus,
            connection: builder.build().await.unwrap(),
            address,
            notices: Arc::default(),
            items: Arc::default(),
            environment: Vec::new(),
        }
    }

    /// Whatever the tray opens in a window of its own is shown, by `flags` of a real Chromium, on this display.
    pub fn browse(&self, display: &str, flags: &[String]) {
        let flags: Vec<String> = flags.iter().map(|flag| format!("'{flag}'")).collect();
        let real = format!(
            "{}\nDISPLAY={display} exec /usr/bin/chromium {} \"$@\"",
            note(self.folder.path()),
            flags.join(" ")
        );
        script(&self.folder.path().join("bin/chromium"), &real);
    }

    /// Sets a variable in the environment of the trays that are started from now on.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.push((variable.to_owned(), value.to_owned()));
    }

    /// The bus's address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A folder for whatever else is on this desktop.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until somebody has this name on the bus, or nobody.
    ///
    /// # Panics
    /// If the bus is gone.
    pub async fn owned(&self, name: &str, is_owned: bool) {
        let bus = zbus::fdo::DBusProxy::new(&self.connection).await.unwrap();
        until(&format!("{name} on the bus: {is_owned}"), SOON, async || {
            let name = zbus::names::BusName::try_from(name).unwrap();
            (bus.name_has_owner(name).await.unwrap() == is_owned).then_some(())
        })
        .await;
    }

    /// A panel comes: it forgets the icons of an earlier one.
    ///
    /// # Panics
    /// If the bus does not let it.
    pub async fn panel_comes(&self) {
        self.items.lock().unwrap().clear();
        self.connection.request_name(WATCHER).await.unwrap();
    }

    /// The panel goes.
    ///
    /// # Panics
    /// If the bus does not let it.
    pub async fn panel_goes(&self) {
        self.connection.release_name(WATCHER).await.unwrap();
    }

    /// Starts the tray of the daemon in `home`.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn tray(&self, home: &Path) -> Tray {
        self.tray_at(binary::tray(), home)
    }

    /// The same by this program.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn tray_at(&self, program: &Path, home: &Path) -> Tray {
        let log = self.folder.path().join("tray.log");
        let search = format!(
            "{}:{}",
            self.folder.path().join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let child = command_of(program, home, None)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("PATH", search)
            .env("TWOCAN_BIN", binary::twocan())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Tray { child, log }
    }

    /// The names of all icons that the panel was told of since it came, the newest last.
    ///
    /// # Panics
    /// If a watcher panicked.
    #[must_use]
    pub fn icons(&self) -> Vec<String> {
        self.items.lock().unwrap().clone()
    }

    /// The name of the icon that the panel was told of, once there is one.
    pub async fn icon(&self) -> String {
        until("an icon", SOON, async || self.icons().last().cloned()).await
    }

    /// The notification that fits, once there is one.
    pub async fn notice(&self, what: &str, fits: impl Fn(&Notice) -> bool) -> Notice {
        until(what, SOON, async || {
            let notices = self.notices.lock().unwrap();
            notices.iter().rev().find(|notice| fits(notice)).cloned()
        })
        .await
    }

    /// Presses a button of a notification, or says so as somebody would who forges it.
    ///
    /// # Panics
    /// If the bus is gone.
    pub async fn press(&self, notice: u32, key: &str) {
        self.connection
            .emit_signal(
                None::<&str>,
                "/org/freedesktop/Notifications",
                NOTIFICATIONS,
                "ActionInvoked",
                &(notice, key),
            )
            .await
            .unwrap();
    }

    /// The same by another program on the bus, which has nothing to do with notifications: to everybody, and to the tray
    /// alone.
    ///
    /// # Panics
    /// If the bus does not let it.
    pub async fn forge(&self, notice: u32, key: &str) {
        let builder = zbus::connection::Builder::address(self.address.as_str()).unwrap();
        let other = builder.build().await.unwrap();
        let tray = self.icon().await;
        for to in [None, Some(tray.as_str())] {
            let (path, of) = ("/org/freedesktop/Notifications", NOTIFICATIONS);
            let (signal, what) = ("ActionInvoked", (notice, key));
            other.emit_signal(to, path, of, signal, &what).await.unwrap();
        }
        // What it said has gone out once it gets an answer.
        drop(zbus::fdo::DBusProxy::new(&other).await.unwrap().get_id().await.unwrap());
    }

    /// Gives the tray the right to the focus for the press that comes.
    ///
    /// # Panics
    /// If the bus is gone.
    pub async fn token(&self, notice: u32, token: &str) {
        let (path, of) = ("/org/freedesktop/Notifications", NOTIFICATIONS);
        let (to, what) = (None::<&str>, (notice, token));
        let told = self.connection.emit_signal(to, path, of, "ActivationToken", &what);
        told.await.unwrap();
    }

    /// What browsers were given, the first one first.
    ///
    /// # Panics
    /// If a browser was given something else than one address.
    #[must_use]
    pub fn opened(&self) -> Vec<Opened> {
        let lines = self.written("opened");
        let read = |line: &String| {
            let [program, argument, activation, startup] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
            Opened {
                program: program.to_owned(),
                argument: argument.to_owned(),
                tokens: [activation.to_owned(), startup.to_owned()],
            }
        };
        lines.iter().map(read).collect()
    }

    /// What the sound player was given.
    #[must_use]
    pub fn played(&self) -> Vec<String> {
        self.written("pw-play")
    }

    fn written(&self, program: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(program)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The screen of the page to which the address number `count` leads that the browser was given.
    ///
    /// # Panics
    /// If `curl` is not there.
    pub async fn opens(&self, count: usize) -> String {
        let opened = until("an opened page", SOON, async || self.opened().get(count - 1).cloned()).await;
        let url = opened.argument.trim_start_matches("--app=");
        let curl = Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{redirect_url}", url])
            .output()
            .await
            .unwrap();
        let place = String::from_utf8(curl.stdout).unwrap();
        let after_host = place.splitn(4, '/').nth(3).unwrap_or_default();
        format!("/{after_host}")
    }

    /// A property of the icon, as JSON.
    ///
    /// # Panics
    /// If there is no icon.
    pub async fn property(&self, name: &str) -> Value {
        let icon = self.icon().await;
        let of = Some("org.freedesktop.DBus.Properties");
        let asked = ("org.kde.StatusNotifierItem", name);
        let reply = self
            .connection
            .call_method(Some(icon.as_str()), "/StatusNotifierItem", of, "Get", &asked)
            .await
            .unwrap();
        let value: OwnedValue = reply.body().deserialize().unwrap();
        bare(serde_json::to_value(&value).unwrap())
    }

    /// The menu: a line's number, depth and label, whether it can be pressed, and whether it is ticked.
    ///
    /// # Panics
    /// If there is no icon.
    pub async fn menu(&self) -> Vec<Line> {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let icon = self.icon().await;
        let of = Some("com.canonical.dbusmenu");
        let asked = (0, -1, Vec::<&str>::new());
        let reply = self
            .connection
            .call_method(Some(icon.as_str()), "/MenuBar", of, "GetLayout", &asked)
            .await
            .unwrap();
        let (_, root): Layout = reply.body().deserialize().unwrap();
        let mut lines = Vec::new();
        let root = bare(serde_json::to_value(&root).unwrap());
        for child in root[2].as_array().unwrap() {
            read(child, 0, &mut lines);
        }
        lines
    }

    /// The line with this label at this depth, once there is one.
    pub async fn line(&self, depth: usize, label: &str) -> Line {
        until(&format!("'{label}' in the menu"), SOON, async || {
            let lines = self.menu().await;
            lines
                .into_iter()
                .find(|line| line.depth == depth && line.label == label)
        })
        .await
    }

    /// Clicks a line of the menu.
    pub async fn click(&self, depth: usize, label: &str) {
        let line = self.line(depth, label).await;
        let icon = self.icon().await;
        let of = Some("com.canonical.dbusmenu");
        let event = (line.id, "clicked", zbus::zvariant::Value::from(0), 0u32);
        let clicked = self
            .connection
            .call_method(Some(icon.as_str()), "/MenuBar", of, "Event", &event);
        // Whoever is told to quit may be gone before it answers; what a click does is for the caller to see.
        drop(clicked.await);
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        drop(self.bus.start_kill());
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("tray.log"));
            eprintln!("---- the tray said:\n{}", log.unwrap_or_default());
            eprintln!("---- notices: {:#?}\n---- opened: {:?}", self.notices, self.opened());
        }
    }
}

/// A line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub id: i32,
    /// How many menus deep it lies.
    pub depth: usize,
    /// What it says; empty for a rule.
    pub label: String,
    /// Whether it can be pressed.
    pub enabled: bool,
    /// Whether it is ticked.
    pub on: bool,
}

fn read(item: &Value, depth: usize, lines: &mut Vec<Line>) {
    let facts = &item[1];
    lines.push(Line {
        id: i32::try_from(item[0].as_i64().unwrap()).unwrap(),
        depth,
        label: facts["label"].as_str().unwrap_or_default().to_owned(),
        enabled: facts["enabled"].as_bool().unwrap_or(true),
        on: facts["toggle-state"] == 1,
    });
    for child in item[2].as_array().unwrap() {
        read(child, depth + 1, lines);
    }
}

/// The bus's values as JSON without their types.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(mut map) if map.len() == 2 && map.contains_key("signature") => bare(map.remove("value").unwrap()),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, bare(value))).collect(),
        Value::Array(values) => values.into_iter().map(bare).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

impl Tray {
    /// What it said to whoever started it.
    ///
    /// # Panics
    /// If it has no log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        pid(&self.child).as_raw()
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// If it does not end in peace.
    pub async fn ended(&mut self) {
        let status = at_most("the tray's end", SOON, self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Ends it as the system would.
    ///
    /// # Panics
    /// If it does not end in peace.
    pub async fn stop(&mut self) {
        kill(pid(&self.child), Signal::SIGTERM).unwrap();
        self.ended().await;
    }
}
