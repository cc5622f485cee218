//! The clipboard.
//!
//! On X11 whoever copied something serves it as long as it is wanted, so one object is kept as long as the tray runs.
//! Wayland gives a program without a window no clipboard of its own: there the desktop's `wl-copy` and `wl-paste` serve
//! where they are installed, else the clipboard of Xwayland, which desktops keep the same.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use arboard::Clipboard;

use crate::program::find;

/// The most that is read: a message around a link fits many times.
const MOST_BYTES: u64 = 16 * 1024;

static KEPT: Mutex<Option<Clipboard>> = Mutex::new(None);

/// Copies a text; whether it worked. Blocks.
pub(crate) fn copy(text: &str) -> bool {
    wl_copy(text).unwrap_or_else(|| kept(|it| it.set_text(text)).is_some())
}

/// The text in the clipboard, as far as it is of interest. Blocks.
pub(crate) fn paste() -> Option<String> {
    wl_paste().or_else(|| kept(Clipboard::get_text)).map(|text| {
        let most = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
        let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        text.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
    })
}

/// Hands what was copied to whoever keeps it when programs end, where there is somebody. Blocks, briefly.
pub(crate) fn leave() {
    drop(KEPT.lock().ok().and_then(|mut kept| kept.take()));
}

fn kept<T>(act: impl FnOnce(&mut Clipboard) -> Result<T, arboard::Error>) -> Option<T> {
    let mut kept = KEPT.lock().ok()?;
    if kept.is_none() {
        *kept = Clipboard::new().ok();
    }
    let done = act(kept.as_mut()?).ok();
    if done.is_none() {
        // Whatever is the matter with it, the next try begins anew.
        *kept = None;
    }
    done
}

/// Nothing where this is no Wayland or the program is not there.
fn wl_copy(text: &str) -> Option<bool> {
    let mut child = wayland("wl-copy")?.stdin(Stdio::piped()).spawn().ok()?;
    let written = child.stdin.take()?.write_all(text.as_bytes());
    Some(written.is_ok() && child.wait().is_ok_and(|status| status.success()))
}

fn wl_paste() -> Option<String> {
    let mut child = wayland("wl-paste")?
        .arg("--no-newline")
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut text = Vec::new();
    let read = child.stdout.take()?.take(MOST_BYTES).read_to_end(&mut text);
    let status = child.wait().ok()?;
    (read.is_ok() && status.success()).then(|| String::from_utf8_lossy(&text).into_owned())
}

fn wayland(program: &str) -> Option<Command> {
    std::env::var_os("WAYLAND_DISPLAY").filter(|value| !value.is_empty())?;
    let mut command = Command::new(find(program)?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(command)
}
