//! Control messages: what two linked devices say to each other beside media and keep-alives.
//!
//! A frame is a CBOR map {number, acknowledgement, kind, body}; the body is a map with indexed fields of its own. Readers
//! skip fields that they do not know and answer kinds that they do not know with [`Message::Unsupported`], so old and
//! new daemons get along. What cannot be read at all closes the link.

use std::net::SocketAddr;

use minicbor::{Decode, Encode};

use crate::bounds;
use crate::call::end_reason::WireReason;
use crate::cbor;
use crate::crypto::Secret;
use crate::event::InviteRefusal;
use crate::identity::SignedList;
use crate::ids::{CallId, DeviceKey, RelayHandle, RelayTag};
use crate::media::flow;
use crate::reach::nat_report::NatKind;
use crate::time::UnixSeconds;

/// One frame of the control stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Frame {
    /// The session number of the message; 0 for those that are not numbered.
    #[n(0)]
    pub number: u64,
    /// The highest session number received without a gap.
    #[n(1)]
    pub ack: u64,
    /// Which [`Message`].
    #[n(2)]
    kind: u64,
    /// The encoded message.
    #[cbor(n(3), with = "minicbor::bytes")]
    body: Vec<u8>,
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first message each way; not numbered.
    Hello(Box<Hello>),
    /// Nothing but the acknowledgement; not numbered.
    Ack,
    /// Inviter → invitee: we hold each other as contacts.
    Redeemed,
    /// Inviter → invitee: no.
    Refused(Refused),
    /// Whether the sender holds the receiver back until it has decided who redeemed the invite.
    Held(Held),
    /// Where the sender may be reached.
    Addresses(Addresses),
    /// Through a door, both ways, once the call was answered: who the sender is.
    Show(Show),
    /// Through a door, both ways: the sender wants to keep the receiver as a contact.
    Keep(Keep),
    /// Listener → dialer: compare safety words; not numbered, like the other four, for they belong to one connection.
    SafetyAsk,
    /// Dialer → listener: what binds it to a nonce; not numbered.
    SafetyCommit(Commitment),
    /// Listener → dialer: its nonce; not numbered.
    SafetyAnswer(Nonce),
    /// Dialer → listener: the nonce that it was bound to; not numbered.
    SafetyReveal(Nonce),
    /// Either way: not now, for there was a run a moment ago or there were too many; not numbered.
    SafetyLater,
    /// Caller → callee: ring.
    Ring(Ring),
    /// Caller → callee: keep ringing.
    Renew(OfCall),
    /// Callee → caller: it rings here.
    Ringing(OfCall),
    /// Callee → caller: the user accepted.
    Accept(OfCall),
    /// Either way: the call is over.
    End(End),
    /// Either way: what the sender's page sends at the moment.
    Sends(Sends),
    /// Whether the receiver may use the sender as a relay; not numbered, like the other three.
    RelayOffer(RelayOffer),
    /// To a relay: the sender wants to meet whoever shows the same tag; not numbered.
    RelayAsk(RelayAsk),
    /// From a relay to both: packets pass from here on; not numbered.
    RelayGrant(RelayGrant),
    /// Either way: packets pass no more; not numbered.
    RelayEnd(RelayEnd),
    /// Either way: which video formats the sender's legs can show.
    Takes(Takes),
    /// How the sender's device is found when there is no link.
    Finding(Finding),
    /// To an introducer: which tags the sender watches; replaces what it said before; not numbered.
    Watch(Watch),
    /// To an introducer, and from him to whoever watches the tag: a sealed word; not numbered.
    Pass(Pass),
    /// A kind that the sender of this does not know.
    Unsupported(Unsupported),
    /// A kind that we do not know; never sent.
    Unknown(u64),
}

