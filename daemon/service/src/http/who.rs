//! Which contact a person meant.
//!
//! In this order: the id, the exact petname, the petname in other letter case, a prefix of it in any case. Each step
//! is tried only when the one before found nobody, so "Ann" can be called while there is an "Anna".

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
