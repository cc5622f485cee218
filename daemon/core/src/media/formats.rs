//! Sets of video formats: what a receiving leg can show, and so what may be sent to it.

use super::codecs::Codec;

/// The video formats of the profile, as a page without hardware likes them best.
pub const VIDEO: [Codec; 4] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

/// A set of the formats of [`VIDEO`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Formats(u8);

impl Formats {
    /// No picture at all.
    pub const NONE: Self = Self(0);
    /// Every format of the profile.
    pub const ALL: Self = Self(0b1111);

    /// The video formats among `codecs`.
    pub fn of(codecs: impl IntoIterator<Item = Codec>) -> Self {
        codecs
            .into_iter()
            .fold(Self::NONE, |set, codec| Self(set.0 | bit(codec)))
    }

    /// Reads canonical payload types, as they travel. Those of later formats mean nothing to us and are skipped.
    #[must_use]
    pub fn from_payload_types(numbers: &[u8]) -> Self {
        Self::of(numbers.iter().filter_map(|number| Codec::from_payload_type(*number)))
    }

    /// The canonical payload types, as they travel.
    #[must_use]
    pub fn payload_types(self) -> Vec<u8> {
        self.iter().map(Codec::payload_type).collect()
    }

    /// Whether `codec` is in the set; of a retransmission, whether the format that it repeats is.
    #[must_use]
    pub fn contains(self, codec: Codec) -> bool {
        let repeated = VIDEO.into_iter().find(|video| video.rtx() == Some(codec));
        self.0 & bit(repeated.unwrap_or(codec)) != 0
    }

    /// Whether there is no format in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What both sets have.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// All of them, in the order of [`VIDEO`].
    pub fn iter(self) -> impl Iterator<Item = Codec> {
        VIDEO.into_iter().filter(move |codec| self.0 & bit(*codec) != 0)
    }

    /// What a picture must be in, so that all of several receivers can show it. Receivers of sound alone do not count;
    /// where the others have nothing in common the last one's are taken.
    #[must_use]
    pub fn common(receivers: impl IntoIterator<Item = Self>) -> Self {
        let watching = receivers.into_iter().filter(|formats| !formats.is_empty());
        watching.fold(Self::NONE, |common, next| match common.both(next) {
            Self::NONE => next,
            both => both,
        })
    }
}

const fn bit(codec: Codec) -> u8 {
    match codec {
        Codec::Vp8 => 1,
        Codec::Vp9 => 2,
        Codec::H264 => 4,
        Codec::Av1 => 8,
        Codec::Opus | Codec::Vp8Rtx | Codec::Vp9Rtx | Codec::H264Rtx | Codec::Av1Rtx => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_survive_the_wire_and_later_formats_do_no_harm() {
        for bits in 0..16 {
            let set = Formats(bits);
            assert_eq!(Formats::from_payload_types(&set.payload_types()), set);
        }
        assert_eq!(
            Formats::from_payload_types(&[96, 0, 255, 111, 97]),
            Formats::of([Codec::Vp8])
        );
        assert_eq!(Formats::of(Codec::ALL), Formats::ALL);
    }

    #[test]
    fn a_retransmission_counts_as_what_it_repeats() {
        let only = Formats::of([Codec::H264]);
        assert!(only.contains(Codec::H264) && only.contains(Codec::H264Rtx));
        assert!(!only.contains(Codec::Vp8) && !only.contains(Codec::Vp8Rtx) && !only.contains(Codec::Opus));
    }

    #[test]
    fn several_receivers_get_what_all_can_show() {
        let page = Formats::ALL;
        let phone = Formats::of([Codec::H264]);
        let old = Formats::of([Codec::Vp8]);
        assert_eq!(Formats::common([page, phone]), phone);
        assert_eq!(
            Formats::common([page, Formats::NONE]),
            page,
            "a listener does not take the picture away"
        );
        assert_eq!(Formats::common([phone, old]), old, "the newest");
        assert_eq!(Formats::common([Formats::NONE]), Formats::NONE);
        assert_eq!(Formats::common([]), Formats::NONE);
    }
}
