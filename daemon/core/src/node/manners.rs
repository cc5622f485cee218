//! Who is not heard: blocked contacts, and those who have used up their rings.
//!
//! A blocked contact meets silence. No key of its opens a knock, its devices are no peers, its link is closed as if the
//! path had gone silent; it sees what it would see of a machine that was switched off.

use std::collections::BTreeSet;

use super::commands::{Outcome, Result};
use super::stored::Undo;
use super::{Node, Stage};
use crate::bounds::{self, close_code};
use crate::command::{Refusal, Reply};
use crate::event::Event;
use crate::ids::{ContactId, DeviceKey, LinkId};
use crate::io::Output;
use crate::time::Now;

impl Node {
    /// Blocks a contact, or takes that back.
    pub(super) fn block(&mut self, id: ContactId, blocked: bool, now: Now) -> Result {
        let contact = self.state.contact_mut(id).ok_or(Refusal::NotFound)?;
        if contact.blocked == blocked {
            return Ok(Outcome::Reply(Reply::Contact(id)));
        }
        contact.blocked = blocked;
        self.apply_block(id, now);
        if blocked {
            self.rotate_finding(now);
        }
        Ok(Outcome::Store(
            Reply::Contact(id),
            Some(Event::Contact(id)),
            Undo::RestoreBlock(id, !blocked),
        ))
    }

    /// Says whether a contact's calls are answered by one click.
    pub(super) fn set_one_click(&mut self, id: ContactId, one_click: bool) -> Result {
        let contact = self.state.contact_mut(id).ok_or(Refusal::NotFound)?;
        let before = contact.one_click.replace(one_click);
        Ok(Outcome::Store(
            Reply::Contact(id),
            Some(Event::Contact(id)),
            Undo::RestoreOneClick(id, before),
        ))
    }

    /// Makes of a contact's devices what its mark says.
    pub(super) fn apply_block(&mut self, id: ContactId, now: Now) {
        if self.state.contact(id).is_some_and(|contact| contact.blocked) {
            self.silence(id, now);
        } else {
            self.meet_all();
            self.search_for(id, now);
        }
    }

    /// Ends everything that is under way with a blocked contact.
    fn silence(&mut self, id: ContactId, now: Now) {
        let speaks = self.calls.is_busy_with(id);
        self.end_calls_with(id, now);
        for device in self.devices_of(id) {
            let peer = self.peers.remove(&device);
            let token = peer.and_then(|peer| peer.admitted);
            self.out.extend(token.map(|token| Output::Revoke { token }));
            self.silence_device(&device, speaks, now);
        }
        self.keyring_stale = true;
    }

    /// Ends every call with somebody who is a contact no more, or not to be heard, through a door as well.
    pub(super) fn end_calls_with(&mut self, id: ContactId, now: Now) {
        self.calls.forget_contact(id, now.boot);
        self.leave_visits_of(id, now);
        self.perform_deeds(now);
    }

    /// The devices of a contact that are peers.
    pub(super) fn devices_of(&self, id: ContactId) -> Vec<DeviceKey> {
        let peers = self.peers.values().filter(|peer| peer.contact == Some(id));
        peers.map(|peer| peer.device).collect()
    }

    /// The end of a call gets a moment to arrive; nothing else does.
    fn silence_device(&mut self, device: &DeviceKey, speaks: bool, now: Now) {
        let links = self.links.values().filter(|link| link.peer == *device);
        let links: Vec<LinkId> = links.map(|link| link.id).collect();
        for id in links {
            if let Some(link) = self.links.get_mut(&id).filter(|_| speaks) {
                link.closing = Some((now.boot + bounds::LAST_WORDS, close_code::SILENT));
            } else {
                self.close(id, close_code::SILENT, now);
            }
        }
    }

    /// Whether this device would ring if this far device called.
    pub(super) fn rings_for(&self, device: &DeviceKey) -> bool {
        self.state.will_ring && !self.quiet.contains(device)
    }

    /// Tells devices whose rings are used up, or no longer, whether a call of theirs would ring: no dot is to lie.
    pub(super) fn notice_quiet(&mut self, now: Now) {
        let quiet = self
            .peers
            .values()
            .filter(|peer| peer.contact.is_some_and(|contact| self.calls.is_quiet(contact)));
        let quiet: BTreeSet<DeviceKey> = quiet.map(|peer| peer.device).collect();
        if quiet == self.quiet {
            return;
        }
        let changed: Vec<DeviceKey> = quiet.symmetric_difference(&self.quiet).copied().collect();
        self.quiet = quiet;
        for device in changed {
            self.tell_whether_it_rings(&device, now);
        }
    }

    fn tell_whether_it_rings(&mut self, device: &DeviceKey, now: Now) {
        let rings = self.rings_for(device);
        let Some(peer) = self.peers.get(device) else { return };
        let link = peer.link.and_then(|link| self.links.get_mut(&link));
        if let Some(link) = link.filter(|link| link.stage == Stage::Ready) {
            let ask = Output::SendAlive {
                link: link.id,
                bytes: link.keepalive.ask(rings, now.boot),
            };
            self.out.push_back(ask);
        }
        self.out
            .extend(peer.contact.map(|id| Output::Event(Event::Contact(id))));
    }

    /// What a second caller meets during a call.
    pub(super) fn set_second_call(&mut self, waits: bool) -> Outcome {
        let undo = Undo::RestoreSecondCall(std::mem::replace(&mut self.state.second_call_waits, waits));
        Outcome::Store(Reply::Done, Some(Event::Me), undo)
    }
}
