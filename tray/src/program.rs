//! Programs: others, as a shell finds them, and this one's own file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

pub(crate) use twocan_api::client::browser::find;

/// The command `twocan`: what `TWOCAN_BIN` names, else what lies beside this program, else what a shell would find.
pub(crate) fn twocan() -> Option<PathBuf> {
    let named = std::env::var_os("TWOCAN_BIN").filter(|value| !value.is_empty());
    if let Some(named) = named {
        return Some(PathBuf::from(named));
    }
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name("twocan"));
    beside.filter(|program| program.is_file()).or_else(|| find("twocan"))
}

/// The file that this process was started from. An upgrade puts another one under its name.
#[derive(Debug)]
pub(crate) struct Own {
    path: PathBuf,
    id: (u64, u64),
}

impl Own {
    /// As it is now, while nothing has replaced it; `None` where the system does not say.
    pub(crate) fn note() -> Option<Self> {
        Self::at(std::env::current_exe().ok()?)
    }

    fn at(path: PathBuf) -> Option<Self> {
        let id = id(&path.metadata().ok()?);
        Some(Self { path, id })
    }

    /// Where the file lies that has taken this one's place, once it can be run.
    pub(crate) fn successor(&self) -> Option<PathBuf> {
        let there = self.path.metadata().ok()?;
        let is_other = id(&there) != self.id && there.is_file() && there.mode() & 0o111 != 0;
        is_other.then(|| self.path.clone())
    }
}

fn id(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_successor_is_another_file_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("twocan-tray");
        let place = |mode| {
            let fresh = path.with_extension("new");
            fs::write(&fresh, "").unwrap();
            fs::set_permissions(&fresh, fs::Permissions::from_mode(mode)).unwrap();
            fs::rename(fresh, &path).unwrap();
        };
        place(0o755);
        let own = Own::at(path.clone()).unwrap();
        // A program that runs is held open, and its number given to no other file.
        let _runs = fs::File::open(&path).unwrap();
        assert_eq!(own.successor(), None);
        place(0o644);
        assert_eq!(own.successor(), None, "it cannot be run");
        place(0o755);
        assert_eq!(own.successor(), Some(path.clone()));
        fs::remove_file(&path).unwrap();
        assert_eq!(own.successor(), None, "a program that was removed has no successor");
    }
}
