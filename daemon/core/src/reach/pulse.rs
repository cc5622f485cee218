//! Keep-alives on the wire: small sealed packets beside the link's QUIC connection.
//!
//! `form (1) ‖ tag (4) ‖ number (4) ‖ AEAD` of what [`super::keepalive`] says; everything before the AEAD is its associated
//! data. The keys and tags, one of each a direction, come from the link's exporter, so only the two ends of this very link
//! can make or recognise one. Within QUIC each would draw an acknowledgement, in a packet of its own behind the last one,
//! and set timers at both ends: more bytes and wakeups than the keep-alive itself has.
//!
//! Invariants: a number seals one packet; a packet is opened once, and none that is older than one that was.

use crate::crypto::{self, NONCE, SEAL_OVERHEAD, Secret};

/// The first byte.
pub const FORM: u8 = 8;
/// Bytes before the sealed body.
const HEAD: usize = 1 + 4 + 4;
/// Bytes of the longest packet.
pub const MOST: usize = HEAD + 32 + SEAL_OVERHEAD;

/// Finds the link that a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 4]);

impl Tag {
    /// The tag that a packet bears; `None` where it is no keep-alive.
    #[must_use]
    pub fn of(packet: &[u8]) -> Option<Self> {
        let tag = packet.get(1..5)?.try_into().ok()?;
        (packet.first() == Some(&FORM) && packet.len() <= MOST).then_some(Self(tag))
    }
}

/// One end of one link.
#[derive(Debug)]
pub struct Pulse {
    seal: Secret,
    open: Secret,
    /// What the far side knows us by, and we it.
    out: Tag,
    inward: Tag,
    sent: u32,
    heard: u32,
}

impl Pulse {
    /// The end of the link with this exporter that did or did not dial.
    #[must_use]
    pub fn new(exporter: &[u8; 32], dialed: bool) -> Self {
        let [dialer, listener] = ["pulse dialer", "pulse listener"].map(|label| crypto::derive(exporter, label, &[]));
        let tag = |key: &Secret| {
            let [a, b, c, d, ..] = crypto::derive(&key.0, "pulse tag", &[]).0;
            Tag([a, b, c, d])
        };
        let (seal, open) = if dialed { (dialer, listener) } else { (listener, dialer) };
        Self {
            out: tag(&seal),
            inward: tag(&open),
            seal,
            open,
            sent: 0,
            heard: 0,
        }
    }

    /// The tag of what comes.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.inward
    }

    /// The packet that says `body`; `None` once the numbers are used up, or where nothing of ours is so long.
    #[must_use]
    pub fn seal(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        self.sent = self.sent.checked_add(1)?;
        let number = self.sent.to_be_bytes();
        let mut packet = [&[FORM][..], &self.out.0, &number].concat();
        let sealed = crypto::seal(&self.seal, nonce(number), &packet, body.to_vec());
        packet.extend(sealed);
        (packet.len() <= MOST).then_some(packet)
    }

    /// What a packet says; `None` for what the far end did not make, and for what is not newer than the last one.
    #[must_use]
    pub fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (head, sealed) = packet.split_at_checked(HEAD)?;
        let number: [u8; 4] = head.last_chunk().copied()?;
        let newer = u32::from_be_bytes(number) > self.heard && Tag::of(packet) == Some(self.inward);
        let body = newer.then(|| crypto::open(&self.open, nonce(number), head, sealed))??;
        self.heard = u32::from_be_bytes(number);
        Some(body)
    }
}

fn nonce(number: [u8; 4]) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    if let Some(end) = nonce.last_chunk_mut() {
        *end = number;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (Pulse, Pulse) {
        (Pulse::new(&[7; 32], true), Pulse::new(&[7; 32], false))
    }

    #[test]
    fn each_end_opens_what_the_other_sealed_and_nothing_twice() {
        let (mut dialer, mut listener) = ends();
        let [first, second] = [b"one", b"two"].map(|body| dialer.seal(body).expect("a packet"));
        assert_eq!(Tag::of(&first), Some(listener.tag()));
        assert_eq!(listener.open(&first), Some(b"one".to_vec()));
        assert_eq!(listener.open(&first), None, "again");
        assert_eq!(listener.open(&second), Some(b"two".to_vec()));
        assert_eq!(listener.open(&first), None, "older");
        assert_eq!(dialer.open(&second), None, "one's own");
        let answer = listener.seal(b"answer").expect("a packet");
        assert_eq!(dialer.open(&answer), Some(b"answer".to_vec()));
    }

    #[test]
    fn whatever_is_bent_is_not_opened_and_harms_nothing() {
        let (mut dialer, mut listener) = ends();
        let packet = dialer.seal(b"body").expect("a packet");
        for at in 0..packet.len() {
            let mut bent = packet.clone();
            if let Some(byte) = bent.get_mut(at) {
                *byte ^= 1;
            }
            assert_eq!(listener.open(&bent), None, "byte {at}");
            assert_eq!(listener.open(packet.get(..at).unwrap_or_default()), None, "{at} bytes");
        }
        assert_eq!(Pulse::new(&[8; 32], false).open(&packet), None, "another link");
        assert_eq!(listener.open(&packet), Some(b"body".to_vec()));
    }

    #[test]
    fn a_number_is_never_used_twice() {
        let (mut dialer, _) = ends();
        dialer.sent = u32::MAX - 1;
        assert!(dialer.seal(b"last").is_some());
        assert_eq!(dialer.seal(b"none left"), None);
        assert_eq!(dialer.seal(b"none left"), None);
    }
}
