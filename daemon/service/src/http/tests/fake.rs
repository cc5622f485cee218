//! A loop that keeps its picture in a plain struct, and legs that answer from a script.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use twocan_api::{ClipStats, KeyPlace, KeyStore};
use twocan_core::call::EndReason;
use twocan_core::command::{Command, Media, PasteKind, PasteView, Refusal, Reply};
use twocan_core::event::{
    CallState, CallView, ContactState, ContactView, DeviceView, DoorView, Event, FromOutside, InviteRefusal,
    InviteView, MeView, NetworkView, PathKind, PathView, Reachable, SafetyState, SafetyView, Snapshot, StrangerView,
    WhyNot,
};
use twocan_core::ids::{CallId, ContactId, DeviceKey, InviteId, LegId, RootKey};
use twocan_core::media::flow::Role;
use twocan_core::reach::nat_report::NatKind;
use twocan_core::state::Alarm;
use twocan_core::time::Now;

use crate::http::seam::{Ask, Clips, EchoProblem, Echoes, KeyMove, LegProblem, Legs, Publisher, ServiceFacts};
use crate::http::server::LocalMedia;
use crate::store::secrets::{CannotMove, NotReady, Target};

/// The moment at which the fake stands still.
const NOW: Now = Now {
    boot: Duration::from_secs(1000),
    wall: 1_800_000_000,
    millis: 0,
};

pub(super) struct FakeLoop {
    picture: Mutex<Snapshot>,
    publisher: Publisher,
    /// Whether erasing works.
    pub(super) erases: AtomicBool,
}

pub(super) const fn contact_id(number: u8) -> ContactId {
    ContactId([number; 8])
}

pub(super) const fn call_id(number: u8) -> CallId {
    CallId([number; 16])
}

pub(super) fn contact(number: u8, name: &str, state: ContactState, reachable: Reachable) -> ContactView {
    let path = PathView {
        remote: ([127, 0, 0, 1], 9).into(),
        kind: PathKind::Lan,
        via: None,
        rtt: Duration::from_micros(1500),
        last_proof: Duration::from_secs(999),
    };
    ContactView {
        id: contact_id(number),
        name: name.to_owned(),
        state,
        verified: false,
        reachable,
        path: (reachable == Reachable::Yes).then_some(path),
        devices: vec![DeviceView {
            key: DeviceKey([number; 32]),
            name: "laptop".to_owned(),
        }],
        safety: SafetyView {
            state: SafetyState::None,
            words: None,
            number: "00000 11111".to_owned(),
        },
        blocked: false,
        quiet: false,
        alarm: None,
        relay: false,
        relay_only: false,
        one_click: false,
        reply: None,
        introduces: false,
        nat: NatKind::Unknown,
    }
}

pub(super) fn call(number: u8, with: u8, incoming: bool, state: CallState) -> CallView {
    CallView {
        id: call_id(number),
        incoming,
        state,
        contact: Some(contact_id(with)),
        peer_name: "Ann".to_owned(),
        stranger: None,
        media: Media {
            audio: true,
            video: true,
        },
        own_media: Media {
            audio: true,
            video: true,
        },
        peer_media: Media {
            audio: true,
            video: true,
        },
        peer_takes: None,
        held: None,
        reconnecting: false,
        missed: false,
        reason: (state == CallState::Ended).then_some(EndReason::Missed),
    }
}

fn stranger(address: std::net::SocketAddr) -> StrangerView {
    StrangerView {
        address,
        safety: contact(1, "", ContactState::Accepted, Reachable::Yes).safety,
        keep: None,
        peer_keeps: false,
        can_keep: true,
        path: None,
    }
}

/// Every text is an invite of Dora's, but for a damaged one; old ones say so.
fn look_at(text: String) -> Reply {
    if text.contains("damaged") {
        return Reply::Refused(Refusal::InviteDamaged);
    }
    Reply::Paste(Box::new(PasteView {
        refusal: text.contains("old").then_some(Refusal::InviteExpired),
        link: text,
        kind: PasteKind::Invite {
            name: "Dora".to_owned(),
            expires_at: NOW.wall,
            contact: None,
        },
    }))
}

