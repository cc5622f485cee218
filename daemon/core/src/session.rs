//! A session: numbered control messages between two devices, over one connection after another.
//!
//! Messages are numbered from 1 each way. A message is kept until it is acknowledged, sent again on the next connection
//! if both sides still remember the session, and applied once. When either side has forgotten it (its daemon restarted),
//! both start afresh and what was unacknowledged is gone.

use std::collections::VecDeque;

use crate::bounds;
use crate::message::{End, Frame, Garbage, Hello, Message};

/// One side of a session.
#[derive(Clone, Debug)]
pub struct Session {
    own: [u8; 16],
    peer: Option<[u8; 16]>,
    sent: u64,
    received: u64,
    unacked: VecDeque<(u64, Message)>,
}

/// What a received number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Apply it.
    Fresh,
    /// Applied before.
    Repeated,
}

/// More messages wait for an acknowledgement than the bounds allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many unacknowledged messages")]
pub struct Full;

/// What `hello` says about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Our half of its name.
    pub session: [u8; 16],
    /// The peer's half, as we remember it.
    pub remembers: Option<[u8; 16]>,
    /// The highest number received.
    pub received: u64,
}

impl Session {
    /// A session that the peer does not know yet.
    #[must_use]
    pub const fn new(own: [u8; 16]) -> Self {
        Self {
            own,
            peer: None,
            sent: 0,
            received: 0,
            unacked: VecDeque::new(),
        }
    }

    /// What to say about it in `hello`.
    #[must_use]
    pub const fn memory(&self) -> Memory {
        Memory {
            session: self.own,
            remembers: self.peer,
            received: self.received,
        }
    }

    /// Whether the peer's half of the name is another one than we know: then the peer has started anew.
    #[must_use]
    pub fn is_foreign(&self, half: &[u8; 16]) -> bool {
        self.peer.is_some_and(|known| known != *half)
    }

    /// Numbers a message, and keeps it where it is of the numbered kind.
    ///
    /// # Errors
    /// [`Full`] when the peer has acknowledged nothing for too long.
    pub fn send(&mut self, message: Message) -> Result<Frame, Full> {
        if !message.is_numbered() {
            return Ok(Frame::new(0, self.received, &message));
        }
        if self.unacked.len() >= bounds::UNACKED {
            return Err(Full);
        }
        if let Message::End(end) = &message {
            self.recall(end);
        }
        self.sent += 1;
        let frame = Frame::new(self.sent, self.received, &message);
        self.unacked.push_back((self.sent, message));
        Ok(frame)
    }

    /// Takes note of the peer's `hello`. `true` where the session goes on: then [`Self::resend`] follows.
    pub fn meet(&mut self, hello: &Hello) -> bool {
        let goes_on = self.peer == Some(hello.session) && hello.remembers == Some(self.own);
        if goes_on {
            self.acknowledged(hello.received);
        } else {
            let kept_half = self.own;
            *self = Self::new(kept_half);
            self.peer = Some(hello.session);
        }
        goes_on
    }

    /// Frames that the peer has not acknowledged, to be sent again.
    #[must_use]
    pub fn resend(&self) -> Vec<Frame> {
        self.unacked
            .iter()
            .map(|(number, message)| Frame::new(*number, self.received, message))
            .collect()
    }

    /// Takes note of a received frame.
    ///
    /// # Errors
    /// [`Garbage`] for a number that leaves a gap: the stream is ordered, so the peer is broken.
    pub fn receive(&mut self, frame: &Frame) -> Result<Receipt, Garbage> {
        if frame.ack > self.sent {
            return Err(Garbage);
        }
        self.acknowledged(frame.ack);
        if frame.number == 0 {
            return Ok(Receipt::Fresh);
        }
        if frame.number <= self.received {
            return Ok(Receipt::Repeated);
        }
        if frame.number != self.received + 1 {
            return Err(Garbage);
        }
        self.received = frame.number;
        Ok(Receipt::Fresh)
    }

    /// Takes back a RING that may not have arrived: whoever hears of the call later hears that it is over.
    fn recall(&mut self, end: &End) {
        for (_, message) in &mut self.unacked {
            if matches!(message, Message::Ring(ring) if ring.call == end.call) {
                *message = Message::End(end.clone());
            }
        }
    }

    fn acknowledged(&mut self, up_to: u64) {
        while self.unacked.front().is_some_and(|(number, _)| *number <= up_to) {
            self.unacked.pop_front();
        }
    }
}
