//! Stand-ins for what is outside of a home.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "tests stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::credential::Credentials;
use super::keyring::{NotReady, Ring};
use super::record::Id;
use super::{Ask, Stores};

/// A keyring in memory, as ready as a test says.
#[derive(Debug, Default)]
pub(in crate::store) struct MemoryRing {
    not_ready: Mutex<Option<NotReady>>,
    kept: Mutex<BTreeMap<Id, Vec<u8>>>,
}

impl MemoryRing {
    /// Makes it ready, or not, for a reason.
    pub(in crate::store) fn set(&self, not_ready: Option<NotReady>) {
        *self.not_ready.lock().unwrap() = not_ready;
    }

    /// How many keys it keeps.
    pub(in crate::store) fn count(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// Loses all keys.
    pub(in crate::store) fn empty(&self) {
        self.kept.lock().unwrap().clear();
    }

    fn ready(&self) -> Result<(), NotReady> {
        self.not_ready.lock().unwrap().map_or(Ok(()), Err)
    }
}

impl Ring for Arc<MemoryRing> {
    fn look(&self) -> Result<(), NotReady> {
        self.ready()
    }

    fn get(&self, id: &Id) -> Result<Option<Zeroizing<Vec<u8>>>, NotReady> {
        self.ready()?;
        Ok(self.kept.lock().unwrap().get(id).cloned().map(Zeroizing::new))
    }

    fn put(&self, id: &Id, secret: &str) -> Result<(), NotReady> {
        self.ready()?;
        self.kept.lock().unwrap().insert(id.clone(), secret.as_bytes().to_vec());
        Ok(())
    }

    fn delete(&self, id: &Id) -> Result<(), NotReady> {
        self.ready()?;
        self.kept.lock().unwrap().remove(id);
        Ok(())
    }

    fn ask_to_unlock(&self) {}
}

/// No keyring, no credentials, nobody to ask.
pub(in crate::store) fn bare() -> Arc<Stores> {
    let ring = Arc::new(MemoryRing::default());
    ring.set(Some(NotReady::Absent));
    stores(&ring, None, None)
}

/// This keyring, these credentials, a user who says this passphrase.
pub(in crate::store) fn stores(
    ring: &Arc<MemoryRing>,
    credentials: Option<&Path>,
    passphrase: Option<&'static str>,
) -> Arc<Stores> {
    Arc::new(Stores {
        ring: Box::new(Arc::clone(ring)),
        credentials: Credentials::at(credentials.map(|path| path.as_os_str().to_owned())),
        user: Box::new(move |ask: Ask| {
            let said = passphrase.map(|text| Zeroizing::new(text.to_owned()));
            said.ok_or_else(|| format!("nobody was asked ({ask:?})"))
        }),
        inherited: None,
    })
}
