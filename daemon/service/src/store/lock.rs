//! One daemon a home: an advisory lock that the kernel drops with the process, however it ends.
//!
//! The file stays when the daemon exits. Removing it would let a third process lock a new file of the same name while
//! a second one still holds the old one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::paths::{Paths, WRITABLE};

/// Why the home cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon has it.
    #[error(
        "Twocan is already running, pid {pid}, for this home; see it with `twocan status` and `twocan open`, or stop it first"
    )]
    Running {
        /// Its process id; "unknown" in the instant in which it has the lock and has not yet written its id.
        pid: String,
    },
    /// The lock file cannot be opened or written.
    #[error("the file {path} cannot be written ({cause}); {WRITABLE}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Holds the home until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the home, whose folders exist.
    ///
    /// # Errors
    /// Another daemon has it, or the file cannot be used.
    pub fn take(paths: &Paths) -> Result<Self, LockError> {
        let unusable = |cause| LockError::Io {
            path: paths.lock(),
            cause,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(paths.lock())
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Running {
                    pid: holder(&mut file).map_err(unusable)?,
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        sign(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

/// Says in the file who has it.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text)?;
    let pid = text.trim();
    Ok(if pid.is_empty() { "unknown".into() } else { pid.into() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn the_second_is_told_who_is_first() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let first = Lock::take(&paths).unwrap();
        let refused = Lock::take(&paths).unwrap_err();
        let said = format!("already running, pid {}, ", std::process::id());
        assert!(refused.to_string().contains(&said), "{refused}");
        drop(first);
        Lock::take(&paths).unwrap();
    }

    #[test]
    fn of_many_at_once_one_has_it() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let start = std::sync::Barrier::new(8);
        let attempts: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        Lock::take(&paths)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1);
    }
}
