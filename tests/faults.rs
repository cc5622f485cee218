//! What goes wrong on real machines: each fault over real daemons, with the sentence that a person reads and the step that
//! it names.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/far.rs"]
mod far;
#[path = "faults/page.rs"]
mod page;
#[path = "faults/start.rs"]
mod start;
