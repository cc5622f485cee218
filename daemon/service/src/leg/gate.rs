//! The one gate between local legs and links.
//!
//! A call's media is in one of three states: *closed* (legs may attach and warm up, a route may be known), *open*, and
//! *ended*. [`Gates::open`] is the only way into *open*; [`Gates::end`] is final. Outside *open* every packet of
//! either direction is counted and dropped.
//!
//! Packets take short read locks and never hold one while they are passed on. Facts about legs go to the loop that
//! owns the core.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use twocan_core::ids::{CallId, LegId, LinkId};
use twocan_core::io::LegFact;
use twocan_core::media::breaker::Pace;
use twocan_core::media::codecs;
use twocan_core::media::continuity::Continuity;
use twocan_core::media::feedback;
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::formats::Formats;
use twocan_core::media::outlet::{Outlet, Sender, Verdict};

use super::attachments::Attachments;
use crate::media::{MediaSender, MediaSink};

/// After a call moved to another link, the old one is heard for this long.
const OLD_LINK: Duration = Duration::from_secs(2);
/// Ended calls that are remembered, so that a leg which comes too late is refused.
const ENDED_MOST: usize = 64;

/// Which way a leg's media goes, seen from its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The page: camera and screen.
    Both,
    /// A WHIP client: it sends only.
    Send,
    /// A WHEP client: it receives only.
    Receive,
}

impl Direction {
    /// Whether audio or video may come from the leg.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::Both | Self::Send)
    }

    /// Whether the far side's audio and video go to the leg.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::Both | Self::Receive)
    }
}

/// What the gate needs of a leg. None of the functions blocks or calls back into the gate.
pub trait Leg: Send + Sync + fmt::Debug {
    /// Its name.
    fn id(&self) -> LegId;
    /// Which way its media goes.
    fn direction(&self) -> Direction;
    /// In which formats it can show a picture; `None` where it does not receive.
    fn takes(&self) -> Option<Formats>;
    /// Who controls the rate of its pictures.
    fn pace(&self) -> Pace;
    /// Takes one packet from the far side, in the canonical wire profile.
    fn deliver(&self, kind: FlowKind, packet: &[u8]);
    /// Asks its encoder for a key frame.
    fn want_key_frame(&self);
    /// Ends it; its owner sees the transport close.
    fn close(&self);
}

/// A leg's fact on its way to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegReport {
    /// The call that the leg belongs to.
    pub call: CallId,
    /// The leg.
    pub leg: LegId,
    /// What became of it.
    pub fact: LegFact,
}

/// The call has ended: no leg can join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call has ended")]
pub struct Ended;

/// What passed and what was dropped, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaCounts {
    /// From legs to the far side.
    pub up: u64,
    /// From legs, dropped: the gate was not open, there was no route, or another leg speaks.
    pub up_dropped: u64,
    /// From the far side to legs.
    pub down: u64,
    /// From the far side, dropped: the gate was not open.
    pub down_dropped: u64,
}

/// All calls' gates. Clones are the same gates.
#[derive(Clone, Debug)]
pub struct Gates {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    table: RwLock<Table>,
    facts: UnboundedSender<LegReport>,
    last_leg: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    calls: BTreeMap<CallId, Arc<Call>>,
    flows: BTreeMap<(LinkId, u64), Inbound>,
    ended: VecDeque<CallId>,
}

#[derive(Debug)]
struct Inbound {
    call: Arc<Call>,
    /// Set once the call has moved to another link.
    until: Option<Instant>,
}

#[derive(Debug)]
struct Call {
    id: CallId,
    open: AtomicBool,
    route: RwLock<Option<Route>>,
    legs: RwLock<Arc<Attachments>>,
    /// The origin of the times that `continuity` is given.
    since: Instant,
    continuity: Mutex<Continuity>,
    outlet: Mutex<Outlet>,
    counters: Counters,
}

#[derive(Clone, Debug)]
struct Route {
    link: LinkId,
    base: u64,
    role: Role,
    sender: Arc<dyn MediaSender>,
}

#[derive(Debug, Default)]
struct Counters {
    up: AtomicU64,
    up_dropped: AtomicU64,
    down: AtomicU64,
    down_dropped: AtomicU64,
}

