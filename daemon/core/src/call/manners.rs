//! What keeps a phone polite: nobody rings all the time, and both sides see whose microphone or camera is off.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::bounds;
use crate::call::{Calls, Deed, Phase};
use crate::command::Media;
use crate::ids::{CallId, ContactId};
use crate::message::{Message, Sends};

/// When each contact rang here without being answered since.
#[derive(Debug, Default)]
pub(super) struct Rings(BTreeMap<ContactId, VecDeque<Duration>>);

impl Rings {
    /// A contact begins to ring.
    pub(super) fn rang(&mut self, contact: ContactId, now: Duration) {
        let times = self.0.entry(contact).or_default();
        times.push_back(now);
        if times.len() > bounds::RINGS {
            times.pop_front();
        }
    }

    /// Both talk: whatever rang before is forgiven.
    pub(super) fn answered(&mut self, contact: ContactId) {
        self.0.remove(&contact);
    }

    fn is_used_up(&self, contact: ContactId) -> bool {
        self.0.get(&contact).is_some_and(|times| times.len() >= bounds::RINGS)
    }

    /// Forgets what is older than the window.
    pub(super) fn forget(&mut self, now: Duration) {
        for times in self.0.values_mut() {
            times.retain(|at| now < *at + bounds::RINGS_WINDOW);
        }
        self.0.retain(|_, times| !times.is_empty());
    }

    /// When somebody may ring again.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        let full = self.0.values().filter(|times| times.len() >= bounds::RINGS);
        full.filter_map(VecDeque::front)
            .map(|oldest| *oldest + bounds::RINGS_WINDOW)
            .min()
    }
}

impl Calls {
    /// Whether a contact has rung so often, unanswered, that it does not ring for a while.
    #[must_use]
    pub fn is_quiet(&self, contact: ContactId) -> bool {
        self.manners.is_used_up(contact)
    }

    /// Our page says what it sends at the moment. False where the call is over.
    pub fn set_sends(&mut self, id: CallId, audio: Option<bool>, video: Option<bool>) -> bool {
        let Some(call) = self.all.get_mut(&id).filter(|call| !call.is_over()) else {
            return false;
        };
        let before = call.sends;
        call.sends.audio = audio.unwrap_or(before.audio);
        call.sends.video = video.unwrap_or(before.video);
        if call.sends != before {
            let is_active = matches!(call.phase, Phase::Active { .. });
            self.deeds.push(Deed::Changed(id));
            if is_active {
                self.tell_sends(id);
            }
        }
        true
    }

    pub(super) fn tell_sends(&mut self, id: CallId) {
        let Some(call) = self.all.get(&id) else { return };
        let (contact, Media { audio, video }) = (call.contact, call.sends_told());
        self.tell(contact, Message::Sends(Sends { call: id, audio, video }));
    }

    pub(super) fn sends_there(&mut self, from: ContactId, sends: &Sends) {
        let call = self.all.get_mut(&sends.call);
        let Some(call) = call.filter(|call| call.contact == from && !call.is_over()) else {
            return;
        };
        (call.peer_sends.audio, call.peer_sends.video) = (sends.audio, sends.video);
        self.deeds.push(Deed::Changed(sends.call));
    }
}
