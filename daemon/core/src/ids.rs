//! The names of things: small, copyable, comparable, and free of meaning beyond identity.

use std::fmt;

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Lower-case hexadecimal, the form in which the local API shows the id.
            #[must_use]
            pub fn to_hex(&self) -> String {
                self.0.iter().map(|byte| format!("{byte:02x}")).collect()
            }

            /// The inverse of [`Self::to_hex`]; `None` for any other length or alphabet.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let digits = text.as_bytes();
                if digits.len() != 2 * $len || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                let mut bytes = [0; $len];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
                    *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [first, second, third, fourth, ..] = self.0;
                write!(out, concat!(stringify!($name), "({:02x}{:02x}{:02x}{:02x})"), first, second, third, fourth)
            }
        }
    };
}

bytes_id!(
    /// A person's root Ed25519 public key.
    RootKey, 32
);
bytes_id!(
    /// A device's Ed25519 public key: what TLS proves.
    DeviceKey, 32
);
bytes_id!(
    /// A call, named by its caller at random; the same on both sides.
    CallId, 16
);
bytes_id!(
    /// The destination connection id of a QUIC Initial that a proven knock exchange admits.
    Token, 16
);
bytes_id!(
    /// A contact, as the local API names it. Random, so it says nothing about the person.
    ContactId, 8
);
bytes_id!(
    /// An invite, as the local API names it.
    InviteId, 8
);

bytes_id!(
    /// What stands for one side of a pair that a relay serves: the relay draws it, and its bearer alone learns it.
    RelayHandle, 7
);
bytes_id!(
    /// Under which two devices meet at a relay; nobody but they can tell whose it is.
    RelayTag, 16
);

/// A way to somebody's device through a contact's, numbered by the core; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId(pub u16);

/// Two contacts' devices that this one passes packets between, numbered by the core; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(pub u64);

/// One QUIC connection, numbered by the shell; never reused within a run of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// One attempt to open a QUIC connection, numbered by the core; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialId(pub u64);

/// One question to the DHT, numbered by the core; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// Somebody who asks to be let in at the door, numbered by the shell; never reused within a run of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitorId(pub u64);

/// One local media attachment, numbered by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// One action asked for over the local API, numbered by the shell; its reply carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);
