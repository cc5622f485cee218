//! Whom a person meant by a word: one rule for the daemon and for every client.
//!
//! In this order: the id, the exact petname, the petname in other letter case, the beginning of a petname in any case,
//! `name/device`, the beginning of an id. Each step is tried only where the one before found nobody, so "Ann" can be
//! called while there is an "Anna".

use std::net::{IpAddr, SocketAddr};

/// Characters of an id that are enough to mean it. Fewer could be a mistyped name.
const ID_PART: usize = 6;

/// Somebody who may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<'a, T> {
    /// What is found.
    pub it: T,
    /// The opaque id.
    pub id: String,
    /// The petname.
    pub name: &'a str,
    /// The names of the devices.
    pub devices: Vec<&'a str>,
}

/// Whether somebody may be meant.
type Fits<'a, T> = dyn Fn(&Known<'_, T>) -> bool + 'a;

/// Why nobody in particular was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// Nobody fits.
    Nobody,
    /// These petnames fit.
    Several(Vec<String>),
}

impl<'a> Known<'a, &'a crate::Contact> {
    /// A contact as a client knows it.
    #[must_use]
    pub fn contact(contact: &'a crate::Contact) -> Self {
        Self {
            it: contact,
            id: contact.id.clone(),
            name: &contact.name,
            devices: contact.devices.iter().map(|device| device.name.as_str()).collect(),
        }
    }
}

/// The address that a person typed: IPv4 or IPv6, with a port or with this one. Names of machines are not looked up, since
/// that would tell others who is called.
#[must_use]
pub fn address(text: &str, port: u16) -> Option<SocketAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let with_port = text.parse().ok();
    with_port.or_else(|| Some(SocketAddr::new(bare.unwrap_or(text).parse::<IpAddr>().ok()?, port)))
}

/// Finds the one that `who` names.
///
/// # Errors
/// Nobody fits, or several do.
pub fn resolve<T: Copy>(known: &[Known<'_, T>], who: &str) -> Result<T, Unclear> {
    let who = who.trim();
    if who.is_empty() {
        return Err(Unclear::Nobody);
    }
    let folded = who.to_lowercase();
    let steps: [&Fits<'_, T>; 6] = [
        &|one| one.id == folded,
        &|one| one.name == who,
        &|one| one.name.to_lowercase() == folded,
        &|one| one.name.to_lowercase().starts_with(&folded),
        &|one| has_device(one, &folded),
        &|one| folded.len() >= ID_PART && one.id.starts_with(&folded),
    ];
    let mut found = steps
        .iter()
        .map(|fits| known.iter().filter(|one| fits(one)).collect::<Vec<_>>());
    let found = found.find(|fitting| !fitting.is_empty()).ok_or(Unclear::Nobody)?;
    match found.as_slice() {
        [one] => Ok(one.it),
        several => Err(Unclear::Several(
            several.iter().map(|one| one.name.to_owned()).collect(),
        )),
    }
}

/// Whether `name/device` means one of this person's devices.
fn has_device<T>(one: &Known<'_, T>, folded: &str) -> bool {
    let rest = folded.strip_prefix(&one.name.to_lowercase());
    let device = rest.and_then(|rest| rest.strip_prefix('/'));
    device.is_some_and(|device| one.devices.iter().any(|known| known.to_lowercase() == device))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known<'a>(names: &[&'a str]) -> Vec<Known<'a, u8>> {
        let one = |(number, name): (u8, &&'a str)| Known {
            it: number,
            id: format!("{number:02x}").repeat(8),
            name,
            devices: vec!["laptop"],
        };
        (1..).zip(names).map(one).collect()
    }

    #[test]
    fn the_nearest_fit_is_meant() {
        let known = known(&["Ann", "Anna", "ANNA", "Zoë", "0505050505050505", "Eve"]);
        let several = |names: &[&str]| Err(Unclear::Several(names.iter().map(ToString::to_string).collect()));
        let cases = [
            ("0101010101010101", Ok(1)),
            ("0505050505050505", Ok(5)),
            ("Ann", Ok(1)),
            (" ann ", Ok(1)),
            ("Anna", Ok(2)),
            ("ANNA", Ok(3)),
            ("anna", several(&["Anna", "ANNA"])),
            ("an", several(&["Ann", "Anna", "ANNA"])),
            ("ZOË", Ok(4)),
            ("z", Ok(4)),
            ("0", Ok(5)),
            ("ev", Ok(6)),
            ("eve/laptop", Ok(6)),
            ("Ann/Laptop", Ok(1)),
            ("Ann/phone", Err(Unclear::Nobody)),
            ("anna/laptop", several(&["Anna", "ANNA"])),
            ("060606", Ok(6)),
            ("06060", Err(Unclear::Nobody)),
            ("0707070707070707", Err(Unclear::Nobody)),
            ("Anno", Err(Unclear::Nobody)),
            ("", Err(Unclear::Nobody)),
            ("  ", Err(Unclear::Nobody)),
        ];
        for (who, meant) in cases {
            assert_eq!(resolve(&known, who), meant, "{who:?}");
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, read) in [
            ("192.0.2.7", Some("192.0.2.7:2226")),
            (" 192.0.2.7:4000 ", Some("192.0.2.7:4000")),
            ("2001:db8::1", Some("[2001:db8::1]:2226")),
            ("[2001:db8::1]", Some("[2001:db8::1]:2226")),
            ("[2001:db8::1]:4000", Some("[2001:db8::1]:4000")),
            ("192.0.2", None),
            ("192.0.2.7:", None),
            ("192.0.2.7:70000", None),
            ("example.org", None),
            ("", None),
        ] {
            let found = address(text, 2226).map(|address| address.to_string());
            assert_eq!(found.as_deref(), read, "{text:?}");
        }
    }
}
