//! Everything that enters and leaves the core.
//!
//! Data flows one way: socket → demux → core → outputs → shell. The shell performs outputs in order and never answers
//! one by return value: whatever comes of it enters as another [`Input`].

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use crate::command::{Command, Reply};
use crate::crypto::Secret;
use crate::event::Event;
use crate::ids::{
    CallId, CommandId, DeviceKey, DialId, LegId, LinkId, PairId, QueryId, RelayHandle, RelayId, Token, VisitorId,
};
use crate::media::flow::Role;
use crate::media::formats::Formats;
use crate::media::outlet::Held;
use crate::reach::candidates::OwnAddresses;
use crate::reach::nat_report::PortMapping;
use crate::reach::record::{Item, LanName, Place};
use crate::reach::relay::Pair;
use crate::reach::via::Via;

/// What the shell tells the core.
#[derive(Debug)]
pub enum Input {
    /// A datagram that the demux classed as a knock.
    Datagram {
        /// Where it came from.
        from: SocketAddr,
        /// What it came through.
        via: Via,
        /// All of it, from the first byte.
        bytes: Vec<u8>,
    },
    /// The socket's own addresses, whenever they change.
    Interfaces(OwnAddresses),
    /// What the configuration says about relays; first thing, and never again.
    Relays {
        /// Whether every contact may use this device as a relay, whatever its own mark says.
        for_contacts: bool,
        /// Whether there is a relay server.
        server: bool,
    },
    /// What the configuration says about calls that are answered by one click; first thing, and never again.
    OneClick {
        /// Whether that is enough for contacts of whom the user has not said it.
        usual: bool,
    },
    /// The relay server gave us an address, or another one; `None` where none could be had, or it was lost. What comes
    /// after [`Output::Turn`] gave it back is stale, and counts for nothing.
    Turn {
        /// Where it receives what it passes on to us.
        relayed: Option<SocketAddr>,
    },
    /// A datagram that the demux classed as STUN.
    Stun {
        /// Where it came from.
        from: SocketAddr,
        /// What it came through: the own socket or a spare.
        via: Via,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// A datagram of the DHT's protocol, from an address that a ping went to from this very socket.
    Krpc {
        /// Where it came from.
        from: SocketAddr,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// Nodes of the DHT that may be asked where they see us: the answer to [`Output::FindDhtNodes`].
    DhtNodes(Vec<SocketAddr>),
    /// Where the configured STUN servers are, best first: the answer to [`Output::FindStunServers`]. Empty where there are none,
    /// or none can be found.
    StunServers(Vec<SocketAddr>),
    /// What the router says that maps ports, whenever that changes.
    Mapping(PortMapping),
    /// The machine slept, or was stopped, for a while.
    Resumed,
    /// A QUIC handshake finished in either direction.
    LinkUp(LinkUp),
    /// A dial came to nothing.
    DialFailed {
        /// Which one.
        dial: DialId,
    },
    /// The door that was dialed is open, but lets nobody in at the moment.
    TurnedAway {
        /// Which dial.
        dial: DialId,
    },
    /// A stranger whose address is proven asks to be let in at our door. Answered by [`Output::LetIn`] or
    /// [`Output::TurnAway`].
    Visitor {
        /// Names the request.
        visitor: VisitorId,
        /// Where he is.
        from: SocketAddr,
    },
    /// A connection is gone, closed by either side or timed out.
    LinkDown {
        /// Which one.
        link: LinkId,
        /// The far side's close code, where it closed.
        code: Option<u64>,
    },
    /// One whole frame of the control stream.
    Control {
        /// On which connection.
        link: LinkId,
        /// The frame's body.
        bytes: Vec<u8>,
    },
    /// One keep-alive datagram, after its flow id.
    Alive {
        /// On which connection.
        link: LinkId,
        /// The datagram's body.
        bytes: Vec<u8>,
    },
    /// A keep-alive of a connection came from another place than the connection goes to: the far side's NAT gave it another
    /// port, or it has another address.
    Moved {
        /// Which connection.
        link: LinkId,
        /// Where it came from.
        from: SocketAddr,
        /// What it came through.
        via: Via,
    },
    /// QUIC's own estimate of the round trip, given with each keep-alive datagram.
    Rtt {
        /// On which connection.
        link: LinkId,
        /// The smoothed estimate.
        rtt: Duration,
    },
    /// A fact about a local media leg.
    Leg {
        /// The call that the leg belongs to.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// What became of it.
        fact: LegFact,
    },
    /// The state with this generation is on the disk.
    Stored {
        /// As given in [`Output::Store`].
        generation: u64,
    },
    /// The state with this generation could not be written; nothing that depended on it may be acknowledged.
    StoreFailed {
        /// As given in [`Output::Store`].
        generation: u64,
    },
    /// One action of the local API.
    Command {
        /// Comes back in the [`Output::Reply`].
        id: CommandId,
        /// What is asked.
        command: Command,
    },
    /// By which means others may be found, whenever that changes; by none before it is said.
    Means(Means),
    /// What a question to the DHT has brought: any number of [`DhtAnswer::Found`], then one of the others.
    DhtAnswer {
        /// Which question.
        query: QueryId,
        /// What.
        answer: DhtAnswer,
    },
    /// Somebody on the local network shows a name.
    LanSeen {
        /// Which name.
        name: LanName,
        /// Where.
        addresses: Vec<SocketAddr>,
    },
    /// The daemon is about to exit: say so to those who are linked.
    Going,
}

/// The means of finding others that this device has and may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// A DHT.
    pub dht: bool,
    /// Multicast on the local network.
    pub lan: bool,
}

/// What a question to the DHT has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DhtAnswer {
    /// A value at the place that was asked for; more may come.
    Found(Item),
    /// Nothing more comes.
    Done,
    /// It is stored.
    Stored,
    /// No node answered, or none took it.
    Failed,
}