/// Ann is green, Anna is not, Bob is pending. Call 1 has ended.
fn picture() -> Snapshot {
    Snapshot {
        me: Some(MeView {
            root: RootKey([7; 32]),
            name: "Me".to_owned(),
            device: DeviceKey([8; 32]),
            device_name: "desk".to_owned(),
            will_ring: true,
            second_call_waits: false,
        }),
        contacts: vec![
            contact(1, "Ann", ContactState::Accepted, Reachable::Yes),
            contact(2, "Anna", ContactState::Accepted, Reachable::No(WhyNot::WentAway)),
            contact(
                3,
                "Bob",
                ContactState::Pending,
                Reachable::Checking(WhyNot::WaitingForInviter),
            ),
        ],
        calls: vec![call(1, 1, true, CallState::Ended)],
        invites: Vec::new(),
        door: DoorView::default(),
        network: NetworkView::default(),
        clocks: Vec::new(),
        relay_server_fails: false,
    }
}

impl FakeLoop {
    pub(super) fn start(publisher: Publisher, mut inbox: mpsc::Receiver<Ask>) -> Arc<Self> {
        let picture = picture();
        publisher.publish(picture.clone(), &[]);
        let fake = Arc::new(Self {
            picture: Mutex::new(picture),
            publisher,
            erases: AtomicBool::new(true),
        });
        let served = Arc::clone(&fake);
        tokio::spawn(async move {
            while let Some(ask) = inbox.recv().await {
                match ask {
                    Ask::Command { command, reply } => {
                        if let Some(answer) = served.perform(command) {
                            let _ = reply.send(answer);
                        }
                    }
                    Ask::Erase { reply } => drop(reply.send(served.erases.load(Ordering::Relaxed))),
                    Ask::MoveKey { to, reply } => drop(reply.send(served.move_key(&to))),
                }
            }
        });
        fake
    }

    /// Changes the picture and tells of it.
    pub(super) fn change(&self, events: &[Event], change: impl FnOnce(&mut Snapshot)) {
        let mut picture = self.picture.lock().unwrap();
        change(&mut picture);
        self.publisher.publish(picture.clone(), events);
    }

    pub(super) const fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Sets the state of an old call or adds a new one.
    pub(super) fn set_call(&self, view: CallView) {
        self.change(&[Event::Call(view.id)], |picture| {
            picture.calls.retain(|call| call.id != view.id);
            picture.calls.push(view);
        });
    }

    /// A keyring that is locked, and everything else.
    fn move_key(&self, to: &Target) -> KeyMove {
        if to.store() == KeyStore::Keyring {
            return KeyMove::Refused(CannotMove::Keyring(NotReady::Locked));
        }
        let key = KeyPlace {
            store: to.store(),
            text: "There.".to_owned(),
        };
        self.publisher.facts(ServiceFacts {
            key: key.clone(),
            ..ServiceFacts::default()
        });
        KeyMove::Done(key)
    }

    fn change_contact(&self, id: ContactId, change: impl FnOnce(&mut ContactView)) {
        self.change(&[Event::Contact(id)], |picture| {
            change(picture.contacts.iter_mut().find(|view| view.id == id).unwrap());
        });
    }

    fn mark(&self, id: ContactId, change: impl FnOnce(&mut ContactView)) -> Reply {
        self.change_contact(id, change);
        Reply::Contact(id)
    }

    fn call_state(&self, id: CallId) -> Option<CallView> {
        self.picture
            .lock()
            .unwrap()
            .calls
            .iter()
            .find(|call| call.id == id)
            .cloned()
    }

