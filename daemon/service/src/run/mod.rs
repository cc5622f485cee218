//! The daemon: the one loop that owns the core, and everything it takes to start and stop it.
//!
//! Inputs come from the network, the store, local legs, the local API and the clock; the loop hands them to the core one
//! by one, performs the outputs in order, publishes the new picture, and only then answers whoever asked. Two runtimes:
//! the loop and the local API on the caller's, everything that touches media packets on a thread of its own.

mod echo;
mod echoes;
mod key;
mod local;
mod manager;
mod media_thread;
mod program;
mod shell;
mod upkeep;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use twocan_api::Why;
use twocan_core::bounds::PORT;
use twocan_core::io::{Input, Output};
use twocan_core::node::{Defaults, Node};

use crate::clock;
use crate::http::{self, HttpConfig, LocalMedia, ServiceFacts};
use crate::leg::gate::Gates;
use crate::net::dht::{Dht, DhtConfig};
use crate::net::mdns::Neighbours;
use crate::net::{NetConfig, UdpBind};
use crate::store::config::Config;
use crate::store::lock::Lock;
use crate::store::paths::{Paths, WRITABLE};
use crate::store::secrets::{AskUser, Heirloom};
use crate::store::state::{Loaded, Opened, StateFile};
use crate::store::worker::StoreWorker;

pub use self::echoes::CALL_LINE;
use self::echoes::EchoCalls;
use self::local::{LocalClips, LocalLegs};
use self::media_thread::MediaThread;
use self::shell::{Outside, Shell};
use self::upkeep::Upkeep;

/// The default port of the call page.
const PAGE_PORT: u16 = 2227;
/// Inputs waiting for the loop; behind that links wait and knocks are dropped.
const INPUTS: usize = 1024;

/// What the command line says about `twocan up`; what it leaves out the configuration says.
#[derive(Clone, Debug, Default)]
pub struct UpOptions {
    /// Where calls come in.
    pub udp: Option<SocketAddr>,
    /// Where the control API listens.
    pub control: Option<SocketAddr>,
    /// Where the call page is served.
    pub page: Option<SocketAddr>,
    /// Answer every call after a second, and return what comes.
    pub echo: bool,
    /// Heed a program that takes this one's place on the disk.
    pub renews: bool,
    /// The program itself, which makes test calls; none are made without.
    pub program: Option<PathBuf>,
}

/// Why the daemon ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to, or everything is erased.
    Asked,
    /// Another program has been put where this one was started from, and nothing was under way: it is to go on.
    Replaced {
        /// Where it lies.
        program: PathBuf,
        /// What it cannot have without the user.
        key: Option<Heirloom>,
    },
}

/// What the daemon says to whoever started it, and asks.
pub trait Voice: Send {
    /// The ready line, without its line end, once everything listens.
    fn ready(&mut self, line: &str);
    /// What the daemon waits for before it listens; told once for each reason.
    fn waits(&mut self, why: &Why);
    /// How the user is asked for a passphrase.
    fn passphrases(&self) -> AskUser;
}

