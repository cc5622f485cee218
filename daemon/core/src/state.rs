//! What outlives a restart: oneself, contacts, invites. Encoded as one CBOR map; the shell seals it.
//!
//! The format only grows: new fields are optional, and a change of meaning gets a new [`FORMAT`] with a frozen reader of
//! the old one.

use std::net::SocketAddr;

use minicbor::{Decode, Encode};

use crate::bounds;
use crate::cbor;
use crate::crypto::Secret;
use crate::identity::{Identity, SignedList};
use crate::ids::{ContactId, DeviceKey, InviteId, RootKey};
use crate::invite::{InviteKeys, Link};
use crate::reach::nat_report::NatKind;
use crate::time::UnixSeconds;

/// The format that this code writes.
pub const FORMAT: u16 = 1;

/// Everything that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct State {
    /// [`FORMAT`].
    #[n(0)]
    pub format: u16,
    /// Oneself.
    #[n(1)]
    pub identity: Identity,
    /// Whether this device rings.
    #[n(2)]
    pub will_ring: bool,
    /// All contacts.
    #[n(3)]
    pub contacts: Vec<Contact>,
    /// Invites, used ones included until they expire.
    #[n(4)]
    pub invites: Vec<Invite>,
    /// Whether a second call rings while one is active; else it hears that we are busy.
    #[cbor(n(5), default)]
    pub second_call_waits: bool,
    /// The keys under which contacts find this device.
    #[n(10)]
    pub finding: Option<OwnFinding>,
}

/// The keys under which contacts find oneself: see [`crate::reach::record`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OwnFinding {
    /// The person's finding key.
    #[n(0)]
    pub key: Secret,
    /// The seed of this device's finding key pair.
    #[n(1)]
    pub seed: Secret,
}

/// The keys under which a contact is found.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    /// The person's finding key.
    #[n(0)]
    pub key: Secret,
    /// The devices' own ones.
    #[n(1)]
    pub devices: Vec<DeviceFinding>,
}

/// A device of a contact, and its public finding key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceFinding {
    /// The device.
    #[n(0)]
    pub device: DeviceKey,
    /// Its public finding key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public: [u8; 32],
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Contact {
    /// Its id in the local API.
    #[n(0)]
    pub id: ContactId,
    /// The petname.
    #[n(1)]
    pub name: String,
    /// The pinned root.
    #[n(2)]
    pub root: RootKey,
    /// The highest device list seen.
    #[n(3)]
    pub list: Option<SignedList>,
    /// Pair keys, the newest first.
    #[n(4)]
    pub keys: Vec<Secret>,
    /// Whether both sides hold each other.
    #[n(5)]
    pub accepted: bool,
    /// Whether the safety words were compared.
    #[n(6)]
    pub verified: bool,
    /// We hold it back: somebody else tried the invite that made it.
    #[n(7)]
    pub contested: bool,
    /// It holds us back for the same reason.
    #[n(8)]
    pub held: bool,
    /// Where its device was last known to be.
    #[cbor(n(9), with = "crate::cbor::addresses")]
    pub addresses: Vec<SocketAddr>,
    /// The redemption under way.
    #[n(10)]
    pub redeeming: Option<Redemption>,
    /// Those devices of the list that have shown themselves. A list is its person's claim; only these speak for the
    /// contact, so that nobody gets hold of somebody else's device by listing it.
    #[cbor(n(11), default)]
    pub proven: Vec<DeviceKey>,
    /// The user wants to hear nothing of it.
    #[cbor(n(12), default)]
    pub blocked: bool,
    /// What speaks against it, until the safety words were found equal.
    #[n(13)]
    pub alarm: Option<Alarm>,
    /// What kind of NAT its device last said it is behind.
    #[cbor(n(14), default)]
    pub nat: NatKind,
    /// How its devices are found, once it has told.
    #[n(18)]
    pub finding: Option<Finding>,
    /// The user named it as an introducer.
    #[cbor(n(19), default)]
    pub introduces: bool,
    /// It may use this device as a relay to a contact that both have.
    #[cbor(n(20), default)]
    pub relay: bool,
    /// It is to learn no address of this device's: packets to it go through a relay alone.
    #[cbor(n(21), default)]
    pub relay_only: bool,
    /// Whether a call of its is answered by one click outside of the page; what is usual here where the user has not said.
    #[n(22)]
    pub one_click: Option<bool>,
    /// It is of this run alone, and never stored.
    #[cbor(skip)]
    pub temporary: bool,
}

