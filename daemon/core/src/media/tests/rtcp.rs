//! RTCP from leg to leg, one test a packet type.

use super::samples::*;
use crate::media::MapError;
use crate::media::codecs;
use crate::media::flow::{FlowKind, Role};

/// Bytes of an SSRC.
fn leg(ssrc: u32) -> [u8; 4] {
    ssrc.to_be_bytes()
}

fn wire(role: Role, kind: FlowKind) -> [u8; 4] {
    codecs::ssrc(role, kind).to_be_bytes()
}

fn caller(kind: FlowKind) -> [u8; 4] {
    wire(Role::Caller, kind)
}

fn callee(kind: FlowKind) -> [u8; 4] {
    wire(Role::Callee, kind)
}

/// Sends `compound` of the caller's leg, expects `on_wire`, delivers it to the callee's leg, expects `at_leg`.
fn crosses(compound: &[u8], on_wire: &[u8], at_leg: &[u8]) {
    let mut packet = compound.to_vec();
    assert_eq!(leg_a().rtcp_to_wire(&mut packet), Ok(()));
    assert_eq!(packet, on_wire, "on the wire");
    assert_eq!(heard_b().rtcp_to_leg(&mut packet), Ok(()));
    assert_eq!(packet, at_leg, "at the other leg");
}

#[test]
fn sender_and_receiver_reports() {
    let info = [&[0xAA; 8][..], &[1, 2, 3, 4], &[0xBB; 8]].concat();
    let rest = [0xCC; 20];
    let make = |source: &[u8], audio: &[u8], stranger: &[u8]| {
        let sender = rtcp(1, 200, &[source, &info, audio, &rest]);
        let receiver = rtcp(2, 201, &[source, audio, &rest, stranger, &rest]);
        [sender, receiver].concat()
    };
    let on_wire = make(&caller(FlowKind::Audio), &callee(FlowKind::Audio), &leg(0));
    crosses(
        &make(&leg(A_AUDIO), &callee(FlowKind::Audio), &leg(0x1234)),
        &on_wire,
        &make(&caller(FlowKind::Audio), &leg(B_AUDIO), &leg(0)),
    );
}

#[test]
fn profile_specific_extensions_and_padding_of_reports_are_not_copied() {
    let plain = rtcp(0, 201, &[&leg(A_AUDIO)]);
    let longer = padded(rtcp(0, 201, &[&leg(A_AUDIO), b"tell", &[0, 0, 0, 4]]));
    let mut expected = plain;
    leg_a().rtcp_to_wire(&mut expected).expect("can be mapped");
    crosses(&longer, &expected, &expected);
}

#[test]
fn a_mere_sender_of_rtcp_gets_the_canonical_name_and_answers_find_it() {
    let mut leg_a = leg_a();
    let mut packet = rtcp(0, 201, &[&leg(1)]);
    leg_a.rtcp_to_wire(&mut packet).expect("can be mapped");
    assert_eq!(packet, rtcp(0, 201, &[&caller(FlowKind::Rtcp)]));
    let answer = |ssrc: [u8; 4]| rtcp(0, 207, &[&callee(FlowKind::Rtcp), &[5, 0, 0, 3], &ssrc, &[7; 8]]);
    let mut packet = answer(caller(FlowKind::Rtcp));
    leg_a.rtcp_to_leg(&mut packet).expect("can be mapped");
    assert_eq!(packet, answer(leg(1)));
}

#[test]
fn source_descriptions_name_nobody() {
    let source = [
        &leg(A_AUDIO)[..],
        b"\x01\x0dann@her-hostx\x02\x03Ann\x06\x02xy\x00\x00\x00\x00",
        &leg(A_VIDEO),
        b"\x01\x01a\x00",
        &leg(9),
        b"\x00\x00\x00\x00",
    ];
    let name = b"\x01\x06caller\x00\x00\x00\x00";
    let expected = rtcp(
        3,
        202,
        &[
            &caller(FlowKind::Audio),
            name,
            &caller(FlowKind::Video),
            name,
            &caller(FlowKind::Rtcp),
            name,
        ],
    );
    crosses(&rtcp(3, 202, &source), &expected, &expected);
}

#[test]
fn goodbyes_lose_their_reason() {
    let expected = rtcp(2, 203, &[&caller(FlowKind::Audio), &caller(FlowKind::Video)]);
    crosses(
        &rtcp(2, 203, &[&leg(A_AUDIO), &leg(A_VIDEO), b"\x06secret\x00"]),
        &expected,
        &expected,
    );
}

#[test]
fn negative_acknowledgements_keep_their_list() {
    let make = |from: &[u8], about: &[u8]| rtcp(1, 205, &[from, about, &[0xFF, 0xFE, 0x80, 1, 0, 5, 0, 0]]);
    crosses(
        &make(&leg(A_VIDEO), &callee(FlowKind::Video)),
        &make(&caller(FlowKind::Video), &callee(FlowKind::Video)),
        &make(&caller(FlowKind::Video), &leg(B_VIDEO)),
    );
}

#[test]
fn temporary_bit_rate_requests_list_sources() {
    let make = |from: &[u8], about: &[u8]| rtcp(3, 205, &[from, &leg(0), about, &[1, 2, 3, 4]]);
    crosses(
        &make(&leg(A_VIDEO), &callee(FlowKind::Video)),
        &make(&caller(FlowKind::Video), &callee(FlowKind::Video)),
        &make(&caller(FlowKind::Video), &leg(B_VIDEO)),
    );
}