/// Runs the daemon until SIGINT, SIGTERM, or a program that takes its place. Before it listens it waits, without end, for a keyring that holds its key.
///
/// # Errors
/// When the home is in use or unusable, the state cannot be opened, or an address cannot be bound.
pub async fn up(options: UpOptions, voice: &mut impl Voice) -> anyhow::Result<Ended> {
    let mut signals = Signals::listen()?;
    let upkeep = Upkeep::new(options.renews, clock::now());
    let paths = Paths::resolve()?;
    paths.prepare()?;
    let config = Config::load(&paths.config())?;
    let _lock = Lock::take(&paths)?;
    let opened = tokio::select! {
        () = signals.received() => return Ok(Ended::Asked),
        opened = key::open(&paths, config.secrets.store, voice) => opened?,
    };
    let heirloom = opened.file.heirloom();
    let (key, mut warnings) = (opened.key.clone(), opened.warnings.clone());
    let (node, file, stored) = awaken(opened)?;
    warnings.extend(config.warning());
    let device_seed = zeroize::Zeroizing::new(node.device_seed().0);

    let media = MediaThread::start()?;
    let (inputs, inbox) = mpsc::channel(INPUTS);
    let (reports, leg_reports) = mpsc::unbounded_channel();
    let gates = Gates::new(reports);
    let net_config = NetConfig {
        udp: udp_bind(&options, &config),
        device_seed,
        sink: Arc::new(gates.clone()),
        turn: config.relay.turn.clone(),
        stun: config.network.stun.clone(),
        port_mapping: config.network.port_mapping,
    };
    let (net, udp) = media.start_net(net_config, inputs.clone()).await?;
    let dht = dht_config(&config, &paths, udp).map(|config| Dht::start(config, inputs.clone()));
    let saved = inputs.clone();
    let store = StoreWorker::start(file, stored, move |input| {
        // The loop is gone only when the daemon ends, and then nobody waits for this.
        let _ = saved.blocking_send(input);
    })?;

    let facts = ServiceFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        udp: vec![udp],
        ring_sound: config.calls.ring_sound,
        key,
        warnings,
    };
    let (publisher, core, asks) = http::seam(facts.clone(), Arc::new(clock::now))?;
    let sees_neighbours = config.network.lan && !udp.ip().is_loopback();
    let outside = Outside {
        net: net.clone(),
        dht: dht.transpose()?,
        neighbours: sees_neighbours.then(|| Neighbours::new(inputs.clone())),
    };
    let mut shell = Shell::new(node, outside, gates.clone(), store, publisher, facts, options.echo);
    let relays = Input::Relays {
        for_contacts: config.relay.for_contacts,
        server: !config.relay.turn.is_empty(),
    };
    let usual = config.calls.one_click;
    shell.begin([relays, Input::OneClick { usual }], clock::now());
    let local = LocalMedia {
        legs: Arc::new(LocalLegs::new(
            gates.clone(),
            media.handle(),
            config.calls.max_video_kbit,
        )?),
        clips: Some(Arc::new(LocalClips::new(gates, media.handle()))),
        echoes: options
            .program
            .clone()
            .map(|program| Arc::new(EchoCalls::new(program)) as _),
    };
    let bound = http::serve(http_config(&paths, &options, &config), core, local).await?;
    voice.ready(&format!(
        "twocan ready udp={udp} control=http://{} page=http://{}",
        bound.control, bound.page
    ));
    upkeep.ready(&format!("The page is at http://{}", bound.page));

    let successor = shell.run(inbox, asks, leg_reports, signals, upkeep).await?;
    tokio::join!(bound.shutdown(), media.shut_down(net));
    shell.finish();
    Ok(successor.map_or(Ended::Asked, |program| Ended::Replaced {
        program,
        key: heirloom.wanted(&paths),
    }))
}

/// The core as it was stored, or a new person, who is on the disk before anything listens. Gives the stored generation.
fn awaken(opened: Opened) -> anyhow::Result<(Node, StateFile, u64)> {
    let Opened { file, loaded, .. } = opened;
    let (state, stored) = match loaded {
        Loaded::Fresh => (None, 0),
        Loaded::Found { state, generation }
        | Loaded::Recovered {
            state,
            generation,
            quarantined: _,
        } => (Some(state), generation),
    };
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .ok()
        .context("the system gives no random bytes")?;
    let state = state.as_ref().map(|state| state.as_slice());
    let mut node = Node::new(seed, state, &defaults(), clock::now())?;
    while let Some(output) = node.poll_output() {
        if let Output::Store { generation, state } = output {
            file.save(stored.saturating_add(generation), state)
                .map_err(|error| anyhow!("a new identity cannot be stored ({error}); {WRITABLE}"))?;
            node.handle(Input::Stored { generation }, clock::now());
        }
    }
    Ok((node, file, stored))
}

/// Names for a new person: the user's and the machine's.
fn defaults() -> Defaults {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    let full = user
        .as_ref()
        .and_then(|user| user.gecos.to_str().ok()?.split(',').next().map(str::to_owned));
    let login = user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
    let wanted = full.filter(|name| !name.trim().is_empty()).unwrap_or(login);
    let host = nix::sys::utsname::uname()
        .ok()
        .and_then(|names| names.nodename().to_str().map(str::to_owned))
        .unwrap_or_default();
    Defaults {
        person_name: twocan_core::names::presentable(&wanted, "me"),
        device_name: twocan_core::names::presentable(&host, "computer"),
    }
}

fn udp_bind(options: &UpOptions, config: &Config) -> UdpBind {
    options
        .udp
        .or(config.network.udp)
        .map_or(UdpBind::Default, UdpBind::Explicit)
}

/// How the DHT is entered, where it may be used: not from a machine's own loopback network, unless told where to enter.
fn dht_config(config: &Config, paths: &Paths, udp: SocketAddr) -> Option<DhtConfig> {
    let is_local = udp.ip().is_loopback();
    if !config.dht.enabled || is_local && config.dht.bootstrap.is_empty() {
        return None;
    }
    Some(DhtConfig {
        bootstrap: config.dht.bootstrap.clone(),
        bind: is_local.then_some(Ipv4Addr::LOCALHOST),
        cache: paths.dht_nodes(),
    })
}

fn http_config(paths: &Paths, options: &UpOptions, config: &Config) -> HttpConfig {
    let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    HttpConfig {
        sock_path: paths.api_socket(),
        token_path: paths.api_token(),
        control: options.control.or(config.api.control).unwrap_or_else(|| loopback(PORT)),
        page: options.page.or(config.api.page).unwrap_or_else(|| loopback(PAGE_PORT)),
    }
}

/// The signals that end the daemon.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