/// What speaks against a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Alarm {
    /// The user found the safety words different.
    #[n(0)]
    WordsDiffer,
    /// Somebody with its device key, or at the end of its link, showed another root.
    #[n(1)]
    OtherRoot,
}

/// A redemption under way, on the invitee's side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Redemption {
    /// The link.
    #[n(0)]
    pub link: Link,
    /// Our X25519 secret for it.
    #[n(1)]
    pub ephemeral: Secret,
    /// When it began.
    #[n(2)]
    pub since: Option<UnixSeconds>,
}

/// An invite, on the inviter's side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Invite {
    /// Its id in the local API.
    #[n(0)]
    pub id: InviteId,
    /// Its secrets.
    #[n(1)]
    pub keys: InviteKeys,
    /// The text form of the link.
    #[n(2)]
    pub link: String,
    /// When it stops working.
    #[n(3)]
    pub expiry: UnixSeconds,
    /// Who redeemed it.
    #[n(4)]
    pub redeemer: Option<RootKey>,
    /// The user has kept or deleted whoever redeemed it, which ends what it is good for.
    #[cbor(n(5), default)]
    pub closed: bool,
    /// When it was made.
    #[n(6)]
    pub created: Option<UnixSeconds>,
}

/// Why stored bytes are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Not a state.
    #[error("the state cannot be read")]
    Unreadable,
    /// Written by a newer Twocan.
    #[error("the state was written by a newer version")]
    Newer,
}

impl State {
    /// A new person's state.
    #[must_use]
    pub const fn new(identity: Identity) -> Self {
        Self {
            format: FORMAT,
            identity,
            will_ring: true,
            contacts: Vec::new(),
            invites: Vec::new(),
            second_call_waits: false,
            finding: None,
        }
    }

    /// The bytes to seal: everything but temporary contacts.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if !self.contacts.iter().any(|contact| contact.temporary) {
            return cbor::encode(self);
        }
        let mut lasting = self.clone();
        lasting.contacts.retain(|contact| !contact.temporary);
        cbor::encode(&lasting)
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut state: Self = cbor::decode(bytes).ok_or(StateError::Unreadable)?;
        if state.format > FORMAT {
            return Err(StateError::Newer);
        }
        state.contacts.iter_mut().for_each(Contact::prove_old_device);
        Ok(state)
    }

    /// A contact by id.
    #[must_use]
    pub fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.id == id)
    }

    /// A contact by id, to be changed.
    pub fn contact_mut(&mut self, id: ContactId) -> Option<&mut Contact> {
        self.contacts.iter_mut().find(|contact| contact.id == id)
    }

    /// A contact by its person.
    #[must_use]
    pub fn contact_of(&self, root: &RootKey) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.root == *root)
    }

    /// An invite by id.
    #[must_use]
    pub fn invite(&self, id: InviteId) -> Option<&Invite> {
        self.invites.iter().find(|invite| invite.id == id)
    }
}

impl Invite {
    /// Whether anybody may still redeem it.
    #[must_use]
    pub const fn is_open(&self, wall: UnixSeconds) -> bool {
        self.redeemer.is_none() && wall < self.expiry
    }

    /// Whether its keys are of use to anybody: to whoever may redeem it, or to a redeemer who has not heard yet.
    #[must_use]
    pub const fn is_kept(&self, wall: UnixSeconds) -> bool {
        let grace = if self.redeemer.is_some() {
            bounds::REDEEMED_KEPT_S
        } else {
            0
        };
        wall < self.expiry.saturating_add(grace)
    }
}

