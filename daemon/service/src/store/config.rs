//! `config.toml` and its overriding environment.
//!
//! Every key is optional, and the whole documented table is read, whether or not a feature of this build uses it: the
//! file's format does not depend on the build. An unknown key is an error that names the nearest known one, because a
//! misspelt key that is silently ignored looks like a setting that does not work. A variable `TWOCAN_<TABLE>_<KEY>`
//! overrides the file; lists are separated by commas there.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use twocan_api::types::Why;

use super::config_keys::{KEYS, Key, Kind, LEAST_KBIT, TURN, nearest, sections};
use super::turn_url::TurnUrl;
use super::warning;

/// The only version of the file that there is.
pub(super) const VERSION: u64 = 1;

/// STUN servers of independent operators, none of them ours.
const STUN: [&str; 4] = [
    "stun.cloudflare.com:3478",
    "stun.l.google.com:19302",
    "stun.nextcloud.com:3478",
    "stun.sipgate.net:3478",
];

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Config {
    /// `[network]`
    pub network: Network,
    /// `[dht]`
    pub dht: Dht,
    /// `[relay]`
    pub relay: Relay,
    /// `[api]`
    pub api: Api,
    /// `[calls]`
    pub calls: Calls,
    /// `[history]`
    pub history: History,
    /// `[secrets]`
    pub secrets: Secrets,
    /// Keys that were set, in the file or the environment, and set something that this build does not have.
    pub idle: BTreeSet<&'static str>,
}

/// `[network]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The UDP address to bind; `None` takes the default port or the next free one.
    pub udp: Option<SocketAddr>,
    /// STUN servers, as `host:port`; an empty list asks none.
    pub stun: Vec<String>,
    /// Whether to ask the router for a port.
    pub port_mapping: bool,
    /// Whether to look for contacts on the local network.
    pub lan: bool,
}

/// `[dht]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dht {
    /// Whether to use the public DHT.
    pub enabled: bool,
    /// Where to enter it, as `host:port`; empty takes the built-in list.
    pub bootstrap: Vec<String>,
}

/// `[relay]`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Relay {
    /// One's own TURN servers.
    pub turn: Vec<Turn>,
    /// Whether mutual contacts may use this daemon as their relay.
    pub for_contacts: bool,
}

/// One of `relay.turn`.
#[derive(Clone, PartialEq, Eq)]
pub struct Turn {
    /// Where it is.
    pub url: TurnUrl,
    /// The user name.
    pub username: String,
    /// The password; never shown by `Debug`.
    pub credential: String,
}

impl fmt::Debug for Turn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Turn").field("url", &self.url).finish_non_exhaustive()
    }
}

/// `[api]`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Api {
    /// The loopback address of the control listener; `None` takes the default.
    pub control: Option<SocketAddr>,
    /// The loopback address of the page listener; `None` takes the default.
    pub page: Option<SocketAddr>,
}

/// `[calls]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// What opens the page.
    pub browser: Browser,
    /// Whether a call has a window of its own, where the browser can do that.
    pub window: bool,
    /// Whether one click in a notification or the tray answers contacts of whom the user has not said it.
    pub one_click: bool,
    /// Whether an incoming call makes a sound on this device; how loud is the tray's own setting.
    pub ring_sound: bool,
    /// The most that video may use, in kbit/s; `None` sets no limit.
    pub max_video_kbit: Option<u32>,
}

/// What opens the page.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Browser {
    /// `"default"`: the desktop's.
    #[default]
    Default,
    /// `"none"`: nothing does.
    None,
    /// Any other word: this program, with the page's address as its only argument.
    Program(String),
}

/// `[history]`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct History {
    /// How many days calls are kept; `None` keeps none.
    pub keep_days: Option<u32>,
}

/// `[secrets]`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Secrets {
    /// Where the key of the state lies.
    pub store: SecretStore,
}

