#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

const START: Duration = Duration::from_secs(100);

fn at(host: u8) -> SocketAddr {
    SocketAddr::from(([11, 0, 0, host], 2226))
}

fn side(number: u8) -> Side {
    Side {
        handle: RelayHandle([number; 7]),
        at: at(number),
    }
}

fn open() -> Forwards {
    let mut forwards = Forwards::default();
    let pair = Pair {
        id: PairId(1),
        sides: [side(1), side(2)],
    };
    forwards.open(&pair, START);
    forwards
}

fn asker(number: u8) -> Asker {
    Asker {
        contact: ContactId([number; 8]),
        device: DeviceKey([number; 32]),
    }
}

#[test]
fn a_frame_goes_to_the_other_side_under_its_handle_and_no_larger() {
    let mut forwards = open();
    for (from, to) in [(1, 2), (2, 1)] {
        let mut frame = wrap(side(from).handle, b"packet");
        let len = frame.len();
        assert_eq!(forwards.forward(at(from), &mut frame, START), Some(at(to)));
        assert_eq!(unwrap(&frame), Some((side(to).handle, &b"packet"[..])));
        assert_eq!(frame.len(), len);
    }
}

#[test]
fn nothing_goes_on_for_who_was_not_allowed() {
    let mut forwards = open();
    let mut frames = [
        ("another address", 3, wrap(side(1).handle, b"packet")),
        ("the other side's address", 2, wrap(side(1).handle, b"packet")),
        ("an unknown handle", 1, wrap(side(3).handle, b"packet")),
        ("nothing inside", 1, wrap(side(1).handle, b"")),
        (
            "a frame inside",
            1,
            wrap(side(1).handle, &wrap(side(2).handle, b"packet")),
        ),
        ("another form", 1, vec![8; 30]),
    ];
    for (what, from, frame) in &mut frames {
        assert_eq!(forwards.forward(at(*from), frame, START), None, "{what}");
    }
    forwards.close(PairId(1));
    let mut late = wrap(side(1).handle, b"packet");
    assert_eq!(forwards.forward(at(1), &mut late, START), None);
}

#[test]
fn a_side_that_moved_is_heard_at_its_new_address_only_and_fills_no_bucket() {
    let mut forwards = open();
    let mut large = wrap(side(1).handle, &vec![1; 1400]);
    while forwards.forward(at(1), &mut large, START).is_some() {
        large = wrap(side(1).handle, &vec![1; 1400]);
    }
    let moved = Side { at: at(7), ..side(1) };
    let pair = Pair {
        id: PairId(1),
        sides: [moved, side(2)],
    };
    forwards.open(&pair, START);
    let mut frame = |from, now| forwards.forward(from, &mut wrap(side(1).handle, &vec![1; 1400]), now);
    assert_eq!(frame(at(7), START), None, "the bucket is as empty as before");
    let later = START + Duration::from_secs(1);
    assert_eq!(frame(at(1), later), None);
    assert_eq!(frame(at(7), later), Some(at(2)));
}

#[test]
fn those_meet_who_show_the_same_tag_and_only_they() {
    let mut asks = Asks::default();
    let (one, two) = (RelayTag([1; 16]), RelayTag([2; 16]));
    assert_eq!(asks.note(asker(1), &[one], START), None);
    assert_eq!(asks.note(asker(1), &[one], START), None, "nobody meets himself");
    assert_eq!(asks.note(asker(2), &[two], START), None);
    assert_eq!(asks.note(asker(3), &[two, one], START), Some((asker(1), one)));
    assert!(asks.stands(&asker(1), &one, START) && !asks.stands(&asker(1), &two, START));
    let late = START + bounds::RELAY_LEASE;
    assert_eq!(asks.note(asker(4), &[one], late), None, "the wishes have run out");
    asks.withdraw(&asker(4), &one);
    assert!(!asks.stands(&asker(4), &one, late));
}

#[test]
fn a_device_fills_no_more_than_its_share_of_the_board() {
    let mut asks = Asks::default();
    for number in 0..100_u8 {
        assert_eq!(asks.note(asker(1), &[RelayTag([number; 16])], START), None);
    }
    let stand = |number: u8| asks.stands(&asker(1), &RelayTag([number; 16]), START);
    assert_eq!((0..100).filter(|number| stand(*number)).count(), bounds::RELAY_ASKS);
    assert!(stand(99) && !stand(0));
}

#[test]
fn both_sides_make_the_same_tag_and_each_relay_sees_another() {
    let (key, one, other) = (Secret([1; 32]), DeviceKey([2; 32]), DeviceKey([3; 32]));
    let seen = tag(&key, &one, &other, &RootKey([4; 32]));
    assert_eq!(seen, tag(&key, &other, &one, &RootKey([4; 32])));
    assert_ne!(seen, tag(&key, &one, &other, &RootKey([5; 32])));
    assert_ne!(seen, tag(&Secret([9; 32]), &one, &other, &RootKey([4; 32])));
}

proptest! {
    /// Whatever is offered, and when: what passes is bounded by the rate, the burst, and one packet each.
    #[test]
    fn bytes_are_bounded_by_the_bucket(packets in prop::collection::vec((1..1500_usize, 0..3000_u64), 1..2000)) {
        let mut forwards = open();
        let (mut now, mut passed) = (START, 0);
        for (len, micros) in packets {
            now += Duration::from_micros(micros);
            let mut frame = wrap(side(1).handle, &vec![1; len]);
            if forwards.forward(at(1), &mut frame, now).is_some() {
                passed += u128::try_from(frame.len()).unwrap();
            }
            let may = u128::from(bounds::RELAY_BURST)
                + (now - START).as_micros() * u128::from(bounds::RELAY_BYTES_PER_S) / u128::from(MICROS);
            prop_assert!(passed <= may, "{passed} of {may}");
        }
    }

    #[test]
    fn arbitrary_bytes_are_passed_on_nowhere(mut bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut forwards = open();
        let is_ours = unwrap(&bytes).is_some_and(|(handle, _)| handle == side(1).handle);
        prop_assert_eq!(forwards.forward(at(1), &mut bytes, START).is_some(), is_ours);
    }
}
