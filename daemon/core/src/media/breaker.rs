//! The circuit breaker of RFC 8083 for one stream: it says when sending on is of no use, or harms whoever shares the
//! path. It controls no rate; who does that by himself never gets near it.
//!
//! Three conditions trip it. *Silence*: nothing of RTCP has come back for three reporting intervals (section 4.1), once
//! some had; whether the path stands at all is the link's to prove. *Nothing arrives*: reports come, and the highest
//! number in them stands still (4.2). *Overload*: over the last intervals the stream was more than ten times as fast as
//! TCP would have been at that loss and round trip (4.3).
//!
//! Reports are gathered into intervals of about a second or more, for browsers report as often as they like. TCP's rate is
//! reckoned by the short equation, as the RFC proposes, for senders that control their rate. For the others it is the
//! whole one (RFC 5348, section 3.1), since a constant overload shows as losses at which TCP waits for time-outs; those
//! last 200 ms at least, as they do in practice.
//!
//! After a pause, at least as long as what tripped it (4.5), it lets the stream try again; each time that comes to
//! nothing the pause doubles. Silence is over when it is broken. Times are durations since one origin of the caller's
//! choice.

use std::collections::VecDeque;
use std::time::Duration;

/// The smallest reporting interval of RFC 3550, section 6.2; three of them are silence.
const REPORTING: Duration = Duration::from_secs(5);
/// Reports are gathered until they cover this many seconds: a report a second is an interval, give or take.
const INTERVAL: f64 = 0.9;
/// Intervals in which nothing new arrived that trip it: k of section 4.2.
const STALLED: f64 = 5.0;
/// How much faster than TCP is too fast.
const TIMES_TCP: f64 = 10.0;
/// The time between two frames: groups of pictures that depend on each other do not matter below the interval.
const FRAME: f64 = 1.0 / 30.0;
/// What TCPs wait at least for an acknowledgement.
const LEAST_TIMEOUT: f64 = 0.2;
/// The pause after the first trip, and the longest.
const PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(80);
/// Sender reports that may still be answered.
const REMEMBERED: usize = 8;

/// Who controls the rate of a leg's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The leg itself, by the far side's transport-wide feedback.
    Controlled,
    /// Nobody.
    Blind,
    /// It is built in, small and fixed, or somebody else's: nothing here watches it.
    Fixed,
}

/// Why a breaker tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// No RTCP comes back any more.
    Silence,
    /// Reports come, and nothing new has arrived in them.
    NothingArrives,
    /// Far more is sent than the path carries.
    Overload,
}

/// One report about the stream (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Share of packets lost since the last one, of 256.
    pub fraction_lost: u8,
    /// The highest sequence number that arrived, extended.
    pub highest: u32,
    /// The middle of the NTP time of the last sender report that arrived; 0 for none.
    pub last_sender_report: u32,
    /// How long before this one that was, in 65,536ths of a second.
    pub delay: u32,
}

/// The breaker of one stream.
#[derive(Debug)]
pub struct Breaker {
    controlled: bool,
    /// Since when the stream flows, and when its last packet left.
    flows: Option<(Duration, Duration)>,
    heard: Option<Duration>,
    sender_reports: VecDeque<(u32, Duration)>,
    round_trip: f64,
    gathered: Interval,
    last_report: Option<(Duration, u32)>,
    window: VecDeque<Interval>,
    stalled: u32,
    open: Option<Open>,
    pause: Duration,
    /// When it last let the stream try again.
    closed: Duration,
}

/// Some reports, and what was sent meanwhile.
#[derive(Clone, Copy, Debug, Default)]
struct Interval {
    seconds: f64,
    /// Seconds' worth of loss.
    lost: f64,
    packets: f64,
    bytes: f64,
    moved: bool,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    why: Trip,
    until: Duration,
}

impl Breaker {
    /// A stream that has sent nothing yet.
    #[must_use]
    pub fn new(controlled: bool) -> Self {
        Self {
            controlled,
            flows: None,
            heard: None,
            sender_reports: VecDeque::new(),
            round_trip: 0.0,
            gathered: Interval::default(),
            last_report: None,
            window: VecDeque::new(),
            stalled: 0,
            open: None,
            pause: PAUSE,
            closed: Duration::ZERO,
        }
    }

    /// Whether the stream must not send at the moment, and why.
    pub fn open(&mut self, now: Duration) -> Option<Trip> {
        if self.open.is_some_and(|open| now >= open.until) {
            self.close(now);
        }
        if self.open.is_none() && self.is_silent(now) {
            self.trip(Trip::Silence, Duration::ZERO, now);
        }
        self.open.map(|open| open.why)
    }

