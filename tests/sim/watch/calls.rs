//! Calls: consent before media, one end each, and never one side alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use twocan_core::bounds;
use twocan_core::call::EndReason;
use twocan_core::event::{CallState, CallView};
use twocan_core::ids::{CallId, ContactId};

use super::invariant::Invariant;
use crate::sim::network::SLOWEST;
use crate::sim::world::World;

/// A call that ended on one side of a pair that is linked and undisturbed ends on the other within this time.
const SOON: Duration = Duration::from_secs(3);
/// The same where the network loses packets.
const SOON_LOSSY: Duration = Duration::from_secs(12);
/// A call that ended on one side ends on the other within this time, whatever happens: the path is silent for so long, or
/// stands and says so.
const AT_LAST: Duration = Duration::from_secs(2 * bounds::LOST.as_secs() + 10);
/// Undisturbed means: for this long before.
const CALM: Duration = Duration::from_secs(10);

/// What is known of one call.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    caller: usize,
    callee: Option<usize>,
    pub(crate) began: Duration,
    /// Where it stands at each side that lists it.
    pub(crate) states: BTreeMap<usize, CallState>,
    pub(crate) reasons: BTreeMap<usize, EndReason>,
    /// Since when it is over, or gone with a daemon, at each side.
    over: BTreeMap<usize, Duration>,
    /// When it began to ring.
    rang: Option<Duration>,
    /// Who pressed call or answer for it.
    consents: BTreeSet<usize>,
}

impl World {
    pub(super) fn look_at_calls(&mut self, index: usize, calls: Vec<CallView>) {
        let fresh: BTreeMap<CallId, CallView> = calls.into_iter().map(|call| (call.id, call)).collect();
        let before = std::mem::replace(&mut self.hosts[index].seen.calls, fresh.clone());
        for (id, call) in &fresh {
            let was = before.get(id).map(|call| call.state);
            if was != Some(call.state) {
                self.watch_call(index, call, was);
            }
        }
        let open: Vec<&CallView> = fresh.values().filter(|call| call.state != CallState::Ended).collect();
        let is_waiting = |call: &&CallView| call.incoming && call.state == CallState::Ringing;
        let may_wait = self.watch.lets_wait[index]
            && open.len() == 2
            && open.iter().filter(|call| call.state == CallState::Active).count() == 1
            && open.iter().any(is_waiting);
        if open.len() > 1 && !may_wait {
            let text = format!("host {index} has {} calls at once", open.len());
            self.fail(Invariant::OneCall, text);
        }
    }

    fn watch_call(&mut self, index: usize, call: &CallView, was: Option<CallState>) {
        let people = &self.hosts[index].seen.people;
        let peer = match &call.stranger {
            Some(stranger) => self.hosts.iter().position(|host| host.address == stranger.address),
            None => call.contact.and_then(|contact| people.get(&contact).copied()),
        };
        let (caller, callee) = if call.incoming {
            (peer, Some(index))
        } else {
            (Some(index), peer)
        };
        let Some(caller) = caller else { return };
        let now = self.now;
        let story = self.watch.stories.entry(call.id).or_insert_with(|| Story {
            caller,
            callee,
            began: now,
            states: BTreeMap::new(),
            reasons: BTreeMap::new(),
            over: BTreeMap::new(),
            rang: None,
            consents: BTreeSet::from([caller]),
        });
        story.callee = story.callee.or(callee);
        story.states.insert(index, call.state);
        if let Some(reason) = call.reason {
            story.reasons.insert(index, reason);
            story.over.entry(index).or_insert(now);
        }
        if call.state == CallState::Ringing && call.incoming {
            story.rang = Some(now);
            self.watch_ring(index, caller);
            self.react(index, call.id);
        }
        self.tire(index, call.id, call.state);
        self.check_media_end(index, call, was);
    }

    fn watch_ring(&mut self, index: usize, caller: usize) {
        if self.hosts[index]
            .contact_for(caller)
            .is_some_and(|contact| contact.blocked)
        {
            self.fail(
                Invariant::Blocked,
                format!("{caller} rings at {index}, where it is blocked"),
            );
        }
        if self.watch.contested[index].contains(&caller) {
            self.fail(
                Invariant::ContestedRings,
                format!("{caller} rings at {index} without its user's decision"),
            );
        }
    }

    fn check_media_end(&mut self, index: usize, call: &CallView, was: Option<CallState>) {
        let gate = self.hosts[index].shell.gates.get(&call.id).copied();
        if call.state != CallState::Ended || (was.is_none() && gate.is_none()) {
            return;
        }
        let ended = gate.unwrap_or_default().ended;
        if ended != 1 {
            self.fail(
                Invariant::EndMedia,
                format!("media of an ended call was ended {ended} times at host {index}"),
            );
        }
    }

