//! What leaves a home, as a capture sees it: a stranger draws no answer, whatever the router lets through.

use std::net::SocketAddrV4;
use std::time::Duration;

use serde_json::json;
use twocan_tests::home::Home;
use twocan_tests::lab::{Kind, Pair, Pairing, inside};
use twocan_tests::packets::{Capture, probes};
use twocan_tests::wait::until;

const SOON: Duration = Duration::from_secs(20);
/// A burst of probes that a router's queue and a socket's buffer hold.
const BURST: usize = 50;

/// Door closed, no key: not one byte back, through a router that lets strangers in. The probes arrive: the capture sees
/// them at the daemon's own machine.
#[test]
fn strangers_hear_nothing_through_a_full_cone() {
    inside("silence::strangers_hear_nothing_through_a_full_cone", async |lab| {
        // Bob's knocks open his router for everybody, as it is of that kind.
        let pair = Pair::make(lab, Pairing::Apart(Kind::Public, Kind::FullCone)).await;
        pair.meet().await.unwrap();
        hears_nothing(&pair).await;
    });
}

async fn hears_nothing(pair: &Pair) {
    let bob = pair.bob_site().client();
    let own = SocketAddrV4::new(bob.address().to_string().parse().unwrap(), 2226);
    let public = pair.bob_site().public_of(2226).expect("a mapping of Bob's socket");
    let public = SocketAddrV4::new(pair.bob_site().public(), public);
    let capture = bob.netns().within(Capture::start);
    let stranger = pair.server.netns().udp((pair.server.address(7), 7777).into());
    let me = SocketAddrV4::new(pair.server.address(7), 7777);
    let all = probes(20);
    let mut sent = 0;
    for burst in all.chunks(BURST) {
        for (_, bytes) in burst {
            stranger.send_to(bytes, public).unwrap();
        }
        sent += burst.len();
        until("the probes at Bob's machine", SOON, async || {
            (capture.packets(|packet| packet.from == me && packet.to == own).len() >= sent).then_some(())
        })
        .await;
    }
    // He answers who may ask, and has read all that came before.
    alive(&pair.ann).await;
    let answers = capture.packets(|packet| packet.to == me);
    assert_eq!(answers, [], "a stranger was answered\n{}", pair.lab.state());
}

async fn alive(ann: &Home) {
    let bob = ann.api().list("/v1/contacts").await;
    let id = bob[0]["id"].as_str().unwrap();
    let pong = ann.api().post(&format!("/v1/contacts/{id}/ping"), json!({})).await;
    assert_eq!(pong.status, 200, "{pong:?}");
}
