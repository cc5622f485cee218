//! Byte for byte through SRTP: each packet that the crate's own marshalling is known to spoil.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rtc::srtp::protection_profile::ProtectionProfile;

use super::*;

const PROFILES: [ProtectionProfile; 3] = [
    ProtectionProfile::AeadAes128Gcm,
    ProtectionProfile::AeadAes256Gcm,
    ProtectionProfile::Aes128CmHmacSha1_80,
];

/// Two ends with each other's keys.
pub(in crate::leg) fn pair(profile: ProtectionProfile) -> (Srtp, Srtp) {
    let crypto = rtc::crypto::default_provider().unwrap();
    let end = |is_client| {
        let mut config = Config {
            profile,
            ..Config::default()
        };
        let material: Vec<u8> = (0u8..=255).take(config.keying_material_len()).collect();
        config
            .set_session_keys_from_keying_material(&material, is_client)
            .unwrap();
        Srtp::new(&config, crypto.crypto()).unwrap()
    };
    (end(true), end(false))
}

fn crosses_rtp(packet: &[u8]) {
    for profile in PROFILES {
        let (mut here, mut there) = pair(profile);
        let sealed = here.seal_rtp(packet).unwrap();
        assert_ne!(sealed[..packet.len()], *packet, "the payload is hidden");
        assert_eq!(there.open_rtp(&sealed).unwrap(), packet);
        assert!(there.open_rtp(&sealed).is_err(), "a replay is refused");
    }
}

fn crosses_rtcp(compound: &[u8]) {
    for profile in PROFILES {
        let (mut here, mut there) = pair(profile);
        let sealed = here.seal_rtcp(compound).unwrap();
        assert_eq!(there.open_rtcp(&sealed).unwrap(), compound);
        assert!(there.open_rtcp(&sealed).is_err(), "a replay is refused");
    }
}

#[test]
fn rtp_padding_keeps_its_length() {
    let probe = [&[0xA0, 97, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2][..], &[0; 223], &[224]].concat();
    crosses_rtp(&probe);
    crosses_rtp(
        &[
            &[0xB0, 96, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0xBE, 0xDE, 0, 1, 0x10, 5, 0, 0][..],
            b"data",
            &[0, 0, 0, 4],
        ]
        .concat(),
    );
}

#[test]
fn header_extensions_of_any_form_stay_as_they_are() {
    let header = [0x90, 96, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2];
    let one_byte_with_gaps = [0xBE, 0xDE, 0, 2, 0, 0x10, 5, 0, 0, 0x21, 1, 2];
    let two_byte = [0x10, 0, 0, 2, 1, 0, 2, 3, 7, 8, 9, 0];
    let reserved_id_ends_it = [0xBE, 0xDE, 0, 1, 0xF0, 1, 2, 3];
    let empty = [0xBE, 0xDE, 0, 0];
    let other_profile = [0xAB, 0xCD, 0, 1, 1, 2, 3, 4];
    for extension in [
        &one_byte_with_gaps[..],
        &two_byte,
        &reserved_id_ends_it,
        &empty,
        &other_profile,
    ] {
        crosses_rtp(&[&header[..], extension, b"payload"].concat());
    }
}

#[test]
fn contributing_sources_stay_as_they_are() {
    crosses_rtp(
        &[
            &[
                0x92, 0xE0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 1, 1, 2, 2, 2, 2, 0xBE, 0xDE, 0, 1, 0x10, 5, 0, 0,
            ][..],
            b"x",
        ]
        .concat(),
    );
}

#[test]
fn sdes_padding_stays_zero() {
    crosses_rtcp(&[
        0x81, 202, 0, 4, 0, 0, 0, 2, 1, 5, b'h', b'e', b'l', b'l', b'o', 0, 0, 0, 0, 0,
    ]);
}

#[test]
fn unknown_application_feedback_stays_in_its_compound() {
    let report = [0x80, 201, 0, 1, 0, 0, 0, 2];
    let loss_notification = [
        0x8F, 206, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3, b'L', b'N', b'T', b'F', 0, 1, 0, 1,
    ];
    crosses_rtcp(&[&report[..], &loss_notification].concat());
}

#[test]
fn transport_feedback_keeps_its_padding_bit() {
    crosses_rtcp(&[
        0xAF, 205, 0, 5, 0, 0, 0, 2, 0, 0, 0, 3, 0, 9, 0, 1, 0, 0, 1, 7, 0x20, 1, 4, 1,
    ]);
}

#[test]
fn rtcp_that_says_it_is_not_encrypted_is_refused() {
    for profile in PROFILES {
        let (mut here, mut there) = pair(profile);
        assert!(
            there
                .open_rtcp(&[&[0x80, 201, 0, 1, 0, 0, 0, 2][..], &[0; 14]].concat())
                .is_err()
        );
        let mut sealed = here.seal_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 2]).unwrap();
        let at = sealed.len() - there.rtcp_trailer;
        assert_eq!(sealed[at] & 0x80, 0x80);
        sealed[at] ^= 0x80;
        assert!(there.open_rtcp(&sealed).is_err());
    }
}

#[test]
fn short_packets_are_errors() {
    let (mut here, mut there) = pair(ProtectionProfile::AeadAes128Gcm);
    for length in 0..60 {
        let bytes = vec![0x9F; length];
        for result in [here.seal_rtp(&bytes), there.open_rtp(&bytes), there.open_rtcp(&bytes)] {
            assert!(result.is_err());
        }
    }
}

proptest! {
    #[test]
    fn whatever_arrives_is_a_packet_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), profile in 0..3usize) {
        let (mut here, mut hostile) = pair(PROFILES[profile]);
        prop_assert!(hostile.open_rtp(&bytes).is_err());
        prop_assert!(hostile.open_rtcp(&bytes).is_err());
        let (_, mut there) = pair(PROFILES[profile]);
        if let Ok(sealed) = here.seal_rtp(&bytes) {
            prop_assert_eq!(there.open_rtp(&sealed).unwrap(), bytes.clone());
        }
        if let Ok(sealed) = here.seal_rtcp(&bytes) {
            prop_assert_eq!(there.open_rtcp(&sealed).unwrap(), bytes);
        }
    }
}