/// A question to the world outside, which is answered by an [`Input`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Stores a value; ends in [`DhtAnswer::Stored`] or [`DhtAnswer::Failed`].
    DhtPut {
        /// Names the question.
        query: QueryId,
        /// What to store.
        item: Item,
    },
    /// Shows these names on the local network in place of those before, and looks for others as long as there are any;
    /// whoever is seen is an [`Input::LanSeen`].
    LanShow {
        /// The names.
        names: Vec<LanName>,
        /// Where they lead to.
        addresses: Vec<SocketAddr>,
    },
    /// Looks for the values at a place; ends in [`DhtAnswer::Done`] or [`DhtAnswer::Failed`].
    DhtGet {
        /// Names the question.
        query: QueryId,
        /// Where.
        place: Place,
    },
}

/// A finished handshake. The peer has proven `peer`, nothing more: who that is, `hello` shows.
#[derive(Debug)]
pub struct LinkUp {
    /// The new connection.
    pub link: LinkId,
    /// The dial that it answers; `None` where the far side dialed.
    pub dial: Option<DialId>,
    /// The visitor who became this, where he came in at the door.
    pub visitor: Option<VisitorId>,
    /// The far side's TLS key.
    pub peer: DeviceKey,
    /// The far side's address.
    pub remote: SocketAddr,
    /// What the connection goes through.
    pub via: Via,
    /// 32 bytes of the TLS exporter, label `twocan link`, empty context (RFC 8446, section 7.5).
    pub exporter: [u8; 32],
}

/// What became of a local media leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegFact {
    /// ICE and DTLS are done; media could flow. With the video formats that it can show, where it receives.
    Warm(Option<Formats>),
    /// It is gone without having been asked to close.
    Lost,
    /// It was closed by its owner or replaced by another.
    Closed,
    /// Its picture is held back from here on, or passes again.
    Held(Option<Held>),
}

