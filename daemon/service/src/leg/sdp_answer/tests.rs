//! Answers to real offers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const CHROMIUM: &str = include_str!("../fixtures/chromium-sendrecv.sdp");

fn answer(offer: &str, role: Role) -> (String, Direction, Negotiated) {
    let terms = Terms {
        role,
        most_video_kbit: None,
    };
    answer_on(offer, terms)
}

fn answer_on(offer: &str, terms: Terms) -> (String, Direction, Negotiated) {
    let offer = Offer::parse(offer).unwrap();
    let accepted = Accepted::choose(&offer, None).unwrap();
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
        accepted.answer(&offer, terms, &transport),
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
    let refused = |offer: &str| Accepted::choose(&Offer::parse(offer).unwrap(), None).is_err();
    assert!(refused(&CHROMIUM.replace("RTP/SAVPF", "RTP/AVP")));
    assert!(refused(&CHROMIUM.replace("a=rtcp-mux", "a=x")));
    assert!(refused(&CHROMIUM.replace("BUNDLE 0 1", "BUNDLE 0")));
}

#[test]
fn a_passive_offerer_makes_us_active() {
    let (text, _, _) = answer(&CHROMIUM.replace("a=setup:actpass", "a=setup:passive"), Role::Callee);
    assert!(has(&text, "a=setup:active"));
}

/// The video formats of an answer, in its order.
fn video_formats(offer: &str, far: Option<Formats>) -> Vec<Codec> {
    let offer = Offer::parse(offer).unwrap();
    let accepted = Accepted::choose(&offer, far).unwrap();
    let negotiated = accepted
        .negotiated(&offer)
        .payload_types
        .into_iter()
        .map(|(codec, _)| codec);
    negotiated.filter(|codec| formats::VIDEO.contains(codec)).collect()
}

#[test]
fn what_the_far_side_shows_stands_first_and_alone_where_the_leg_only_sends() {
    let far = |codecs: &[Codec]| Some(Formats::of(codecs.iter().copied()));
    let sends = CHROMIUM.replace("a=sendrecv", "a=sendonly");
    let all = formats::VIDEO.to_vec();
    assert_eq!(video_formats(CHROMIUM, None), all);
    assert_eq!(video_formats(&sends, None), all);
    let vp9 = [Codec::Vp9, Codec::Vp8, Codec::H264, Codec::Av1];
    assert_eq!(video_formats(CHROMIUM, far(&[Codec::Vp9])), vp9);
    assert_eq!(
        video_formats(&sends, far(&[Codec::H264, Codec::Vp9])),
        [Codec::Vp9, Codec::H264]
    );
    assert_eq!(
        video_formats(&sends, far(&[])),
        all,
        "what does not suit is held back at the gate"
    );
}

#[test]
fn a_leg_says_what_it_can_show() {
    let takes = |direction: &str| {
        let offer = Offer::parse(&CHROMIUM.replace("a=sendrecv", direction)).unwrap();
        Accepted::choose(&offer, None).unwrap().takes()
    };
    assert_eq!(takes("a=sendrecv"), Some(Formats::ALL));
    assert_eq!(takes("a=recvonly"), Some(Formats::ALL));
    assert_eq!(takes("a=sendonly"), None);
    let sound_alone = CHROMIUM.replace("UDP/TLS/RTP/SAVPF 96", "UDP/NOTHING 96");
    let offer = Offer::parse(&sound_alone).unwrap();
    assert_eq!(Accepted::choose(&offer, None).unwrap().takes(), Some(Formats::NONE));
}

#[test]
fn what_describes_the_offerers_stream_is_not_said_of_the_far_sides() {
    let fmtp = "packetization-mode=1;sprop-parameter-sets=Z0LADYyNQKD5APCIRqA=,aM48gA==; profile-level-id=42c00d";
    let kept: Vec<_> = of_the_format(fmtp).collect();
    assert_eq!(kept, ["packetization-mode=1", "profile-level-id=42c00d"]);
    assert_eq!(of_the_format("").count(), 0);
}

#[test]
fn only_who_numbers_and_asks_controls_its_rate() {
    let pace = |text: &str| {
        let offer = Offer::parse(text).unwrap();
        Accepted::choose(&offer, None).unwrap().pace(&offer)
    };
    assert_eq!(pace(CHROMIUM), Pace::Controlled);
    assert_eq!(
        pace(&CHROMIUM.replace(Extension::TransportCc.uri(), "urn:none")),
        Pace::Blind
    );
    assert_eq!(pace(&CHROMIUM.replace(" transport-cc", " none")), Pace::Blind);
}

#[test]
fn constrained_baseline_has_three_names() {
    for level in ["42e01f", "42C01F", "42c015", "4d801f", "58c01f"] {
        assert!(is_constrained_baseline(level), "{level}");
    }
    for level in ["42001f", "4d001f", "64001f", "", "4", "42", "42e", "zzzzzz", "é€"] {
        assert!(!is_constrained_baseline(level), "{level}");
    }
}

#[test]
fn a_limit_is_of_the_picture_alone() {
    let on = |most_video_kbit| {
        let terms = Terms {
            role: Role::Caller,
            most_video_kbit,
        };
        answer_on(CHROMIUM, terms).0
    };
    let (free, limited) = (on(None), on(Some(700)));
    assert!(!free.contains("b=TIAS") && free.contains("x-google-start-bitrate=1000;x-google-max-bitrate=6000"));
    let sections: Vec<_> = limited.split("\r\nm=").collect();
    let [_, audio, video] = sections.as_slice() else {
        panic!("{limited}")
    };
    assert!(audio.starts_with("audio") && !audio.contains("b=") && !audio.contains("x-google"));
    assert!(video.starts_with("video") && has(video, "b=TIAS:700000"), "{video}");
    assert!(
        video.contains("x-google-start-bitrate=700;x-google-max-bitrate=700"),
        "{video}"
    );
}
