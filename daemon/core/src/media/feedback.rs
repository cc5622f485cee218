//! RTCP that the daemon itself sends or answers.

use super::bytes::slice;
use super::rtcp::{PAYLOAD_FEEDBACK, Packet, Packets};
use super::rtcp_feedback::{FCI, FIR};

/// Picture loss indication (RFC 4585, section 6.3.1).
const PLI: u8 = 1;

/// A picture loss indication (RFC 4585, section 6.3.1): asks the sender of `media_ssrc` for a key frame.
#[must_use]
pub fn pli(sender_ssrc: u32, media_ssrc: u32) -> [u8; 12] {
    let [a, b, c, d] = sender_ssrc.to_be_bytes();
    let [e, f, g, h] = media_ssrc.to_be_bytes();
    [0x81, 206, 0, 2, a, b, c, d, e, f, g, h]
}

/// Whether an RTCP packet, compound or not, holds a PLI or FIR (RFC 5104, section 4.3.1) for the stream `ssrc`.
#[must_use]
pub fn asks_for_key_frame(compound: &[u8], ssrc: u32) -> bool {
    let ssrc = ssrc.to_be_bytes();
    let names = |packet: Packet<'_>| match (packet.kind, packet.count) {
        (PAYLOAD_FEEDBACK, PLI) => slice(packet.bytes, FCI - 4, FCI) == Ok(&ssrc),
        (PAYLOAD_FEEDBACK, FIR) => slice(packet.bytes, FCI, FCI + 4) == Ok(&ssrc),
        _ => false,
    };
    Packets::of(compound).flatten().any(names)
}

#[cfg(test)]
mod tests {
    use super::super::codecs;
    use super::super::flow::{FlowKind, Role};
    use super::*;

    #[test]
    fn bytes_of_a_pli() {
        assert_eq!(pli(0x0102_0304, 0x0506_0708), [0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn requests_for_key_frames_are_recognised() {
        let [ours, theirs] = [Role::Caller, Role::Callee].map(|role| codecs::ssrc(role, FlowKind::Video));
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        assert!(asks_for_key_frame(&pli(theirs, ours), ours));
        assert!(!asks_for_key_frame(&pli(ours, theirs), ours));
        assert!(asks_for_key_frame(&[&report[..], &pli(theirs, ours)].concat(), ours));
        let fir = [
            &[0x84, 206, 0, 4][..],
            &theirs.to_be_bytes(),
            &[0; 4],
            &ours.to_be_bytes(),
            &[1, 0, 0, 0],
        ]
        .concat();
        assert!(asks_for_key_frame(&fir, ours));
        assert!(!asks_for_key_frame(&report, ours));
        for cut in 0..fir.len() {
            assert!(!asks_for_key_frame(fir.get(..cut).expect("shorter"), ours));
        }
    }
}
