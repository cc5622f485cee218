//! The clients of a daemon: commands, their replies, and links that are given away.

use twocan_core::command::{Command, Reply};
use twocan_core::ids::{CommandId, InviteId};
use twocan_core::io::Input;

use super::happening::{Cause, Happening};
use super::host::{Asked, Gift, Then};
use super::mutant::Mutant;
use super::watch::Invariant;
use super::world::World;

/// Under this id a mutant's shell asks.
const MEDDLING: CommandId = CommandId(u64::MAX);

impl World {
    pub(crate) fn command(&mut self, index: usize, command: Command, then: Then) {
        let id = CommandId(self.queued);
        self.queued += 1;
        let at = self.now;
        let asked = Asked {
            at,
            command: command.clone(),
            then,
        };
        self.hosts[index].shell.asked.insert(id, asked);
        self.watch_command(index, &command);
        let command = self.bend_command(index, command);
        self.feed(index, Input::Command { id, command }, Cause::Other);
    }

    /// A shell asks by itself, which only a mutant's does. Nobody sees it, and nobody waits for the reply.
    pub(super) fn meddle(&mut self, index: usize, command: Command) {
        self.feed(index, Input::Command { id: MEDDLING, command }, Cause::Other);
    }

    pub(super) fn reply(&mut self, index: usize, id: CommandId, reply: &Reply) {
        if id == MEDDLING || (self.is(Mutant::LosesReplies) && self.dice.chance(20)) {
            return;
        }
        self.hear_reply(index, id, reply);
        if self.is(Mutant::RepeatsReplies) && self.dice.chance(20) {
            self.hear_reply(index, id, reply);
        }
    }

    fn hear_reply(&mut self, index: usize, id: CommandId, reply: &Reply) {
        let Some(asked) = self.hosts[index].shell.asked.remove(&id) else {
            return self.fail(
                Invariant::OneReply,
                format!("a second reply to one command at host {index}: {reply:?}"),
            );
        };
        self.watch_reply(index, &asked, reply);
        if let (Then::Give(gifts), Reply::Invite(invite)) = (&asked.then, reply) {
            self.give_away(index, *invite, gifts);
        }
    }

    fn give_away(&mut self, index: usize, invite: InviteId, gifts: &[Gift]) {
        let open = self.snapshot(index).map(|snapshot| snapshot.invites);
        let Some(open) = open.into_iter().flatten().find(|open| open.id == invite) else {
            return;
        };
        self.newest_links.insert(index, open.link.clone());
        for gift in gifts {
            let mut link = format!("Call me: {}", open.link);
            if gift.damaged {
                link = link.replacen("twocan:p", "twocan:q", 1);
                link.truncate(link.len() - 9);
            }
            let host = gift.to;
            self.later(gift.after, Happening::Redeem { host, link });
        }
    }
}
