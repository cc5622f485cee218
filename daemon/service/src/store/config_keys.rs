//! The table of known keys: its name, what a value of it looks like, and where it goes.

use std::net::SocketAddr;

use super::config::{Browser, Config, SecretStore};

/// The one key whose values are tables; it has no variable.
pub(super) const TURN: &str = "relay.turn";

/// The least that video can be seen at; who wants less calls without a camera.
pub(super) const LEAST_KBIT: u32 = 50;

/// One documented key.
pub(super) struct Key {
    /// Table, dot, key.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) kind: Kind,
    /// Whether this build has what it sets.
    pub(super) works: bool,
}

/// What a key takes, and where it goes.
pub(super) enum Kind {
    /// A text with a meaning of its own; the error completes a sentence that begins with the key.
    Text(fn(&mut Config, &str) -> Result<(), String>),
    /// Yes or no.
    Flag(fn(&mut Config) -> &mut bool),
    /// Kilobits a second, from [`LEAST_KBIT`] to 2³² − 1.
    Rate(fn(&mut Config) -> &mut Option<u32>),
    /// A list of `host:port`.
    Servers(fn(&mut Config) -> &mut Vec<String>),
}

/// Every key but `version` and [`TURN`].
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "network.udp",
        kind: Kind::Text(|config, text| address(text).map(|udp| config.network.udp = Some(udp))),
        works: true,
    },
    Key {
        name: "network.stun",
        kind: Kind::Servers(|config| &mut config.network.stun),
        works: true,
    },
    Key {
        name: "network.port_mapping",
        kind: Kind::Flag(|config| &mut config.network.port_mapping),
        works: true,
    },
    Key {
        name: "network.lan",
        kind: Kind::Flag(|config| &mut config.network.lan),
        works: true,
    },
    Key {
        name: "dht.enabled",
        kind: Kind::Flag(|config| &mut config.dht.enabled),
        works: true,
    },
    Key {
        name: "dht.bootstrap",
        kind: Kind::Servers(|config| &mut config.dht.bootstrap),
        works: true,
    },
    Key {
        name: "relay.for_contacts",
        kind: Kind::Flag(|config| &mut config.relay.for_contacts),
        works: true,
    },
    Key {
        name: "api.control",
        kind: Kind::Text(|config, text| loopback(text).map(|control| config.api.control = Some(control))),
        works: true,
    },
    Key {
        name: "api.page",
        kind: Kind::Text(|config, text| loopback(text).map(|page| config.api.page = Some(page))),
        works: true,
    },
    Key {
        name: "calls.browser",
        kind: Kind::Text(|config, text| browser(text).map(|one| config.calls.browser = one)),
        works: true,
    },
    Key {
        name: "calls.one_click",
        kind: Kind::Flag(|config| &mut config.calls.one_click),
        works: true,
    },
    Key {
        name: "calls.window",
        kind: Kind::Flag(|config| &mut config.calls.window),
        works: true,
    },
    Key {
        name: "calls.ring_sound",
        kind: Kind::Flag(|config| &mut config.calls.ring_sound),
        works: true,
    },
    Key {
        name: "calls.max_video_kbit",
        kind: Kind::Rate(|config| &mut config.calls.max_video_kbit),
        works: true,
    },
    Key {
        name: "history.keep",
        kind: Kind::Text(|config, text| keep(text).map(|days| config.history.keep_days = days)),
        works: false,
    },
    Key {
        name: "secrets.store",
        kind: Kind::Text(|config, text| store(text).map(|one| config.secrets.store = one)),
        works: true,
    },
];

impl Key {
    /// What a value looks like, to complete "… is".
    pub(super) fn wanted(&self) -> String {
        let text = match self.kind {
            Kind::Text(_) => "a text in quotes",
            Kind::Flag(_) => "true or false",
            Kind::Rate(_) => return format!("a whole number, {LEAST_KBIT} or more"),
            Kind::Servers(_) => "a list of texts \"host:port\"",
        };
        text.to_owned()
    }

