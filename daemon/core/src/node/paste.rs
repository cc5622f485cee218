//! What a pasted text is, before anything comes of it: whoever clicked a link in a message is asked first.
//!
//! Looking changes nothing and sends nothing. What it says about an invite is what redeeming it now would say.

use super::Node;
use super::commands::{Outcome, Result};
use crate::bounds;
use crate::command::{PasteKind, PasteView, Refusal, Reply};
use crate::invite::{self, Link, LinkError};
use crate::reply::{self, ReplyLink};
use crate::state::Contact;
use crate::time::Now;

impl From<LinkError> for Refusal {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Damaged => Self::InviteDamaged,
            LinkError::Newer => Self::InviteNewer,
        }
    }
}

impl Node {
    /// Looks at a pasted text.
    pub(super) fn look_at_paste(&self, pasted: &str, now: Now) -> Result {
        let view = if ReplyLink::is_in(pasted) {
            self.look_at_reply(pasted, now)
        } else {
            self.look_at_invite(pasted, now)
        };
        Ok(Outcome::Reply(Reply::Paste(Box::new(view?))))
    }

    fn look_at_invite(&self, pasted: &str, now: Now) -> std::result::Result<PasteView, LinkError> {
        let link = Link::find(pasted)?;
        Ok(PasteView {
            link: invite::bare(pasted, invite::SCHEME)?,
            kind: PasteKind::Invite {
                name: link.name.clone(),
                expires_at: link.expiry,
                contact: self.state.contact_of(&link.root).map(|contact| contact.id),
            },
            refusal: self.redeemable(&link, now).err(),
        })
    }

    fn look_at_reply(&self, pasted: &str, now: Now) -> std::result::Result<PasteView, LinkError> {
        let answer = ReplyLink::find(pasted)?;
        Ok(PasteView {
            link: invite::bare(pasted, reply::SCHEME)?,
            kind: PasteKind::Reply,
            refusal: self.answered(&answer, now).err(),
        })
    }

    /// Whether an invite can be redeemed here and now; gives the inviter, where he is a contact already.
    pub(super) fn redeemable(&self, link: &Link, now: Now) -> std::result::Result<Option<&Contact>, Refusal> {
        if link.root == self.root || link.device == self.device {
            return Err(Refusal::InviteOwn);
        }
        // Nobody gets hold of a contact's device by naming it in a link.
        let has_owner = |contact: &Contact| contact.root != link.root && contact.proven.contains(&link.device);
        if self.state.contacts.iter().any(has_owner) {
            return Err(Refusal::InviteDamaged);
        }
        if link.expiry <= now.wall {
            return Err(Refusal::InviteExpired);
        }
        match self.state.contact_of(&link.root) {
            Some(known) if known.blocked => Err(Refusal::Blocked),
            Some(known) => Ok(Some(known)),
            None if self.state.contacts.len() >= bounds::CONTACTS => Err(Refusal::TooMany),
            None => Ok(None),
        }
    }
}
