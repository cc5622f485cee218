//! What the library of the legs is known to do wrong when it writes a packet itself; the mapping must not.

use super::samples::*;
use crate::media::codecs;
use crate::media::flow::{FlowKind, Role};
use crate::media::rtp::Header;

#[test]
fn padding_of_source_descriptions_is_zero() {
    for junk in [b"\x01\x02ab\x00\xDE\xAD\xBE", b"\x01\x02ab\x00\x00\x00\x00"] {
        let mut packet = rtcp(1, 202, &[&A_AUDIO.to_be_bytes(), junk]);
        leg_a().rtcp_to_wire(&mut packet).expect("can be mapped");
        assert!(packet.ends_with(b"caller\x00\x00\x00\x00"));
    }
}

#[test]
fn padding_of_rtp_keeps_its_length() {
    for padding in [1, 2, 3, 4, 100, 255] {
        let sent = Rtp {
            payload_type: 120,
            ssrc: A_VIDEO,
            payload: vec![9; 5],
            padding,
            ..Rtp::default()
        };
        let mut packet = sent.bytes();
        leg_a().rtp_to_wire(&mut packet).expect("can be mapped");
        leg_b().rtp_to_leg(FlowKind::Video, &mut packet).expect("can be mapped");
        let header = Header::parse(&packet).expect("well formed");
        assert_eq!((header.payload.len(), header.padding), (5, usize::from(padding)));
    }
}

#[test]
fn an_unknown_application_feedback_stays_and_so_does_the_rest() {
    let peer = codecs::ssrc(Role::Callee, FlowKind::Video).to_be_bytes();
    let make = |source: u32| {
        let source = source.to_be_bytes();
        let report = rtcp(0, 201, &[&source]);
        let unknown = rtcp(15, 206, &[&source, &peer, b"XYZWwhatever"]);
        let short = rtcp(15, 206, &[&source, &peer]);
        [report, unknown, short].concat()
    };
    let mut packet = make(A_VIDEO);
    leg_a().rtcp_to_wire(&mut packet).expect("can be mapped");
    assert_eq!(packet, make(codecs::ssrc(Role::Caller, FlowKind::Video)));
}

#[test]
fn the_padding_of_transport_wide_feedback_is_untouched() {
    let peer = codecs::ssrc(Role::Callee, FlowKind::Video).to_be_bytes();
    let fci = [0, 5, 0, 1, 0, 0, 1, 0, 0x20, 1, 4, 1];
    for make in [padded, std::convert::identity] {
        let mut packet = make(rtcp(15, 205, &[&A_VIDEO.to_be_bytes(), &peer, &fci]));
        leg_a().rtcp_to_wire(&mut packet).expect("can be mapped");
        let source = codecs::ssrc(Role::Caller, FlowKind::Video).to_be_bytes();
        assert_eq!(packet, make(rtcp(15, 205, &[&source, &peer, &fci])));
    }
}