    /// Takes a value as a variable of the environment spells it.
    pub(super) fn take_text(&self, config: &mut Config, text: &str) -> Result<(), String> {
        let wrong = || format!("{} is {}", self.name, self.wanted());
        match self.kind {
            Kind::Text(set) => set(config, text).map_err(|what| format!("{} {what}", self.name)),
            Kind::Flag(place) => {
                *place(config) = match text {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(wrong()),
                };
                Ok(())
            }
            Kind::Rate(place) => {
                let kbit = text.parse().ok().filter(|kbit| *kbit >= LEAST_KBIT);
                *place(config) = Some(kbit.ok_or_else(wrong)?);
                Ok(())
            }
            Kind::Servers(_) => {
                let list: Vec<&str> = text
                    .split(',')
                    .map(str::trim)
                    .filter(|server| !server.is_empty())
                    .collect();
                self.take_servers(config, &list)
            }
        }
    }

    /// Takes a list of `host:port`.
    pub(super) fn take_servers(&self, config: &mut Config, list: &[&str]) -> Result<(), String> {
        let Kind::Servers(place) = self.kind else {
            return Err(format!("{} is {}", self.name, self.wanted()));
        };
        if let Some(bad) = list.iter().find(|server| !is_server(server)) {
            return Err(format!("{} has \"{bad}\", which is not \"host:port\"", self.name));
        }
        *place(config) = list.iter().map(|server| (*server).to_owned()).collect();
        Ok(())
    }
}

/// The names of the tables, repeated as often as they have keys.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter_map(|key| key.name.split_once('.').map(|(section, _)| section))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("is an address and a port, such as \"0.0.0.0:2226\" or \"[::]:2226\", not \"{text}\""))
}

/// The listeners of the local API are for this machine alone.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let parsed = address(text)?;
    if parsed.ip().is_loopback() {
        Ok(parsed)
    } else {
        Err(format!(
            "is a loopback address, such as \"127.0.0.1:{}\"",
            parsed.port()
        ))
    }
}

fn browser(text: &str) -> Result<Browser, String> {
    match text {
        "" => Err("is \"default\", \"none\" or the name of a program".into()),
        "default" => Ok(Browser::Default),
        "none" => Ok(Browser::None),
        program => Ok(Browser::Program(program.into())),
    }
}

/// `off`, or a number of days as in `30d`.
fn keep(text: &str) -> Result<Option<u32>, String> {
    if text == "off" {
        return Ok(None);
    }
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse().ok())
        .filter(|days| *days > 0);
    days.map(Some)
        .ok_or_else(|| "is \"off\" or a number of days, such as \"30d\"".into())
}

fn store(text: &str) -> Result<SecretStore, String> {
    match text {
        "auto" => Ok(SecretStore::Auto),
        "keyring" => Ok(SecretStore::Keyring),
        "passphrase" => Ok(SecretStore::Passphrase),
        "file" => Ok(SecretStore::File),
        _ => Err("is \"auto\", \"keyring\", \"passphrase\" or \"file\"".into()),
    }
}

fn is_server(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// The candidate that is fewest edits away, where that is near enough to be what was meant. The part after the last dot
/// alone counts too, so that a right key in the wrong table is recognised.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let far = 2 + last_part(name).len() / 3;
    candidates
        .map(|candidate| {
            let whole = edits(name, candidate);
            let part = 1 + edits(last_part(name), last_part(candidate));
            (whole.min(part), candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= far)
        .map(|(_, candidate)| candidate)
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Levenshtein's distance, one row at a time.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, have) in from.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, want) in row.iter_mut().skip(1).zip(to.bytes()) {
            let replaced = diagonal + usize::from(have != want);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, wanted) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("udp", "upd", 2),
        ] {
            assert_eq!(edits(from, to), wanted, "{from} {to}");
        }
    }
}
