//! Changes of network in the middle of a call, between real daemons: how long media is missing, and what is said meanwhile.
//!
//! Ann's address is public and holds, unless a test says otherwise; Bob's home is what changes. Both play the clip, and each counts the longest
//! time between two packets that came. What is printed is the longer of the two.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::time::sleep;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::lab::{GREEN, Kind, Lab, Pair, Pairing, Site, Sites, inside};
use twocan_tests::running::Running;
use twocan_tests::wait::until;

/// Media is missing for no longer than this, where one side's address holds or an introducer is up.
const GAP: Duration = Duration::from_secs(2);
/// The silence of a call that is said, and the one that ends it.
const RECONNECTING: Duration = Duration::from_secs(5);
const LOST: Duration = Duration::from_secs(30);
/// Longer than it takes to be noticed, and shorter than it takes to lose a call.
const SLEEP: Duration = Duration::from_secs(12);
/// A ring, an answer, and media on a busy machine.
const SOON: Duration = Duration::from_secs(15);
/// Longer than any test.
const LENGTH: &str = "300";
/// Packets on which both sides have heard each other for some seconds.
const SETTLED: u64 = 100;

/// Two in a call.
struct Talk {
    pair: Pair,
    call: String,
    commands: [Running; 2],
}

impl Talk {
    /// Two daemons behind these routers meet, one calls, and both have heard each other for a while.
    async fn begin(lab: Lab, one: Kind, other: Kind) -> Self {
        let pair = Pair::make(lab, Pairing::Apart(one, other)).await;
        let met = pair.meet(GREEN).await;
        assert!(met.is_ok(), "{met:?}\n{}", pair.state());
        Self::call(pair).await
    }

    async fn call(pair: Pair) -> Self {
        let caller = pair
            .bob
            .begin(&["--json", "call", "Ann", "--headless", "--seconds", LENGTH]);
        let rings = |call: &Value| call["state"] == "ringing";
        let ring = pair.ann.call("a ring", SOON, rings).await;
        let callee = pair.ann.begin(&["--json", "answer", "--headless", "--seconds", LENGTH]);
        let talk = Self {
            pair,
            call: ring["id"].as_str().unwrap().to_owned(),
            commands: [caller, callee],
        };
        talk.goes_on([0, 0], SOON).await;
        talk
    }

    const fn homes(&self) -> [&Home; 2] {
        [&self.pair.ann, &self.pair.bob]
    }

    /// What came back of the clip; null before it is there.
    async fn clip(&self, home: &Home) -> Value {
        home.api().find(&format!("/v1/calls/{}/clip", self.call)).await
    }

    /// How many packets each has heard.
    async fn heard(&self) -> [u64; 2] {
        let [ann, bob] = self.homes();
        [self.clip(ann).await, self.clip(bob).await].map(|clip| clip["audio_packets"].as_u64().unwrap_or_default())
    }

    /// Both hear each other again, for some seconds.
    async fn goes_on(&self, before: [u64; 2], within: Duration) {
        let heard = async || {
            let now = self.heard().await;
            now.iter()
                .zip(before)
                .all(|(now, before)| *now >= before + SETTLED)
                .then_some(())
        };
        until("both to hear each other", within, heard).await;
    }

    /// The longest time that either heard nothing.
    async fn gap(&self) -> Duration {
        let mut longest: f64 = 0.0;
        for home in self.homes() {
            let clip = self.clip(home).await;
            longest = longest.max(clip["longest_gap_ms"].as_f64().unwrap());
        }
        Duration::from_secs_f64(longest / 1000.0)
    }

    /// Both show the call in this way.
    async fn is(&self, what: &str, within: Duration, fits: impl Fn(&Value) -> bool) {
        for home in self.homes() {
            home.call(what, within, |call| call["id"] == self.call.as_str() && fits(call))
                .await;
        }
    }

