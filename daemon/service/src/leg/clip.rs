//! The clip leg: real Opus and VP8 from the binary itself, in place of a camera and a microphone.
//!
//! It begins to play when the gate first opens, with a key frame, in real time, and compares what comes back with what
//! it holds. What is reported is what was received, never what was sent. The file is read by [`file`], cut into RTP by
//! [`player`]; [`returned`] counts. Sending and counting share one short lock, which is never held across a send: an
//! echo may return a packet within it.

mod file;
mod player;
mod returned;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use twocan_core::ids::{CallId, LegId};
use twocan_core::media::breaker::Pace;
use twocan_core::media::codecs::{self, Codec};
use twocan_core::media::feedback;
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::formats::Formats;

use self::file::Clip;
use self::player::{Numbers, Player};
use self::returned::Returned;
use super::gate::{Direction, Ended, Gates, Leg, Uplink};

/// How long the last packets may take to come back.
const TAIL: Duration = Duration::from_secs(1);
/// Calls whose clip is remembered.
const REMEMBERED: usize = 16;

/// Why a clip cannot be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// The call is over.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// The clip inside the binary is not what it should be.
    #[error("the built-in clip cannot be read")]
    File,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClipReport {
    /// Milliseconds from the gate's opening to the first whole video frame that came back equal to the clip's.
    pub answer_to_media_ms: Option<f64>,
    /// Audio packets that came, each counted once.
    pub audio_packets: u64,
    /// Whole video frames that came and whose payload equals a frame of the clip.
    pub video_frames: u64,
    /// Those frames a second, from the first to the last of them.
    pub video_fps: f64,
    /// Where the far side echoes: packets sent that did not come back, while playing those up to the newest that did.
    /// Otherwise gaps in the far side's own numbering.
    pub lost_packets: u64,
    /// Milliseconds of the longest time between two packets that came one after the other.
    pub longest_gap_ms: Option<f64>,
    /// Whether the clip has played to its end, or the call has ended, and the last packets had their time.
    pub done: bool,
}

/// The clips of recent calls, by call. Clones are the same clips.
#[derive(Clone, Debug, Default)]
pub struct Clips {
    known: Arc<Mutex<Known>>,
}

impl Clips {
    /// Attaches a clip that plays for `seconds` from the gate's opening; `role` is our side of the call. It plays on
    /// `runtime`. A clip that the call has already is replaced.
    ///
    /// # Errors
    /// [`ClipError`].
    pub fn attach(
        &self,
        gates: &Gates,
        runtime: &Handle,
        call: CallId,
        role: Role,
        seconds: u32,
    ) -> Result<LegId, ClipError> {
        let leg = ClipLeg::attach(gates, runtime, call, role, seconds)?;
        let id = leg.id();
        let mut known = lock(&self.known);
        known.retain(|(other, _)| *other != call);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((call, leg));
        Ok(id)
    }

    /// What came back in a call; also for some time after its end. `None` where it had no clip.
    #[must_use]
    pub fn report(&self, call: CallId) -> Option<ClipReport> {
        let known = lock(&self.known);
        known
            .iter()
            .find(|(other, _)| *other == call)
            .map(|(_, leg)| leg.report())
    }
}

/// Oldest first.
type Known = VecDeque<(CallId, Arc<ClipLeg>)>;

/// One clip in one call.
#[derive(Debug)]
pub struct ClipLeg {
    id: LegId,
    /// The SSRC of the video it sends: whoever wants a key frame names it.
    video_ssrc: u32,
    uplink: OnceLock<Uplink>,
    shared: Mutex<Shared>,
    /// Something for the playing task: begun, closed, or all is back.
    changed: Notify,
}

#[derive(Debug)]
struct Shared {
    player: Player,
    returned: Returned,
    begun: Option<Instant>,
    closed: bool,
    done: bool,
}

impl ClipLeg {
    /// As [`Clips::attach`].
    fn attach(gates: &Gates, runtime: &Handle, call: CallId, role: Role, seconds: u32) -> Result<Arc<Self>, ClipError> {
        let clip = Clip::built_in().ok_or(ClipError::File)?;
        let numbers = Numbers::random().ok_or(ClipError::NoRandomness)?;
        let leg = Arc::new(Self::new(gates.next_leg(), clip, numbers, role));
        let uplink = gates.attach(call, Arc::<Self>::clone(&leg))?;
        leg.uplink.get_or_init(|| uplink.clone());
        runtime.spawn(Arc::clone(&leg).play(Duration::from_secs(u64::from(seconds))));
        uplink.warm();
        Ok(leg)
    }

