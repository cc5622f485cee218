//! A contact who passes packets on between two others, because it knows both and its user said that they may.
//!
//! ```text
//! 9 (1) ‖ handle (7) ‖ packet
//! ```
//! The packet is the two others' own: a knock, a keep-alive, or QUIC. The relay cannot open it; what it sees is two
//! addresses, sizes and times. It draws a handle for each side of a pair. A frame that bears one side's handle, and comes
//! from the address over which that side's link with the relay is proven, leaves for the other side's proven address under
//! the other side's handle. All else vanishes.
//!
//! Invariants: at most one packet leaves for each that came, of the same size; nothing leaves for an address that no link
//! of ours has proven; the bytes of a pair are bounded by its [`Bucket`]; a frame within a frame is passed on nowhere.
//!
//! [`Forwards`] is the table by which each packet is judged, away from the core's loop; the core alone fills it. [`Asks`] is
//! where those meet who want the same pair: each shows a tag that only the two can make, so that a wish that nobody shares
//! tells the relay nothing but that there is one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::bounds;
use crate::crypto::{self, Secret};
use crate::ids::{ContactId, DeviceKey, PairId, RelayHandle, RelayTag, RootKey};

/// The first byte of a frame.
pub const FORM: u8 = 9;
/// Bytes in front of the packet.
pub const HEADER: usize = 8;

/// Under which two devices meet at a relay: HKDF(pair key, `relay tag`, lower device ‖ higher device ‖ relay's root).
#[must_use]
pub fn tag(key: &Secret, one: &DeviceKey, other: &DeviceKey, relay: &RootKey) -> RelayTag {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    let derived = crypto::derive(&key.0, "relay tag", &[&low.0, &high.0, &relay.0]);
    RelayTag(derived.0.first_chunk().copied().unwrap_or_default())
}

/// A packet in its frame.
#[must_use]
pub fn wrap(handle: RelayHandle, packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + packet.len());
    frame.push(FORM);
    frame.extend_from_slice(&handle.0);
    frame.extend_from_slice(packet);
    frame
}

/// The handle of a frame and the packet in it; `None` for what is no frame, or holds another.
#[must_use]
pub fn unwrap(frame: &[u8]) -> Option<(RelayHandle, &[u8])> {
    let (handle, packet) = frame.strip_prefix(&[FORM])?.split_first_chunk()?;
    packet
        .first()
        .is_some_and(|first| *first != FORM)
        .then_some((RelayHandle(*handle), packet))
}

/// One side of a pair, as the relay knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// What stands for it.
    pub handle: RelayHandle,
    /// Where it is: the far end of its link with the relay.
    pub at: SocketAddr,
}

/// Two sides between which packets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its number.
    pub id: PairId,
    /// Both sides.
    pub sides: [Side; 2],
}

/// The table by which a relay judges each frame.
#[derive(Debug, Default)]
pub struct Forwards {
    ways: BTreeMap<RelayHandle, Way>,
    buckets: BTreeMap<PairId, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Way {
    pair: PairId,
    from: SocketAddr,
    to: Side,
}

impl Forwards {
    /// Passes packets between the sides of a pair. A pair that is there already keeps its bucket and gets these sides.
    pub fn open(&mut self, pair: &Pair, now: Duration) {
        self.ways.retain(|_, way| way.pair != pair.id);
        let [one, other] = pair.sides;
        for (side, far) in [(one, other), (other, one)] {
            let way = Way {
                pair: pair.id,
                from: side.at,
                to: far,
            };
            self.ways.insert(side.handle, way);
        }
        self.buckets.entry(pair.id).or_insert_with(|| Bucket::full(now));
    }

    /// Passes no packets any more.
    pub fn close(&mut self, pair: PairId) {
        self.ways.retain(|_, way| way.pair != pair);
        self.buckets.remove(&pair);
    }

    /// Where a frame with this handle would go, from this address.
    #[must_use]
    pub fn leads(&self, from: SocketAddr, handle: RelayHandle) -> Option<Side> {
        self.ways.get(&handle).filter(|way| way.from == from).map(|way| way.to)
    }

