use std::time::Duration;

use super::*;
use crate::bounds;
use crate::ids::{ContactId, InviteId};
use crate::reach::nat_report::NatKind;
use crate::reach::via::Place;

fn now(wall: u64) -> Now {
    Now {
        boot: Duration::from_secs(1000),
        wall,
        millis: 0,
    }
}

fn knock(candidates: usize) -> Knock {
    Knock {
        kind: Kind::Knock,
        tx: [1; 16],
        echo: Some([2; 16]),
        device: DeviceKey([3; 32]),
        list_sequence: u64::MAX,
        candidates: vec!["[2001:db9::1]:2226".parse().expect("address"); candidates],
        observed: Some("[2001:db9::2]:2226".parse().expect("address")),
        time: u64::MAX,
        session: [6; 16],
        nat: NatKind::Hard,
    }
}

fn pair() -> SealKey {
    SealKey::Pair {
        key: Secret([4; 32]),
        sender: RootKey([5; 32]),
    }
}

fn ring(at: u64) -> Keyring {
    let mut ring = Keyring::default();
    let lock = Lock::Pair {
        key: Secret([4; 32]),
        sender: RootKey([5; 32]),
    };
    let invite = Lock::Invite(invite::InviteKeys {
        secret: [6; 16],
        one_time: Secret([7; 32]),
    });
    ring.set(
        vec![
            (LockId::Contact(ContactId([1; 8])), lock),
            (LockId::Invite(InviteId([2; 8])), invite),
        ],
        now(at),
    );
    ring
}

#[test]
fn the_largest_knock_fits_and_all_have_one_size() {
    let mut rng = Rng::new([0; 32]);
    for count in [0, bounds::CANDIDATES] {
        let datagram = seal(&knock(count), &pair(), true, SIZE, now(7200), &mut rng).expect("fits");
        assert_eq!(datagram.len(), SIZE);
        assert_eq!(
            ring(7200).open(&datagram, now(7200)).map(|opened| opened.knock),
            Some(knock(count))
        );
    }
}

#[test]
fn dated_knocks_tolerate_an_hour_and_undated_ones_any_clock() {
    let mut rng = Rng::new([0; 32]);
    let base = 500 * HOUR;
    let dated = seal(&knock(1), &pair(), true, SIZE, now(base), &mut rng).expect("fits");
    let undated = seal(&knock(1), &pair(), false, SIZE, now(base), &mut rng).expect("fits");
    for (at, opens) in [
        (base, true),
        (base + HOUR, true),
        (base - HOUR, true),
        (base + 2 * HOUR, false),
        (base - 2 * HOUR, false),
    ] {
        assert_eq!(ring(at).open(&dated, now(at)).is_some(), opens, "{at}");
        assert!(ring(at).open(&undated, now(at)).is_some());
    }
}

#[test]
fn an_invitee_seals_to_the_one_time_key() {
    let mut rng = Rng::new([0; 32]);
    let with = SealKey::Invitee {
        secret: [6; 16],
        ephemeral: Secret([9; 32]),
        one_time: crypto::agree_public(&Secret([7; 32])),
    };
    let datagram = seal(&knock(8), &with, true, SIZE, now(7200), &mut rng).expect("fits");
    let opened = ring(7200).open(&datagram, now(7200)).expect("opens");
    assert_eq!(opened.lock, LockId::Invite(InviteId([2; 8])));
    assert_eq!(
        with.aead_key(),
        Some(crypto::derive(&opened.answer_key.0, "knock seal", &[]))
    );
    let other = SealKey::Invitee {
        secret: [6; 16],
        ephemeral: Secret([9; 32]),
        one_time: crypto::agree_public(&Secret([8; 32])),
    };
    let sealed_to_another = seal(&knock(1), &other, true, SIZE, now(7200), &mut rng).expect("fits");
    assert!(ring(7200).open(&sealed_to_another, now(7200)).is_none());
}

#[test]
fn undated_trials_are_bounded() {
    let mut rng = Rng::new([0; 32]);
    let mut ring = ring(7200);
    let opened = (0..bounds::UNDATED_PER_S + 10).filter(|_| {
        let datagram = seal(&knock(1), &pair(), false, SIZE, now(7200), &mut rng).expect("fits");
        ring.open(&datagram, now(7200)).is_some()
    });
    assert_eq!(opened.count(), bounds::UNDATED_PER_S as usize);
}

#[test]
fn a_duplicate_gets_one_answer_from_a_second_source_and_none_from_a_third() {
    let mut guard = ReplayGuard::default();
    let from = |port: u16| Place::own(SocketAddr::from(([11, 0, 0, 1], port)));
    assert!(guard.admit([1; NONCE], from(1), now(0)));
    assert!(!guard.admit([1; NONCE], from(1), now(0)));
    assert!(guard.admit([1; NONCE], from(2), now(0)));
    assert!(!guard.admit([1; NONCE], from(3), now(0)));
    assert!(guard.admit([2; NONCE], from(3), now(0)));
}

proptest::proptest! {
    #[test]
    fn any_bytes_open_nothing(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        proptest::prop_assert!(ring(7200).open(&bytes, now(7200)).is_none());
    }
}
