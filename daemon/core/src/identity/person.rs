//! Oneself: the root, this device, and the current device list.

use crate::crypto::{self, Secret};
use crate::identity::device::{DeviceEntry, DeviceList, SignedList};
use crate::ids::{DeviceKey, RootKey};
use crate::rng::Rng;

use minicbor::{Decode, Encode};

/// One's own keys and names.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Identity {
    /// The seed of the root key.
    #[n(0)]
    pub root_seed: Secret,
    /// The seed of this device's TLS key.
    #[n(1)]
    pub device_seed: Secret,
    /// The name that invites carry.
    #[n(2)]
    pub name: String,
    /// The current device list.
    #[n(3)]
    pub list: SignedList,
}

impl Identity {
    /// A new person with one device.
    #[must_use]
    pub fn create(rng: &mut Rng, name: &str, device_name: &str) -> Self {
        let (root_seed, device_seed) = (Secret(rng.bytes()), Secret(rng.bytes()));
        let list = DeviceList {
            root: RootKey(crypto::sign_public(&root_seed)),
            sequence: 1,
            previous: [0; 32],
            devices: vec![DeviceEntry {
                key: DeviceKey(crypto::sign_public(&device_seed)),
                name: device_name.to_owned(),
                kind: "computer".to_owned(),
            }],
            removed: Vec::new(),
        };
        let list = list.sign(&root_seed);
        Self {
            root_seed,
            device_seed,
            name: name.to_owned(),
            list,
        }
    }

    /// The person's public key.
    #[must_use]
    pub fn root(&self) -> RootKey {
        RootKey(crypto::sign_public(&self.root_seed))
    }

    /// This device's public key.
    #[must_use]
    pub fn device(&self) -> DeviceKey {
        DeviceKey(crypto::sign_public(&self.device_seed))
    }

    /// This device's own name, as the list has it.
    #[must_use]
    pub fn device_name(&self) -> String {
        let own = self.device();
        let list = self.list.content();
        let entry = list.and_then(|list| list.devices.into_iter().find(|device| device.key == own));
        entry.map(|device| device.name).unwrap_or_default()
    }
}
