//! The laboratory itself: it leaves nothing behind, and what it can do to a network, it does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};
use twocan_tests::lab::{Kind, Server, Shape, Site, begin_again, inside, may_run};
use twocan_tests::wait::until;

/// How long a packet may take, and an end.
const SOON: Duration = Duration::from_secs(10);
const PACKET: Duration = Duration::from_millis(500);
/// What the held laboratory says when it stands.
const STANDS: &str = "the laboratory stands";

/// Held until it is killed, by `nothing_is_left_behind`.
#[test]
#[ignore = "part of nothing_is_left_behind"]
fn held() {
    inside("itself::held", async |mut lab| {
        let server = lab.server();
        let _turn = server.turn();
        let _sites = [Kind::Cgnat, Kind::Pcp].map(|kind| lab.site(kind));
        writeln!(std::io::stdout(), "{STANDS}").unwrap();
        std::future::pending::<()>().await;
    });
}

/// Even killed, it takes its processes, namespaces, links and files with it.
#[tokio::test]
async fn nothing_is_left_behind() {
    if !may_run("itself::nothing_is_left_behind") {
        return;
    }
    let machine = || {
        let links = Command::new("ip").args(["-o", "link"]).output().unwrap().stdout;
        let names = |folder: &str| -> Vec<_> {
            let all = std::fs::read_dir(folder).into_iter().flatten();
            let mut names: Vec<_> = all.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        (links, names("/run/netns"), names("/run").len())
    };
    let before = machine();
    let mut child = begin_again("itself::held").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.map_while(Result::ok).any(|line| line.contains(STANDS)),
        "it does not stand"
    );
    let family = descendants(child.id());
    let named = |name: &str| family.values().any(|line| line.contains(name));
    assert!(named("turnserver") && named("miniupnpd"), "{family:?}");

    child.kill().unwrap();
    child.wait().unwrap();
    until("every process of the laboratory to end", SOON, async || {
        let left = family
            .iter()
            .filter(|(pid, line)| command_line(**pid).as_ref() == Some(line))
            .count();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(machine(), before, "something was left behind");
}

/// All processes below this one, each with its command line.
fn descendants(of: u32) -> BTreeMap<u32, String> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name stands in brackets and may hold spaces; then state and parent.
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parents.insert(pid, parent.unwrap_or(0_u32));
    }
    let below = |mut pid: u32| loop {
        match parents.get(&pid) {
            Some(parent) if *parent == of => break true,
            Some(parent) if *parent > 1 => pid = *parent,
            Some(_) | None => break false,
        }
    };
    let found = parents.keys().filter(|pid| below(**pid));
    found.filter_map(|pid| Some((*pid, command_line(*pid)?))).collect()
}

/// `None` where it has ended.
fn command_line(pid: u32) -> Option<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).replace('\0', " "))
}

/// The public address that a server sees of a client's socket.
fn seen(socket: &UdpSocket, server: &UdpSocket) -> SocketAddr {
    server.set_read_timeout(Some(PACKET)).unwrap();
    let mut buffer = [0; 1500];
    for _ in 0..10 {
        socket.send_to(b"?", server.local_addr().unwrap()).unwrap();
        if let Ok((_, from)) = server.recv_from(&mut buffer) {
            return from;
        }
    }
    panic!("{} hears nothing", server.local_addr().unwrap());
}

/// Whether a packet of a server comes through to this address.
fn comes_through(server: &UdpSocket, to: SocketAddr, socket: &UdpSocket) -> bool {
    socket.set_read_timeout(Some(PACKET)).unwrap();
    server.send_to(b"!", to).unwrap();
    socket.recv_from(&mut [0; 1500]).is_ok()
}

fn server_socket(server: &Server, last: u8) -> UdpSocket {
    server.netns().udp((server.address(last), 9000).into())
}

#[test]
fn a_rebinding_gives_another_port() {
    inside("itself::a_rebinding_gives_another_port", async |mut lab| {
        let server = lab.server();
        let there = server_socket(&server, 5);
        for kind in [Kind::FullCone, Kind::PortRestricted, Kind::Symmetric, Kind::CgnatEim] {
            let mut site = lab.site(kind);
            let socket = site.client().udp(2226);
            let before = seen(&socket, &there);
            site.outermost().rebind();
            let closed = !comes_through(&there, before, &socket);
            assert!(closed, "{kind}: {before} still leads to the client\n{}", lab.state());
            assert_ne!(seen(&socket, &there), before, "{kind}");
        }
        let mut site = lab.site(Kind::Linux);
        let socket = site.client().udp(2226);
        let before = seen(&socket, &there);
        let mut other = site.outermost().wan().octets();
        other[3] = 2;
        site.outermost().renumber(Ipv4Addr::from(other));
        let after = seen(&socket, &there);
        assert_eq!(
            (after.ip(), after.port()),
            (Ipv4Addr::from(other).into(), before.port())
        );
    });
}

