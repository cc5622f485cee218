//! Two people behind two routers: do they find each other, how, and how fast?
//!
//! Real daemons run in the lab. The first invites, the second pastes the link, which is handed over as by a messenger. They
//! are through when both show green; then a headless call passes media both ways. Nothing here panics for a cell that does not
//! work: it is a result.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Lab;
use super::kind::{Filtering, Kind};
use super::server::{Dht, Server, Stun};
use super::site::Site;
use crate::home::Home;
use crate::packets::{Capture, Packet};
use crate::running::Output;
use crate::wait::until_at_most;

/// How long two may take until both show green.
pub const GREEN: Duration = Duration::from_secs(40);
/// How long a ring may take, and a call of two seconds.
const RING: Duration = Duration::from_secs(15);
const CALL: Duration = Duration::from_secs(40);
/// The nodes of the local DHT.
const NODES: u8 = 12;
/// More ports than this on one side of a pair's packets, and they were guessed.
const GUESSED: usize = 24;

/// What two daemons need on the Internet, and they themselves.
#[derive(Debug)]
pub struct Pair {
    /// The lab in which they live.
    pub lab: Lab,
    /// Who invites.
    pub ann: Home,
    /// Who pastes the link.
    pub bob: Home,
    /// Where they live.
    pub sites: Sites,
    /// What passed through the core.
    pub capture: Capture,
    /// The servers.
    pub server: Server,
    _stun: Stun,
    dht: Dht,
}

/// Which two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Each behind a router of their own; the first invites.
    Apart(Kind, Kind),
    /// In one home.
    SameHome(Kind),
    /// In two homes behind one carrier.
    SameCarrier(Kind),
}

/// Where the two live.
#[derive(Debug)]
pub enum Sites {
    /// Each at a site of their own.
    Two([Box<Site>; 2]),
    /// In one home.
    One(Box<Site>),
}

/// How the packets that got through came to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Technique {
    /// Within one network.
    Lan,
    /// One side lets everybody in.
    Dial,
    /// Both sent at once.
    Simultaneous,
    /// To a port that a router had mapped.
    Mapped,
    /// To a port that was guessed.
    Birthday,
    /// Through somebody else.
    Relay,
}

/// What came of a pair.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How; `None` where they did not find each other.
    pub technique: Option<Technique>,
    /// From the paste until both were green.
    pub green: Option<Duration>,
    /// What went wrong; empty where nothing did.
    pub wrong: String,
}

