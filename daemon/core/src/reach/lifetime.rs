//! How long a way through a NAT or a firewall stays open that nothing passes through (RFC 4787, section 4.3), measured as RFC 5780,
//! section 4.6 does it, beside the one socket, whose own ways are used and must not be tried out.
//!
//! Each step has a socket of its own. It speaks with a STUN server twice, with a pause between, since netfilter keeps a conversation
//! longer than a first packet; then it falls silent. When its silence is over, yet another socket, the *asker*, has the server answer
//! to the port that the silent one had (RESPONSE-PORT). What arrives there shows that the way is still open.
//!
//! A first step without any silence shows that the server does this at all; where nothing arrives, nothing is learnt, and the rest is
//! not begun. The steps run side by side, each begun a moment after the one before, so the whole takes as long as the longest one that
//! is open, and one more. Steps are over when two in a row are shut, for one alone may have lost its packets.
//!
//! Invariants: sixteen packets a step at most; what is not an answer to an outstanding question, at the socket where it is expected,
//! from the server, changes nothing.

use std::net::SocketAddr;
use std::time::Duration;

use crate::bounds;
use crate::reach::stun::{Message, Request, Transaction};
use crate::rng::Rng;

/// What is known of how long silence may last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// After so much silence a way was still open.
    pub at_least: Option<Duration>,
    /// After so much it was not.
    pub at_most: Option<Duration>,
}

impl Lifetime {
    /// A way was open after so much silence. True where that is news.
    pub fn stretch(&mut self, silence: Duration) -> bool {
        let is_news = self.at_least.is_none_or(|before| silence > before);
        if is_news {
            self.at_least = Some(silence);
            self.at_most = self.at_most.filter(|shut| *shut > silence);
        }
        is_news
    }
}

/// What comes of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is known.
    Measured(Lifetime),
    /// The server does not do what this needs.
    Unable,
}

/// A question on its way to the server: through which spare, counted from the first of this measurement.
pub type Question = (u16, Vec<u8>);

/// One measurement.
#[derive(Debug)]
pub struct Probe {
    server: SocketAddr,
    /// The step without silence first.
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// Which spare.
    spare: u16,
    silence: Duration,
    stage: Stage,
}

/// Questions that may still be answered.
#[derive(Debug)]
struct Asked {
    tx: Transaction,
    at: Duration,
    sent: usize,
}

#[derive(Debug)]
enum Stage {
    /// Waits for the one without silence.
    Waiting,
    /// The server is asked where it sees the socket: for the first time, then once more.
    Speaking { asked: Asked, before: Option<SocketAddr> },
    /// It has answered once.
    Pausing { until: Duration, seen: SocketAddr },
    /// Nothing passes.
    Silent { until: Duration, port: u16 },
    /// The asker asks.
    Asking { asked: Asked, port: u16 },
    /// What came of it; `None` where the server did not answer to begin with.
    Over(Option<bool>),
}

/// The socket that asks.
const ASKER: u16 = 0;

const _: () = assert!(
    Probe::SPARES as usize == bounds::LIFETIME_STEPS.len() + 2,
    "a spare each"
);

impl Asked {
    fn new(rng: &mut Rng, now: Duration) -> Self {
        Self {
            tx: rng.bytes(),
            at: now,
            sent: 0,
        }
    }

    fn due(&self) -> Option<Duration> {
        bounds::STUN_SENDS.get(self.sent).map(|offset| self.at + *offset)
    }

    fn until(&self) -> Duration {
        self.at + bounds::STUN_TEST_PATIENCE
    }

    /// What is to be sent now.
    fn poll(&mut self, answer_to: Option<u16>, now: Duration) -> Option<Vec<u8>> {
        self.due().filter(|due| now >= *due)?;
        self.sent += 1;
        let request = Request {
            tx: self.tx,
            answer_to,
            ..Request::default()
        };
        Some(request.to_bytes())
    }

    fn next_timeout(&self) -> Duration {
        self.due().map_or(self.until(), |due| due.min(self.until()))
    }
}

