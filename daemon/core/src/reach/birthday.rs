//! A path where one side's NAT gives each destination another port.
//!
//! Nobody can know the port beforehand, so the side behind such a *hard* NAT opens many sockets, each of which sends a packet
//! towards the other side and so gets a port of its own; the side behind an *easy* NAT, whose port is known, guesses at ports
//! of the hard side's address until one fits (the birthday paradox). Guesses go through the whole range by steps of the golden
//! ratio, so that ports which a router gives out in a row are met as soon as ports that it draws.
//!
//! A birthday costs much, so it is tried at once when something new is known, and then at ever fewer meetings. All who try
//! seldom try at moments of Unix time at which those who try more often do as well.

use std::ops::Range;
use std::time::Duration;

use crate::bounds;
use crate::time::UnixSeconds;

/// The ports that NATs give out: a socket's above 1023 becomes one above 1023.
const FIRST_PORT: u32 = 1024;
const PORTS: u32 = 65_536 - FIRST_PORT;
/// The golden section of [`PORTS`], without a divisor in common with it.
const STEP: u32 = 39_871;
/// Spares that send at once, and the pause before the next ones do.
const WAVE: u16 = 32;
const WAVE_PAUSE: Duration = Duration::from_millis(25);
/// When all spares send, and how many hops these packets live: enough for one router, then for a carrier's as well, then
/// again before the routers forget.
const WAVES: [(Duration, u8); 6] = [
    (Duration::ZERO, 2),
    (Duration::from_millis(300), 4),
    (Duration::from_secs(10), 4),
    (Duration::from_secs(20), 4),
    (Duration::from_secs(30), 4),
    (Duration::from_secs(40), 4),
];
/// Birthdays in vain that do not yet make them rarer.
const FREELY: u32 = 3;
/// At the least one of so many meetings, as a power of two, is used.
const RAREST: u32 = 9;

/// What one side does in a birthday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Behind the hard NAT: opens sockets.
    Spread,
    /// Behind the easy NAT: guesses ports.
    Guess,
}

/// One birthday under way.
#[derive(Clone, Debug)]
pub struct Birthday {
    role: Role,
    began: Duration,
    /// Numbers of the spares.
    spares: Range<u16>,
    /// Where the guesses begin.
    start: u32,
    /// Guesses made, or waves of packets sent.
    done: u32,
    /// Spares of the present wave that have sent.
    sent: u16,
}

/// What is to be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// These spares send one packet each, which lives so many hops.
    Reach {
        /// Which.
        spares: Range<u16>,
        /// Their packets' life.
        hops: u8,
    },
    /// A knock at each of these ports.
    Guess(Vec<u16>),
}

impl Birthday {
    /// Begins one. `spares` are free numbers; `chance` is any number.
    #[must_use]
    pub fn new(role: Role, spares: Range<u16>, chance: u64, now: Duration) -> Self {
        Self {
            role,
            began: now,
            spares,
            start: u32::try_from(chance % u64::from(PORTS)).unwrap_or_default(),
            done: 0,
            sent: 0,
        }
    }

    /// What this side does.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The numbers of its spares; none where it guesses.
    #[must_use]
    pub fn spares(&self) -> Range<u16> {
        match self.role {
            Role::Spread => self.spares.clone(),
            Role::Guess => 0..0,
        }
    }