    fn new(id: LegId, clip: &'static Clip, numbers: Numbers, role: Role) -> Self {
        let shared = Shared {
            player: Player::new(clip, numbers, role),
            returned: Returned::new(clip, numbers),
            begun: None,
            closed: false,
            done: false,
        };
        Self {
            id,
            video_ssrc: codecs::ssrc(role, FlowKind::Video),
            uplink: OnceLock::new(),
            shared: Mutex::new(shared),
            changed: Notify::new(),
        }
    }

    fn report(&self) -> ClipReport {
        let shared = lock(&self.shared);
        ClipReport {
            done: shared.done,
            ..shared.returned.report(shared.done)
        }
    }

    /// The task: waits for the gate, plays, waits for the tail.
    async fn play(self: Arc<Self>, length: Duration) {
        if let Some(begun) = self.begun().await {
            self.send_all(begun, length).await;
            // Whatever is not back by then counts as lost.
            timeout(TAIL, self.all_back()).await.ok();
        }
        lock(&self.shared).done = true;
    }

    /// When the gate opened; `None` where the leg was closed first.
    async fn begun(&self) -> Option<Instant> {
        loop {
            let (begun, closed) = self.look(|shared| (shared.begun, shared.closed));
            if closed || begun.is_some() {
                return begun.filter(|_| !closed);
            }
            self.changed.notified().await;
        }
    }

    async fn send_all(&self, begun: Instant, length: Duration) {
        loop {
            let due = self.look(|shared| shared.player.due());
            if due >= length {
                return;
            }
            sleep_until(begun + due).await;
            let Some(packets) = self.next_packets() else { return };
            let Some(uplink) = self.uplink.get() else { return };
            packets.iter().for_each(|(kind, packet)| uplink.send(*kind, packet));
        }
    }

    /// The packets that are due, counted as sent; `None` once closed.
    fn next_packets(&self) -> Option<Vec<(FlowKind, Vec<u8>)>> {
        let mut shared = lock(&self.shared);
        if shared.closed {
            return None;
        }
        let packets = shared.player.next();
        packets.iter().for_each(|(kind, _)| shared.returned.sent(*kind));
        Some(packets)
    }

    async fn all_back(&self) {
        while !self.look(|shared| shared.closed || shared.returned.is_complete()) {
            self.changed.notified().await;
        }
    }

    fn look<T>(&self, read: impl FnOnce(&Shared) -> T) -> T {
        read(&lock(&self.shared))
    }
}

impl Leg for ClipLeg {
    fn id(&self) -> LegId {
        self.id
    }

    fn direction(&self) -> Direction {
        Direction::Both
    }

    /// What comes back is compared with what it plays.
    fn takes(&self) -> Option<Formats> {
        Some(Formats::of([Codec::Vp8]))
    }

    /// A fixed half a megabit.
    fn pace(&self) -> Pace {
        Pace::Fixed
    }

    fn deliver(&self, kind: FlowKind, packet: &[u8]) {
        let mut shared = lock(&self.shared);
        let Some(begun) = shared.begun else { return };
        let at = begun.elapsed();
        match kind {
            FlowKind::Audio => shared.returned.audio(packet, at),
            FlowKind::Video => shared.returned.video(packet, at),
            FlowKind::VideoRtx => {}
            FlowKind::Rtcp if feedback::asks_for_key_frame(packet, self.video_ssrc) => {
                shared.player.skip_to_key_frame()
            }
            FlowKind::Rtcp => {}
        }
        let complete = shared.returned.is_complete();
        drop(shared);
        if complete {
            self.changed.notify_one();
        }
    }

    /// The first time, this is the gate's opening.
    fn want_key_frame(&self) {
        let mut shared = lock(&self.shared);
        if shared.begun.is_some() {
            shared.player.skip_to_key_frame();
        } else {
            shared.begun = Some(Instant::now());
            self.changed.notify_one();
        }
    }

    fn close(&self) {
        let mut shared = lock(&self.shared);
        shared.closed = true;
        self.changed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
