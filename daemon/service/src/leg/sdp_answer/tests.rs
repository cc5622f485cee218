//! Answers to real offers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const CHROMIUM: &str = include_str!("../fixtures/chromium-sendrecv.sdp");

fn answer(offer: &str, role: Role) -> (String, Direction, Negotiated) {
    let offer = Offer::parse(offer).unwrap();
    let accepted = Accepted::choose(&offer).unwrap();
    let credentials = Credentials {
        ufrag: "us".to_owned(),
        password: "secret".to_owned(),
    };
    let candidates = ["127.0.0.1:5".parse().unwrap(), "[::1]:6".parse().unwrap()];
    let transport = Transport {
        credentials: &credentials,
        fingerprint: "sha-256 AA",
        candidates: &candidates,
    };
    (
        accepted.answer(&offer, role, &transport),
        accepted.direction(),
        accepted.negotiated(&offer),
    )
}

fn has(text: &str, line: &str) -> bool {
    text.split("\r\n").any(|one| one == line)
}

#[test]
fn chromium_is_answered_with_the_far_sides_ssrcs_and_its_own_numbers() {
    let (text, direction, negotiated) = answer(CHROMIUM, Role::Caller);
    assert_eq!(direction, Direction::Both);
    let far = |kind| codecs::ssrc(Role::Callee, kind);
    for line in [
        "a=ice-lite".to_owned(),
        "a=group:BUNDLE 0 1".to_owned(),
        "a=setup:passive".to_owned(),
        "a=sendrecv".to_owned(),
        "a=fmtp:111 minptime=10;useinbandfec=1;cbr=1;usedtx=0".to_owned(),
        "a=candidate:1 1 udp 2130706431 127.0.0.1 5 typ host".to_owned(),
        "a=candidate:2 1 udp 2130706175 ::1 6 typ host".to_owned(),
        format!("a=ssrc:{} cname:callee", far(FlowKind::Audio)),
        format!("a=ssrc-group:FID {} {}", far(FlowKind::Video), far(FlowKind::VideoRtx)),
        "a=rtcp-fb:96 nack pli".to_owned(),
        "a=rtcp-fb:111 transport-cc".to_owned(),
    ] {
        assert!(has(&text, &line), "{line} is missing in\n{text}");
    }
    for absent in ["goog-", "red/", "ulpfec", "PCMU"] {
        assert!(!text.contains(absent), "{absent} is not accepted");
    }
    assert_eq!(text.matches("\r\nm=").count(), 2);
    let of = |codec| {
        negotiated
            .payload_types
            .iter()
            .find(|(one, _)| *one == codec)
            .map(|(_, number)| *number)
    };
    assert_eq!(
        (of(Codec::Opus), of(Codec::Vp8), of(Codec::Vp8Rtx)),
        (Some(111), Some(96), Some(97))
    );
    assert!(negotiated.ssrcs.audio.is_some() && negotiated.ssrcs.video_rtx.is_some());
}

#[test]
fn whip_and_whep_offers_get_their_directions() {
    let whip = CHROMIUM.replace("a=sendrecv", "a=sendonly");
    let (text, direction, _) = answer(&whip, Role::Caller);
    assert_eq!(direction, Direction::Send);
    assert!(has(&text, "a=recvonly") && !text.contains("a=ssrc"));
    let whep = CHROMIUM.replace("a=sendrecv", "a=recvonly");
    let (text, direction, _) = answer(&whep, Role::Caller);
    assert_eq!(direction, Direction::Receive);
    assert!(has(&text, "a=sendonly") && text.contains("a=ssrc:"));
}

#[test]
fn refused_sections_keep_their_place_and_leave_the_bundle() {
    let data = format!("{CHROMIUM}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\na=sctp-port:5000\n");
    let (text, _, _) = answer(&data.replace("BUNDLE 0 1", "BUNDLE 0 1 2"), Role::Callee);
    assert!(has(&text, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel") && has(&text, "a=group:BUNDLE 0 1"));
}

#[test]
fn an_offer_without_anything_usable_is_refused() {
    let refused = |offer: &str| Accepted::choose(&Offer::parse(offer).unwrap()).is_err();
    assert!(refused(&CHROMIUM.replace("RTP/SAVPF", "RTP/AVP")));
    assert!(refused(&CHROMIUM.replace("a=rtcp-mux", "a=x")));
    assert!(refused(&CHROMIUM.replace("BUNDLE 0 1", "BUNDLE 0")));
}

#[test]
fn a_passive_offerer_makes_us_active() {
    let (text, _, _) = answer(&CHROMIUM.replace("a=setup:actpass", "a=setup:passive"), Role::Callee);
    assert!(has(&text, "a=setup:active"));
}