#[test]
fn picture_loss_and_full_intra_requests() {
    let pli = |from: &[u8], about: &[u8]| rtcp(1, 206, &[from, about]);
    crosses(
        &pli(&leg(A_VIDEO), &callee(FlowKind::Video)),
        &pli(&caller(FlowKind::Video), &callee(FlowKind::Video)),
        &pli(&caller(FlowKind::Video), &leg(B_VIDEO)),
    );
    let fir = |from: &[u8], first: &[u8], second: &[u8]| {
        rtcp(4, 206, &[from, &leg(0), first, &[3, 0, 0, 0], second, &[4, 0, 0, 0]])
    };
    crosses(
        &fir(&leg(A_VIDEO), &callee(FlowKind::Video), &leg(0x99)),
        &fir(&caller(FlowKind::Video), &callee(FlowKind::Video), &leg(0)),
        &fir(&caller(FlowKind::Video), &leg(B_VIDEO), &leg(0)),
    );
}

#[test]
fn estimated_bit_rates_list_sources() {
    let make = |from: &[u8], audio: &[u8], video: &[u8]| {
        rtcp(15, 206, &[from, &leg(0), b"REMB", &[2, 0x1B, 0xC6, 0x7F], audio, video])
    };
    crosses(
        &make(&leg(1), &callee(FlowKind::Audio), &callee(FlowKind::Video)),
        &make(
            &caller(FlowKind::Rtcp),
            &callee(FlowKind::Audio),
            &callee(FlowKind::Video),
        ),
        &make(&caller(FlowKind::Rtcp), &leg(B_AUDIO), &leg(B_VIDEO)),
    );
    let mut lying = rtcp(15, 206, &[&leg(1), &leg(0), b"REMB", &[2, 0, 0, 0], &leg(0)]);
    assert_eq!(leg_a().rtcp_to_wire(&mut lying), Err(MapError::Malformed));
}

#[test]
fn extended_reports_keep_known_blocks() {
    let reference = [&[4, 0, 0, 2][..], &[0x77; 8]].concat();
    let unknown = [42, 0, 0, 1, 1, 2, 3, 4];
    let make = |from: &[u8], audio: &[u8], video: &[u8], middle: &[u8]| {
        let delays = [&[5, 0, 0, 6][..], audio, &[1; 8], video, &[2; 8]].concat();
        let losses = [&[1, 0, 0, 3][..], video, &[0, 1, 0, 9], &[3; 4]].concat();
        let voice = [&[7, 0, 0, 8][..], audio, &[6; 28]].concat();
        rtcp(0, 207, &[from, &reference, &delays, middle, &losses, &voice])
    };
    crosses(
        &make(&leg(1), &callee(FlowKind::Audio), &callee(FlowKind::Video), &unknown),
        &make(
            &caller(FlowKind::Rtcp),
            &callee(FlowKind::Audio),
            &callee(FlowKind::Video),
            &[],
        ),
        &make(&caller(FlowKind::Rtcp), &leg(B_AUDIO), &leg(B_VIDEO), &[]),
    );
}

#[test]
fn unknown_packet_types_are_left_out_and_the_rest_stays() {
    let report = rtcp(0, 201, &[&leg(A_AUDIO)]);
    let mut application = rtcp(0, 204, &[&leg(A_AUDIO), b"namesecret!!"]);
    let pli = rtcp(1, 206, &[&leg(A_AUDIO), &callee(FlowKind::Video)]);
    let mut packet = [report.clone(), application.clone(), pli.clone()].concat();
    leg_a().rtcp_to_wire(&mut packet).expect("can be mapped");
    let mut expected = [report, pli].concat();
    leg_a().rtcp_to_wire(&mut expected).expect("can be mapped");
    assert_eq!(packet, expected);
    assert_eq!(leg_a().rtcp_to_wire(&mut application), Err(MapError::NothingLeft));
    assert_eq!(leg_a().rtcp_to_wire(&mut Vec::new()), Err(MapError::NothingLeft));
}

#[test]
fn a_far_side_that_speaks_as_somebody_else_is_not_heard() {
    for source in [caller(FlowKind::Video), leg(5)] {
        for (count, kind) in [(0, 200), (0, 201), (1, 202), (1, 203), (1, 205), (1, 206), (0, 207)] {
            let mut packet = rtcp(count, kind, &[&source, &[4, 0, 0, 0], &[0; 24]]);
            assert_eq!(
                leg_a().rtcp_to_leg(&mut packet),
                Err(MapError::NothingLeft),
                "type {kind}"
            );
        }
    }
}

#[test]
fn lengths_past_the_end_are_malformed() {
    let source = leg(A_AUDIO);
    let broken: [Vec<u8>; 11] = [
        vec![0x80],
        vec![0x80, 201, 0, 1],
        vec![0x40, 201, 0, 0],
        rtcp(0, 200, &[&source]),
        rtcp(1, 201, &[&source]),
        rtcp(1, 202, &[&source]),
        rtcp(1, 202, &[&source, &[1, 200, 0, 0]]),
        rtcp(2, 203, &[&source]),
        rtcp(1, 205, &[&source]),
        rtcp(4, 206, &[&source, &source, &source]),
        rtcp(0, 207, &[&source, &[4, 0, 0, 9]]),
    ];
    for packet in broken {
        assert_eq!(
            leg_a().rtcp_to_wire(&mut packet.clone()),
            Err(MapError::Malformed),
            "{packet:?}"
        );
    }
    assert_eq!(
        leg_a().rtcp_to_wire(&mut padded(rtcp(0, 201, &[&[0; 4]]))),
        Err(MapError::Malformed)
    );
    assert_eq!(
        leg_a().rtcp_to_wire(&mut padded(rtcp(0, 201, &[&[99; 4]]))),
        Err(MapError::Malformed)
    );
    assert_eq!(leg_a().rtcp_to_wire(&mut vec![0x80; 4096]), Err(MapError::TooLong));
}
