//! When what is looked up or published: the paces of everything that goes over the DHT.
//!
//! A pace shorter than a tick has a timer of its own; a longer one ends on the node's common tick, so that an idle machine is
//! not woken for it. What is asked for in vain is asked for ever more rarely, because whoever comes back looks by himself.

use std::collections::VecDeque;
use std::time::Duration;

use crate::bounds;

/// When one thing is due again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    due: Duration,
    pause: Duration,
    waits_for_tick: bool,
    /// When it was done last.
    last: Option<Duration>,
}

impl Pace {
    /// Due for the first time after a while.
    #[must_use]
    pub fn after(wait: Duration, now: Duration) -> Self {
        Self {
            due: now + wait,
            pause: bounds::TICK,
            waits_for_tick: false,
            last: None,
        }
    }

    /// Whether it is due.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        !self.waits_for_tick && now >= self.due
    }

    /// When it is due by itself; `None` where a tick comes first.
    #[must_use]
    pub const fn next_timeout(&self) -> Option<Duration> {
        if self.waits_for_tick { None } else { Some(self.due) }
    }

    /// The common tick: ends a long pause that is over, or would be before half of the next tick has passed.
    pub fn tick(&mut self, now: Duration) {
        if self.waits_for_tick && self.due <= now + bounds::TICK / 2 {
            self.due = now;
            self.waits_for_tick = false;
        }
    }

    /// It was done: due again after a pause.
    pub fn done(&mut self, pause: Duration, now: Duration) {
        self.last = Some(now);
        self.due = now + pause;
        self.waits_for_tick = pause >= bounds::TICK;
    }

    /// It was done in vain: due again after a pause that doubles up to `most`.
    pub fn back_off(&mut self, most: Duration, now: Duration) {
        let pause = self.pause.min(most);
        self.pause = (self.pause * 2).min(most);
        self.done(pause, now);
    }

    /// Something has changed: due after `wait`, though not within `rest` of the last time, and the pauses are short again.
    pub fn hurry(&mut self, wait: Duration, rest: Duration, now: Duration) {
        let rested = self.last.map_or(now, |last| last + rest);
        let due = (now + wait).max(rested);
        self.pause = bounds::TICK;
        if self.waits_for_tick || due < self.due {
            self.due = due;
            self.waits_for_tick = false;
        }
    }
}

/// How often an invite of some age is looked after: he who got it a moment ago is waiting.
#[must_use]
pub fn invite_pause(age: Duration) -> Duration {
    let [fresh, young, middle, old] = bounds::INVITE_POLLS;
    if age < bounds::INVITE_FRESH {
        fresh
    } else if age < bounds::INVITE_YOUNG {
        young
    } else if age < bounds::INVITE_MIDDLE {
        middle
    } else {
        old
    }
}

/// At most so many within a day, whatever happens.
#[derive(Clone, Debug, Default)]
pub struct Daily {
    done: VecDeque<Duration>,
}

impl Daily {
    /// Whether one more is within the bound; counts it if so.
    pub fn take(&mut self, most: usize, now: Duration) -> bool {
        while self.done.front().is_some_and(|at| now >= *at + bounds::DHT_DAY) {
            self.done.pop_front();
        }
        if self.done.len() >= most {
            return false;
        }
        self.done.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1000);

    /// The gets of one contact that stays away, over so long.
    fn gets(over: Duration) -> u32 {
        let mut pace = Pace::after(bounds::KNOCK_PATIENCE, START);
        let (mut now, mut count) = (START, 0);
        while now < START + over {
            pace.tick(now);
            if pace.is_due(now) {
                count += 1;
                pace.back_off(bounds::READ_MOST, now);
            }
            now += bounds::TICK;
        }
        count
    }

    #[test]
    fn who_stays_away_is_looked_up_ever_more_rarely() {
        let day = Duration::from_secs(24 * 3600);
        let first = gets(Duration::from_secs(120));
        assert!((2..=4).contains(&first), "{first} in the first two minutes");
        let (one, two) = (gets(day), gets(day * 2));
        assert!(one <= 16, "{one} on the first day");
        // An answered get costs some 60 kB over the air: six a day are 0.25 kB a minute.
        assert!(two - one <= 6, "{} on the second", two - one);
    }

    #[test]
    fn news_ends_a_long_pause_but_not_at_once_again() {
        let mut pace = Pace::after(Duration::ZERO, START);
        assert!(pace.is_due(START));
        for _ in 0..12 {
            pace.back_off(bounds::READ_MOST, START);
        }
        assert_eq!(pace.next_timeout(), None);
        pace.hurry(Duration::ZERO, bounds::DHT_AGAIN, START + Duration::from_secs(1));
        assert_eq!(pace.next_timeout(), Some(START + bounds::DHT_AGAIN));
        let later = START + Duration::from_secs(600);
        pace.back_off(bounds::READ_MOST, START);
        pace.hurry(Duration::ZERO, bounds::DHT_AGAIN, later);
        assert!(pace.is_due(later));
    }

    #[test]
    fn an_invite_is_looked_after_less_the_older_it_is() {
        let ages = [0, 119, 120, 599, 600, 3599, 3600, 90_000];
        let pauses = ages.map(|age| invite_pause(Duration::from_secs(age)).as_secs());
        assert_eq!(pauses, [2, 2, 5, 5, 30, 30, 300, 300]);
    }

    #[test]
    fn a_day_has_its_bound() {
        let mut daily = Daily::default();
        let taken = (0..100).filter(|_| daily.take(20, START)).count();
        assert_eq!(taken, 20);
        assert!(!daily.take(20, START + bounds::DHT_DAY / 2));
        assert!(daily.take(20, START + bounds::DHT_DAY));
    }
}
