//! Who is answered, and what nominates.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rtc::crypto::RTCCryptoProvider;
use rtc::stun::attributes::AttrType;
use rtc::stun::message::TransactionId;

use super::*;

const NO_ATTRIBUTE: &[AttrType] = &[];

fn crypto() -> std::sync::Arc<dyn RTCCryptoProvider> {
    rtc::crypto::default_provider().unwrap()
}

fn credentials(ufrag: &str) -> Credentials {
    Credentials {
        ufrag: ufrag.to_owned(),
        password: format!("password of {ufrag}"),
    }
}

fn pair(port: u16) -> Pair {
    Pair {
        socket: 0,
        remote: SocketAddr::from(([127, 0, 0, 1], port)),
    }
}

fn request(username: &str, password: &str, attributes: &[AttrType]) -> Vec<u8> {
    let mut message = Message::new();
    message.typ = BINDING_REQUEST;
    message.transaction_id = TransactionId::new();
    message.write_header();
    message.add(ATTR_USERNAME, username.as_bytes());
    attributes.iter().for_each(|attribute| message.add(*attribute, &[]));
    let provider = crypto();
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), provider.crypto());
    integrity.add_to(&mut message).unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

fn answered(ice: &mut IceLite, port: u16, datagram: &[u8]) -> Option<Message> {
    match ice.handle(pair(port), datagram, crypto().crypto()) {
        Check::Answer(bytes) => {
            let mut message = Message::new();
            message.unmarshal_binary(&bytes).unwrap();
            FINGERPRINT.check(&message).unwrap();
            Some(message)
        }
        Check::Ignore => None,
    }
}

#[test]
fn a_check_makes_a_pair_valid_and_the_last_nomination_counts() {
    let mut ice = IceLite::new(credentials("us"), "them".to_owned());
    assert!(!ice.is_valid(pair(1)) && ice.nominated().is_none());
    for (port, attributes) in [(1, NO_ATTRIBUTE), (2, &[ATTR_USE_CANDIDATE]), (3, &[])] {
        let answer = answered(&mut ice, port, &request("us:them", "password of us", attributes)).unwrap();
        assert_eq!(answer.typ, BINDING_SUCCESS);
        assert!(ice.is_valid(pair(port)));
    }
    assert_eq!(ice.nominated(), Some(pair(2)));
    assert!(!ice.is_valid(pair(4)));
}

#[test]
fn strangers_get_no_byte() {
    let mut ice = IceLite::new(credentials("us"), "them".to_owned());
    let mut spoilt = request("us:them", "password of us", &[]);
    spoilt.iter_mut().skip(8).take(1).for_each(|byte| *byte ^= 1);
    for datagram in [
        request("us:them", "guess", NO_ATTRIBUTE),
        request("us:others", "password of us", NO_ATTRIBUTE),
        request("others:them", "password of us", NO_ATTRIBUTE),
        request("", "password of us", NO_ATTRIBUTE),
        spoilt,
        vec![0, 1, 0, 0],
        vec![0; 20],
    ] {
        assert!(answered(&mut ice, 1, &datagram).is_none());
    }
    assert!(!ice.is_valid(pair(1)));
}

#[test]
fn a_check_from_one_who_means_to_be_controlled_is_a_conflict() {
    let mut ice = IceLite::new(credentials("us"), "them".to_owned());
    let answer = answered(
        &mut ice,
        1,
        &request("us:them", "password of us", &[ATTR_ICE_CONTROLLED]),
    )
    .unwrap();
    assert_eq!(answer.typ, BINDING_ERROR);
    assert!(!ice.is_valid(pair(1)));
}

#[test]
fn a_restart_hears_the_old_credentials_until_the_new_ones_nominate() {
    let mut ice = IceLite::new(credentials("us"), "them".to_owned());
    ice.restart(credentials("we"), "they".to_owned());
    let (old, new) = (request("us:them", "password of us", NO_ATTRIBUTE), |attributes| {
        request("we:they", "password of we", attributes)
    });
    assert!(answered(&mut ice, 1, &old).is_some());
    assert!(answered(&mut ice, 2, &new(NO_ATTRIBUTE)).is_some());
    assert!(answered(&mut ice, 1, &old).is_some());
    assert!(answered(&mut ice, 2, &new(&[ATTR_USE_CANDIDATE])).is_some());
    assert!(answered(&mut ice, 1, &old).is_none());
    assert_eq!(ice.nominated(), Some(pair(2)));
}

proptest::proptest! {
    #[test]
    fn whatever_arrives_is_no_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
        let mut ice = IceLite::new(credentials("us"), "them".to_owned());
        ice.handle(pair(1), &bytes, crypto().crypto());
        let mut like_stun = vec![0, 1, 0, u8::try_from(bytes.len() & !3).unwrap_or(0), 0x21, 0x12, 0xA4, 0x42];
        like_stun.extend_from_slice(&[0; 12]);
        like_stun.extend_from_slice(&bytes);
        ice.handle(pair(1), &like_stun, crypto().crypto());
    }
}
