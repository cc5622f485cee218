//! Moves from everywhere to everywhere, and every way in which one can break off.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::sync::Arc;

use super::super::super::config::SecretStore;
use super::super::super::paths::Paths;
use super::super::testing::{MemoryRing, stores};
use super::super::{StoreError, Stores, find};
use super::*;

const PASSPHRASE: &str = "correct horse";

struct Home {
    _folder: tempfile::TempDir,
    paths: Paths,
    ring: Arc<MemoryRing>,
    stores: Arc<Stores>,
}

impl Home {
    /// A home whose key is in this store, and the key.
    fn with(store: SecretStore) -> (Self, Holder) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path()).unwrap();
        paths.prepare().unwrap();
        let ring = Arc::<MemoryRing>::default();
        let stores = stores(&ring, None, Some(PASSPHRASE));
        let home = Self {
            _folder: folder,
            paths,
            ring,
            stores,
        };
        let holder = find(&home.paths, &home.stores, store, false).unwrap().holder;
        holder.name().unwrap();
        (home, holder)
    }

    fn reopened(&self) -> Holder {
        find(&self.paths, &self.stores, SecretStore::Auto, true).unwrap().holder
    }
}

fn targets() -> [Target; 3] {
    [
        Target::Keyring,
        Target::Passphrase(Zeroizing::new(PASSPHRASE.to_owned())),
        Target::File,
    ]
}

const STORES: [SecretStore; 3] = [SecretStore::Keyring, SecretStore::Passphrase, SecretStore::File];

#[test]
fn the_key_goes_everywhere_and_stays_the_same() {
    for from in STORES {
        for to in targets() {
            let (home, mut holder) = Home::with(from);
            let place = holder.move_to(&to).unwrap();
            assert_eq!(place.store, to.store());
            let reopened = home.reopened();
            assert_eq!(reopened.key(), holder.key(), "{from:?} to {to:?}");
            assert_eq!(reopened.place().store, to.store());
            assert_eq!(home.ring.count(), usize::from(to.store() == KeyStore::Keyring));
            assert!(!home.paths.spare_key().exists() && !home.paths.moving_key().exists());
            let plain = fs::read_to_string(home.paths.key()).unwrap();
            let is_plain = plain.contains(holder.key().to_hex().as_str());
            assert_eq!(is_plain, to.store() == KeyStore::File);
        }
    }
}

/// After each step, and before the first: the home opens with the same key, and what is left over goes.
#[test]
fn a_move_that_breaks_off_anywhere_leaves_a_home_that_opens() {
    for from in STORES {
        for to in targets() {
            for done in 0..=STEPS.len() {
                let (home, mut holder) = Home::with(from);
                let key = holder.key().clone();
                // The steps are cut off, and the process with them: what it would have tidied stays.
                let moving = Moving {
                    new: holder.prepare(&to).unwrap(),
                    holder: &holder,
                };
                STEPS.iter().take(done).for_each(|step| step(&moving).unwrap());
                drop(moving);
                let reopened = home.reopened();
                let about = format!("{from:?} to {to:?}, {done} steps");
                assert_eq!(reopened.key(), &key, "{about}");
                let at = reopened.place().store;
                let was = super::super::words::named(from).unwrap();
                assert_eq!(at, if done > 3 { to.store() } else { was }, "{about}");
                assert_eq!(home.ring.count(), usize::from(at == KeyStore::Keyring), "{about}");
                assert!(!home.paths.spare_key().exists(), "{about}");
                // And a move is still possible.
                holder = reopened;
                holder.move_to(&to).unwrap();
                assert_eq!(home.reopened().place().store, to.store(), "{about}");
            }
        }
    }
}

/// A crash while the keyring is being written, before anything of the home has changed.
#[test]
fn a_key_that_was_put_in_vain_is_taken_away() {
    let (home, holder) = Home::with(SecretStore::File);
    drop(holder.prepare(&Target::Keyring).unwrap());
    assert_eq!(home.ring.count(), 1);
    assert!(home.paths.spare_key().exists());
    let reopened = home.reopened();
    assert_eq!((reopened.key(), home.ring.count()), (holder.key(), 0));
}

/// What a locked keyring does not let go stays noted until it does.
#[test]
fn the_old_key_is_taken_away_once_the_keyring_lets_it_go() {
    let (home, mut holder) = Home::with(SecretStore::Keyring);
    home.ring.set(Some(NotReady::Locked));
    assert_eq!(holder.move_to(&Target::File).unwrap().store, KeyStore::File);
    home.ring.set(None);
    assert_eq!(home.ring.count(), 1);
    home.reopened();
    assert_eq!(home.ring.count(), 0);
}

#[test]
fn where_the_key_is_already_nothing_happens() {
    for from in [SecretStore::Keyring, SecretStore::File] {
        let (home, mut holder) = Home::with(from);
        let before = fs::read(home.paths.key()).unwrap();
        let to = if from == SecretStore::File {
            Target::File
        } else {
            Target::Keyring
        };
        holder.move_to(&to).unwrap();
        assert_eq!(fs::read(home.paths.key()).unwrap(), before);
    }
}

#[test]
fn a_new_passphrase_replaces_the_old_one() {
    let (home, mut holder) = Home::with(SecretStore::Passphrase);
    let new = Zeroizing::new("battery staple".to_owned());
    holder.move_to(&Target::Passphrase(new)).unwrap();
    let with = |passphrase| {
        let stores = stores(&home.ring, None, Some(passphrase));
        find(&home.paths, &stores, SecretStore::Auto, true)
    };
    assert!(matches!(with(PASSPHRASE).unwrap_err(), StoreError::PassphraseWrong));
    assert_eq!(with("battery staple").unwrap().holder.key(), holder.key());
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let (home, mut holder) = Home::with(SecretStore::File);
    let before = fs::read(home.paths.key()).unwrap();
    for why in [NotReady::Absent, NotReady::Locked, NotReady::Unset, NotReady::Silent] {
        home.ring.set(Some(why));
        let refused = holder.move_to(&Target::Keyring).unwrap_err();
        assert!(matches!(refused, CannotMove::Keyring(said) if said == why), "{refused}");
    }
    home.ring.set(None);
    let short = Target::Passphrase(Zeroizing::new("horse".to_owned()));
    assert!(matches!(holder.move_to(&short).unwrap_err(), CannotMove::Passphrase));
    // A folder in its place cannot be written as a file.
    fs::create_dir(home.paths.moving_key()).unwrap();
    for to in [
        Target::Keyring,
        Target::Passphrase(Zeroizing::new(PASSPHRASE.to_owned())),
    ] {
        assert!(matches!(holder.move_to(&to).unwrap_err(), CannotMove::Io(_)));
    }
    assert_eq!(fs::read(home.paths.key()).unwrap(), before);
    assert_eq!(home.reopened().key(), holder.key());
    assert_eq!(home.ring.count(), 0);
}