impl Step {
    fn new(spare: u16, silence: Duration) -> Self {
        Self {
            spare,
            silence,
            stage: Stage::Waiting,
        }
    }

    fn begin(&mut self, rng: &mut Rng, now: Duration) {
        self.stage = Stage::Speaking {
            asked: Asked::new(rng, now),
            before: None,
        };
    }

    const fn outcome(&self) -> Option<bool> {
        match self.stage {
            Stage::Over(outcome) => outcome,
            Stage::Waiting
            | Stage::Speaking { .. }
            | Stage::Pausing { .. }
            | Stage::Silent { .. }
            | Stage::Asking { .. } => None,
        }
    }

    const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    fn next_timeout(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Waiting | Stage::Over(_) => None,
            Stage::Speaking { asked, .. } | Stage::Asking { asked, .. } => Some(asked.next_timeout()),
            Stage::Pausing { until, .. } | Stage::Silent { until, .. } => Some(*until),
        }
    }

    fn poll(&mut self, rng: &mut Rng, now: Duration) -> Option<Question> {
        self.advance(rng, now);
        match &mut self.stage {
            Stage::Speaking { asked, .. } => Some((self.spare, asked.poll(None, now)?)),
            Stage::Asking { asked, port } => Some((ASKER, asked.poll(Some(*port), now)?)),
            Stage::Waiting | Stage::Pausing { .. } | Stage::Silent { .. } | Stage::Over(_) => None,
        }
    }

    fn advance(&mut self, rng: &mut Rng, now: Duration) {
        match &self.stage {
            Stage::Speaking { asked, .. } if now >= asked.until() => self.stage = Stage::Over(None),
            Stage::Asking { asked, .. } if now >= asked.until() => self.stage = Stage::Over(Some(false)),
            Stage::Pausing { until, seen } if now >= *until => {
                self.stage = Stage::Speaking {
                    asked: Asked::new(rng, now),
                    before: Some(*seen),
                };
            }
            Stage::Silent { until, port } if now >= *until => {
                self.stage = Stage::Asking {
                    asked: Asked::new(rng, now),
                    port: *port,
                };
            }
            Stage::Waiting
            | Stage::Speaking { .. }
            | Stage::Pausing { .. }
            | Stage::Silent { .. }
            | Stage::Asking { .. }
            | Stage::Over(_) => {}
        }
    }

    /// What the server said through a spare.
    fn take(&mut self, spare: u16, message: &Message, now: Duration) {
        let is_it = |asked: &Asked, tx: &Transaction| asked.sent > 0 && asked.tx == *tx;
        self.stage = match (&self.stage, message) {
            (Stage::Speaking { asked, before }, Message::Response(response))
                if spare == self.spare && is_it(asked, &response.tx) =>
            {
                match before {
                    None => Stage::Pausing {
                        until: now + bounds::LIFETIME_PAUSE,
                        seen: response.mapped,
                    },
                    Some(seen) if *seen == response.mapped => Stage::Silent {
                        until: now + self.silence,
                        port: seen.port(),
                    },
                    // Something moved meanwhile.
                    Some(_) => Stage::Over(None),
                }
            }
            (Stage::Asking { asked, .. }, Message::Response(response)) if is_it(asked, &response.tx) => {
                if spare == self.spare {
                    Stage::Over(Some(true))
                } else {
                    // It answers whoever asks.
                    Stage::Over(None)
                }
            }
            (Stage::Speaking { asked, .. } | Stage::Asking { asked, .. }, Message::Failure(tx)) if is_it(asked, tx) => {
                Stage::Over(None)
            }
            _ => return,
        };
    }
}

impl Probe {
    /// Begins one with a server.
    #[must_use]
    pub fn begin(server: SocketAddr, rng: &mut Rng, now: Duration) -> Self {
        let silences = std::iter::once(Duration::ZERO).chain(bounds::LIFETIME_STEPS);
        let mut steps: Vec<Step> = (ASKER + 1..)
            .zip(silences)
            .map(|(spare, silence)| Step::new(spare, silence))
            .collect();
        if let Some(first) = steps.first_mut() {
            first.begin(rng, now);
        }
        Self { server, steps }
    }

