#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use super::super::secrets::testing::bare;
use super::*;

struct Home {
    _folder: tempfile::TempDir,
    paths: Paths,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path()).unwrap();
        paths.prepare().unwrap();
        Self { _folder: folder, paths }
    }

    /// A home that has stored these states, oldest first, as generations 1, 2, …
    fn with(states: &[&[u8]]) -> Self {
        let home = Self::new();
        let file = home.open().file;
        for (generation, state) in (1..).zip(states) {
            file.save(generation, state.to_vec()).unwrap();
        }
        home
    }

    fn open(&self) -> Opened {
        StateFile::open(&self.paths, &bare(), SecretStore::Auto).unwrap()
    }

    fn refused(&self) -> StoreError {
        StateFile::open(&self.paths, &bare(), SecretStore::Auto).unwrap_err()
    }
}

/// State, generation, and whether it was recovered; `None` on a first start.
fn held(loaded: &Loaded) -> Option<(&[u8], u64, bool)> {
    match loaded {
        Loaded::Fresh => None,
        Loaded::Found { state, generation } => Some((state, *generation, false)),
        Loaded::Recovered { state, generation, .. } => Some((state, *generation, true)),
    }
}

fn codes(opened: &Opened) -> Vec<&str> {
    opened.warnings.iter().map(|why| why.code.as_str()).collect()
}

#[test]
fn what_is_saved_is_found() {
    let home = Home::new();
    let opened = home.open();
    assert_eq!(held(&opened.loaded), None);
    assert_eq!(codes(&opened), ["key_in_file"]);
    opened.file.save(1, b"one".to_vec()).unwrap();
    opened.file.save(2, b"two".to_vec()).unwrap();
    assert_eq!(held(&home.open().loaded), Some((b"two".as_slice(), 2, false)));
    for file in [home.paths.state(), home.paths.previous_state(), home.paths.key()] {
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "{}", file.display());
    }
    assert!(
        !fs::read(home.paths.state())
            .unwrap()
            .windows(3)
            .any(|part| part == b"two")
    );
}

#[test]
fn every_flipped_byte_and_every_truncation_gives_the_state_before() {
    let home = Home::with(&[b"one", b"two"]);
    let good = fs::read(home.paths.state()).unwrap();
    let previous = fs::read(home.paths.previous_state()).unwrap();
    let flipped = (0..good.len()).map(|index| {
        let mut bad = good.clone();
        bad[index] ^= 0x41;
        bad
    });
    let truncated = (0..good.len()).map(|length| good[..length].to_vec());
    for (count, bad) in (1..).zip(flipped.chain(truncated)) {
        fs::write(home.paths.state(), &bad).unwrap();
        fs::write(home.paths.previous_state(), &previous).unwrap();
        let opened = home.open();
        assert_eq!(held(&opened.loaded), Some((b"one".as_slice(), 1, true)));
        assert_eq!(codes(&opened), ["key_in_file", "state_damaged"]);
        let Loaded::Recovered {
            quarantined: Some(kept),
            ..
        } = opened.loaded
        else {
            panic!("not kept")
        };
        assert_eq!(
            kept,
            home.paths
                .state()
                .with_file_name(format!("state.sealed.damaged-{count}"))
        );
        assert_eq!(fs::read(kept).unwrap(), bad);
        assert_eq!(
            held(&home.open().loaded),
            Some((b"one".as_slice(), 1, false)),
            "told once, then in its place"
        );
    }
}

#[test]
fn a_damaged_older_copy_is_told_and_kept() {
    let home = Home::with(&[b"one", b"two"]);
    fs::write(home.paths.previous_state(), b"rubbish").unwrap();
    let opened = home.open();
    assert_eq!(held(&opened.loaded), Some((b"two".as_slice(), 2, false)));
    assert_eq!(codes(&opened), ["key_in_file", "state_damaged"]);
    assert!(home.paths.state().with_file_name("state.sealed.1.damaged-1").exists());
}

