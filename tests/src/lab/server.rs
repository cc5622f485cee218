//! A site of servers: STUN and TURN by coturn, a DHT of a few nodes, and whatever a test puts there.
//!
//! It stands at the core without a router, at `.1` to `.29` of its /24.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::command::run;
use super::netns::Netns;
use super::site::public6;

/// How many addresses it has.
const ADDRESSES: u8 = 29;
/// Where STUN answers, on two addresses.
const STUN_PORTS: [u16; 2] = [3478, 3479];
/// The last bytes of the addresses: STUN on the first two, TURN on the third, nodes of the DHT from ten on.
const TURN: u8 = 3;
const FIRST_NODE: u8 = 10;
const NODE_PORT: u16 = 6881;
/// How long coturn may take to answer, and the DHT to know itself.
const READY: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_millis(200);

/// The site of servers.
#[derive(Debug)]
pub struct Server {
    netns: Netns,
    number: u8,
}

/// A coturn under way. Dropping it kills it.
#[derive(Debug)]
struct Coturn(Child);

/// A TURN server: UDP and TCP at 3478, TLS over TCP at 443.
#[derive(Debug)]
pub struct Turn {
    _coturn: Coturn,
    /// Its address.
    pub address: Ipv4Addr,
    /// Who may use it: the name and the password.
    pub user: (String, String),
    /// The file with the certificate of who vouches for it, for `SSL_CERT_FILE`; it is valid for `turn.test` and the address.
    pub authority: String,
}

/// A STUN server on two addresses and two ports.
#[derive(Debug)]
pub struct Stun {
    _coturn: Coturn,
    /// All four.
    pub addresses: Vec<SocketAddr>,
}

/// A DHT that nobody else knows. It ends with this value.
#[derive(Debug)]
pub struct Dht {
    nodes: Vec<mainline::Dht>,
    addresses: Vec<SocketAddr>,
}

impl Server {
    pub(super) fn make(core: &Netns, number: u8) -> Self {
        let netns = Netns::make(&format!("w{number}"));
        core.ip(&format!(
            "link add s{number} type veth peer name eth0 netns w{number}
             addr add 11.0.{number}.254/24 dev s{number}
             addr add 2a00:11:{number}::fe/64 dev s{number}
             link set s{number} up"
        ));
        let own: String = (1..=ADDRESSES)
            .map(|last| {
                let six = public6(number, last);
                format!("addr add 11.0.{number}.{last}/24 dev eth0\naddr add {six}/64 dev eth0\n")
            })
            .collect();
        netns.ip(&format!(
            "{own}link set eth0 up\nroute add default via 11.0.{number}.254\nroute add default via 2a00:11:{number}::fe"
        ));
        Self { netns, number }
    }

    /// Its namespace.
    #[must_use]
    pub const fn netns(&self) -> &Netns {
        &self.netns
    }

    /// One of its addresses, `last` from 1 to 29.
    #[must_use]
    pub const fn address(&self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(11, 0, self.number, last)
    }

    /// The same of IPv6.
    #[must_use]
    pub fn address6(&self, last: u8) -> IpAddr {
        public6(self.number, last).into()
    }

