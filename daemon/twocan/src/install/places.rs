//! Where things go: below one user's home, or for the whole machine below a prefix.

use std::env;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;

use super::Wanted;

/// The folders, as they will be called when the machine runs; [`Places::on_disk`] says where that is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Everything lies below this.
    root: PathBuf,
    whose: Whose,
    programs: PathBuf,
    data: PathBuf,
    /// The program that is running, which is to be installed.
    own: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    User { config: PathBuf, shared: Option<PathBuf> },
    Machine { prefix: PathBuf },
}

impl Places {
    /// The places that are wanted.
    pub(super) fn find(wanted: &Wanted) -> Result<Self, Failure> {
        let own = env::current_exe().map_err(|error| {
            let text = format!("The system does not say where this program lies: {error}.");
            Failure::new(Exit::Failed, text, "Start it by its whole path.")
        })?;
        let places = if wanted.system {
            Self::of_machine(own, wanted)
        } else {
            Self::of_user(own)?
        };
        places.check()
    }

    fn of_machine(own: PathBuf, wanted: &Wanted) -> Self {
        let prefix = wanted.prefix.clone();
        Self {
            root: wanted.root.clone().unwrap_or_else(|| PathBuf::from("/")),
            programs: prefix.join("bin"),
            data: prefix.join("share"),
            whose: Whose::Machine { prefix },
            own,
        }
    }

    fn of_user(own: PathBuf) -> Result<Self, Failure> {
        let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = set("HOME").ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                "This user has no home folder.",
                "Set HOME, or install with --system.",
            )
        })?;
        let lasting = own.parent().filter(|folder| is_searched(folder)).map(Path::to_path_buf);
        let shared = lasting.as_deref().and_then(Path::parent);
        let shared = shared
            .filter(|prefix| unit_of_user(prefix).is_file())
            .map(Path::to_path_buf);
        Ok(Self {
            root: PathBuf::from("/"),
            programs: lasting.unwrap_or_else(|| home.join(".local/bin")),
            data: set("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
            whose: Whose::User {
                config: set("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
                shared,
            },
            own,
        })
    }

    /// Units and menu entries name programs in a form that knows no blanks and signs of its own.
    fn check(self) -> Result<Self, Failure> {
        let plain = |letter: char| letter.is_alphanumeric() || "/._+-".contains(letter);
        let folder = self.programs.display().to_string();
        if folder.chars().all(plain) {
            return Ok(self);
        }
        let text = format!("The system cannot be told to start programs in the folder {folder}.");
        Err(Failure::new(
            Exit::Failed,
            text,
            "Put Twocan into a folder whose name has letters, digits and . _ + - alone.",
        ))
    }

    /// Whether one user alone is installed for.
    pub(super) const fn is_one_users(&self) -> bool {
        matches!(self.whose, Whose::User { .. })
    }

    /// What everything is below, for people.
    pub(super) fn shown(&self) -> String {
        match &self.whose {
            Whose::User { .. } => env::var("HOME").unwrap_or_default(),
            Whose::Machine { prefix } => self.on_disk(prefix).display().to_string(),
        }
    }

    /// Where a file lies now.
    pub(super) fn on_disk(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The folder of the programs.
    pub(super) fn programs(&self) -> &Path {
        &self.programs
    }

    /// The command, once installed.
    pub(super) fn program(&self) -> PathBuf {
        self.programs.join("twocan")
    }

    /// A program that lies beside the one that runs.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.own.with_file_name(name)
    }

    /// The folder of what is no program.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The prefix under which a package, or `--system`, brought everything but what is one user's own.
    pub(super) fn shared(&self) -> Option<&Path> {
        match &self.whose {
            Whose::User { shared, .. } => shared.as_deref(),
            Whose::Machine { .. } => None,
        }
    }

    /// The user unit.
    pub(super) fn user_unit(&self) -> PathBuf {
        match &self.whose {
            Whose::User { config, shared } => shared
                .as_deref()
                .map_or_else(|| config.join("systemd/user/twocan.service"), unit_of_user),
            Whose::Machine { prefix } => unit_of_user(prefix),
        }
    }

    /// The unit of the machine's own daemon.
    pub(super) fn system_unit(&self) -> Option<PathBuf> {
        match &self.whose {
            Whose::User { .. } => None,
            Whose::Machine { prefix } => Some(prefix.join("lib/systemd/system/twocan.service")),
        }
    }

    /// What has the user's manager start the daemon at login.
    pub(super) fn unit_link(&self) -> PathBuf {
        match &self.whose {
            Whose::User { config, .. } => config.join("systemd/user/default.target.wants/twocan.service"),
            Whose::Machine { .. } => PathBuf::from("/etc/systemd/user/default.target.wants/twocan.service"),
        }
    }

    /// What has the desktop start the tray.
    pub(super) fn autostart(&self) -> PathBuf {
        let folder = match &self.whose {
            Whose::User { config, .. } => config.join("autostart"),
            Whose::Machine { .. } => PathBuf::from("/etc/xdg/autostart"),
        };
        folder.join("twocan-tray.desktop")
    }

    /// Where zsh looks. Debian has a folder of its own for packages.
    pub(super) fn zsh(&self) -> PathBuf {
        let is_packaged = self.data == Path::new("/usr/share");
        let folder = if is_packaged {
            "zsh/vendor-completions"
        } else {
            "zsh/site-functions"
        };
        self.data.join(folder).join("_twocan")
    }

    /// The record of what was made.
    pub(super) fn record(&self) -> PathBuf {
        self.data.join("twocan/installed")
    }
}

fn unit_of_user(prefix: &Path) -> PathBuf {
    prefix.join("lib/systemd/user/twocan.service")
}

/// Whether a shell finds programs in this folder.
fn is_searched(folder: &Path) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|searched| searched == folder))
}
