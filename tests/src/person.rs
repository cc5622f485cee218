//! A person at a page: a daemon, a browser that shows its page, and what the person sees and hears there.

use std::time::Duration;

use serde_json::Value;

use crate::chromium::{Driver, Page, STEP};
use crate::home::{GREEN, Home};

/// How long a hundred frames may take, start included, where two browsers share two cores.
const HUNDRED_FRAMES: Duration = Duration::from_secs(30);
/// How long a camera may stay on after its call ended, in milliseconds.
const CAMERA_OFF_MS: i64 = 500;

/// What the leg has received: `{frames, energy, lost}`, or null where there is none.
pub const RECEIVED: &str = "
    const pc = document.querySelector('twocan-call')?.pc;
    if (!pc) return null;
    const got = { frames: 0, energy: 0, lost: 0 };
    for (const [, stat] of await pc.getStats()) {
        if (stat.type !== 'inbound-rtp') continue;
        if (stat.kind === 'video') got.frames = stat.framesDecoded ?? 0;
        if (stat.kind === 'audio') got.energy = stat.totalAudioEnergy ?? 0;
        got.lost += stat.packetsLost ?? 0;
    }
    return got;";

/// The formats of the leg's pictures, as the browser says: `{sent, shown}`, each null while there is none.
pub const FORMATS: &str = "
    const stats = await document.querySelector('twocan-call').pc.getStats();
    const found = { sent: null, shown: null };
    for (const [, stat] of stats) {
        const format = stats.get(stat.codecId)?.mimeType ?? null;
        if (stat.type === 'outbound-rtp' && stat.kind === 'video') found.sent = format;
        if (stat.type === 'inbound-rtp' && stat.kind === 'video') found.shown = format;
    }
    return found;";

/// The brightness of a grid of points of the remote picture, as it is drawn.
pub const PIXELS: &str = "
    const video = document.querySelector('video[data-remote]');
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 64, 48);
    const { data } = context.getImageData(0, 0, 64, 48);
    const grey = [];
    for (let at = 0; at < data.length; at += 4) grey.push(Math.round((data[at] + data[at + 1] + data[at + 2]) / 3));
    return grey;";

/// A person: a daemon and a page that shows it.
#[derive(Debug)]
pub struct Person {
    /// The daemon.
    pub home: Home,
    /// The page.
    pub page: Page,
}

impl Person {
    /// Starts both and opens the page.
    ///
    /// # Panics
    /// If the page does not open.
    pub async fn come(driver: &Driver, name: &str) -> Self {
        Self::at(Home::up(name).await, driver.page(name).await).await
    }

    /// Opens the page of a daemon that runs in a browser that does.
    ///
    /// # Panics
    /// If the page does not open.
    pub async fn at(home: Home, page: Page) -> Self {
        let opened = home.json(&["open"]).await;
        page.open(opened["url"].as_str().unwrap()).await;
        page.screen("home").await;
        Self { home, page }
    }

    /// The page shows a contact as reachable.
    pub async fn sees_green(&self) {
        let green = "return document.querySelector('twocan-contact')?.dataset.reachable === 'yes'";
        self.page.until("a green contact", GREEN + STEP, green).await;
    }

    /// One number of what the leg has received: `frames`, `energy`, `lost`; 0 where there is no leg.
    pub async fn received(&self, key: &str) -> f64 {
        self.page.run(RECEIVED).await[key].as_f64().unwrap_or_default()
    }

    /// How often the page has asked for a camera or microphone.
    ///
    /// # Panics
    /// If the watcher does not run there.
    pub async fn asked(&self) -> usize {
        self.page.run("return watched.asked").await.as_array().unwrap().len()
    }

    /// When the button that does `act` was last clicked, in milliseconds since the epoch.
    ///
    /// # Panics
    /// If it was not.
    pub async fn clicked(&self, act: &str) -> i64 {
        let clicks = self.page.run("return watched.clicks").await;
        let last = clicks.as_array().unwrap().iter().rfind(|click| click["act"] == act);
        last.unwrap_or_else(|| panic!("no click on {act}: {clicks}"))["at"]
            .as_i64()
            .unwrap()
    }

