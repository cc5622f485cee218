//! The loop of a shell: an input goes into the core, and every output that comes of it is performed in order.

use twocan_core::io::{Input, Output};
use twocan_core::node::Node;
use twocan_core::reach::via::Via;

use super::delivery::Parcel;
use super::happening::Cause;
use super::mutant::Mutant;
use super::world::{World, note};

impl World {
    pub(crate) fn feed(&mut self, index: usize, input: Input, cause: Cause) {
        if super::words::is_told(&input) {
            note!(self, "{} <- {}", self.hosts[index].name(), super::words::input(&input));
        }
        self.watch_input(index, &input);
        let now = self.shell_clock(index);
        if let Some(node) = &mut self.hosts[index].node {
            node.handle(input, now);
        }
        self.drain(index, cause);
    }

    pub(super) fn drain(&mut self, index: usize, cause: Cause) {
        let mut changed = false;
        let mut sent = 0;
        while let Some(output) = self.hosts[index].node.as_mut().and_then(Node::poll_output) {
            note!(
                self,
                "    {} -> {}",
                self.hosts[index].name(),
                super::words::output(&output)
            );
            changed |= matches!(output, Output::Event(_));
            self.perform(index, output, cause, &mut sent);
        }
        if changed {
            self.look(index);
        }
        self.arm(index);
    }

    pub(super) fn perform(&mut self, index: usize, output: Output, cause: Cause, sent: &mut usize) {
        match output {
            Output::Transmit { to, via, ttl, bytes } => {
                let parcel = Parcel { to, via, ttl, bytes };
                match via {
                    Via::Own | Via::Spare(_) => self.transmit(index, &parcel, cause, sent),
                    Via::Relay(id) => self.transmit_through(index, id, &parcel.bytes),
                    Via::Turn => {}
                }
            }
            Output::UseRelay { .. }
            | Output::LeaveRelay { .. }
            | Output::Forward(_)
            | Output::EndForward { .. }
            | Output::Turn { wanted: _ } => self.perform_relay(index, &output),
            Output::OpenSpares { numbers } => self.hosts[index].shell.spares.extend(numbers),
            Output::CloseSpares { numbers } => {
                let shell = &mut self.hosts[index].shell;
                shell.spares.retain(|spare| !numbers.contains(spare));
            }
            Output::FindStunServers => self.find_stun_servers(index),
            Output::FindDhtNodes => self.find_dht_nodes(index),
            Output::AskPortMapper => {}
            Output::Admit { token, valid_for } => {
                if !self.is(Mutant::DeafDoor) {
                    let until = self.now + valid_for;
                    self.hosts[index].shell.admitted.insert(token, until);
                }
            }
            Output::Revoke { token } => {
                self.hosts[index].shell.admitted.remove(&token);
            }
            Output::Dial {
                dial,
                peer,
                to,
                via,
                token,
                initial_mtu: _,
            } => self.dial(index, dial, peer, (to, via), token),
            Output::OpenDoor { seed, valid_for } => self.open_door(index, &seed, valid_for),
            Output::CloseDoor => self.close_door(index),
            Output::LetIn { visitor } => self.let_in(index, visitor),
            Output::TurnAway { visitor } => self.turn_away(index, visitor),
            Output::DialDoor { dial, to, seed } => self.dial_door(index, dial, to, &seed),
            Output::Close { link, code } => self.close(index, link, code),
            Output::Send { link, bytes } => self.send(index, link, bytes),
            Output::SendAlive { link, bytes } => self.send_alive(index, link, bytes),
            Output::Route {
                call,
                link,
                base: _,
                role: _,
            } => self.route(index, call, link),
            Output::FarTakes { .. } => {}
            Output::OpenGate { call } => self.open_gate(index, call),
            Output::EndMedia { call } => self.end_media(index, call),
            Output::Store { generation, state } => self.store(index, generation, state),
            Output::Reply { id, reply } => self.reply(index, id, &reply),
            Output::Query(query) => self.query(index, query),
            Output::Event(event) => {
                self.watch_told(index, &event);
                self.act_on_event(index, &event);
            }
        }
    }
}
