//! What people and the world do: random actions, and reactions to rings.

use std::time::Duration;

use twocan_core::command::{Command, Media};
use twocan_core::event::CallState;
use twocan_core::ids::CallId;

use super::happening::Happening;
use super::host::Then;
use super::network::Conditions;
use super::world::{World, note};

/// Sound and picture.
pub(crate) const VIDEO: Media = Media {
    audio: true,
    video: true,
};

/// One random action.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Invite,
    Call,
    CallEachOther,
    Answer,
    Decline,
    HangUp,
    Presence,
    Ping,
    Delete,
    Decide,
    Rename,
    Crash,
    Exit,
    Sleep,
    Partition,
    Move,
    Weather,
    Disk,
    Clock,
    Stranger,
    Replay,
    SeeMissed,
    Block,
    Verify,
    Compare,
    Mute,
    SecondCall,
}

const ACTIONS: [(u64, Action); 27] = [
    (12, Action::Invite),
    (20, Action::Call),
    (6, Action::CallEachOther),
    (4, Action::Answer),
    (3, Action::Decline),
    (8, Action::HangUp),
    (4, Action::Presence),
    (4, Action::Ping),
    (3, Action::Delete),
    (3, Action::Decide),
    (2, Action::Rename),
    (5, Action::Crash),
    (2, Action::Exit),
    (4, Action::Sleep),
    (7, Action::Partition),
    (4, Action::Move),
    (4, Action::Weather),
    (4, Action::Disk),
    (2, Action::Clock),
    (3, Action::Stranger),
    (3, Action::Replay),
    (2, Action::SeeMissed),
    (3, Action::Block),
    (3, Action::Verify),
    (2, Action::Compare),
    (3, Action::Mute),
    (2, Action::SecondCall),
];

impl World {
    /// Draws and does one action, and plans the next.
    pub(super) fn act(&mut self) {
        if self.actions_left == 0 {
            return;
        }
        self.actions_left -= 1;
        let action = self.dice.weighted(&ACTIONS);
        let host = self.dice.index(self.hosts.len());
        note!(self, "== {action:?} at {}", self.hosts[host].name());
        self.carry_out(action, host);
        let pause = match self.dice.below(100) {
            0..50 => self.dice.ms(0, 1500),
            50..80 => self.dice.ms(1000, 8000),
            80..96 => self.dice.ms(5000, 60_000),
            _ => self.dice.ms(60_000, 900_000),
        };
        self.later(pause, Happening::Act);
    }

    fn carry_out(&mut self, action: Action, host: usize) {
        match action {
            Action::Crash => self.crash_for_a_while(host, false),
            Action::Exit => self.crash_for_a_while(host, true),
            Action::Sleep => {
                let time = if self.dice.chance(70) {
                    self.dice.ms(500, 60_000)
                } else {
                    self.dice.ms(60_000, 7_200_000)
                };
                self.sleep(host, time);
            }
            Action::Partition => self.partition(host),
            Action::Move => self.move_away(host),
            Action::Weather => {
                self.network.conditions = self.dice.pick(&[
                    Conditions::LAN,
                    Conditions::HOME,
                    Conditions::HOME,
                    Conditions::FAR,
                    Conditions::BAD,
                ]);
                self.disturb_all();
            }
            Action::Disk => {
                let disk = self.dice.below(3);
                self.hosts[host].disk.slow = disk == 1;
                self.hosts[host].disk.fails = disk == 2;
            }
            Action::Clock => {
                let skew = self.dice.pick(&[0, 0, 30, -30, 3000, -3000, 20_000, -20_000, 400_000]);
                self.hosts[host].wall_offset = skew;
                self.hosts[host].clock_was_right &= skew == 0;
                self.disturb(host);
            }
            Action::Stranger => self.stranger_knocks(host),
            Action::Replay => self.replay(host),
            Action::Invite
            | Action::Call
            | Action::CallEachOther
            | Action::Answer
            | Action::Decline
            | Action::HangUp
            | Action::Presence
            | Action::Ping
            | Action::Delete
            | Action::Decide
            | Action::Rename
            | Action::SeeMissed
            | Action::Block
            | Action::Verify
            | Action::Compare
            | Action::Mute
            | Action::SecondCall => {
                if self.hosts[host].works() {
                    self.click(action, host);
                }
            }
        }
    }

