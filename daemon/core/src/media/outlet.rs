//! Which pictures of a call leave this side.
//!
//! A picture that the far side cannot show is held back here: it would cost both paths and show nobody anything. Sound
//! always passes. Once it passes again it goes on as one unbroken numbering, with a key frame, which is up to whoever
//! asks ([`Verdict::Resumes`]).

use super::codecs::Codec;
use super::flow::FlowKind;
use super::formats::Formats;
use super::rtp::Header;
use crate::ids::LegId;

/// Why a leg's picture is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The far side cannot show the format that it is in.
    NotShown(Codec),
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

    /// Judges one canonical packet of `leg`, the one that speaks.
    pub fn judge(&mut self, leg: LegId, kind: FlowKind, packet: &[u8]) -> Verdict {
        match kind {
            FlowKind::Audio | FlowKind::Rtcp => Verdict::Passes,
            FlowKind::Video => self.picture(leg, packet),
            FlowKind::VideoRtx if self.holds(leg) || self.is_lost_on(packet).is_some() => Verdict::Holds,
            FlowKind::VideoRtx => Verdict::Passes,
        }
    }

    fn picture(&mut self, leg: LegId, packet: &[u8]) -> Verdict {
        let held = self.is_lost_on(packet).map(Held::NotShown);
        let before = self.held.filter(|(of, _)| *of == leg).map(|(_, why)| why);
        self.held = held.map(|why| (leg, why));
        match (before, held) {
            (None, None) => Verdict::Passes,
            (Some(_), None) => Verdict::Resumes,
            (before, Some(why)) if before == Some(why) => Verdict::Holds,
            (_, Some(why)) => Verdict::Stops(why),
        }
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

    fn packet(codec: Codec) -> Vec<u8> {
        vec![0x80, codec.payload_type(), 0, 1, 0, 0, 0, 1, 0x2C, 0xA1, 0, 2, 9]
    }

    fn video(outlet: &mut Outlet, leg: LegId, codec: Codec) -> Verdict {
        outlet.judge(leg, FlowKind::Video, &packet(codec))
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
        let repeated = outlet.judge(LEG, FlowKind::VideoRtx, &packet(Codec::H264Rtx));
        assert_eq!(repeated, Verdict::Holds, "nothing of a picture that is held back");
        assert_eq!(
            outlet.judge(LEG, FlowKind::Audio, &packet(Codec::Opus)),
            Verdict::Passes
        );
        assert_eq!(
            video(&mut outlet, LEG, Codec::Vp9),
            Verdict::Stops(Held::NotShown(Codec::Vp9))
        );
        assert_eq!(video(&mut outlet, LEG, Codec::H264), Verdict::Resumes);
        assert_eq!(video(&mut outlet, LEG, Codec::H264), Verdict::Passes);
        let late = outlet.judge(LEG, FlowKind::VideoRtx, &packet(Codec::Vp8Rtx));
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
}
