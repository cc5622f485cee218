//! Where a key is made, and that none is made beside what is left of an identity.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::fs;
use std::path::Path;

use twocan_api::types::KeyStore;

use super::testing::{MemoryRing, bare, stores};
use super::*;
use crate::store::state::{Loaded, Opened, StateFile};

struct Home {
    folder: tempfile::TempDir,
    paths: Paths,
    ring: Arc<MemoryRing>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path()).unwrap();
        paths.prepare().unwrap();
        Self {
            folder,
            paths,
            ring: Arc::default(),
        }
    }

    fn open(&self, wanted: SecretStore) -> Result<Opened, StoreError> {
        StateFile::open(&self.paths, &stores(&self.ring, None, Some("correct horse")), wanted)
    }

    /// A first start that stores something; gives where the key went.
    fn begin(&self, wanted: SecretStore) -> KeyStore {
        let opened = self.open(wanted).unwrap();
        opened.file.save(1, b"ann".to_vec()).unwrap();
        opened.key.store
    }

    fn is_kept(&self, wanted: SecretStore) -> bool {
        let loaded = self.open(wanted).unwrap().loaded;
        matches!(loaded, Loaded::Found { state, generation: 1 } if state.as_slice() == b"ann")
    }

    fn credential(&self, name: &str, text: &str) -> std::path::PathBuf {
        let folder = self.folder.path().join("credentials");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        folder
    }
}

fn codes(warnings: &[Why]) -> Vec<&str> {
    warnings.iter().map(|why| why.code.as_str()).collect()
}

#[test]
fn a_new_home_takes_what_is_asked_for_and_finds_it_again() {
    for (wanted, store) in [
        (SecretStore::Auto, KeyStore::Keyring),
        (SecretStore::Keyring, KeyStore::Keyring),
        (SecretStore::Passphrase, KeyStore::Passphrase),
        (SecretStore::File, KeyStore::File),
    ] {
        let home = Home::new();
        assert_eq!(home.begin(wanted), store, "{wanted:?}");
        assert!(home.is_kept(wanted), "{wanted:?}");
        assert_eq!(home.ring.count(), usize::from(store == KeyStore::Keyring));
        assert_eq!(place(&home.paths).unwrap().unwrap().store, store);
        assert!(!home.paths.spare_key().exists(), "{wanted:?}");
    }
}

#[test]
fn without_a_ready_keyring_auto_takes_the_credential_and_then_the_file() {
    for not_ready in [NotReady::Absent, NotReady::Locked, NotReady::Unset, NotReady::Silent] {
        let home = Home::new();
        home.ring.set(Some(not_ready));
        assert_eq!(home.begin(SecretStore::Auto), KeyStore::File, "{not_ready:?}");
        // A keyring that comes later changes nothing by itself.
        home.ring.set(None);
        assert!(home.is_kept(SecretStore::Auto));
        assert_eq!(home.ring.count(), 0);
    }
    let home = Home::new();
    home.ring.set(Some(NotReady::Absent));
    let folder = home.credential("twocan.key", &format!("{}\n", "a5".repeat(32)));
    let given = stores(&home.ring, Some(&folder), None);
    let opened = StateFile::open(&home.paths, &given, SecretStore::Auto).unwrap();
    opened.file.save(1, b"ann".to_vec()).unwrap();
    assert_eq!(opened.key.store, KeyStore::Credential);
    assert!(opened.warnings.is_empty());
    StateFile::open(&home.paths, &given, SecretStore::Auto).unwrap();
    let refused = StateFile::open(&home.paths, &bare(), SecretStore::Auto).unwrap_err();
    assert!(matches!(refused, StoreError::CredentialMissing), "{refused}");
    home.credential("twocan.key", &"b6".repeat(32));
    let refused = StateFile::open(&home.paths, &given, SecretStore::Auto).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    home.credential("twocan.key", "no key");
    let refused = StateFile::open(&home.paths, &given, SecretStore::Auto).unwrap_err();
    assert!(matches!(refused, StoreError::CredentialUnusable { .. }), "{refused}");
}

#[test]
fn an_explicit_keyring_is_waited_for() {
    let home = Home::new();
    home.ring.set(Some(NotReady::Locked));
    let refused = home.open(SecretStore::Keyring).unwrap_err();
    assert!(matches!(refused, StoreError::KeyringNotReady { why: NotReady::Locked }));
    assert!(!home.paths.new_key().exists() && !home.paths.key().exists());
    home.ring.set(None);
    assert_eq!(home.begin(SecretStore::Keyring), KeyStore::Keyring);
    assert_eq!(home.ring.count(), 1);
}

