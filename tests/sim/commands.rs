//! The clients of a daemon: commands, their replies, and links that are given away.

use twocan_core::command::{Command, Reply};
use twocan_core::ids::CommandId;
use twocan_core::io::Input;

use super::happening::{Cause, Happening};
use super::host::{Asked, Then};
use super::mutant::Mutant;
use super::world::World;

impl World {
    pub(crate) fn command(&mut self, index: usize, command: Command, then: Then) -> CommandId {
        let host = &mut self.hosts[index];
        let id = CommandId(self.queued);
        self.queued += 1;
        let at = self.now;
        let asked = Asked {
            at,
            command: command.clone(),
            then,
        };
        host.shell.asked.insert(id, asked);
        self.watch_command(index, &command);
        self.feed(index, Input::Command { id, command }, Cause::Other);
        id
    }

    pub(super) fn reply(&mut self, index: usize, id: CommandId, reply: Reply) {
        if self.is(Mutant::LosesReplies) && self.dice.chance(20) {
            return;
        }
        let Some(asked) = self.hosts[index].shell.asked.remove(&id) else {
            return self.fail(
                "one_reply",
                format!("a second reply to one command at host {index}: {reply:?}"),
            );
        };
        self.watch_reply(index, &asked, &reply);
        if self.is(Mutant::RepeatsReplies) && self.dice.chance(20) {
            self.fail_if_unasked(index, id);
        }
        if let (Then::Give(gifts), Reply::Invite(invite)) = (&asked.then, &reply) {
            let now = self.hosts[index].clock(self.now);
            let open = self.hosts[index].node.as_ref().map(|node| node.snapshot(now).invites);
            let link = open.into_iter().flatten().find(|open| open.id == *invite);
            if let Some(link) = link {
                for gift in gifts {
                    let mut text = format!("Call me: {}", link.link);
                    if gift.damaged {
                        text = text.replacen("twocan:p", "twocan:q", 1);
                        text.truncate(text.len() - 9);
                    }
                    self.later(
                        gift.after,
                        Happening::Redeem {
                            host: gift.to,
                            link: text,
                        },
                    );
                }
            }
        }
    }

    pub(super) fn fail_if_unasked(&mut self, index: usize, id: CommandId) {
        if !self.hosts[index].shell.asked.contains_key(&id) {
            self.fail("one_reply", format!("a second reply to one command at host {index}"));
        }
    }
}
