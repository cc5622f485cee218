//! RTP from leg to leg.

use super::samples::*;
use crate::media::MapError;
use crate::media::codecs::{self, Codec};
use crate::media::flow::{FlowKind, Role};
use crate::media::leg_map::Admission;
use crate::media::rtp::Header;

fn video() -> Rtp {
    Rtp {
        marker: true,
        payload_type: 120,
        sequence: 65_535,
        timestamp: 0xFFFF_FFFE,
        ssrc: A_VIDEO,
        elements: vec![(3, b"1".to_vec()), (4, vec![1, 2, 3]), (7, vec![0, 9]), (9, vec![1])],
        payload: b"a picture".to_vec(),
        padding: 0,
    }
}

#[test]
fn a_packet_crosses_with_the_numbers_of_each_side() {
    let mut packet = video().bytes();
    assert_eq!(
        leg_a().rtp_to_wire(&mut packet),
        Ok((FlowKind::Video, Admission::Known))
    );
    let ssrc = codecs::ssrc(Role::Caller, FlowKind::Video);
    assert_eq!(
        packet,
        video().with(96, ssrc, vec![(2, vec![1, 2, 3]), (3, vec![0, 9])])
    );
    assert_eq!(leg_b().rtp_to_leg(FlowKind::Video, &mut packet), Ok(()));
    let elements = vec![(13, vec![1, 2, 3]), (12, vec![0, 9]), (14, b"picture".to_vec())];
    assert_eq!(packet, video().with(35, ssrc, elements));
}

#[test]
fn probes_that_are_all_padding_survive_on_media_and_retransmissions() {
    for (payload_type, ssrc, flow) in [(120, A_VIDEO, FlowKind::Video), (124, A_RTX, FlowKind::VideoRtx)] {
        let probe = Rtp {
            payload_type,
            ssrc,
            payload: vec![],
            padding: 255,
            ..video()
        };
        let mut packet = probe.bytes();
        assert_eq!(leg_a().rtp_to_wire(&mut packet), Ok((flow, Admission::Known)));
        assert_eq!(leg_b().rtp_to_leg(flow, &mut packet), Ok(()));
        let header = Header::parse(&packet).expect("well formed");
        assert_eq!((header.payload.len(), header.padding), (0, 255));
    }
}

#[test]
fn a_retransmission_keeps_its_original_sequence_number() {
    let rtx = Rtp {
        payload_type: 124,
        ssrc: A_RTX,
        elements: vec![],
        payload: b"\x12\x34rest".to_vec(),
        ..video()
    };
    let mut packet = rtx.bytes();
    assert_eq!(
        leg_a().rtp_to_wire(&mut packet),
        Ok((FlowKind::VideoRtx, Admission::Known))
    );
    assert_eq!(
        packet,
        rtx.with(97, codecs::ssrc(Role::Caller, FlowKind::VideoRtx), vec![])
    );
}

#[test]
fn what_was_not_negotiated_is_refused() {
    let mut leg = leg_a();
    let unknown = Rtp {
        payload_type: 96,
        ..video()
    };
    assert_eq!(
        leg.rtp_to_wire(&mut unknown.bytes()),
        Err(MapError::UnknownPayloadType(96))
    );
    let ssrc = codecs::ssrc(Role::Callee, FlowKind::Video);
    let mut h264 = video().with(102, ssrc, vec![]);
    assert_eq!(
        leg.rtp_to_leg(FlowKind::Video, &mut h264),
        Err(MapError::NotNegotiated(Codec::H264))
    );
    let mut none = video().with(60, ssrc, vec![]);
    assert_eq!(
        leg.rtp_to_leg(FlowKind::Video, &mut none),
        Err(MapError::UnknownPayloadType(60))
    );
}

#[test]
fn packets_of_the_wrong_flow_or_side_are_refused() {
    let mut leg = leg_b();
    let caller = codecs::ssrc(Role::Caller, FlowKind::Video);
    let mut good = video().with(96, caller, vec![]);
    assert_eq!(
        leg.rtp_to_leg(FlowKind::Audio, &mut good.clone()),
        Err(MapError::WrongFlow)
    );
    assert_eq!(leg.rtp_to_leg(FlowKind::Rtcp, &mut good), Err(MapError::WrongFlow));
    for ssrc in [
        codecs::ssrc(Role::Callee, FlowKind::Video),
        codecs::ssrc(Role::Caller, FlowKind::Audio),
        0,
        A_VIDEO,
    ] {
        let mut packet = video().with(96, ssrc, vec![]);
        assert_eq!(
            leg.rtp_to_leg(FlowKind::Video, &mut packet),
            Err(MapError::UnexpectedSsrc)
        );
    }
    let mut reflected = video().with(35, caller, vec![]);
    assert_eq!(leg.rtp_to_wire(&mut reflected), Err(MapError::UnexpectedSsrc));
}

#[test]
fn either_payload_type_of_a_codec_comes_from_the_leg_and_the_first_goes_to_it() {
    for payload_type in [37, 38] {
        let mut packet = video().with(payload_type, B_VIDEO, vec![]);
        assert_eq!(
            leg_b().rtp_to_wire(&mut packet),
            Ok((FlowKind::Video, Admission::Known))
        );
        assert_eq!(packet.get(1), Some(&(0x80 | 102)));
    }
    let mut packet = video().with(102, codecs::ssrc(Role::Caller, FlowKind::Video), vec![]);
    assert_eq!(leg_b().rtp_to_leg(FlowKind::Video, &mut packet), Ok(()));
    assert_eq!(packet.get(1), Some(&(0x80 | 37)));
}
