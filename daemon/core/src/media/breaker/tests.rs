//! The breaker against a reckoned path: what a sender does, what the receiver would report of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

const SIZE: usize = 1000;

/// A sender of one stream, and the receiver's reports, one a second.
struct Path {
    breaker: Breaker,
    now: Duration,
    /// Packets a second.
    pace: u32,
    /// Of 256.
    lost: u8,
    round_trip: Duration,
    reports: bool,
    arrives: bool,
    highest: u32,
}

impl Path {
    fn new(controlled: bool, pace: u32, lost: u8, round_trip: Duration) -> Self {
        Self {
            breaker: Breaker::new(controlled),
            now: Duration::from_secs(5),
            pace,
            lost,
            round_trip,
            reports: true,
            arrives: true,
            highest: 65_000,
        }
    }

    /// Lets a second pass; whether it was cut in it, and why.
    fn second(&mut self) -> Option<Trip> {
        let gap = Duration::from_secs(1) / self.pace;
        let (began, mut cut) = (self.now, None);
        for packet in 1..=self.pace {
            self.now = began + gap * packet;
            match self.breaker.open(self.now) {
                Some(why) => cut = Some(why),
                None => self.breaker.sent(SIZE, self.now),
            }
        }
        self.now = began + Duration::from_secs(1);
        let middle = u32::try_from(self.now.as_secs()).unwrap();
        self.breaker.sender_report(middle, self.now - self.round_trip);
        if cut.is_none() && self.arrives {
            self.highest += self.pace;
        }
        if self.reports {
            let report = Report {
                fraction_lost: self.lost,
                highest: self.highest,
                last_sender_report: middle,
                delay: 0,
            };
            self.breaker.report(report, self.now);
        }
        cut.or_else(|| self.breaker.open(self.now))
    }

    /// After how many seconds it was cut, within `most`.
    fn cut_after(&mut self, most: u32) -> Option<(u32, Trip)> {
        (1..=most).find_map(|second| self.second().map(|why| (second, why)))
    }

    /// Ten times what TCP would send, in packets a second.
    fn bound(&self) -> f64 {
        let loss = f64::from(self.lost) / 256.0;
        let all = Interval {
            seconds: 1.0,
            lost: loss,
            packets: 1.0,
            bytes: 1000.0,
            moved: true,
        };
        let mut breaker = Breaker::new(self.breaker.controlled);
        breaker.round_trip = self.round_trip.as_secs_f64();
        TIMES_TCP * breaker.tcp(&all) / 1000.0
    }
}

#[test]
fn a_blind_sender_of_twice_what_passes_is_cut_within_the_intervals_of_the_rfc() {
    // 4 Mbit/s, of which half arrive, over a path of 20 ms.
    let mut path = Path::new(false, 500, 128, Duration::from_millis(20));
    assert_eq!(path.cut_after(60), Some((3, Trip::Overload)));
    // Three intervals for short paths, more where the round trip is long.
    let mut path = Path::new(false, 500, 128, Duration::from_millis(650));
    assert_eq!(path.cut_after(60), Some((7, Trip::Overload)));
}

#[test]
fn the_equations_are_those_of_the_rfcs() {
    // RFC 5348: s = 1000, R = 100 ms, p = 1 %, t_RTO = 4 R.
    let path = Path::new(false, 100, 0, Duration::from_millis(100));
    let mut breaker = path.breaker;
    breaker.round_trip = 0.1;
    let all = Interval {
        seconds: 1.0,
        lost: 0.01,
        packets: 1.0,
        bytes: 1000.0,
        moved: true,
    };
    assert!((breaker.tcp(&all) - 112_245.0).abs() < 100.0, "{}", breaker.tcp(&all));
    breaker.controlled = true;
    assert!((breaker.tcp(&all) - 122_474.0).abs() < 100.0, "{}", breaker.tcp(&all));
}

#[test]
fn nothing_arrives() {
    let mut path = Path::new(true, 100, 0, Duration::from_millis(20));
    assert_eq!(path.cut_after(20), None);
    path.arrives = false;
    assert_eq!(path.cut_after(20), Some((5, Trip::NothingArrives)));
}