    /// Whether it came to nothing.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        match self.role {
            Role::Spread => now >= self.began + bounds::BIRTHDAY,
            Role::Guess => self.done >= bounds::GUESSES,
        }
    }

    /// When [`Self::poll`] or [`Self::is_over`] has something new to say.
    #[must_use]
    pub fn next_timeout(&self) -> Duration {
        match self.role {
            Role::Spread => self.next_wave().unwrap_or(self.began + bounds::BIRTHDAY),
            Role::Guess => self.began + bounds::GUESS_PAUSE * (self.done / bounds::GUESSES_AT_ONCE),
        }
    }

    fn next_wave(&self) -> Option<Duration> {
        let (at, _) = WAVES.get(usize::try_from(self.done).ok()?)?;
        Some(self.began + *at + WAVE_PAUSE * u32::from(self.sent / WAVE))
    }

    /// What is due, if anything.
    pub fn poll(&mut self, now: Duration) -> Option<Deed> {
        if self.is_over(now) || now < self.next_timeout() {
            return None;
        }
        match self.role {
            Role::Spread => self.reach(),
            Role::Guess => Some(self.guess()),
        }
    }

    fn reach(&mut self) -> Option<Deed> {
        let (_, hops) = *WAVES.get(usize::try_from(self.done).ok()?)?;
        let from = self.spares.start.saturating_add(self.sent);
        let to = from.saturating_add(WAVE).min(self.spares.end);
        self.sent = self.sent.saturating_add(WAVE);
        if to >= self.spares.end {
            self.sent = 0;
            self.done += 1;
        }
        Some(Deed::Reach { spares: from..to, hops })
    }

    fn guess(&mut self) -> Deed {
        let to = (self.done + bounds::GUESSES_AT_ONCE).min(bounds::GUESSES);
        let ports = (self.done..to).map(|number| self.port(number)).collect();
        self.done = to;
        Deed::Guess(ports)
    }

    fn port(&self, number: u32) -> u16 {
        let place = (u64::from(self.start) + u64::from(number) * u64::from(STEP)) % u64::from(PORTS);
        u16::try_from(place + u64::from(FIRST_PORT)).unwrap_or(u16::MAX)
    }
}

/// Whether a birthday may be tried at this moment, after `vain` ones since the last news.
#[must_use]
pub const fn may_try(vain: u32, wall: UnixSeconds) -> bool {
    let rare = vain.saturating_sub(FREELY);
    let rare = if rare < RAREST { rare } else { RAREST };
    vain == 0 || (wall / bounds::MEETING.as_secs()).trailing_zeros() >= rare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deeds(role: Role) -> Vec<(Duration, Deed)> {
        let mut birthday = Birthday::new(role, 512..768, 12_345, Duration::from_secs(9));
        let mut deeds = Vec::new();
        loop {
            let at = birthday.next_timeout();
            if birthday.is_over(at) {
                return deeds;
            }
            deeds.extend(birthday.poll(at).map(|deed| (at, deed)));
        }
    }

    #[test]
    fn guesses_are_bounded_in_number_and_rate_and_never_the_same() {
        let mut ports = std::collections::BTreeSet::new();
        let mut last = Duration::ZERO;
        for (at, deed) in deeds(Role::Guess) {
            let Deed::Guess(guessed) = deed else { panic!("{deed:?}") };
            assert!(guessed.len() <= 5 && at >= last + bounds::GUESS_PAUSE);
            last = at;
            assert!(guessed.iter().all(|port| *port >= 1024 && ports.insert(*port)));
        }
        assert_eq!(ports.len(), 2048);
        assert!(last < Duration::from_secs(9 + 41));
    }

    #[test]
    fn ports_in_a_row_are_met_as_soon_as_any() {
        let birthday = Birthday::new(Role::Guess, 0..0, 777, Duration::ZERO);
        for first in (1024..65_000_u16).step_by(997) {
            let row = first..first.saturating_add(256);
            let met = (0..bounds::GUESSES).position(|number| row.contains(&birthday.port(number)));
            assert!(met.is_some_and(|met| met < 700), "{first}: {met:?}");
        }
    }

    #[test]
    fn every_spare_sends_at_each_wave() {
        let mut sent = std::collections::BTreeMap::new();
        for (at, deed) in deeds(Role::Spread) {
            let Deed::Reach { spares, hops } = deed else {
                panic!("{deed:?}")
            };
            assert!(at <= Duration::from_secs(9) + bounds::BIRTHDAY);
            for spare in spares {
                sent.entry(spare).or_insert_with(Vec::new).push(hops);
            }
        }
        assert_eq!(sent.len(), 256);
        assert!(sent.keys().all(|spare| (512..768).contains(spare)));
        assert!(sent.values().all(|hops| *hops == [2, 4, 4, 4, 4, 4]));
    }

    #[test]
    fn who_tries_seldom_tries_when_others_do() {
        assert!((0..100).all(|minute| may_try(0, minute * 60 + 7) && may_try(3, minute * 60)));
        for vain in 4..20 {
            for minute in 0..3000 {
                let wall = minute * 60 + 21;
                assert!(!may_try(vain + 1, wall) || may_try(vain, wall));
            }
        }
        let tries = (0..1024).filter(|minute| may_try(50, minute * 60)).count();
        assert_eq!(tries, 2);
    }
}
