//! Which `twocan` is under test.
//!
//! `TWOCAN_BIN` names one; else it is the one that cargo put beside this test's own executable. That one must have been
//! built from this checkout and be no older than its sources: a stale binary proves nothing.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

use crate::root;

/// The binary under test.
///
/// # Panics
/// If there is none, or it is older than its sources.
#[must_use]
pub fn twocan() -> &'static Path {
    static FOUND: LazyLock<PathBuf> = LazyLock::new(find);
    &FOUND
}

fn find() -> PathBuf {
    if let Some(named) = std::env::var_os("TWOCAN_BIN") {
        let path = PathBuf::from(named);
        assert!(path.is_file(), "TWOCAN_BIN names {}, which is no file", path.display());
        return path;
    }
    beside("twocan")
}

/// The tray under test: the one beside this test's own executable.
///
/// # Panics
/// If there is none, or it is older than its sources.
#[must_use]
pub fn tray() -> &'static Path {
    static FOUND: LazyLock<PathBuf> = LazyLock::new(|| beside("twocan-tray"));
    &FOUND
}

fn beside(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own
        .ancestors()
        .find(|folder| folder.ends_with("deps"))
        .and_then(Path::parent)
        .unwrap();
    let path = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{} is missing: run ./tests/run, or cargo build --profile sim",
        path.display()
    );
    check_fresh(&path);
    path
}

/// Cargo writes beside each binary which sources of ours it was made of, as a makefile rule.
fn check_fresh(binary: &Path) {
    let rule = std::fs::read_to_string(binary.with_extension("d")).unwrap();
    let (_, sources) = rule.split_once(": ").expect("a makefile rule");
    let (built, target) = (modified(binary), binary.parent().and_then(Path::parent).unwrap());
    for source in sources.trim().replace("\\ ", "\0").split(' ') {
        let source = PathBuf::from(source.replace('\0', " "));
        let made_here = source.starts_with(root()) || source.starts_with(target);
        let (binary_name, source_name) = (binary.display(), source.display());
        assert!(
            made_here,
            "{binary_name} was built from another checkout ({source_name}): build here, or set TWOCAN_BIN"
        );
        assert!(
            modified(&source) <= built,
            "{} is newer than {}: build again",
            source_name,
            binary_name
        );
    }
}

fn modified(path: &Path) -> SystemTime {
    path.metadata()
        .and_then(|data| data.modified())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