/// The first message: who is there, and what of the session they remember.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Hello {
    /// The sender's device list; it contains the key that TLS proved.
    #[n(0)]
    pub list: SignedList,
    /// The sender's half of the session's name.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub session: [u8; 16],
    /// The receiver's half, as the sender remembers it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub remembers: Option<[u8; 16]>,
    /// The highest number received in the remembered session.
    #[n(3)]
    pub received: u64,
    /// Where the sender may be reached.
    #[cbor(n(4), with = "crate::cbor::addresses")]
    pub addresses: Vec<SocketAddr>,
    /// Pair keys that the sender holds; both keep the union.
    #[n(5)]
    pub keys: Vec<Secret>,
    /// An invite that is being redeemed over this link.
    #[n(6)]
    pub redeem: Option<Redeem>,
    /// As [`Message::Held`].
    #[n(7)]
    pub held: bool,
    /// The sender's wall clock.
    #[n(8)]
    pub time: Option<UnixSeconds>,
    /// The sender's end of this link is at its relay server.
    #[n(20)]
    pub through_server: Option<bool>,
    /// What kind of NAT the sender is behind.
    #[cbor(n(9), default)]
    pub nat: NatKind,
}

/// The proof that the sender holds an invite's secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Redeem {
    /// Names the invite to its holders.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub hint: [u8; 8],
    /// See [`crate::invite::proof`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proof: [u8; 32],
    /// The sender's name for himself.
    #[n(2)]
    pub name: String,
}

/// Body of [`Message::Refused`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refused {
    /// Why.
    #[n(0)]
    pub why: InviteRefusal,
}

/// Body of [`Message::Held`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Held {
    /// Whether it does.
    #[n(0)]
    pub held: bool,
}

/// Body of [`Message::Addresses`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Addresses {
    /// All of them, best first.
    #[cbor(n(0), with = "crate::cbor::addresses")]
    pub addresses: Vec<SocketAddr>,
    /// What kind of NAT the sender is behind.
    #[cbor(n(1), default)]
    pub nat: NatKind,
}

/// Body of [`Message::Show`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Show {
    /// The sender's device list.
    #[n(0)]
    pub list: SignedList,
    /// Which device of the list speaks.
    #[n(1)]
    pub device: DeviceKey,
    /// That device's Ed25519 signature: see [`crate::node`]'s visits.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// Body of [`Message::Keep`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Keep {
    /// The sender's name for himself.
    #[n(0)]
    pub name: String,
}

/// Body of [`Message::SafetyCommit`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Commitment {
    /// See [`crate::identity::sas`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub commitment: [u8; 32],
}

/// Body of [`Message::SafetyAnswer`] and [`Message::SafetyReveal`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Nonce {
    /// Drawn for this run.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
}

/// Body of [`Message::Sends`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sends {
    /// The call.
    #[n(0)]
    pub call: CallId,
    /// Whether the microphone is on.
    #[n(1)]
    pub audio: bool,
    /// Whether the camera is on.
    #[n(2)]
    pub video: bool,
}

/// Body of [`Message::Takes`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Takes {
    /// The call.
    #[n(0)]
    pub call: CallId,
    /// Canonical payload types of video, a byte each; the reader skips those that it does not know.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub video: Vec<u8>,
}

/// Body of [`Message::Finding`]: see [`crate::reach::record`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    /// The sender's finding key.
    #[n(0)]
    pub key: Secret,
    /// The public finding key of the sender's device.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public: [u8; 32],
}

/// Body of [`Message::Watch`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Watch {
    /// At most [`crate::bounds::WATCHED_TAGS`].
    #[cbor(n(0), with = "crate::cbor::tags")]
    pub tags: Vec<[u8; 16]>,
}

/// Body of [`Message::Pass`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pass {
    /// Names the two people to the introducer.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub tag: [u8; 16],
    /// [`crate::bounds::PASSED_WORD`] bytes, sealed for the other one.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub word: Vec<u8>,
    /// Whether it answers a word, and so is not answered itself.
    #[n(2)]
    pub answers: bool,
}

