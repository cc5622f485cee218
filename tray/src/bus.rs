//! The session bus: whether another tray of this user runs, and whether a panel shows icons.
//!
//! Nobody says when no panel is there: an icon is registered with `org.kde.StatusNotifierWatcher`, and where nobody has
//! that name it waits, unseen. So the name's owner is watched. The icon registers itself anew when a panel comes back.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};
use zbus::Connection;
use zbus::fdo::{DBusProxy, RequestNameFlags};
use zbus::names::BusName;

use crate::tray::Message;

/// Who shows icons.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// The tray's own name on the bus, for one home.
const NAME: &str = "org.twocan.Tray";

/// How long the bus may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a panel may take to come: at the beginning of a session programs start in any order.
const COMES: Duration = Duration::from_secs(6);

/// How long one may take to come back: one that crashed is started again, and looks about first.
const COMES_BACK: Duration = Duration::from_secs(30);

/// The session bus, where there is one.
pub(crate) async fn connect() -> Option<Connection> {
    timeout(ANSWER, Connection::session()).await.ok()?.ok()
}

/// Whether this is the only tray of this home; where the bus does not say, it is.
pub(crate) async fn is_alone(bus: &Connection, home: &std::path::Path) -> bool {
    let name = format!("{NAME}.h{:016x}", fingerprint(home.as_os_str().as_encoded_bytes()));
    let asked = bus.request_name_with_flags(name, RequestNameFlags::DoNotQueue.into());
    match timeout(ANSWER, asked).await {
        Ok(Err(zbus::Error::NameTaken)) => false,
        Ok(Ok(_) | Err(_)) | Err(_) => true,
    }
}

/// FNV-1a: homes must not share a name on the bus by accident; nobody is kept from making them do so.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Tells whether a panel shows icons, once that is known, and whenever that changes for good. Ends with the bus.
pub(crate) async fn watch_panel(bus: Connection, out: UnboundedSender<Message>) {
    if follow_panel(&bus, &out).await.is_err() {
        drop(out.send(Message::Panel(false)));
    }
    drop(out.send(Message::BusGone));
}

async fn follow_panel(bus: &Connection, out: &UnboundedSender<Message>) -> zbus::Result<()> {
    let daemon = DBusProxy::new(bus).await?;
    let mut changes = daemon.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    let mut is_there = daemon.name_has_owner(BusName::try_from(WATCHER)?).await?;
    let mut told = None;
    loop {
        let patience = if told.is_none() { COMES } else { COMES_BACK };
        let is_news = told != Some(is_there);
        if is_there && is_news {
            told = Some(true);
            drop(out.send(Message::Panel(true)));
        }
        tokio::select! {
            change = changes.next() => match change {
                Some(change) => is_there = change.args()?.new_owner().is_some(),
                None => return Ok(()),
            },
            () = sleep(patience), if !is_there && is_news => {
                told = Some(false);
                drop(out.send(Message::Panel(false)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_have_names_of_their_own() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(fingerprint(b"/home/ann"), fingerprint(b"/home/bob"));
    }
}