    fn perform(&self, command: Command) -> Option<Reply> {
        Some(match command {
            Command::CreateInvite { expires_in_s: 0 } => Reply::Refused(Refusal::OutOfBounds),
            Command::CreateInvite { expires_in_s } => self.create_invite(expires_in_s),
            Command::DeleteInvite { invite } => {
                self.change(&[Event::Invite(invite)], |picture| picture.invites.clear());
                Reply::Done
            }
            Command::AddContact { link, name, .. } => self.add(&link, name),
            Command::TakeReply { text } if text.contains("damaged") => Reply::Refused(Refusal::InviteDamaged),
            Command::TakeReply { .. } => match self.picture.lock().unwrap().invites.first() {
                Some(invite) => Reply::Invite(invite.id),
                None => Reply::Refused(Refusal::NotFound),
            },
            Command::LookAtPaste { text } => look_at(text),
            Command::EditContact { name: Some(name), .. } if name.is_empty() => Reply::Refused(Refusal::BadName),
            Command::EditContact { accept: true, .. } => Reply::Refused(Refusal::WrongState),
            Command::EditContact { contact, name, .. } => {
                self.change(&[Event::Contact(contact)], |picture| {
                    let found = picture.contacts.iter_mut().find(|view| view.id == contact);
                    found.unwrap().name = name.unwrap();
                });
                Reply::Contact(contact)
            }
            Command::DeleteContact { contact } => {
                self.change(&[Event::ContactRemoved(contact, None)], |picture| {
                    picture.contacts.retain(|view| view.id != contact);
                });
                Reply::Done
            }
            Command::Block { contact, blocked } => self.mark(contact, |view| view.blocked = blocked),
            Command::SetRelays {
                contact,
                relay,
                relay_only,
            } => {
                self.change_contact(contact, |view| {
                    view.relay = relay.unwrap_or(view.relay);
                    view.relay_only = relay_only.unwrap_or(view.relay_only);
                });
                Reply::Contact(contact)
            }
            Command::SetIntroducer { contact, introduces } => self.mark(contact, |view| view.introduces = introduces),
            Command::SetOneClick { contact, one_click } => self.mark(contact, |view| view.one_click = one_click),
            Command::Verify { contact } => self.verify(contact),
            Command::Compared { contact, same } => self.compared(contact, same),
            Command::SetSecondCall { waits } => {
                self.change(&[Event::Me], |picture| {
                    picture.me.as_mut().unwrap().second_call_waits = waits;
                });
                Reply::Done
            }
            Command::SetSends { call, audio, video } => match self.call_state(call) {
                Some(mut view) if view.state != CallState::Ended => {
                    view.own_media.audio = audio.unwrap_or(view.own_media.audio);
                    view.own_media.video = video.unwrap_or(view.own_media.video);
                    self.set_call(view);
                    Reply::Call(call)
                }
                Some(_) => Reply::Refused(Refusal::WrongState),
                None => Reply::Refused(Refusal::NotFound),
            },
            Command::Ping { contact } if contact == contact_id(1) => Reply::Pong { rtt_ms: 3 },
            Command::Ping { .. } => Reply::Refused(Refusal::Unreachable),
            Command::EditMe { will_ring, .. } => {
                self.change(&[Event::Me], |picture| {
                    picture.me.as_mut().unwrap().will_ring = will_ring.unwrap();
                });
                Reply::Done
            }
            Command::StartCall { contact, .. } => self.start_call(contact)?,
            Command::CheckNetwork => {
                self.change(&[Event::Network], |picture| {
                    picture.network.checked = Some(NOW.boot);
                });
                Reply::Done
            }
            Command::SetDoor { open, for_s } => self.set_door(open, for_s),
            Command::CallAddress { to, .. } => self.call_address(to),
            Command::Keep { call, keep } => self.on_stranger(call, |stranger| stranger.keep = Some(keep)),
            Command::ComparedWithStranger { call, same } => self.on_stranger(call, |stranger| {
                stranger.safety.state = if same {
                    SafetyState::Same
                } else {
                    SafetyState::Different
                };
            }),
            Command::Answer { call } => self.step(call, CallState::Ringing, CallState::Active),
            Command::Decline { call } => self.step(call, CallState::Ringing, CallState::Ended),
            Command::HangUp { call } => self.step(call, CallState::Active, CallState::Ended),
            Command::SeeMissed { call } => {
                self.change(&[], |picture| picture.calls.retain(|view| view.id != call));
                Reply::Done
            }
        })
    }

