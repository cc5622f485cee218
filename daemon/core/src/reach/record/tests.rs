#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

/// A place and an item as they were first made: whoever changes what they are derived from loses everybody's records.
const VECTOR: &str = include_str!("vector.txt");

fn record() -> Record {
    Record {
        device: DeviceKey([1; 32]),
        candidates: vec!["192.0.2.7:2226".parse().unwrap(), "[2001:db8::7]:2226".parse().unwrap()],
        time: 1_900_000_000,
        nat: None,
    }
}

fn keys() -> (Secret, Secret) {
    (Secret([2; 32]), Secret([3; 32]))
}

fn item(day: u64) -> Item {
    let (finding, seed) = keys();
    publish(&record(), &finding, &seed, day, 7, &mut Rng::new([4; 32])).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vectors_hold() {
    let (finding, seed) = keys();
    let public = finding_public(&seed);
    let made = item(21_990);
    let invite = [5; 16];
    let lines = [
        format!("public {}", hex(&public)),
        format!("day 21990 {}", hex(&place(&finding, &public, 21_990).unwrap())),
        format!("day 21991 {}", hex(&place(&finding, &public, 21_991).unwrap())),
        format!("value {}", hex(&crypto::hash(&made.value))),
        format!("signature {}", hex(&made.signature)),
        format!("invitee {}", hex(&Word::Invitee.place(&invite))),
        format!("inviter {}", hex(&Word::Inviter.place(&invite))),
    ];
    assert_eq!(lines.join("\n"), VECTOR.trim_end());
}

#[test]
fn who_knows_both_keys_reads_and_nobody_else() {
    let (finding, seed) = keys();
    let public = finding_public(&seed);
    let made = item(21_990);
    assert_eq!(made.value.len(), VALUE);
    assert_eq!(made.place, place(&finding, &public, 21_990).unwrap());
    assert!(made.is_signed());
    assert_eq!(read(&made, &finding, &public, 21_990), Some(record()));
    assert_eq!(read(&made, &finding, &public, 21_991), None, "another day");
    assert_eq!(
        read(&made, &Secret([9; 32]), &public, 21_990),
        None,
        "another finding key"
    );
    let other = finding_public(&Secret([9; 32]));
    assert_eq!(read(&made, &finding, &other, 21_990), None, "another device");
}

#[test]
fn a_reader_cannot_write() {
    let (finding, seed) = keys();
    let public = finding_public(&seed);
    let made = item(21_990);
    // He knows the blinding factor and everything that is sealed, but not the scalar of A.
    let forger = Secret([9; 32]);
    let forged = publish(&record(), &finding, &forger, 21_990, 8, &mut Rng::new([5; 32])).unwrap();
    let passed_off = Item {
        place: made.place,
        ..forged
    };
    assert!(!passed_off.is_signed());
    for bent in [
        Item { seq: 8, ..made.clone() },
        Item {
            value: vec![0; VALUE],
            ..made.clone()
        },
        Item {
            signature: vec![0; 64],
            ..made
        },
    ] {
        assert_eq!(read(&bent, &finding, &public, 21_990), None);
    }
}

#[test]
fn days_do_not_show_that_they_belong_together() {
    let (one, two) = (item(21_990), item(21_991));
    assert_ne!(one.place, two.place);
    assert_ne!(one.value, two.value);
}

#[test]
fn a_finding_key_outside_the_prime_group_is_refused() {
    let finding = Secret([2; 32]);
    // The neutral element, a point of order two, and the base point plus that one.
    let mut order_two = [0xff; 32];
    (order_two[0], order_two[31]) = (0xec, 0x7f);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let torsion = CompressedEdwardsY(order_two).decompress().unwrap();
    let mixed = (EdwardsPoint::mul_base(&Scalar::ONE) + torsion).compress().to_bytes();
    for bad in [neutral, order_two, mixed] {
        assert_eq!(place(&finding, &bad, 1), None);
    }
}

#[test]
fn the_largest_record_fits() {
    let (finding, seed) = keys();
    let full = Record {
        candidates: vec!["[2001:db8::7]:2226".parse().unwrap(); crate::bounds::CANDIDATES],
        time: u64::MAX,
        nat: Some(NatKind::Hard),
        ..record()
    };
    assert!(publish(&full, &finding, &seed, 1, u64::MAX, &mut Rng::new([1; 32])).is_some());
    let keys = invite::InviteKeys {
        secret: [1; 16],
        one_time: Secret([2; 32]),
    };
    let one_time = crypto::agree_public(&keys.one_time);
    let word = seal_word(
        &full,
        &keys.secret,
        &Secret([3; 32]),
        &one_time,
        VALUE,
        &mut Rng::new([1; 32]),
    )
    .unwrap();
    assert_eq!(word.len(), VALUE);
    assert_eq!(open_word(&word, &keys).unwrap().record, full);
}

#[test]
fn an_invitees_word_is_for_the_inviter_alone() {
    let keys = invite::InviteKeys {
        secret: [1; 16],
        one_time: Secret([2; 32]),
    };
    let ephemeral = Secret([3; 32]);
    let one_time = crypto::agree_public(&keys.one_time);
    let mut rng = Rng::new([1; 32]);
    let word = seal_word(&record(), &keys.secret, &ephemeral, &one_time, VALUE, &mut rng).unwrap();
    let opened = open_word(&word, &keys).unwrap();
    assert_eq!(opened.record, record());
    // Who has only read the link holds the secret and the public one-time key.
    let reader = invite::InviteKeys {
        secret: keys.secret,
        one_time: Secret([9; 32]),
    };
    assert_eq!(open_word(&word, &reader), None);
    let public = crypto::agree_public(&ephemeral);
    assert!(!word.windows(public.len()).any(|bytes| bytes == public));

    let answer = seal_answer(&record(), &keys.secret, &opened.pair, 5, &mut rng).unwrap();
    assert_eq!(answer.place, Word::Inviter.place(&keys.secret));
    assert_eq!(open_answer(&answer, &keys.secret, &opened.pair), Some(record()));
    assert_eq!(open_answer(&answer, &keys.secret, &Secret([8; 32])), None);
    assert_ne!(Word::Inviter.place(&keys.secret), Word::Invitee.place(&keys.secret));
}

proptest::proptest! {
    /// A reader looks at his own day alone, and finds what was put there, whatever two hours their clocks are apart.
    #[test]
    fn clocks_may_differ_by_two_hours(wall in 1_900_000_000_u64..1_900_400_000, skew in -7200_i64..=7200) {
        let reader = wall.checked_add_signed(skew).unwrap();
        proptest::prop_assert!(days(wall).contains(&day(reader)), "{wall} {reader}");
    }

    #[test]
    fn any_bytes_are_no_record(value in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..1100)) {
        let (finding, seed) = keys();
        let place = place(&finding, &finding_public(&seed), 1).unwrap();
        let item = Item { place, seq: 1, value: value.clone(), signature: vec![1; 64] };
        proptest::prop_assert_eq!(read(&item, &finding, &finding_public(&seed), 1), None);
        let keys = invite::InviteKeys { secret: [1; 16], one_time: Secret([2; 32]) };
        proptest::prop_assert_eq!(open_word(&value, &keys), None);
    }
}
