//! What the user is told about the key, in one place.

use twocan_api::types::{KeyPlace, KeyStore, Why};

use super::super::config::SecretStore;
use super::super::warning;
use super::keyring::NotReady;

/// Where the key lies, in a sentence.
pub(super) fn place(store: KeyStore) -> KeyPlace {
    let text = match store {
        KeyStore::Keyring => {
            "The key of your identity and contacts is in your keyring, which opens with your login or its own password."
        }
        KeyStore::Passphrase => {
            "The key of your identity and contacts is sealed under your passphrase, which Twocan asks for at each start."
        }
        KeyStore::Credential => {
            "The key of your identity and contacts is handed over by systemd at each start, as the credential twocan.key."
        }
        KeyStore::File => {
            "The key of your identity and contacts lies in the file state.key beside them: whoever can copy both can read them."
        }
    };
    KeyPlace {
        store,
        text: text.to_owned(),
    }
}

/// The standing warnings about where the key lies, given where the configuration wants it.
pub(super) fn warnings(store: KeyStore, wanted: SecretStore) -> Vec<Why> {
    let in_file = (store == KeyStore::File).then(in_file);
    let elsewhere = named(wanted).filter(|wanted| *wanted != store);
    in_file
        .into_iter()
        .chain(elsewhere.map(|wanted| moved_not(store, wanted)))
        .collect()
}

/// The store that a setting names; none for `auto`.
pub(super) const fn named(wanted: SecretStore) -> Option<KeyStore> {
    match wanted {
        SecretStore::Auto => None,
        SecretStore::Keyring => Some(KeyStore::Keyring),
        SecretStore::Passphrase => Some(KeyStore::Passphrase),
        SecretStore::File => Some(KeyStore::File),
    }
}

fn in_file() -> Why {
    warning(
        "key_in_file",
        "The key of your contacts lies in a file beside them: whoever can copy both can read them.",
        "Put it into your keyring with `twocan key move keyring`, or under a passphrase with `twocan key move passphrase`; \
         or keep this disk encrypted, and state.key out of copies that others can read.",
    )
}

fn moved_not(store: KeyStore, wanted: KeyStore) -> Why {
    let (store, wanted) = (store.name(), wanted.name());
    warning(
        "key_elsewhere",
        format!("The settings want the key in the store \"{wanted}\", and it is in \"{store}\"."),
        format!("Move it with `twocan key move {wanted}`, or set secrets.store = \"auto\"."),
    )
}

/// The codes of the warnings that depend on where the key lies.
pub(super) const PLACE_WARNINGS: [&str; 2] = ["key_in_file", "key_elsewhere"];

pub(super) fn was_open() -> Why {
    warning(
        "key_was_open",
        "Other users of this machine could read state.key; it has been closed to them.",
        "If you do not trust them, start anew in another folder and invite your contacts again.",
    )
}

impl NotReady {
    /// A word for scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Locked => "locked",
            Self::Unset => "unset",
            Self::Silent => "silent",
        }
    }

    /// What it is, and what helps.
    #[must_use]
    pub fn why(self) -> Why {
        let (code, text, fix) = match self {
            Self::Absent => (
                "keyring_absent",
                "Twocan waits for your keyring, which is not running.",
                "Log into your desktop, or start the keyring's program in this session; Twocan goes on by itself.",
            ),
            Self::Locked => (
                "keyring_locked",
                "Twocan waits for your keyring to be unlocked.",
                "Unlock it, in the window that asks for its password or in your passwords program; Twocan goes on by itself.",
            ),
            Self::Unset => (
                "keyring_unset",
                "Twocan waits for your keyring, which has not been set up in this session.",
                "Log in with your password, or make a default keyring in your passwords program; Twocan goes on by itself.",
            ),
            Self::Silent => (
                "keyring_silent",
                "Twocan waits for your keyring, which does not answer.",
                "Answer the question that it may be asking, or restart it; Twocan goes on by itself.",
            ),
        };
        warning(code, text, fix)
    }

    /// The same for somebody who wants to move the key there.
    #[must_use]
    pub const fn refusal(self) -> &'static str {
        match self {
            Self::Absent => {
                "No keyring is running: log into your desktop, or start its program in this session, then try again."
            }
            Self::Locked => "Your keyring is locked: unlock it, then try again.",
            Self::Unset => {
                "Your keyring has not been set up: make a default keyring in your passwords program, then try again."
            }
            Self::Silent => "Your keyring does not answer: see whether it asks a question, then try again.",
        }
    }
}
