//! A router's port mapper: miniupnpd, which writes into chains of its own, with one protocol of its three.
//!
//! NAT-PMP and PCP share port 5351 and differ in their first byte, the version (0, 2). miniupnpd has no switch between
//! them, so the other one's packets are dropped before it hears them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::kind::Kind;
use super::netns::Netns;

/// Its chains, called from base chains of their own.
const CHAINS: &str = "
table inet mapper {
    chain pre {
        type nat hook prerouting priority dstnat; policy accept;
        jump mapped
    }
    chain post {
        type nat hook postrouting priority srcnat - 1; policy accept;
        jump leaving
    }
    chain mapped {
    }
    chain leaving {
    }
    chain through {
    }
}
";

/// What it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Pcp,
    NatPmp,
    Upnp,
}

/// A running port mapper. Dropping it kills it.
#[derive(Debug)]
pub struct Mapper {
    netns: Netns,
    child: Option<Child>,
    config: PathBuf,
}

impl Mapper {
    /// The one of this type's router, where it has one.
    pub(super) fn start(netns: &Netns, kind: Kind) -> Option<Self> {
        let speaks = match kind {
            Kind::Pcp | Kind::SymPcp => Speaks::Pcp,
            Kind::NatPmp => Speaks::NatPmp,
            Kind::Upnp | Kind::CgUpnp => Speaks::Upnp,
            Kind::Public
            | Kind::PublicFw
            | Kind::FullCone
            | Kind::AddrRestricted
            | Kind::PortRestricted
            | Kind::Linux
            | Kind::Symmetric
            | Kind::SymmetricSeq
            | Kind::Cgnat
            | Kind::CgnatEim
            | Kind::UdpBlocked
            | Kind::LinuxClash
            | Kind::Hairpin
            | Kind::Firewall6 => return None,
        };
        netns.nft(&(CHAINS.to_owned() + &speaks.only()));
        let config = PathBuf::from(format!("/run/{}.miniupnpd", netns.name()));
        std::fs::write(&config, speaks.config()).unwrap();
        let mut mapper = Self {
            netns: netns.clone(),
            child: None,
            config,
        };
        mapper.resume();
        Some(mapper)
    }

    /// Starts it, as when the router comes back.
    ///
    /// # Panics
    /// If it does not start.
    pub fn resume(&mut self) {
        let log = std::fs::File::create(self.config.with_extension("log")).unwrap();
        let child = self
            .netns
            .command("miniupnpd")
            .args(["-d", "-f"])
            .arg(&self.config)
            .arg("-P")
            .arg(self.config.with_extension("pid"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("miniupnpd: {error}; ./tests/run installs it"));
        self.child = Some(child);
    }

    /// Ends it, with all mappings: with `resume`, a router's restart.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
            child.wait().unwrap();
        }
        self.netns
            .nft("flush chain inet mapper mapped\nflush chain inet mapper leaving\nflush chain inet mapper through");
    }

    /// What it has mapped, as rules.
    #[must_use]
    pub fn mapped(&self) -> String {
        self.netns.output("nft", &["list", "chain", "inet", "mapper", "mapped"])
    }

    /// What it has logged since it was last started.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.config.with_extension("log")).unwrap_or_default()
    }
}

impl Drop for Mapper {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Speaks {
    /// A chain that drops the other protocol of port 5351.
    fn only(self) -> String {
        let other = match self {
            Self::Pcp => "udp dport 5351 @th,64,8 0 drop",
            Self::NatPmp => "udp dport 5351 @th,64,8 2 drop",
            Self::Upnp => "udp dport 5351 drop",
        };
        format!(
            "
table inet mapper {{
    chain input {{
        type filter hook input priority filter; policy accept;
        {other}
    }}
}}
"
        )
    }

    fn config(self) -> String {
        let yes = |is: bool| if is { "yes" } else { "no" };
        let mut text = String::new();
        let _ = write!(
            text,
            "ext_ifname=wan
listening_ip=lan
http_port=5000
enable_natpmp={}
enable_upnp={}
secure_mode=yes
system_uptime=yes
min_lifetime=120
max_lifetime=86400
notify_interval=60
uuid=3f3c0f4e-0000-4000-8000-000000000001
upnp_table_name=mapper
upnp_nat_table_name=mapper
upnp_forward_chain=through
upnp_nat_chain=mapped
upnp_nat_postrouting_chain=leaving
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
",
            yes(self != Self::Upnp),
            yes(self == Self::Upnp),
        );
        text
    }
}
