//! The search for a path to one device: a few knocks in fixed slots, then a pause.
//!
//! The search knows when; the node knows where to and under which key. News begin it: it makes a few attempts with growing
//! pauses, then one at each *meeting*, a moment of Unix time that both sides compute from their device keys. So two sides that
//! have no way to tell each other of anything knock at the same moment: the first knocks of both, which live for a few hops
//! only, have opened their own routers before anything of the other side arrives there.

use std::time::Duration;

use crate::bounds;
use crate::ids::DeviceKey;
use crate::time::Now;

/// The part of a meeting's minute that a pair of devices has for itself, so that not everybody knocks at once.
const PLACES: u64 = 3;
/// A meeting is a second after a tick at the latest: the tick of all devices is over by then.
const AFTER_TICK: Duration = Duration::from_secs(1);

/// The state of one search.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    stage: Stage,
    /// Attempts since the last news.
    tried: usize,
    /// Attempts that came to nothing.
    attempts: usize,
    /// Birthdays since the last news.
    pub vain: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Not looking.
    Off,
    /// Between two attempts.
    Pausing { until: Duration },
    /// Knocking; `slot` is the next one.
    Knocking { began: Duration, slot: usize },
}

/// One round of knocks that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Grows by one with each round of an attempt, and begins one higher with each attempt: what is chosen by it, such as
    /// one of several keys, comes to every place in an attempt.
    pub index: usize,
    /// How many hops its knocks live outside our own networks.
    pub hops: Option<u8>,
    /// Whether it is the first of its attempt.
    pub first: bool,
    /// Whether it is the first of its attempt whose knocks may arrive anywhere.
    pub first_far: bool,
    /// Whether earlier ones went unanswered for so long that the clocks may differ.
    pub undated: bool,
    /// Whether it is the last of its attempt.
    pub last: bool,
    /// Whether nothing says that the other side knocks at the same time.
    pub is_alone: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            stage: Stage::Off,
            tried: 0,
            attempts: 0,
            vain: 0,
        }
    }
}

impl Search {
    /// Starts an attempt now, unless one is running: something new is known.
    pub const fn restart(&mut self, now: Duration) {
        self.tried = 0;
        self.vain = 0;
        if let Stage::Off | Stage::Pausing { .. } = self.stage {
            self.stage = Stage::Knocking { began: now, slot: 0 };
        }
    }

    /// Starts an attempt now, unless it looks already or pauses in between.
    pub const fn start_if_off(&mut self, now: Duration) {
        if let Stage::Off = self.stage {
            self.restart(now);
        }
    }

    /// Starts an attempt after a while, unless one is running: by then the path that there is may have shown that it works.
    pub fn soon(&mut self, wait: Duration, now: Duration) {
        if !self.is_knocking() {
            self.tried = 0;
            self.vain = 0;
            self.stage = Stage::Pausing { until: now + wait };
        }
    }

    /// Stops looking: there is a connection, or nobody to look for.
    pub const fn stop(&mut self) {
        *self = Self {
            stage: Stage::Off,
            tried: 0,
            attempts: 0,
            vain: 0,
        };
    }

    /// The attempt came to nothing: pauses, then looks again, at `meeting` once the short pauses are used up.
    pub fn pause(&mut self, now: Duration, meeting: Duration) {
        self.attempts = self.attempts.wrapping_add(1) % 64;
        let until = bounds::BACKOFF.get(self.tried).map_or(meeting, |pause| now + *pause);
        self.tried = self.tried.saturating_add(1);
        self.stage = Stage::Pausing { until };
    }

    /// Pauses until a meeting: the peer said that it goes away, and will come by itself.
    pub fn rest(&mut self, now: Duration, meeting: Duration) {
        self.tried = bounds::BACKOFF.len();
        self.pause(now, meeting);
    }

    /// Whether it knocks at the moment.
    #[must_use]
    pub const fn is_knocking(&self) -> bool {
        matches!(self.stage, Stage::Knocking { .. })
    }

    /// Whether an attempt that began is over without an answer. [`Self::pause`] is what to do then.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        match self.stage {
            Stage::Off | Stage::Pausing { .. } => false,
            Stage::Knocking { began, slot } => {
                slot >= bounds::KNOCK_SLOTS.len() && now >= began + bounds::KNOCK_PATIENCE
            }
        }
    }

    /// The round that is due, if any.
    pub fn poll(&mut self, now: Duration) -> Option<Slot> {
        match self.stage {
            Stage::Off => None,
            Stage::Pausing { until } => {
                if now < until {
                    return None;
                }
                self.stage = Stage::Knocking { began: now, slot: 0 };
                self.poll(now)
            }
            Stage::Knocking { began, slot } => {
                let due = began + *bounds::KNOCK_SLOTS.get(slot)?;
                if now < due {
                    return None;
                }
                self.stage = Stage::Knocking { began, slot: slot + 1 };
                Some(self.slot(slot))
            }
        }
    }

    fn slot(&self, slot: usize) -> Slot {
        let hops = bounds::KNOCK_HOPS.get(slot).copied().flatten();
        let far = bounds::KNOCK_HOPS.iter().position(Option::is_none);
        Slot {
            index: slot + self.attempts,
            hops,
            first: slot == 0,
            first_far: far == Some(slot),
            undated: slot >= bounds::DATED_KNOCKS,
            last: slot + 1 == bounds::KNOCK_SLOTS.len(),
            is_alone: self.tried <= bounds::BACKOFF.len(),
        }
    }

    /// When [`Self::poll`] or [`Self::is_over`] has something new to say.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        match self.stage {
            Stage::Off => None,
            Stage::Pausing { until } => Some(until),
            Stage::Knocking { began, slot } => {
                Some(began + bounds::KNOCK_SLOTS.get(slot).copied().unwrap_or(bounds::KNOCK_PATIENCE))
            }
        }
    }
}

