//! Connection ids that only this run of the daemon can have issued.
//!
//! An id is 3 random bytes and 5 bytes of HMAC-SHA-256 over them, under a key that lives as long as the process. So
//! every packet is checked before the QUIC stack sees it, without a table of live connections, and a stranger has to
//! guess 40 bits.
//!
//! quinn answers a packet for an id that validates, but whose connection is gone, with a stateless reset. Whoever once
//! saw a packet of ours could so find out whether the daemon still runs. That is the only time when quinn asks, so it
//! is told that no id is valid; the far side of a lost close learns of it by its keep-alive.

use std::sync::Arc;

use quinn_proto::{ConnectionId, ConnectionIdGenerator, InvalidCid};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use twocan_core::demux::OWN_CID;

const RANDOM: usize = 3;

/// The key under which ids are issued and recognised.
#[derive(Clone, Debug)]
pub(super) struct CidKey {
    key: Arc<hmac::Key>,
    random: SystemRandom,
}

impl CidKey {
    /// A fresh key.
    pub(super) fn generate() -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random)
            .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
        Ok(Self {
            key: Arc::new(key),
            random,
        })
    }

    /// Whether `cid` was issued under this key.
    pub(super) fn issued(&self, cid: &[u8; OWN_CID]) -> bool {
        let (nonce, _) = cid.split_at(RANDOM);
        self.id(nonce) == *cid
    }

    fn id(&self, nonce: &[u8]) -> [u8; OWN_CID] {
        let tag = hmac::sign(&self.key, nonce);
        let mut id = [0; OWN_CID];
        for (byte, value) in id.iter_mut().zip(nonce.iter().chain(tag.as_ref())) {
            *byte = *value;
        }
        id
    }
}

impl ConnectionIdGenerator for CidKey {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut nonce = [0; RANDOM];
        if self.random.fill(&mut nonce).is_err() {
            tracing::error!("the system gives no random bytes for a connection id");
        }
        ConnectionId::new(&self.id(&nonce))
    }

    fn validate(&self, _cid: &ConnectionId) -> Result<(), InvalidCid> {
        Err(InvalidCid)
    }

    fn cid_len(&self) -> usize {
        OWN_CID
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_own_ids_are_recognised() {
        let mut key = CidKey::generate().unwrap();
        let stranger = CidKey::generate().unwrap();
        let cid = <[u8; OWN_CID]>::try_from(&*key.generate_cid()).unwrap();
        assert!(key.issued(&cid));
        assert!(!stranger.issued(&cid));
        for bit in 0..64 {
            assert!(!key.issued(&(u64::from_be_bytes(cid) ^ (1 << bit)).to_be_bytes()));
        }
    }
}