#[test]
fn silence_is_fifteen_seconds_and_ends_when_it_is_broken() {
    let mut path = Path::new(true, 50, 0, Duration::from_millis(20));
    assert_eq!(path.cut_after(5), None);
    path.reports = false;
    assert_eq!(path.cut_after(60), Some((15, Trip::Silence)));
    path.breaker.heard(path.now);
    assert_eq!(path.breaker.open(path.now), None);
}

#[test]
fn a_receiver_that_has_never_reported_is_the_links_to_watch() {
    let mut path = Path::new(false, 50, 0, Duration::from_millis(20));
    path.reports = false;
    assert_eq!(path.cut_after(120), None);
}

#[test]
fn who_sends_nothing_is_not_cut() {
    let mut breaker = Breaker::new(false);
    let report = Report {
        fraction_lost: 255,
        highest: 7,
        last_sender_report: 0,
        delay: 0,
    };
    for second in 0..100 {
        breaker.report(report, Duration::from_secs(second));
        assert_eq!(breaker.open(Duration::from_secs(second)), None);
    }
    assert_eq!(breaker.open(Duration::from_secs(200)), None, "nor by silence");
}

#[test]
fn it_tries_again_and_each_pause_is_longer_until_all_was_well_for_long() {
    let mut path = Path::new(false, 500, 128, Duration::from_millis(20));
    let mut pauses = Vec::new();
    for _ in 0..5 {
        assert!(path.cut_after(10).is_some());
        let mut pause = 0;
        while path.second().is_some() {
            pause += 1;
        }
        pauses.push(pause);
    }
    assert!(
        pauses.is_sorted() && pauses.first().is_some_and(|first| (9..=10).contains(first)),
        "{pauses:?}"
    );
    assert!(pauses.last().is_some_and(|last| (78..=80).contains(last)), "{pauses:?}");
    path.lost = 0;
    // What was lost in the first second of the new attempt may still count.
    let _ = path.cut_after(3);
    while path.second().is_some() {}
    assert_eq!(path.cut_after(100), None);
    path.lost = 128;
    assert!(path.cut_after(10).is_some());
    let mut pause = 0;
    while path.second().is_some() {
        pause += 1;
    }
    assert!((9..=10).contains(&pause), "{pause}");
}

proptest! {
    #[test]
    fn without_loss_no_rate_is_too_high(pace in 20u32..400, round_trip in 0u64..1000, controlled: bool) {
        let mut path = Path::new(controlled, pace, 0, Duration::from_millis(round_trip));
        prop_assert_eq!(path.cut_after(30), None);
    }

    #[test]
    fn ten_times_tcp_is_the_bound(lost in 1u8..=255, round_trip in 1u64..400, controlled: bool, share in 0.3f64..3.0) {
        let mut path = Path::new(controlled, 100, lost, Duration::from_millis(round_trip));
        let pace = (path.bound() * share).min(2000.0);
        prop_assume!(pace >= 10.0 && (share < 0.9 || (share > 1.1 && pace < 2000.0)));
        // A whole number of packets a second; the bound is far enough from both sides.
        path.pace = format!("{pace:.0}").parse().unwrap();
        let cut = path.cut_after(30);
        if share < 0.9 {
            prop_assert_eq!(cut, None, "at {} of {}", path.pace, path.bound());
        } else {
            prop_assert!(matches!(cut, Some((1..=5, Trip::Overload))), "{:?} at {} of {}", cut, path.pace, path.bound());
        }
    }

    #[test]
    fn a_pause_is_never_shorter_than_its_cause(
        steps in proptest::collection::vec((any::<u8>(), any::<u32>(), 1u64..3000, 0usize..300), 0..200),
        controlled: bool,
    ) {
        let (mut breaker, mut now, mut cut) = (Breaker::new(controlled), Duration::ZERO, None);
        for (fraction_lost, number, pause, packets) in steps {
            now += Duration::from_millis(pause);
            let report = Report { fraction_lost, highest: number, last_sender_report: number % 16, delay: number };
            breaker.sender_report(number % 16, now);
            (0..packets).for_each(|_| breaker.sent(SIZE, now));
            breaker.report(report, now);
            match (cut, breaker.open(now)) {
                (None, Some(_)) => cut = Some(now),
                (Some(since), None) => {
                    prop_assert!(now - since >= PAUSE);
                    cut = None;
                }
                (None, None) | (Some(_), Some(_)) => {}
            }
            prop_assert!(breaker.window.len() <= 16 && breaker.sender_reports.len() <= REMEMBERED);
        }
    }
}
