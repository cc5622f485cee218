//! What time does to calls: leases, renewals, silent paths, lost pages, forgetting.

use std::time::Duration;

use crate::bounds;
use crate::call::end_reason::WireReason;
use crate::call::{Calls, Deed, EndReason, FailCode, PathFacts, Phase};
use crate::event::WhyNot;
use crate::ids::{CallId, ContactId};

impl Calls {
    /// Does what is due. `facts` tells of a contact's path.
    pub fn poll(&mut self, facts: &dyn Fn(ContactId) -> PathFacts, now: Duration) {
        let ids: Vec<CallId> = self.all.keys().copied().collect();
        for id in ids {
            self.poll_one(id, facts, now);
        }
        let forgotten: Vec<CallId> = self
            .all
            .values()
            .filter(|call| call.is_forgotten(now))
            .map(|call| call.id)
            .collect();
        for id in forgotten {
            self.all.remove(&id);
            self.deeds.push(Deed::Changed(id));
        }
        self.manners.forget(now);
    }

    /// When [`Self::poll`] has something to do next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        let calls = self.all.values().filter_map(super::Call::next_timeout);
        calls.chain(self.manners.next_timeout()).min()
    }

    fn poll_one(&mut self, id: CallId, facts: &dyn Fn(ContactId) -> PathFacts, now: Duration) {
        let Some(call) = self.all.get(&id) else { return };
        if call.is_over() {
            return;
        }
        let path = facts(call.contact);
        if call.legs_deadline().is_some_and(|due| now >= due) {
            return self.end(id, EndReason::Failed(FailCode::LegLost), Some(WireReason::HungUp), now);
        }
        let (incoming, contact, born) = (call.incoming, call.contact, call.born);
        match call.phase {
            Phase::Dialing { rung } => self.poll_dialing(id, rung, &path, born, now),
            Phase::Ringing { since, lease } if incoming => self.poll_rung(id, since, lease, now),
            Phase::Ringing { since, lease } => self.poll_ringing(id, contact, &path, since, lease, now),
            Phase::Active { alive } => self.poll_active(id, &path, alive, now),
            Phase::Ended { .. } => {}
        }
    }

    fn poll_dialing(&mut self, id: CallId, rung: bool, path: &PathFacts, born: Duration, now: Duration) {
        if now >= born + bounds::DIAL {
            let why = if rung { WhyNot::NoAnswer } else { path.why_not };
            let tell = rung.then_some(WireReason::Cancelled);
            self.end(id, EndReason::Unreachable(why), tell, now);
        }
    }

    fn poll_rung(&mut self, id: CallId, since: Duration, lease: Duration, now: Duration) {
        if now >= lease {
            self.end(id, EndReason::Missed, None, now);
        } else if now >= since + bounds::RING {
            self.end(id, EndReason::Missed, Some(WireReason::Missed), now);
        }
    }

    fn poll_ringing(
        &mut self,
        id: CallId,
        with: ContactId,
        path: &PathFacts,
        since: Duration,
        lease: Duration,
        now: Duration,
    ) {
        let alive = path.last_proof.map_or(since, |proof| proof.max(since));
        if now >= since + bounds::RING {
            self.end(id, EndReason::Missed, Some(WireReason::Missed), now);
        } else if now >= alive + bounds::RING_LEASE {
            // The callee's lease has run out as well by now.
            self.end(
                id,
                EndReason::Unreachable(WhyNot::Silent),
                Some(WireReason::Missed),
                now,
            );
        } else if now >= lease {
            self.renew(id, with, now);
        }
    }

    fn poll_active(&mut self, id: CallId, path: &PathFacts, alive: Duration, now: Duration) {
        let alive = path.last_proof.map_or(alive, |proof| proof.max(alive));
        let silent = now.saturating_sub(alive);
        if silent >= bounds::LOST {
            return self.end(
                id,
                EndReason::Lost {
                    after_s: silent.as_secs(),
                },
                Some(WireReason::Lost),
                now,
            );
        }
        let Some(call) = self.all.get_mut(&id) else { return };
        call.phase = Phase::Active { alive };
        let reconnecting = silent >= bounds::RECONNECTING;
        if call.reconnecting != reconnecting {
            call.reconnecting = reconnecting;
            self.deeds.push(Deed::Changed(id));
        }
    }
}
