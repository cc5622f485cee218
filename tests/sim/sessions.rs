//! Sessions alone: whatever connections do, each message is applied once and in order.
//!
//! Two ends exchange numbered messages over connections that break at any moment, with frames in flight lost; now and
//! then an end forgets everything, as a restarted daemon does. What is applied at one end must be what the other end
//! sent, in order, without repeats; a gap is allowed only where an end forgot.

use std::collections::VecDeque;

use twocan_core::ids::CallId;
use twocan_core::message::{Frame, Hello, Message, OfCall};
use twocan_core::session::{Receipt, Session};

use super::dice::Dice;
use super::watch::{Invariant, Violation};

/// What a faulty connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Frames come a second time under a new number.
    Renumbers,
    /// A frame vanishes while the connection stands.
    Loses,
    /// A frame and its successor change places, numbers aside.
    Swaps,
}

/// One end.
struct End {
    session: Session,
    /// Counts the times it forgot.
    life: u64,
    sent: u64,
    /// What the far end has applied of this end's messages: the life and the count.
    applied: Option<(u64, u64)>,
    /// Frames on their way to the far end.
    wire: VecDeque<Vec<u8>>,
}

fn numbered(life: u64, count: u64) -> Message {
    let mut name = [0; 16];
    name[..8].copy_from_slice(&life.to_be_bytes());
    name[8..].copy_from_slice(&count.to_be_bytes());
    Message::Renew(OfCall { call: CallId(name) })
}

fn number_of(message: &Message) -> Option<(u64, u64)> {
    let Message::Renew(of) = message else { return None };
    let part = |at: usize| u64::from_be_bytes(of.call.0[at..at + 8].try_into().unwrap());
    Some((part(0), part(8)))
}

impl End {
    fn new(dice: &mut Dice, life: u64) -> Self {
        Self {
            session: Session::new(dice.bytes()),
            life,
            sent: 0,
            applied: None,
            wire: VecDeque::new(),
        }
    }

    fn hello(&self) -> Hello {
        let memory = self.session.memory();
        Hello {
            list: twocan_core::identity::SignedList {
                list: Vec::new(),
                signature: Vec::new(),
            },
            session: memory.session,
            remembers: memory.remembers,
            received: memory.received,
            addresses: Vec::new(),
            keys: Vec::new(),
            redeem: None,
            held: false,
            through_server: None,
            time: None,
            nat: twocan_core::reach::nat_report::NatKind::Unknown,
        }
    }

    fn acknowledge(&mut self) {
        let ack = self.session.send(Message::Ack).unwrap();
        self.wire.push_back(ack.to_bytes());
    }

    fn say(&mut self, connected: bool) {
        let Ok(frame) = self.session.send(numbered(self.life, self.sent + 1)) else {
            return;
        };
        self.sent += 1;
        if connected {
            self.wire.push_back(frame.to_bytes());
        }
    }
}

/// Runs one seed; what went wrong, if anything.
pub(crate) fn run(seed: u64, fault: Option<Fault>) -> Result<(), Violation> {
    let mut dice = Dice::new(seed);
    let mut ends = [End::new(&mut dice, 1), End::new(&mut dice, 1)];
    let mut connected = false;
    for _ in 0..300 {
        let side = dice.index(2);
        match dice.below(100) {
            0..40 => ends[side].say(connected),
            40..85 if connected => deliver(&mut ends, side, &mut dice, fault)?,
            85..92 => {
                connected = true;
                connect(&mut ends);
            }
            92..97 => {
                connected = false;
                ends.iter_mut().for_each(|end| end.wire.clear());
            }
            97.. if dice.chance(30) => {
                connected = false;
                ends.iter_mut().for_each(|end| end.wire.clear());
                let (life, applied) = (ends[side].life + 1, ends[side].applied);
                ends[side] = End::new(&mut dice, life);
                ends[side].applied = applied;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A new connection: both say hello, and resend where the session goes on.
fn connect(ends: &mut [End; 2]) {
    let hellos = [ends[0].hello(), ends[1].hello()];
    for (side, end) in ends.iter_mut().enumerate() {
        end.wire.clear();
        let goes_on = end.session.meet(&hellos[1 - side]);
        if !goes_on {
            // What was not acknowledged is gone: the far end may see a gap from here on.
            end.life += 1;
            end.sent = 0;
        }
        end.wire.extend(end.session.resend().iter().map(Frame::to_bytes));
    }
}

fn deliver(ends: &mut [End; 2], from: usize, dice: &mut Dice, fault: Option<Fault>) -> Result<(), Violation> {
    if fault == Some(Fault::Swaps) && ends[from].wire.len() > 1 && dice.chance(20) {
        swap_bodies(&mut ends[from].wire);
    }
    let Some(bytes) = ends[from].wire.pop_front() else {
        return Ok(());
    };
    if fault == Some(Fault::Loses) && dice.chance(20) {
        return Ok(());
    }
    apply(ends, from, &bytes)?;
    if fault == Some(Fault::Renumbers) && dice.chance(20) {
        let (frame, message) = opened(&bytes);
        apply(
            ends,
            from,
            &Frame::new(frame.number + 1, frame.ack, &message).to_bytes(),
        )?;
    }
    Ok(())
}

fn swap_bodies(wire: &mut VecDeque<Vec<u8>>) {
    let (first, one) = opened(&wire[0]);
    let (second, other) = opened(&wire[1]);
    if first.number > 0 && second.number > 0 {
        wire[0] = Frame::new(first.number, first.ack, &other).to_bytes();
        wire[1] = Frame::new(second.number, second.ack, &one).to_bytes();
    }
}

fn apply(ends: &mut [End; 2], from: usize, bytes: &[u8]) -> Result<(), Violation> {
    let (frame, message) = opened(bytes);
    let receipt = ends[1 - from]
        .session
        .receive(&frame)
        .map_err(|_| broken(Invariant::SessionGap, format!("a gap before {}", frame.number)))?;
    let Some((life, count)) = number_of(&message).filter(|_| receipt == Receipt::Fresh) else {
        return Ok(());
    };
    let is_next = match ends[from].applied {
        Some((known, before)) if known == life => count == before + 1,
        Some((known, _)) => life > known && count == 1,
        None => count == 1,
    };
    ends[from].applied = Some((life, count));
    ends[1 - from].acknowledge();
    if is_next {
        Ok(())
    } else {
        let text = format!("message {count} of life {life} was applied out of turn");
        Err(broken(Invariant::SessionOrder, text))
    }
}

fn opened(bytes: &[u8]) -> (Frame, Message) {
    Frame::parse(bytes).unwrap()
}

const fn broken(invariant: Invariant, text: String) -> Violation {
    Violation { invariant, text }
}
