//! A leg that replaces another one goes on where it ended, and hears what is said in its own numbers.

use std::time::Duration;

use super::samples::*;
use crate::media::codecs::{self, Extension};
use crate::media::flow::{FlowKind, Role};
use crate::media::leg_map::LegMap;
use crate::media::rtp::Header;
use crate::media::{feedback, rtp_extensions};

const WIRE_VIDEO: u32 = codecs::ssrc(Role::Caller, FlowKind::Video);

fn video(sequence: u16, timestamp: u32, transport: u16) -> Rtp {
    let elements = vec![(7, transport.to_be_bytes().to_vec())];
    Rtp {
        payload_type: 120,
        sequence,
        timestamp,
        ssrc: A_VIDEO,
        elements,
        payload: vec![1; 9],
        ..Rtp::default()
    }
}

/// A leg that follows one which sent 1000 / 5000 / 300: one second later, with 10 / 0 / 1.
fn second_leg() -> LegMap {
    let mut first = leg_a();
    first
        .rtp_to_wire(&mut video(1000, 5000, 300).bytes())
        .expect("can be mapped");
    let mut second = leg_a();
    second.continue_after(&first, Duration::from_secs(1));
    let mut packet = video(10, 0, 1).bytes();
    second.rtp_to_wire(&mut packet).expect("can be mapped");
    let header = Header::parse(&packet).expect("well formed");
    assert_eq!((header.sequence, header.timestamp), (1001, 95_000));
    let id = Extension::TransportCc.wire_id().expect("on the wire");
    let data = rtp_extensions::data_of(&packet, &header, id).expect("present");
    assert_eq!(packet.get(data), Some(&301_u16.to_be_bytes()[..]));
    second
}

#[test]
fn retransmissions_name_the_shifted_original() {
    let rtx = Rtp {
        payload_type: 124,
        ssrc: A_RTX,
        payload: vec![0, 10, 7],
        ..video(70, 0, 2)
    };
    let mut packet = rtx.bytes();
    second_leg().rtp_to_wire(&mut packet).expect("can be mapped");
    let header = Header::parse(&packet).expect("well formed");
    assert_eq!((header.sequence, header.timestamp), (70, 95_000));
    assert_eq!(
        packet.get(header.payload),
        Some(&[&1001_u16.to_be_bytes()[..], &[7]].concat()[..])
    );
}

#[test]
fn sender_reports_are_shifted_in_time() {
    let info = |timestamp: u32| [&[1; 8], &timestamp.to_be_bytes()[..], &[2; 8]].concat();
    let mut compound = rtcp(0, 200, &[&A_VIDEO.to_be_bytes(), &info(90_000)]);
    second_leg().rtcp_to_wire(&mut compound).expect("can be mapped");
    assert_eq!(compound, rtcp(0, 200, &[&WIRE_VIDEO.to_be_bytes(), &info(185_000)]));
}

#[test]
fn feedback_is_shifted_back() {
    let mut leg = second_leg();
    let peer = codecs::ssrc(Role::Callee, FlowKind::Rtcp).to_be_bytes();
    let both = |ssrc: u32, kind, format, fci: &[u8]| rtcp(format, kind, &[&peer, &ssrc.to_be_bytes(), fci]);
    let mut nack = both(WIRE_VIDEO, 205, 1, &[0x03, 0xE9, 0, 5, 0x03, 0xEA, 0, 0]);
    leg.rtcp_to_leg(&mut nack).expect("can be mapped");
    assert_eq!(nack, both(A_VIDEO, 205, 1, &[0, 10, 0, 5, 0, 11, 0, 0]));
    let mut wide = both(WIRE_VIDEO, 205, 15, &[1, 45, 0, 1, 0, 0, 1, 0, 0x20, 1, 4, 0]);
    leg.rtcp_to_leg(&mut wide).expect("can be mapped");
    assert_eq!(wide, both(A_VIDEO, 205, 15, &[0, 1, 0, 1, 0, 0, 1, 0, 0x20, 1, 4, 0]));
}

#[test]
fn reception_reports_are_shifted_back() {
    let peer = codecs::ssrc(Role::Callee, FlowKind::Rtcp).to_be_bytes();
    let report = |ssrc: u32, highest: u16| {
        let block = [
            &ssrc.to_be_bytes()[..],
            &[9; 4],
            &[0, 2],
            &highest.to_be_bytes(),
            &[8; 12],
        ]
        .concat();
        rtcp(1, 201, &[&peer, &block])
    };
    let mut compound = report(WIRE_VIDEO, 1003);
    second_leg().rtcp_to_leg(&mut compound).expect("can be mapped");
    assert_eq!(compound, report(A_VIDEO, 12));
}

#[test]
fn another_ssrc_that_takes_over_continues_too() {
    let mut leg = leg_a();
    leg.rtp_to_wire(&mut video(1000, 5000, 1).bytes())
        .expect("can be mapped");
    let other = Rtp {
        ssrc: 77,
        ..video(3, 0, 2)
    };
    let packet = (0..100).find_map(|_| {
        let mut packet = other.bytes();
        leg.rtp_to_wire(&mut packet).ok().map(|_| packet)
    });
    let header = Header::parse(&packet.expect("takes over in the end")).expect("well formed");
    assert_eq!(
        (header.ssrc, header.sequence, header.timestamp),
        (WIRE_VIDEO, 1001, 8600)
    );
    let peer = codecs::ssrc(Role::Callee, FlowKind::Rtcp);
    assert_eq!(leg.keyframe_request(), Some(feedback::pli(peer, 77)));
}
