//! What a datagram is by its first byte, and which QUIC packets may reach the QUIC stack.
//!
//! One socket carries everything, so the first byte decides (RFC 9443, with 4–15 taken for knocks). Of the QUIC
//! packets only those pass that somebody who holds a secret of ours can have addressed: an Initial for a [`Token`]
//! that a proven knock exchange admitted, or anything for a connection id that this daemon issued. All else vanishes
//! before the QUIC stack sees it, so it draws neither version negotiation nor Retry nor a reset. The source address
//! plays no part: addresses are spoofed and NATs rebind.
//!
//! While the door is open any Initial passes. While it is closed, an Initial that carries a token of an earlier Retry does
//! not, whatever its id: the QUIC stack answers a token that is too old, and so would tell whoever once stood at the open
//! door that the daemon still runs. No connection but a stranger's carries one.

use crate::ids::Token;
use crate::reach::{pulse, relay};

/// Bytes of the connection ids that this daemon issues.
pub const OWN_CID: usize = 8;
/// Bytes of the connection id in a [`Token`].
const TOKEN: usize = 16;
/// Bytes of the longest connection id of QUIC version 1 (RFC 9000, section 17.2).
const MOST_CID: usize = 20;
/// Bytes of the smallest datagram that may open a connection (RFC 9000, section 14.1).
const LEAST_OPENING: usize = 1200;
/// Bytes of the smallest long-header packet to one of our ids: flags, version, both ids with their lengths, the
/// length field, and the 20 bytes that header protection samples (RFC 9001, section 5.4.2).
const LEAST_LONG: usize = 1 + 4 + 1 + OWN_CID + 1 + 1 + 20;
/// Bytes of the smallest short-header packet.
const LEAST_SHORT: usize = 1 + OWN_CID + 20;
/// QUIC version 1, the only one spoken.
const VERSION: [u8; 4] = [0, 0, 0, 1];

const LONG_HEADER: u8 = 0x80;
const FIXED_BIT: u8 = 0x40;
const TYPE_BITS: u8 = 0x30;
const INITIAL: u8 = 0x00;

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// STUN (RFC 8489).
    Stun,
    /// A knock.
    Knock,
    /// A frame that goes through a relay.
    Relay,
    /// A keep-alive of a link.
    Pulse,
    /// QUIC, which [`admits`] looks at next.
    Quic,
    /// Nothing of ours.
    Other,
}

/// Sorts a datagram by its first byte.
#[must_use]
pub const fn classify(first_byte: u8) -> Class {
    match first_byte {
        0..=3 => Class::Stun,
        pulse::FORM => Class::Pulse,
        relay::FORM => Class::Relay,
        4..=15 => Class::Knock,
        16..=63 => Class::Other,
        64..=255 => Class::Quic,
    }
}

/// Whether a QUIC packet may reach the QUIC stack.
///
/// `own_cid` tells whether this daemon issued a connection id, `admitted` whether a token may open a connection now,
/// `door_open` whether strangers may. `packet` is one UDP payload; of coalesced packets the first decides, since QUIC drops
/// those behind it that bear another id (RFC 9000, section 12.2).
#[must_use]
pub fn admits(
    packet: &[u8],
    own_cid: impl Fn(&[u8; OWN_CID]) -> bool,
    admitted: impl Fn(&Token) -> bool,
    door_open: impl Fn() -> bool,
) -> bool {
    let Some(seen) = Header::read(packet) else { return false };
    let is_known = match seen.destination {
        Destination::Ours(cid) => own_cid(&cid) && !seen.was_retried,
        Destination::Token(token) => seen.opens && admitted(&token),
        Destination::Other => false,
    };
    is_known || (seen.opens && door_open())
}

/// What the gate looks at.
struct Header {
    destination: Destination,
    /// Whether it is an Initial in a datagram large enough to open a connection.
    opens: bool,
    /// Whether it is an Initial with a token in it.
    was_retried: bool,
}

