//! Which pictures of a call leave this side.
//!
//! A picture that the far side cannot show is held back here: it would cost both paths and show nobody anything. So is
//! one that its [`Breaker`] has cut: nothing of it arrives, or the path is overloaded by it. Sound always passes. Once it passes again it goes on as one unbroken numbering, with a key frame, which is up to whoever
//! asks ([`Verdict::Resumes`]).

use std::time::Duration;

use super::breaker::{Breaker, Pace, Trip};
use super::codecs::{self, Codec};
use super::flow::{FlowKind, Role};
use super::formats::Formats;
use super::reports;
use super::rtp::Header;
use crate::ids::LegId;

/// Why a leg's picture is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The far side cannot show the format that it is in.
    NotShown(Codec),
    /// The circuit breaker has cut it.
    Cut(Trip),
}

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Passes,
    /// It is the first of its leg that passes after some were held back: its numbers go on where the last ones stopped,
    /// and its sender is asked for a key frame.
    Resumes,
    /// It is dropped, as others before.
    Holds,
    /// It is dropped, and it is the first one.
    Stops(Held),
}

/// One side of a call.
#[derive(Debug, Default)]
pub struct Outlet {
    far: Option<Formats>,
    held: Option<(LegId, Held)>,
    /// Of the leg whose pictures went out last.
    breaker: Option<(LegId, Breaker)>,
}

/// A leg that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its name.
    pub leg: LegId,
    /// Who controls its rate.
    pub pace: Pace,
}

impl Outlet {
    /// The far side can show a picture in these formats and in no other.
    pub const fn far_takes(&mut self, formats: Formats) {
        self.far = Some(formats);
    }

    /// What the far side can show, where it has said so.
    #[must_use]
    pub const fn far(&self) -> Option<Formats> {
        self.far
    }

    /// Judges one canonical packet of the leg that speaks.
    pub fn judge(&mut self, from: Sender, kind: FlowKind, packet: &[u8], now: Duration) -> Verdict {
        let verdict = match kind {
            FlowKind::Audio | FlowKind::Rtcp => return Verdict::Passes,
            FlowKind::Video => self.picture(from, packet, now),
            FlowKind::VideoRtx if self.holds(from.leg) || self.is_lost_on(packet).is_some() => Verdict::Holds,
            FlowKind::VideoRtx => Verdict::Passes,
        };
        if let (Verdict::Passes | Verdict::Resumes, Some(breaker)) = (verdict, self.breaker_of(from)) {
            breaker.sent(packet.len(), now);
        }
        verdict
    }

    /// RTCP of `leg`, whose user is `own`, goes out: it may say when, which the far side's reports will refer to.
    pub fn rtcp_up(&mut self, leg: LegId, own: Role, compound: &[u8], now: Duration) {
        let breaker = self.breaker.as_mut().filter(|(of, _)| *of == leg);
        let time = || reports::sender_time(compound, codecs::ssrc(own, FlowKind::Video));
        if let Some(((_, breaker), middle)) = breaker.and_then(|breaker| Some((breaker, time()?))) {
            breaker.sender_report(middle, now);
        }
    }

    /// RTCP of the far side comes in.
    pub fn rtcp_down(&mut self, own: Role, compound: &[u8], now: Duration) {
        let Some((_, breaker)) = &mut self.breaker else { return };
        breaker.heard(now);
        for report in reports::about(compound, codecs::ssrc(own, FlowKind::Video)) {
            breaker.report(report, now);
        }
    }

    fn picture(&mut self, from: Sender, packet: &[u8], now: Duration) -> Verdict {
        let leg = from.leg;
        let cut = self.breaker_of(from).and_then(|breaker| breaker.open(now));
        let held = self.is_lost_on(packet).map(Held::NotShown).or(cut.map(Held::Cut));
        let before = self.held.filter(|(of, _)| *of == leg).map(|(_, why)| why);
        self.held = held.map(|why| (leg, why));
        match (before, held) {
            (None, None) => Verdict::Passes,
            (Some(_), None) => Verdict::Resumes,
            (before, Some(why)) if before == Some(why) => Verdict::Holds,
            (_, Some(why)) => Verdict::Stops(why),
        }
    }

    /// A leg that begins to speak begins with a breaker of its own.
    fn breaker_of(&mut self, from: Sender) -> Option<&mut Breaker> {
        let controlled = match from.pace {
            Pace::Controlled => true,
            Pace::Blind => false,
            Pace::Fixed => return None,
        };
        if self.breaker.as_ref().is_none_or(|(of, _)| *of != from.leg) {
            self.breaker = Some((from.leg, Breaker::new(controlled)));
        }
        self.breaker.as_mut().map(|(_, breaker)| breaker)
    }

    fn holds(&self, leg: LegId) -> bool {
        self.held.is_some_and(|(of, _)| of == leg)
    }