#[test]
fn when_nothing_opens_nothing_is_moved_and_no_identity_made() {
    for states in [[b"one".as_slice()].as_slice(), &[b"one", b"two"]] {
        let home = Home::with(states);
        fs::write(home.paths.state(), b"rubbish").unwrap();
        if home.paths.previous_state().exists() {
            fs::write(home.paths.previous_state(), b"").unwrap();
        }
        for _ in 0..2 {
            assert!(matches!(home.refused(), StoreError::Damaged { .. }));
        }
        assert_eq!(fs::read(home.paths.state()).unwrap(), b"rubbish");
    }
}

#[test]
fn a_missing_or_wrong_key_makes_no_identity() {
    let home = Home::with(&[b"one", b"two"]);
    let key = fs::read(home.paths.key()).unwrap();
    fs::remove_file(home.paths.key()).unwrap();
    assert!(matches!(home.refused(), StoreError::KeyMissing { .. }));
    fs::remove_file(home.paths.state()).unwrap();
    assert!(
        matches!(home.refused(), StoreError::KeyMissing { .. }),
        "the older copy counts"
    );
    fs::write(home.paths.key(), &key[..40]).unwrap();
    assert!(matches!(home.refused(), StoreError::KeyDamaged { .. }));
    fs::write(home.paths.key(), "ab".repeat(32)).unwrap();
    assert!(matches!(home.refused(), StoreError::Damaged { .. }));
    fs::write(home.paths.key(), key).unwrap();
    assert_eq!(held(&home.open().loaded), Some((b"one".as_slice(), 1, true)));
}

#[test]
fn a_key_without_its_state_makes_no_identity() {
    let home = Home::with(&[b"one"]);
    fs::remove_file(home.paths.state()).unwrap();
    assert!(matches!(home.refused(), StoreError::StateMissing { .. }));
    fs::remove_file(home.paths.key()).unwrap();
    assert_eq!(held(&home.open().loaded), None, "nothing is left: the user began anew");
}

#[test]
fn a_quarantined_state_counts_as_an_identity() {
    let home = Home::new();
    fs::write(home.paths.state().with_file_name("state.sealed.damaged-1"), b"x").unwrap();
    assert!(matches!(home.refused(), StoreError::KeyMissing { .. }));
}