/// What the core tells the shell to do.
#[derive(Debug)]
pub enum Output {
    /// Sends one knock, or one question to a STUN server or a node of the DHT.
    Transmit {
        /// To whom.
        to: SocketAddr,
        /// What it goes through.
        via: Via,
        /// How many hops it lives, where it is not meant to arrive; of the packet alone, for media share the socket.
        ttl: Option<u8>,
        /// The whole datagram.
        bytes: Vec<u8>,
    },
    /// Looks up the configured STUN servers; ends in [`Input::StunServers`].
    FindStunServers,
    /// Names nodes of the DHT, where it may be used; ends in [`Input::DhtNodes`].
    FindDhtNodes,
    /// Asks the router for a port anew, where the user wants that; what it says comes as [`Input::Mapping`].
    AskPortMapper,
    /// Opens sockets beside the one, each with a port of its own: the ways [`Via::Spare`] of these numbers.
    OpenSpares {
        /// Their numbers.
        numbers: Range<u16>,
    },
    /// Closes such sockets, those of them that are open.
    CloseSpares {
        /// Their numbers.
        numbers: Range<u16>,
    },
    /// Lets Initials with this destination connection id reach QUIC.
    Admit {
        /// The destination connection id.
        token: Token,
        /// For how long from now.
        valid_for: Duration,
    },
    /// Takes an admission back.
    Revoke {
        /// The destination connection id.
        token: Token,
    },
    /// Opens a QUIC connection; ends in [`Input::LinkUp`] or [`Input::DialFailed`] within the dial time-out.
    Dial {
        /// Names the attempt.
        dial: DialId,
        /// The only key that may answer.
        peer: DeviceKey,
        /// Where.
        to: SocketAddr,
        /// What it goes through.
        via: Via,
        /// The Initial's destination connection id.
        token: Token,
        /// UDP payload bytes that this path has been shown to carry.
        initial_mtu: u16,
    },
    /// Lets strangers ask to come in from now on, each by an [`Input::Visitor`]; replaces an opening before.
    OpenDoor {
        /// The seed of the TLS key that this opening shows.
        seed: Secret,
        /// For how long from now, at most.
        valid_for: Duration,
    },
    /// Answers no stranger any more.
    CloseDoor,
    /// Finishes a visitor's handshake; ends in [`Input::LinkUp`], or in nothing, within [`crate::bounds::DOOR_ENTRY`].
    LetIn {
        /// Which one.
        visitor: VisitorId,
    },
    /// Tells a visitor to come another time.
    TurnAway {
        /// Which one.
        visitor: VisitorId,
    },
    /// Rings at the door of whoever is at an address; ends in [`Input::LinkUp`], [`Input::TurnedAway`] or
    /// [`Input::DialFailed`] within the dial time-out.
    DialDoor {
        /// Names the attempt.
        dial: DialId,
        /// Where.
        to: SocketAddr,
        /// The seed of the TLS key that this call shows.
        seed: Secret,
    },
    /// Closes a connection.
    Close {
        /// Which one.
        link: LinkId,
        /// The application error code, one of [`crate::bounds::close_code`].
        code: u32,
    },
    /// Sends one frame on the control stream.
    Send {
        /// On which connection.
        link: LinkId,
        /// The frame's body.
        bytes: Vec<u8>,
    },
    /// Sends one keep-alive datagram.
    SendAlive {
        /// On which connection.
        link: LinkId,
        /// The datagram's body, without the flow id.
        bytes: Vec<u8>,
    },
    /// Tells which link, base and role a call's media will use, so that legs can be prepared. Nothing passes yet.
    Route {
        /// The call.
        call: CallId,
        /// Its connection. A later route with another connection moves the call.
        link: LinkId,
        /// The base of its flow ids.
        base: u64,
        /// Our side of it.
        role: Role,
    },
    /// Reaches somebody's device through a contact's: what goes [`Via::Relay`] leaves in frames for `at`, and frames from
    /// there that bear the handle came that way. Said again where either changes.
    UseRelay {
        /// The way.
        relay: RelayId,
        /// The relay.
        at: SocketAddr,
        /// What stands for us there.
        handle: RelayHandle,
    },
    /// The end of [`Self::UseRelay`].
    LeaveRelay {
        /// The way.
        relay: RelayId,
    },
    /// Passes packets on between two contacts, as [`crate::reach::relay::Forwards`] judges. Said again where a side moved.
    Forward(Pair),
    /// The end of [`Self::Forward`].
    EndForward {
        /// Between whom.
        pair: PairId,
    },
    /// Gets an address from the relay server, or gives it back; answered by [`Input::Turn`].
    Turn {
        /// Whether one is needed.
        wanted: bool,
    },
    /// The far side can show a picture in these formats and in no other.
    FarTakes {
        /// The call.
        call: CallId,
        /// The formats.
        formats: Formats,
    },
    /// Lets media pass both ways, and asks every leg and the far side for a key frame. Emitted at one place only.
    OpenGate {
        /// The call.
        call: CallId,
    },
    /// Stops media both ways and closes every leg of the call within [`crate::bounds::CAMERA_OFF`].
    EndMedia {
        /// The call.
        call: CallId,
    },
    /// Writes the whole state; ends in [`Input::Stored`] or [`Input::StoreFailed`].
    Store {
        /// Grows by one each time.
        generation: u64,
        /// The state, unsealed, as [`crate::state`] encodes it.
        state: Vec<u8>,
    },
    /// Answers one command.
    Reply {
        /// As given in [`Input::Command`].
        id: CommandId,
        /// The answer.
        reply: Reply,
    },
    /// Asks the world outside.
    Query(Query),
    /// Something that clients of the local API want to know.
    Event(Event),
}
