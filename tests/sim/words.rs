//! Inputs and outputs in a few words, for the trace of a failing seed.

use twocan_core::io::{Input, Output};
use twocan_core::message::Frame;

fn frame(bytes: &[u8]) -> String {
    match Frame::parse(bytes) {
        Ok((frame, message)) => {
            let text = format!("{message:?}");
            let text: String = text.chars().take(90).collect();
            format!("#{} ack {} {text}", frame.number, frame.ack)
        }
        Err(_) => "garbage".to_owned(),
    }
}

/// Whether an input is worth a line: keep-alives are many and rarely the matter.
pub(crate) const fn is_told(input: &Input) -> bool {
    !matches!(input, Input::Rtt { .. } | Input::Alive { .. })
}

pub(crate) fn input(input: &Input) -> String {
    match input {
        Input::Datagram { from, bytes, .. } => format!("knock of {} from {from}", bytes.len()),
        Input::Krpc { from, bytes } => format!("KRPC of {} from {from}", bytes.len()),
        Input::Stun { from, bytes, .. } => format!("STUN of {} from {from}", bytes.len()),
        Input::Control { link, bytes } => format!("{link:?} {}", frame(bytes)),
        Input::LinkUp(up) => format!("{:?} up with {:?} dial {:?}", up.link, up.peer, up.dial),
        Input::Interfaces(_)
        | Input::Relays { .. }
        | Input::OneClick { .. }
        | Input::Turn { .. }
        | Input::StunServers(_)
        | Input::Mapping(_)
        | Input::DhtNodes(_)
        | Input::Resumed
        | Input::DialFailed { .. }
        | Input::TurnedAway { .. }
        | Input::Visitor { .. }
        | Input::LinkDown { .. }
        | Input::Alive { .. }
        | Input::Rtt { .. }
        | Input::Moved { .. }
        | Input::Leg { .. }
        | Input::Stored { .. }
        | Input::StoreFailed { .. }
        | Input::Command { .. }
        | Input::Means(_)
        | Input::DhtAnswer { .. }
        | Input::LanSeen { .. }
        | Input::Going => format!("{input:?}").chars().take(140).collect(),
    }
}

pub(crate) fn output(output: &Output) -> String {
    match output {
        Output::Transmit { to, bytes, .. } => format!("packet of {} to {to}", bytes.len()),
        Output::Send { link, bytes } => format!("{link:?} {}", frame(bytes)),
        Output::SendAlive { link, .. } => format!("{link:?} alive"),
        Output::Store { generation, .. } => format!("store {generation}"),
        Output::FindStunServers
        | Output::FindDhtNodes
        | Output::AskPortMapper
        | Output::Admit { .. }
        | Output::Revoke { .. }
        | Output::OpenSpares { .. }
        | Output::CloseSpares { .. }
        | Output::Dial { .. }
        | Output::Close { .. }
        | Output::OpenDoor { .. }
        | Output::CloseDoor
        | Output::LetIn { .. }
        | Output::TurnAway { .. }
        | Output::DialDoor { .. }
        | Output::UseRelay { .. }
        | Output::LeaveRelay { .. }
        | Output::Forward(_)
        | Output::EndForward { .. }
        | Output::Turn { .. }
        | Output::Route { .. }
        | Output::FarTakes { .. }
        | Output::OpenGate { .. }
        | Output::EndMedia { .. }
        | Output::Reply { .. }
        | Output::Query(_)
        | Output::Event(_) => format!("{output:?}").chars().take(140).collect(),
    }
}