    /// A packet of so many bytes leaves.
    pub fn sent(&mut self, bytes: usize, now: Duration) {
        self.flows = match self.flows {
            Some((since, last)) if now.saturating_sub(last) < REPORTING => Some((since, now)),
            Some(_) | None => Some((now, now)),
        };
        self.gathered.packets += 1.0;
        self.gathered.bytes += f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// The sender says its time, by the middle of an NTP timestamp.
    pub fn sender_report(&mut self, middle: u32, now: Duration) {
        if self.sender_reports.len() >= REMEMBERED {
            self.sender_reports.pop_front();
        }
        self.sender_reports.push_back((middle, now));
    }

    /// RTCP of the receiver came, whatever it says.
    pub fn heard(&mut self, now: Duration) {
        self.heard = Some(now);
        if self.open.is_some_and(|open| open.why == Trip::Silence) {
            self.close(now);
        }
    }

    /// The receiver reports about the stream.
    pub fn report(&mut self, report: Report, now: Duration) {
        self.heard(now);
        self.round_trip = self.measured(report, now).unwrap_or(self.round_trip);
        let before = self.last_report.replace((now, report.highest));
        let began = before.map(|(at, _)| at).or(self.flows.map(|(since, _)| since));
        let Some(began) = began.filter(|_| self.gathered.packets > 0.0 && self.open.is_none()) else {
            self.gathered = Interval::default();
            return;
        };
        let seconds = now.saturating_sub(began).as_secs_f64();
        self.gathered.seconds += seconds;
        self.gathered.lost += seconds * f64::from(report.fraction_lost) / 256.0;
        // Of two receivers each extends the numbers by its own turns.
        self.gathered.moved |= before.is_none_or(|(_, highest)| (highest ^ report.highest) & 0xFFFF != 0);
        if self.gathered.seconds >= INTERVAL {
            self.judge(now);
        }
    }

    /// An interval is complete.
    fn judge(&mut self, now: Duration) {
        let interval = std::mem::take(&mut self.gathered);
        self.stalled = if interval.moved { 0 } else { self.stalled + 1 };
        self.window.push_back(interval);
        let mean = Interval::sum(&self.window).seconds / count(self.window.len());
        let wanted = self.intervals(mean);
        while count(self.window.len()) > wanted {
            self.window.pop_front();
        }
        let covered = Interval::sum(&self.window);
        let span = Duration::try_from_secs_f64(covered.seconds).unwrap_or(LONGEST_PAUSE);
        if f64::from(self.stalled) >= (STALLED * self.round_trip.max(mean) / mean).ceil() {
            self.trip(Trip::NothingArrives, span, now);
        } else if count(self.window.len()) >= wanted && covered.rate() > TIMES_TCP * self.tcp(&covered) {
            self.trip(Trip::Overload, span, now);
        }
    }

    /// How many intervals are looked at together: `CB_INTERVAL` of section 4.3, with one frame a group.
    fn intervals(&self, mean: f64) -> f64 {
        let long = (10.0 * FRAME).max(10.0 * self.round_trip).max(3.0 * mean);
        let most = 3.0 * REPORTING.as_secs_f64();
        (long.min(most) / mean).ceil().max(1.0)
    }

    /// What TCP would send, in bytes a second; infinite where nothing limits it.
    fn tcp(&self, covered: &Interval) -> f64 {
        let loss = (covered.lost / covered.seconds).min(1.0);
        let size = covered.bytes / covered.packets;
        let short = self.round_trip * (2.0 * loss / 3.0).sqrt();
        let waiting = (4.0 * self.round_trip).max(LEAST_TIMEOUT)
            * 3.0
            * (3.0 * loss / 8.0).sqrt()
            * loss
            * (1.0 + 32.0 * loss * loss);
        size / if self.controlled { short } else { short + waiting }
    }

    /// The round trip that a report shows (RFC 3550, section 6.4.1).
    fn measured(&self, report: Report, now: Duration) -> Option<f64> {
        let named = |(middle, _): &&(u32, Duration)| *middle == report.last_sender_report && *middle != 0;
        let (_, left) = self.sender_reports.iter().find(named)?;
        let there = f64::from(report.delay) / 65_536.0;
        Some((now.saturating_sub(*left).as_secs_f64() - there).max(0.0))
    }

    fn is_silent(&self, now: Duration) -> bool {
        let Some(((since, last), heard)) = self.flows.zip(self.heard) else {
            return false;
        };
        let flows = now.saturating_sub(last) < REPORTING;
        flows && now.saturating_sub(heard.max(since)) >= 3 * REPORTING
    }

    fn trip(&mut self, why: Trip, took: Duration, now: Duration) {
        let came_to_nothing = now.saturating_sub(self.closed) < LONGEST_PAUSE;
        let pause = if came_to_nothing { self.pause } else { PAUSE };
        self.pause = (2 * pause).min(LONGEST_PAUSE);
        let until = now.saturating_add(pause.max(took));
        self.open = Some(Open { why, until });
        self.forget();
    }

    /// The stream may try again.
    fn close(&mut self, now: Duration) {
        self.open = None;
        self.closed = now;
        self.forget();
    }

    /// What was measured before a pause says nothing about the time after it.
    fn forget(&mut self) {
        self.flows = None;
        self.last_report = None;
        self.gathered = Interval::default();
        self.window.clear();
        self.stalled = 0;
    }
}

impl Interval {
    fn sum<'a>(intervals: impl IntoIterator<Item = &'a Self>) -> Self {
        intervals.into_iter().fold(Self::default(), |sum, one| Self {
            seconds: sum.seconds + one.seconds,
            lost: sum.lost + one.lost,
            packets: sum.packets + one.packets,
            bytes: sum.bytes + one.bytes,
            moved: sum.moved || one.moved,
        })
    }

    /// Bytes a second.
    fn rate(&self) -> f64 {
        self.bytes / self.seconds
    }
}

fn count(intervals: usize) -> f64 {
    f64::from(u32::try_from(intervals).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
