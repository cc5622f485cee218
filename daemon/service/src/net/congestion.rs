//! The congestion controller of media links: a constant, large window.
//!
//! What a link carries is paced by the browsers at both ends, which measure delay and loss end to end. A second
//! controller below them that shrinks its window on loss halves their bitrate and triples their jitter buffers. The
//! window only bounds what is in flight on a path that has gone silent; control frames are few and small.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use quinn_proto::congestion::{Controller, ControllerFactory};

/// Bytes in flight at most: three seconds at 10 Mbit/s.
const WINDOW: u64 = 4 * 1024 * 1024;

/// The controller, and the factory of itself: it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Constant;

impl Controller for Constant {
    fn on_congestion_event(&mut self, _now: Instant, _sent: Instant, _persistent: bool, _lost_bytes: u64) {}

    fn on_mtu_update(&mut self, _new_mtu: u16) {}

    fn window(&self) -> u64 {
        WINDOW
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(*self)
    }

    fn initial_window(&self) -> u64 {
        WINDOW
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl ControllerFactory for Constant {
    fn build(self: Arc<Self>, _now: Instant, _current_mtu: u16) -> Box<dyn Controller> {
        Box::new(*self)
    }
}
