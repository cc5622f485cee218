//! Which contact a word means, for commands whose API call wants an id: the daemon's own rule, with this command's words.

use twocan_api::Contact;
use twocan_api::who::{self, Known, Unclear};

use crate::exit::Exit;
use crate::failure::Failure;

/// The contact that `who` names.
pub(crate) fn resolve<'a>(contacts: &'a [Contact], who: &str) -> Result<&'a Contact, Failure> {
    if who.trim().is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "The name is empty.",
            "Name a contact: twocan contacts lists them.",
        ));
    }
    let known: Vec<_> = contacts.iter().map(Known::contact).collect();
    who::resolve(&known, who).map_err(|unclear| match unclear {
        Unclear::Nobody => Failure::new(
            Exit::Failed,
            format!("No contact is called \"{who}\"."),
            "See who is there with: twocan contacts",
        ),
        Unclear::Several(names) => Failure::new(
            Exit::Usage,
            format!("\"{who}\" fits {}.", names.join(", ")),
            "Type more of the name.",
        ),
    })
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
            relay: false,
            relay_only: false,
            one_click: false,
            quiet: false,
            alarm: None,
            reply: None,
            introduces: false,
        }
    }

    #[test]
    fn several_are_a_usage_error_and_none_a_failure() {
        let all = [contact("a1", "Ann"), contact("a2", "Anna")];
        let found = |who| {
            resolve(&all, who)
                .map(|contact| contact.id.clone())
                .map_err(|failure| failure.exit)
        };
        assert_eq!(found("Ann").unwrap(), "a1");
        assert_eq!(found("an"), Err(Exit::Usage));
        assert_eq!(found(" "), Err(Exit::Usage));
        assert_eq!(found("Carl"), Err(Exit::Failed));
    }
}
