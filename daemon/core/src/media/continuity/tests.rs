//! A second leg goes on where the first stopped, and hears of its own numbers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

const FIRST: LegId = LegId(1);
const SECOND: LegId = LegId(2);

/// A packet with a transport-wide number.
fn rtp(kind: FlowKind, sequence: u16, timestamp: u32, transport: u16, payload: &[u8]) -> Vec<u8> {
    let (s, x) = (sequence.to_be_bytes(), transport.to_be_bytes());
    let head = [0x90, 96, s[0], s[1]];
    let extension = [0xBE, 0xDE, 0, 2, 0x10, 200, 0x31, x[0], x[1], 0, 0, 0];
    let ssrc = codecs::ssrc(Role::Caller, kind).to_be_bytes();
    [&head[..], &timestamp.to_be_bytes(), &ssrc, &extension, payload].concat()
}

fn sent(continuity: &mut Continuity, leg: LegId, kind: FlowKind, packet: &[u8], now: Duration) -> Vec<u8> {
    continuity.up(leg, kind, packet, now).unwrap().into_owned()
}

#[test]
fn a_single_leg_is_never_touched() {
    let mut continuity = Continuity::default();
    for sequence in [5, 7, 6, 60_000] {
        let packet = rtp(FlowKind::Audio, sequence, 1000, sequence, b"x");
        assert!(matches!(
            continuity.up(FIRST, FlowKind::Audio, &packet, Duration::ZERO),
            Some(Cow::Borrowed(_))
        ));
    }
    let nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0x2C, 0xA1, 0, 2, 0, 9, 0, 0];
    assert!(matches!(
        continuity.rtcp_down(FIRST, Role::Caller, &nack),
        Some(Cow::Borrowed(_))
    ));
}

#[test]
fn a_second_leg_goes_on_and_feedback_comes_back_in_its_numbers() {
    let mut continuity = Continuity::default();
    let start = Duration::from_secs(9);
    sent(
        &mut continuity,
        FIRST,
        FlowKind::Video,
        &rtp(FlowKind::Video, 65_535, 90_000, 500, b"a"),
        start,
    );
    sent(
        &mut continuity,
        FIRST,
        FlowKind::VideoRtx,
        &rtp(FlowKind::VideoRtx, 20, 90_000, 501, b"\xFF\xFFa"),
        start,
    );

    let early = rtp(FlowKind::VideoRtx, 8, 7, 2, b"\x00\x01a");
    assert!(
        continuity.up(SECOND, FlowKind::VideoRtx, &early, start).is_none(),
        "repeats nothing that was sent"
    );
    let later = start + Duration::from_secs(1);
    let out = sent(
        &mut continuity,
        SECOND,
        FlowKind::Video,
        &rtp(FlowKind::Video, 100, 7, 3, b"b"),
        later,
    );
    assert_eq!(out, rtp(FlowKind::Video, 0, 180_000, 502, b"b"));
    let repeated = rtp(FlowKind::VideoRtx, 9, 7, 4, &[0, 100, b'b']);
    let out = sent(&mut continuity, SECOND, FlowKind::VideoRtx, &repeated, later);
    assert_eq!(out, rtp(FlowKind::VideoRtx, 21, 180_000, 503, &[0, 0, b'b']));

    let own = codecs::ssrc(Role::Caller, FlowKind::Video).to_be_bytes();
    let report = |timestamp: u32| [&[0x80, 200, 0, 6][..], &own, &[0; 8], &timestamp.to_be_bytes(), &[0; 8]].concat();
    assert_eq!(
        sent(&mut continuity, SECOND, FlowKind::Rtcp, &report(7), later),
        report(180_000)
    );
    assert_eq!(
        sent(&mut continuity, FIRST, FlowKind::Rtcp, &report(7), later),
        report(7)
    );

    let far = [0, 0, 0, 1];
    let compound = |highest: u16, lost: u16, base: u16| {
        let block = [&own[..], &[0, 0, 0, 0, 0, 1], &highest.to_be_bytes(), &[0; 12]].concat();
        let rr = [&[0x81, 201, 0, 7][..], &far, &block].concat();
        let nack = [&[0x81, 205, 0, 3][..], &far, &own, &lost.to_be_bytes(), &[0, 1]].concat();
        let twcc = [
            &[0x8F, 205, 0, 5][..],
            &far,
            &own,
            &base.to_be_bytes(),
            &[0, 1, 0, 0, 1, 7, 0x20, 1, 4, 0],
        ]
        .concat();
        [rr, nack, twcc].concat()
    };
    assert_eq!(
        continuity
            .rtcp_down(SECOND, Role::Caller, &compound(0, 0, 502))
            .unwrap()[..],
        compound(100, 100, 3)[..]
    );
    assert_eq!(
        continuity
            .rtcp_down(SECOND, Role::Callee, &compound(0, 0, 502))
            .unwrap()[..48],
        compound(0, 0, 502)[..48]
    );
}