#[test]
fn mappings_end_without_packets() {
    inside("itself::mappings_end_without_packets", async |mut lab| {
        let server = lab.server();
        let (there, stranger) = (server_socket(&server, 5), server_socket(&server, 6));
        for kind in [Kind::Linux, Kind::FullCone] {
            let mut site = lab.site(kind);
            site.router().lifetime(2);
            let socket = site.client().udp(2226);
            let public = seen(&socket, &there);
            let from = if kind == Kind::FullCone { &stranger } else { &there };
            assert!(
                comes_through(from, public, &socket),
                "{kind}: closed at once\n{}",
                lab.state()
            );
            until("the mapping to end", SOON, async || {
                (!site.router().remembers(2226)).then_some(())
            })
            .await;
            assert!(!comes_through(from, public, &socket), "{kind}: open without a mapping");
        }
    });
}

#[test]
fn a_machine_moves_and_its_socket_lives() {
    inside("itself::a_machine_moves_and_its_socket_lives", async |mut lab| {
        let server = lab.server();
        let there = server_socket(&server, 5);
        let (old, mut new) = (lab.site(Kind::Linux), lab.site(Kind::PortRestricted));
        let mut machine = old.client().clone();
        let socket = machine.udp(2226);
        let before = seen(&socket, &there);
        new.receive(&mut machine);
        let after = seen(&socket, &there);
        assert_ne!(before.ip(), after.ip());
        assert!(comes_through(&there, after, &socket));
    });
}

/// What an early packet does to a router that does not drop it, and to one that does.
#[test]
fn an_early_packet_takes_a_mapping_away() {
    inside("itself::an_early_packet_takes_a_mapping_away", async |mut lab| {
        let server = lab.server();
        let there = server_socket(&server, 5);
        for (kind, keeps) in [(Kind::Linux, true), (Kind::LinuxClash, false)] {
            let site = lab.site(kind);
            let socket = site.client().udp(2226);
            let early = SocketAddr::from((site.public(), 2226));
            // It is dropped or refused: either way nothing comes through.
            assert!(!comes_through(&there, early, &socket), "{kind}");
            assert_eq!(seen(&socket, &there) == early, keeps, "{kind}\n{}", lab.state());
        }
    });
}

/// A packet with a low time to live passes one's own router, and dies before the other's.
#[test]
fn a_low_time_to_live_dies_in_the_core() {
    inside("itself::a_low_time_to_live_dies_in_the_core", async |mut lab| {
        let server = lab.server();
        let there = server_socket(&server, 5);
        let sites = [Kind::Linux, Kind::Cgnat].map(|kind| lab.site(kind));
        for site in &sites {
            let socket = site.client().udp(2226);
            for ttl in [2, 4] {
                socket.set_ttl(ttl).unwrap();
                socket.send_to(b"low", there.local_addr().unwrap()).unwrap();
            }
            socket.set_ttl(64).unwrap();
            let public = seen(&socket, &there);
            assert!(comes_through(&there, public, &socket));
            there.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let mut buffer = [0; 1500];
            while let Ok((length, _)) = there.recv_from(&mut buffer) {
                assert_ne!(buffer.get(..length), Some(&b"low"[..]), "{}: it crossed", site.kind());
            }
        }
    });
}

/// The figures of a shaped link: delay, jitter, loss, rate.
#[test]
fn a_shaped_link_keeps_its_figures() {
    inside("itself::a_shaped_link_keeps_its_figures", async |mut lab| {
        let server = lab.server();
        let there = server_socket(&server, 5);
        let ms = Duration::from_millis;
        let mut shape = Shape {
            delay: ms(30),
            ..Shape::default()
        };
        let site = lab.shaped(Kind::Public, shape);
        let (shaper, socket) = (site.shaper().unwrap(), site.client().udp(2226));
        seen(&socket, &there);

        // Each way waits the delay; a busy machine adds to it.
        let trip = round_trips(&socket, &there, 20);
        let (least, median) = (trip[0], trip[10]);
        assert!(least >= ms(60) && median < ms(90), "{trip:?}");

        shape.jitter = ms(40);
        shaper.set(shape);
        let trip = round_trips(&socket, &there, 20);
        assert!(trip[0] >= ms(60) && trip[19] - trip[0] > ms(10), "{trip:?}");

        shaper.set(Shape {
            lost_per_mille: 200,
            ..Shape::default()
        });
        let arrived = flood(&socket, &there, 1000, 100);
        assert!(
            (700..=880).contains(&arrived),
            "{arrived} of 1000 arrived where a fifth is lost"
        );

        // 100 packets of 1,042 bytes on the wire at 1 Mbit/s take 834 ms.
        shaper.set(Shape {
            rate: 1_000_000,
            queue: Duration::from_secs(2),
            ..Shape::default()
        });
        let began = Instant::now();
        assert_eq!(flood(&socket, &there, 100, 1000), 100);
        let took = began.elapsed();
        assert!((ms(800)..ms(1800)).contains(&took), "{took:?}");

        // What does not fit into the queue is lost.
        shaper.set(Shape {
            rate: 1_000_000,
            queue: ms(100),
            ..Shape::default()
        });
        let arrived = flood(&socket, &there, 100, 1000);
        assert!((8..=25).contains(&arrived), "{arrived} fit into a tenth of a second");
    });
}

