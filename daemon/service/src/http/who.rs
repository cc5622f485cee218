//! Which contact a person meant.
//!
//! In this order: the id, the exact petname, the petname in other letter case, a prefix of it in any case. Each step
//! is tried only when the one before found nobody, so "Ann" can be called while there is an "Anna".

use std::net::{IpAddr, SocketAddr};

use twocan_core::bounds::PORT;
use twocan_core::event::ContactView;
use twocan_core::ids::ContactId;

/// Why nobody in particular was meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    /// Nobody fits.
    Nobody,
    /// These fit.
    Several(Vec<String>),
}

/// The address that a person typed: IPv4 or IPv6, with a port or without. Names of machines are not looked up, since that
/// would tell others who is called.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let with_port = text.parse().ok();
    with_port.or_else(|| Some(SocketAddr::new(bare.unwrap_or(text).parse::<IpAddr>().ok()?, PORT)))
}

/// Finds the contact that `who` names.
pub(super) fn resolve(contacts: &[ContactView], who: &str) -> Result<ContactId, Unclear> {
    let who = who.trim();
    if who.is_empty() {
        return Err(Unclear::Nobody);
    }
    let folded = who.to_lowercase();
    let id = ContactId::from_hex(who);
    let steps: [&dyn Fn(&ContactView) -> bool; 4] = [
        &|contact| Some(contact.id) == id,
        &|contact| contact.name == who,
        &|contact| contact.name.to_lowercase() == folded,
        &|contact| contact.name.to_lowercase().starts_with(&folded),
    ];
    let mut found = steps
        .iter()
        .map(|fits| contacts.iter().filter(|contact| fits(contact)).collect::<Vec<_>>());
    let found = found.find(|fitting| !fitting.is_empty()).ok_or(Unclear::Nobody)?;
    match found.as_slice() {
        [one] => Ok(one.id),
        several => Err(Unclear::Several(
            several.iter().map(|contact| contact.name.clone()).collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use twocan_core::event::{ContactState, Reachable, WhyNot};

    use super::*;

    fn contacts(names: &[&str]) -> Vec<ContactView> {
        let contact = |(number, name): (u8, &&str)| ContactView {
            id: ContactId([number; 8]),
            name: (*name).to_owned(),
            state: ContactState::Accepted,
            verified: false,
            reachable: Reachable::No(WhyNot::NoAnswer),
            path: None,
            devices: Vec::new(),
            safety: twocan_core::event::SafetyView {
                state: twocan_core::event::SafetyState::None,
                words: None,
                number: String::new(),
            },
            blocked: false,
            quiet: false,
            alarm: None,
        };
        (1..).zip(names).map(contact).collect()
    }

    #[test]
    fn the_nearest_fit_is_meant() {
        let known = contacts(&["Ann", "Anna", "ANNA", "Zoë", "0505050505050505", "Eve"]);
        let several = |names: &[&str]| Err(Unclear::Several(names.iter().map(ToString::to_string).collect()));
        let one = |number: u8| Ok(ContactId([number; 8]));
        let cases = [
            ("0101010101010101", one(1)),
            ("0505050505050505", one(5)),
            ("Ann", one(1)),
            (" ann ", one(1)),
            ("Anna", one(2)),
            ("ANNA", one(3)),
            ("anna", several(&["Anna", "ANNA"])),
            ("an", several(&["Ann", "Anna", "ANNA"])),
            ("ZOË", one(4)),
            ("z", one(4)),
            ("0", one(5)),
            ("ev", one(6)),
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
            assert_eq!(
                address(text).map(|address| address.to_string()).as_deref(),
                read,
                "{text:?}"
            );
        }
    }
}
