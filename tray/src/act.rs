//! What the user can ask for, from the menu or from a notification.
//!
//! Any program on the user's bus can forge both. So nothing here turns a microphone or a camera on: answering opens the
//! page, where the user answers; a link is added, and the page asks before it calls.

use twocan_api::Presence;

use crate::settings::Loudness;

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Opens the page where this call is answered.
    Answer {
        /// The call.
        call: String,
        /// With picture.
        video: bool,
    },
    /// Declines this call.
    Decline(String),
    /// Hangs this call up.
    HangUp(String),
    /// Opens the page of this call.
    Show(String),
    /// Calls this contact.
    Call {
        /// The contact.
        contact: String,
        /// With picture.
        video: bool,
    },
    /// Makes an invite and copies its message.
    CopyLink,
    /// Adds whoever made the link in the clipboard, and opens the page on which to call.
    CallClipboard,
    /// Sets the presence.
    Presence(Presence),
    /// Sets the ring.
    Ring(Loudness),
    /// Opens the page's first screen.
    Open,
    /// Opens the page about the network.
    Doctor,
    /// Starts the daemon.
    Start,
    /// Ends the tray.
    Quit,
}

impl Act {
    /// A name that means the same however often the menu is made anew, so that a click on an older one cannot hit
    /// another thing.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Answer { call, video: true } => format!("answer:{call}"),
            Self::Answer { call, video: false } => format!("answer-voice:{call}"),
            Self::Decline(call) => format!("decline:{call}"),
            Self::HangUp(call) => format!("hang-up:{call}"),
            Self::Show(call) => format!("show:{call}"),
            Self::Call { contact, video: true } => format!("video:{contact}"),
            Self::Call { contact, video: false } => format!("voice:{contact}"),
            Self::CopyLink => "copy-link".into(),
            Self::CallClipboard => "call-clipboard".into(),
            Self::Presence(Presence::Available) => "available".into(),
            Self::Presence(Presence::DoNotDisturb) => "do-not-disturb".into(),
            Self::Ring(loudness) => format!("ring:{}", loudness.volume()),
            Self::Open => "open".into(),
            Self::Doctor => "doctor".into(),
            Self::Start => "start".into(),
            Self::Quit => "quit".into(),
        }
    }
}
