//! What holds for all packets.

use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::*;
use crate::media::codecs::{self, Codec};
use crate::media::echo::swap_roles;
use crate::media::flow::{FlowKind, Role};
use crate::media::rtp::Header;
use crate::media::{PACKET_MOST, rtp};

const FLOWS: [FlowKind; 4] = [FlowKind::Audio, FlowKind::Video, FlowKind::VideoRtx, FlowKind::Rtcp];

/// Packets of the caller's leg.
fn sent() -> impl Strategy<Value = Rtp> {
    let flow = prop::sample::select(vec![(109, A_AUDIO), (120, A_VIDEO), (124, A_RTX)]);
    let element = (1..15_u8, vec(any::<u8>(), 1..17));
    let numbers = (any::<bool>(), any::<u16>(), any::<u32>());
    let body = (vec(any::<u8>(), 0..300), any::<u8>());
    (flow, numbers, vec(element, 0..6), body).prop_map(
        |((payload_type, ssrc), (marker, sequence, timestamp), elements, (payload, padding))| Rtp {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            elements,
            payload,
            padding,
        },
    )
}

/// Bytes that get past the first checks: a plausible RTCP header and an SSRC some side knows.
fn almost_rtcp() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        A_VIDEO,
        1,
        0,
        codecs::ssrc(Role::Caller, FlowKind::Video),
        codecs::ssrc(Role::Callee, FlowKind::Rtcp),
    ];
    let packet = (
        0..64_u8,
        199..209_u8,
        prop::sample::select(known.to_vec()),
        vec(any::<u8>(), 0..80),
    );
    let packet = packet.prop_map(|(first, kind, ssrc, mut rest)| {
        rest.resize(rest.len().next_multiple_of(4), 0);
        let packet = rtcp(first & 0x1F, kind, &[&ssrc.to_be_bytes(), &rest]);
        if first & 0x20 == 0 { packet } else { padded(packet) }
    });
    vec(packet, 1..4).prop_map(|packets| packets.concat())
}

fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        almost_rtcp(),
        sent().prop_map(|packet| packet.bytes())
    ]
}

/// A well-formed compound of one side, already canonical.
fn canonical() -> impl Strategy<Value = (Role, Vec<u8>)> {
    let role = prop::sample::select(vec![Role::Caller, Role::Callee]);
    let packet = (0..8_usize, prop::sample::select(FLOWS.to_vec()), any::<[u8; 8]>());
    (role, vec(packet, 1..5)).prop_map(|(role, packets)| {
        let packets = packets
            .into_iter()
            .map(|(shape, kind, noise)| canonical_packet(role, shape, kind, noise));
        (role, packets.collect::<Vec<_>>().concat())
    })
}

fn canonical_packet(role: Role, shape: usize, kind: FlowKind, noise: [u8; 8]) -> Vec<u8> {
    let own = codecs::ssrc(role, kind).to_be_bytes();
    let peer = codecs::ssrc(role.other(), kind).to_be_bytes();
    let name = codecs::cname(role).as_bytes();
    match shape {
        0 => rtcp(1, 200, &[&own, &noise, &noise, &[0; 4], &peer, &noise, &noise, &[0; 4]]),
        1 => rtcp(1, 201, &[&own, &peer, &noise, &noise, &[0; 4]]),
        2 => rtcp(1, 202, &[&own, &[1, 6], name, &[0; 4]]),
        3 => rtcp(1, 203, &[&own]),
        4 => rtcp(15, 205, &[&own, &peer, &noise]),
        5 => rtcp(4, 206, &[&own, &[0; 4], &peer, &[1, 0, 0, 0]]),
        6 => rtcp(15, 206, &[&own, &[0; 4], b"REMB", &[1, 2, 3, 4], &peer]),
        _ => rtcp(0, 207, &[&own, &[4, 0, 0, 2], &noise, &[5, 0, 0, 3], &peer, &noise]),
    }
}