/// Body of [`Message::Ring`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ring {
    /// The call.
    #[n(0)]
    pub call: CallId,
    /// Whether the caller sends sound.
    #[n(1)]
    pub audio: bool,
    /// Whether the caller sends a picture.
    #[n(2)]
    pub video: bool,
    /// The base of the call's flow ids.
    #[n(3)]
    pub base: u64,
    /// Whether this device alone is rung, so that its accept wins by itself.
    #[n(4)]
    pub alone: bool,
}

/// A body that only names a call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OfCall {
    /// The call.
    #[n(0)]
    pub call: CallId,
}

/// Body of [`Message::End`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct End {
    /// The call.
    #[n(0)]
    pub call: CallId,
    /// Why; a reason that the reader does not know counts as hung up.
    #[n(1)]
    pub reason: WireReason,
}

/// Body of [`Message::RelayOffer`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayOffer {
    /// Whether it may.
    #[n(0)]
    pub offered: bool,
}

/// Body of [`Message::RelayAsk`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayAsk {
    /// One for each pair key: any of them will do. See [`crate::reach::relay::tag`].
    #[n(0)]
    pub tags: Vec<RelayTag>,
}

/// Body of [`Message::RelayGrant`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayGrant {
    /// Which wish it answers.
    #[n(0)]
    pub tag: RelayTag,
    /// What stands for the receiver's side.
    #[n(1)]
    pub handle: RelayHandle,
}

/// Body of [`Message::RelayEnd`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayEnd {
    /// Which wish, and the pair that came of it.
    #[n(0)]
    pub tag: RelayTag,
}

/// Body of [`Message::Unsupported`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unsupported {
    /// The kind.
    #[n(0)]
    pub kind: u64,
}

/// A frame, or a message inside it, that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a control message")]
pub struct Garbage;

