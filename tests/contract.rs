//! The contract of the local API: its description, its guards, its examples.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "contract/attacker.rs"]
mod attacker;
#[path = "contract/bad_input.rs"]
mod bad_input;
#[path = "contract/cookbook.rs"]
mod cookbook;
#[path = "contract/documentation.rs"]
mod documentation;
#[path = "contract/guards.rs"]
mod guards;
#[path = "contract/schemathesis.rs"]
mod schemathesis;
#[path = "contract/stage.rs"]
mod stage;
