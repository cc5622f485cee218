//! What a daemon finds out about the router before it: the report for each type, with real STUN servers (coturn) and real port
//! mappers (miniupnpd).

use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use serde_json::{Value, json};
use twocan_core::bounds;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::lab::{Filtering, Kind, Lab, Mapping, Server, Site, inside};
use twocan_tests::packets::Capture;
use twocan_tests::wait::until;

/// A look at the network takes some seconds, a port mapper some more.
const LOOK: Duration = Duration::from_secs(30);
/// Two steps in a row are shut by then, the second of 30 s.
const MEASURED: Duration = Duration::from_secs(90);
/// A mapping is given back, and another is taken, within this.
const SOON: Duration = Duration::from_secs(20);

/// A daemon at the first client of a site, which knows one STUN server of two addresses.
async fn daemon(site: &Site, stun: &str, name: &str) -> Home {
    let mut home = Home::within(name, site.client().netns().path());
    home.configure(&format!("[network]\nstun = {stun}\n\n[dht]\nenabled = false\n"));
    home.begin_life().await;
    home
}

fn one_server(server: &Server) -> String {
    json!([format!("{}:3478", server.address(1))]).to_string()
}

async fn report(home: &Home) -> Value {
    home.api().get("/v1/network").await
}

/// The first report that is whole, and has heard of a port mapper where there is one.
async fn first_report(home: &Home, kind: Kind) -> Value {
    until("the network to be looked at", LOOK, async || {
        let report = report(home).await;
        // A router behind a carrier answers, and has no public address to give.
        let wanted = if kind.has_carrier() { "upnp" } else { "external" };
        let wanted = &report["port_mapping"][wanted];
        let is_mapped = !maps(kind) || (wanted.is_string() && *wanted != "unknown");
        let is_whole = report["checking"] == false && report["checked_s_ago"].is_u64();
        (is_whole && is_mapped).then_some(report)
    })
    .await
}

const fn maps(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pcp | Kind::SymPcp | Kind::NatPmp | Kind::Upnp | Kind::CgUpnp
    )
}

/// The promise of the type, in the API's words.
fn expected(kind: Kind) -> Value {
    let promise = kind.promise().unwrap();
    let mapping = match promise.mapping {
        Mapping::None | Mapping::EndpointIndependent => "endpoint_independent",
        Mapping::AddressAndPortDependent => "address_and_port_dependent",
    };
    let filtering = match promise.filtering {
        Filtering::EndpointIndependent => "endpoint_independent",
        Filtering::AddressDependent => "address_dependent",
        Filtering::AddressAndPortDependent => "address_and_port_dependent",
    };
    let known = |is: bool| if is { "yes" } else { "no" };
    json!({
        "translated": known(!kind.is_public()),
        "mapping": mapping,
        "filtering": filtering,
        // One socket alone cannot show it where the router is netfilter.
        "hairpin": "unknown",
        "port_preservation": known(promise.preserves_port),
        "kind": if promise.mapping == Mapping::AddressAndPortDependent { "hard" } else { "easy" },
        "reachable": known(promise.filtering == Filtering::EndpointIndependent),
    })
}

