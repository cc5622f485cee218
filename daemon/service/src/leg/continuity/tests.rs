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

fn sent(continuity: &mut Continuity, leg: LegId, kind: FlowKind, packet: &[u8], now: Instant) -> Vec<u8> {
    continuity.up(leg, kind, packet, now).unwrap().into_owned()
}

#[test]
fn a_single_leg_is_never_touched() {
    let mut continuity = Continuity::default();
    for sequence in [5, 7, 6, 60_000] {
        let packet = rtp(FlowKind::Audio, sequence, 1000, sequence, b"x");
        assert!(matches!(
            continuity.up(FIRST, FlowKind::Audio, &packet, Instant::now()),
            Some(Cow::Borrowed(_))
        ));
    }
    let nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0x2C, 0xA1, 0, 2, 0, 9, 0, 0];
    assert!(matches!(
        continuity.rtcp_down(FIRST, Role::Caller, &nack),
        Cow::Borrowed(_)
    ));
}

#[test]
fn a_second_leg_goes_on_and_feedback_comes_back_in_its_numbers() {
    let mut continuity = Continuity::default();
    let start = Instant::now();
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
        *continuity.rtcp_down(SECOND, Role::Caller, &compound(0, 0, 502)),
        compound(100, 100, 3)[..]
    );
    assert_eq!(
        continuity.rtcp_down(SECOND, Role::Callee, &compound(0, 0, 502))[..48],
        compound(0, 0, 502)[..48]
    );
}

proptest! {
    /// Whatever legs take turns, numbers on the wire rise by one.
    #[test]
    fn numbers_rise_across_any_turns(turns in proptest::collection::vec((1..4u64, any::<u16>(), any::<u32>(), 1..5u16), 1..20)) {
        let (mut continuity, now) = (Continuity::default(), Instant::now());
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
        sent(&mut continuity, FIRST, FlowKind::Video, &first, Instant::now());
        sent(&mut continuity, SECOND, FlowKind::Video, &rtp(FlowKind::Video, 1, 1, 1, b"x"), Instant::now());
        continuity.up(SECOND, kind, &bytes, Instant::now());
        continuity.rtcp_down(SECOND, Role::Caller, &bytes);
    }
}
