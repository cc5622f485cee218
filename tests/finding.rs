//! Finding each other over a DHT: daemons as people run them, and a DHT of this machine alone.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use mainline::Testnet;
use twocan_core::invite::Link;
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::{self, ADDRESS};

/// How long two may take who know nothing of each other's new addresses.
const FOUND: Duration = Duration::from_secs(60);
/// How long a first contact may take whose link has no address that is still right.
const FIRST_CONTACT: Duration = Duration::from_secs(15);

/// A DHT of some nodes on the loopback network, which ends with the value.
fn dht() -> Testnet {
    Testnet::builder(8).build().unwrap()
}

/// A home that knows where the DHT is.
fn home(name: &str, net: &Testnet) -> Home {
    let mut home = Home::empty(name);
    home.set("TWOCAN_DHT_ENABLED", "true");
    home.set("TWOCAN_DHT_BOOTSTRAP", &net.bootstrap.join(","));
    home
}

#[tokio::test]
async fn two_who_both_moved_find_each_other() {
    let net = dht();
    let (mut ann, mut bob) = (home("Ann", &net), home("Bob", &net));
    tokio::join!(ann.begin_life(), bob.begin_life());
    acquaint(&ann, &bob).await;
    let before = (ann.ready().udp, bob.ready().udp);
    // Each start takes another port: nobody is where the other remembers him.
    bob.stop().await;
    ann.restart().await;
    bob.start().await;
    assert!(before.0 != ann.ready().udp && before.1 != bob.ready().udp);
    let began = Instant::now();
    tokio::join!(ann.green("Bob", FOUND), bob.green("Ann", FOUND));
    eprintln!("both moved: green after {:.1} s", began.elapsed().as_secs_f64());
}

#[tokio::test]
async fn a_link_without_a_right_address_makes_a_contact() {
    let net = dht();
    let (mut ann, mut bob) = (home("Ann", &net), home("Bob", &net));
    tokio::join!(ann.begin_life(), bob.begin_life());
    let invite = ann.json(&["invite"]).await;
    let link = invite["link"].as_str().unwrap().to_owned();
    ann.restart().await;
    assert_ne!(Link::find(&link).unwrap().candidates, [ann.ready().udp]);
    let began = Instant::now();
    let adding = bob.begin(&["--json", "add", &link]);
    tokio::join!(ann.green("Bob", FIRST_CONTACT), bob.green("Ann", FIRST_CONTACT));
    eprintln!("first contact: green after {:.1} s", began.elapsed().as_secs_f64());
    adding.end(Duration::from_secs(5)).await.exited(0);
}

/// The same without a DHT does not come about, so that it is the DHT that is shown above.
#[tokio::test]
async fn without_a_dht_such_a_link_waits() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let invite = ann.json(&["invite"]).await;
    ann.restart().await;
    let added = bob.twocan(&["--json", "add", invite["link"].as_str().unwrap()]).await;
    assert_eq!(added.exited(4).json()["state"], "pending");
}

/// Neighbours find each other without a DHT: both have moved, and a name on the local network is all there is.
#[test]
fn neighbours_find_each_other() {
    namespace::inside("neighbours_find_each_other", async || {
        let (mut ann, mut bob) = (neighbour("Ann"), neighbour("Bob"));
        tokio::join!(ann.begin_life(), bob.begin_life());
        acquaint(&ann, &bob).await;
        bob.stop().await;
        ann.restart().await;
        bob.start().await;
        let began = Instant::now();
        tokio::join!(ann.green("Bob", FOUND), bob.green("Ann", FOUND));
        eprintln!("neighbours: green after {:.1} s", began.elapsed().as_secs_f64());
    });
}

fn neighbour(name: &str) -> Home {
    let mut home = Home::bound(name, &format!("{ADDRESS}:0"));
    home.set("TWOCAN_NETWORK_LAN", "true");
    home
}

/// By hand, where there is neither a DHT nor a neighbour.
#[tokio::test]
async fn a_reply_by_hand_makes_a_contact() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    let invite = ann.json(&["invite"]).await;
    ann.restart().await;
    let waiting = bob.twocan(&["add", invite["link"].as_str().unwrap()]).await.exited(4);
    let shown = format!("{}{}", waiting.stdout, waiting.stderr);
    let reply = shown.lines().find(|line| line.starts_with("twocan-reply:")).unwrap();
    ann.twocan(&["add", reply]).await.exited(0);
    tokio::join!(ann.green("Bob", GREEN), bob.green("Ann", GREEN));
}
