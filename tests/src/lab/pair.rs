//! Two people behind two routers: do they find each other, how, and how fast?
//!
//! Real daemons run in the lab. The first invites, the second pastes the link, which is handed over as by a messenger. They
//! are through when both show green; then a headless call passes media both ways. Nothing here panics for a cell that does not
//! work: it is a result.
//!
//! Two hard routers need a friend's relay. There the two and Carol become contacts at her place; then their machines move home.
//! Whoever sits behind a wall that lets no UDP through has a relay server in the configuration, over TLS, and the other one has
//! an account there, too. Where there is no IPv4 there is no DHT, and the second sends a reply link back by hand.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Lab;
use super::host::Host;
use super::kind::Kind;
use super::server::{Dht, Server, Stun, Turn};
use super::site::Site;
use super::technique::Technique;
use crate::home::{Home, acquaint};
use crate::packets::Capture;
use crate::running::Output;
use crate::wait::until_at_most;

/// How long two may take until both show green; what is known not to work is looked at for less.
pub const GREEN: Duration = Duration::from_secs(40);
/// The same for a pair that is known not to work: as long as the slowest technique is promised to take.
pub const KNOWN: Duration = Duration::from_secs(15);
/// How long a ring may take, and a call of two seconds.
const RING: Duration = Duration::from_secs(15);
const CALL: Duration = Duration::from_secs(40);
/// How long a daemon may look at its network before that.
const LOOKS: Duration = Duration::from_secs(10);
/// The nodes of the local DHT.
const NODES: u8 = 12;

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
    stun: Stun,
    dht: Dht,
    turn: Option<Turn>,
    friend: Option<Friend>,
    pairing: Pairing,
}

/// Carol, who lets both use her device as a relay.
#[derive(Debug)]
struct Friend {
    home: Home,
    site: Box<Site>,
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

impl Pairing {
    /// Both types.
    #[must_use]
    pub const fn kinds(self) -> [Kind; 2] {
        match self {
            Self::Apart(one, other) => [one, other],
            Self::SameHome(kind) | Self::SameCarrier(kind) => [kind, kind],
        }
    }

    /// Whether nothing but a relay gets their packets through: both sides choose another port for each destination, and
    /// neither can have one mapped.
    #[must_use]
    pub fn wants_friend(self) -> bool {
        let hard = |kind: &Kind| matches!(kind, Kind::Symmetric | Kind::SymmetricSeq | Kind::Cgnat | Kind::CgUpnp);
        !matches!(self, Self::SameHome(_)) && self.kinds().iter().all(hard)
    }

