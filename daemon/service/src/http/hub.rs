//! The newest snapshot, and a ring of the newest events.
//!
//! Each event is rendered once and numbered; the ring keeps the last [`RING`] of them. A client is a number, the last
//! event it was given: whoever is within the ring goes on from there, whoever fell out of it has a gap and starts from
//! a snapshot. So a slow client costs nothing, and the snapshot's number tells which events are already in it.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;
use twocan_api as api;
use twocan_core::event::{Event, InviteRefusal, Snapshot};
use twocan_core::ids::{CallId, ContactId, InviteId};
use twocan_core::time::Now;

use super::seam::{Clock, ServiceFacts};
use super::{problem, secret, view};

/// Events kept for clients that come back or are slow.
pub(super) const RING: usize = 1024;

/// Refused contacts remembered.
const REFUSED: usize = 64;

/// Bytes given to a client at once, about.
const HELPING: usize = 64 * 1024;

/// Everything that the API shows, at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    /// The core's part.
    pub snapshot: Snapshot,
    /// The shell's part.
    pub facts: ServiceFacts,
    /// The bound listeners.
    pub listeners: Option<Listeners>,
}

/// Where the API listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listeners {
    /// The control listener.
    pub control: SocketAddr,
    /// The page listener.
    pub page: SocketAddr,
}

/// What comes after an event.
pub(super) enum Next {
    /// Rendered events, and the number of the last.
    Events(Bytes, u64),
    /// Nothing yet.
    Nothing,
    /// What comes next is no longer kept, or was never sent.
    Missed,
}

pub(super) struct Hub {
    boot: String,
    clock: Clock,
    inner: Mutex<Inner>,
    newest: watch::Sender<u64>,
}

struct Inner {
    published: Arc<Published>,
    ring: VecDeque<Bytes>,
    newest: u64,
    /// The contacts that an inviter refused last, for whoever is still waiting to hear of them.
    refused: VecDeque<(ContactId, InviteRefusal)>,
}

impl Inner {
    fn remember_refusals(&mut self, events: &[Event]) {
        for event in events {
            if let Event::ContactRemoved(contact, Some(refusal)) = event {
                self.refused.push_back((*contact, *refusal));
            }
        }
        while self.refused.len() > REFUSED {
            self.refused.pop_front();
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Hub")
            .field("boot", &self.boot)
            .finish_non_exhaustive()
    }
}

impl Hub {
    pub(super) fn new(facts: ServiceFacts, clock: Clock) -> anyhow::Result<Self> {
        let published = Arc::new(Published {
            facts,
            ..Published::default()
        });
        let inner = Inner {
            published,
            ring: VecDeque::new(),
            newest: 0,
            refused: VecDeque::new(),
        };
        Ok(Self {
            boot: secret::random_hex::<4>()?,
            clock,
            inner: Mutex::new(inner),
            newest: watch::Sender::new(0),
        })
    }

    /// The loop's clock.
    pub(super) fn now(&self) -> Now {
        (self.clock)()
    }