/// To whom a packet is addressed.
enum Destination {
    Ours([u8; OWN_CID]),
    Token(Token),
    Other,
}

impl Header {
    /// `None` for what QUIC version 1 does not send.
    fn read(packet: &[u8]) -> Option<Self> {
        let (&flags, rest) = packet.split_first()?;
        if flags & FIXED_BIT == 0 {
            None
        } else if flags & LONG_HEADER == 0 {
            let cid = rest.first_chunk()?;
            (packet.len() >= LEAST_SHORT).then_some(Self {
                destination: Destination::Ours(*cid),
                opens: false,
                was_retried: false,
            })
        } else {
            Self::read_long(packet.len(), flags, rest)
        }
    }

    fn read_long(len: usize, flags: u8, rest: &[u8]) -> Option<Self> {
        let rest = rest.strip_prefix(&VERSION)?;
        let (cid, rest) = length_prefixed(rest)?;
        let (source, rest) = length_prefixed(rest)?;
        if source.len() > MOST_CID || len < LEAST_LONG {
            return None;
        }
        let is_initial = flags & TYPE_BITS == INITIAL;
        let destination = match cid.len() {
            OWN_CID => Destination::Ours(cid.try_into().ok()?),
            TOKEN => Destination::Token(Token(cid.try_into().ok()?)),
            len if (OWN_CID..=MOST_CID).contains(&len) => Destination::Other,
            _ => return None,
        };
        Some(Self {
            destination,
            opens: is_initial && len >= LEAST_OPENING,
            // A token's length comes next (RFC 9000, section 17.2.2); one byte of zero is the only way to have none.
            was_retried: is_initial && rest.first() != Some(&0),
        })
    }
}