    /// The format of a packet, where the far side cannot show it.
    fn is_lost_on(&self, packet: &[u8]) -> Option<Codec> {
        let far = self.far?;
        let codec = Codec::from_payload_type(Header::parse(packet).ok()?.payload_type)?;
        (!far.contains(codec)).then_some(codec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: LegId = LegId(1);

    const fn blind(leg: LegId) -> Sender {
        Sender { leg, pace: Pace::Blind }
    }

    fn packet(codec: Codec) -> Vec<u8> {
        vec![0x80, codec.payload_type(), 0, 1, 0, 0, 0, 1, 0x2C, 0xA1, 0, 2, 9]
    }

    fn video(outlet: &mut Outlet, leg: LegId, codec: Codec) -> Verdict {
        outlet.judge(blind(leg), FlowKind::Video, &packet(codec), Duration::ZERO)
    }

    #[test]
    fn anything_passes_until_the_far_side_has_said_what_it_shows() {
        let mut outlet = Outlet::default();
        for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
            assert_eq!(video(&mut outlet, LEG, codec), Verdict::Passes);
        }
    }

    #[test]
    fn what_the_far_side_cannot_show_is_held_back_and_said_once() {
        let mut outlet = Outlet::default();
        outlet.far_takes(Formats::of([Codec::H264]));
        let why = Held::NotShown(Codec::Vp8);
        assert_eq!(video(&mut outlet, LEG, Codec::Vp8), Verdict::Stops(why));
        assert_eq!(video(&mut outlet, LEG, Codec::Vp8), Verdict::Holds);
        let repeated = outlet.judge(blind(LEG), FlowKind::VideoRtx, &packet(Codec::H264Rtx), Duration::ZERO);
        assert_eq!(repeated, Verdict::Holds, "nothing of a picture that is held back");
        assert_eq!(
            outlet.judge(blind(LEG), FlowKind::Audio, &packet(Codec::Opus), Duration::ZERO),
            Verdict::Passes
        );
        assert_eq!(
            video(&mut outlet, LEG, Codec::Vp9),
            Verdict::Stops(Held::NotShown(Codec::Vp9))
        );
        assert_eq!(video(&mut outlet, LEG, Codec::H264), Verdict::Resumes);
        assert_eq!(video(&mut outlet, LEG, Codec::H264), Verdict::Passes);
        let late = outlet.judge(blind(LEG), FlowKind::VideoRtx, &packet(Codec::Vp8Rtx), Duration::ZERO);
        assert_eq!(
            late,
            Verdict::Holds,
            "a late repetition in the old format stops nothing"
        );
        assert_eq!(video(&mut outlet, LEG, Codec::H264), Verdict::Passes);
    }

    #[test]
    fn another_leg_is_judged_by_itself() {
        let mut outlet = Outlet::default();
        outlet.far_takes(Formats::NONE);
        let why = Held::NotShown(Codec::Vp8);
        assert_eq!(video(&mut outlet, LEG, Codec::Vp8), Verdict::Stops(why));
        assert_eq!(video(&mut outlet, LegId(2), Codec::Vp8), Verdict::Stops(why));
        outlet.far_takes(Formats::ALL);
        assert_eq!(video(&mut outlet, LEG, Codec::Vp8), Verdict::Passes);
        assert_eq!(video(&mut outlet, LegId(2), Codec::Vp8), Verdict::Passes);
    }

    /// One second of a constant 4 Mbit/s, and a report that half of it is lost; how many packets passed.
    fn second(outlet: &mut Outlet, from: Sender, at: u64) -> u32 {
        let now = Duration::from_secs(at);
        let large = [packet(Codec::Vp8), vec![0; 1000]].concat();
        let passed = (0..500).filter(|_| match outlet.judge(from, FlowKind::Video, &large, now) {
            Verdict::Passes | Verdict::Resumes => true,
            Verdict::Holds | Verdict::Stops(_) => false,
        });
        let passed = u32::try_from(passed.count()).expect("few");
        let own = codecs::ssrc(Role::Caller, FlowKind::Video);
        let highest = u32::try_from(at).expect("few");
        let words = [0x81C9_0007, 5, own, 0x8000_0000, highest, 0, 0, 0];
        let report: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
        outlet.rtcp_down(Role::Caller, &report, now);
        passed
    }

    #[test]
    fn a_blind_picture_that_overloads_the_path_is_cut_and_the_sound_is_not() {
        let mut outlet = Outlet::default();
        let passed: Vec<_> = (1..=6).map(|at| second(&mut outlet, blind(LEG), at)).collect();
        assert_eq!(
            passed,
            [500, 500, 500, 500, 0, 0],
            "reports cover whole seconds from the second one on"
        );
        let now = Duration::from_secs(7);
        let sound = outlet.judge(blind(LEG), FlowKind::Audio, &packet(Codec::Opus), now);
        assert_eq!(sound, Verdict::Passes);
        let other = outlet.judge(blind(LegId(2)), FlowKind::Video, &packet(Codec::Vp8), now);
        assert_eq!(other, Verdict::Passes, "another leg has done no harm yet");
    }

    #[test]
    fn what_is_fixed_is_not_watched() {
        let mut outlet = Outlet::default();
        let fixed = Sender {
            leg: LEG,
            pace: Pace::Fixed,
        };
        assert!((1..=20).all(|at| second(&mut outlet, fixed, at) == 500));
    }
}
