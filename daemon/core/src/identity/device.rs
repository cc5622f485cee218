//! The device list: which devices a person has, signed by the root, numbered, each naming the one before.
//!
//! Contacts pin the root and the highest list they have seen. A list never goes back: a lower number, or another
//! content under the same number, is refused.

use minicbor::{Decode, Encode};

use crate::bounds;
use crate::crypto::{self, Secret};
use crate::ids::{DeviceKey, RootKey};

/// One device of a person.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceEntry {
    /// Its TLS key.
    #[n(0)]
    pub key: DeviceKey,
    /// Its name, as its owner calls it.
    #[n(1)]
    pub name: String,
    /// `computer`, `phone`, `tablet`, `camera`, …
    #[n(2)]
    pub kind: String,
}

/// A person's devices at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceList {
    /// The person.
    #[n(0)]
    pub root: RootKey,
    /// Grows by one with each list.
    #[n(1)]
    pub sequence: u64,
    /// SHA-256 of the list before, as it was signed; zeros for the first.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub previous: [u8; 32],
    /// The devices.
    #[n(3)]
    pub devices: Vec<DeviceEntry>,
    /// Devices that were removed and must not come back.
    #[n(4)]
    pub removed: Vec<DeviceKey>,
}

/// A device list with its root's signature, as it travels and as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedList {
    /// The encoded [`DeviceList`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub list: Vec<u8>,
    /// Ed25519 over a label and the list.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// Why a device list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Not a list, or over its bounds.
    #[error("the device list is malformed")]
    Malformed,
    /// The signature does not fit the root that the list names.
    #[error("the device list's signature does not fit")]
    Signature,
    /// Another person's list.
    #[error("the device list is another person's")]
    OtherRoot,
    /// Older than the pinned one.
    #[error("the device list is older than the one pinned")]
    Older,
    /// Same number as the pinned one, other content.
    #[error("the device list forks from the one pinned")]
    Fork,
}

const LABEL: &[u8] = b"twocan device list 1";

impl DeviceList {
    /// Signs with the root's seed.
    #[must_use]
    pub fn sign(&self, root_seed: &Secret) -> SignedList {
        let list = crate::cbor::encode(self);
        let signature = crypto::sign(root_seed, &[LABEL, &list].concat());
        SignedList { list, signature }
    }

    /// Whether a device is in the list.
    #[must_use]
    pub fn contains(&self, key: &DeviceKey) -> bool {
        self.devices.iter().any(|device| device.key == *key)
    }
}

impl SignedList {
    /// The list, unverified: for one that was verified when it was taken in, and has been kept sealed since.
    #[must_use]
    pub fn content(&self) -> Option<DeviceList> {
        crate::cbor::decode(&self.list)
    }

    /// The list, if its own root signed it.
    ///
    /// # Errors
    /// [`ListError::Malformed`] or [`ListError::Signature`].
    pub fn verify(&self) -> Result<DeviceList, ListError> {
        let list: DeviceList = crate::cbor::decode(&self.list).ok_or(ListError::Malformed)?;
        let fits = list.devices.len() <= bounds::DEVICES
            && list
                .devices
                .iter()
                .all(|device| device.name.chars().count() <= bounds::NAME_CHARS);
        if !fits {
            return Err(ListError::Malformed);
        }
        if !crypto::verify(&list.root.0, &[LABEL, &self.list].concat(), &self.signature) {
            return Err(ListError::Signature);
        }
        Ok(list)
    }

    /// The list, if it may follow `pinned` for the person `root`.
    ///
    /// # Errors
    /// Any [`ListError`].
    pub fn verify_after(&self, root: &RootKey, pinned: Option<&Self>) -> Result<DeviceList, ListError> {
        let list = self.verify()?;
        if list.root != *root {
            return Err(ListError::OtherRoot);
        }
        let Some(pinned) = pinned else { return Ok(list) };
        let before = pinned.verify()?;
        if list.sequence < before.sequence {
            return Err(ListError::Older);
        }
        if list.sequence == before.sequence && self.list != pinned.list {
            return Err(ListError::Fork);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(seed: u8, sequence: u64, name: &str) -> SignedList {
        let root = Secret([seed; 32]);
        DeviceList {
            root: RootKey(crypto::sign_public(&root)),
            sequence,
            previous: [0; 32],
            devices: vec![DeviceEntry {
                key: DeviceKey([9; 32]),
                name: name.into(),
                kind: "computer".into(),
            }],
            removed: Vec::new(),
        }
        .sign(&root)
    }

    #[test]
    fn a_list_never_goes_back() {
        let root = RootKey(crypto::sign_public(&Secret([1; 32])));
        let (one, two, fork) = (list(1, 1, "a"), list(1, 2, "a"), list(1, 2, "b"));
        assert!(two.verify_after(&root, Some(&one)).is_ok());
        assert!(two.verify_after(&root, Some(&two)).is_ok());
        assert_eq!(one.verify_after(&root, Some(&two)), Err(ListError::Older));
        assert_eq!(fork.verify_after(&root, Some(&two)), Err(ListError::Fork));
        assert_eq!(
            list(2, 3, "a").verify_after(&root, Some(&two)),
            Err(ListError::OtherRoot)
        );
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let signed = list(1, 1, "a");
        for place in 0..signed.list.len() {
            let mut bent = signed.clone();
            if let Some(byte) = bent.list.get_mut(place) {
                *byte ^= 1;
            }
            assert!(bent.verify().is_err());
        }
    }
}
