//! What leaves a home, as a capture sees it: a stranger draws no answer, whatever the router lets through; nothing goes where a
//! link must not send it; and whom one hides from gets no packet straight.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twocan_core::invite::Link;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::lab::{GREEN, Host, Kind, Lab, Pair, Pairing, Server, Sites, inside};
use twocan_tests::packets::{Capture, Packet, probes};
use twocan_tests::wait::until;

const SOON: Duration = Duration::from_secs(20);
/// Searches pause for a minute, and a relay is asked a second into each.
const RELAYED: Duration = Duration::from_secs(100);
/// A burst of probes that a router's queue and a socket's buffer hold.
const BURST: usize = 50;

/// Door closed, no key: not one byte back, through a router that lets strangers in. The probes arrive: the capture sees
/// them at the daemon's own machine.
#[test]
fn strangers_hear_nothing_through_a_full_cone() {
    inside("silence::strangers_hear_nothing_through_a_full_cone", async |lab| {
        // Bob's knocks open his router for everybody, as it is of that kind.
        let pair = Pair::make(lab, Pairing::Apart(Kind::Public, Kind::FullCone)).await;
        pair.meet(GREEN).await.unwrap();
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
    let contacts = ann.api().list("/v1/contacts").await;
    let bob = contacts.iter().find(|contact| contact["name"] == "Bob").unwrap();
    let id = bob["id"].as_str().unwrap();
    let pong = ann.api().post(&format!("/v1/contacts/{id}/ping"), json!({})).await;
    assert_eq!(pong.status, 200, "{pong:?}");
}

/// Addresses to which nothing may go, whoever names them: groups, cloud metadata, everybody, loopback, private networks of
/// others, reserved ones.
const FORBIDDEN: [&str; 12] = [
    "224.0.0.251:5353",
    "169.254.169.254:80",
    "255.255.255.255:9",
    "127.0.0.1:2226",
    "0.0.0.0:2226",
    "240.0.0.1:2226",
    "10.0.0.5:2226",
    "172.16.0.5:2226",
    "192.168.7.7:2226",
    "100.64.9.9:2226",
    "239.255.255.250:1900",
    "11.0.1.9:0",
];
/// How many knocks a search sends to each address.
const KNOCKS: usize = 4;

/// A link whose addresses were chosen by somebody else sends Bob's packets to none of these.
#[test]
fn a_poisoned_link_sends_nothing_to_forbidden_addresses() {
    inside(
        "silence::a_poisoned_link_sends_nothing_to_forbidden_addresses",
        async |lab| {
            let pair = Pair::make(lab, Pairing::Apart(Kind::Public, Kind::Linux)).await;
            let bob = pair.bob_site().client();
            let capture = bob.netns().within(Capture::start);
            let sent_to = |to: SocketAddrV4| capture.packets(|packet| packet.from.port() == 2226 && packet.to == to);
            for (number, forbidden) in FORBIDDEN.chunks(6).enumerate() {
                let allowed = SocketAddrV4::new(pair.server.address(20 + u8::try_from(number).unwrap()), 2226);
                let mut link = invite(&pair.ann).await;
                let poison = forbidden.iter().map(|address| address.parse().unwrap());
                link.candidates = poison.chain([allowed.into()]).collect();
                let added = pair
                    .bob
                    .api()
                    .post("/v1/contacts", json!({ "link": link.to_text() }))
                    .await;
                // The second link is of a contact that there is.
                assert!([200, 201].contains(&added.status), "{added:?}");
                until("knocks at the allowed address", SOON, async || {
                    (sent_to(allowed).len() >= KNOCKS).then_some(())
                })
                .await;
            }
            for forbidden in FORBIDDEN {
                assert_eq!(sent_to(forbidden.parse().unwrap()), [], "{forbidden}");
            }
        },
    );
}

/// Ann hides from Bob behind her relay server. He is found again after a restart, and called; all of it goes through the server.
#[test]
fn whom_one_hides_from_gets_no_packet_straight() {
    inside("silence::whom_one_hides_from_gets_no_packet_straight", async |lab| {
        let mut pair = Pair::make(lab, Pairing::Apart(Kind::Linux, Kind::Linux)).await;
        pair.meet(GREEN).await.unwrap();
        pair.give_ann_a_server().await;
        pair.both_green(GREEN, Instant::now()).await.unwrap();
        let Sites::Two([ann, bob]) = &pair.sites else {
            panic!("two homes")
        };
        let (ann, bob, server) = (ann.public(), bob.public(), pair.turn().unwrap().address);
        let straight = |capture: &Capture| capture.packets(|packet| *packet.from.ip() == ann && *packet.to.ip() == bob);
        assert_ne!(straight(&pair.capture), [], "the capture sees what goes straight");

        let bobs = pair.ann.api().list("/v1/contacts").await;
        let path = format!("/v1/contacts/{}", bobs[0]["id"].as_str().unwrap());
        let hidden = pair.ann.api().patch(&path, json!({ "relay_only": true })).await;
        assert_eq!(hidden.body["relay_only"], true, "{hidden:?}");
        until("a path through the server", GREEN, async || {
            let contacts = pair.ann.api().list("/v1/contacts").await;
            (contacts[0]["path"]["kind"] == "relay" && contacts[0]["reachable"] == "yes").then_some(())
        })
        .await;
        // The last words on the link that was closed may have been straight.
        let capture = pair.lab.core().within(Capture::start);
        pair.bob.restart().await;
        pair.both_green(GREEN, Instant::now()).await.unwrap();
        pair.call().await.unwrap();
        assert_eq!(straight(&capture), [], "straight to Bob\n{}", pair.state());
        let through = capture.packets(|packet| *packet.from.ip() == server && *packet.to.ip() == bob);
        assert_ne!(through, [], "through the server");
    });
}

/// A link of Ann's, as it was before somebody changed it.
async fn invite(ann: &Home) -> Link {
    let invite = ann.api().post("/v1/invites", json!({})).await;
    Link::find(invite.body["link"].as_str().unwrap()).unwrap()
}

/// Neighbours in one home are the hardest to hide from: they hear what is said to everybody. Ann hides from Bob behind her own
/// server, resp. behind Carol's device, and starts anew.
#[test]
fn whoever_hides_behind_a_server_shows_a_neighbour_nothing() {
    inside(
        "silence::whoever_hides_behind_a_server_shows_a_neighbour_nothing",
        async |mut lab| {
            let server = lab.server();
            let turn = server.turn();
            let (name, password) = &turn.user;
            let relay = format!(
                "\n[[relay.turn]]\nurl = \"turn:{}:3478\"\nusername = \"{name}\"\ncredential = \"{password}\"\n",
                turn.address
            );
            let at = SocketAddrV4::new(turn.address, 3478);
            hides(&mut lab, &server, &relay, at, async |_, _| {}).await;
        },
    );
}

#[test]
fn whoever_hides_behind_a_friend_shows_a_neighbour_nothing() {
    inside(
        "silence::whoever_hides_behind_a_friend_shows_a_neighbour_nothing",
        async |mut lab| {
            let server = lab.server();
            let place = lab.site(Kind::Public);
            let mut carol = Home::within("Carol", place.client().netns().path());
            carol.configure(&format!("{}\n[relay]\nfor_contacts = true\n", settings(&server)));
            carol.begin_life().await;
            let at = SocketAddrV4::new(place.public(), 2226);
            let befriend = async |ann: &Home, bob: &Home| {
                acquaint(&carol, ann).await;
                acquaint(&carol, bob).await;
            };
            hides(&mut lab, &server, "", at, befriend).await;
        },
    );
}

fn settings(server: &Server) -> String {
    format!(
        "[network]\nstun = [\"{}:3478\"]\n\n[dht]\nenabled = false\n",
        server.address(1)
    )
}

/// `relay` is where what Ann sends to Bob goes in truth.
async fn hides(
    lab: &mut Lab,
    server: &Server,
    settings_of_ann: &str,
    relay: SocketAddrV4,
    befriend: impl AsyncFnOnce(&Home, &Home),
) {
    let _stun = server.stun();
    // This router gives each of the two one port for everybody and lets everybody in, so that Bob is found through a relay.
    let mut site = lab.site(Kind::FullCone);
    let [here, there] = [site.client().clone(), site.add_client()];
    let capture = here.netns().within(Capture::start);
    let mut ann = daemon("Ann", &here, &(settings(server) + settings_of_ann)).await;
    let bob = daemon("Bob", &there, &settings(server)).await;
    acquaint(&ann, &bob).await;
    befriend(&ann, &bob).await;
    let own = IpAddr::V4(here_v4(&here));
    let sent = |packet: &Packet| IpAddr::V4(*packet.from.ip()) == own;
    let neighbour = SocketAddrV4::new(here_v4(&there), 2226);
    let outer = until("where Bob is seen from outside", SOON, async || {
        let network = bob.api().get("/v1/network").await;
        network["sources"][0]["seen"].as_str()?.parse::<SocketAddrV4>().ok()
    })
    .await;
    let straight = |packet: &Packet| sent(packet) && (packet.to.ip() == neighbour.ip() || packet.to == outer);
    // The router's port mapper is looked for among all, too, by a question that names nobody.
    let to_everybody = |packet: &Packet| sent(packet) && packet.to.port() == MDNS;
    // The capture sees both, as long as nobody hides.
    until("packets to Bob, and to everybody", GREEN, async || {
        let seen = [capture.packets(straight), capture.packets(to_everybody)];
        seen.iter().all(|packets| !packets.is_empty()).then_some(())
    })
    .await;
    ann.json(&["relay", "only", "on", "Bob"]).await;
    through_relay(&ann, "Bob").await;
    // A friend is to be shown where we are; Bob must not be, and the friend is no neighbour.
    let knows_others = ann.api().list("/v1/contacts").await.len() > 1;
    drop(capture);

    ann.stop().await;
    let capture = here.netns().within(Capture::start);
    ann.start().await;
    through_relay(&ann, "Bob").await;
    alive(&ann).await;
    // What passes between the two machines is seen, too: something, from Bob's.
    let probe = there.udp(0);
    probe.send_to(b"?", SocketAddrV4::new(here_v4(&here), 9)).unwrap();
    let arrives = |packet: &Packet| packet.from.ip() == neighbour.ip() && *packet.to.ip() == here_v4(&here);
    until("a packet from Bob's machine", SOON, async || {
        (!capture.packets(arrives).is_empty()).then_some(())
    })
    .await;
    assert!(
        !capture.packets(|packet| sent(packet) && packet.to == relay).is_empty(),
        "the capture sees what goes to the relay"
    );
    assert_eq!(capture.packets(straight), [], "straight to Bob\n{}", ann.log());
    let everybody = capture.packets(to_everybody);
    assert!(knows_others || everybody.is_empty(), "{everybody:?}");
}

/// Where multicast DNS is spoken.
const MDNS: u16 = 5353;

fn here_v4(host: &Host) -> Ipv4Addr {
    host.address().to_string().parse().unwrap()
}

async fn daemon(name: &str, host: &Host, settings: &str) -> Home {
    let mut home = Home::within(name, host.netns().path());
    home.set("TWOCAN_NETWORK_LAN", "true");
    home.configure(settings);
    home.begin_life().await;
    home
}

async fn through_relay(home: &Home, name: &str) {
    let fits = |contact: &Value| contact["reachable"] == "yes" && contact["path"]["kind"] == "relay";
    home.contact(name, RELAYED, fits).await;
}
