//! What changed, and the picture of everything that a client may see.
//!
//! Events name what changed; [`Snapshot`] says what it is now. The shell turns both into API values in one place.

use std::net::SocketAddr;
use std::time::Duration;

use crate::call::EndReason;
use crate::command::Media;
use crate::identity::sas;
use crate::ids::{CallId, ContactId, DeviceKey, InviteId, RootKey};
use crate::media::formats::Formats;
use crate::media::outlet::Held;
use crate::reach::nat_report::{NatKind, Report};
use crate::state::Alarm;
use crate::time::{Now, UnixSeconds};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A contact is new or different.
    Contact(ContactId),
    /// A contact is gone, and why where that was not the user's own doing.
    ContactRemoved(ContactId, Option<InviteRefusal>),
    /// A call is new or different.
    Call(CallId),
    /// An invite is new, used up or gone.
    Invite(InviteId),
    /// The door is open, closed, or known to be reached from outside.
    Door,
    /// One's own name or presence is different.
    Me,
    /// What is known of one's own network is different.
    Network,
    /// A fact that the user should be told once.
    Notice(Notice),
}

/// Why the inviter refused a redemption. The redeemer's pending contact is removed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum InviteRefusal {
    /// Somebody else redeemed it first.
    #[n(0)]
    Used,
    /// Its time has passed on the inviter's clock.
    #[n(1)]
    Expired,
    /// The inviter took it back, or never made it.
    #[n(2)]
    Unknown,
    /// The proof does not fit the link.
    #[n(3)]
    BadProof,
}

/// Facts told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody else tried to redeem the invite that made this contact.
    Contested(ContactId),
    /// Somebody with this contact's device key showed another root, and was refused.
    OtherRoot(ContactId),
}

/// Everything that a client may see, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Oneself.
    pub me: Option<MeView>,
    /// All contacts.
    pub contacts: Vec<ContactView>,
    /// Calls under way, calls ended within the last minute, and missed calls until seen.
    pub calls: Vec<CallView>,
    /// Invites not yet used, expired or taken back.
    pub invites: Vec<InviteView>,
    /// The door.
    pub door: DoorView,
    /// One's own network.
    pub network: NetworkView,
    /// Linked contacts whose wall clock is [`crate::bounds::CLOCKS_APART_S`] or more from ours.
    pub clocks: Vec<ClockApart>,
    /// One's own relay server was asked for an address, and gives none.
    pub relay_server_fails: bool,
}

/// One's own network, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkView {
    /// Whether it is being looked at.
    pub checking: bool,
    /// When it was last looked at, on the boot clock.
    pub checked: Option<Duration>,
    /// Whether the lifetime of a silent way is being measured, which takes some minutes.
    pub measures_lifetime: bool,
    /// Whether the own address can be reached from outside.
    pub from_outside: FromOutside,
    /// What was found.
    pub report: Report,
}

/// The door, and where strangers would find it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorView {
    /// Until when it is open, on both clocks; `None` while it is closed.
    pub open_until: Option<Now>,
    /// This device's addresses, as far as it can see them, best first.
    pub addresses: Vec<SocketAddr>,
    /// Whether somebody outside this network can get here.
    pub from_outside: FromOutside,
}

/// Whether a device can be reached from outside its network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromOutside {
    /// A stranger from outside has come in at this opening, or a packet from somebody never written to has; or the router says that
    /// it forwards the port.
    Yes,
    /// The socket is bound to the loopback interface alone, or the NAT was seen to keep strangers out.
    No,
    /// Nothing shows it, either way.
    #[default]
    Unknown,
}

/// The other end of a call that came, or went, through a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangerView {
    /// Where he is.
    pub address: SocketAddr,
    /// The words to compare, once both have answered.
    pub safety: SafetyView,
    /// Whether the own user wants to keep him; `None` until he says.
    pub keep: Option<bool>,
    /// Whether he wants to keep us.
    pub peer_keeps: bool,
    /// Whether the own user can still say.
    pub can_keep: bool,
    /// The path, where there is a connection.
    pub path: Option<PathView>,
}

/// A contact whose wall clock is not ours. Which of the two is wrong nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockApart {
    /// Whose.
    pub contact: ContactId,
    /// How far apart, in seconds, as they were when the link came up.
    pub by_s: u64,
}

/// Oneself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeView {
    /// One's own root key.
    pub root: RootKey,
    /// The name that invites carry.
    pub name: String,
    /// This device's key.
    pub device: DeviceKey,
    /// This device's name.
    pub device_name: String,
    /// Whether this device rings.
    pub will_ring: bool,
    /// Whether a second call rings during a call; else it hears that we are busy.
    pub second_call_waits: bool,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactView {
    /// Its id.
    pub id: ContactId,
    /// The petname.
    pub name: String,
    /// How far the acquaintance has come.
    pub state: ContactState,
    /// Whether the safety words were compared.
    pub verified: bool,
    /// Derived from the last proof; stored nowhere.
    pub reachable: Reachable,
    /// The path, where there is a link.
    pub path: Option<PathView>,
    /// The contact's devices.
    pub devices: Vec<DeviceView>,
    /// The safety words.
    pub safety: SafetyView,
    /// Whether the user wants to hear nothing of it.
    pub blocked: bool,
    /// Whether it has rung so often, unanswered, that it does not ring here for a while.
    pub quiet: bool,
    /// What speaks against it.
    pub alarm: Option<Alarm>,
    /// It may use this device as a relay.
    pub relay: bool,
    /// It is to learn no address of this device's.
    pub relay_only: bool,
    /// Whether its calls are answered by one click: as the user said, else as is usual here.
    pub one_click: bool,
    /// While the inviter has not confirmed: what to send back to him by hand, should nothing else help.
    pub reply: Option<String>,
    /// Whether the user named it as an introducer.
    pub introduces: bool,
    /// What kind of NAT its device said it is behind.
    pub nat: NatKind,
}