proptest! {
    #[test]
    fn a_packet_keeps_its_content_from_leg_to_leg(packet in sent()) {
        let mut bytes = packet.bytes();
        let (flow, _) = leg_a().rtp_to_wire(&mut bytes).expect("negotiated");
        leg_b().rtp_to_leg(flow, &mut bytes).expect("negotiated");
        let header = Header::parse(&bytes).expect("well formed");
        prop_assert_eq!(header.ssrc, codecs::ssrc(Role::Caller, flow));
        prop_assert_eq!((header.marker, header.sequence, header.timestamp), (packet.marker, packet.sequence, packet.timestamp));
        prop_assert_eq!(header.padding, usize::from(packet.padding));
        prop_assert_eq!(bytes.get(header.payload), Some(&packet.payload[..]));
    }

    #[test]
    fn no_number_of_the_leg_reaches_the_wire(packet in sent()) {
        let mut bytes = packet.bytes();
        let (flow, _) = leg_a().rtp_to_wire(&mut bytes).expect("negotiated");
        let header = Header::parse(&bytes).expect("well formed");
        let codec = Codec::from_payload_type(header.payload_type).expect("canonical");
        prop_assert_eq!(codec.flow(), flow);
        prop_assert_eq!(header.ssrc, codecs::ssrc(Role::Caller, flow));
        prop_assert!(bytes.len() <= packet.bytes().len());
    }

    #[test]
    fn whatever_comes_is_an_answer_within_bounds(packets in vec(any_packet(), 0..30)) {
        let mut leg = leg_a();
        for packet in packets {
            let mut out = packet.clone();
            let _ = leg.rtcp_to_wire(&mut out);
            prop_assert!(out.len() <= PACKET_MOST);
            let mut out = packet.clone();
            if leg.rtp_to_wire(&mut out).is_ok() {
                prop_assert!(Header::parse(&out).is_ok());
            }
            let mut out = packet.clone();
            let _ = leg.rtcp_to_leg(&mut out);
            prop_assert!(out.len() <= PACKET_MOST);
            for flow in FLOWS {
                let mut out = packet.clone();
                let _ = leg.rtp_to_leg(flow, &mut out);
                let mut out = packet.clone();
                let _ = swap_roles(flow, &mut out);
                prop_assert!(out.len() <= PACKET_MOST);
            }
            let _ = rtp::is_rtcp(&packet);
        }
    }

    #[test]
    fn what_is_canonical_stays_so(compound in almost_rtcp()) {
        let mut once = compound;
        if leg_a().rtcp_to_wire(&mut once).is_ok() {
            let mut twice = once.clone();
            prop_assert_eq!(swap_roles(FlowKind::Rtcp, &mut twice), Ok(()));
            prop_assert_eq!(swap_roles(FlowKind::Rtcp, &mut twice), Ok(()));
            prop_assert_eq!(twice, once);
        }
    }

    #[test]
    fn swapping_rtcp_twice_is_identity((role, compound) in canonical()) {
        let mut swapped = compound.clone();
        prop_assert_eq!(swap_roles(FlowKind::Rtcp, &mut swapped), Ok(()));
        prop_assert_ne!(&swapped, &compound);
        let mut heard = swapped.clone();
        let mut leg = match role { Role::Caller => leg_a(), Role::Callee => leg_b() };
        prop_assert_eq!(leg.rtcp_to_leg(&mut heard), Ok(()), "the other side's, to whoever sent it");
        prop_assert_eq!(swap_roles(FlowKind::Rtcp, &mut swapped), Ok(()));
        prop_assert_eq!(swapped, compound);
    }

    #[test]
    fn an_echo_is_accepted_by_the_leg_that_sent(packet in sent()) {
        let mut leg = leg_a();
        let mut bytes = packet.bytes();
        let (flow, _) = leg.rtp_to_wire(&mut bytes).expect("negotiated");
        let wire = bytes.clone();
        prop_assert_eq!(swap_roles(flow, &mut bytes), Ok(()));
        prop_assert_eq!(leg.rtp_to_leg(flow, &mut bytes.clone()), Ok(()));
        prop_assert_eq!(swap_roles(flow, &mut bytes), Ok(()));
        prop_assert_eq!(bytes, wire);
    }
}
