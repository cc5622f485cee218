//! `GET,PUT /v1/key`: where the key is kept that seals identity and contacts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the key is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyPlace {
    /// The store.
    pub store: KeyStore,
    /// The same in a sentence.
    pub text: String,
}

/// A store of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyStore {
    /// The user's keyring.
    Keyring,
    /// Sealed under a passphrase that is asked for at each start.
    Passphrase,
    /// Handed over by systemd at each start; a key cannot be moved there.
    Credential,
    /// A file beside what it seals.
    #[default]
    File,
}

impl KeyStore {
    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::Credential => "credential",
            Self::File => "file",
        }
    }
}

/// `PUT /v1/key`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyPut {
    /// Where it shall be: not `credential`.
    pub store: KeyStore,
    /// For the store `passphrase`: what seals it, 8 to 1024 characters on one line. The key's being there already changes the passphrase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 1024))]
    pub passphrase: Option<String>,
}

impl fmt::Debug for KeyPut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("KeyPut")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
