//! The media side of the shells: routes, legs that come and go, and the gate.

use twocan_core::ids::{CallId, LegId, LinkId};
use twocan_core::io::LegFact;
use twocan_core::media::formats::Formats;

use super::happening::Happening;
use super::host::Gate;
use super::mutant::Mutant;
use super::world::World;

impl World {
    pub(super) fn route(&mut self, index: usize, call: CallId, link: LinkId) {
        let is_new = !self.hosts[index].shell.gates.contains_key(&call);
        let gate = self.hosts[index].shell.gates.entry(call).or_default();
        gate.routed = true;
        gate.link = Some(link);
        if is_new && self.is(Mutant::EarlyGate) {
            self.open_gate(index, call);
        }
        if is_new && self.lively && self.dice.chance(80) {
            let leg = self.new_leg(index);
            let after = self.dice.ms(30, 400);
            let run = self.hosts[index].run;
            self.later(
                after,
                Happening::Leg {
                    host: index,
                    run,
                    call,
                    leg,
                    fact: LegFact::Warm(Some(Formats::ALL)),
                },
            );
            if self.dice.chance(8) {
                let after = after + self.dice.ms(500, 20_000);
                self.later(
                    after,
                    Happening::Leg {
                        host: index,
                        run,
                        call,
                        leg,
                        fact: LegFact::Lost,
                    },
                );
                if self.dice.chance(50) {
                    let (after, leg) = (after + self.dice.ms(500, 9000), self.new_leg(index));
                    self.later(
                        after,
                        Happening::Leg {
                            host: index,
                            run,
                            call,
                            leg,
                            fact: LegFact::Warm(Some(Formats::ALL)),
                        },
                    );
                }
            }
        }
    }

    pub(super) fn new_leg(&mut self, index: usize) -> LegId {
        let shell = &mut self.hosts[index].shell;
        shell.legs += 1;
        LegId(shell.legs)
    }

    pub(super) fn open_gate(&mut self, index: usize, call: CallId) {
        self.hosts[index].shell.gates.entry(call).or_default().opened += 1;
        self.watch_gate(index, call);
    }

    pub(super) fn end_media(&mut self, index: usize, call: CallId) {
        if self.is(Mutant::LosesEndMedia) {
            return;
        }
        let gate: &mut Gate = self.hosts[index].shell.gates.entry(call).or_default();
        gate.ended += if self.mutant == Some(Mutant::RepeatsEndMedia) {
            2
        } else {
            1
        };
        self.watch_end_media(index, call);
        if self.is(Mutant::GateAfterEnd) {
            self.open_gate(index, call);
        }
    }

    /// Whether media of a call passes both ways between two hosts at this moment.
    pub(crate) fn media_passes(&self, call: CallId, one: usize, other: usize) -> bool {
        self.media_reaches(call, one, other) && self.media_reaches(call, other, one)
    }

    fn media_reaches(&self, call: CallId, from: usize, to: usize) -> bool {
        let shell = &self.hosts[from].shell;
        let gate = shell.gates.get(&call).filter(|gate| gate.opened > 0 && gate.ended == 0);
        let link = gate.and_then(|gate| shell.links.get(&gate.link?).copied());
        link.is_some_and(|(conn, side)| {
            let far = &self.conns[conn].ends[1 - side];
            far.host == to && far.is_open() && self.passes(conn, side)
        })
    }
}
