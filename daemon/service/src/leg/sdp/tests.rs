//! Offers as browsers and tools write them, and what is wrong with others.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;

const CHROMIUM: &str = include_str!("../fixtures/chromium-sendrecv.sdp");

#[test]
fn chromiums_offer_is_understood() {
    let offer = Offer::parse(CHROMIUM).unwrap();
    assert_eq!(offer.bundle, ["0", "1"]);
    assert!(!offer.passive);
    assert_eq!(offer.fingerprints.len(), 2, "one a section");
    let [audio, video] = &offer.sections[..] else {
        panic!("two sections")
    };
    assert_eq!(
        (audio.kind, audio.mid.as_deref(), audio.mux, audio.reduced_size),
        (Kind::Audio, Some("0"), true, true)
    );
    assert!(audio.ssrc.is_some() && audio.rtx_ssrc.is_none());
    assert!(video.ssrc.is_some() && video.rtx_ssrc.is_some() && video.ssrc != video.rtx_ssrc);
    let vp8 = video
        .formats
        .iter()
        .find(|format| format.rtpmap == "VP8/90000")
        .unwrap();
    assert!(vp8.feedback.contains(&"nack pli".to_owned()));
    let rtx = video
        .formats
        .iter()
        .find(|format| format.rtpmap == "rtx/90000")
        .unwrap();
    assert_eq!(rtx.parameter("apt"), Some(vp8.payload_type.to_string().as_str()));
}

#[test]
fn carriage_returns_make_no_difference() {
    let crlf = CHROMIUM.replace('\n', "\r\n");
    assert_eq!(
        format!("{:?}", Offer::parse(&crlf).unwrap()),
        format!("{:?}", Offer::parse(CHROMIUM).unwrap())
    );
}

#[test]
fn what_is_missing_is_named() {
    for (without, named) in [
        ("a=ice-ufrag", "ice-ufrag"),
        ("a=fingerprint", "fingerprint"),
        ("m=", "media section"),
    ] {
        let text: Vec<_> = CHROMIUM.lines().filter(|line| !line.starts_with(without)).collect();
        let error = Offer::parse(&text.join("\n")).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn directions_and_ports_are_told_apart() {
    let text = "m=audio 0 UDP/TLS/RTP/SAVPF 0\na=ice-ufrag:u\na=fingerprint:sha-256 aa\na=recvonly\n\
                m=video 0 UDP/TLS/RTP/SAVPF 0\na=bundle-only\na=sendonly\na=setup:passive\n";
    let offer = Offer::parse(text).unwrap();
    assert!(offer.sections[0].off && !offer.sections[1].off);
    assert_eq!(
        offer.sections[0].flow,
        Flow {
            send: false,
            receive: true
        }
    );
    assert_eq!(
        offer.sections[1].flow,
        Flow {
            send: true,
            receive: false
        }
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_an_offer_or_an_error(lines in proptest::collection::vec("(m|a|v)=[a-z-]{0,12}[: ]?[ -~]{0,30}", 0..80)) {
        Offer::parse(&lines.join("\r\n")).ok();
        fragment_ufrag(&lines.join("\n"));
    }
}