impl Message {
    /// Whether the message gets a session number, and so is resent until acknowledged.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        !matches!(
            self,
            Self::Hello(_) | Self::Ack | Self::Unsupported(_) | Self::Watch(_) | Self::Pass(_)
        ) && !self.is_safety()
            && !self.is_relay()
    }

    /// Whether the message is about relaying, and so belongs to one connection.
    #[must_use]
    pub const fn is_relay(&self) -> bool {
        matches!(
            self,
            Self::RelayOffer(_) | Self::RelayAsk(_) | Self::RelayGrant(_) | Self::RelayEnd(_)
        )
    }

    /// Whether the message is part of an exchange of safety words.
    #[must_use]
    pub const fn is_safety(&self) -> bool {
        matches!(
            self,
            Self::SafetyAsk | Self::SafetyCommit(_) | Self::SafetyAnswer(_) | Self::SafetyReveal(_) | Self::SafetyLater
        )
    }

    /// Whether `kind` is the one of a message of an exchange of safety words.
    #[must_use]
    pub const fn is_safety_kind(kind: u64) -> bool {
        matches!(kind, 8..=12)
    }

    const fn kind(&self) -> u64 {
        match self {
            Self::Hello(_) => 0,
            Self::Ack => 1,
            Self::Redeemed => 2,
            Self::Refused(_) => 3,
            Self::Held(_) => 4,
            Self::Addresses(_) => 5,
            Self::Show(_) => 6,
            Self::Keep(_) => 7,
            Self::SafetyAsk => 8,
            Self::SafetyCommit(_) => 9,
            Self::SafetyAnswer(_) => 10,
            Self::SafetyReveal(_) => 11,
            Self::SafetyLater => 12,
            Self::Ring(_) => 16,
            Self::Renew(_) => 17,
            Self::Ringing(_) => 18,
            Self::Accept(_) => 19,
            Self::End(_) => 20,
            Self::Sends(_) => 21,
            Self::RelayOffer(_) => 27,
            Self::RelayAsk(_) => 28,
            Self::RelayGrant(_) => 29,
            Self::RelayEnd(_) => 30,
            Self::Takes(_) => 22,
            Self::Finding(_) => 24,
            Self::Watch(_) => 25,
            Self::Pass(_) => 26,
            Self::Unsupported(_) => 31,
            Self::Unknown(kind) => *kind,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Self::Hello(body) => cbor::encode(body.as_ref()),
            Self::Ack | Self::Redeemed | Self::SafetyAsk | Self::SafetyLater | Self::Unknown(_) => Vec::new(),
            Self::SafetyCommit(body) => cbor::encode(body),
            Self::SafetyAnswer(body) | Self::SafetyReveal(body) => cbor::encode(body),
            Self::Sends(body) => cbor::encode(body),
            Self::Takes(body) => cbor::encode(body),
            Self::Finding(body) => cbor::encode(body),
            Self::Watch(body) => cbor::encode(body),
            Self::Pass(body) => cbor::encode(body),
            Self::Refused(body) => cbor::encode(body),
            Self::Held(body) => cbor::encode(body),
            Self::Addresses(body) => cbor::encode(body),
            Self::Show(body) => cbor::encode(body),
            Self::Keep(body) => cbor::encode(body),
            Self::Ring(body) => cbor::encode(body),
            Self::Renew(body) | Self::Ringing(body) | Self::Accept(body) => cbor::encode(body),
            Self::End(body) => cbor::encode(body),
            Self::RelayOffer(body) => cbor::encode(body),
            Self::RelayAsk(body) => cbor::encode(body),
            Self::RelayGrant(body) => cbor::encode(body),
            Self::RelayEnd(body) => cbor::encode(body),
            Self::Unsupported(body) => cbor::encode(body),
        }
    }

    fn parse(kind: u64, body: &[u8]) -> Option<Self> {
        Some(match kind {
            0 => Self::Hello(Box::new(cbor::decode(body)?)),
            1 => Self::Ack,
            2 => Self::Redeemed,
            3 => Self::Refused(cbor::decode(body)?),
            4 => Self::Held(cbor::decode(body)?),
            5 => Self::Addresses(cbor::decode(body)?),
            6 => Self::Show(cbor::decode(body)?),
            7 => Self::Keep(cbor::decode(body)?),
            8 => Self::SafetyAsk,
            9 => Self::SafetyCommit(cbor::decode(body)?),
            10 => Self::SafetyAnswer(cbor::decode(body)?),
            11 => Self::SafetyReveal(cbor::decode(body)?),
            12 => Self::SafetyLater,
            16 => Self::Ring(cbor::decode(body).filter(|ring: &Ring| flow::is_base(ring.base))?),
            17 => Self::Renew(cbor::decode(body)?),
            18 => Self::Ringing(cbor::decode(body)?),
            19 => Self::Accept(cbor::decode(body)?),
            20 => Self::End(cbor::decode(body)?),
            21 => Self::Sends(cbor::decode(body)?),
            27 => Self::RelayOffer(cbor::decode(body)?),
            28 => Self::RelayAsk(cbor::decode(body)?),
            29 => Self::RelayGrant(cbor::decode(body)?),
            30 => Self::RelayEnd(cbor::decode(body)?),
            22 => Self::Takes(cbor::decode(body)?),
            24 => Self::Finding(cbor::decode(body)?),
            25 => Self::Watch(cbor::decode(body)?),
            26 => Self::Pass(cbor::decode(body).filter(|pass: &Pass| pass.word.len() == bounds::PASSED_WORD)?),
            31 => Self::Unsupported(cbor::decode(body)?),
            unknown => Self::Unknown(unknown),
        })
    }
}

