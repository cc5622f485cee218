//! What people click, of what their page offers.

use twocan_core::command::Command;
use twocan_core::event::ContactState;
use twocan_core::ids::{CallId, ContactId};

use super::host::{Gift, Then};
use super::people::{Action, VIDEO};
use super::world::World;

impl World {
    pub(super) fn click(&mut self, action: Action, host: usize) {
        match action {
            Action::Invite => self.hand_out_invite(host),
            Action::Call => self.act_on_contact(host, |contact| Command::StartCall { contact, media: VIDEO }),
            Action::CallEachOther => self.call_each_other(host),
            Action::Answer => self.act_on_call(host, |call| Command::Answer { call }),
            Action::Decline => self.act_on_call(host, |call| Command::Decline { call }),
            Action::HangUp => self.act_on_call(host, |call| Command::HangUp { call }),
            Action::SeeMissed => self.act_on_call(host, |call| Command::SeeMissed { call }),
            Action::Mute => {
                let (audio, video) = (Some(self.dice.chance(50)), Some(self.dice.chance(50)));
                self.act_on_call(host, |call| Command::SetSends { call, audio, video });
            }
            Action::SecondCall => {
                let waits = self.dice.chance(60);
                self.command(host, Command::SetSecondCall { waits }, Then::Nothing);
            }
            Action::Block => {
                let blocked = self.dice.chance(50);
                self.act_on_contact(host, |contact| Command::Block { contact, blocked });
            }
            Action::Verify => self.act_on_contact(host, |contact| Command::Verify { contact }),
            Action::Compare => {
                let same = self.dice.chance(80);
                self.act_on_contact(host, |contact| Command::Compared { contact, same });
            }
            Action::Presence => {
                let will_ring = self.dice.chance(60);
                self.set_presence(host, will_ring);
            }
            Action::Ping => self.act_on_contact(host, |contact| Command::Ping { contact }),
            Action::Delete => self.act_on_contact(host, |contact| Command::DeleteContact { contact }),
            Action::Decide | Action::Rename => {
                let accept = matches!(action, Action::Decide);
                let fits = |state| !accept || state == ContactState::Contested;
                let contacts = self.hosts[host].seen.contacts.values();
                let id = contacts
                    .filter(|contact| fits(contact.state))
                    .map(|contact| contact.id)
                    .next();
                if let Some(contact) = id {
                    let name = (!accept).then(|| "Somebody".to_owned());
                    self.command(host, Command::EditContact { contact, name, accept }, Then::Nothing);
                }
            }
            Action::Crash
            | Action::Exit
            | Action::Sleep
            | Action::Partition
            | Action::Move
            | Action::Weather
            | Action::Disk
            | Action::Clock
            | Action::Stranger
            | Action::Replay => {}
        }
    }

    pub(crate) fn set_presence(&mut self, host: usize, will_ring: bool) {
        let command = Command::EditMe {
            name: None,
            will_ring: Some(will_ring),
        };
        self.command(host, command, Then::Nothing);
    }

    fn act_on_contact(&mut self, host: usize, command: impl Fn(ContactId) -> Command) {
        let contacts: Vec<ContactId> = self.hosts[host].seen.contacts.keys().copied().collect();
        if !contacts.is_empty() {
            let contact = self.dice.pick(&contacts);
            self.command(host, command(contact), Then::Nothing);
        }
    }

    fn act_on_call(&mut self, host: usize, command: impl Fn(CallId) -> Command) {
        let calls: Vec<CallId> = self.hosts[host].seen.calls.keys().copied().collect();
        if !calls.is_empty() {
            let call = self.dice.pick(&calls);
            self.command(host, command(call), Then::Nothing);
        }
    }

    fn hand_out_invite(&mut self, host: usize) {
        let others: Vec<usize> = (0..self.hosts.len()).collect();
        let takers = self.dice.weighted(&[(80, 1), (20, 2)]);
        let gifts = (0..takers).map(|_| Gift {
            // Sometimes to oneself.
            to: others[self.dice.index(others.len())],
            after: self.dice.ms(10, 5000),
            damaged: self.dice.chance(5),
        });
        let gifts: Vec<Gift> = gifts.collect();
        let expires_in_s = if self.dice.chance(10) { 2 } else { 48 * 3600 };
        self.command(host, Command::CreateInvite { expires_in_s }, Then::Give(gifts));
    }

    /// Pastes a link.
    pub(super) fn redeem(&mut self, host: usize, link: String) {
        self.command(
            host,
            Command::AddContact {
                link,
                name: None,
                temporary: false,
            },
            Then::Nothing,
        );
    }
}