/// Round trips from client to server and back, sorted.
fn round_trips(socket: &UdpSocket, server: &UdpSocket, count: usize) -> Vec<Duration> {
    socket.set_read_timeout(Some(SOON)).unwrap();
    server.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = [0; 1500];
    let mut trips: Vec<Duration> = (0..count)
        .map(|_| {
            let began = Instant::now();
            socket.send_to(b"there", server.local_addr().unwrap()).unwrap();
            let (_, from) = server.recv_from(&mut buffer).unwrap();
            server.send_to(b"back", from).unwrap();
            socket.recv_from(&mut buffer).unwrap();
            began.elapsed()
        })
        .collect();
    trips.sort();
    trips
}

/// How many of `count` packets of `length` bytes that are sent at once arrive. None is lost at the far end: its buffer
/// holds them all, however late a busy machine reads them.
fn flood(socket: &UdpSocket, server: &UdpSocket, count: usize, length: usize) -> usize {
    server.set_read_timeout(Some(PACKET)).unwrap();
    setsockopt(server, sockopt::RcvBufForce, &(8 << 20)).unwrap();
    let to = server.local_addr().unwrap();
    std::thread::scope(|scope| {
        let arrived = scope.spawn(|| {
            (0..count)
                .take_while(|_| server.recv_from(&mut [0; 1500]).is_ok())
                .count()
        });
        for _ in 0..count {
            socket.send_to(&vec![0; length], to).unwrap();
        }
        arrived.join().unwrap()
    })
}

/// The servers answer from behind a router, and say the truth.
#[test]
fn servers_answer() {
    inside("itself::servers_answer", async |mut lab| {
        let server = lab.server();
        let (stun, turn, dht) = (server.stun(), server.turn(), server.dht(8));
        let site = lab.site(Kind::PortRestricted);
        let socket = site.client().udp(2226);
        let public = seen(&socket, &server_socket(&server, 5));
        for address in &stun.addresses {
            assert_eq!(reflexive(&socket, *address), public, "{address}");
        }
        assert_eq!(reflexive(&socket, (turn.address, 3478).into()), public);
        let tls = site
            .client()
            .netns()
            .within(|| std::net::TcpStream::connect((turn.address, 443)));
        tls.unwrap();

        let known: Vec<String> = dht.addresses().iter().take(2).map(ToString::to_string).collect();
        let node = site
            .client()
            .netns()
            .within(|| mainline::Dht::builder().bootstrap(&known).build().unwrap());
        #[expect(
            deprecated,
            reason = "the other interface needs a feature that the daemon does not use"
        )]
        let found = {
            let id = node.put_immutable(b"to be found").unwrap();
            node.get_immutable(id)
        };
        assert_eq!(found.as_deref(), Some(&b"to be found"[..]));
    });
}

/// The XOR-MAPPED-ADDRESS of a binding response (RFC 8489, section 14.2).
fn reflexive(socket: &UdpSocket, server: SocketAddr) -> SocketAddr {
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([9; 12]);
    socket.set_read_timeout(Some(PACKET)).unwrap();
    let mut buffer = [0; 1500];
    for _ in 0..10 {
        socket.send_to(&request, server).unwrap();
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        if from != server {
            continue;
        }
        let mut rest = buffer.get(20..length).unwrap();
        while let [kind_high, kind_low, _, size, value @ ..] = rest {
            let size = usize::from(*size);
            if [*kind_high, *kind_low] == [0, 0x20] {
                let &[_, 1, port_high, port_low, a, b, c, d, ..] = value else {
                    panic!("{value:?}")
                };
                let port = u16::from_be_bytes([port_high ^ 0x21, port_low ^ 0x12]);
                return (Ipv4Addr::new(a ^ 0x21, b ^ 0x12, c ^ 0xa4, d ^ 0x42), port).into();
            }
            rest = value.get(size.next_multiple_of(4)..).unwrap();
        }
    }
    panic!("{server} does not tell an address");
}