impl Outcome {
    /// Whether both were green and media passed both ways.
    #[must_use]
    pub const fn works(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl Pair {
    /// Builds the Internet, the homes and the daemons of a pair.
    ///
    /// # Panics
    /// If a part of it does not start.
    pub async fn make(mut lab: Lab, pairing: Pairing) -> Self {
        let server = lab.server();
        let (stun, dht) = (server.stun(), server.dht(NODES));
        let (sites, hosts) = match pairing {
            Pairing::Apart(one, other) => {
                let sites = [lab.site(one), lab.site(other)].map(Box::new);
                let hosts = sites.each_ref().map(|site| site.client().clone());
                (Sites::Two(sites), hosts)
            }
            Pairing::SameHome(kind) => {
                let mut site = Box::new(lab.site(kind));
                let second = site.add_client();
                let hosts = [site.client().clone(), second];
                (Sites::One(site), hosts)
            }
            Pairing::SameCarrier(kind) => {
                let one = Box::new(lab.site(kind));
                let other = Box::new(lab.neighbour(&one));
                let hosts = [&one, &other].map(|site| site.client().clone());
                (Sites::Two([one, other]), hosts)
            }
        };
        let capture = lab.core().within(Capture::start);
        let mut homes = Vec::new();
        for (name, host) in ["Ann", "Bob"].into_iter().zip(hosts) {
            let mut home = Home::within(name, host.netns().path());
            home.configure(&config(&stun, &dht));
            home.begin_life().await;
            homes.push(home);
        }
        let [ann, bob] = <[Home; 2]>::try_from(homes).unwrap();
        Self {
            lab,
            ann,
            bob,
            sites,
            capture,
            server,
            _stun: stun,
            dht,
        }
    }

    /// Where Bob lives.
    #[must_use]
    pub fn bob_site(&self) -> &Site {
        match &self.sites {
            Sites::Two([_, site]) | Sites::One(site) => site,
        }
    }

    /// The DHT that the daemons are told of.
    #[must_use]
    pub const fn dht(&self) -> &Dht {
        &self.dht
    }

    /// Invite, paste, green, call.
    pub async fn run(&self) -> Outcome {
        let mut outcome = Outcome {
            technique: None,
            green: None,
            wrong: String::new(),
        };
        match self.meet().await {
            Ok(took) => outcome.green = Some(took),
            Err(wrong) => {
                outcome.wrong = wrong;
                return outcome;
            }
        }
        if let Err(wrong) = self.call().await {
            outcome.wrong = wrong;
        }
        outcome.technique = Some(self.technique().await);
        outcome
    }

    /// Ann invites, Bob pastes; gives how long it took from there until both were green.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub async fn meet(&self) -> Result<Duration, String> {
        let invite = self.ann.api().post("/v1/invites", json!({})).await;
        let began = Instant::now();
        let added = self
            .bob
            .api()
            .post("/v1/contacts", json!({ "link": invite.body["link"] }))
            .await;
        if added.status != 201 {
            return Err(format!("the link was not taken: {added:?}"));
        }
        let green = async || {
            let ann = self.ann.api().list("/v1/contacts").await;
            let bob = self.bob.api().list("/v1/contacts").await;
            [ann, bob].iter().all(|list| list.iter().any(is_green)).then_some(())
        };
        match until_at_most(GREEN, green).await {
            Some(()) => Ok(began.elapsed()),
            None => Err(format!("not green within {} s", GREEN.as_secs())),
        }
    }

    /// Bob calls, Ann answers, both play the clip.
    async fn call(&self) -> Result<(), String> {
        let caller = self
            .bob
            .begin(&["--json", "call", "Ann", "--headless", "--seconds", "2"]);
        let rings = async || {
            let calls = self.ann.api().list("/v1/calls").await;
            calls.iter().any(|call| call["state"] == "ringing").then_some(())
        };
        if until_at_most(RING, rings).await.is_none() {
            return Err("it did not ring".to_owned());
        }
        let callee = self.ann.begin(&["--json", "answer", "--headless"]);
        let ended = tokio::time::timeout(CALL, async { (caller.end(CALL).await, callee.end(CALL).await) });
        let Ok((caller, callee)) = ended.await else {
            return Err("the call did not end".to_owned());
        };
        media(&caller, "caller")?;
        media(&callee, "callee")
    }

    /// How the packets got through, as the core saw them.
    async fn technique(&self) -> Technique {
        let contacts = self.bob.api().list("/v1/contacts").await;
        let path = contacts
            .first()
            .map(|contact| contact["path"].clone())
            .unwrap_or_default();
        let (one, other) = match (&self.sites, path["kind"].as_str()) {
            (Sites::One(_), _) | (Sites::Two(_), Some("lan")) => return Technique::Lan,
            (Sites::Two(_), Some("relay")) => return Technique::Relay,
            (Sites::Two([one, other]), _) => (one, other),
        };
        let between = self.capture.packets(|packet| {
            let ends = [packet.from, packet.to].map(|end| *end.ip());
            [one, other].iter().all(|site| ends.iter().any(|ip| site.owns(*ip)))
        });
        let links: Vec<&Packet> = between.iter().filter(|packet| is_quic(packet)).collect();
        if links.is_empty() {
            return Technique::Lan;
        }
        let ports = |side: fn(&Packet) -> SocketAddrV4| -> usize {
            between
                .iter()
                .filter(|packet| is_knock(packet))
                .map(side)
                .collect::<BTreeSet<_>>()
                .len()
        };
        if links
            .iter()
            .any(|packet| [one, other].iter().any(|site| site.has_mapped(packet.to)))
        {
            Technique::Mapped
        } else if [one, other].iter().any(|site| lets_in(site.kind())) {
            Technique::Dial
        } else if ports(|packet| packet.from) > GUESSED || ports(|packet| packet.to) > GUESSED {
            Technique::Birthday
        } else {
            Technique::Simultaneous
        }
    }

    /// Everything that may explain why it did not work.
    #[must_use]
    pub fn state(&self) -> String {
        let mut text = self.lab.state();
        for home in [&self.ann, &self.bob] {
            let _ = writeln!(text, "---- {} logged\n{}", home.name(), home.log());
        }
        text
    }
}

/// What a daemon's `config.toml` says of this Internet.
fn config(stun: &Stun, dht: &Dht) -> String {
    let list = |addresses: &[SocketAddr]| json!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>());
    format!(
        "[network]\nstun = {}\n\n[dht]\nbootstrap = {}\n",
        list(&stun.addresses),
        list(dht.addresses())
    )
}

fn is_green(contact: &Value) -> bool {
    contact["state"] == "accepted" && contact["reachable"] == "yes"
}

fn lets_in(kind: Kind) -> bool {
    kind.promise()
        .is_some_and(|promise| promise.filtering == Filtering::EndpointIndependent)
}

fn is_quic(packet: &Packet) -> bool {
    packet.bytes.first().is_some_and(|first| *first >= 64)
}

fn is_knock(packet: &Packet) -> bool {
    packet
        .bytes
        .first()
        .is_some_and(|first| (4..=15).contains(first) && *first != 8)
}

/// Sound and picture came from the other side.
fn media(output: &Output, who: &str) -> Result<(), String> {
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    let got = |key: &str| report[key].as_u64().unwrap_or_default();
    if output.code != 0 || got("audio_packets") == 0 || got("video_frames") == 0 {
        return Err(format!("the {who} got no media: {output:?}"));
    }
    Ok(())
}

impl Technique {
    /// As the matrix writes it.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Lan => 'L',
            Self::Dial => 'D',
            Self::Simultaneous => 'S',
            Self::Mapped => 'M',
            Self::Birthday => 'B',
            Self::Relay => 'R',
        }
    }
}
