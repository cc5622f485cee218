//! A daemon with two hundred contacts, fifty of them green and the others away, left alone: what it sends, how often it wakes, what it
//! computes, and what that makes a day.
//!
//! The daemon alone uses the DHT, which is one of eight nodes on this machine. Those who are away were there a moment ago, so they are
//! looked for as often as ever; `node/tests/scale.rs` reckons with the days after that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainline::Testnet;
use tokio::time::sleep;
use twocan_tests::home::{GREEN, Home};
use twocan_tests::packets::{Capture, Packet};
use twocan_tests::usage::Usage;
use twocan_tests::wait::until;

use super::{float, float_usize, one, own, spoke};

const LINKS: usize = 50;
const AWAY: usize = 150;
/// What the last meetings have begun is over by then.
const REST: Duration = Duration::from_secs(60);
/// A whole number of minutes, for the meetings of a minute are in three of its ticks.
const STRETCH: Duration = Duration::from_secs(300);
const NODES: usize = 8;
const DAY_S: f64 = 24.0 * 3600.0;
/// A client of the DHT that has nothing to do is gone after this.
const LIFE: Duration = Duration::from_secs(20);
/// Whoever has gone is looked for three times in this.
const LOOKS: Duration = Duration::from_secs(100);

/// What a packet is for, by its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    KeepAlive,
    Knock,
    Quic,
}

fn what(packet: &Packet) -> Option<What> {
    match packet.bytes.first()? {
        8 => Some(What::KeepAlive),
        4..=15 => Some(What::Knock),
        64.. => Some(What::Quic),
        _ => None,
    }
}

/// Prints the rows; `minutes` is how long the daemon is left alone before it is looked at.
pub(crate) async fn presence(minutes: u64) {
    let net = Testnet::builder(NODES).build().unwrap();
    let mut hub = Home::empty("Hub");
    hub.set("TWOCAN_DHT_ENABLED", "true");
    hub.set("TWOCAN_DHT_BOOTSTRAP", &net.bootstrap.join(","));
    hub.begin_life().await;
    let mut spokes = Vec::new();
    for number in 0..LINKS {
        spokes.push(spoke(&hub, number).await);
    }
    for number in LINKS..LINKS + AWAY {
        let mut gone = spoke(&hub, number).await;
        until("one more to be green", GREEN * 5, async || {
            let green = green(&hub).await;
            green.iter().any(|name| name == gone.name()).then_some(())
        })
        .await;
        gone.crash().await;
    }
    sleep(REST + Duration::from_secs(60 * minutes)).await;
    assert_eq!(green(&hub).await.len(), LINKS);
    measure(&hub, &net).await;
    assert_eq!(green(&hub).await.len(), LINKS);
}

/// Who is green.
async fn green(hub: &Home) -> Vec<String> {
    let contacts = hub.api().list("/v1/contacts?limit=200").await;
    let green = contacts.iter().filter(|contact| contact["reachable"] == "yes");
    green
        .map(|contact| contact["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn measure(hub: &Home, net: &Testnet) {
    let nodes = ports(net);
    let is_node = |at: std::net::SocketAddrV4| nodes.contains(&at.port());
    let (capture, before) = (Capture::start(), Usage::of(hub.pid()));
    sleep(STRETCH).await;
    let after = Usage::of(hub.pid());
    let own_packets = capture.packets(own(hub.ready().udp));
    let asked = capture.packets(|packet| is_node(packet.from) != is_node(packet.to));
    // Seen going and coming on loopback.
    let bytes = |packets: &mut dyn Iterator<Item = &Packet>| -> f64 {
        float_usize(packets.map(|packet| packet.bytes.len() + 28).sum()) / 2.0
    };
    let a_day = DAY_S / STRETCH.as_secs_f64();
    let of = |wanted: What| bytes(&mut own_packets.iter().filter(|packet| what(packet) == Some(wanted))) * a_day;
    let mb = |bytes: f64| bytes / 1e6;
    let (links, away) = (float_usize(LINKS), float_usize(AWAY));
    one("presence, 50 green and 150 away: wakeups a second", {
        float(after.wakeups - before.wakeups) / STRETCH.as_secs_f64()
    });
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    one("presence: processor (s/h)", cpu * 3600.0 / STRETCH.as_secs_f64());
    one(
        "presence: keep-alives of a link (MB a day)",
        mb(of(What::KeepAlive)) / links,
    );
    one("presence: QUIC of a link (MB a day)", mb(of(What::Quic)) / links);
    one(
        "presence: knocks for one who is away (bytes a minute)",
        of(What::Knock) / away / (24.0 * 60.0),
    );
    one(
        "presence: DHT, everything (MB a day)",
        mb(bytes(&mut asked.iter()) * a_day),
    );
    let told = |kind: &str| asked.iter().filter(|packet| holds(&packet.bytes, kind)).count() / 2;
    one(
        "presence: DHT, get messages in the stretch",
        float_usize(told("1:q3:get")),
    );
    one(
        "presence: DHT, put messages in the stretch",
        float_usize(told("1:q3:put")),
    );
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Prints what one look-up and one publication cost, in messages and bytes, in nets of different sizes. Each is a life of the daemon's client,
/// with a port of its own, from its first question for nodes on.
pub(crate) async fn dht() {
    for nodes in [16, 256] {
        let net = Testnet::builder(nodes).build().unwrap();
        let ports = ports(&net);
        let capture = Capture::start();
        let mut ann = Home::empty("Ann");
        ann.set("TWOCAN_DHT_ENABLED", "true");
        ann.set(
            "TWOCAN_DHT_BOOTSTRAP",
            &net.bootstrap.iter().take(NODES).cloned().collect::<Vec<_>>().join(","),
        );
        ann.begin_life().await;
        let mut bob = spoke(&ann, 0).await;
        ann.green(bob.name(), GREEN * 5).await;
        sleep(LIFE).await;
        bob.crash().await;
        sleep(LOOKS).await;
        let asked = capture.packets(|packet| ports.contains(&packet.from.port()) != ports.contains(&packet.to.port()));
        let mut lives: BTreeMap<u16, Vec<&Packet>> = BTreeMap::new();
        for packet in &asked {
            let (from, to) = (packet.from.port(), packet.to.port());
            lives
                .entry(if ports.contains(&from) { to } else { from })
                .or_default()
                .push(packet);
        }
        let puts = |packets: &[&Packet]| packets.iter().any(|packet| holds(&packet.bytes, "1:q3:put"));
        let (put, got): (Vec<_>, Vec<_>) = lives.into_values().partition(|packets| puts(packets));
        for (what, lives) in [("a put", put), ("a get", got)] {
            let count = float_usize(lives.len()) * 2.0;
            let messages = float_usize(lives.iter().map(Vec::len).sum());
            let bytes = float_usize(lives.iter().flatten().map(|packet| packet.bytes.len() + 28).sum());
            one(
                &format!("DHT of {nodes} nodes, {what}: messages, both ways"),
                messages / count,
            );
            one(
                &format!("DHT of {nodes} nodes, {what}: bytes, both ways"),
                bytes / count,
            );
        }
    }
}

#[expect(
    deprecated,
    reason = "the interface that is not deprecated is a feature of the crate that nothing else needs"
)]
fn ports(net: &Testnet) -> BTreeSet<u16> {
    net.nodes.iter().map(|node| node.info().local_addr().port()).collect()
}