    /// The newest picture.
    pub(super) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.lock().published)
    }

    /// Shows a new picture and tells what changed in it.
    pub(super) fn publish(&self, snapshot: Snapshot, events: &[Event]) {
        let mut inner = self.lock();
        let published = Published {
            snapshot,
            facts: inner.published.facts.clone(),
            listeners: inner.published.listeners,
        };
        let mut told = render_batch(&published, events, self.now());
        told.extend(new_warnings(&inner.published, &published));
        inner.published = Arc::new(published);
        inner.remember_refusals(events);
        self.tell(inner, &told);
    }

    /// Why this contact is gone, where its inviter refused it not long ago.
    pub(super) fn refusal(&self, contact: ContactId) -> Option<InviteRefusal> {
        let inner = self.lock();
        let found = inner.refused.iter().find(|(id, _)| *id == contact);
        found.map(|(_, refusal)| *refusal)
    }

    /// Replaces the shell's part, and tells of new warnings and of a key that was moved.
    pub(super) fn set_facts(&self, facts: ServiceFacts) {
        let mut inner = self.lock();
        let old = Arc::clone(&inner.published);
        let new = Published {
            facts,
            ..Published::clone(&old)
        };
        let mut told = new_warnings(&old, &new);
        if old.facts.key != new.facts.key {
            told.push(api::Event::Key(new.facts.key.clone()));
        }
        inner.published = Arc::new(new);
        self.tell(inner, &told);
    }

    /// Says where the API listens.
    pub(super) fn set_listeners(&self, listeners: Listeners) {
        let mut inner = self.lock();
        let published = Published {
            listeners: Some(listeners),
            ..Published::clone(&inner.published)
        };
        inner.published = Arc::new(published);
    }

    /// Becomes different whenever there are new events.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The number within an event id, where the id is of this run of the daemon.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        id.strip_prefix(&self.boot)?.strip_prefix('-')?.parse().ok()
    }

    /// How many events were told.
    pub(super) fn told(&self) -> u64 {
        self.lock().newest
    }

    /// What comes after the event with this number.
    pub(super) fn after(&self, number: u64) -> Next {
        let inner = self.lock();
        let Some(behind) = inner.newest.checked_sub(number) else {
            return Next::Missed;
        };
        let Ok(behind) = usize::try_from(behind) else {
            return Next::Missed;
        };
        let Some(skip) = inner.ring.len().checked_sub(behind) else {
            return Next::Missed;
        };
        helping(&inner, skip, number)
    }

    /// A `snapshot` event of the newest picture, preceded by a `gap` for a client whose last event is given; and the
    /// number from which to go on.
    pub(super) fn start(&self, missed: Option<&str>) -> Option<(Bytes, u64)> {
        let inner = self.lock();
        let (published, newest) = (Arc::clone(&inner.published), inner.newest);
        drop(inner);
        let snapshot = api::Event::Snapshot(Box::new(view::snapshot(&published, self.now().boot)?));
        let to = self.id(newest);
        let gap = missed.map(|from| {
            let (from, to) = (from.to_owned(), to.clone());
            api::Event::Gap(api::Gap { from, to })
        });
        let mut text = String::new();
        for event in gap.iter().chain([&snapshot]) {
            frame(&mut text, &to, event);
        }
        Some((text.into(), newest))
    }

    /// The id of the event with this number.
    pub(super) fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.boot)
    }

    fn tell(&self, mut inner: MutexGuard<'_, Inner>, events: &[api::Event]) {
        for event in events {
            inner.newest += 1;
            let mut text = String::new();
            frame(&mut text, &self.id(inner.newest), event);
            inner.ring.push_back(text.into());
            if inner.ring.len() > RING {
                inner.ring.pop_front();
            }
        }
        let newest = inner.newest;
        drop(inner);
        if !events.is_empty() {
            self.newest.send_replace(newest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn helping(inner: &Inner, skip: usize, mut number: u64) -> Next {
    let mut bytes = Vec::new();
    for frame in inner.ring.iter().skip(skip) {
        bytes.extend_from_slice(frame);
        number += 1;
        if bytes.len() >= HELPING {
            break;
        }
    }
    if bytes.is_empty() {
        return Next::Nothing;
    }
    Next::Events(bytes.into(), number)
}

/// One event as text (HTML Living Standard, section 9.2).
fn frame(out: &mut String, id: &str, event: &api::Event) {
    let Ok(value) = serde_json::to_value(event) else {
        return;
    };
    let name = value
        .get("name")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let data = value.get("data").unwrap_or(&serde_json::Value::Null);
    // Writing to a String cannot fail, and JSON holds no raw line break.
    let _ = write!(out, "id: {id}\nevent: {name}\ndata: {data}\n\n");
}

/// The standing warnings of a kind of which there was none before.
fn new_warnings(before: &Published, after: &Published) -> Vec<api::Event> {
    let known = view::warnings(before);
    let is_new = |warning: &api::Why| known.iter().all(|known| known.code != warning.code);
    let new = view::warnings(after).into_iter().filter(is_new);
    new.map(api::Event::Warning).collect()
}

/// Turns a batch into API events. Bodies show the picture after the batch, so each thing is told once.
fn render_batch(published: &Published, events: &[Event], now: Now) -> Vec<api::Event> {
    let mut told = Told::default();
    events
        .iter()
        .filter_map(|event| told.render(published, event, now))
        .collect()
}

#[derive(Default)]
struct Told {
    contacts: BTreeSet<ContactId>,
    calls: BTreeSet<CallId>,
    invites: BTreeSet<InviteId>,
    door: bool,
    me: bool,
    network: bool,
}

impl Told {
    fn render(&mut self, published: &Published, event: &Event, now: Now) -> Option<api::Event> {
        let snapshot = &published.snapshot;
        match event {
            Event::Contact(id) => {
                let contact = snapshot.contacts.iter().find(|contact| contact.id == *id)?;
                let contact = view::contact(contact, now.boot);
                self.contacts
                    .insert(*id)
                    .then(|| api::Event::Contact(Box::new(contact)))
            }
            Event::ContactRemoved(id, why) => Some(contact_removed(*id, *why)),
            Event::Call(id) => self.calls.insert(*id).then(|| call(snapshot, *id, now)),
            Event::Invite(id) => self.invites.insert(*id).then(|| invite(snapshot, *id)),
            Event::Door => {
                let door = api::Event::Door(view::door(&snapshot.door, now.boot));
                (!std::mem::replace(&mut self.door, true)).then_some(door)
            }
            Event::Me => {
                let me = api::Event::Me(view::me(snapshot.me.as_ref()?));
                (!std::mem::replace(&mut self.me, true)).then_some(me)
            }
            Event::Network => {
                let network = api::Event::Network(Box::new(view::network(&snapshot.network, now.boot)));
                (!std::mem::replace(&mut self.network, true)).then_some(network)
            }
            Event::Notice(notice) => Some(api::Event::Warning(view::notice(*notice, &snapshot.contacts))),
        }
    }
}

fn contact_removed(id: ContactId, why: Option<InviteRefusal>) -> api::Event {
    api::Event::ContactRemoved(api::ContactRemoved {
        id: id.to_hex(),
        why: why.map(|refusal| problem::of_invite(refusal).why()),
    })
}

fn call(snapshot: &Snapshot, id: CallId, now: Now) -> api::Event {
    match snapshot.calls.iter().find(|call| call.id == id) {
        Some(call) => api::Event::Call(Box::new(view::call(call, now.boot))),
        None => api::Event::CallRemoved(api::CallRemoved { id: id.to_hex() }),
    }
}

fn invite(snapshot: &Snapshot, id: InviteId) -> api::Event {
    match snapshot.invites.iter().find(|invite| invite.id == id) {
        Some(invite) => api::Event::Invite(Box::new(view::invite(invite))),
        None => api::Event::InviteRemoved(api::InviteRemoved { id: id.to_hex() }),
    }
}
