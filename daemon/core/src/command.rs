//! What the local API can ask for, and what it gets back. One variant an action.

use std::net::SocketAddr;

use crate::ids::{CallId, ContactId, InviteId};
use crate::time::UnixSeconds;

/// One action of the local API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes an invite.
    CreateInvite {
        /// How long it may be redeemed, in seconds.
        expires_in_s: u64,
    },
    /// Takes an unredeemed invite back.
    DeleteInvite {
        /// Which one.
        invite: InviteId,
    },
    /// Redeems somebody's invite.
    AddContact {
        /// The pasted text, as it came: a link, or a message around one.
        link: String,
        /// The petname to use instead of the one in the link.
        name: Option<String>,
        /// Whether it is to be gone after a restart. Somebody who is a contact already stays one.
        temporary: bool,
    },
    /// Takes what an invitee has sent back by hand.
    TakeReply {
        /// The pasted text, as it came: a reply link, or a message around one.
        text: String,
    },
    /// Looks at a pasted text without using it, so that the user can be asked.
    LookAtPaste {
        /// The pasted text, as it came: an invite's link or a reply link, or a message around one.
        text: String,
    },
    /// Changes what is ours to change about a contact.
    EditContact {
        /// Which one.
        contact: ContactId,
        /// A new petname.
        name: Option<String>,
        /// The user's decision to keep a contested contact.
        accept: bool,
    },
    /// Forgets a contact and destroys its keys.
    DeleteContact {
        /// Which one.
        contact: ContactId,
    },
    /// Names a contact as introducer between other contacts and oneself, or takes that back.
    SetIntroducer {
        /// Which one.
        contact: ContactId,
        /// Whether it is one.
        introduces: bool,
    },
    /// Hears nothing of a contact any more, or does again.
    Block {
        /// Which one.
        contact: ContactId,
        /// Whether it is to be blocked.
        blocked: bool,
    },
    /// Changes what relays mean to a contact.
    SetRelays {
        /// Which one.
        contact: ContactId,
        /// Whether it may use this device as a relay, where that changes.
        relay: Option<bool>,
        /// Whether it is to learn no address of this device's, where that changes.
        relay_only: Option<bool>,
    },
    /// Says whether a contact's calls are answered by one click.
    SetOneClick {
        /// Which one.
        contact: ContactId,
        /// Whether one click is enough, where no page is open yet.
        one_click: bool,
    },
    /// Makes safety words with a contact's device, unless there are some to be compared. Answered when they are there.
    Verify {
        /// Which one.
        contact: ContactId,
    },
    /// What the user found when comparing them.
    Compared {
        /// Which contact.
        contact: ContactId,
        /// Whether the other person has the same.
        same: bool,
    },
    /// Proves the path to a contact now.
    Ping {
        /// Which one.
        contact: ContactId,
    },
    /// Changes one's own name or presence.
    EditMe {
        /// A new name.
        name: Option<String>,
        /// Whether this device rings.
        will_ring: Option<bool>,
    },
    /// Changes what a second caller meets during a call.
    SetSecondCall {
        /// Whether it rings; else it hears that we are busy.
        waits: bool,
    },
    /// Says what one's page sends at the moment, so that the far side can show it.
    SetSends {
        /// In which call.
        call: CallId,
        /// Whether the microphone is on, where that changes.
        audio: Option<bool>,
        /// Whether the camera is on, where that changes.
        video: Option<bool>,
    },
    /// Calls a contact.
    StartCall {
        /// Whom.
        contact: ContactId,
        /// What the caller would like to send.
        media: Media,
    },
    /// Calls whoever is at an address, if the door there is open.
    CallAddress {
        /// Where.
        to: SocketAddr,
        /// What the caller would like to send.
        media: Media,
    },
    /// Opens the door to strangers, anew if it is open, or closes it.
    SetDoor {
        /// Whether it is to be open.
        open: bool,
        /// For how many seconds; a wrong time is refused also where it closes.
        for_s: u64,
    },
    /// Whether the user wants to keep the stranger of a call as a contact.
    Keep {
        /// Which call.
        call: CallId,
        /// Whether he does.
        keep: bool,
    },
    /// What the user found when comparing safety words with the stranger of a call.
    ComparedWithStranger {
        /// Which call.
        call: CallId,
        /// Whether the other person has the same.
        same: bool,
    },
    /// Looks at one's own network now. Answered when that is done.
    CheckNetwork,
    /// Accepts an incoming call.
    Answer {
        /// Which one.
        call: CallId,
    },
    /// Declines an incoming call.
    Decline {
        /// Which one.
        call: CallId,
    },
    /// Ends a call, cancels it while it rings, or declines it where it came in.
    HangUp {
        /// Which one.
        call: CallId,
    },
    /// Forgets that a call was missed.
    SeeMissed {
        /// Which one.
        call: CallId,
    },
}

