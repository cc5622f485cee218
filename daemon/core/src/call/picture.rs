//! In which formats a picture may go each way, and whether ours does.
//!
//! Each side says what its receiving legs can show, once both talk and whenever that changes; before it has, anything
//! may be sent. A picture that is held back here is shown over there as a camera that is off.

use crate::call::{Call, Calls, Deed, Phase};
use crate::command::Media;
use crate::ids::{CallId, ContactId, LegId};
use crate::media::formats::Formats;
use crate::media::outlet::Held;
use crate::message::{Message, Takes};

/// What a call knows of its pictures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Picture {
    /// What the far side can show, once it has said so.
    pub far: Option<Formats>,
    /// What we said that we can.
    told: Option<Formats>,
    /// The leg whose picture is held back, and why.
    pub held: Option<(LegId, Held)>,
    /// What clients and the far side know of [`Self::held`].
    told_held: Option<Held>,
}

impl Picture {
    pub(super) fn hold(&mut self, leg: LegId, held: Option<Held>) {
        self.held = match held {
            Some(why) => Some((leg, why)),
            None => self.held.filter(|(other, _)| *other != leg),
        };
    }
}

impl Call {
    /// What our receiving legs can all show; `None` while there is none.
    fn own_takes(&self) -> Option<Formats> {
        let receivers = || self.legs.values().copied().flatten();
        receivers().next()?;
        Some(Formats::common(receivers()))
    }

    /// What the far side is told that we send.
    pub(super) const fn sends_told(&self) -> Media {
        Media {
            audio: self.sends.audio,
            video: self.sends.video && self.picture.held.is_none(),
        }
    }
}

impl Calls {
    /// Says what has changed about the pictures of a call.
    pub(super) fn picture_changed(&mut self, id: CallId) {
        let Some(call) = self.all.get_mut(&id) else { return };
        let Phase::Active { .. } = call.phase else { return };
        let contact = call.contact;
        let held = call.picture.held.map(|(_, why)| why);
        let held_changed = std::mem::replace(&mut call.picture.told_held, held) != held;
        let fresh = call.own_takes().filter(|takes| call.picture.told != Some(*takes));
        call.picture.told = fresh.or(call.picture.told);
        if let Some(takes) = fresh {
            let video = takes.payload_types();
            self.tell(contact, Message::Takes(Takes { call: id, video }));
        }
        if held_changed {
            self.tell_sends(id);
            self.deeds.push(Deed::Changed(id));
        }
    }

    pub(super) fn takes_there(&mut self, from: ContactId, takes: &Takes) {
        let call = self.all.get_mut(&takes.call);
        let Some(call) = call.filter(|call| call.contact == from && !call.is_over()) else {
            return;
        };
        let formats = Formats::from_payload_types(&takes.video);
        call.picture.far = Some(formats);
        self.deeds
            .extend([Deed::FarTakes(takes.call, formats), Deed::Changed(takes.call)]);
    }
}