#[test]
fn a_numbering_that_restarts_within_a_leg_goes_on_too() {
    let mut continuity = Continuity::default();
    let start = Duration::from_secs(9);
    let first = rtp(FlowKind::Video, 1000, 5000, 1, b"a");
    sent(&mut continuity, FIRST, FlowKind::Video, &first, start);
    continuity.restart(SECOND, FlowKind::Video);
    continuity.restart(FIRST, FlowKind::Video);
    let later = start + Duration::from_millis(40);
    let other = rtp(FlowKind::Video, 3, 0, 2, b"b");
    let out = sent(&mut continuity, FIRST, FlowKind::Video, &other, later);
    assert_eq!(out, rtp(FlowKind::Video, 1001, 8600, 2, b"b"));
    let next = rtp(FlowKind::Video, 4, 90, 3, b"c");
    let out = sent(&mut continuity, FIRST, FlowKind::Video, &next, later);
    assert_eq!(out, rtp(FlowKind::Video, 1002, 8690, 3, b"c"));
}

/// A report on loss runs (RFC 3611, section 4.1) names sequence numbers as well.
#[test]
fn extended_reports_come_back_in_the_legs_numbers() {
    let mut continuity = Continuity::default();
    for (leg, sequence) in [(FIRST, 99), (SECOND, 10)] {
        let packet = rtp(FlowKind::Audio, sequence, 1, sequence, b"a");
        sent(&mut continuity, leg, FlowKind::Audio, &packet, Duration::ZERO);
    }
    let own = codecs::ssrc(Role::Callee, FlowKind::Audio).to_be_bytes();
    let report = |begin: u8| {
        let block = [&[1, 0, 0, 3][..], &own, &[0, begin, 0, begin + 4], &[0x80, 0, 0, 0]].concat();
        [&[0x80, 207, 0, 5][..], &[0, 0, 0, 1], &block].concat()
    };
    assert_eq!(
        continuity.rtcp_down(SECOND, Role::Callee, &report(100)).unwrap()[..],
        report(10)[..]
    );
}

proptest! {
    /// Whatever legs take turns, numbers on the wire rise by one.
    #[test]
    fn numbers_rise_across_any_turns(turns in proptest::collection::vec((1..4u64, any::<u16>(), any::<u32>(), 1..5u16), 1..20)) {
        let (mut continuity, now) = (Continuity::default(), Duration::ZERO);
        let (mut expected, mut speaking, mut offset) = (None::<u16>, None, 0);
        for (leg, start, timestamp, count) in turns {
            if speaking != Some(leg) {
                offset = start;
                speaking = Some(leg);
            }
            for _ in 0..count {
                let packet = rtp(FlowKind::Video, offset, timestamp, offset, b"x");
                let out = sent(&mut continuity, LegId(leg), FlowKind::Video, &packet, now);
                let sequence = u16::from_be_bytes([out[2], out[3]]);
                prop_assert_eq!(expected.unwrap_or(sequence), sequence);
                prop_assert_eq!(&out[18..21], &[&[0x31][..], &sequence.to_be_bytes()].concat()[..]);
                (expected, offset) = (Some(sequence.wrapping_add(1)), offset.wrapping_add(1));
            }
        }
    }

    #[test]
    fn whatever_arrives_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 0..4u64) {
        let kind = FlowKind::split(8 + kind).unwrap().1;
        let mut continuity = Continuity::default();
        let first = rtp(FlowKind::Video, 9, 9, 9, b"x");
        sent(&mut continuity, FIRST, FlowKind::Video, &first, Duration::ZERO);
        sent(&mut continuity, SECOND, FlowKind::Video, &rtp(FlowKind::Video, 1, 1, 1, b"x"), Duration::ZERO);
        continuity.up(SECOND, kind, &bytes, Duration::ZERO);
        let _ = continuity.rtcp_down(SECOND, Role::Caller, &bytes);
    }
}