    /// No track of this page is live, and the last one ended at most `CAMERA_OFF_MS` after `end`.
    ///
    /// # Panics
    /// If one was on for longer.
    pub async fn camera_went_off(&self, end: i64) {
        let off = "return watched.tracks.length > 0 && watched.tracks.every(track => !track.live())";
        self.page.until("camera and microphone off", STEP, off).await;
        let tracks = self
            .page
            .run("return watched.tracks.map(({ kind, stopped }) => ({ kind, stopped }))")
            .await;
        for track in tracks.as_array().unwrap() {
            let after = track["stopped"].as_i64().unwrap() - end;
            assert!(
                after <= CAMERA_OFF_MS,
                "{} was on for {after} ms after the call",
                track["kind"]
            );
        }
    }

    /// The remote picture is one: neither of one colour nor standing still.
    ///
    /// # Panics
    /// If it is not.
    pub async fn sees_a_moving_picture(&self) {
        let first = pixels(&self.page.run(PIXELS).await);
        assert!(spread(&first) > 50, "the picture is of one colour: {first:?}");
        let changed = format!(
            "const before = {first:?};
             const now = await (async () => {{ {PIXELS} }})();
             return now.filter((value, at) => Math.abs(value - before[at]) > 16).length >= 8;"
        );
        self.page.until("the remote picture to move", STEP, &changed).await;
    }

    /// Sound comes from the other side, and the page plays it out.
    pub async fn hears_something(&self) {
        let before = self.received("energy").await;
        let louder = format!(
            "const got = await (async () => {{ {RECEIVED} }})();
             return got !== null && got.energy > {before} + 1e-6;"
        );
        self.page.until("sound from the other side", STEP, &louder).await;
        let played = "
            const sound = document.querySelector('audio[data-sound]');
            const before = sound.currentTime;
            await new Promise(done => setTimeout(done, 100));
            return !sound.paused && !sound.muted && sound.volume > 0 && sound.currentTime > before;";
        self.page.until("sound from the loudspeaker", STEP, played).await;
    }

    /// The page sends its picture in a format, and gets the other one's in another.
    pub async fn sends_and_shows(&self, sent: &str, shown: &str) {
        let fits = format!(
            "const found = await (async () => {{ {FORMATS} }})();
             return found.sent === 'video/{sent}' && found.shown === 'video/{shown}';"
        );
        self.page
            .until(&format!("{sent} to go and {shown} to come"), STEP, &fits)
            .await;
    }

    /// The browser decodes this many frames of the other side from here on.
    pub async fn sees_more_frames(&self, least: u32) {
        let more = format!(
            "const got = await (async () => {{ {RECEIVED} }})();
             watched.before ??= got?.frames;
             return got !== null && got.frames >= watched.before + {least};"
        );
        self.page.run("delete watched.before").await;
        self.page
            .until(&format!("{least} more decoded frames"), HUNDRED_FRAMES, &more)
            .await;
    }

    /// The browser has decoded this many frames of the other side.
    pub async fn sees_frames(&self, least: u32) {
        let enough = format!(
            "const got = await (async () => {{ {RECEIVED} }})();
             return got !== null && got.frames >= {least};"
        );
        self.page
            .until(&format!("{least} decoded frames"), HUNDRED_FRAMES, &enough)
            .await;
    }
}

/// What [`PIXELS`] gave.
///
/// # Panics
/// If that was something else.
#[must_use]
pub fn pixels(value: &Value) -> Vec<i64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|pixel| pixel.as_i64().unwrap())
        .collect()
}

/// How far the darkest and the brightest point lie apart, of 255.
///
/// # Panics
/// If there is no point.
#[must_use]
pub fn spread(pixels: &[i64]) -> i64 {
    pixels.iter().max().unwrap() - pixels.iter().min().unwrap()
}