    /// Something happens, which says for how long there was no network at all; media must not be missing for much longer.
    async fn survives(&mut self, what: &str, change: impl AsyncFnOnce(&mut Pair) -> Duration) {
        let calm = self.gap().await;
        assert!(calm < GAP, "{what}: {calm:?} before anything happened");
        let gone = change(&mut self.pair).await;
        let before = self.heard().await;
        self.goes_on(before, LOST).await;
        let gap = self.gap().await;
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        let (missing, gone_s) = (seconds(gap), seconds(gone));
        eprintln!("{what}: media was missing for {missing}, without a network for {gone_s}");
        let state = |call: &Value| call["state"] == "active" && call["reconnecting"] == false;
        self.is("the call to go on", SOON, state).await;
        assert!(gap <= gone + GAP, "{what}: {gap:?} for {gone:?}\n{}", self.pair.state());
    }

    async fn hang_up(self) {
        let path = format!("/v1/calls/{}/hangup", self.call);
        self.pair.ann.api().post(&path, json!({})).await;
        for command in self.commands {
            command.end(SOON).await;
        }
    }
}

/// Bob's home, to be changed.
const fn home(pair: &mut Pair) -> &mut Site {
    match &mut pair.sites {
        Sites::Two([_, site]) | Sites::One(site) => site,
    }
}

/// Moves Bob's machine; how long it had no network.
fn move_to(elsewhere: &mut Site, pair: &Pair) -> Duration {
    let began = Instant::now();
    elsewhere.receive(&mut pair.bob_site().client().clone());
    began.elapsed()
}

#[test]
fn a_rebinding_is_hardly_heard() {
    inside("change::a_rebinding_is_hardly_heard", async |lab| {
        let mut talk = Talk::begin(lab, Kind::Public, Kind::PortRestricted).await;
        let rebind = async |pair: &mut Pair| {
            home(pair).outermost().rebind();
            Duration::ZERO
        };
        talk.survives("NAT rebinding", rebind).await;
        talk.hang_up().await;
    });
}

#[test]
fn a_new_public_address_is_hardly_heard() {
    inside("change::a_new_public_address_is_hardly_heard", async |lab| {
        let mut talk = Talk::begin(lab, Kind::Public, Kind::Linux).await;
        let renumber = async |pair: &mut Pair| {
            let [a, b, c, d] = home(pair).outermost().wan().octets();
            home(pair).outermost().renumber([a, b, c, d + 50].into());
            Duration::ZERO
        };
        talk.survives("new public address", renumber).await;
        talk.hang_up().await;
    });
}

#[test]
fn another_network_is_hardly_heard() {
    inside("change::another_network_is_hardly_heard", async |lab| {
        let mut talk = Talk::begin(lab, Kind::Public, Kind::Linux).await;
        let mut elsewhere = talk.pair.lab.site(Kind::PortRestricted);
        let moves = async |pair: &mut Pair| move_to(&mut elsewhere, pair);
        talk.survives("another network", moves).await;
        talk.hang_up().await;
    });
}

/// Up, then down: each is a change of address.
#[test]
fn a_vpn_is_hardly_heard() {
    inside("change::a_vpn_is_hardly_heard", async |lab| {
        let mut talk = Talk::begin(lab, Kind::Public, Kind::Linux).await;
        let provider = talk.pair.lab.empty(Kind::Public);
        let up = async |pair: &mut Pair| {
            provider.tunnel(pair.bob_site().client());
            Duration::ZERO
        };
        talk.survives("VPN up", up).await;
        let down = async |pair: &mut Pair| {
            provider.close_tunnel(pair.bob_site().client());
            Duration::ZERO
        };
        talk.survives("VPN up and down", down).await;
        talk.hang_up().await;
    });
}

/// Neither side's router lets the other's new address in: a contact of both says where it is.
#[test]
fn an_introducer_keeps_a_call_that_moves() {
    inside("change::an_introducer_keeps_a_call_that_moves", async |lab| {
        let mut pair = Pair::make(lab, Pairing::Apart(Kind::PortRestricted, Kind::Linux)).await;
        let place = pair.lab.site(Kind::Public);
        let mut carol = Home::within("Carol", place.client().netns().path());
        carol.configure("[network]\nstun = []\n\n[dht]\nenabled = false\n");
        carol.begin_life().await;
        let met = pair.meet(GREEN).await;
        assert!(met.is_ok(), "{met:?}\n{}", pair.state());
        for home in [&pair.ann, &pair.bob] {
            acquaint(&carol, home).await;
            let contact = home.contact("Carol", SOON, |_| true).await;
            let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
            let named = home.api().patch(&path, json!({ "introduces": true })).await;
            assert_eq!(named.status, 200, "{named:?}");
        }
        let mut elsewhere = pair.lab.site(Kind::Linux);
        let mut talk = Talk::call(pair).await;
        let moves = async |pair: &mut Pair| move_to(&mut elsewhere, pair);
        talk.survives("another network, by an introducer", moves).await;
        talk.hang_up().await;
    });
}