fn picked(report: &Value, like: &Value) -> Value {
    let keys = like.as_object().unwrap().keys();
    keys.map(|key| (key.clone(), report[key].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A site of each type, and a daemon in it that must say what the type promises.
async fn reported(lab: &mut Lab, kinds: &[Kind]) {
    let server = lab.server();
    let _stun = server.stun();
    for kind in kinds {
        let site = lab.site(*kind);
        let mut home = daemon(&site, &one_server(&server), "Ann").await;
        let report = first_report(&home, *kind).await;
        let wanted = expected(*kind);
        assert_eq!(picked(&report, &wanted), wanted, "{kind}: {report:#}");
        let outer = site.public().to_string();
        let seen = report["sources"][0]["seen"].as_str().unwrap();
        assert!(seen.starts_with(&outer), "{kind}: {seen} is not at {outer}");
        home.stop().await;
    }
}

#[test]
fn routers_that_treat_all_alike_are_seen_through() {
    inside(
        "network::routers_that_treat_all_alike_are_seen_through",
        async |mut lab| {
            let kinds = [
                Kind::Public,
                Kind::PublicFw,
                Kind::FullCone,
                Kind::AddrRestricted,
                Kind::PortRestricted,
                Kind::Linux,
                Kind::CgnatEim,
            ];
            reported(&mut lab, &kinds).await;
        },
    );
}

#[test]
fn hard_routers_are_seen_through() {
    inside("network::hard_routers_are_seen_through", async |mut lab| {
        reported(
            &mut lab,
            &[Kind::Symmetric, Kind::SymmetricSeq, Kind::Cgnat, Kind::Hairpin],
        )
        .await;
    });
}

/// Nothing comes back, and that is what is said.
#[test]
fn a_network_without_udp_is_named() {
    inside("network::a_network_without_udp_is_named", async |mut lab| {
        let server = lab.server();
        let _stun = server.stun();
        let site = lab.site(Kind::UdpBlocked);
        let home = daemon(&site, &one_server(&server), "Ann").await;
        let report = first_report(&home, Kind::UdpBlocked).await;
        assert_eq!(report["summary"]["code"], "no_answer", "{report:#}");
        assert_eq!(report["sources"][0]["seen"], Value::Null);
        assert_eq!(report["kind"], "unknown");
        let said = home.twocan(&["doctor"]).await.exited(0).stdout;
        assert!(said.contains("did not answer"), "{said}");
    });
}

/// Each protocol by itself: the port is mapped, shows in the report, outlives a restart of the router at another address, and is
/// given back.
async fn mapped(lab: &mut Lab, kind: Kind, protocol: &str) {
    let server = lab.server();
    let _stun = server.stun();
    let mut site = lab.site(kind);
    let mut home = daemon(&site, &one_server(&server), "Ann").await;
    let report = first_report(&home, kind).await;
    assert_eq!(report["port_mapping"][protocol], "yes", "{report:#}");
    if kind.has_carrier() {
        assert_eq!(report["kind"], "hard", "{report:#}");
        assert_ne!(report["double_nat"], "no", "{report:#}");
        home.stop().await;
        return;
    }
    assert_eq!(report["double_nat"], "no", "{report:#}");
    assert_eq!(
        (&report["reachable"], &report["kind"]),
        (&json!("yes"), &json!("easy")),
        "{report:#}"
    );
    let outer = site.public();
    let external = report["port_mapping"]["external"].as_str().unwrap().to_owned();
    assert!(external.starts_with(&outer.to_string()), "{external} is not at {outer}");
    assert!(
        report["addresses"]
            .as_array()
            .unwrap()
            .contains(&json!({"address": external, "kind": "mapped"})),
        "{report:#}"
    );

    // The router restarts, at another address, and knows nothing of the mapping.
    let mapper = site.router().mapper().unwrap();
    mapper.stop();
    let [a, b, c, d] = outer.octets();
    site.router().renumber([a, b, c, d + 50].into());
    site.router().mapper().unwrap().resume();
    let elsewhere = site.public().to_string();
    until("another mapping", SOON, async || {
        home.api().post("/v1/network/check", json!({})).await;
        let report = self::report(&home).await;
        let external = report["port_mapping"]["external"].as_str()?.to_owned();
        (external.starts_with(&elsewhere) && report["double_nat"] == "no").then_some(())
    })
    .await;
    assert!(site.router().mapper().unwrap().mapped().contains("dport"));
    home.stop().await;
    assert!(
        !site.router().mapper().unwrap().mapped().contains("dport"),
        "given back"
    );
}

#[test]
fn ports_are_mapped_by_pcp() {
    inside("network::ports_are_mapped_by_pcp", async |mut lab| {
        mapped(&mut lab, Kind::Pcp, "pcp").await
    });
}

#[test]
fn ports_of_a_hard_router_are_mapped() {
    inside("network::ports_of_a_hard_router_are_mapped", async |mut lab| {
        mapped(&mut lab, Kind::SymPcp, "pcp").await;
    });
}

#[test]
fn ports_are_mapped_by_nat_pmp() {
    inside("network::ports_are_mapped_by_nat_pmp", async |mut lab| {
        mapped(&mut lab, Kind::NatPmp, "nat_pmp").await
    });
}

#[test]
fn ports_are_mapped_by_upnp() {
    inside("network::ports_are_mapped_by_upnp", async |mut lab| {
        mapped(&mut lab, Kind::Upnp, "upnp").await
    });
}

#[test]
fn a_mapping_behind_a_carrier_is_not_public() {
    inside("network::a_mapping_behind_a_carrier_is_not_public", async |mut lab| {
        mapped(&mut lab, Kind::CgUpnp, "upnp").await;
    });
}

/// With port mapping off and no STUN server, nothing of the kind leaves the machine.
#[test]
fn who_wants_to_ask_nobody_asks_nobody() {
    inside("network::who_wants_to_ask_nobody_asks_nobody", async |mut lab| {
        let site = lab.site(Kind::Upnp);
        let capture = site.client().netns().within(Capture::start);
        let mut home = Home::within("Ann", site.client().netns().path());
        home.configure("[network]\nstun = []\nport_mapping = false\nlan = false\n\n[dht]\nenabled = false\n");
        home.begin_life().await;
        home.api().post("/v1/network/check", json!({})).await;
        let report = report(&home).await;
        assert_eq!(
            (&report["sources"], &report["port_mapping"]["enabled"]),
            (&json!([]), &json!(false))
        );
        home.stop().await;
        let own = site.client().address();
        let sent = capture.packets(|packet| IpAddr::V4(*packet.from.ip()) == own);
        assert!(sent.is_empty(), "{sent:?}");
    });
}

/// No STUN server, and nodes of a DHT that say where they see the very socket that calls come in at.
#[test]
fn nodes_of_a_dht_see_the_very_socket() {
    inside("network::nodes_of_a_dht_see_the_very_socket", async |mut lab| {
        let server = lab.server();
        let dht = server.dht(6);
        let nodes: Vec<String> = dht.addresses().iter().map(ToString::to_string).collect();
        for (kind, nat) in [
            (Kind::FullCone, "easy"),
            (Kind::Linux, "easy"),
            (Kind::Symmetric, "hard"),
        ] {
            let site = lab.site(kind);
            let capture = site.client().netns().within(Capture::start);
            let mut home = Home::within("Ann", site.client().netns().path());
            home.set("TWOCAN_DHT_ENABLED", "true");
            home.configure(&format!(
                "[network]\nstun = []\n\n[dht]\nbootstrap = {}\n",
                json!(nodes)
            ));
            home.begin_life().await;
            let report = first_report(&home, kind).await;
            assert_eq!(
                (&report["kind"], &report["translated"]),
                (&json!(nat), &json!("yes")),
                "{kind}: {report:#}"
            );
            let sources = report["sources"].as_array().unwrap();
            assert_eq!(sources.len(), bounds::DHT_NODES_ASKED, "{report:#}");
            assert!(sources.iter().all(|source| source["kind"] == "dht"), "{report:#}");
            let outer = SocketAddrV4::new(site.public(), site.public_of(2226).unwrap()).to_string();
            let same = sources.iter().filter(|source| source["seen"] == json!(outer)).count();
            assert_eq!(same == sources.len(), nat == "easy", "{kind}: {outer}, {report:#}");
            let said = home.twocan(&["doctor"]).await.exited(0).stdout;
            assert!(said.contains("DHT node 11.0."), "{said}");
            home.stop().await;
            // One packet to each of them in a round, and there were two rounds.
            let asked = capture.packets(|packet| packet.from.port() == 2226 && packet.to.port() == 6881);
            assert!(
                (bounds::DHT_NODES_ASKED..=bounds::DHT_NODES_ASKED * 2).contains(&asked.len()),
                "{asked:?}"
            );
        }
    });
}

/// IPv6 is translated nowhere, and has a firewall of its own or none.
#[test]
fn the_firewall_of_ipv6_is_looked_at_by_itself() {
    inside(
        "network::the_firewall_of_ipv6_is_looked_at_by_itself",
        async |mut lab| {
            let server = lab.server();
            let _stun = (server.stun(), server.stun6());
            let servers =
                [server.address(1).into(), server.address6(1)].map(|ip| SocketAddr::new(ip, 3478).to_string());
            for (kind, filtering, reachable) in [
                (Kind::Public, "endpoint_independent", "yes"),
                (Kind::PublicFw, "address_and_port_dependent", "no"),
                (Kind::Firewall6, "address_and_port_dependent", "no"),
            ] {
                let site = lab.site(kind);
                if kind != Kind::Firewall6 {
                    site.add_ipv6();
                }
                let mut home = daemon(&site, &json!(servers).to_string(), "Ann").await;
                let report = first_report(&home, kind).await;
                let wanted = json!({
                    "ipv6": "yes", "ipv6_filtering": filtering, "filtering": filtering, "reachable": reachable, "translated": "no",
                });
                assert_eq!(picked(&report, &wanted), wanted, "{kind}: {report:#}");
                let said = home.twocan(&["doctor"]).await.exited(0).stdout;
                let words = filtering.replace('_', "-");
                assert!(said.contains(&format!("IPv6 filtering          {words}")), "{said}");
                home.stop().await;
            }
            // Behind a NAT that has no IPv6 nothing is known of it.
            let site = lab.site(Kind::Linux);
            let home = daemon(&site, &json!(servers).to_string(), "Ann").await;
            let report = first_report(&home, Kind::Linux).await;
            assert_eq!(
                (&report["ipv6"], &report["ipv6_filtering"]),
                (&json!("no"), &json!("unknown")),
                "{report:#}"
            );
        },
    );
}

/// A router that forgets after 15 s, a firewall that does, and nothing that would have to remember.
#[test]
fn what_routers_forget_is_measured_beside_the_socket() {
    inside(
        "network::what_routers_forget_is_measured_beside_the_socket",
        async |mut lab| {
            let server = lab.server();
            let _stun = server.stun();
            let mut homes = Vec::new();
            for kind in [Kind::Linux, Kind::PublicFw, Kind::Public] {
                let mut site = lab.site(kind);
                site.router().lifetime(15);
                let home = daemon(&site, &one_server(&server), "Ann").await;
                first_report(&home, kind).await;
                let capture = site.client().netns().within(Capture::start);
                let looked = home.api().post("/v1/network/check", json!({})).await;
                assert_eq!(
                    looked.body["measuring_lifetime"],
                    json!(kind != Kind::Public),
                    "{kind}: {looked:?}"
                );
                homes.push((kind, site, home, capture));
            }
            for (kind, site, home, capture) in &homes {
                let over = async || {
                    let report = report(home).await;
                    (report["measuring_lifetime"] == false).then_some(report)
                };
                let report = until("the end of the measurement", MEASURED, over).await;
                let found = (&report["lifetime_at_least_s"], &report["lifetime_at_most_s"]);
                let said = home.twocan(&["doctor"]).await.exited(0).stdout;
                if *kind == Kind::Public {
                    assert_eq!(found, (&Value::Null, &Value::Null), "{report:#}");
                    continue;
                }
                assert_eq!(found, (&json!(10), &json!(20)), "{kind}: {report:#}");
                assert!(said.contains("mapping lifetime        between 10 and 20 s"), "{said}");
                let own = site.client().address();
                let sent = capture.packets(|packet| IpAddr::V4(*packet.from.ip()) == own && packet.to.port() == 3478);
                let (live, beside): (Vec<_>, Vec<_>) = sent.iter().partition(|packet| packet.from.port() == 2226);
                assert!(!beside.is_empty() && beside.len() <= 16 * 10, "{}", beside.len());
                // Two looks at the network at most, of four questions each with repeats; none of the measurement.
                assert!(live.len() <= 2 * 4 * 3, "{}", live.len());
            }
        },
    );
}

/// Both sides of a path, and a contact as the only one who says where we are.
#[test]
fn two_sides_are_looked_at() {
    inside("network::two_sides_are_looked_at", async |mut lab| {
        let server = lab.server();
        let _stun = server.stun();
        let (open, home) = (lab.site(Kind::Public), lab.site(Kind::Symmetric));
        let ann = daemon(&open, &one_server(&server), "Ann").await;
        let bob = daemon(&home, &one_server(&server), "Bob").await;
        first_report(&ann, Kind::Public).await;
        first_report(&bob, Kind::Symmetric).await;
        acquaint(&ann, &bob).await;
        let both = bob.json(&["doctor", "Ann"]).await;
        assert_eq!(
            (&both["own"], &both["theirs"], &both["works"]),
            (&json!("hard"), &json!("easy"), &json!("now")),
            "{both:#}"
        );
        let said = bob.twocan(&["doctor", "Ann"]).await.exited(0).stdout;
        assert!(said.contains("Your router: hard; Ann's: easy; it works."), "{said}");
        assert!(said.contains("One fix: Turn on UPnP"), "{said}");
        let report = report(&bob).await;
        let contact = |source: &&Value| source["kind"] == "contact";
        let seen = report["sources"].as_array().unwrap().iter().find(contact).unwrap();
        assert!(
            seen["seen"].as_str().unwrap().starts_with(&home.public().to_string()),
            "{report:#}"
        );
        let theirs = ann.json(&["doctor", "Bob"]).await;
        assert_eq!((&theirs["own"], &theirs["theirs"]), (&json!("easy"), &json!("hard")));
    });
}
