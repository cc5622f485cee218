//! What the user can ask for, from the menu or from a notification.
//!
//! Any program on the user's bus can forge both. So nothing here turns a microphone or a camera on, unless the user has
//! said of a contact that one click is to answer its calls: else answering opens the page, where the user answers. A link
//! is added, and the page asks before it calls.

use twocan_api::Presence;

use crate::settings::Loudness;

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Answers this call, or opens the page where it is answered.
    Answer {
        /// The call.
        call: String,
        /// How.
        with: With,
        /// Whether it is answered at once, as the user was told when this was offered.
        at_once: bool,
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

/// What a call is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum With {
    /// All that the call is for.
    All,
    /// The microphone alone, though the call is for a picture, too.
    Voice,
}

impl Act {
    /// A name that means the same however often the menu is made anew, so that a click on an older one cannot hit
    /// another thing.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Answer {
                call, with: With::All, ..
            } => format!("answer:{call}"),
            Self::Answer {
                call,
                with: With::Voice,
                ..
            } => format!("answer-voice:{call}"),
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