/// The next meeting of two devices that is not too soon, on the boot clock.
#[must_use]
pub fn meeting(one: &DeviceKey, other: &DeviceKey, now: Now) -> Duration {
    let period = bounds::MEETING;
    let ([one, ..], [other, ..]) = (one.0, other.0);
    let place = u64::from(one ^ other) % PLACES;
    let phase = AFTER_TICK + bounds::TICK * u32::try_from(place).unwrap_or_default();
    let soonest = Duration::from_secs(now.wall) + Duration::from_millis(now.millis.into()) + bounds::MEETING_PAUSE;
    let into = soonest.saturating_sub(phase).as_millis() % period.as_millis();
    let into = Duration::from_millis(u64::try_from(into).unwrap_or_default());
    let wait = if into.is_zero() {
        Duration::ZERO
    } else {
        period.saturating_sub(into)
    };
    now.boot + bounds::MEETING_PAUSE + wait
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEETING: Duration = Duration::from_secs(500);

    /// Polls at every time-out until `end`; what was due when.
    fn rounds(search: &mut Search, end: Duration) -> Vec<(u128, Slot)> {
        let mut rounds = Vec::new();
        while let Some(at) = search.next_timeout().filter(|at| *at <= end) {
            rounds.extend(search.poll(at).map(|slot| (at.as_millis(), slot)));
            if search.is_over(at) {
                search.pause(at, MEETING);
            }
        }
        rounds
    }

    #[test]
    fn an_attempt_knocks_in_its_slots_and_pauses_until_a_meeting() {
        let mut search = Search::default();
        search.restart(Duration::ZERO);
        let rounds = rounds(&mut search, MEETING);
        let first: Vec<_> = rounds
            .iter()
            .take(5)
            .map(|(at, slot)| (*at, slot.hops, slot.undated))
            .collect();
        let (dated, undated) = (false, true);
        assert_eq!(
            first,
            [
                (0, Some(2), dated),
                (250, Some(4), dated),
                (500, None, dated),
                (1000, None, undated),
                (5000, Some(2), dated)
            ]
        );
        let begins: Vec<u128> = rounds
            .iter()
            .filter(|(_, slot)| slot.first)
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(begins, [0, 5000, 12_000, 23_000, MEETING.as_millis()]);
        assert!(
            rounds
                .iter()
                .all(|(at, slot)| slot.is_alone == (*at < MEETING.as_millis()))
        );
        assert!(
            rounds
                .iter()
                .all(|(_, slot)| slot.first_far == (slot.hops.is_none() && !slot.undated))
        );
    }

    #[test]
    fn news_end_any_pause() {
        let mut search = Search::default();
        search.rest(Duration::ZERO, MEETING);
        assert_eq!(
            (search.next_timeout(), search.poll(Duration::ZERO)),
            (Some(MEETING), None)
        );
        search.restart(Duration::from_secs(1));
        assert!(search.poll(Duration::from_secs(1)).is_some());
    }

    #[test]
    fn each_of_two_keys_comes_to_the_undated_round() {
        let mut search = Search::default();
        search.restart(Duration::ZERO);
        let rounds = rounds(&mut search, Duration::from_secs(30));
        let undated = rounds.iter().filter(|(_, slot)| slot.undated);
        assert_eq!(
            undated.map(|(_, slot)| slot.index % 2).collect::<Vec<_>>(),
            [1, 0, 1, 0]
        );
    }

    #[test]
    fn two_devices_meet_at_the_same_moment_whenever_each_gave_up() {
        let (one, other) = (DeviceKey([7; 32]), DeviceKey([200; 32]));
        let unix = |now: Now, boot: Duration| {
            Duration::from_secs(now.wall) + Duration::from_millis(now.millis.into()) + boot.saturating_sub(now.boot)
        };
        let mut meetings = std::collections::BTreeSet::new();
        for step in 0..600_u64 {
            let now = Now {
                boot: Duration::from_millis(777 * step),
                wall: 1_800_000_000 + step * 777 / 1000,
                millis: u16::try_from(step * 777 % 1000).expect("small"),
            };
            let (a, b) = (meeting(&one, &other, now), meeting(&other, &one, now));
            assert_eq!(a, b);
            let pause = a - now.boot;
            assert!(
                pause >= bounds::MEETING_PAUSE && pause < bounds::MEETING_PAUSE + bounds::MEETING,
                "{pause:?}"
            );
            meetings.insert(unix(now, a).as_millis());
        }
        let gaps: std::collections::BTreeSet<u128> = meetings
            .iter()
            .zip(meetings.iter().skip(1))
            .map(|(a, b)| b - a)
            .collect();
        assert_eq!(gaps.into_iter().collect::<Vec<_>>(), [bounds::MEETING.as_millis()]);
    }
}