    /// Starts STUN on two addresses and two ports.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn stun(&self) -> Stun {
        self.stun_at("stun", [1, 2].map(|last| self.address(last).into()))
    }

    /// The same of IPv6.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn stun6(&self) -> Stun {
        self.stun_at("stun6", [1, 2].map(|last| self.address6(last)))
    }

    fn stun_at(&self, name: &str, ips: [IpAddr; 2]) -> Stun {
        let [one, other] = ips.map(|ip| ip.to_string());
        let [port, alternate] = STUN_PORTS.map(|port| port.to_string());
        let coturn = self.coturn(
            name,
            &[
                "--listening-ip",
                &one,
                "--listening-ip",
                &other,
                "--listening-port",
                &port,
                "--alt-listening-port",
                &alternate,
                "--stun-only",
                "--no-tls",
                "--no-dtls",
                "--no-tcp",
            ],
        );
        let addresses: Vec<SocketAddr> = ips
            .into_iter()
            .flat_map(|ip| STUN_PORTS.map(|port| SocketAddr::new(ip, port)))
            .collect();
        for address in &addresses {
            self.wait_for_stun(*address);
        }
        Stun {
            _coturn: coturn,
            addresses,
        }
    }

    /// Starts TURN with one user.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn turn(&self) -> Turn {
        let address = self.address(TURN);
        let [key, certificate, authority] = certificates(self.netns.name(), address);
        let user = ("twocan".to_owned(), "a password of the lab".to_owned());
        let coturn = self.coturn(
            "turn",
            &[
                "--listening-ip",
                &address.to_string(),
                "--relay-ip",
                &address.to_string(),
                "--listening-port",
                "3478",
                "--tls-listening-port",
                "443",
                "--no-dtls",
                "--lt-cred-mech",
                "--realm",
                "turn.test",
                "--user",
                &format!("{}:{}", user.0, user.1),
                "--cert",
                &certificate,
                "--pkey",
                &key,
            ],
        );
        self.wait_for_stun(SocketAddr::new(address.into(), 3478));
        Turn {
            _coturn: coturn,
            address,
            user,
            authority,
        }
    }

    fn coturn(&self, name: &str, args: &[&str]) -> Coturn {
        let file = |kind: &str| format!("/run/{}.{name}.{kind}", self.netns.name());
        let child = self
            .netns
            .command("turnserver")
            .args([
                "-n",
                "--no-cli",
                "--simple-log",
                "--log-file",
                "stdout",
                "--pidfile",
                &file("pid"),
            ])
            .args(["--userdb", &file("db")])
            // It opens a socket for each port of a wide range at its start, unless told.
            .args(["--min-port", "50000", "--max-port", "50499"])
            .args(args)
            .stdout(std::fs::File::create(file("log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("turnserver, of the package coturn: {error}; ./tests/run installs it"));
        Coturn(child)
    }

    /// Asks until it answers.
    fn wait_for_stun(&self, server: SocketAddr) {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = self.netns.udp(any.parse().unwrap());
        socket.set_read_timeout(Some(ANSWER)).unwrap();
        let end = Instant::now() + READY;
        // A binding request (RFC 8489, section 5); nobody else answers here.
        let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        request.extend([7; 12]);
        while Instant::now() < end {
            let _ = socket.send_to(&request, server);
            if socket.recv_from(&mut [0; 1500]).is_ok_and(|(_, from)| from == server) {
                return;
            }
        }
        let sockets = self.netns.output("ss", &["-nltup"]);
        panic!("waited {READY:?} in vain: STUN at {server}\n{sockets}");
    }

    /// Starts a DHT of `nodes` nodes, each at an address of its own.
    ///
    /// # Panics
    /// If they do not find each other.
    #[must_use]
    #[expect(
        deprecated,
        reason = "the other interface needs a feature that the daemon does not use"
    )]
    pub fn dht(&self, nodes: u8) -> Dht {
        let mut dht = Dht {
            nodes: Vec::new(),
            addresses: Vec::new(),
        };
        let first = SocketAddrV4::new(self.address(FIRST_NODE), NODE_PORT).to_string();
        for number in 0..nodes {
            let ip = self.address(FIRST_NODE + number);
            let known = if number == 0 { Vec::new() } else { vec![first.clone()] };
            let node = self.netns.within(|| {
                mainline::Dht::builder()
                    .server_mode()
                    .bootstrap(&known)
                    .bind_address(ip)
                    .public_ip(ip)
                    .port(NODE_PORT)
                    .build()
                    .unwrap()
            });
            assert!(number == 0 || node.bootstrapped(), "node {ip} finds nobody");
            dht.nodes.push(node);
            dht.addresses.push((ip, NODE_PORT).into());
        }
        dht
    }
}

impl Dht {
    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[mainline::Dht] {
        &self.nodes
    }

    /// Where they answer.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A key and a certificate for `turn.test` and this address, and the certificate of who signed it: the names of the files.
fn certificates(name: &str, ip: Ipv4Addr) -> [String; 3] {
    let file = |what: &str| format!("/run/{name}.{what}");
    let [own, request, names, key, certificate] = ["authority.key", "csr", "names", "key", "pem"].map(file);
    let authority = file("authority.pem");
    std::fs::write(&names, format!("subjectAltName=DNS:turn.test,IP:{ip}\n")).unwrap();
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for line in [
        format!("req -x509 -days 30 -subj /CN=authority {new} -keyout {own} -out {authority}"),
        format!("req -subj /CN=turn.test {new} -keyout {key} -out {request}"),
        format!(
            "x509 -req -days 30 -in {request} -CA {authority} -CAkey {own} -CAcreateserial -extfile {names} -out {certificate}"
        ),
    ] {
        run("openssl", &line.split(' ').collect::<Vec<_>>(), "");
    }
    [key, certificate, authority]
}