#[test]
fn a_readable_key_is_closed_and_told() {
    let home = Home::with(&[b"one"]);
    fs::set_permissions(home.paths.key(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(codes(&home.open()), ["key_in_file", "key_was_open"]);
    assert_eq!(fs::metadata(home.paths.key()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(codes(&home.open()), ["key_in_file"]);
}

/// Stops a save after each of its steps, on a first and on a later save, and in the middle of the file.
#[test]
fn a_crash_anywhere_leaves_the_old_or_the_new_state() {
    for before in [[].as_slice(), &[b"one".as_slice()], &[b"zero", b"one"]] {
        for steps in 0..=STEPS.len() {
            let home = Home::with(before);
            let file = home.open().file;
            let sealed = file.seal(9, b"new".to_vec()).unwrap();
            STEPS.iter().take(steps).for_each(|step| step(&file, &sealed).unwrap());
            check_after_crash(&home, before, &format!("{} states before, {steps} steps", before.len()));
        }
        let length = Home::new().open().file.seal(9, b"new".to_vec()).unwrap().len();
        for cut in 0..length {
            let home = Home::with(before);
            let sealed = home.open().file.seal(9, b"new".to_vec()).unwrap();
            fs::write(home.paths.new_state(), &sealed[..cut]).unwrap();
            check_after_crash(&home, before, &format!("{} states before, cut at {cut}", before.len()));
        }
    }
}

fn check_after_crash(home: &Home, before: &[&[u8]], when: &str) {
    let opened = home.open();
    let old = before.last().map(|state| (*state, before.len() as u64, false));
    let new = Some((b"new".as_slice(), 9, false));
    let found = held(&opened.loaded);
    assert!(found == old || found == new, "{when}: {found:?}");
    assert_eq!(codes(&opened), ["key_in_file"], "{when}");
    opened.file.save(10, b"next".to_vec()).unwrap();
    assert_eq!(
        held(&home.open().loaded),
        Some((b"next".as_slice(), 10, false)),
        "{when}"
    );
}

/// A half-written key of a first start is made again.
#[test]
fn a_crash_while_the_key_is_written() {
    let home = Home::new();
    fs::write(home.paths.new_key(), "abcd").unwrap();
    let file = home.open().file;
    file.save(1, b"one".to_vec()).unwrap();
    assert_eq!(held(&home.open().loaded), Some((b"one".as_slice(), 1, false)));
    assert!(!home.paths.new_key().exists());
}

const INNER: &str = "TWOCAN_TEST_SMALL_DISK";

/// On a small file system of its own, in a mount namespace of its own.
#[test]
fn a_full_and_a_read_only_disk_lose_nothing() {
    if let Some(folder) = std::env::var_os(INNER) {
        return on_a_small_disk(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "store::state::tests::a_full_and_a_read_only_disk_lose_nothing";
    let user: &[&str] = if nix::unistd::geteuid().is_root() {
        &[]
    } else {
        &["--user", "--map-root-user"]
    };
    let done = Command::new("unshare")
        .args(user)
        .args([
            "--mount",
            "sh",
            "-ec",
            "mount -t tmpfs -o size=128k,mode=700 tmpfs \"$0\"; exec \"$@\"",
        ])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INNER, folder.path())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

fn on_a_small_disk(folder: &Path) {
    let paths = Paths::at(folder).unwrap();
    paths.prepare().unwrap();
    let file = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().file;
    file.save(1, vec![1; 30_000]).unwrap();
    file.save(2, vec![2; 30_000]).unwrap();
    let full = file.save(3, vec![3; 90_000]).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert!(!paths.new_state().exists());
    let opened = StateFile::open(&paths, &bare(), SecretStore::File).unwrap();
    assert_eq!(held(&opened.loaded), Some((vec![2; 30_000].as_slice(), 2, false)));
    file.save(4, vec![4; 30_000]).unwrap();
    assert!(
        Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(folder)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        file.save(5, vec![5; 10]).unwrap_err().kind(),
        io::ErrorKind::ReadOnlyFilesystem
    );
    assert_eq!(
        held(&StateFile::open(&paths, &bare(), SecretStore::File).unwrap().loaded),
        Some((vec![4; 30_000].as_slice(), 4, false))
    );
}

#[test]
fn a_key_is_never_kept_elsewhere_than_asked() {
    let home = Home::new();
    for store in [SecretStore::Keyring, SecretStore::Passphrase] {
        StateFile::open(&home.paths, &bare(), store).unwrap_err();
    }
    assert!(!home.paths.new_key().exists());
}

#[test]
fn everything_is_erased_and_the_next_start_is_the_first() {
    let home = Home::with(&[b"one", b"two"]);
    let damaged = home.paths.state().with_file_name("state.sealed.damaged-1");
    fs::write(&damaged, b"x").unwrap();
    home.open().file.erase().unwrap();
    let left: Vec<_> = fs::read_dir(home.paths.state_folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("state"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(held(&home.open().loaded), None);
}

/// Erasing removes one thing after another; whatever stands in its way, what is left loads.
#[test]
fn an_erasure_that_breaks_off_leaves_a_state_that_loads() {
    for blocked in ["state.sealed.new", "state.sealed.1", "state.sealed", "state.key.new"] {
        let home = Home::with(&[b"one", b"two"]);
        let opened = home.open();
        let path = home.paths.state().with_file_name(blocked);
        let was = fs::read(&path).ok();
        // A folder in its place cannot be removed as a file.
        drop(fs::remove_file(&path));
        fs::create_dir(&path).unwrap();
        opened.file.erase().unwrap_err();
        fs::remove_dir(&path).unwrap();
        if let Some(was) = was {
            fs::write(&path, was).unwrap();
        }
        assert_eq!(held(&home.open().loaded), Some((&b"two"[..], 2, false)), "{blocked}");
    }
}
