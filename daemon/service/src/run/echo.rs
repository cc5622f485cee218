//! Echo: answers every call of a contact after it rang for a second, and returns every packet at once. A stranger at the
//! door is never answered by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use twocan_core::command::Command;
use twocan_core::event::{CallState, Snapshot};
use twocan_core::ids::CallId;

use crate::leg::echo::EchoLeg;
use crate::leg::gate::Gates;

/// How long Echo lets it ring.
const RINGS: Duration = Duration::from_secs(1);

/// The behaviour of an echo daemon. Like a user it acts on what the snapshot shows, and only by commands.
#[derive(Debug, Default)]
pub(super) struct Echo {
    answer_at: BTreeMap<CallId, Duration>,
}

impl Echo {
    /// Looks at the calls; takes note of those that have begun to ring.
    pub(super) fn look(&mut self, snapshot: &Snapshot, gates: &Gates, now: Duration) {
        let rings = |call: CallId| {
            let listed = snapshot.calls.iter().find(|listed| listed.id == call);
            listed.is_some_and(|listed| {
                listed.incoming && listed.stranger.is_none() && listed.state == CallState::Ringing
            })
        };
        self.answer_at.retain(|call, _| rings(*call));
        for call in snapshot.calls.iter().map(|call| call.id).filter(|call| rings(*call)) {
            self.answer_at.entry(call).or_insert_with(|| {
                if EchoLeg::attach(gates, call).is_err() {
                    tracing::debug!("the call ended before it was echoed");
                }
                now + RINGS
            });
        }
    }

    /// When it acts next.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.answer_at.values().min().copied()
    }

    /// What it does now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Command> {
        let due: Vec<CallId> = self
            .answer_at
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(call, _)| *call)
            .collect();
        for call in &due {
            self.answer_at.remove(call);
        }
        due.into_iter().map(|call| Command::Answer { call }).collect()
    }
}