impl Contact {
    /// The devices that may speak for this contact: those listed that have shown themselves.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceKey> {
        let listed = self.list.as_ref().and_then(SignedList::content);
        let mut devices: Vec<DeviceKey> = listed
            .map(|list| list.devices.into_iter().map(|device| device.key).collect())
            .unwrap_or_default();
        devices.retain(|device| self.proven.contains(device));
        devices
    }

    /// Takes note that a listed device has shown itself; forgets those that are listed no longer.
    pub fn prove(&mut self, device: DeviceKey) {
        if !self.proven.contains(&device) {
            self.proven.push(device);
        }
        self.proven = self.devices();
    }

    /// A state without `proven` was written when a list was stored only after one of its devices had shown it: where it has
    /// one device alone, that was it.
    fn prove_old_device(&mut self) {
        let listed = self.list.as_ref().and_then(|list| list.verify().ok());
        let devices = listed.map(|list| list.devices).unwrap_or_default();
        if let (true, [only]) = (self.proven.is_empty(), devices.as_slice()) {
            self.proven.push(only.key);
        }
    }

    /// Whether this contact may ring and be called.
    #[must_use]
    pub const fn may_call(&self) -> bool {
        self.accepted && !self.contested && !self.held && !self.blocked
    }

    /// The public finding key of a device, with the person's, where both are known.
    #[must_use]
    pub fn finding_of(&self, device: &DeviceKey) -> Option<(&Secret, &[u8; 32])> {
        let finding = self.finding.as_ref()?;
        let known = finding.devices.iter().find(|known| known.device == *device)?;
        Some((&finding.key, &known.public))
    }

    /// Takes note of how a device is found. True where that is news.
    pub fn learn_finding(&mut self, device: DeviceKey, key: &Secret, public: [u8; 32]) -> bool {
        let before = self.finding.clone();
        let listed = self.devices();
        let finding = self.finding.get_or_insert_with(|| Finding {
            key: key.clone(),
            devices: Vec::new(),
        });
        finding.key = key.clone();
        finding
            .devices
            .retain(|known| known.device != device && listed.contains(&known.device));
        finding.devices.push(DeviceFinding { device, public });
        self.finding != before
    }

    /// Adds a pair key as the newest; true where it was not known.
    pub fn add_key(&mut self, key: Secret) -> bool {
        if self.keys.contains(&key) {
            return false;
        }
        self.keys.insert(0, key);
        self.keys.truncate(bounds::PAIR_KEYS);
        true
    }
}

impl Redemption {
    /// How the invitee seals his knocks.
    #[must_use]
    pub fn seal_key(&self) -> crate::knock::SealKey {
        crate::knock::SealKey::Invitee {
            secret: self.link.secret,
            ephemeral: self.ephemeral.clone(),
            one_time: self.link.one_time,
        }
    }

    /// The key that inviter and invitee share before they are contacts; `None` for an unusable one-time key.
    #[must_use]
    pub fn pair_key(&self) -> Option<Secret> {
        let shared = crate::crypto::agree(&self.ephemeral, &self.link.one_time)?;
        Some(crate::invite::pair_key(&self.link.secret, &shared))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;

    /// A state as it was written before contacts could be blocked: one contact, verified, in the middle of redeeming
    /// again; one used invite.
    const OLD: &str = include_str!("state_1.hex");

    fn old() -> Vec<u8> {
        let digits: Vec<u8> = OLD.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits.as_chunks::<2>().0.iter();
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn an_old_state_loads_with_everything_in_it() {
        let state = State::from_bytes(&old()).unwrap();
        assert_eq!(
            (state.format, state.will_ring, state.second_call_waits),
            (1, false, false)
        );
        assert_eq!(state.identity.name, "Ann");
        let [contact] = state.contacts.as_slice() else {
            panic!("{state:?}")
        };
        assert_eq!((contact.id, contact.name.as_str()), (ContactId([1; 8]), "Bob"));
        assert!(contact.accepted && contact.verified && contact.held && !contact.contested);
        assert_eq!((contact.blocked, contact.alarm), (false, None));
        assert_eq!((&contact.finding, &state.finding), (&None, &None));
        assert_eq!((contact.relay, contact.relay_only), (false, false));
        assert_eq!(contact.one_click, None);
        assert_eq!(contact.keys, [Secret([6; 32])]);
        assert_eq!(contact.addresses, ["192.0.2.2:2226".parse().unwrap()]);
        assert!(contact.redeeming.is_some());
        assert_eq!(contact.devices().len(), 1);
        let invite = state.invite(InviteId([2; 8])).unwrap();
        assert_eq!((invite.expiry, invite.redeemer), (1_900_000_000, Some(contact.root)));
    }

    #[test]
    fn marks_survive_writing_and_reading() {
        let mut state = State::from_bytes(&old()).unwrap();
        state.second_call_waits = true;
        state.finding = Some(OwnFinding {
            key: Secret([3; 32]),
            seed: Secret([4; 32]),
        });
        for invite in &mut state.invites {
            invite.created = Some(1_899_000_000);
        }
        for contact in &mut state.contacts {
            contact.blocked = true;
            contact.introduces = true;
            contact.alarm = Some(Alarm::OtherRoot);
            let device = contact.devices()[0];
            assert!(contact.learn_finding(device, &Secret([5; 32]), [6; 32]));
            assert!(!contact.learn_finding(device, &Secret([5; 32]), [6; 32]));
            let redemption = contact.redeeming.as_mut().unwrap();
            redemption.since = Some(1_899_000_000);
            contact.relay = true;
            contact.relay_only = true;
            contact.one_click = Some(false);
        }
        assert_eq!(State::from_bytes(&state.to_bytes()), Ok(state));
    }
}
