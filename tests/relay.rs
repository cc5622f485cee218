//! Through others: a friend's device, one's own server, and nothing but those for whom one hides from.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::packets::{Capture, Packet};
use twocan_tests::running::Running;
use twocan_tests::turn::{Certificates, Server};
use twocan_tests::wait::until;
use twocan_tests::wall::Wall;

/// What two daemons say to each other is there within this time.
const SOON: Duration = Duration::from_secs(5);
/// In a call a path that breaks is noticed after a second; then a search must come to nothing, and the relay be asked.
const RELAYED: Duration = Duration::from_secs(15);
/// Outside of a call silence is noticed by the keep-alive, and searches pause.
const RELAYED_IDLE: Duration = Duration::from_secs(100);
/// A direct path is looked for once a minute, on the tick.
const DIRECT: Duration = Duration::from_secs(110);
/// The first byte of a frame that a relay passes on.
const FRAME: u8 = 9;

/// `Ann`, `Bob` and `Cleo`, each two of whom are contacts.
async fn three() -> (Home, Home, Home) {
    let (ann, bob, cleo) = tokio::join!(Home::up("Ann"), Home::up("Bob"), Home::up("Cleo"));
    acquaint(&ann, &bob).await;
    acquaint(&cleo, &ann).await;
    acquaint(&cleo, &bob).await;
    (ann, bob, cleo)
}

/// Cleo's user lets both use her device.
async fn cleo_relays(cleo: &Home) {
    for name in ["Ann", "Bob"] {
        let body = cleo.json(&["relay", "for", "on", name]).await;
        assert_eq!((&body["relay"], &body["relay_only"]), (&json!(true), &json!(false)));
    }
}

/// How one shows its path to another, once it is as wanted.
async fn path(home: &Home, name: &str, within: Duration, kind: &str) -> Value {
    let fits = |contact: &Value| contact["reachable"] == "yes" && contact["path"]["kind"] == kind;
    home.contact(name, within, fits).await["path"].clone()
}

async fn both_paths(ann: &Home, bob: &Home, within: Duration, kind: &str) -> [Value; 2] {
    let (here, there) = tokio::join!(path(ann, "Bob", within, kind), path(bob, "Ann", within, kind));
    [here, there]
}

/// A call with a clip from both sides, and its id.
async fn talk(ann: &Home, bob: &Home, seconds: u32) -> ([Running; 2], String) {
    let seconds = seconds.to_string();
    let calling = ann.begin(&["--json", "call", "Bob", "--headless", "--seconds", &seconds]);
    let rings = |call: &Value| call["direction"] == "in" && call["state"] == "ringing";
    bob.call("the ring", SOON, rings).await;
    let answering = bob.begin(&["--json", "answer", "--headless", "--seconds", &seconds]);
    let active = |call: &Value| call["state"] == "active";
    let call = ann.call("an active call", SOON, active).await;
    ([calling, answering], call["id"].as_str().unwrap().to_owned())
}

async fn frames(home: &Home, call: &str) -> u64 {
    let stats = home.api().get(&format!("/v1/calls/{call}/clip")).await;
    stats["video_frames"].as_u64().unwrap_or_default()
}

/// Pictures come on: fifty more than there were, on both sides.
async fn sees_more(ann: &Home, bob: &Home, call: &str) {
    for home in [ann, bob] {
        let before = frames(home, call).await;
        let more = async || (frames(home, call).await >= before + 50).then_some(());
        until("fifty more frames", RELAYED, more).await;
    }
}

async fn is_active(home: &Home, call: &str) {
    let body = home.api().get(&format!("/v1/calls/{call}")).await;
    assert_eq!(body["state"], "active", "{body}");
}

async fn hang_up(ann: &Home, commands: [Running; 2]) {
    ann.json(&["hangup"]).await;
    for command in commands {
        let body = command.end(SOON).await.exited(0).json();
        assert_eq!(body["reason"]["code"], "hung_up", "{body}");
    }
}

fn is_between(packet: &Packet, one: SocketAddr, other: SocketAddr) -> bool {
    let ends = (SocketAddr::from(packet.from), SocketAddr::from(packet.to));
    ends == (one, other) || ends == (other, one)
}

/// A wall goes up between two in the middle of a call: it goes on through the friend. The wall comes down: it goes on
/// straight, without having ended.
#[test]
fn a_call_goes_through_a_friend_and_straight_again() {
    inside("a_call_goes_through_a_friend_and_straight_again", async || {
        let (ann, bob, cleo) = three().await;
        cleo_relays(&cleo).await;
        let (commands, call) = talk(&ann, &bob, 200).await;
        sees_more(&ann, &bob, &call).await;

        let (here, there, friend) = (ann.ready().udp, bob.ready().udp, cleo.ready().udp);
        let wall = Wall::between(here, there);
        let began = Instant::now();
        for path in both_paths(&ann, &bob, RELAYED, "relay").await {
            assert_eq!((&path["via"], &path["carrier"]), (&json!("Cleo"), &json!("contact")));
        }
        eprintln!("through the friend after {:?}", began.elapsed());
        let capture = Capture::start();
        sees_more(&ann, &bob, &call).await;
        is_active(&bob, &call).await;
        let frames = capture.packets(|packet| is_between(packet, friend, there) && packet.bytes[0] == FRAME);
        assert!(frames.len() > 50, "{} frames", frames.len());

        drop(wall);
        let began = Instant::now();
        both_paths(&ann, &bob, DIRECT, "lan").await;
        eprintln!("straight after {:?}", began.elapsed());
        sees_more(&ann, &bob, &call).await;
        is_active(&ann, &call).await;
        hang_up(&ann, commands).await;
        let listed = cleo.twocan(&["contacts"]).await.exited(0);
        assert!(listed.stdout.contains("may relay here"), "{listed:?}");
    });
}

