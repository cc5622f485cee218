//! The program's own file, and whether another one has taken its place, as an upgrade does.
//!
//! Package managers and `twocan install` put a new file under the old name, so the one that runs keeps its own. What lies
//! there counts once it can be run and has not changed for a moment: a copy may still be under way.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

/// Between two looks: looking is one system call, and nobody is in a hurry.
const LOOK: Duration = Duration::from_secs(5);
/// How long a new file has to have been the same.
const SETTLED: Duration = Duration::from_secs(2);

/// The file that this process was started from.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    own: Facts,
    look_at: Duration,
    /// Another file, and since when it has been as it is.
    other: Option<(Facts, Duration)>,
}

/// What tells one file from another, and from itself before it was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Program {
    /// This process's file; `None` where the system does not say.
    pub(super) fn of_this_process() -> Option<Self> {
        Self::at(std::env::current_exe().ok()?)
    }

    fn at(path: PathBuf) -> Option<Self> {
        let own = Facts::of(&fs::metadata(&path).ok()?);
        Some(Self {
            path,
            own,
            look_at: Duration::ZERO,
            other: None,
        })
    }

    /// Where the file lies, or its successor.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Whether another program has taken the place. Looks only now and then; to be called in each turn of the loop.
    pub(super) fn is_replaced(&mut self, now: Duration) -> bool {
        if now >= self.look_at {
            self.look(now);
        }
        self.other.is_some_and(|(_, since)| now >= since + SETTLED)
    }

    /// When the loop has to turn for this: while a new file settles.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.other.map(|_| self.look_at)
    }

    fn look(&mut self, now: Duration) {
        let there = fs::metadata(&self.path).ok();
        let runs = |file: &Metadata| file.is_file() && file.mode() & 0o111 != 0;
        let found = there.filter(runs).map(|file| Facts::of(&file));
        self.other = found.filter(|found| *found != self.own).map(|found| match self.other {
            Some((seen, since)) if seen == found => (seen, since),
            Some(_) | None => (found, now),
        });
        let is_settling = self.other.is_some_and(|(_, since)| now < since + SETTLED);
        self.look_at = now + if is_settling { SETTLED } else { LOOK };
    }
}

impl Facts {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn place(path: &Path, content: &str, mode: u32) {
        let fresh = path.with_extension("new");
        fs::write(&fresh, content).unwrap();
        fs::set_permissions(&fresh, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(fresh, path).unwrap();
    }

    #[test]
    fn a_successor_counts_once_it_is_whole() {
        let second = Duration::from_secs(1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("twocan");
        place(&path, "old", 0o755);
        let mut program = Program::at(path.clone()).unwrap();
        assert!(!program.is_replaced(10 * second));
        assert_eq!(program.next_timeout(), None, "nothing is waited for");

        place(&path, "new, half", 0o755);
        assert!(!program.is_replaced(12 * second), "it looks only now and then");
        assert!(!program.is_replaced(15 * second));
        assert_eq!(program.next_timeout(), Some(17 * second));
        place(&path, "new, whole", 0o755);
        assert!(!program.is_replaced(17 * second), "it has just changed");
        assert!(program.is_replaced(19 * second));
        assert!(program.is_replaced(30 * second));

        fs::remove_file(&path).unwrap();
        assert!(
            !program.is_replaced(40 * second),
            "a program that was removed has no successor"
        );
        place(&path, "a text", 0o644);
        assert!(!program.is_replaced(50 * second));
        assert!(!program.is_replaced(60 * second), "nor is what cannot be run");
    }
}