impl Frame {
    /// Wraps a message.
    #[must_use]
    pub fn new(number: u64, ack: u64, message: &Message) -> Self {
        Self {
            number,
            ack,
            kind: message.kind(),
            body: message.body(),
        }
    }

    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads a frame and the message in it.
    ///
    /// # Errors
    /// [`Garbage`] for anything but a frame with a readable body or an unknown kind.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Message), Garbage> {
        let frame: Self = cbor::decode(bytes).ok_or(Garbage)?;
        let message = Message::parse(frame.kind, &frame.body).ok_or(Garbage)?;
        let numbering_fits = matches!(message, Message::Unknown(_)) || message.is_numbered() == (frame.number > 0);
        if numbering_fits {
            Ok((frame, message))
        } else {
            Err(Garbage)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_back(message: &Message) -> Result<Message, Garbage> {
        let number = u64::from(message.is_numbered());
        Frame::parse(&Frame::new(number, 0, message).to_bytes()).map(|(_, message)| message)
    }

    #[test]
    fn messages_survive_the_wire() {
        let call = CallId([1; 16]);
        let all = [
            Message::Ack,
            Message::Redeemed,
            Message::Refused(Refused {
                why: InviteRefusal::Used,
            }),
            Message::Held(Held { held: true }),
            Message::Addresses(Addresses {
                addresses: vec!["11.0.0.1:1".parse().expect("address")],
                nat: NatKind::Hard,
            }),
            Message::Ring(Ring {
                call,
                audio: true,
                video: false,
                base: 8,
                alone: true,
            }),
            Message::Renew(OfCall { call }),
            Message::Ringing(OfCall { call }),
            Message::Accept(OfCall { call }),
            Message::End(End {
                call,
                reason: WireReason::Busy,
            }),
            Message::Sends(Sends {
                call,
                audio: false,
                video: true,
            }),
            Message::Takes(Takes {
                call,
                video: vec![96, 102],
            }),
            Message::Finding(Finding {
                key: Secret([8; 32]),
                public: [9; 32],
            }),
            Message::Watch(Watch {
                tags: vec![[1; 16], [2; 16]],
            }),
            Message::Pass(Pass {
                tag: [1; 16],
                word: vec![2; bounds::PASSED_WORD],
                answers: true,
            }),
            Message::Show(Show {
                list: SignedList {
                    list: vec![1, 2],
                    signature: vec![3],
                },
                device: DeviceKey([4; 32]),
                signature: vec![5; 64],
            }),
            Message::Keep(Keep { name: "Ann".into() }),
            Message::SafetyAsk,
            Message::SafetyCommit(Commitment { commitment: [1; 32] }),
            Message::SafetyAnswer(Nonce { nonce: [2; 32] }),
            Message::SafetyReveal(Nonce { nonce: [3; 32] }),
            Message::SafetyLater,
            Message::RelayOffer(RelayOffer { offered: true }),
            Message::RelayAsk(RelayAsk {
                tags: vec![RelayTag([1; 16]), RelayTag([2; 16])],
            }),
            Message::RelayGrant(RelayGrant {
                tag: RelayTag([1; 16]),
                handle: RelayHandle([3; 7]),
            }),
            Message::RelayEnd(RelayEnd { tag: RelayTag([1; 16]) }),
            Message::Unsupported(Unsupported { kind: 99 }),
        ];
        for message in all {
            assert_eq!(Message::is_safety_kind(message.kind()), message.is_safety());
            assert_eq!(parse_back(&message), Ok(message));
        }
    }

    #[test]
    fn unknown_kinds_and_fields_are_tolerated() {
        assert_eq!(parse_back(&Message::Unknown(77)), Ok(Message::Unknown(77)));
        // {0: 1, 1: 0, 2: 20, 3: {0: call, 1: 0, 9: "new"}, 8: 5}
        let mut body = vec![0xa3, 0x00, 0x50];
        body.extend_from_slice(&[7; 16]);
        body.extend_from_slice(&[0x01, 0x00, 0x09, 0x63, b'n', b'e', b'w']);
        let mut bytes = vec![0xa5, 0x00, 0x01, 0x01, 0x00, 0x02, 0x14, 0x03, 0x58, 26];
        assert_eq!(body.len(), 26);
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&[0x08, 0x05]);
        let expected = Message::End(End {
            call: CallId([7; 16]),
            reason: WireReason::HungUp,
        });
        assert_eq!(Frame::parse(&bytes).map(|(_, message)| message), Ok(expected));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_value(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = Frame::parse(&bytes);
        }
    }
}