/// Where the key of the state lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SecretStore {
    /// The best that there is.
    #[default]
    Auto,
    /// The desktop's key ring.
    Keyring,
    /// Derived from a passphrase.
    Passphrase,
    /// A file that only the user can read.
    File,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            udp: None,
            stun: STUN.map(str::to_owned).to_vec(),
            port_mapping: true,
            lan: true,
        }
    }
}

impl Default for Dht {
    fn default() -> Self {
        Self {
            enabled: true,
            bootstrap: Vec::new(),
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            browser: Browser::Default,
            window: true,
            one_click: false,
            ring_sound: true,
            max_video_kbit: None,
        }
    }
}

/// What is wrong, where, in one sentence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// The file and the line, or the variable.
    pub place: String,
    /// The key and what is wrong with it.
    pub problem: String,
}

impl Config {
    /// Reads the file, where there is one, and then this process's environment.
    ///
    /// # Errors
    /// The file cannot be read, or something in it or in the environment is not as documented.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let mut config = match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &shown)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                return Err(ConfigError {
                    place: shown,
                    problem: format!("cannot be read: {error}"),
                });
            }
        };
        let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        for (name, value) in environment {
            config.take_variable(&name, &value.to_string_lossy())?;
        }
        Ok(config)
    }

    /// Reads the text of a file that is shown as `file` in errors.
    ///
    /// # Errors
    /// The text is no TOML, or a key or value is not as documented.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        let reader = Reader { text, file };
        let document = DeTable::parse(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            reader.error(start, error.message().replace('\n', ", "))
        })?;
        let mut config = Self::default();
        for (name, value) in document.get_ref() {
            reader.take_top(&mut config, name, value)?;
        }
        Ok(config)
    }

    /// Takes one variable of the environment. Variables that do not begin with `TWOCAN_` and a table's name are left
    /// alone.
    ///
    /// # Errors
    /// The key is unknown or its value is not as documented.
    pub fn take_variable(&mut self, variable: &str, value: &str) -> Result<(), ConfigError> {
        let error = |problem| ConfigError {
            place: variable.to_owned(),
            problem,
        };
        let Some(rest) = variable.strip_prefix("TWOCAN_") else {
            return Ok(());
        };
        let Some((section, name)) = rest.split_once('_') else {
            return Ok(());
        };
        let section = section.to_lowercase();
        if !sections().any(|known| known == section) {
            return Ok(());
        }
        let full = format!("{section}.{}", name.to_lowercase());
        let Some(key) = KEYS.iter().find(|key| key.name == full) else {
            return Err(error(unknown(&full, |known| {
                format!("TWOCAN_{}", known.to_uppercase().replace('.', "_"))
            })));
        };
        self.note(key);
        key.take_text(self, value).map_err(error)
    }
}

impl Config {
    fn note(&mut self, key: &Key) {
        if !key.works {
            self.idle.insert(key.name);
        }
    }

    /// What the user should know of these settings, for `status`.
    #[must_use]
    pub fn warning(&self) -> Option<Why> {
        let keys: Vec<_> = self.idle.iter().copied().collect();
        (!keys.is_empty()).then(|| {
            let text = format!("Without effect in this version: {}.", keys.join(", "));
            warning(
                "setting_idle",
                text,
                "Nothing is wrong. Remove them from config.toml to stop this notice.",
            )
        })
    }
}

/// Walks the parsed file; knows lines.
struct Reader<'a> {
    text: &'a str,
    file: &'a str,
}

