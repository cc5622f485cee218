//! The tray's own settings, `tray.toml`, and what it reads of the daemon's: which browser opens the page.
//!
//! A file that cannot be read is told and left as it is; the usual settings serve meanwhile.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use twocan_api::client::browser::Browser;

/// `tray.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// How loud it rings, 0 to 100.
    pub(crate) volume: u8,
    /// Whether it does not ring at all.
    pub(crate) mute: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            volume: 60,
            mute: false,
        }
    }
}

/// The steps of the ring that the menu offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loudness {
    /// As loud as it gets.
    Loud,
    /// In between.
    Medium,
    /// For a quiet room.
    Soft,
    /// Not at all.
    Silent,
}

impl Loudness {
    /// All steps, loudest first.
    pub(crate) const ALL: [Self; 4] = [Self::Loud, Self::Medium, Self::Soft, Self::Silent];

    /// In percent.
    pub(crate) const fn volume(self) -> u8 {
        match self {
            Self::Loud => 100,
            Self::Medium => 60,
            Self::Soft => 25,
            Self::Silent => 0,
        }
    }
}

impl Settings {
    /// The settings with another ring. Silence keeps the volume for the day when it is lifted by hand.
    pub(crate) const fn with(self, loudness: Loudness) -> Self {
        match loudness {
            Loudness::Silent => Self { mute: true, ..self },
            Loudness::Loud | Loudness::Medium | Loudness::Soft => Self {
                volume: loudness.volume(),
                mute: false,
            },
        }
    }

    /// How loud it rings, 0 to 100.
    pub(crate) fn loudness(&self) -> u8 {
        if self.mute { 0 } else { self.volume.min(100) }
    }

    /// Reads the file; without one, the usual settings.
    ///
    /// # Errors
    /// In words, when there is a file and it cannot be used.
    pub(crate) fn load(file: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text).map_err(|error| error.message().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes the file, all of it or nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn store(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        let text = format!("volume = {}\nmute = {}\n", self.volume, self.mute);
        std::io::Write::write_all(&mut new, text.as_bytes())?;
        new.persist(file)?;
        Ok(())
    }
}

/// The folder of the settings: `$TWOCAN_HOME`, else the user's folder for Twocan's configuration.
pub(crate) fn folder() -> PathBuf {
    let home = std::env::var_os("TWOCAN_HOME").filter(|value| !value.is_empty());
    let usual = || directories::ProjectDirs::from("", "", "twocan").map(|dirs| dirs.config_dir().to_path_buf());
    home.map(PathBuf::from).or_else(usual).unwrap_or_default()
}

/// What the daemon's configuration says of the page: `[calls]` there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opener {
    /// What opens it.
    pub(crate) browser: Browser,
    /// Whether a call has a window of its own.
    pub(crate) window: bool,
}

/// Reads it. The daemon checks that file; here anything odd means the usual.
pub(crate) fn opener(config: &Path) -> Opener {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        calls: Calls,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Calls {
        browser: Option<String>,
        window: Option<bool>,
    }
    let text = std::fs::read_to_string(config).unwrap_or_default();
    let Config { calls } = toml::from_str(&text).unwrap_or_default();
    Opener {
        browser: calls.browser.as_deref().map(Browser::from).unwrap_or_default(),
        window: calls.window.unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/tray.toml");
        assert_eq!(Settings::load(&file), Ok(Settings::default()));
        let silent = Settings::default().with(Loudness::Loud).with(Loudness::Silent);
        silent.store(&file).unwrap();
        assert_eq!(Settings::load(&file), Ok(silent.clone()));
        assert_eq!((silent.volume, silent.loudness()), (100, 0));
    }

    #[test]
    fn a_broken_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tray.toml");
        std::fs::write(&file, "volumes = 3").unwrap();
        assert!(Settings::load(&file).unwrap_err().contains("volumes"));
    }

    #[test]
    fn the_browser_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let read = || {
            let Opener { browser, window } = opener(&file);
            (browser, window)
        };
        assert_eq!(read(), (Browser::Default, true));
        std::fs::write(&file, "version = 1\n[calls]\nbrowser = \"none\"\n").unwrap();
        assert_eq!(read(), (Browser::None, true));
        std::fs::write(
            &file,
            "[calls]\nbrowser = \"firefox\"\nwindow = false\n[api]\npage = \"x\"",
        )
        .unwrap();
        assert_eq!(read(), (Browser::Program("firefox".into()), false));
    }
}