    fn verify(&self, contact: ContactId) -> Reply {
        if contact == contact_id(2) {
            return Reply::Refused(Refusal::SafetyPause);
        }
        if contact != contact_id(1) {
            return Reply::Refused(Refusal::NotAccepted);
        }
        self.change_contact(contact, |view| {
            view.safety.state = SafetyState::Compare;
            view.safety.words = Some(["abandon", "ability", "able", "about"]);
        });
        Reply::Contact(contact)
    }

    fn compared(&self, contact: ContactId, same: bool) -> Reply {
        if contact != contact_id(1) {
            return Reply::Refused(Refusal::WrongState);
        }
        self.change_contact(contact, |view| {
            view.verified = same;
            view.alarm = (!same).then_some(Alarm::WordsDiffer);
            view.safety.state = if same {
                SafetyState::Same
            } else {
                SafetyState::Different
            };
        });
        Reply::Contact(contact)
    }

    fn set_door(&self, open: bool, for_s: u64) -> Reply {
        if for_s == 0 {
            return Reply::Refused(Refusal::OutOfBounds);
        }
        self.change(&[Event::Door], |picture| {
            picture.door.open_until = open.then(|| Now {
                boot: NOW.boot + Duration::from_secs(for_s),
                wall: NOW.wall + for_s,
                millis: 0,
            });
        });
        Reply::Done
    }

    fn call_address(&self, to: std::net::SocketAddr) -> Reply {
        if to.ip().is_multicast() {
            return Reply::Refused(Refusal::BadAddress);
        }
        let mut view = call(7, 1, false, CallState::Dialing);
        view.contact = None;
        view.peer_name = String::new();
        view.stranger = Some(stranger(to));
        let id = view.id;
        self.set_call(view);
        Reply::CallStarted(id)
    }

    fn on_stranger(&self, call: CallId, change: impl FnOnce(&mut StrangerView)) -> Reply {
        let mut view = self.call_state(call).unwrap();
        match &mut view.stranger {
            Some(stranger) => change(stranger),
            None => return Reply::Refused(Refusal::NoStranger),
        }
        self.set_call(view);
        Reply::Call(call)
    }

    fn create_invite(&self, expires_in_s: u64) -> Reply {
        let id = InviteId([5; 8]);
        self.change(&[Event::Invite(id)], |picture| {
            picture.invites.push(InviteView {
                id,
                link: "twocan:AAAA".to_owned(),
                expires_at: expires_in_s,
                from_outside: FromOutside::No,
            });
        });
        Reply::Invite(id)
    }

    fn add(&self, link: &str, name: Option<String>) -> Reply {
        let refusal = match link {
            "own" => Refusal::InviteOwn,
            "expired" => Refusal::InviteExpired,
            "damaged" => Refusal::InviteDamaged,
            "newer" => Refusal::InviteNewer,
            "disk" => Refusal::StoreFailed,
            "again" => return Reply::Contact(contact_id(1)),
            "refused at once" => {
                self.change(
                    &[Event::ContactRemoved(contact_id(6), Some(InviteRefusal::Used))],
                    |_| {},
                );
                return Reply::Contact(contact_id(6));
            }
            _ => {
                let name = name.unwrap_or_else(|| "Cleo".to_owned());
                let why = Reachable::Checking(WhyNot::Searching);
                let view = contact(4, &name, ContactState::Pending, why);
                self.change(&[Event::Contact(view.id)], |picture| picture.contacts.push(view));
                return Reply::Contact(contact_id(4));
            }
        };
        Reply::Refused(refusal)
    }

