//! What happens to each media packet, as pure functions.

pub mod flow;
