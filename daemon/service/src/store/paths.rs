//! Where things lie.
//!
//! `TWOCAN_HOME` puts everything under one folder; otherwise the XDG folders are used. The lock lies beside the state
//! in both cases, never in the runtime folder: two sessions of one user may have different runtime folders and still
//! share the state.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use directories::ProjectDirs;

/// The variable that names the one folder.
pub const HOME_VARIABLE: &str = "TWOCAN_HOME";

/// What to do about a home that cannot be written.
pub const WRITABLE: &str =
    "make its folder writable for you and see that the disk has room, or let TWOCAN_HOME name a folder of your own";

/// The sticky bit, as `/tmp` has it: a folder shared by many users.
const STICKY: u32 = 0o1000;
/// Write permission of the group and of others.
const OTHERS_WRITE: u32 = 0o022;

/// The files of one home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config_folder: PathBuf,
    state_folder: PathBuf,
    run_folder: PathBuf,
    cache_folder: PathBuf,
}

impl Paths {
    /// The home that the environment names: `TWOCAN_HOME`, else the XDG folders.
    ///
    /// # Errors
    /// The user has no home folder, or the working folder of a relative `TWOCAN_HOME` is gone.
    pub fn resolve() -> Result<Self> {
        match std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
            Some(home) => Self::at(Path::new(&home)),
            None => Self::xdg(),
        }
    }

    /// Everything under one folder.
    ///
    /// # Errors
    /// `home` is relative and the working folder is gone.
    pub fn at(home: &Path) -> Result<Self> {
        let home = std::path::absolute(home).with_context(|| format!("{HOME_VARIABLE} cannot be made absolute"))?;
        Ok(Self {
            config_folder: home.clone(),
            state_folder: home.clone(),
            run_folder: home.join("run"),
            cache_folder: home.join("cache"),
        })
    }

    fn xdg() -> Result<Self> {
        let folders = ProjectDirs::from("", "", "twocan")
            .with_context(|| format!("this user has no home folder; set {HOME_VARIABLE}"))?;
        let state = folders
            .state_dir()
            .unwrap_or_else(|| folders.data_local_dir())
            .to_owned();
        let run = folders.runtime_dir().map_or_else(|| state.join("run"), Path::to_owned);
        Ok(Self {
            config_folder: folders.config_dir().to_owned(),
            state_folder: state,
            run_folder: run,
            cache_folder: folders.cache_dir().to_owned(),
        })
    }

    /// Creates the folders of state and run, 0700. The folder of the configuration is the user's to create.
    ///
    /// # Errors
    /// A folder cannot be made, belongs to somebody else, or is shared by many users.
    pub fn prepare(&self) -> Result<()> {
        for folder in [&self.state_folder, &self.lock_folder(), &self.run_folder] {
            make_private(folder)?;
        }
        Ok(())
    }

    /// `config.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.config_folder.join("config.toml")
    }

    /// `dht.nodes`: nodes of the DHT that answered the last time. Nothing is lost with it.
    #[must_use]
    pub fn dht_nodes(&self) -> PathBuf {
        self.cache_folder.join("dht.nodes")
    }

    /// `state.sealed`: the state as it was stored last.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.state_folder.join("state.sealed")
    }

    /// `state.sealed.1`: the generation before.
    #[must_use]
    pub fn previous_state(&self) -> PathBuf {
        self.state_folder.join("state.sealed.1")
    }

    /// `state.sealed.new`: a state that is being written.
    #[must_use]
    pub fn new_state(&self) -> PathBuf {
        self.state_folder.join("state.sealed.new")
    }

    /// `state.key`: the key of a state that exists, or where it is kept.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.state_folder.join("state.key")
    }

    /// `state.key.new`: the key of a state that is yet to be written for the first time.
    #[must_use]
    pub fn new_key(&self) -> PathBuf {
        self.state_folder.join("state.key.new")
    }

    /// `state.key.moving`: what `state.key` is about to say.
    #[must_use]
    pub fn moving_key(&self) -> PathBuf {
        self.state_folder.join("state.key.moving")
    }

    /// `state.key.spare`: ids of keys that may be left over in the keyring.
    #[must_use]
    pub fn spare_key(&self) -> PathBuf {
        self.state_folder.join("state.key.spare")
    }

    /// `run/waiting`: what a daemon waits for that does not listen yet.
    #[must_use]
    pub fn waiting(&self) -> PathBuf {
        self.run_folder.join(twocan_api::WAITING_FILE)
    }

    /// `run/api.sock`.
    #[must_use]
    pub fn api_socket(&self) -> PathBuf {
        self.run_folder.join("api.sock")
    }

    /// `run/api.token`.
    #[must_use]
    pub fn api_token(&self) -> PathBuf {
        self.run_folder.join("api.token")
    }

    /// `run/lock`: holds the process id of the daemon.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.lock_folder().join("lock")
    }

    /// The folder of the state and its key.
    #[must_use]
    pub fn state_folder(&self) -> &Path {
        &self.state_folder
    }

    fn lock_folder(&self) -> PathBuf {
        self.state_folder.join("run")
    }
}