/// What there is to compare with a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyView {
    /// Where it stands.
    pub state: SafetyState,
    /// The words of the last exchange.
    pub words: Option<sas::Words>,
    /// The number for paper: see [`sas::number`].
    pub number: String,
}

/// Where the comparing of safety words stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafetyState {
    /// There are no words.
    None,
    /// They are being made.
    Running,
    /// They wait for the user's answer.
    Compare,
    /// The user found them equal.
    Same,
    /// The user found them different.
    Different,
}

/// How far an acquaintance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactState {
    /// Pasted here, not yet acknowledged there.
    Pending,
    /// Both sides hold each other.
    Accepted,
    /// Somebody else tried the same invite; it may not ring until the user decides.
    Contested,
}

/// What the dot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reachable {
    /// A proof no older than [`crate::bounds::GREY_AFTER`], and the device said that it would ring.
    Yes,
    /// Being tried.
    Checking(WhyNot),
    /// No.
    No(WhyNot),
}

/// Why a dot is not green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The far side has not acknowledged the invite yet.
    WaitingForInviter,
    /// The same, a moment after the link was pasted.
    InviterInSeconds,
    /// The same, a little later: an invite in its first hour is looked after often.
    InviterInAMinute,
    /// The same, later: an old invite is looked after every few minutes.
    InviterInMinutes,
    /// The user must first decide who redeemed the invite.
    Contested,
    /// A path is being looked for.
    Searching,
    /// No answer at any remembered address.
    NoAnswer,
    /// No answer, and none can come: both sides are behind NATs that give each destination another port, so somebody must
    /// pass packets on.
    NeedsRelay,
    /// No address is known.
    NoAddress,
    /// The device said that it is going away.
    WentAway,
    /// The path has not been proven for a while and is being tried again.
    Silent,
    /// The device does not ring at the moment.
    WillNotRing,
    /// The user has blocked it.
    Blocked,
    /// It is to learn no address of ours, and there is no relay to it.
    NoRelay,
}

/// A proven path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathView {
    /// The far end of it.
    pub remote: SocketAddr,
    /// What it runs over.
    pub kind: PathKind,
    /// The petname of the contact who carries it.
    pub via: Option<String>,
    /// QUIC's estimate of the round trip.
    pub rtt: Duration,
    /// When it was last proven, on the boot clock.
    pub last_proof: Duration,
}

/// What a path runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// The same machine or network.
    Lan,
    /// Straight across the Internet.
    Direct,
    /// Through somebody that one of the two chose.
    Relay(Carrier),
}

/// Who passes the packets of a relayed path on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A contact.
    Contact(ContactId),
    /// The relay server in one's own configuration.
    OwnServer,
    /// The far side's.
    TheirServer,
}

/// One device of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Its key.
    pub key: DeviceKey,
    /// Its name.
    pub name: String,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    /// Its id.
    pub id: CallId,
    /// Whether it came in.
    pub incoming: bool,
    /// Where it stands.
    pub state: CallState,
    /// With whom, where it is a contact.
    pub contact: Option<ContactId>,
    /// The petname at the time; empty for strangers.
    pub peer_name: String,
    /// The other end, where the call goes through a door.
    pub stranger: Option<StrangerView>,
    /// What it carries.
    pub media: Media,
    /// What one's own page sends at the moment, as it said.
    pub own_media: Media,
    /// What the far side sends at the moment, as it said.
    pub peer_media: Media,
    /// In which formats the far side can show a picture; `None` until it has said so.
    pub peer_takes: Option<Formats>,
    /// Why one's own picture does not go out, though a leg sends one.
    pub held: Option<Held>,
    /// Whether it is active but its path is silent and being looked for again.
    pub reconnecting: bool,
    /// Whether it came in, went by unanswered, and the user has not seen that.
    pub missed: bool,
    /// Why it ended.
    pub reason: Option<EndReason>,
}

/// Where a call stands, as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Placed, not yet ringing there.
    Dialing,
    /// Ringing: there where it went out, here where it came in.
    Ringing,
    /// Both people accepted.
    Active,
    /// Over.
    Ended,
}

/// An open invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteView {
    /// Its id.
    pub id: InviteId,
    /// The `twocan:` link.
    pub link: String,
    /// When it stops working.
    pub expires_at: UnixSeconds,
    /// Whether this device's address can be reached from outside.
    pub from_outside: FromOutside,
}