/// Only those whom the user of the friend's device has named get through; taking that back ends it.
#[test]
fn nobody_gets_through_whom_the_friend_has_not_named() {
    inside("nobody_gets_through_whom_the_friend_has_not_named", async || {
        let (ann, bob, cleo) = three().await;
        cleo.json(&["relay", "for", "on", "Ann"]).await;
        let _wall = Wall::between(ann.ready().udp, bob.ready().udp);
        let calling = ann.begin(&["--json", "call", "Bob"]);
        let over = |call: &Value| call["state"] == "ended";
        let call = ann.call("a call that comes to nothing", RELAYED * 2, over).await;
        assert_ne!(call["reason"]["code"], "hung_up", "{call}");
        calling.end(SOON).await;
        assert!(ann.api().get("/v1/contacts").await["items"].as_array().is_some());

        cleo.json(&["relay", "for", "on", "Bob"]).await;
        both_paths(&ann, &bob, RELAYED_IDLE, "relay").await;
        cleo.json(&["relay", "for", "off", "Bob"]).await;
        let lost = |contact: &Value| contact["reachable"] != "yes";
        ann.contact("Bob", RELAYED_IDLE, lost).await;
        bob.contact("Ann", RELAYED_IDLE, lost).await;
    });
}

/// Whoever hides sends nothing straight to the contact, not even after a restart, and is reached through the friend.
#[test]
fn whoever_hides_sends_nothing_straight() {
    inside("whoever_hides_sends_nothing_straight", async || {
        let (mut ann, bob, cleo) = three().await;
        cleo_relays(&cleo).await;
        let there = bob.ready().udp;
        let body = ann.json(&["relay", "only", "on", "Bob"]).await;
        assert_eq!(body["relay_only"], true, "{body}");
        let here = ann.ready().udp;
        // The connection that stood is closed by a packet of its own.
        let gone = |contact: &Value| contact["path"]["kind"] != "lan";
        ann.contact("Bob", SOON, gone).await;
        both_paths(&ann, &bob, RELAYED_IDLE, "relay").await;
        let capture = Capture::start();
        let (commands, call) = talk(&ann, &bob, 60).await;
        sees_more(&ann, &bob, &call).await;
        hang_up(&ann, commands).await;
        let sent =
            |packet: &Packet, from| (SocketAddr::from(packet.from), SocketAddr::from(packet.to)) == (from, there);
        assert_eq!(capture.packets(|packet| sent(packet, here)), Vec::new());
        ann.restart().await;
        let here = ann.ready().udp;
        both_paths(&ann, &bob, RELAYED_IDLE, "relay").await;
        assert_eq!(capture.packets(|packet| sent(packet, here)), Vec::new());
        let through = |packet: &Packet| SocketAddr::from(packet.from) == here && packet.bytes[0] == FRAME;
        assert!(!capture.packets(through).is_empty(), "the capture sees what passes");
    });
}

/// A home whose daemon knows a relay server.
async fn with_server(name: &str, url: &str, certificates: Option<&Certificates>) -> Home {
    let mut home = Home::empty(name);
    if let Some(certificates) = certificates {
        home.set("SSL_CERT_FILE", certificates.authority().to_str().unwrap());
    }
    settle_with(&mut home, url).await;
    home
}

async fn settle_with(home: &mut Home, url: &str) {
    let (user, password) = (Server::USER, Server::PASSWORD);
    home.configure(&format!(
        "[relay]\nturn = [{{ url = \"{url}\", username = \"{user}\", credential = \"{password}\" }}]\n"
    ));
    home.begin_life().await;
}

/// UDP of one's own does not pass at all: the server on TCP is all the network there is.
#[test]
fn where_udp_is_blocked_the_server_is_the_network() {
    inside("where_udp_is_blocked_the_server_is_the_network", async || {
        let certificates = Certificates::make();
        let server = Server::start(&certificates).await;
        let bob = Home::up("Bob").await;
        blocked(&with_server("Ann", &server.tcp(), None).await, &bob).await;
    });
}

/// The same within TLS, as on networks that let nothing but port 443 pass.
#[test]
fn where_udp_is_blocked_the_server_is_reached_within_tls() {
    inside("where_udp_is_blocked_the_server_is_reached_within_tls", async || {
        let certificates = Certificates::make();
        let server = Server::start(&certificates).await;
        let bob = Home::up("Bob").await;
        blocked(&with_server("Ann", &server.tls(), Some(&certificates)).await, &bob).await;
    });
}