impl Reader<'_> {
    fn error(&self, offset: usize, problem: String) -> ConfigError {
        let line = 1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        ConfigError {
            place: format!("{} line {line}", self.file),
            problem,
        }
    }

    fn take_top(
        &self,
        config: &mut Config,
        name: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let section = name.get_ref().as_ref();
        if section == "version" {
            return check_version(value.get_ref()).map_err(|problem| self.error(value.span().start, problem));
        }
        if !sections().any(|known| known == section) {
            return Err(self.error(name.span().start, unknown(section, str::to_owned)));
        }
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.error(value.span().start, format!("{section} is a table: write [{section}]")));
        };
        for (name, value) in table {
            self.take_key(config, section, name, value)?;
        }
        Ok(())
    }

    fn take_key(
        &self,
        config: &mut Config,
        section: &str,
        name: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let full = format!("{section}.{}", name.get_ref().as_ref());
        if full == TURN {
            config.relay.turn = self.turn_list(value)?;
            return Ok(());
        }
        let Some(key) = KEYS.iter().find(|key| key.name == full) else {
            return Err(self.error(name.span().start, unknown(&full, str::to_owned)));
        };
        config.note(key);
        take_value(key, config, value.get_ref()).map_err(|problem| self.error(value.span().start, problem))
    }

    fn turn_list(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Turn>, ConfigError> {
        let wanted = || format!("{TURN} is a list of tables {{ url, username, credential }}");
        let list = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.error(value.span().start, wanted()))?;
        let mut turn = Vec::new();
        for entry in list.iter() {
            let table = entry
                .get_ref()
                .as_table()
                .ok_or_else(|| self.error(entry.span().start, wanted()))?;
            turn.push(self.turn(entry.span().start, table)?);
        }
        Ok(turn)
    }

    fn turn(&self, start: usize, table: &DeTable<'_>) -> Result<Turn, ConfigError> {
        let (mut url, mut username, mut credential) = (String::new(), String::new(), String::new());
        for (name, value) in table {
            let place = match name.get_ref().as_ref() {
                "url" => &mut url,
                "username" => &mut username,
                "credential" => &mut credential,
                other => {
                    let near = nearest(other, ["url", "username", "credential"].into_iter()).unwrap_or("url");
                    return Err(self.error(
                        name.span().start,
                        format!("unknown key {TURN}.{other}; did you mean {near}?"),
                    ));
                }
            };
            let text = value.get_ref().as_str();
            *place = text
                .ok_or_else(|| {
                    self.error(
                        value.span().start,
                        format!("{TURN}.{} is a text", name.get_ref().as_ref()),
                    )
                })?
                .to_owned();
        }
        if !(url.starts_with("turn:") || url.starts_with("turns:")) {
            return Err(self.error(start, format!("{TURN} needs a url that begins with turn: or turns:")));
        }
        let url = TurnUrl::parse(&url).map_err(|problem| self.error(start, format!("{TURN}.url {problem}")))?;
        Ok(Turn {
            url,
            username,
            credential,
        })
    }
}

fn check_version(value: &DeValue<'_>) -> Result<(), String> {
    match number(value) {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(format!(
            "version {newer} is of a newer Twocan; this one reads {VERSION}"
        )),
        Some(_) | None => Err(format!("version is the number {VERSION}")),
    }
}

fn number(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn take_value(key: &Key, config: &mut Config, value: &DeValue<'_>) -> Result<(), String> {
    let wrong = || format!("{} is {}", key.name, key.wanted());
    match key.kind {
        Kind::Text(set) => {
            set(config, value.as_str().ok_or_else(wrong)?).map_err(|what| format!("{} {what}", key.name))
        }
        Kind::Flag(place) => {
            *place(config) = value.as_bool().ok_or_else(wrong)?;
            Ok(())
        }
        Kind::Rate(place) => {
            let kbit = number(value).and_then(|wide| u32::try_from(wide).ok());
            *place(config) = Some(kbit.filter(|kbit| *kbit >= LEAST_KBIT).ok_or_else(wrong)?);
            Ok(())
        }
        Kind::Servers(_) => {
            let list = value.as_array().ok_or_else(wrong)?;
            let texts: Option<Vec<&str>> = list.iter().map(|entry| entry.get_ref().as_str()).collect();
            key.take_servers(config, &texts.ok_or_else(wrong)?)
        }
    }
}

fn unknown(name: &str, show: impl Fn(&str) -> String) -> String {
    let known = KEYS
        .iter()
        .map(|key| key.name)
        .chain([TURN, "version"])
        .chain(sections());
    nearest(name, known).map_or_else(
        || format!("unknown key {name}"),
        |near| format!("unknown key {name}; did you mean {}?", show(near)),
    )
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
