//! Defects that were found by reading, each told as a short story between nodes on one perfect network.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod calls;
mod disk;
mod door;
mod door_storm;
mod finding;
mod knocks;
mod lab;
mod links;
mod manners;
mod network;
mod paste;
mod relay;
mod safety;
mod scale;
mod trust;
mod world;

use crate::bounds;
use crate::command::{Command, Media, Refusal, Reply};
use crate::event::{CallState, ContactState, Reachable, WhyNot};
use world::World;

const BOTH: Media = Media {
    audio: true,
    video: true,
};