fn length_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CID: [u8; OWN_CID] = [7; OWN_CID];
    const KEY: Token = Token([9; TOKEN]);

    fn long(flags: u8, version: [u8; 4], cid: &[u8], len: usize) -> Vec<u8> {
        let mut packet = vec![flags];
        packet.extend(version);
        packet.push(u8::try_from(cid.len()).unwrap_or(u8::MAX));
        packet.extend(cid);
        packet.push(8);
        packet.extend([1; 8]);
        packet.resize(len, 0);
        packet
    }

    fn short(cid: &[u8], len: usize) -> Vec<u8> {
        let mut packet = vec![0x41];
        packet.extend(cid);
        packet.resize(len, 0);
        packet
    }

    fn passes(packet: &[u8]) -> bool {
        admits(packet, |cid| *cid == CID, |token| *token == KEY, || false)
    }

    #[test]
    fn the_first_byte_decides() {
        let classes: Vec<Class> = [0, 3, 4, 7, 8, 9, 10, 15, 16, 63, 64, 127, 128, 255]
            .into_iter()
            .map(classify)
            .collect();
        use Class::{Knock, Other, Pulse, Quic, Relay, Stun};
        assert_eq!(
            classes,
            [
                Stun, Stun, Knock, Knock, Pulse, Relay, Knock, Knock, Other, Other, Quic, Quic, Quic, Quic
            ]
        );
    }

    #[test]
    fn an_initial_passes_with_an_admitted_token_only() {
        assert!(passes(&long(0xC0, VERSION, &KEY.0, 1200)));
        assert!(!passes(&long(0xC0, VERSION, &[8; TOKEN], 1200)), "another token");
        assert!(
            !passes(&long(0xC0, VERSION, &KEY.0, 1199)),
            "too small to open a connection"
        );
        assert!(!passes(&long(0xE0, VERSION, &KEY.0, 1200)), "a handshake packet");
        assert!(!passes(&long(0xD0, VERSION, &KEY.0, 1200)), "0-RTT");
        assert!(!passes(&long(0xC0, [0, 0, 0, 0], &KEY.0, 1200)), "version negotiation");
        assert!(
            !passes(&long(0xC0, [0x6b, 0x33, 0x43, 0xcf], &KEY.0, 1200)),
            "version 2"
        );
        assert!(!passes(&long(0x80, VERSION, &KEY.0, 1200)), "no fixed bit");
        assert!(!passes(&long(0xC0, VERSION, &[9; 17], 1200)), "a longer id");
        assert!(!passes(&long(0xC0, VERSION, &[], 1200)), "no id");
    }

    #[test]
    fn what_is_for_our_ids_passes() {
        for flags in [0xC0, 0xD0, 0xE0, 0xF0] {
            assert!(passes(&long(flags, VERSION, &CID, 60)));
            assert!(!passes(&long(flags, VERSION, &[6; OWN_CID], 60)));
        }
        assert!(passes(&short(&CID, LEAST_SHORT)));
        assert!(!passes(&short(&CID, LEAST_SHORT - 1)));
        assert!(!passes(&short(&[6; OWN_CID], 60)));
    }

    fn passes_the_open_door(packet: &[u8]) -> bool {
        admits(packet, |cid| *cid == CID, |token| *token == KEY, || true)
    }

    #[test]
    fn the_open_door_lets_initials_of_the_one_version_pass_and_nothing_else() {
        for cid in [8, 15, 16, 20] {
            let packet = long(0xC0, VERSION, &vec![3; cid], 1200);
            assert!(passes_the_open_door(&packet), "an id of {cid} bytes");
            assert!(!passes(&packet), "an id of {cid} bytes, the door closed");
        }
        for (what, packet) in [
            ("too small", long(0xC0, VERSION, &[3; 20], 1199)),
            (
                "an id that is too short (RFC 9000, section 7.2)",
                long(0xC0, VERSION, &[3; 7], 1200),
            ),
            ("an id that is too long", long(0xC0, VERSION, &[3; 21], 1200)),
            ("a handshake packet", long(0xE0, VERSION, &[3; 20], 1200)),
            ("0-RTT", long(0xD0, VERSION, &[3; 20], 1200)),
            ("a retry", long(0xF0, VERSION, &[3; 20], 1200)),
            ("another version", long(0xC0, [0x6b, 0x33, 0x43, 0xcf], &[3; 20], 1200)),
            ("a short header", short(&[3; OWN_CID], 60)),
        ] {
            assert!(!passes_the_open_door(&packet), "{what}");
        }
    }

    /// The token of a Retry stands behind both ids.
    fn retried(cid: &[u8]) -> Vec<u8> {
        let mut packet = long(0xC0, VERSION, cid, 1200);
        if let Some(length) = packet.get_mut(1 + 4 + 1 + cid.len() + 1 + 8) {
            *length = 40;
        }
        packet
    }

    #[test]
    fn whoever_stood_at_the_open_door_draws_nothing_from_the_closed_one() {
        assert!(passes_the_open_door(&retried(&CID)));
        assert!(!passes(&retried(&CID)));
        assert!(
            passes(&long(0xC0, VERSION, &CID, 1200)),
            "an Initial of a contact goes on"
        );
        assert!(passes(&retried(&KEY.0)), "an admitted token is a secret of ours");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_never_admitted(packet in prop::collection::vec(any::<u8>(), 0..1500)) {
            prop_assert!(!admits(&packet, |_| false, |_| false, || false));
            prop_assert!(!admits(&packet, |cid| *cid == CID, |token| *token == KEY, || false));
        }

        #[test]
        fn damaged_headers_never_panic(
            mut packet in prop_oneof![Just(long(0xC0, VERSION, &KEY.0, 1200)), Just(short(&CID, 40))],
            cut in 0..1201_usize,
            flips in prop::collection::vec((0..40_usize, any::<u8>()), 0..4),
        ) {
            for (at, value) in flips {
                if let Some(byte) = packet.get_mut(at) {
                    *byte = value;
                }
            }
            packet.truncate(cut);
            prop_assert!(!admits(&packet, |_| false, |_| false, || false));
            let _ = admits(&packet, |_| true, |_| true, || true);
        }
    }
}