/// Reconnecting is said while the cable is out, and the call goes on when it is back.
#[test]
fn a_pulled_cable_is_said_and_outlived() {
    inside("change::a_pulled_cable_is_said_and_outlived", async |lab| {
        let mut talk = Talk::begin(lab, Kind::Public, Kind::Linux).await;
        let began = Instant::now();
        talk.pair.bob_site().unplug();
        talk.is("reconnecting", 2 * RECONNECTING, |call| call["reconnecting"] == true)
            .await;
        let said = began.elapsed();
        assert!(said >= RECONNECTING - GAP, "said after {said:?}");
        sleep(Duration::from_secs(20).saturating_sub(began.elapsed())).await;
        let plug_in = async |pair: &mut Pair| {
            pair.bob_site().plug_in();
            began.elapsed()
        };
        talk.survives("cable out", plug_in).await;
        talk.hang_up().await;
    });
}

/// Thirty seconds are too long for the call, which says so, and not for the link.
#[test]
fn a_cable_out_for_long_ends_the_call_and_not_the_contact() {
    let name = "change::a_cable_out_for_long_ends_the_call_and_not_the_contact";
    inside(name, async |lab| {
        let talk = Talk::begin(lab, Kind::Public, Kind::Linux).await;
        let began = Instant::now();
        talk.pair.bob_site().unplug();
        talk.is("the call to be lost", LOST + SOON, |call| {
            call["reason"]["code"] == "lost"
        })
        .await;
        let told = began.elapsed();
        assert!(told + GAP >= LOST, "lost after {told:?}");
        talk.pair.bob_site().plug_in();
        let back = Instant::now();
        let green = talk.pair.both_green(SOON, back).await;
        assert!(green.is_ok(), "{green:?}\n{}", talk.pair.state());
        eprintln!(
            "interface gone {:.1} s: call lost, green {:.2} s after it is back",
            (back - began).as_secs_f64(),
            green.unwrap().as_secs_f64()
        );
    });
}

/// A daemon that was stopped shows nothing green that it has not proven since, and the call goes on.
#[test]
fn a_sleep_is_outlived_and_nothing_is_green_unproven() {
    let name = "change::a_sleep_is_outlived_and_nothing_is_green_unproven";
    inside(name, async |lab| {
        let mut talk = Talk::begin(lab, Kind::Public, Kind::Linux).await;
        let bob = Pid::from_raw(talk.pair.bob.pid());
        let sleeps = async |pair: &mut Pair| {
            let began = Instant::now();
            kill(bob, Signal::SIGSTOP).unwrap();
            sleep(SLEEP).await;
            let slept = began.elapsed();
            kill(bob, Signal::SIGCONT).unwrap();
            let woken = Instant::now();
            let mut looks = 0;
            until("a proof after waking", SOON, async || {
                let contacts = pair.bob.api().list("/v1/contacts").await;
                let ann = contacts.iter().find(|contact| contact["name"] == "Ann").unwrap();
                let age = ann["path"]["last_proof_ms"].as_u64();
                let is_fresh = age.is_some_and(|age| u128::from(age) <= woken.elapsed().as_millis());
                assert!(
                    is_fresh || ann["reachable"] != "yes",
                    "green {:?} after waking, by a proof of {age:?} ms ago",
                    woken.elapsed()
                );
                looks += 1;
                (is_fresh && ann["reachable"] == "yes").then_some(())
            })
            .await;
            eprintln!(
                "green {:.3} s after waking, look {looks}",
                woken.elapsed().as_secs_f64()
            );
            slept
        };
        talk.survives("sleep", sleeps).await;
        talk.hang_up().await;
    });
}