/// Whatever a keyring says, an identity whose key it has is opened with that key or not at all.
#[test]
fn no_answer_of_a_keyring_makes_a_new_identity() {
    for wanted in [SecretStore::Auto, SecretStore::Keyring, SecretStore::File] {
        let home = Home::new();
        home.begin(SecretStore::Keyring);
        let before = fs::read(home.paths.state()).unwrap();
        for why in [NotReady::Absent, NotReady::Locked, NotReady::Unset, NotReady::Silent] {
            home.ring.set(Some(why));
            let refused = home.open(wanted).unwrap_err();
            assert!(
                matches!(refused, StoreError::KeyringNotReady { why: said } if said == why),
                "{refused}"
            );
        }
        home.ring.set(None);
        assert!(home.is_kept(wanted));
        home.ring.empty();
        let refused = home.open(wanted).unwrap_err();
        assert!(matches!(refused, StoreError::KeyringEmpty { .. }), "{refused}");
        assert_eq!(fs::read(home.paths.state()).unwrap(), before);
        assert_eq!(home.ring.count(), 0);
    }
}

#[test]
fn another_passphrase_opens_nothing() {
    let home = Home::new();
    home.begin(SecretStore::Passphrase);
    let with = |passphrase| StateFile::open(&home.paths, &stores(&home.ring, None, passphrase), SecretStore::Auto);
    assert!(matches!(
        with(Some("correct horsf")).unwrap_err(),
        StoreError::PassphraseWrong
    ));
    assert!(matches!(with(None).unwrap_err(), StoreError::PassphraseMissing { .. }));
    with(Some("correct horse")).unwrap();
    let folder = home.credential("twocan.passphrase", "correct horse\n");
    let given = stores(&home.ring, Some(&folder), None);
    StateFile::open(&home.paths, &given, SecretStore::Auto).unwrap();
}

#[test]
fn a_passphrase_that_is_too_short_makes_no_key() {
    let home = Home::new();
    let short = stores(&home.ring, None, Some("horse"));
    let refused = StateFile::open(&home.paths, &short, SecretStore::Passphrase).unwrap_err();
    assert!(matches!(refused, StoreError::PassphraseUnusable), "{refused}");
    assert!(!home.paths.new_key().exists());
}

#[test]
fn warnings_say_where_the_key_is_and_where_it_should_be() {
    let home = Home::new();
    home.begin(SecretStore::File);
    let warned = |wanted| codes(&home.open(wanted).unwrap().warnings).join(" ");
    assert_eq!(warned(SecretStore::File), "key_in_file");
    assert_eq!(warned(SecretStore::Auto), "key_in_file");
    assert_eq!(warned(SecretStore::Keyring), "key_in_file key_elsewhere");
    home.open(SecretStore::Auto)
        .unwrap()
        .file
        .move_key(&Target::Keyring)
        .unwrap();
    assert_eq!(warned(SecretStore::Auto), "");
    assert_eq!(warned(SecretStore::File), "key_elsewhere");
}

/// A key that was put into the keyring for a first start that broke off opens that start's home, or is taken away.
#[test]
fn a_first_start_that_broke_off_leaves_nothing_in_the_keyring() {
    let home = Home::new();
    drop(home.open(SecretStore::Keyring).unwrap());
    assert_eq!(home.ring.count(), 1);
    drop(home.open(SecretStore::Keyring).unwrap());
    assert_eq!(home.ring.count(), 1);
    fs::remove_file(home.paths.new_key()).unwrap();
    let id = home.ring.clone();
    // The list of spares goes with the first success, so this one is what a crash before the record leaves.
    let Record::Keyring(spare) = put(&home.paths, &stores(&id, None, None), &Key::random().unwrap()).unwrap() else {
        panic!("no key in the keyring")
    };
    assert_eq!(home.ring.count(), 2);
    home.begin(SecretStore::File);
    assert_eq!(home.ring.get(&spare), Ok(None));
    assert!(!home.paths.spare_key().exists());
}

#[test]
fn erasing_takes_the_key_out_of_the_keyring_at_once_or_at_the_next_start() {
    let home = Home::new();
    home.begin(SecretStore::Keyring);
    home.open(SecretStore::Auto).unwrap().file.erase().unwrap();
    assert_eq!(home.ring.count(), 0);
    home.begin(SecretStore::Keyring);
    let opened = home.open(SecretStore::Auto).unwrap();
    home.ring.set(Some(NotReady::Locked));
    opened.file.erase().unwrap();
    assert!(!home.paths.state().exists() && !home.paths.key().exists());
    home.ring.set(None);
    assert_eq!(home.ring.count(), 1);
    home.begin(SecretStore::File);
    assert_eq!(home.ring.count(), 0);
}

#[test]
fn without_a_home_there_is_no_place() {
    assert_eq!(place(&Paths::at(Path::new("/nonexistent")).unwrap()).unwrap(), None);
}
