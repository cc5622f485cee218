//! Where the daemon's socket lies.
//!
//! With `TWOCAN_HOME` there is one place and no other is tried: a command meant for one home must never reach the
//! daemon of another. Without it the runtime folder comes first and the state folder second.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The socket of the user's daemon: `$TWOCAN_HOME/run/api.sock`, else `$XDG_RUNTIME_DIR/twocan/api.sock`, else
/// `<state>/run/api.sock`. Without `TWOCAN_HOME` the first that exists; where none does, the first that could.
pub fn find_socket() -> PathBuf {
    let state = directories::ProjectDirs::from("", "", "twocan")
        .map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_path_buf());
    choose(set("TWOCAN_HOME"), set("XDG_RUNTIME_DIR"), state, &is_there)
}

/// Whether the home is another than the usual one.
pub(super) fn is_elsewhere() -> bool {
    set("TWOCAN_HOME").is_some()
}

/// Whether a daemon listens there, or is about to: one that waits leaves word beside its socket.
fn is_there(socket: &Path) -> bool {
    socket.exists() || socket.with_file_name(crate::WAITING_FILE).exists()
}

/// An environment variable that is set to something.
fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn choose(
    home: Option<OsString>,
    runtime: Option<OsString>,
    state: Option<PathBuf>,
    exists: &dyn Fn(&Path) -> bool,
) -> PathBuf {
    if let Some(home) = home {
        return PathBuf::from(home).join("run").join("api.sock");
    }
    let runtime = runtime.map(|dir| PathBuf::from(dir).join("twocan").join("api.sock"));
    let state = state.map(|dir| dir.join("run").join("api.sock"));
    let places: Vec<PathBuf> = runtime.into_iter().chain(state).collect();
    let found = places.iter().find(|place| exists(place)).or(places.first());
    found.cloned().unwrap_or_else(|| PathBuf::from("api.sock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(home: Option<&str>, runtime: Option<&str>, present: &str) -> PathBuf {
        let present = PathBuf::from(present);
        choose(
            home.map(Into::into),
            runtime.map(Into::into),
            Some("/state".into()),
            &|place| place == present,
        )
    }

    #[test]
    fn a_home_hides_every_other_place() {
        let picked = pick(Some("/home"), Some("/runtime"), "/runtime/twocan/api.sock");
        assert_eq!(picked, Path::new("/home/run/api.sock"));
    }

    #[test]
    fn the_runtime_folder_comes_before_the_state_folder() {
        assert_eq!(
            pick(None, Some("/runtime"), "/none"),
            Path::new("/runtime/twocan/api.sock")
        );
        assert_eq!(
            pick(None, Some("/runtime"), "/runtime/twocan/api.sock"),
            Path::new("/runtime/twocan/api.sock")
        );
    }

    #[test]
    fn the_state_folder_serves_where_the_runtime_folder_has_no_socket() {
        assert_eq!(
            pick(None, Some("/runtime"), "/state/run/api.sock"),
            Path::new("/state/run/api.sock")
        );
        assert_eq!(pick(None, None, "/none"), Path::new("/state/run/api.sock"));
    }
}