/// Nobody whom the system does not trust is given the name and the password.
#[test]
fn a_server_that_nobody_vouches_for_is_not_used() {
    inside("a_server_that_nobody_vouches_for_is_not_used", async || {
        let certificates = Certificates::make();
        let server = Server::start(&certificates).await;
        let (ann, bob) = (
            with_server("Ann", &server.tls(), Some(&Certificates::make())).await,
            Home::up("Bob").await,
        );
        acquaint(&ann, &bob).await;
        let _wall = Wall::around(ann.ready().udp);
        let warned = async || {
            let status = ann.api().get("/v1/status").await;
            let warnings = status["warnings"].as_array()?.iter();
            let mut codes = warnings.map(|warning| warning["code"].clone());
            codes.find(|code| code == "relay_server_fails")
        };
        until("a warning", RELAYED_IDLE, warned).await;
        assert_ne!(ann.contact("Bob", SOON, |_| true).await["path"]["kind"], "relay");
    });
}

/// Ann's UDP does not pass: a call goes through her server, and straight when it does again.
async fn blocked(ann: &Home, bob: &Home) {
    acquaint(ann, bob).await;
    let wall = Wall::around(ann.ready().udp);
    let [here, there] = both_paths(ann, bob, RELAYED_IDLE, "relay").await;
    assert_eq!(
        (&here["via"], &here["carrier"]),
        (&json!("your server"), &json!("own_server"))
    );
    assert_eq!(
        (&there["via"], &there["carrier"]),
        (&json!("their server"), &json!("their_server"))
    );
    let (commands, call) = talk(ann, bob, 60).await;
    sees_more(ann, bob, &call).await;
    hang_up(ann, commands).await;
    drop(wall);
    both_paths(ann, bob, DIRECT, "lan").await;
}

/// Hidden behind one's own server, over UDP: the contact never sees a packet of this device's.
#[test]
fn whoever_hides_is_reached_at_the_server() {
    inside("whoever_hides_is_reached_at_the_server", async || {
        let certificates = Certificates::make();
        let server = Server::start(&certificates).await;
        let ann = with_server("Ann", &server.udp(), None).await;
        let bob = Home::up("Bob").await;
        acquaint(&ann, &bob).await;
        ann.json(&["relay", "only", "on", "Bob"]).await;
        let gone = |contact: &Value| contact["path"]["kind"] != "lan";
        ann.contact("Bob", SOON, gone).await;
        both_paths(&ann, &bob, RELAYED_IDLE, "relay").await;
        let capture = Capture::start();
        let (commands, call) = talk(&ann, &bob, 60).await;
        sees_more(&ann, &bob, &call).await;
        hang_up(&ann, commands).await;
        let (here, there) = (ann.ready().udp, bob.ready().udp);
        let straight = |packet: &Packet| (packet.from.into(), packet.to.into()) == (here, there);
        assert_eq!(capture.packets(straight), Vec::new());
        let (at, privacy) = (GREEN, ann.json(&["privacy"]).await);
        assert!(privacy.to_string().contains("relay server"), "{at:?} {privacy}");
    });
}

/// Neither contacts nor clients of the API are ever told the password, nor is the log; and it is not on the wire.
#[test]
fn the_password_of_the_server_stays_in_the_settings() {
    inside("the_password_of_the_server_stays_in_the_settings", async || {
        let certificates = Certificates::make();
        let server = Server::start(&certificates).await;
        let capture = Capture::start();
        let mut ann = Home::empty("Ann");
        ann.set("TWOCAN_LOG", "trace");
        settle_with(&mut ann, &server.udp()).await;
        let bob = Home::up("Bob").await;
        acquaint(&ann, &bob).await;
        ann.json(&["relay", "only", "on", "Bob"]).await;
        both_paths(&ann, &bob, RELAYED_IDLE, "relay").await;
        let invite = ann.api().post("/v1/invites", json!({})).await;
        assert_eq!(invite.status, 201, "{invite:?}");
        let spills = |text: &str| text.contains(Server::PASSWORD);
        for home in [&ann, &bob] {
            for path in [
                "status",
                "me",
                "network",
                "privacy",
                "contacts",
                "invites",
                "calls",
                "door",
                "openapi.json",
            ] {
                let said = home.api().get(&format!("/v1/{path}")).await.to_string();
                assert!(said.len() > 2 && !spills(&said), "{path}: {said}");
            }
            let mut events = home.api().events().await;
            let snapshot = events.next(SOON).await;
            assert!(!spills(&format!("{snapshot:?}")), "{snapshot:?}");
            assert!(!spills(&home.log()), "the log of {}", home.name());
        }
        let settings = std::fs::read_to_string(ann.path().join("config.toml")).unwrap();
        assert!(spills(&settings), "a look at what holds it finds it");
        let has = |packet: &Packet, word: &str| packet.bytes.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        assert!(
            !capture.packets(|packet| has(packet, Server::USER)).is_empty(),
            "the capture sees what is said to the server"
        );
        assert_eq!(capture.packets(|packet| has(packet, Server::PASSWORD)), Vec::new());
    });
}
