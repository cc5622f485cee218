//! A real panel (Xfce's) and real notifications (Xfce's and dunst) on a screen in memory. Pictures of it are kept.

use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};
use twocan_tests::chromium::screens;
use twocan_tests::desktop::screen_in_memory;

use super::*;

/// What the panel shows: a place for icons and nothing else.
const PANEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator"><property name="expand" type="bool" value="true"/></property>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"#;

/// Where Debian puts Xfce's notifications.
pub(super) const NOTIFYD: &str = "/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd";

/// The icon's place: at the right end of the panel.
const ICON: (i32, i32) = (1012, 16);

/// A screen in memory and the programs on it.
pub(super) struct Screen {
    /// Its name, for programs that are to show on it.
    pub(super) display: String,
    address: String,
    folder: std::path::PathBuf,
    running: Vec<Child>,
}

impl Screen {
    pub(super) async fn start(desktop: &Desktop) -> Self {
        let folder = desktop.folder().to_owned();
        let config = folder.join("config/xfce4/xfconf/xfce-perchannel-xml");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("xfce4-panel.xml"), PANEL).unwrap();
        std::fs::create_dir_all(folder.join("run")).unwrap();
        let (server, display) = screen_in_memory().await;
        Self {
            display,
            address: desktop.address().to_owned(),
            folder,
            running: vec![server],
        }
    }

    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", &self.folder)
            .env("XDG_CONFIG_HOME", self.folder.join("config"))
            .env("XDG_RUNTIME_DIR", self.folder.join("run"))
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts a program; gives its place among those that run.
    pub(super) fn begin(&mut self, program: &str, args: &[&str]) -> usize {
        self.running.push(self.command(program, args).spawn().unwrap());
        self.running.len() - 1
    }

    pub(super) async fn end(&mut self, place: usize) {
        self.running.get_mut(place).unwrap().kill().await.unwrap();
    }

    /// What a program prints.
    pub(super) async fn ask(&self, program: &str, args: &[&str]) -> String {
        let output = self
            .command(program, args)
            .stdout(Stdio::piped())
            .output()
            .await
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) async fn click(&self, (x, y): (i32, i32), button: &str) {
        let (x, y) = (x.to_string(), y.to_string());
        self.ask("xdotool", &["mousemove", &x, &y, "click", button]).await;
    }

    /// The windows of a class that are shown: left, top, width, height.
    pub(super) async fn windows(&self, class: &str) -> Vec<[i32; 4]> {
        let found = self
            .ask("xdotool", &["search", "--onlyvisible", "--class", class])
            .await;
        let mut windows = Vec::new();
        for window in found.lines() {
            let text = self.ask("xdotool", &["getwindowgeometry", "--shell", window]).await;
            let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
            if let (Some(x), Some(y), Some(w), Some(h)) = (value("X="), value("Y="), value("WIDTH="), value("HEIGHT="))
            {
                windows.push([x, y, w, h]);
            }
        }
        windows
    }

    /// The window of a class that is as large as something to read, once there is one.
    pub(super) async fn window(&self, class: &str) -> [i32; 4] {
        until(&format!("a window of {class}"), SOON, async || {
            let windows = self.windows(class).await;
            windows
                .into_iter()
                .find(|[_, _, width, height]| *width > 100 && *height > 40)
        })
        .await
    }

    /// How many pixels of the panel's end are about of this colour, of 32 × 32.
    pub(super) async fn colour(&self, colour: &str) -> u32 {
        let cut = ["-window", "root", "-crop", "32x32+992+0", "+repage", "-fuzz", "20%"];
        let others_white = ["-fill", "white", "+opaque", colour, "-fill", "black", "-opaque", colour];
        let picture = self.folder.join("panel.png");
        self.ask("import", &[&cut[..5], &[path(&picture)]].concat()).await;
        let count = ["-format", "%[fx:round((1-mean)*w*h)]", "info:"];
        let args = [&[path(&picture)], &cut[5..], &others_white, &count].concat();
        self.ask("convert", &args).await.trim().parse().unwrap()
    }

    pub(super) async fn picture(&self, name: &str) {
        let file = screens().join(format!("desk-{name}.png"));
        self.ask("import", &["-window", "root", path(&file)]).await;
        assert!(file.metadata().unwrap().len() > 1000);
    }
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

/// On Xfce: the icon is seen, a ring is answered by its button with the mouse, another by the menu's line.
#[tokio::test]
async fn a_real_desktop_shows_it() {
    let desktop = Desktop::bare(true).await;
    let mut screen = Screen::start(&desktop).await;
    let panel = screen.begin("xfce4-panel", &["--disable-wm-check"]);
    let notifications = screen.begin(NOTIFYD, &[]);
    desktop.owned("org.freedesktop.Notifications", true).await;
    let two = Two::on(desktop).await;
    until("the icon", SOON, async || {
        (screen.colour("#5b86f7").await > 40).then_some(())
    })
    .await;
    screen.picture("1-tray").await;

    let call = two.ann_calls().await;
    screen.window("xfce4-notifyd").await;
    until("the icon of a ring", SOON, async || {
        (screen.colour("#2ea043").await > 40).then_some(())
    })
    .await;
    screen.picture("2-ring").await;
    // It slides in: a click may come too early for it.
    until("a page, by the button", SOON, async || {
        if let Some([left, top, _, height]) = screen.windows("xfce4-notifyd").await.first() {
            screen.click((left + 55, top + height - 30), "1").await;
        }
        two.desktop.opened().pop()
    })
    .await;
    assert_eq!(two.desktop.opens(1).await, format!("/call/{call}"));

    screen.click(ICON, "3").await;
    let menu = until("the menu", SOON, async || {
        let windows = screen.windows("wrapper").await;
        windows.into_iter().find(|[_, _, _, height]| *height > 200)
    });
    menu.await;
    screen.picture("3-menu").await;
    screen.ask("xdotool", &["key", "Escape"]).await;
    two.bob.api().post(&format!("/v1/calls/{call}/answer"), json!({})).await;
    until("the red icon", SOON, async || {
        (screen.colour("#e53935").await > 40).then_some(())
    })
    .await;
    until("no notification", SOON, async || {
        screen.windows("xfce4-notifyd").await.is_empty().then_some(())
    })
    .await;
    screen.picture("4-call").await;
    two.ann.twocan(&["hangup"]).await.exited(0);

    screen.end(panel).await;
    until("no icon", SOON, async || {
        (screen.colour("#5b86f7").await == 0).then_some(())
    })
    .await;
    screen.begin("xfce4-panel", &["--disable-wm-check"]);
    until("the icon again", SOON, async || {
        (screen.colour("#5b86f7").await > 40).then_some(())
    })
    .await;

    // dunst draws no buttons: the menu has them.
    screen.end(notifications).await;
    two.desktop.owned("org.freedesktop.Notifications", false).await;
    screen.begin("dunst", &[]);
    two.desktop.owned("org.freedesktop.Notifications", true).await;
    let again = two.ann_calls().await;
    screen.window("Dunst").await;
    screen.picture("5-dunst").await;
    two.bob
        .api()
        .post(&format!("/v1/calls/{again}/decline"), json!({}))
        .await;
    until("no notification", SOON, async || {
        screen.windows("Dunst").await.is_empty().then_some(())
    })
    .await;
}
