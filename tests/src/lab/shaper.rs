//! Links as they are outside: with delay, jitter, loss and a rate.
//!
//! Many kernels have no netem, so a pair of threads stands in the link: each reads whole frames at one end and writes
//! them at the other when they are due. Frames keep their order; what exceeds the rate waits in a queue and is
//! dropped where that is full, as in a home router.
//!
//! The cards at both ends must not leave work to hardware that is not there (checksums, segments), which `ethtool` tells
//! them.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{setsockopt, sockopt};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use socket2::{Domain, Protocol, Socket, Type};

use super::netns::Netns;

/// Every protocol.
const ETH_P_ALL: u16 = 3;
/// The largest frame without segments: an Ethernet header before 1500 bytes, and room for a tag.
const FRAME: usize = 1518;
/// How often a thread looks whether it is over.
const LOOK: Duration = Duration::from_millis(50);

/// How a link behaves, each way by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// What each frame waits.
    pub delay: Duration,
    /// What it may wait on top, evenly distributed.
    pub jitter: Duration,
    /// How many of a thousand frames are lost.
    pub lost_per_mille: u32,
    /// Bits a second; 0 for no limit.
    pub rate: u64,
    /// For how long frames may queue for the rate.
    pub queue: Duration,
}

/// A link under a shape. Dropping it cuts the link.
#[derive(Debug)]
pub struct Shaper {
    netns: Netns,
    shape: Arc<Mutex<Shape>>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Frames on their way in one direction, each with the time at which it is due.
#[derive(Debug, Default)]
struct Pipe {
    frames: Mutex<VecDeque<(Instant, Vec<u8>)>>,
    news: Condvar,
}

/// What one direction remembers to find out when a frame is due.
#[derive(Debug)]
struct Clock {
    rng: ChaCha8Rng,
    /// When the line is free again.
    free: Option<Instant>,
    /// No frame overtakes the one before.
    last: Option<Instant>,
}

impl Shaper {
    /// A link from `near` to `far` that ends in cards of these names there; `name` is its own namespace's.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn between(name: &str, near: (&Netns, &str), far: (&Netns, &str), shape: Shape) -> Self {
        let netns = Netns::make(name);
        for (own, (other, card)) in [("near", near), ("far", far)] {
            // The core has no name that `ip` knows: the link is made on its side.
            other.ip(&format!("link add {card} type veth peer name {own} netns {name}"));
            let said = other.output(
                "ethtool",
                &["-K", card, "tx", "off", "gso", "off", "tso", "off", "gro", "off"],
            );
            assert!(!said.contains("ommand not found"), "{said}");
            netns.ip(&format!("link set {own} up"));
        }
        let shape = Arc::new(Mutex::new(shape));
        let over = Arc::new(AtomicBool::new(false));
        let [a, b] = ["near", "far"].map(|card| netns.within(|| card_socket(card)));
        let [a2, b2] = [&a, &b].map(|socket| socket.try_clone().unwrap());
        let mut threads = Vec::new();
        for (seed, from, to) in [(1, a, b), (2, b2, a2)] {
            let pipe = Arc::new(Pipe::default());
            let (reads, writes) = (Arc::clone(&pipe), pipe);
            let (shape, done) = (Arc::clone(&shape), Arc::clone(&over));
            threads.push(std::thread::spawn(move || read(from, &reads, &shape, seed, &done)));
            let done = Arc::clone(&over);
            threads.push(std::thread::spawn(move || write(to, &writes, &done)));
        }
        Self {
            netns,
            shape,
            over,
            threads,
        }
    }

    /// From here on it behaves so.
    ///
    /// # Panics
    /// If a thread of it died.
    pub fn set(&self, shape: Shape) {
        *self.shape.lock().unwrap() = shape;
    }

    /// The namespace in the middle of the link.
    #[must_use]
    pub const fn netns(&self) -> &Netns {
        &self.netns
    }
}

impl Drop for Shaper {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A socket that gets the frames of one card, and sends through it. It does not hear what it sent itself.
fn card_socket(card: &str) -> Socket {
    let protocol = Protocol::from(i32::from(ETH_P_ALL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol)).unwrap();
    let own = getifaddrs()
        .unwrap()
        .filter(|interface| interface.interface_name == card)
        .find_map(|interface| interface.address?.as_link_addr().copied())
        .unwrap_or_else(|| panic!("no card {card}"));
    nix::sys::socket::bind(std::os::fd::AsRawFd::as_raw_fd(&socket), &own).unwrap();
    socket.set_read_timeout(Some(LOOK)).unwrap();
    // By force: the most that a machine gives is often less than one burst.
    setsockopt(&socket, sockopt::RcvBufForce, &(8 << 20)).unwrap();
    socket
}

fn read(mut from: Socket, pipe: &Pipe, shape: &Mutex<Shape>, seed: u64, over: &AtomicBool) {
    let mut clock = Clock {
        rng: ChaCha8Rng::seed_from_u64(seed),
        free: None,
        last: None,
    };
    let mut buffer = vec![0; 1 << 16];
    while !over.load(Ordering::Relaxed) {
        match from.read(&mut buffer) {
            Ok(length) => {
                assert!(
                    length <= FRAME,
                    "a frame of {length} bytes: its card leaves segments to hardware"
                );
                let due = clock.due(shape.lock().unwrap().to_owned(), length, Instant::now());
                if let Some(due) = due {
                    pipe.frames.lock().unwrap().push_back((due, buffer[..length].to_vec()));
                    pipe.news.notify_one();
                }
            }
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            // The card has gone: the lab is being taken down.
            Err(_) => return,
        }
    }
}

fn write(mut to: Socket, pipe: &Pipe, over: &AtomicBool) {
    let mut frames = pipe.frames.lock().unwrap();
    while !over.load(Ordering::Relaxed) {
        let now = Instant::now();
        let wait = frames
            .front()
            .map_or(LOOK, |(due, _)| due.saturating_duration_since(now));
        if !wait.is_zero() {
            frames = pipe.news.wait_timeout(frames, wait.min(LOOK)).unwrap().0;
            continue;
        }
        if let Some((_, frame)) = frames.pop_front() {
            drop(frames);
            // A card that is down or full loses frames.
            let _ = to.write(&frame);
            frames = pipe.frames.lock().unwrap();
        }
    }
}

impl Clock {
    /// When a frame of this length is to go out; `None` where it is lost.
    fn due(&mut self, shape: Shape, length: usize, now: Instant) -> Option<Instant> {
        if self.rng.next_u32() % 1000 < shape.lost_per_mille {
            return None;
        }
        let bits = u64::try_from(length).unwrap() * 8;
        let sent = match (bits * 1_000_000_000).checked_div(shape.rate) {
            None => now,
            Some(nanoseconds) => {
                let begins = self.free.map_or(now, |free| free.max(now));
                if begins - now > shape.queue {
                    return None;
                }
                let ends = begins + Duration::from_nanos(nanoseconds);
                self.free = Some(ends);
                ends
            }
        };
        let spread = u64::try_from(shape.jitter.as_nanos()).unwrap();
        let jitter = Duration::from_nanos(self.rng.next_u64() % spread.max(1));
        let due = self
            .last
            .map_or(now, |last| last.max(now))
            .max(sent + shape.delay + jitter);
        self.last = Some(due);
        Some(due)
    }
}
