//! The search for a path to one device: a few knocks in fixed slots, then a pause.
//!
//! The search knows when; the node knows where to and under which key. News begin it: it makes a few attempts with growing
//! pauses, then one at each *meeting*, a moment of Unix time that both sides compute from their device keys. So two sides that
//! have no way to tell each other of anything knock at the same moment: the first knocks of both, which live for a few hops
//! only, have opened their own routers before anything of the other side arrives there.
//!
//! The longer there was no news, the rarer are the meetings that are used: for whoever has been away for an hour it is every
//! eighth, and after some hours one an hour. The rare ones are among the frequent ones, so that whoever has come back, and
//! uses all of them, meets who has been waiting for long. In between, who waits opens its own router alone, see
//! [`Search::opens`].

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
    /// When there was news last.
    news: Option<Duration>,
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
            news: None,
        }
    }
}

impl Search {
    /// Starts an attempt now, unless one is running: something new is known.
    pub const fn restart(&mut self, now: Duration) {
        self.tried = 0;
        self.vain = 0;
        self.news = Some(now);
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
            self.news = Some(now);
            self.stage = Stage::Pausing { until: now + wait };
        }
    }

    /// Starts an attempt now if it pauses: perhaps nobody could be found until this moment. That alone is no news.
    pub const fn look(&mut self, now: Duration) {
        if let Stage::Pausing { .. } = self.stage {
            self.stage = Stage::Knocking { began: now, slot: 0 };
        }
    }

    /// Of how many meetings one is used, a power of two.
    #[must_use]
    pub fn rarity(&self, now: Duration) -> u32 {
        let waited = self.news.map_or(Duration::ZERO, |news| now.saturating_sub(news));
        let share = waited.as_secs() / bounds::RARER_AFTER.as_secs();
        let share = u32::try_from(share)
            .unwrap_or(u32::MAX)
            .clamp(1, bounds::RAREST_MEETING);
        1 << share.ilog2()
    }

    /// Whether this is the tick before a meeting that is let pass: then the own router is to be opened, so that who comes back and
    /// knocks at that meeting gets in.
    #[must_use]
    pub fn opens(&self, one: &DeviceKey, other: &DeviceKey, now: Now) -> bool {
        let is_waiting = matches!(self.stage, Stage::Pausing { .. }) && self.rarity(now.boot) > 1;
        let tick = bounds::TICK.as_secs();
        // A tick comes within half a second of its time, before or after.
        let number = now.wall.saturating_add(tick / 2) / tick;
        is_waiting && number % PLACES == place(one, other)
    }

    /// Stops looking: there is a connection, or nobody to look for.
    pub const fn stop(&mut self) {
        *self = Self {
            stage: Stage::Off,
            tried: 0,
            attempts: 0,
            vain: 0,
            news: None,
        };
    }

    /// The attempt came to nothing: pauses, then looks again, at `meeting` once the short pauses are used up.
    pub fn pause(&mut self, now: Duration, meeting: Duration) {
        self.attempts = self.attempts.wrapping_add(1) % 64;
        self.news = self.news.or(Some(now));
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

/// Which third of a minute the meetings of two devices are in.
const fn place(one: &DeviceKey, other: &DeviceKey) -> u64 {
    let ([one, ..], [other, ..]) = (one.0, other.0);
    (one ^ other) as u64 % PLACES
}

/// The next meeting of two devices that is not too soon, on the boot clock.
#[must_use]
pub fn meeting(one: &DeviceKey, other: &DeviceKey, now: Now) -> Duration {
    rare_meeting(one, other, 1, now)
}

/// The same where one of `rarity` meetings is used: those whose minute can be divided by it.
#[must_use]
pub fn rare_meeting(one: &DeviceKey, other: &DeviceKey, rarity: u32, now: Now) -> Duration {
    let period = bounds::MEETING.saturating_mul(rarity.max(1));
    let phase = AFTER_TICK + bounds::TICK * u32::try_from(place(one, other)).unwrap_or_default();
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
    fn the_longer_it_is_in_vain_the_rarer_it_is_tried() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let mut search = Search::default();
        assert_eq!(search.rarity(minutes(1000)), 1, "nothing is looked for");
        search.restart(minutes(10));
        let rarity = |waited: u64| search.rarity(minutes(10 + waited));
        assert_eq!([0, 7, 8, 15, 16, 32, 255].map(rarity), [1, 1, 2, 2, 4, 8, 32]);
        assert_eq!([256, 100_000].map(rarity), [64, 64]);
    }

    #[test]
    fn a_look_without_news_changes_no_pace() {
        let mut search = Search::default();
        search.look(Duration::ZERO);
        assert_eq!(search.next_timeout(), None, "who looks for nobody");
        search.restart(Duration::ZERO);
        let later = Duration::from_secs(7200);
        search.pause(later, later * 2);
        search.look(later);
        assert!(search.poll(later).is_some_and(|slot| slot.first));
        assert_eq!(search.rarity(later), 16);
    }

    #[test]
    fn who_waits_opens_its_router_before_each_meeting_that_it_lets_pass() {
        let (one, other) = (DeviceKey([7; 32]), DeviceKey([201; 32]));
        let mut search = Search::default();
        search.restart(Duration::ZERO);
        let start = Duration::from_secs(3600);
        search.pause(start, Duration::from_secs(90_000));
        for minute in 0..60_u64 {
            let opened: Vec<u64> = (0..3)
                .filter(|tick| {
                    // The ticks of this device are a little early.
                    let millis = (60 * (minute + 1) + 20 * tick) * 1000 - 400;
                    let now = Now {
                        boot: start + Duration::from_secs(60 * minute),
                        wall: 1_800_000_000 + millis / 1000,
                        millis: u16::try_from(millis % 1000).expect("small"),
                    };
                    search.opens(&one, &other, now)
                })
                .collect();
            assert_eq!(opened, [place(&one, &other)]);
        }
        search.restart(start);
        let now = Now {
            boot: start,
            wall: 1_800_000_000,
            millis: 0,
        };
        assert!((0..60).all(|second| !search.opens(
            &one,
            &other,
            Now {
                wall: now.wall + second,
                ..now
            }
        )));
    }

    #[test]
    fn rare_meetings_are_among_the_frequent_ones() {
        let (one, other) = (DeviceKey([7; 32]), DeviceKey([200; 32]));
        for step in 0..500_u64 {
            let now = Now {
                boot: Duration::from_millis(7777 * step),
                wall: 1_800_000_000 + step * 7777 / 1000,
                millis: u16::try_from(step * 7777 % 1000).expect("small"),
            };
            let rare = rare_meeting(&one, &other, 64, now);
            let before = Now {
                boot: rare - bounds::MEETING_PAUSE,
                ..now
            };
            let unix = Duration::from_secs(now.wall) + Duration::from_millis(now.millis.into());
            let then = unix + before.boot.saturating_sub(now.boot);
            let before = Now {
                wall: then.as_secs(),
                millis: u16::try_from(then.subsec_millis()).expect("small"),
                ..before
            };
            for rarity in [1, 2, 4, 8, 16, 32, 64] {
                assert_eq!(
                    rare_meeting(&one, &other, rarity, before),
                    rare,
                    "of {rarity} meetings one"
                );
            }
            let pause = rare - now.boot;
            assert!(pause >= bounds::MEETING_PAUSE && pause <= bounds::MEETING_PAUSE + 64 * bounds::MEETING);
        }
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
