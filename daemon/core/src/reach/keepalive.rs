//! Proof of life of one connection.
//!
//! `Ask{n}` → `Answer{n, m}` → `Confirm{m}`: the answer proves the round trip to the asking side, the confirmation proves
//! it to the answering side. Every datagram says whether its sender would ring. The dialing side asks on the common tick;
//! the listening side asks by itself when it has had no proof for a while. An unanswered question is repeated with
//! growing pauses. What is said here travels sealed, see [`super::pulse`].
//!
//! Invariants: `last_proof` moves only when a number that this side drew comes back, and only while that is still news:
//! what waited in the socket of a sleeping machine proves nothing.

use std::time::Duration;

use minicbor::{Decode, Encode};

use crate::bounds;
use crate::cbor;
use crate::message::Garbage;

/// In a call or while it rings, questions follow each other this fast.
const BUSY_PAUSE: Duration = Duration::from_millis(250);
/// In a call, a question that is unanswered for this long, or for twice as long as the last answer took, starts the search for another
/// path.
const BUSY_SILENCE: Duration = Duration::from_millis(500);
/// On a slow path it takes so long at most.
const BUSY_SILENCE_MOST: Duration = Duration::from_millis(1500);
/// In a call, the listening side asks by itself after this long.
const BUSY_LISTENER: Duration = Duration::from_millis(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
enum Alive {
    #[n(0)]
    Ask(#[n(0)] u32, #[n(1)] bool),
    #[n(1)]
    Answer(#[n(0)] u32, #[n(1)] u32, #[n(2)] bool),
    #[n(2)]
    Confirm(#[n(0)] u32, #[n(1)] bool),
}

/// The state of one connection's keep-alive.
#[derive(Clone, Debug)]
pub struct Keepalive {
    dials: bool,
    began: Duration,
    last_proof: Option<Duration>,
    peer_rings: bool,
    numbers: u32,
    asked: Option<Asked>,
    answered: Option<Answered>,
    last_ask: Duration,
    /// How long the last answer took, reckoned from the first question that it found open.
    took: Duration,
    silence_told: bool,
    doubted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    open: Open,
    /// The first question that is not answered yet.
    since: Duration,
    /// The last one.
    at: Duration,
    repeats: usize,
}

#[derive(Clone, Copy, Debug)]
struct Answered {
    open: Open,
    at: Duration,
}

/// Numbers drawn and not yet come back: on a slow path several are under way at once.
#[derive(Clone, Copy, Debug)]
struct Open {
    first: u32,
    last: u32,
}

impl Open {
    const fn contains(&self, number: u32) -> bool {
        number.wrapping_sub(self.first) <= self.last.wrapping_sub(self.first)
    }
}

/// What [`Keepalive::poll`] wants done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// A datagram to send.
    pub send: Option<Vec<u8>>,
    /// The path is silent: look for another. Told once for each silence.
    pub search: bool,
    /// The connection has been without proof for too long.
    pub close: bool,
}

impl Keepalive {
    /// The keep-alive of a new connection. `number` is where its numbers begin.
    #[must_use]
    pub const fn new(dials: bool, number: u32, now: Duration) -> Self {
        Self {
            dials,
            began: now,
            last_proof: None,
            peer_rings: false,
            numbers: number,
            asked: None,
            answered: None,
            last_ask: now,
            took: Duration::ZERO,
            silence_told: false,
            doubted: false,
        }
    }

    /// When the path was last proven; `None` while that is in doubt.
    #[must_use]
    pub const fn last_proof(&self) -> Option<Duration> {
        if self.doubted { None } else { self.last_proof }
    }

    /// When the path last worked, in doubt or not: silence is reckoned from here.
    #[must_use]
    pub const fn last_sign(&self) -> Option<Duration> {
        self.last_proof
    }

    /// Whether this side asks on the tick.
    #[must_use]
    pub const fn asks_on_tick(&self) -> bool {
        self.dials
    }

    /// Whether the peer said that it would ring.
    #[must_use]
    pub const fn peer_rings(&self) -> bool {
        self.peer_rings
    }

    /// Takes the proof for stale: the machine slept, or the peer started anew. The path gets the usual time to show
    /// that it works.
    pub const fn doubt(&mut self, now: Duration) {
        self.began = now;
        self.doubted = true;
        self.asked = None;
        self.answered = None;
    }

    /// Whether the path was doubted or fell silent, and has not been proven since.
    #[must_use]
    pub const fn is_doubted(&self) -> bool {
        self.doubted || self.silence_told
    }

    /// Whether a question has been without an answer for so long.
    #[must_use]
    pub fn is_unanswered(&self, patience: Duration, now: Duration) -> bool {
        self.asked.is_some_and(|asked| now >= asked.since + patience)
    }

    /// Goes on where the connection that this one replaces stood: its handshake was a round trip, so what was proven
    /// before it still counts.
    pub const fn carry_over(&mut self, before: &Self) {
        self.last_proof = before.last_proof;
        self.peer_rings = before.peer_rings;
    }

    /// Asks now.
    pub fn ask(&mut self, rings: bool, now: Duration) -> Vec<u8> {
        let number = self.draw();
        let before = self.asked.filter(|asked| is_news(asked.at, now));
        let first = before.map_or(number, |asked| asked.open.first);
        self.asked = Some(Asked {
            open: Open { first, last: number },
            since: self.asked.map_or(now, |asked| asked.since),
            at: now,
            repeats: 0,
        });
        self.last_ask = now;
        cbor::encode(&Alive::Ask(number, rings))
    }

    /// Takes a datagram; gives the one to send back.
    ///
    /// # Errors
    /// [`Garbage`] for what is no keep-alive.
    pub fn receive(&mut self, bytes: &[u8], rings: bool, now: Duration) -> Result<Option<Vec<u8>>, Garbage> {
        match cbor::decode(bytes).ok_or(Garbage)? {
            Alive::Ask(number, peer_rings) => {
                self.peer_rings = peer_rings;
                let own = self.draw();
                let before = self.answered.filter(|answered| is_news(answered.at, now));
                let first = before.map_or(own, |answered| answered.open.first);
                self.answered = Some(Answered {
                    open: Open { first, last: own },
                    at: now,
                });
                Ok(Some(cbor::encode(&Alive::Answer(number, own, rings))))
            }
            Alive::Answer(number, theirs, peer_rings) => {
                let is_awaited = |asked: Asked| asked.open.contains(number) && is_news(asked.at, now);
                let Some(asked) = self.asked.take_if(|asked| is_awaited(*asked)) else {
                    return Ok(None);
                };
                self.took = now.saturating_sub(asked.since);
                self.proven(peer_rings, now);
                Ok(Some(cbor::encode(&Alive::Confirm(theirs, rings))))
            }
            Alive::Confirm(number, peer_rings) => {
                let is_awaited = |answered: &Answered| answered.open.contains(number) && is_news(answered.at, now);
                if let Some(Answered { open, at }) = self.answered.filter(is_awaited) {
                    let left = Open {
                        first: number.wrapping_add(1),
                        last: open.last,
                    };
                    self.answered = (open.last != number).then_some(Answered { open: left, at });
                    self.proven(peer_rings, now);
                }
                Ok(None)
            }
        }
    }

    /// What is due. `busy` while a call rings or runs.
    pub fn poll(&mut self, rings: bool, busy: bool, now: Duration) -> Wish {
        let mut wish = Wish {
            close: now >= self.proof_or_start() + bounds::CLOSED_AFTER,
            ..Wish::default()
        };
        if self.next_send(busy).is_some_and(|due| due <= now) {
            let repeats = self.asked.map_or(0, |asked| asked.repeats + 1);
            wish.send = Some(self.ask(rings, now));
            if let Some(asked) = &mut self.asked {
                asked.repeats = repeats;
            }
        }
        if self.silent_from(busy).is_some_and(|due| due <= now) && !self.silence_told {
            self.silence_told = true;
            wish.search = true;
        }
        wish
    }

    /// When [`Self::poll`] has something to do next.
    #[must_use]
    pub fn next_timeout(&self, busy: bool) -> Duration {
        let silent = self.silent_from(busy).filter(|_| !self.silence_told);
        let close = self.proof_or_start() + bounds::CLOSED_AFTER;
        [self.next_send(busy), silent]
            .into_iter()
            .flatten()
            .fold(close, Duration::min)
    }

    fn next_send(&self, busy: bool) -> Option<Duration> {
        match self.asked {
            Some(asked) if busy => Some(asked.at + BUSY_PAUSE),
            Some(asked) => {
                let last = bounds::ALIVE_REPEATS.last().copied().unwrap_or(bounds::TICK);
                Some(asked.at + bounds::ALIVE_REPEATS.get(asked.repeats).copied().unwrap_or(last))
            }
            None if self.dials => busy.then(|| self.last_ask + BUSY_PAUSE),
            // Being asked is not enough: the confirmation may be lost, and the asking side does not know.
            None if busy => Some(self.proof_or_start().max(self.last_ask) + BUSY_LISTENER),
            None => Some(self.proof_or_start().max(self.last_ask) + bounds::LISTENER_SILENCE),
        }
    }

    fn silent_from(&self, busy: bool) -> Option<Duration> {
        if busy {
            let patience = (self.took * 2).clamp(BUSY_SILENCE, BUSY_SILENCE_MOST);
            return self.asked.map(|asked| asked.since + patience);
        }
        let asked = self
            .asked
            .filter(|asked| asked.repeats >= bounds::ALIVE_REPEATS.len())?;
        Some(asked.at)
    }

    fn proof_or_start(&self) -> Duration {
        self.last_proof.unwrap_or(self.began).max(self.began)
    }

    const fn proven(&mut self, peer_rings: bool, now: Duration) {
        self.last_proof = Some(now);
        self.doubted = false;
        self.peer_rings = peer_rings;
        self.silence_told = false;
    }

    const fn draw(&mut self) -> u32 {
        self.numbers = self.numbers.wrapping_add(1);
        self.numbers
    }
}

/// Whether what comes back now answers what was sent then.
fn is_news(sent: Duration, now: Duration) -> bool {
    now < sent + bounds::REPLY_PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn one_exchange_proves_the_path_to_both() {
        let (mut dialer, mut listener) = (Keepalive::new(true, 5, at(0)), Keepalive::new(false, 900, at(0)));
        let ask = dialer.ask(true, at(10));
        let answer = listener.receive(&ask, true, at(20)).expect("ours").expect("answer");
        assert_eq!(listener.last_proof(), None);
        let confirm = dialer
            .receive(&answer, true, at(30))
            .expect("ours")
            .expect("confirmation");
        assert_eq!(dialer.last_proof(), Some(at(30)));
        assert_eq!(listener.receive(&confirm, true, at(40)), Ok(None));
        assert_eq!(listener.last_proof(), Some(at(40)));
        assert_eq!(dialer.receive(&answer, true, at(50)), Ok(None));
        assert_eq!(dialer.last_proof(), Some(at(30)));
    }

    #[test]
    fn a_slow_path_is_proven_although_questions_overtake_answers() {
        let (mut dialer, mut listener) = (Keepalive::new(true, 5, at(0)), Keepalive::new(false, 900, at(0)));
        let first = dialer.ask(true, at(0));
        let answer = listener.receive(&first, true, at(700)).expect("ours").expect("answer");
        let second = dialer.poll(true, true, at(500)).send.expect("repeat");
        let _ = listener.receive(&second, true, at(1200)).expect("ours");
        let confirm = dialer
            .receive(&answer, true, at(1400))
            .expect("ours")
            .expect("confirmation");
        assert_eq!(dialer.last_proof(), Some(at(1400)));
        let _ = listener.receive(&confirm, true, at(2100));
        assert_eq!(listener.last_proof(), Some(at(2100)));
    }

    #[test]
    fn a_lost_confirmation_makes_the_listening_side_ask() {
        let (mut dialer, mut listener) = (Keepalive::new(true, 5, at(0)), Keepalive::new(false, 900, at(0)));
        let ask = dialer.ask(true, at(20_000));
        let _ = listener.receive(&ask, true, at(20_010));
        assert_eq!(listener.next_timeout(false), bounds::LISTENER_SILENCE);
    }

    #[test]
    fn an_answer_that_was_slept_through_proves_nothing() {
        let (mut dialer, mut listener) = (Keepalive::new(true, 5, at(0)), Keepalive::new(false, 900, at(0)));
        let ask = dialer.ask(true, at(0));
        let answer = listener.receive(&ask, true, at(20)).expect("ours").expect("answer");
        let hour = at(3_600_000);
        assert_eq!(dialer.clone().receive(&answer, true, hour), Ok(None));
        let _ = dialer.poll(true, false, hour);
        assert_eq!(dialer.receive(&answer, true, hour), Ok(None));
        assert_eq!(dialer.last_proof(), None);
    }

    #[test]
    fn a_call_on_an_idle_path_is_no_silence() {
        let mut dialer = Keepalive::new(true, 5, at(0));
        let ask = dialer.ask(true, at(0));
        let mut listener = Keepalive::new(false, 900, at(0));
        let answer = listener.receive(&ask, true, at(1)).expect("ours").expect("answer");
        let _ = dialer.receive(&answer, true, at(2));
        let wish = dialer.poll(true, true, at(15_000));
        assert!(wish.send.is_some() && !wish.search);
        assert!(!dialer.poll(true, true, at(15_400)).search);
        assert!(dialer.poll(true, true, at(15_500)).search);
    }

    /// A path over satellites answers each question after 700 ms, which is no silence.
    #[test]
    fn a_call_on_a_slow_path_is_no_silence() {
        let (mut dialer, mut listener) = (Keepalive::new(true, 5, at(0)), Keepalive::new(false, 900, at(0)));
        let ask = dialer.ask(true, at(0));
        let mut under_way = std::collections::VecDeque::from([(at(700), ask)]);
        let mut now = at(0);
        while now < at(20_000) {
            now += at(10);
            while let Some((_, ask)) = under_way.pop_front_if(|(due, _)| *due <= now) {
                let answer = listener.receive(&ask, true, now).expect("ours").expect("answer");
                let _ = dialer.receive(&answer, true, now).expect("ours");
            }
            let wish = dialer.poll(true, true, now);
            assert!(!wish.search || now < at(2000), "{now:?}");
            under_way.extend(wish.send.map(|ask| (now + at(700), ask)));
        }
    }

    #[test]
    fn silence_is_told_once_and_then_the_connection_is_given_up() {
        let mut dialer = Keepalive::new(true, 5, at(0));
        let _ = dialer.ask(true, at(0));
        let (mut searches, mut asks) = (0, 0);
        loop {
            let due = dialer.next_timeout(false);
            let wish = dialer.poll(true, false, due);
            searches += usize::from(wish.search);
            asks += usize::from(wish.send.is_some());
            if wish.close {
                assert_eq!(due, bounds::CLOSED_AFTER);
                break;
            }
        }
        assert_eq!(searches, 1);
        assert!((10..20).contains(&asks), "{asks}");
    }
}