    /// Anna's call panics nowhere but never gets a reply: the loop goes away while it is asked.
    fn start_call(&self, contact: ContactId) -> Option<Reply> {
        if contact == contact_id(2) {
            return None;
        }
        if contact == contact_id(3) {
            return Some(Reply::Refused(Refusal::NotAccepted));
        }
        if self
            .call_state(call_id(2))
            .is_some_and(|call| call.state == CallState::Ringing)
        {
            self.set_call(call(2, 1, true, CallState::Active));
            return Some(Reply::Call(call_id(2)));
        }
        if self
            .call_state(call_id(2))
            .is_some_and(|call| call.state == CallState::Active)
        {
            return Some(Reply::Refused(Refusal::InCall));
        }
        self.set_call(call(9, 1, false, CallState::Dialing));
        Some(Reply::CallStarted(call_id(9)))
    }

    fn step(&self, id: CallId, from: CallState, to: CallState) -> Reply {
        match self.call_state(id) {
            None => Reply::Refused(Refusal::NotFound),
            Some(view) if view.state != from => Reply::Refused(Refusal::WrongState),
            Some(mut view) => {
                view.state = to;
                view.reason = (to == CallState::Ended).then_some(EndReason::HungUp);
                self.set_call(view);
                Reply::Call(id)
            }
        }
    }
}

/// Remembers what it was asked.
#[derive(Debug, Default)]
pub(super) struct FakeLegs {
    pub(super) asked: Mutex<Vec<String>>,
}

impl FakeLegs {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }
}

impl Legs for FakeLegs {
    fn offer(&self, call: CallId, role: Role, sdp: String) -> BoxFuture<'_, Result<(LegId, String), LegProblem>> {
        Box::pin(async move {
            self.note(format!("offer {call:?} {role:?} {sdp}"));
            match sdp.as_str() {
                "bad" => Err(LegProblem::BadOffer("No audio.".to_owned())),
                "lonely" => Err(LegProblem::NoInterface),
                "panic" => panic!("a leg panicked, as this test wants"),
                _ => Ok((LegId(17), "v=0 answer".to_owned())),
            }
        })
    }

    fn trickle(&self, call: CallId, leg: LegId, fragment: String) -> BoxFuture<'_, Result<Option<String>, LegProblem>> {
        Box::pin(async move {
            self.note(format!("trickle {call:?} {leg:?} {fragment}"));
            match leg {
                LegId(17) if fragment == "restart" => Ok(Some("a=ufrag".to_owned())),
                LegId(17) => Ok(None),
                LegId(_) => Err(LegProblem::NotFound),
            }
        })
    }

    fn close(&self, call: CallId, leg: LegId) -> BoxFuture<'_, Result<(), LegProblem>> {
        Box::pin(async move {
            self.note(format!("close {call:?} {leg:?}"));
            Ok(())
        })
    }
}

impl Clips for FakeLegs {
    fn attach(&self, call: CallId, role: Role, seconds: u32) -> BoxFuture<'_, Result<(), LegProblem>> {
        Box::pin(async move {
            self.note(format!("clip {call:?} {role:?} {seconds}"));
            Ok(())
        })
    }

    fn stats(&self, call: CallId) -> Option<ClipStats> {
        let stats = ClipStats {
            video_frames: 60,
            ..ClipStats::default()
        };
        (call == call_id(2)).then_some(stats)
    }
}

impl Echoes for FakeLegs {
    fn call(&self) -> BoxFuture<'_, Result<CallId, EchoProblem>> {
        Box::pin(async move {
            self.note("echo".to_owned());
            // Call 1 has ended, which the picture shows; whoever asks twice meets one that is under way.
            match self.asked.lock().unwrap().len() {
                1 => Ok(call_id(1)),
                2 => Err(EchoProblem::UnderWay),
                _ => Err(EchoProblem::NotStarted),
            }
        })
    }
}

/// Local media with both kinds of attachment.
pub(super) fn media(legs: &Arc<FakeLegs>) -> LocalMedia {
    LocalMedia {
        legs: Arc::clone(legs) as _,
        clips: Some(Arc::clone(legs) as _),
        echoes: Some(Arc::clone(legs) as _),
    }
}