impl Gates {
    /// No calls yet. What becomes of legs is told to `facts`.
    #[must_use]
    pub fn new(facts: UnboundedSender<LegReport>) -> Self {
        let inner = Inner {
            table: RwLock::default(),
            facts,
            last_leg: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A name for a new leg.
    #[must_use]
    pub fn next_leg(&self) -> LegId {
        LegId(self.inner.last_leg.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Remembers where a call's media goes; nothing passes by it. A later route moves the call; what still comes over
    /// the earlier one is heard for two seconds. Does nothing for a call that has ended.
    pub fn route(&self, call: CallId, link: LinkId, base: u64, role: Role, sender: Arc<dyn MediaSender>) {
        let route = Route {
            link,
            base,
            role,
            sender,
        };
        let mut table = write(&self.inner.table);
        let Ok(call) = table.call(call) else { return };
        let now = Instant::now();
        table
            .flows
            .retain(|_, inbound| inbound.until.is_none_or(|until| now < until));
        let earlier = write(&call.route).replace(route);
        if let Some(earlier) = earlier.filter(|earlier| (earlier.link, earlier.base) != (link, base))
            && let Some(inbound) = table.flows.get_mut(&(earlier.link, earlier.base))
        {
            inbound.until = Some(now + OLD_LINK);
        }
        table.flows.insert((link, base), Inbound { call, until: None });
    }

    /// A picture that goes to the far side must be in one of these formats. Does nothing for a call that has ended.
    pub fn far_takes(&self, call: CallId, formats: Formats) {
        if let Ok(call) = write(&self.inner.table).call(call) {
            call.outlet().far_takes(formats);
        }
    }

    /// What the far side of a call can show, where it has said so.
    #[must_use]
    pub fn far(&self, call: CallId) -> Option<Formats> {
        self.call(call)?.outlet().far()
    }

    /// Lets a call's media pass, both ways, and asks every leg and the far side for a key frame. Nothing else opens.
    /// Does nothing for a call that is not there.
    pub fn open(&self, call: CallId) {
        let table = read(&self.inner.table);
        let Some(call) = table.calls.get(&call).cloned() else {
            return;
        };
        // Under the table's lock, so that an end is either before, and there is no call, or after, and final.
        call.open.store(true, Ordering::Release);
        drop(table);
        call.ask_legs_for_key_frames();
        call.ask_far_side_for_key_frame();
    }

    /// Stops a call's media both ways, closes its legs and forgets it for good.
    pub fn end(&self, call: CallId) {
        let mut table = write(&self.inner.table);
        table.remember_ended(call);
        table.flows.retain(|_, inbound| inbound.call.id != call);
        let removed = table.calls.remove(&call);
        drop(table);
        let Some(call) = removed else { return };
        call.open.store(false, Ordering::Release);
        *write(&call.route) = None;
        let legs = std::mem::take(&mut *write(&call.legs));
        legs.iter().for_each(|leg| leg.close());
    }

    /// Joins a leg to a call. A leg of the same direction is closed and replaced.
    ///
    /// # Errors
    /// Where the call has ended.
    pub fn attach(&self, call: CallId, leg: Arc<dyn Leg>) -> Result<Uplink, Ended> {
        let mut table = write(&self.inner.table);
        let call = table.call(call)?;
        let uplink = Uplink {
            gates: self.clone(),
            call: Arc::clone(&call),
            leg: leg.id(),
        };
        let mut legs = write(&call.legs);
        let (with, replaced) = legs.with(leg);
        *legs = Arc::new(with);
        drop(legs);
        drop(table);
        if let Some(replaced) = replaced {
            self.report(call.id, replaced.id(), LegFact::Closed);
            replaced.close();
        }
        Ok(uplink)
    }

    /// Parts a leg from its call and says why; the leg is not closed by it. Does nothing where it was not attached, so
    /// each leg has at most one end.
    pub fn detach(&self, call: CallId, leg: LegId, why: LegFact) {
        if let Some(call) = self.call(call) {
            self.detach_from(&call, leg, why);
        }
    }

    /// Whether media passes.
    #[must_use]
    pub fn is_open(&self, call: CallId) -> bool {
        self.call(call).is_some_and(|call| call.is_open())
    }

    /// What passed so far; `None` for a call that is not there.
    #[must_use]
    pub fn counts(&self, call: CallId) -> Option<MediaCounts> {
        self.call(call).map(|call| call.counters.read())
    }

    fn detach_from(&self, call: &Call, leg: LegId, why: LegFact) {
        let mut legs = write(&call.legs);
        let (without, gone) = legs.without(leg);
        *legs = Arc::new(without);
        drop(legs);
        if gone.is_some() {
            self.report(call.id, leg, why);
            call.ask_next_speaker_for_key_frame();
        }
    }

    fn call(&self, call: CallId) -> Option<Arc<Call>> {
        read(&self.inner.table).calls.get(&call).cloned()
    }

    /// A closed receiver means that the daemon is going.
    fn report(&self, call: CallId, leg: LegId, fact: LegFact) {
        self.inner.facts.send(LegReport { call, leg, fact }).ok();
    }
}

impl MediaSink for Gates {
    fn deliver(&self, link: LinkId, flow: u64, packet: Bytes) {
        let Some((base, kind)) = FlowKind::split(flow) else {
            return;
        };
        let call = read(&self.inner.table).inbound(link, base);
        if let Some(call) = call {
            call.down(kind, &packet);
        }
    }
}

impl Table {
    /// The call, which begins closed.
    fn call(&mut self, id: CallId) -> Result<Arc<Call>, Ended> {
        if self.ended.contains(&id) {
            return Err(Ended);
        }
        Ok(Arc::clone(
            self.calls.entry(id).or_insert_with(|| Arc::new(Call::new(id))),
        ))
    }

    fn inbound(&self, link: LinkId, base: u64) -> Option<Arc<Call>> {
        let inbound = self.flows.get(&(link, base))?;
        let heard = inbound.until.is_none_or(|until| Instant::now() < until);
        heard.then(|| Arc::clone(&inbound.call))
    }

    fn remember_ended(&mut self, call: CallId) {
        if self.ended.len() >= ENDED_MOST {
            self.ended.pop_front();
        }
        self.ended.push_back(call);
    }
}

impl Call {
    fn new(id: CallId) -> Self {
        Self {
            id,
            open: AtomicBool::new(false),
            route: RwLock::default(),
            legs: RwLock::default(),
            since: Instant::now(),
            continuity: Mutex::default(),
            outlet: Mutex::default(),
            counters: Counters::default(),
        }
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    fn continuity(&self) -> MutexGuard<'_, Continuity> {
        self.continuity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outlet(&self) -> MutexGuard<'_, Outlet> {
        self.outlet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn legs(&self) -> Arc<Attachments> {
        Arc::clone(&read(&self.legs))
    }

    fn down(&self, kind: FlowKind, packet: &[u8]) {
        if !self.is_open() {
            count(&self.counters.down_dropped);
            return;
        }
        count(&self.counters.down);
        let legs = self.legs();
        match kind {
            FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => {
                legs.receivers().for_each(|leg| leg.deliver(kind, packet));
            }
            FlowKind::Rtcp => {
                let Some(role) = read(&self.route).as_ref().map(|route| route.role) else {
                    return;
                };
                self.outlet().rtcp_down(role, packet, self.since.elapsed());
                for leg in legs.iter() {
                    let own_numbers = self.continuity().rtcp_down(leg.id(), role, packet).map(Cow::into_owned);
                    if let Some(own_numbers) = own_numbers {
                        leg.deliver(kind, &own_numbers);
                    }
                }
            }
        }
    }

    /// Gives what is to be told of the leg, where that has changed.
    fn up(&self, leg: LegId, kind: FlowKind, packet: &[u8]) -> Option<LegFact> {
        let pace = self.pace(leg, kind).filter(|_| self.is_open());
        let Some((pace, route)) = pace.zip(read(&self.route).clone()) else {
            count(&self.counters.up_dropped);
            return None;
        };
        let now = self.since.elapsed();
        if kind == FlowKind::Rtcp {
            self.outlet().rtcp_up(leg, route.role, packet, now);
        }
        let verdict = self.outlet().judge(Sender { leg, pace }, kind, packet, now);
        let fact = match verdict {
            Verdict::Passes => None,
            Verdict::Resumes => {
                self.resume(leg);
                Some(LegFact::Held(None))
            }
            Verdict::Holds => {
                count(&self.counters.up_dropped);
                return None;
            }
            Verdict::Stops(why) => {
                count(&self.counters.up_dropped);
                return Some(LegFact::Held(Some(why)));
            }
        };
        let packet = self.continuity().up(leg, kind, packet, now);
        match packet {
            Some(packet) => {
                count(&self.counters.up);
                route.sender.send(kind.id(route.base), &packet);
            }
            None => count(&self.counters.up_dropped),
        }
        fact
    }

    /// What was held back leaves no gap in the numbers, and nobody could decode what goes on without a key frame.
    fn resume(&self, leg: LegId) {
        let mut continuity = self.continuity();
        for kind in [FlowKind::Video, FlowKind::VideoRtx] {
            continuity.restart(leg, kind);
        }
        drop(continuity);
        if let Some(leg) = self.legs().iter().find(|other| other.id() == leg) {
            leg.want_key_frame();
        }
    }

    /// Who controls the rate of `leg`, where it may speak. RTCP is every leg's right: it speaks of what the leg
    /// receives, too.
    fn pace(&self, leg: LegId, kind: FlowKind) -> Option<Pace> {
        match kind {
            FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => {
                let legs = self.legs();
                let speaker = legs.speaker().filter(|speaker| speaker.id() == leg);
                speaker.map(|speaker| speaker.pace())
            }
            FlowKind::Rtcp => Some(Pace::Fixed),
        }
    }

    fn ask_legs_for_key_frames(&self) {
        self.legs()
            .iter()
            .filter(|leg| leg.direction().sends())
            .for_each(|leg| leg.want_key_frame());
    }

    /// Another leg's pictures go on where the leg that left stopped.
    fn ask_next_speaker_for_key_frame(&self) {
        if self.is_open()
            && let Some(speaker) = self.legs().speaker()
        {
            speaker.want_key_frame();
        }
    }

    fn ask_far_side_for_key_frame(&self) {
        let Some(route) = read(&self.route).clone() else { return };
        let own = codecs::ssrc(route.role, FlowKind::Video);
        let far = codecs::ssrc(route.role.other(), FlowKind::Video);
        route
            .sender
            .send(FlowKind::Rtcp.id(route.base), &feedback::pli(own, far));
    }
}

impl Counters {
    fn read(&self) -> MediaCounts {
        MediaCounts {
            up: self.up.load(Ordering::Relaxed),
            up_dropped: self.up_dropped.load(Ordering::Relaxed),
            down: self.down.load(Ordering::Relaxed),
            down_dropped: self.down_dropped.load(Ordering::Relaxed),
        }
    }
}

/// A leg's way to the far side.
#[derive(Clone, Debug)]
pub struct Uplink {
    gates: Gates,
    call: Arc<Call>,
    leg: LegId,
}

impl Uplink {
    /// Sends one packet in the canonical wire profile; drops it unless the gate is open and this leg may speak.
    pub fn send(&self, kind: FlowKind, packet: &[u8]) {
        if let Some(fact) = self.call.up(self.leg, kind, packet) {
            self.gates.report(self.call.id, self.leg, fact);
        }
    }

    /// The leg's next packet of flow `kind` is of another SSRC, whose numbers are its own.
    pub fn restart(&self, kind: FlowKind) {
        self.call.continuity().restart(self.leg, kind);
    }

    /// The transport is ready. Where the gate is open by then, both ends are asked for the key frame that the leg
    /// missed.
    pub fn warm(&self) {
        let legs = self.call.legs();
        let Some(leg) = legs.iter().find(|leg| leg.id() == self.leg) else {
            return;
        };
        self.gates.report(self.call.id, self.leg, LegFact::Warm(leg.takes()));
        if self.call.is_open() {
            leg.want_key_frame();
            self.call.ask_far_side_for_key_frame();
        }
    }

    /// The leg is gone: [`LegFact::Lost`] by itself, [`LegFact::Closed`] because its owner asked.
    pub fn gone(&self, why: LegFact) {
        self.gates.detach_from(&self.call, self.leg, why);
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
