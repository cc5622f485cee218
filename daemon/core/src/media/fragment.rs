//! Two-datagram fragments for what a path cannot carry in one.
//!
//! A fragment is the varint [`flow::FRAGMENT`], a 16-bit id, a byte that says which half (0 or 1), and the half. What
//! was cut is a whole datagram with its own flow id, so fragments are invisible to what lies above. Loss is normal:
//! a half whose partner does not come is forgotten after [`HALF_LIFE`] further halves, so ids may wrap.

use std::collections::VecDeque;

use super::{MapError, PACKET_MOST, flow, varint};

/// Bytes a fragment adds to its half: flow id, id, which half.
pub const OVERHEAD: usize = 4;
/// Bytes of the longest datagram that is cut or joined: a packet and its flow id.
const DATAGRAM_MOST: usize = PACKET_MOST + 8;
/// Halves that wait for their partner, at most.
const PENDING: usize = 16;
/// A half is stale when this many halves have come after it.
const HALF_LIFE: u64 = 64;
/// Ids remembered after they were joined, so that duplicates do not wait.
const JOINED: usize = 32;

/// Cuts `datagram` into two fragments of at most `most` bytes each.
///
/// # Errors
/// [`MapError::TooLong`] where two do not suffice.
pub fn split(datagram: &[u8], most: usize, id: u16) -> Result<[Vec<u8>; 2], MapError> {
    let (first, second) = datagram.split_at(datagram.len().div_ceil(2));
    if first.len() + OVERHEAD > most || datagram.len() > DATAGRAM_MOST {
        return Err(MapError::TooLong);
    }
    Ok([fragment(id, 0, first), fragment(id, 1, second)])
}

fn fragment(id: u16, which: u8, half: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(OVERHEAD + half.len());
    varint::write(&mut out, flow::FRAGMENT);
    out.extend(id.to_be_bytes());
    out.push(which);
    out.extend_from_slice(half);
    out
}

#[derive(Debug)]
struct Half {
    id: u16,
    second: bool,
    came: u64,
    bytes: Vec<u8>,
}

/// Joins the fragments of one link.
#[derive(Debug, Default)]
pub struct Reassembler {
    count: u64,
    pending: VecDeque<Half>,
    joined: VecDeque<u16>,
}

impl Reassembler {
    /// Takes what follows the flow id of a fragment, and gives the whole datagram once both halves have come. `None`
    /// also for what is no fragment: such a one is dropped like any lost packet.
    pub fn push(&mut self, fragment: &[u8]) -> Option<Vec<u8>> {
        let half = self.parse(fragment)?;
        self.forget_stale();
        if self.joined.contains(&half.id) {
            return None;
        }
        let partner = self.pending.iter().position(|other| other.id == half.id);
        match partner.and_then(|at| self.pending.get(at)) {
            Some(other) if other.second == half.second => None,
            Some(_) => self.join(partner?, half),
            None => {
                self.wait(half);
                None
            }
        }
    }

    fn parse(&mut self, fragment: &[u8]) -> Option<Half> {
        let (&[high, low, which @ (0 | 1)], bytes) = fragment.split_first_chunk()? else {
            return None;
        };
        if bytes.len() > DATAGRAM_MOST {
            return None;
        }
        self.count += 1;
        let id = u16::from_be_bytes([high, low]);
        Some(Half {
            id,
            second: which == 1,
            came: self.count,
            bytes: bytes.to_vec(),
        })
    }

    fn forget_stale(&mut self) {
        let oldest = self.count.saturating_sub(HALF_LIFE);
        self.pending.retain(|half| half.came >= oldest);
    }

    fn wait(&mut self, half: Half) {
        if self.pending.len() >= PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(half);
    }

    fn join(&mut self, partner: usize, half: Half) -> Option<Vec<u8>> {
        let other = self.pending.remove(partner)?;
        if self.joined.len() >= JOINED {
            self.joined.pop_front();
        }
        self.joined.push_back(half.id);
        let (first, second) = if half.second { (other, half) } else { (half, other) };
        let whole = [first.bytes, second.bytes].concat();
        (whole.len() <= DATAGRAM_MOST).then_some(whole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(fragment: &[u8]) -> &[u8] {
        let (flow, body) = varint::read(fragment).expect("a varint stands first");
        assert_eq!(flow, flow::FRAGMENT);
        body
    }

    #[test]
    fn what_does_not_fit_in_two_is_refused() {
        assert_eq!(split(&[0; 101], 54, 0), Err(MapError::TooLong));
        assert!(split(&[0; 100], 54, 0).is_ok());
        assert_eq!(
            split(&vec![0; DATAGRAM_MOST + 1], usize::MAX, 0),
            Err(MapError::TooLong)
        );
    }

    #[test]
    fn halves_wait_in_a_bounded_room() {
        let mut joiner = Reassembler::default();
        for id in 0..10_000_u16 {
            let [first, _] = split(&[1; 1000], 1200, id).expect("fits");
            assert_eq!(joiner.push(body(&first)), None);
            assert!(joiner.pending.len() <= PENDING);
        }
    }

    #[test]
    fn a_stale_half_meets_no_stranger_when_ids_wrap() {
        let mut joiner = Reassembler::default();
        let [old, _] = split(b"old datagram", 100, 7).expect("fits");
        assert_eq!(joiner.push(body(&old)), None);
        for id in 100..200 {
            for half in split(b"between", 100, id).expect("fits") {
                joiner.push(body(&half));
            }
        }
        let [_, new] = split(b"new datagram", 100, 7).expect("fits");
        assert_eq!(joiner.push(body(&new)), None);
    }

    #[test]
    fn a_new_sender_may_begin_with_any_id() {
        let mut joiner = Reassembler::default();
        for id in [u16::MAX, 0, 1, 40_000, 3] {
            let [first, second] = split(b"datagram", 100, id).expect("fits");
            assert_eq!(joiner.push(body(&second)), None);
            assert_eq!(joiner.push(body(&first)).as_deref(), Some(&b"datagram"[..]));
        }
    }

    proptest! {
        #[test]
        fn halves_in_any_order_and_number_give_the_datagram_once(
            datagram in prop::collection::vec(any::<u8>(), 0..1500),
            id in any::<u16>(),
            order in prop::collection::vec(0..2_usize, 0..8),
        ) {
            let halves = split(&datagram, 1200, id).expect("fits");
            let mut joiner = Reassembler::default();
            let given = order.iter().chain(&[0, 1]).filter_map(|&at| joiner.push(body(halves.get(at)?)));
            prop_assert_eq!(given.collect::<Vec<_>>(), vec![datagram]);
        }

        #[test]
        fn any_bytes_are_harmless(all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..100)) {
            let mut joiner = Reassembler::default();
            for bytes in all {
                joiner.push(&bytes);
            }
            prop_assert!(joiner.pending.len() <= PENDING && joiner.joined.len() <= JOINED);
        }
    }
}