/// Creates a folder 0700 with its parents. One that exists loses write permission for others and must be the user's own.
fn make_private(folder: &Path) -> Result<()> {
    let shown = folder.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| anyhow!("the folder {shown} cannot be created ({error}); {WRITABLE}"))?;
    let facts = fs::metadata(folder).with_context(|| format!("the folder {shown} cannot be read"))?;
    if facts.uid() != nix::unistd::geteuid().as_raw() {
        bail!("the folder {shown} belongs to another user; choose a folder of your own");
    }
    if facts.mode() & STICKY != 0 {
        bail!("the folder {shown} is shared by many users; choose a folder of your own");
    }
    if facts.mode() & OTHERS_WRITE != 0 {
        let mode = facts.mode() & 0o7777 & !OTHERS_WRITE;
        fs::set_permissions(folder, fs::Permissions::from_mode(mode))
            .with_context(|| format!("others may write in {shown}, and that cannot be changed"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::print_stdout,
        reason = "tests stop at the first surprise"
    )]
    use super::*;

    #[test]
    fn one_folder_holds_everything() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        assert_eq!(paths.config(), home.path().join("config.toml"));
        assert_eq!(paths.state(), home.path().join("state.sealed"));
        assert_eq!(paths.previous_state(), home.path().join("state.sealed.1"));
        assert_eq!(paths.key(), home.path().join("state.key"));
        assert_eq!(paths.waiting(), home.path().join("run/waiting"));
        assert_eq!(paths.api_socket(), home.path().join("run/api.sock"));
        assert_eq!(paths.api_token(), home.path().join("run/api.token"));
        assert_eq!(paths.lock(), home.path().join("run/lock"));
    }

    #[test]
    fn new_folders_are_private() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(&home.path().join("deep/home")).unwrap();
        paths.prepare().unwrap();
        for folder in ["deep/home", "deep/home/run"] {
            assert_eq!(fs::metadata(home.path().join(folder)).unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn an_open_folder_is_closed_to_writers_and_a_shared_one_refused() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o775)).unwrap();
        Paths::at(home.path()).unwrap().prepare().unwrap();
        assert_eq!(fs::metadata(home.path()).unwrap().mode() & 0o777, 0o755);
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let refused = Paths::at(home.path()).unwrap().prepare().unwrap_err();
        assert!(refused.to_string().contains("shared by many users"));
    }

    const INNER: &str = "TWOCAN_TEST_PATHS";

    /// The environment of a process is read-only to its tests: each case runs in a process of its own.
    #[test]
    fn the_environment_says_where() {
        if std::env::var_os(INNER).is_some() {
            let paths = Paths::resolve().unwrap();
            let found = [paths.config(), paths.state(), paths.api_socket(), paths.lock()];
            println!("found {found:?}");
            return;
        }
        let xdg: &[(&str, &str)] = &[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/h/c"),
            ("XDG_STATE_HOME", "/h/s"),
            ("XDG_RUNTIME_DIR", "/r"),
        ];
        let without_run = xdg.split_last().unwrap().1;
        for (variables, wanted) in [
            (
                xdg,
                [
                    "/h/c/twocan/config.toml",
                    "/h/s/twocan/state.sealed",
                    "/r/twocan/api.sock",
                    "/h/s/twocan/run/lock",
                ],
            ),
            (
                without_run,
                [
                    "/h/c/twocan/config.toml",
                    "/h/s/twocan/state.sealed",
                    "/h/s/twocan/run/api.sock",
                    "/h/s/twocan/run/lock",
                ],
            ),
            (
                &[(HOME_VARIABLE, "/t")],
                ["/t/config.toml", "/t/state.sealed", "/t/run/api.sock", "/t/run/lock"],
            ),
        ] {
            let said = resolved_with(variables);
            assert!(
                said.contains(&format!("found {wanted:?}")),
                "{variables:?} gives {said}"
            );
        }
    }

    fn resolved_with(variables: &[(&str, &str)]) -> String {
        let done = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::paths::tests::the_environment_says_where",
                "--nocapture",
            ])
            .env_clear()
            .env(INNER, "1")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}
