//! Time and trust, without sockets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use twocan_core::media::flow::Role;
use twocan_core::media::leg_map::Negotiated;

use super::super::ice::Credentials;
use super::*;

fn session(now: Instant) -> Session {
    let identity = Identity::generate().unwrap();
    let ice = IceLite::new(Credentials::random().unwrap(), "them".to_owned());
    let dtls = Dtls::new(&identity, Vec::new(), false).unwrap();
    Session::new(
        identity,
        ice,
        dtls,
        LegMap::new(Role::Caller, Negotiated::default()),
        now,
    )
}

#[test]
fn a_leg_that_never_came_is_lost_once() {
    let start = Instant::now();
    let mut session = session(start);
    assert_eq!(session.timeout(), start + NEVER_CAME);
    session.handle_timeout(start + NEVER_CAME - Duration::from_millis(1));
    assert_eq!(session.poll(), None);
    session.handle_timeout(start + NEVER_CAME);
    session.handle_timeout(start + 2 * NEVER_CAME);
    assert_eq!((session.poll(), session.poll()), (Some(Output::Lost), None));
}

#[test]
fn without_a_check_nothing_is_answered() {
    let mut session = session(Instant::now());
    let pair = Pair {
        socket: 0,
        remote: "127.0.0.1:9".parse().unwrap(),
    };
    for first in 0..=255u8 {
        session.handle(pair, &[&[first, 254, 253][..], &[0; 80]].concat(), Instant::now());
    }
    session.handle(pair, &[], Instant::now());
    assert_eq!(session.poll(), None);
    assert!(session.seal(FlowKind::Audio, &[0x80; 20]).is_none());
}
