//! The search for a path to one device: a few knocks in fixed slots, then a pause that grows.
//!
//! The search knows when; the node knows where to and under which key. A pause as long as a tick ends on the node's common
//! tick, so that the searches for all who are away wake the machine together.

use std::time::Duration;

use crate::bounds;

/// The state of one search.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    stage: Stage,
    pause: Duration,
    /// Attempts that came to nothing.
    attempts: usize,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Not looking.
    Off,
    /// Between two attempts.
    Pausing { until: Duration },
    /// Between two attempts, until the tick that is nearest to `until`.
    Resting { until: Duration },
    /// Knocking; `slot` is the next one.
    Knocking { began: Duration, slot: usize },
}

/// One round of knocks that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Grows by one with each round of an attempt, and begins one higher with each attempt: what is chosen by it, such as
    /// one of several keys, comes to every place in an attempt.
    pub index: usize,
    /// Whether it is the first of its attempt: then a padded knock goes along, to learn what the path carries.
    pub first: bool,
    /// Whether earlier ones went unanswered for so long that the clocks may differ.
    pub undated: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            stage: Stage::Off,
            pause: bounds::BACKOFF_FIRST,
            attempts: 0,
        }
    }
}

impl Search {
    /// Starts an attempt now, unless one is running.
    pub const fn start(&mut self, now: Duration) {
        if let Stage::Off | Stage::Pausing { .. } | Stage::Resting { .. } = self.stage {
            self.stage = Stage::Knocking { began: now, slot: 0 };
        }
    }

    /// Starts an attempt now, unless it looks already or pauses in between.
    pub const fn start_if_off(&mut self, now: Duration) {
        if let Stage::Off = self.stage {
            self.start(now);
        }
    }

    /// Starts an attempt now with the shortest pause after it: something new is known.
    pub const fn restart(&mut self, now: Duration) {
        self.pause = bounds::BACKOFF_FIRST;
        self.start(now);
    }

    /// Starts an attempt after a while, unless one is running: by then the path that there is may have shown that it works.
    pub fn soon(&mut self, wait: Duration, now: Duration) {
        if !self.is_knocking() {
            self.pause = bounds::BACKOFF_FIRST;
            self.stage = Stage::Pausing { until: now + wait };
        }
    }

    /// Stops looking: there is a connection, or nobody to look for.
    pub const fn stop(&mut self) {
        *self = Self {
            stage: Stage::Off,
            pause: bounds::BACKOFF_FIRST,
            attempts: 0,
        };
    }

    /// The attempt came to nothing: pauses, then looks again.
    pub fn pause(&mut self, now: Duration) {
        self.attempts = self.attempts.wrapping_add(1) % 64;
        let until = now + self.pause;
        self.stage = if self.pause < bounds::TICK {
            Stage::Pausing { until }
        } else {
            Stage::Resting { until }
        };
        self.pause = (self.pause * 2).min(bounds::BACKOFF_MOST);
    }

    /// Pauses for as long as pauses get: the peer said that it goes away, and will come by itself.
    pub fn rest(&mut self, now: Duration) {
        self.pause = bounds::BACKOFF_MOST;
        self.pause(now);
    }

    /// The common tick: ends a long pause that is over, or would be before half of the next tick has passed.
    pub fn tick(&mut self, now: Duration) {
        if let Stage::Resting { until } = self.stage
            && until <= now + bounds::TICK / 2
        {
            self.stage = Stage::Knocking { began: now, slot: 0 };
        }
    }

    /// Whether it knocks at the moment.
    #[must_use]
    pub const fn is_knocking(&self) -> bool {
        matches!(self.stage, Stage::Knocking { .. })
    }

    /// The round that is due, if any.
    pub fn poll(&mut self, now: Duration) -> Option<Slot> {
        match self.stage {
            Stage::Off | Stage::Resting { .. } => None,
            Stage::Pausing { until } => {
                if now < until {
                    return None;
                }
                self.stage = Stage::Knocking { began: now, slot: 0 };
                self.poll(now)
            }
            Stage::Knocking { began, slot } => {
                let Some(offset) = bounds::KNOCK_SLOTS.get(slot) else {
                    if now >= began + bounds::KNOCK_PATIENCE {
                        self.pause(now);
                    }
                    return None;
                };
                if now < began + *offset {
                    return None;
                }
                self.stage = Stage::Knocking { began, slot: slot + 1 };
                Some(Slot {
                    index: slot + self.attempts,
                    first: slot == 0,
                    undated: slot >= bounds::DATED_KNOCKS,
                })
            }
        }
    }

    /// When [`Self::poll`] has something to do next; `None` too where a tick comes first.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        match self.stage {
            Stage::Off | Stage::Resting { .. } => None,
            Stage::Pausing { until } => Some(until),
            Stage::Knocking { began, slot } => {
                Some(began + bounds::KNOCK_SLOTS.get(slot).copied().unwrap_or(bounds::KNOCK_PATIENCE))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_knocks_in_its_slots_and_pauses_ever_longer() {
        let mut search = Search::default();
        search.start(Duration::ZERO);
        let mut rounds = Vec::new();
        for _ in 0..40 {
            let Some(at) = search.next_timeout() else { break };
            if let Some(slot) = search.poll(at) {
                rounds.push((at.as_millis(), slot.first, slot.undated));
            }
        }
        let first: Vec<_> = rounds.iter().take(5).copied().collect();
        assert_eq!(
            first,
            [
                (0, true, false),
                (250, false, false),
                (500, false, false),
                (1000, false, true),
                (5000, true, false)
            ]
        );
        assert!(rounds.iter().filter(|(_, first, _)| *first).count() >= 5);
    }

    #[test]
    fn long_pauses_end_on_the_tick_and_wake_nobody_before() {
        let mut search = Search::default();
        search.rest(Duration::ZERO);
        let mut ticks = (1..).map(|tick| bounds::TICK * tick);
        let woken = ticks.find(|at| {
            assert_eq!(search.next_timeout(), None);
            assert_eq!(search.poll(*at), None);
            search.tick(*at);
            search.poll(*at).is_some()
        });
        assert_eq!(woken, Some(bounds::BACKOFF_MOST));
        search.rest(Duration::ZERO);
        search.restart(Duration::from_secs(1));
        assert!(search.poll(Duration::from_secs(1)).is_some(), "news ends any pause");
    }

    #[test]
    fn each_of_two_keys_comes_to_the_undated_round() {
        let mut search = Search::default();
        search.start(Duration::ZERO);
        let mut undated = Vec::new();
        while undated.len() < 4 {
            let at = search
                .next_timeout()
                .expect("four attempts before the first long pause");
            undated.extend(search.poll(at).filter(|slot| slot.undated).map(|slot| slot.index % 2));
        }
        assert_eq!(undated, [1, 0, 1, 0]);
    }
}