    pub(super) fn call_each_other(&mut self, one: usize) {
        let other = self.dice.index(self.hosts.len());
        let (Some(there), Some(back)) = (
            self.hosts[one].contact_for(other).map(|contact| contact.id),
            self.hosts[other].contact_for(one).map(|contact| contact.id),
        ) else {
            return;
        };
        self.command(
            one,
            Command::StartCall {
                contact: there,
                media: VIDEO,
            },
            Then::Nothing,
        );
        let (after, run) = (self.dice.ms(0, 200), self.hosts[other].run);
        let command = Command::StartCall {
            contact: back,
            media: VIDEO,
        };
        self.later(
            after,
            Happening::Do {
                host: other,
                run,
                command,
                then: Then::Nothing,
            },
        );
    }

    fn crash_for_a_while(&mut self, host: usize, in_order: bool) {
        if in_order {
            self.leave(host);
        } else {
            self.crash(host);
        }
        let pause = if self.dice.chance(70) {
            self.dice.ms(5, 5000)
        } else {
            self.dice.ms(5000, 600_000)
        };
        self.later(pause, Happening::Start { host });
    }

    fn partition(&mut self, one: usize) {
        let other = self.dice.index(self.hosts.len());
        if one == other {
            return;
        }
        self.block(one, other);
        if self.dice.chance(70) {
            self.block(other, one);
        }
        let time = match self.dice.below(3) {
            0 => self.dice.ms(100, 5000),
            1 => self.dice.ms(5000, 40_000),
            _ => self.dice.ms(40_000, 300_000),
        };
        self.later(time, Happening::Hear { one, other });
    }

    /// Somebody rings at this host: its user decides.
    pub(super) fn react(&mut self, host: usize, call: CallId) {
        if !self.lively {
            return;
        }
        let command = match self.dice.below(100) {
            0..55 => Command::Answer { call },
            55..75 => Command::Decline { call },
            75..80 => Command::HangUp { call },
            _ => return,
        };
        let (after, run) = (self.dice.ms(100, 7000), self.hosts[host].run);
        self.later(
            after,
            Happening::Do {
                host,
                run,
                command,
                then: Then::Nothing,
            },
        );
    }

    /// Whoever started a call, or is in one, may end it after a while.
    pub(super) fn tire(&mut self, host: usize, call: CallId, state: CallState) {
        let chance = match state {
            CallState::Dialing => 10,
            CallState::Ringing => 20,
            CallState::Active => 60,
            CallState::Ended => 0,
        };
        if self.lively && self.dice.chance(chance) {
            let (after, run) = (self.dice.ms(0, 30_000), self.hosts[host].run);
            self.later(
                after,
                Happening::Do {
                    host,
                    run,
                    command: Command::HangUp { call },
                    then: Then::Nothing,
                },
            );
        }
    }

    /// All is well from here on: everybody is up, awake and heard, and disks work.
    pub(crate) fn calm(&mut self) {
        note!(self, "== calm");
        self.actions_left = 0;
        self.lively = false;
        self.network.unblock_all();
        self.network.conditions = Conditions::HOME;
        for host in 0..self.hosts.len() {
            self.hosts[host].disk.slow = false;
            self.hosts[host].disk.fails = false;
            if self.hosts[host].asleep {
                self.later(Duration::ZERO, Happening::Wake { host });
            }
            self.later(Duration::from_millis(10), Happening::Start { host });
        }
        self.disturb_all();
    }
}
