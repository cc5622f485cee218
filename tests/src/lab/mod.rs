//! The NAT laboratory: an Internet out of network namespaces, with homes behind routers of every type.
//!
//! The test runs itself again in namespaces of its own (network, mounts, processes), which end with it, even when it is
//! killed. There it stands in the *core*, which routes between sites and takes as many hops as the Internet does. Each
//! site has its own public /24 in 11.0.0.0/8; addresses that look public are needed, for whatever asks "is this address
//! global?" refuses documentation ranges. In every home the network is 192.168.1.0/24 and the first client .10, on purpose:
//! both sides of a pair then offer the same private address.
//!
//! Where namespaces are forbidden a test of the lab is skipped, loudly and counted (`skip`); under `CI=true` it fails.
//! Nothing here needs netem.

mod command;
mod host;
mod kind;
mod known;
mod matrix;
mod netns;
mod pair;
mod probe;
mod router;
mod rules;
mod server;
mod shaper;
mod site;
mod skip;
mod technique;
mod upnp;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

pub use host::Host;
pub use kind::{Filtering, Kind, Mapping, Promise};
pub use known::known;
pub use matrix::Cells;
pub use netns::Netns;
pub use pair::{GREEN, KNOWN, Outcome, Pair, Pairing, Sites};
pub use probe::{Probed, probe};
pub use router::Router;
pub use server::{Dht, Server, Stun, Turn};
pub use shaper::{Shape, Shaper};
pub use site::Site;
pub use technique::Technique;

use crate::namespace::{again, as_test, assert_ends, is_inside, run};

/// Where everything that a lab writes lies, so that it goes with it.
const RUN: &str = "/run";

/// An Internet, as long as this value lives.
#[derive(Debug)]
pub struct Lab {
    core: Netns,
    /// The number of the next site, and of its /24.
    next: u8,
    /// Made at each site: what to show when a wait ends in vain.
    routers: Vec<Netns>,
}

/// Runs a test in a lab. `name` is the test's own full name, as the test runner knows it.
///
/// # Panics
/// If the test fails, or there can be no namespace and `CI=true`.
pub fn inside(name: &str, test: impl AsyncFnOnce(Lab)) {
    if may_run(name) {
        run_lab(&as_test(name), test);
    }
}

/// Whether the test of this name can have a lab here; if not, it is counted as skipped.
///
/// # Panics
/// If it cannot and `CI=true`.
#[must_use]
pub fn may_run(name: &str) -> bool {
    !skip::is_skipped(name)
}

/// A command that runs another test of this program, one that is in a lab.
#[must_use]
pub fn begin_again(name: &str) -> Command {
    begin(&as_test(name))
}

/// Runs `body` in a lab, in this program, started again with `args`.
///
/// # Panics
/// If it fails there, or there can be no namespace.
pub fn run_lab(args: &[&str], body: impl AsyncFnOnce(Lab)) {
    if is_inside() {
        // A `/run` of this lab's own, temporary files included: it goes with the last process.
        command::run("mount", &["-t", "tmpfs", "tmpfs", RUN], "");
        std::fs::create_dir_all(Path::new(RUN).join("netns")).unwrap();
        run(async || body(Lab::new()).await);
    } else {
        assert_ends(&mut begin(args));
    }
}

/// This program again, in a lab.
fn begin(args: &[&str]) -> Command {
    let mut command = again(args);
    command.env("TMPDIR", RUN);
    command
}

impl Lab {
    /// An empty Internet: the core alone.
    ///
    /// # Panics
    /// If it cannot be made.
    fn new() -> Self {
        assert!(
            is_inside(),
            "a lab outside its namespace would change this machine's network"
        );
        let core = Netns::own();
        core.nft(rules::CORE);
        Self {
            core,
            next: 1,
            routers: Vec::new(),
        }
    }

    /// The core: what passes here crosses the Internet.
    #[must_use]
    pub const fn core(&self) -> &Netns {
        &self.core
    }

    /// A site of this type with one client, at .10.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn site(&mut self, kind: Kind) -> Site {
        self.shaped(kind, None)
    }

    /// The same, its link to the Internet of this shape.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn shaped(&mut self, kind: Kind, shape: impl Into<Option<Shape>>) -> Site {
        let number = self.number();
        let mut site = Site::make(&self.core, number, kind, shape.into());
        site.add_client();
        self.stands(site)
    }

    /// A site without a client, for one that moves there.
    pub fn empty(&mut self, kind: Kind) -> Site {
        let number = self.number();
        let site = Site::make(&self.core, number, kind, None);
        self.stands(site)
    }

    /// Another home behind the same carrier as `neighbour`.
    ///
    /// # Panics
    /// If that one has no carrier.
    pub fn neighbour(&mut self, neighbour: &Site) -> Site {
        let mut site = self.empty_neighbour(neighbour);
        site.add_client();
        site
    }

    /// The same without a client.
    pub fn empty_neighbour(&mut self, neighbour: &Site) -> Site {
        let site = Site::neighbour(self.number(), neighbour);
        self.stands(site)
    }

    fn stands(&mut self, site: Site) -> Site {
        self.routers.extend(site.routers().map(|router| router.netns().clone()));
        site
    }

    /// A site of servers, with as many addresses as servers need.
    pub fn server(&mut self) -> Server {
        let number = self.number();
        Server::make(&self.core, number)
    }

    const fn number(&mut self) -> u8 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The rules and connections of every router, for a message about a wait that ended in vain.
    #[must_use]
    pub fn state(&self) -> String {
        let mut text = String::new();
        for router in &self.routers {
            let connections = router.output("conntrack", &["-L", "-p", "udp"]);
            let _ = writeln!(text, "---- {}: connections\n{connections}", router.name());
            let rules = router.output("nft", &["list", "ruleset"]);
            let _ = writeln!(text, "---- {}: rules\n{rules}", router.name());
        }
        text
    }
}
