//! First contact by hand: the invitee's reply link, and what the inviter makes of it.

use super::Node;
use super::commands::{Outcome, Result};
use crate::command::{Refusal, Reply};
use crate::ids::{ContactId, InviteId};
use crate::invite;
use crate::reach::record::{self, InviteeWord, Record};
use crate::reply::{ReplyLink, WORD};
use crate::state::Invite;
use crate::time::Now;

impl Node {
    /// Writes the reply links of redemptions under way anew, where one's own addresses have changed.
    pub(super) fn write_replies(&mut self) {
        let pending: Vec<ContactId> = self
            .state
            .contacts
            .iter()
            .filter(|contact| !contact.accepted && contact.redeeming.is_some())
            .map(|contact| contact.id)
            .collect();
        self.finder.replies.retain(|id, _| pending.contains(id));
        let candidates = self.offered_addresses();
        for id in pending {
            let is_current = self.finder.replies.get(&id).is_some_and(|(of, _)| *of == candidates);
            if !is_current && let Some(text) = self.reply_link(id) {
                self.finder.replies.insert(id, (candidates.clone(), text));
            }
        }
    }

    fn reply_link(&mut self, id: ContactId) -> Option<String> {
        let redeeming = self.state.contact(id)?.redeeming.as_ref()?;
        let (link, ephemeral) = (redeeming.link.clone(), redeeming.ephemeral.clone());
        let record = Record {
            device: self.device,
            candidates: self.offered_addresses(),
            time: redeeming.since.unwrap_or_default(),
            nat: self.network.report().kind().known(),
        };
        let word = record::seal_word(&record, &link.secret, &ephemeral, &link.one_time, WORD, &mut self.rng)?;
        Some(ReplyLink::new(invite::hint(&link.secret), word).to_text())
    }

    /// The reply link of a redemption under way.
    pub(super) fn reply_of(&self, id: ContactId) -> Option<String> {
        self.finder.replies.get(&id).map(|(_, text)| text.clone())
    }

    /// The inviter pastes what the invitee sent back.
    pub(super) fn take_reply(&mut self, pasted: &str, now: Now) -> Result {
        let reply = ReplyLink::find(pasted)?;
        let (id, word) = self.answered(&reply, now)?;
        self.meet_invitee(id, &word, now);
        self.finder.by_hand.insert(id, word);
        Ok(Outcome::Reply(Reply::Invite(id)))
    }

    /// The open invite that a reply answers, and what it says.
    pub(super) fn answered(
        &self,
        reply: &ReplyLink,
        now: Now,
    ) -> std::result::Result<(InviteId, InviteeWord), Refusal> {
        let is_meant = |invite: &&Invite| invite::hint(&invite.keys.secret) == reply.hint;
        let invite = self.state.invites.iter().find(is_meant).ok_or(Refusal::NotFound)?;
        if !invite.is_open(now.wall) {
            return Err(Refusal::InviteExpired);
        }
        let word = record::open_word(&reply.word, &invite.keys).ok_or(Refusal::InviteDamaged)?;
        if word.record.device == self.device {
            return Err(Refusal::InviteOwn);
        }
        Ok((invite.id, word))
    }

    /// Whoever has replied by hand is looked for as long as his invite is open.
    pub(super) fn knock_at_repliers(&mut self, now: Now) {
        let open: Vec<InviteId> = self
            .state
            .invites
            .iter()
            .filter(|invite| invite.is_open(now.wall))
            .map(|invite| invite.id)
            .collect();
        self.finder.by_hand.retain(|id, _| open.contains(id));
        for (id, word) in self.finder.by_hand.clone() {
            self.meet_invitee(id, &word, now);
        }
    }
}