/// What a call carries besides control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// Sound.
    pub audio: bool,
    /// Picture.
    pub video: bool,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing to name.
    Done,
    /// The invite that now exists.
    Invite(InviteId),
    /// The contact that now exists or was changed.
    Contact(ContactId),
    /// A call that was created.
    CallStarted(CallId),
    /// A call that existed before the command: the ringing call it answered, the one already under way, or the one acted upon.
    Call(CallId),
    /// The round trip of a ping, in milliseconds.
    Pong {
        /// Measured from sending to the answer.
        rtt_ms: u64,
    },
    /// What a pasted text is.
    Paste(Box<PasteView>),
    /// Not done, and nothing changed.
    Refused(Refusal),
}

/// What a pasted text is, before anything comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasteView {
    /// The link in it, without what stood around it.
    pub link: String,
    /// What kind of link.
    pub kind: PasteKind,
    /// Why it would be refused now.
    pub refusal: Option<Refusal>,
}

/// The links that people send each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasteKind {
    /// Somebody wants to be called.
    Invite {
        /// The inviter's name for himself.
        name: String,
        /// When it stops working.
        expires_at: UnixSeconds,
        /// The inviter, where he is a contact already.
        contact: Option<ContactId>,
    },
    /// Somebody answers one of our invites by hand.
    Reply,
}

/// Why a command was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No invite, contact or call with this id.
    #[error("no such thing")]
    NotFound,
    /// The call is in another state; carries it.
    #[error("the call is in another state")]
    WrongState,
    /// The contact is pending or contested.
    #[error("the contact is not accepted")]
    NotAccepted,
    /// The contact's device cannot be reached now.
    #[error("the contact cannot be reached")]
    Unreachable,
    /// The user has blocked the contact.
    #[error("the contact is blocked")]
    Blocked,
    /// The last exchange of safety words, here or there, did not end well a moment ago.
    #[error("safety words pause")]
    SafetyPause,
    /// There were too many exchanges of safety words within a day.
    #[error("too many exchanges of safety words")]
    SafetyLimit,
    /// The exchange of safety words broke off: the link was replaced, or what came did not fit.
    #[error("the exchange of safety words broke off")]
    SafetyFailed,
    /// The contact's Twocan does not know safety words.
    #[error("the far side knows no safety words")]
    SafetyUnsupported,
    /// Nobody can be called at this address.
    #[error("nobody can be called at this address")]
    BadAddress,
    /// The call is with a contact, not with a stranger.
    #[error("the call is not with a stranger")]
    NoStranger,
    /// The stranger cannot be kept: nobody has answered, or the connection is gone.
    #[error("the stranger cannot be kept")]
    CannotKeep,
    /// Already in another call.
    #[error("already in a call")]
    InCall,
    /// The link is one's own.
    #[error("the invite is one's own")]
    InviteOwn,
    /// The link's expiry date has passed.
    #[error("the invite has expired")]
    InviteExpired,
    /// No intact link in the text.
    #[error("the invite is damaged")]
    InviteDamaged,
    /// The link was made by a newer Twocan.
    #[error("the invite is of a newer version")]
    InviteNewer,
    /// An empty name, a name over the bound, or one with control or direction characters.
    #[error("the name cannot be used")]
    BadName,
    /// A number outside its bounds.
    #[error("the value is out of bounds")]
    OutOfBounds,
    /// A list is full.
    #[error("too many")]
    TooMany,
    /// The disk did not take the change.
    #[error("the change could not be stored")]
    StoreFailed,
}