/// Each port mapper speaks its protocol and no other, and what it maps lets strangers in.
#[test]
fn port_mappers_map() {
    inside("itself::port_mappers_map", async |mut lab| {
        let server = lab.server();
        let stranger = server_socket(&server, 5);
        for (kind, pcp, pmp, upnp) in [
            (Kind::Pcp, true, false, false),
            (Kind::SymPcp, true, false, false),
            (Kind::NatPmp, false, true, false),
            (Kind::Upnp, false, false, true),
            (Kind::CgUpnp, false, false, true),
            (Kind::Linux, false, false, false),
        ] {
            let mut site = lab.site(kind);
            // The one that it speaks comes first: it answers once it has started, and says by that that it has.
            let mut all = [
                (pcp, ask_pcp as fn(&Site, usize) -> Option<u16>),
                (pmp, ask_pmp),
                (upnp, ask_ssdp),
            ];
            all.sort_by_key(|(speaks, _)| !speaks);
            for (speaks, ask) in all {
                let answers = ask(&site, if speaks { 20 } else { 1 }).is_some();
                let log = site.router().mapper().map(|mapper| mapper.log()).unwrap_or_default();
                assert_eq!(answers, speaks, "{kind}: {log}\n{}", lab.state());
            }
            if let Some(port) = ask_pcp(&site, 1).or_else(|| ask_pmp(&site, 1)) {
                let socket = site.client().udp(2226);
                let mapped = SocketAddr::from((site.public(), port));
                assert!(comes_through(&stranger, mapped, &socket), "{kind}\n{}", lab.state());
                let mapper = site.router().mapper().unwrap();
                mapper.stop();
                let another = server_socket(&server, 6);
                assert!(
                    !comes_through(&another, mapped, &socket),
                    "{kind}: nothing is mapped any more"
                );
            }
        }
    });
}

/// Asks the router on port 5351, and gives the answer.
fn ask(site: &Site, times: usize, request: &[u8]) -> Option<Vec<u8>> {
    let socket = site.client().udp(0);
    socket.set_read_timeout(Some(PACKET)).unwrap();
    let mut buffer = [0; 1500];
    (0..times).find_map(|_| {
        let _ = socket.send_to(request, (Ipv4Addr::new(192, 168, 1, 1), 5351));
        let (length, _) = socket.recv_from(&mut buffer).ok()?;
        buffer.get(..length).map(<[u8]>::to_vec)
    })
}

/// The public port that PCP maps to 2226 (RFC 6887, section 11).
fn ask_pcp(site: &Site, times: usize) -> Option<u16> {
    let mut request = vec![2, 1, 0, 0, 0, 0, 2, 88];
    request.extend(Ipv4Addr::new(192, 168, 1, 10).to_ipv6_mapped().octets());
    request.extend([5; 12]);
    request.extend([17, 0, 0, 0, 8, 178, 8, 178]);
    request.extend(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().octets());
    let answer = ask(site, times, &request)?;
    assert_eq!(answer.get(..2), Some(&[2, 0x81][..]), "{answer:?}");
    let result = answer.get(3).copied();
    (result == Some(0)).then(|| u16::from_be_bytes([answer[42], answer[43]]))
}

/// The public port that NAT-PMP maps to 2226 (RFC 6886, section 3.3).
fn ask_pmp(site: &Site, times: usize) -> Option<u16> {
    let answer = ask(site, times, &[0, 1, 0, 0, 8, 178, 8, 178, 0, 0, 2, 88])?;
    let result = answer.get(..4);
    (result == Some(&[0, 129, 0, 0])).then(|| u16::from_be_bytes([answer[10], answer[11]]))
}

/// Whether a gateway answers a search (UPnP Device Architecture, section 1.3): its port.
fn ask_ssdp(site: &Site, times: usize) -> Option<u16> {
    let socket = site.client().udp(0);
    socket.set_read_timeout(Some(Duration::from_millis(1200))).unwrap();
    let search = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
                  ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n";
    let mut buffer = [0; 1500];
    (0..times).find_map(|_| {
        let _ = socket.send_to(search.as_bytes(), (Ipv4Addr::new(239, 255, 255, 250), 1900));
        socket.recv_from(&mut buffer).ok().map(|(_, from)| from.port())
    })
}