    pub(crate) fn watch_end_media(&mut self, index: usize, call: CallId) {
        let ended = self.hosts[index].shell.gates.get(&call).map_or(0, |gate| gate.ended);
        if ended > 1 {
            self.fail(
                Invariant::EndMedia,
                format!("media of a call was ended {ended} times at host {index}"),
            );
        }
    }

    /// Somebody presses call: that is consent to any call between the two from now on.
    pub(super) fn watch_intent(&mut self, index: usize, contact: ContactId) {
        let Some(peer) = self.hosts[index].seen.people.get(&contact).copied() else {
            return;
        };
        for story in self.watch.stories.values_mut() {
            if story.caller == peer
                && story.callee.is_none_or(|callee| callee == index)
                && !story.over.contains_key(&index)
            {
                story.consents.insert(index);
            }
        }
    }

    pub(super) fn watch_answer(&mut self, index: usize, call: CallId) {
        if let Some(story) = self.watch.stories.get_mut(&call) {
            story.consents.insert(index);
        }
    }

    pub(crate) fn watch_gate(&mut self, index: usize, call: CallId) {
        let gate = self.hosts[index].shell.gates.get(&call).copied().unwrap_or_default();
        if gate.opened > 1 || gate.ended > 0 {
            return self.fail(
                Invariant::GateAfterEnd,
                format!("a gate opened twice or after its end at host {index}"),
            );
        }
        let agreed = self.watch.stories.get(&call).is_some_and(|story| {
            let callee = story.callee.unwrap_or(index);
            self.consents(story, story.caller, callee) && self.consents(story, callee, story.caller)
        });
        if !agreed {
            self.fail(
                Invariant::GateBeforeAccept,
                format!("a gate opened at host {index} before both accepted"),
            );
        }
    }

    /// Whether somebody wants this call: by a click for it, or by a call of his own to the other that it replaces.
    fn consents(&self, story: &Story, who: usize, other: usize) -> bool {
        let own_call = |own: &Story| {
            let merged = own.reasons.get(&who) == Some(&EndReason::GlareMerged);
            own.caller == who
                && own.callee.is_none_or(|callee| callee == other)
                && (merged || !own.over.contains_key(&who))
        };
        story.consents.contains(&who) || self.watch.stories.values().any(own_call)
    }

    /// A daemon died or a machine sleeps: its calls renew nothing.
    pub(crate) fn call_side_gone(&mut self, index: usize) {
        let (now, crashed) = (self.now, self.hosts[index].node.is_none());
        for story in self.watch.stories.values_mut() {
            if crashed && story.states.remove(&index).is_some() {
                story.over.entry(index).or_insert(now);
            }
        }
    }

    pub(super) fn check_calls(&mut self) {
        let mut found = None;
        for host in self.hosts.iter().filter(|host| host.works()) {
            for call in host.seen.calls.values().filter(|call| call.state != CallState::Ended) {
                let Some(story) = self.watch.stories.get(&call.id) else {
                    continue;
                };
                found = found.or_else(|| self.judge(host.index, call, story));
            }
        }
        if let Some((invariant, text)) = found {
            self.fail(invariant, text);
        }
    }

    /// A call that goes on at `index`: may it?
    fn judge(&self, index: usize, call: &CallView, story: &Story) -> Option<(Invariant, String)> {
        let other = if index == story.caller {
            story.callee?
        } else {
            story.caller
        };
        let since = *story.over.get(&other)?;
        let woke = self.watch.disturbed[index];
        let lossy = self.network.conditions.loss > 0;
        if call.incoming && call.state == CallState::Ringing {
            let grace = if lossy { SOON_LOSSY } else { 2 * SLOWEST };
            // A RING that was held up is followed by its END at once.
            let limit = (since + bounds::RING_LEASE).max(story.rang.unwrap_or(since)).max(woke) + grace;
            return (self.now > limit).then(|| (Invariant::RingLease, format!("it rings at {index} without a caller")));
        }
        let calm = self.calm_since(index, other) + CALM < since && self.is_joined(index, other);
        let limit = match (calm, lossy) {
            (true, false) => since + SOON,
            (true, true) => since + SOON_LOSSY,
            (false, _) => since.max(self.calm_since(index, other)) + AT_LAST,
        };
        let state = call.state;
        (self.now > limit).then(|| {
            (
                Invariant::BothEnd,
                format!("a call is {state:?} at {index} and over at {other}"),
            )
        })
    }

    /// Whether one of two hosts does not ring for the other, who rang too often.
    pub(crate) fn is_quiet(&self, one: usize, other: usize) -> bool {
        let quiet = |at: usize, to: usize| self.hosts[at].contact_for(to).is_some_and(|contact| contact.quiet);
        quiet(one, other) || quiet(other, one)
    }

    /// Whether two hosts show each other green.
    pub(crate) fn is_linked(&self, one: usize, other: usize) -> bool {
        self.is_green(one, other) && self.is_green(other, one)
    }
}
