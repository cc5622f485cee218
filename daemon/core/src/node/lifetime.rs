//! When the lifetime of a silent way is measured ([`crate::reach::lifetime`]): once in a network, some minutes after it was first
//! looked at, or when the user looks at it, and never while another measurement runs.
//!
//! Invariants: nothing of it goes through the one socket; its spares are closed when it is over, and when the network changes or the
//! machine slept, for then it shows nothing.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::Node;
use crate::bounds;
use crate::event::Event;
use crate::io::Output;
use crate::reach::lifetime::{Outcome, Probe};
use crate::reach::stun::Message;
use crate::reach::via::Via;
use crate::time::Now;

/// What is measured, and what was.
#[derive(Debug, Default)]
pub(super) struct Measuring {
    probe: Option<Probe>,
    is_done: bool,
    /// Servers of this network that cannot.
    unable: BTreeSet<SocketAddr>,
    /// The first look at this network was over then.
    since: Option<Duration>,
}

impl Measuring {
    /// Whether it is under way.
    pub(super) const fn is_measuring(&self) -> bool {
        self.probe.is_some()
    }
}

const SPARES: Range<u16> = bounds::LIFETIME_SPARES..bounds::LIFETIME_SPARES + Probe::SPARES;

impl Node {
    /// Another network: whatever was measured, or is, was about the old one.
    pub(super) fn forget_lifetime(&mut self) {
        self.stop_measuring();
        self.network.lifetime = Measuring::default();
        self.network.evidence.forget_lifetime();
    }

    /// What is under way shows nothing any more.
    pub(super) fn stop_measuring(&mut self) {
        if self.network.lifetime.probe.take().is_some() {
            self.push(Output::CloseSpares { numbers: SPARES });
            self.event(Event::Network);
        }
    }

    /// Begins a measurement, if there is something to be measured and it was not measured yet.
    pub(super) fn measure_lifetime(&mut self, now: Now) {
        let network = &self.network;
        let measuring = &network.lifetime;
        let may = !measuring.is_done
            && measuring.probe.is_none()
            && measuring.unable.len() < bounds::LIFETIME_SERVERS
            && network.report().forgets();
        let server = network.evidence.lifetime_server(&measuring.unable);
        if let Some(server) = server.filter(|_| may && !self.own.loopback_only) {
            self.push(Output::OpenSpares { numbers: SPARES });
            self.event(Event::Network);
            self.network.lifetime.probe = Some(Probe::begin(server, &mut self.rng, now.boot));
            self.watch_lifetime(now);
        }
    }

    /// On the common tick.
    pub(super) fn tick_lifetime(&mut self, now: Now) {
        if self.network.is_checking() || !self.network.evidence.is_answered() {
            return;
        }
        let since = *self.network.lifetime.since.get_or_insert(now.boot);
        if now.boot >= since + bounds::LIFETIME_AFTER {
            self.measure_lifetime(now);
        }
    }

    pub(super) fn lifetime_timeout(&self) -> Option<Duration> {
        self.network.lifetime.probe.as_ref()?.next_timeout()
    }

    /// Sends what is due, and takes over what has come of it.
    pub(super) fn watch_lifetime(&mut self, now: Now) {
        let Some(probe) = &mut self.network.lifetime.probe else {
            return;
        };
        let (to, questions) = (probe.server(), probe.poll(&mut self.rng, now.boot));
        let outcome = probe.outcome();
        for (spare, bytes) in questions {
            self.push(Output::Transmit {
                to,
                via: Via::Spare(SPARES.start + spare),
                ttl: None,
                bytes,
            });
        }
        match outcome {
            None => {}
            Some(Outcome::Unable) => {
                self.stop_measuring();
                self.network.lifetime.unable.insert(to);
                self.measure_lifetime(now);
            }
            Some(Outcome::Measured(lifetime)) => {
                self.stop_measuring();
                self.network.lifetime.is_done = true;
                self.network.evidence.measured(lifetime);
                self.judge_network(now);
            }
        }
    }

    /// A STUN message at a spare.
    pub(super) fn handle_silent(&mut self, number: u16, from: SocketAddr, message: &Message, now: Now) {
        let Some(probe) = &mut self.network.lifetime.probe else {
            return;
        };
        if let Some(spare) = number.checked_sub(SPARES.start) {
            probe.handle(from, spare, message, now.boot);
            self.watch_lifetime(now);
        }
    }
}