    /// Judges one frame that came from `from`. Where it may go on, it gets the far side's handle in place, and this is
    /// where it goes.
    pub fn forward(&mut self, from: SocketAddr, frame: &mut [u8], now: Duration) -> Option<SocketAddr> {
        let (handle, _) = unwrap(frame)?;
        let way = self.ways.get(&handle).filter(|way| way.from == from)?;
        let bucket = self.buckets.get_mut(&way.pair)?;
        if !bucket.take(frame.len(), now) {
            return None;
        }
        for (byte, theirs) in frame.iter_mut().skip(1).zip(way.to.handle.0) {
            *byte = theirs;
        }
        Some(way.to.at)
    }
}

/// How much one pair may still send: filled at [`bounds::RELAY_BYTES_PER_S`], up to [`bounds::RELAY_BURST`].
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// In bytes times a microsecond, so that nothing is lost to rounding.
    level: u64,
    at: Duration,
}

const MICROS: u64 = 1_000_000;

impl Bucket {
    /// A full one.
    #[must_use]
    pub const fn full(now: Duration) -> Self {
        Self {
            level: bounds::RELAY_BURST * MICROS,
            at: now,
        }
    }

    /// Takes so many bytes out, if there are so many.
    pub fn take(&mut self, bytes: usize, now: Duration) -> bool {
        let micros = u64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(u64::MAX);
        let filled = micros.saturating_mul(bounds::RELAY_BYTES_PER_S);
        self.level = self.level.saturating_add(filled).min(bounds::RELAY_BURST * MICROS);
        self.at = self.at.max(now);
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(MICROS);
        let is_enough = self.level >= wanted;
        if is_enough {
            self.level -= wanted;
        }
        is_enough
    }
}

/// Who asks: a device, and the contact whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asker {
    /// The contact.
    pub contact: ContactId,
    /// The device.
    pub device: DeviceKey,
}

/// The wishes that contacts have told a relay.
#[derive(Debug, Default)]
pub struct Asks {
    asks: BTreeMap<Asker, Vec<Ask>>,
}

/// A wish: to meet whoever shows one of the same tags.
#[derive(Clone, Debug)]
struct Ask {
    tags: Vec<RelayTag>,
    until: Duration,
}

impl Asks {
    /// Notes a wish, or that it still stands. Gives the other contact's device that wishes the same, and the tag that both
    /// have shown.
    pub fn note(&mut self, who: Asker, tags: &[RelayTag], now: Duration) -> Option<(Asker, RelayTag)> {
        let tags: Vec<RelayTag> = tags.iter().copied().take(bounds::PAIR_KEYS).collect();
        self.forget_old(now);
        let own = self.asks.entry(who).or_default();
        own.retain(|ask| !ask.tags.iter().any(|tag| tags.contains(tag)));
        if own.len() >= bounds::RELAY_ASKS {
            own.remove(0);
        }
        own.push(Ask {
            tags: tags.clone(),
            until: now + bounds::RELAY_LEASE,
        });
        let others = self.asks.iter().filter(|(other, _)| other.contact != who.contact);
        let mut shared = others.flat_map(|(other, asks)| {
            let shown = asks.iter().flat_map(|ask| &ask.tags);
            shown.filter(|tag| tags.contains(tag)).map(|tag| (*other, *tag))
        });
        shared.next()
    }

    /// Whether a wish still stands.
    #[must_use]
    pub fn stands(&self, who: &Asker, tag: &RelayTag, now: Duration) -> bool {
        let asks = self.asks.get(who).into_iter().flatten();
        asks.filter(|ask| now < ask.until).any(|ask| ask.tags.contains(tag))
    }

    /// Takes a wish back.
    pub fn withdraw(&mut self, who: &Asker, tag: &RelayTag) {
        if let Some(asks) = self.asks.get_mut(who) {
            asks.retain(|ask| !ask.tags.contains(tag));
        }
    }

    /// Forgets all wishes of those who do not pass.
    pub fn retain(&mut self, keep: impl Fn(&Asker) -> bool) {
        self.asks.retain(|who, _| keep(who));
    }

    fn forget_old(&mut self, now: Duration) {
        for asks in self.asks.values_mut() {
            asks.retain(|ask| now < ask.until);
        }
        self.asks.retain(|_, asks| !asks.is_empty());
    }
}

#[cfg(test)]
mod tests;
