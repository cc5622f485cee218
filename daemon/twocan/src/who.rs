//! Which contact a word means, for commands whose API call wants an id. `POST /v1/calls` resolves by itself.

use twocan_api::Contact;

use crate::exit::Exit;
use crate::failure::Failure;

/// An id, an exact petname or the beginning of exactly one petname or id, in that order.
pub(crate) fn resolve<'a>(contacts: &'a [Contact], who: &str) -> Result<&'a Contact, Failure> {
    let who = who.trim();
    if who.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "The name is empty.",
            "Name a contact: twocan contacts lists them.",
        ));
    }
    let exact = contacts.iter().find(|contact| contact.id == who);
    if let Some(contact) = exact.or_else(|| contacts.iter().find(|contact| contact.name == who)) {
        return Ok(contact);
    }
    let wanted = who.to_lowercase();
    let begins = |contact: &&Contact| contact.name.to_lowercase().starts_with(&wanted) || contact.id.starts_with(who);
    let fitting: Vec<&Contact> = contacts.iter().filter(begins).collect();
    match fitting.as_slice() {
        [] => Err(Failure::new(
            Exit::Failed,
            format!("No contact is called \"{who}\"."),
            "See who is there with: twocan contacts",
        )),
        [contact] => Ok(contact),
        several => Err(ambiguous(who, several)),
    }
}

fn ambiguous(who: &str, several: &[&Contact]) -> Failure {
    let names: Vec<&str> = several.iter().map(|contact| contact.name.as_str()).collect();
    Failure::new(
        Exit::Usage,
        format!("\"{who}\" fits {}.", names.join(", ")),
        "Type more of the name.",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use twocan_api::{ContactState, Reachable};

    use super::*;

    fn contact(id: &str, name: &str) -> Contact {
        Contact {
            id: id.into(),
            name: name.into(),
            state: ContactState::Accepted,
            verified: false,
            reachable: Reachable::Yes,
            why: None,
            path: None,
            devices: Vec::new(),
            safety: twocan_api::Safety::default(),
            blocked: false,
            quiet: false,
            alarm: None,
        }
    }

    fn found(who: &str) -> Result<String, Exit> {
        let all = [
            contact("k1", "Ann"),
            contact("k2", "Anna"),
            contact("k3", "Bob"),
            contact("Bob", "Zed"),
        ];
        resolve(&all, who)
            .map(|contact| contact.id.clone())
            .map_err(|failure| failure.exit)
    }

    #[test]
    fn an_id_goes_before_a_petname_and_both_before_a_beginning() {
        assert_eq!(found("Bob").unwrap(), "Bob");
        assert_eq!(found("Ann").unwrap(), "k1");
        assert_eq!(found("Anna").unwrap(), "k2");
    }

    #[test]
    fn a_beginning_that_fits_one_will_do_in_either_case() {
        assert_eq!(found("ze").unwrap(), "Bob");
        assert_eq!(found(" k3 ").unwrap(), "k3");
    }

    #[test]
    fn several_are_a_usage_error_and_none_a_failure() {
        assert_eq!(found("an"), Err(Exit::Usage));
        assert_eq!(found(""), Err(Exit::Usage));
        assert_eq!(found("Carl"), Err(Exit::Failed));
    }
}