    /// Whether nothing but a reply link by hand tells the inviter where the invitee is: both are behind firewalls, and the DHT has
    /// no IPv6.
    #[must_use]
    pub fn replies_by_hand(self) -> bool {
        self == Self::Apart(Kind::Firewall6, Kind::Firewall6)
    }
}

/// Where the two live.
#[derive(Debug)]
pub enum Sites {
    /// Each at a site of their own.
    Two([Box<Site>; 2]),
    /// In one home.
    One(Box<Site>),
}

/// What came of a pair.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How; `None` where they did not find each other.
    pub technique: Option<Technique>,
    /// From the paste until both were green.
    pub green: Option<Duration>,
    /// Whether the invitee sent a reply link back by hand.
    pub by_hand: bool,
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
        let kinds = pairing.kinds();
        let turn = kinds.contains(&Kind::UdpBlocked).then(|| server.turn());
        let (sites, hosts, friend_site) = if pairing.wants_friend() {
            places_with_friend(&mut lab, pairing)
        } else {
            let (sites, hosts) = places(&mut lab, pairing);
            (sites, hosts, None)
        };
        let capture = lab.core().within(Capture::start);
        let mut config = config(&stun, &dht);
        let friend = match friend_site {
            Some((site, host)) => Some(Friend {
                home: daemon(
                    "Carol",
                    &host,
                    &(config.clone() + "\n[relay]\nfor_contacts = true\n"),
                    None,
                )
                .await,
                site: Box::new(site),
            }),
            None => None,
        };
        config += &turn.as_ref().map(turn_config).unwrap_or_default();
        let [here, there] = hosts;
        let ann = daemon("Ann", &here, &config, turn.as_ref()).await;
        let bob = daemon("Bob", &there, &config, turn.as_ref()).await;
        let mut pair = Self {
            lab,
            ann,
            bob,
            sites,
            capture,
            server,
            stun,
            dht,
            turn,
            friend,
            pairing,
        };
        pair.befriend([here, there]).await;
        pair
    }

    /// Where there is a friend: all three become contacts at her place, then the two go home.
    async fn befriend(&mut self, hosts: [Host; 2]) {
        let Some(friend) = &self.friend else { return };
        acquaint(&self.ann, &self.bob).await;
        for home in [&self.ann, &self.bob] {
            acquaint(&friend.home, home).await;
        }
        for contact in friend.home.api().list("/v1/contacts").await {
            let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
            // Whether she may is seen by what comes of it.
            friend.home.api().patch(&path, json!({ "relay": true })).await;
        }
        let Sites::Two(sites) = &mut self.sites else { return };
        for (site, mut host) in sites.iter_mut().zip(hosts) {
            site.receive(&mut host);
        }
    }

    /// Carol's place, where there is a friend.
    #[must_use]
    pub fn friend_site(&self) -> Option<&Site> {
        self.friend.as_ref().map(|friend| friend.site.as_ref())
    }

    /// The STUN server that the daemons are told of.
    #[must_use]
    pub const fn stun(&self) -> &Stun {
        &self.stun
    }

    /// The relay server that the daemons are told of.
    #[must_use]
    pub const fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
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

    /// Invite, paste, green within `patience`, call.
    pub async fn run(&self, patience: Duration) -> Outcome {
        let mut outcome = Outcome {
            technique: None,
            green: None,
            by_hand: self.pairing.replies_by_hand(),
            wrong: String::new(),
        };
        match self.meet(patience).await {
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
    pub async fn meet(&self, patience: Duration) -> Result<Duration, String> {
        if self.friend.is_some() {
            return self.meet_again(patience).await;
        }
        for home in [&self.ann, &self.bob] {
            knows_its_network(home).await;
        }
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
        if self.pairing.replies_by_hand() {
            self.reply_by_hand().await?;
        }
        self.both_green(patience, began).await
    }

    /// Bob sends the reply link back, and Ann pastes it.
    async fn reply_by_hand(&self) -> Result<(), String> {
        let reply = async || {
            let contacts = self.bob.api().list("/v1/contacts").await;
            contacts
                .iter()
                .find_map(|contact| contact["reply"].as_str().map(str::to_owned))
        };
        let reply = until_at_most(RING, reply).await.ok_or("there is no reply link")?;
        let taken = self
            .ann
            .api()
            .post("/v1/invites/replies", json!({ "reply": reply }))
            .await;
        if taken.status >= 300 {
            return Err(format!("the reply link was not taken: {taken:?}"));
        }
        Ok(())
    }

    /// Makes Carol, at a public place, a contact of both and their introducer.
    ///
    /// # Panics
    /// If she does not start, or is not introduced.
    pub async fn add_introducer(&mut self) {
        let site = self.lab.site(Kind::Public);
        let home = daemon("Carol", site.client(), &config(&self.stun, &self.dht), None).await;
        for each in [&self.ann, &self.bob] {
            acquaint(&home, each).await;
            let contacts = each.api().list("/v1/contacts").await;
            let carol = contacts.iter().find(|contact| contact["name"] == "Carol").unwrap();
            let path = format!("/v1/contacts/{}", carol["id"].as_str().unwrap());
            let named = each.api().patch(&path, json!({ "introduces": true })).await;
            assert_eq!(named.body["introduces"], true, "{named:?}");
        }
        self.friend = Some(Friend {
            home,
            site: Box::new(site),
        });
    }

    /// Gives Ann a relay server of her own, over TLS; her daemon starts again.
    ///
    /// # Panics
    /// If one of the two does not start.
    pub async fn give_ann_a_server(&mut self) {
        let turn = self.server.turn();
        self.ann
            .configure(&(config(&self.stun, &self.dht) + &turn_config(&turn)));
        self.ann.set("SSL_CERT_FILE", &turn.authority);
        self.ann.restart().await;
        self.turn = Some(turn);
    }

    /// Both have moved a moment ago and know each other.
    async fn meet_again(&self, patience: Duration) -> Result<Duration, String> {
        self.both_green(patience, Instant::now()).await
    }

    /// Waits until each shows the other green by a proof from after `began`.
    ///
    /// # Errors
    /// They do not, in words.
    pub async fn both_green(&self, patience: Duration, began: Instant) -> Result<Duration, String> {
        let green = async |home: &Home, name: &str| {
            let since = began.elapsed().as_millis();
            let contacts = home.api().list("/v1/contacts").await;
            contacts
                .iter()
                .any(|contact| contact["name"] == name && is_green(contact, since))
        };
        let both = async || (green(&self.ann, "Bob").await && green(&self.bob, "Ann").await).then_some(());
        match until_at_most(patience, both).await {
            Some(()) => Ok(began.elapsed()),
            None => Err(format!("not green within {} s", patience.as_secs())),
        }
    }

    /// Bob calls, Ann answers, both play the clip.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub async fn call(&self) -> Result<(), String> {
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

/// What a daemon's `config.toml` says of this Internet. Of the STUN server the first address: a second one that is asked by
/// itself shows nothing of who else is let in.
fn config(stun: &Stun, dht: &Dht) -> String {
    let list = |addresses: &[SocketAddr]| json!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>());
    let first: Vec<SocketAddr> = stun.addresses.iter().copied().take(1).collect();
    format!(
        "[network]\nstun = {}\n\n[dht]\nbootstrap = {}\n",
        list(&first),
        list(dht.addresses())
    )
}

/// Nobody invites in the second in which the daemon starts: it has looked at its network by then.
async fn knows_its_network(home: &Home) {
    let looked = async || {
        let network = home.api().get("/v1/network").await;
        (network["checking"] == false && !network["checked_s_ago"].is_null()).then_some(())
    };
    // Where UDP is blocked there is nothing to be seen.
    let _ = until_at_most(LOOKS, looked).await;
}

/// Green, and proven within the last `since` milliseconds.
fn is_green(contact: &Value, since: u128) -> bool {
    let age = contact["path"]["last_proof_ms"].as_u64().map(u128::from);
    contact["state"] == "accepted" && contact["reachable"] == "yes" && age.is_some_and(|age| age <= since)
}

/// Their sites and machines, each at home.
fn places(lab: &mut Lab, pairing: Pairing) -> (Sites, [Host; 2]) {
    match pairing {
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
    }
}

/// Their sites, empty, and their machines at a friend's, which is public.
fn places_with_friend(lab: &mut Lab, pairing: Pairing) -> (Sites, [Host; 2], Option<(Site, Host)>) {
    let [one, other] = pairing.kinds();
    let sites = match pairing {
        Pairing::Apart(..) | Pairing::SameHome(_) => [lab.empty(one), lab.empty(other)],
        Pairing::SameCarrier(_) => {
            let one = lab.empty(one);
            let other = lab.empty_neighbour(&one);
            [one, other]
        }
    };
    let mut place = lab.site(Kind::Public);
    let hosts = [place.add_client(), place.add_client()];
    let own = place.client().clone();
    (Sites::Two(sites.map(Box::new)), hosts, Some((place, own)))
}

/// A daemon on a machine, and a person of this name.
async fn daemon(name: &str, host: &Host, config: &str, turn: Option<&Turn>) -> Home {
    let mut home = Home::within(name, host.netns().path());
    home.configure(config);
    // What tests switch off is theirs to use here: nothing leaves the lab.
    home.set("TWOCAN_DHT_ENABLED", "true");
    home.set("TWOCAN_NETWORK_LAN", "true");
    if let Some(turn) = turn {
        home.set("SSL_CERT_FILE", &turn.authority);
    }
    home.begin_life().await;
    home
}

/// What `config.toml` says of the relay server.
fn turn_config(turn: &Turn) -> String {
    let (name, password) = &turn.user;
    let address = turn.address;
    format!("\n[[relay.turn]]\nurl = \"turns:{address}:443\"\nusername = \"{name}\"\ncredential = \"{password}\"\n")
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