    /// How many spares it takes: one asks, one is for the step without silence.
    pub const SPARES: u16 = 11;

    /// Who is asked.
    #[must_use]
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// When [`Self::poll`] has something to do next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        if self.may_begin_all() {
            return Some(Duration::ZERO);
        }
        self.steps.iter().filter_map(Step::next_timeout).min()
    }

    /// The server has shown that it can, and the steps with silence wait for it.
    fn may_begin_all(&self) -> bool {
        let Some((first, rest)) = self.steps.split_first() else {
            return false;
        };
        first.outcome() == Some(true) && rest.iter().any(|step| matches!(step.stage, Stage::Waiting))
    }

    /// What is to be sent now.
    pub fn poll(&mut self, rng: &mut Rng, now: Duration) -> Vec<Question> {
        if self.may_begin_all() {
            let mut begin = now;
            for step in self
                .steps
                .iter_mut()
                .filter(|step| matches!(step.stage, Stage::Waiting))
            {
                step.begin(rng, begin);
                begin += bounds::LIFETIME_APART;
            }
        }
        self.steps.iter_mut().filter_map(|step| step.poll(rng, now)).collect()
    }

    /// Takes in what came through a spare.
    pub fn handle(&mut self, from: SocketAddr, spare: u16, message: &Message, now: Duration) {
        if from == self.server {
            self.steps.iter_mut().for_each(|step| step.take(spare, message, now));
        }
    }

    /// What has come of it; `None` as long as it is under way.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let (first, rest) = self.steps.split_first()?;
        if first.is_over() && first.outcome() != Some(true) {
            return Some(Outcome::Unable);
        }
        let is_shut = |step: &Step| step.outcome() == Some(false);
        let ends = rest.windows(2).any(|two| two.iter().all(is_shut));
        if !ends && !rest.iter().all(Step::is_over) {
            return None;
        }
        let mut lifetime = Lifetime::default();
        for step in rest.iter().filter(|step| step.outcome() == Some(true)) {
            lifetime.stretch(step.silence);
        }
        let longer = |step: &&Step| lifetime.at_least.is_none_or(|open| step.silence > open);
        lifetime.at_most = rest
            .iter()
            .filter(longer)
            .find(|step| is_shut(step))
            .map(|step| step.silence);
        Some(Outcome::Measured(lifetime))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::reach::stun::{self, Response};

    const SERVER: &str = "198.51.100.1:3478";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A router that forgets, and a server behind it.
    struct World {
        lifetime: Duration,
        /// The server answers to where it is told to; or to whoever asked; or refuses.
        answers: Answers,
        /// Every so many packets one is lost; 0 for none.
        loses: usize,
        packets: usize,
        /// When something last passed through each spare's way.
        passed: std::collections::BTreeMap<u16, Duration>,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Answers {
        ToPort,
        ToAsker,
        WithFailure,
        Never,
    }

    fn world(lifetime_s: u64) -> World {
        World {
            lifetime: Duration::from_secs(lifetime_s),
            answers: Answers::ToPort,
            loses: 0,
            packets: 0,
            passed: std::collections::BTreeMap::new(),
        }
    }

    impl World {
        fn run(&mut self) -> (Outcome, Duration) {
            let begin = Duration::from_secs(1000);
            let (mut rng, mut now) = (Rng::new([1; 32]), begin);
            let mut probe = Probe::begin(at(SERVER), &mut rng, now);
            loop {
                for (spare, bytes) in probe.poll(&mut rng, now) {
                    self.answer(&mut probe, spare, &bytes, now);
                }
                if let Some(outcome) = probe.outcome() {
                    return (outcome, now - begin);
                }
                now = probe.next_timeout().unwrap().max(now);
            }
        }

        fn answer(&mut self, probe: &mut Probe, spare: u16, bytes: &[u8], now: Duration) {
            self.packets += 1;
            assert!(spare < Probe::SPARES);
            if self.loses != 0 && self.packets.is_multiple_of(self.loses) {
                return;
            }
            let Some(Message::Request(request)) = stun::parse(bytes) else {
                panic!("a request")
            };
            let port = |spare: u16| 40_000 + spare;
            self.passed.insert(spare, now);
            let response = Response {
                tx: request.tx,
                mapped: at("203.0.113.7:1"),
                other: None,
            };
            let mapped = SocketAddr::new(response.mapped.ip(), port(spare));
            let response = Message::Response(Response { mapped, ..response });
            let Some(to) = request.answer_to else {
                return probe.handle(at(SERVER), spare, &response, now);
            };
            match self.answers {
                Answers::ToPort => {
                    let to = to - port(0);
                    let open = self.passed.get(&to).is_some_and(|last| now < *last + self.lifetime);
                    if open {
                        probe.handle(at("198.51.100.9:3478"), to, &response, now);
                        probe.handle(at(SERVER), to + 1, &Message::Failure([0; 12]), now);
                        probe.handle(at(SERVER), to, &response, now);
                    }
                }
                Answers::ToAsker => probe.handle(at(SERVER), spare, &response, now),
                Answers::WithFailure => probe.handle(at(SERVER), spare, &Message::Failure(request.tx), now),
                Answers::Never => {}
            }
        }
    }

    const fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn every_lifetime_is_found_between_two_steps() {
        for (lifetime, at_least, at_most) in [
            (5, None, Some(secs(10))),
            (15, Some(secs(10)), Some(secs(20))),
            (31, Some(secs(30)), Some(secs(45))),
            (65, Some(secs(60)), Some(secs(90))),
            (121, Some(secs(120)), Some(secs(180))),
            (200, Some(secs(180)), Some(secs(300))),
            (100_000, Some(secs(300)), None),
        ] {
            let mut world = world(lifetime);
            let (outcome, took) = world.run();
            assert_eq!(outcome, Outcome::Measured(Lifetime { at_least, at_most }), "{lifetime}");
            assert!(took < Duration::from_secs(330), "{took:?}");
            assert!(world.packets <= 16 * bounds::LIFETIME_STEPS.len(), "{}", world.packets);
        }
    }

    #[test]
    fn a_short_one_is_found_in_a_short_time() {
        let (_, took) = world(15).run();
        assert!(took < Duration::from_secs(45), "{took:?}");
    }

    #[test]
    fn a_lost_packet_changes_nothing() {
        for loses in [2, 3, 5] {
            let mut world = world(65);
            world.loses = loses;
            let found = Lifetime {
                at_least: Some(secs(60)),
                at_most: Some(secs(90)),
            };
            assert_eq!(world.run().0, Outcome::Measured(found), "every {loses}");
        }
    }

    #[test]
    fn a_server_that_cannot_shows_nothing_and_is_soon_left_alone() {
        for answers in [Answers::ToAsker, Answers::WithFailure, Answers::Never] {
            let mut world = world(65);
            world.answers = answers;
            let (outcome, took) = world.run();
            assert_eq!(outcome, Outcome::Unable);
            assert!(world.packets <= 6 && took < Duration::from_secs(10), "{took:?}");
        }
    }

    #[test]
    fn what_stays_open_longer_than_was_measured_is_believed() {
        let mut lifetime = Lifetime {
            at_least: Some(secs(30)),
            at_most: Some(secs(45)),
        };
        assert!(!lifetime.stretch(Duration::from_secs(20)));
        assert!(lifetime.stretch(Duration::from_secs(40)));
        assert_eq!(lifetime.at_most, Some(secs(45)));
        assert!(lifetime.stretch(Duration::from_secs(50)));
        assert_eq!((lifetime.at_least, lifetime.at_most), (Some(secs(50)), None));
    }
}
