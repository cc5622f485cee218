//! One leg without I/O: datagrams in, datagrams and packets of the wire profile out.
//!
//! Order of trust: an ICE check proves that a source knows the leg's password, a source so proven may speak DTLS, and
//! what DTLS keys open is media. Anything else is dropped in silence.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use twocan_core::media::flow::FlowKind;
use twocan_core::media::leg_map::{Admission, LegMap};
use twocan_core::media::rtp;

use super::dtls::{Dtls, DtlsEvent, Identity};
use super::ice::{Check, IceLite, Pair};
use super::srtp::Srtp;

/// A leg that nothing came from for this long is lost. Browsers check a pair every 2.5 to 6 seconds even when all is
/// still, so this is two or three checks that failed; a tab that closes says so by DTLS.
const SILENCE: Duration = Duration::from_secs(15);
/// The same where the last thing heard was a stream: one that is meant to stop goes on with RTCP and checks.
const CUT_OFF: Duration = Duration::from_secs(6);
/// A leg that was offered but never connected is lost after this.
const NEVER_CAME: Duration = Duration::from_secs(30);

/// What a session wants done, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Send this datagram.
    Transmit(Pair, Vec<u8>),
    /// Another SSRC of the leg has taken this flow over.
    Restart(FlowKind),
    /// Pass this packet to the far side.
    Up(FlowKind, Vec<u8>),
    /// The leg is ready.
    Warm,
    /// The leg is gone by itself.
    Lost,
}

/// One leg's state.
pub(super) struct Session {
    identity: Identity,
    pub(super) ice: IceLite,
    dtls: Dtls,
    srtp: Option<Box<Srtp>>,
    map: LegMap,
    heard: Instant,
    heard_stream: bool,
    gone: bool,
    out: VecDeque<Output>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Session")
            .field("ice", &self.ice)
            .field("warm", &self.srtp.is_some())
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) const fn new(identity: Identity, ice: IceLite, dtls: Dtls, map: LegMap, now: Instant) -> Self {
        Self {
            identity,
            ice,
            dtls,
            srtp: None,
            map,
            heard: now,
            heard_stream: false,
            gone: false,
            out: VecDeque::new(),
        }
    }

    /// Takes one datagram; the classes are RFC 7983's.
    pub(super) fn handle(&mut self, pair: Pair, datagram: &[u8], now: Instant) {
        match datagram.first() {
            Some(0..=3) => self.check(pair, datagram, now),
            Some(20..=63) if self.ice.is_valid(pair) => self.secure(datagram, now),
            Some(128..=191) if self.ice.is_valid(pair) => self.media(datagram, now),
            Some(_) | None => {}
        }
    }

    fn check(&mut self, pair: Pair, datagram: &[u8], now: Instant) {
        match self.ice.handle(pair, datagram, self.identity.crypto.crypto()) {
            Check::Answer(answer) => {
                self.hear(now, false);
                self.out.push_back(Output::Transmit(pair, answer));
                self.dtls.start(now);
                self.flush_dtls();
            }
            Check::Ignore => {}
        }
    }

    fn secure(&mut self, datagram: &[u8], now: Instant) {
        let events = self.dtls.handle(datagram, now);
        self.flush_dtls();
        for event in events {
            match event {
                DtlsEvent::Keys(srtp) => {
                    self.hear(now, false);
                    self.srtp = Some(srtp);
                    self.out.push_back(Output::Warm);
                }
                DtlsEvent::Closed => self.lose(),
            }
        }
    }

    fn media(&mut self, datagram: &[u8], now: Instant) {
        let Some(srtp) = &mut self.srtp else { return };
        let rtcp = rtp::is_rtcp(datagram);
        let opened = if rtcp {
            srtp.open_rtcp(datagram)
        } else {
            srtp.open_rtp(datagram)
        };
        let mut packet = match opened {
            Ok(packet) => packet,
            Err(error) => return tracing::trace!(%error, "SRTP packet dropped"),
        };
        self.hear(now, !rtcp);
        let mapped = if rtcp {
            self.map
                .rtcp_to_wire(&mut packet)
                .map(|()| (FlowKind::Rtcp, Admission::Known))
        } else {
            self.map.rtp_to_wire(&mut packet)
        };
        match mapped {
            Ok((kind, admission)) => {
                if admission == Admission::TookOver {
                    self.out.push_back(Output::Restart(kind));
                }
                self.out.push_back(Output::Up(kind, packet));
            }
            Err(error) => tracing::trace!(%error, "leg's packet not mapped"),
        }
    }

    /// Takes one packet from the far side; what is to be sent for it.
    pub(super) fn seal(&mut self, kind: FlowKind, packet: &[u8]) -> Option<(Pair, Vec<u8>)> {
        let pair = self.ice.nominated()?;
        let srtp = self.srtp.as_mut()?;
        let mut packet = packet.to_vec();
        let mapped = match kind {
            FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => self.map.rtp_to_leg(kind, &mut packet),
            FlowKind::Rtcp => self.map.rtcp_to_leg(&mut packet),
        };
        if let Err(error) = mapped {
            tracing::trace!(%error, "far side's packet not mapped");
            return None;
        }
        let sealed = match kind {
            FlowKind::Audio | FlowKind::Video | FlowKind::VideoRtx => srtp.seal_rtp(&packet),
            FlowKind::Rtcp => srtp.seal_rtcp(&packet),
        };
        sealed.ok().map(|sealed| (pair, sealed))
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn timeout(&self) -> Instant {
        let silent = self.heard + self.patience();
        self.dtls.timeout().map_or(silent, |flight| flight.min(silent))
    }

    /// Nothing more will come of it.
    pub(super) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Repeats what was not answered, or gives up.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.dtls.timeout().is_some_and(|due| due <= now) {
            self.dtls.handle_timeout(now);
            self.flush_dtls();
        }
        if now.saturating_duration_since(self.heard) >= self.patience() {
            self.lose();
        }
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, now: Instant) {
        self.gone = true;
        self.srtp = None;
        self.dtls.close(now);
        self.flush_dtls();
    }

    /// The next thing to do.
    pub(super) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    const fn patience(&self) -> Duration {
        match (self.srtp.is_some(), self.heard_stream) {
            (false, _) => NEVER_CAME,
            (true, false) => SILENCE,
            (true, true) => CUT_OFF,
        }
    }

    const fn hear(&mut self, now: Instant, stream: bool) {
        self.heard = now;
        self.heard_stream = stream;
    }

    fn lose(&mut self) {
        self.srtp = None;
        if !std::mem::replace(&mut self.gone, true) {
            self.out.push_back(Output::Lost);
        }
    }

    fn flush_dtls(&mut self) {
        while let Some(flight) = self.dtls.transmit() {
            if let Some(pair) = self.ice.nominated() {
                self.out.push_back(Output::Transmit(pair, flight.into()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
