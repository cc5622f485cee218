//! Neighbours: devices of contacts on the same local network, by multicast DNS (RFC 6762, RFC 6763), through `mdns-sd`.
//!
//! What is shown is a name that only contacts recognise, another one every day, with the port of the socket and the addresses that
//! the core gives; what others show is told to the core as it is. The crate's thread sleeps until something comes or is due. It
//! exists only while there is something to show: who shows nothing looks for nobody.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::thread;

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use tokio::sync::mpsc;
use twocan_core::io::Input;
use twocan_core::reach::record::LanName;

/// The type of the service. It says that Twocan is there, and nothing else.
const TYPE: &str = "_twocan._udp.local.";

/// A handle to whatever is shown.
#[derive(Debug)]
pub struct Neighbours {
    events: mpsc::Sender<Input>,
    running: Option<Running>,
}

struct Running {
    daemon: ServiceDaemon,
    shown: Vec<String>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Running")
    }
}

impl Neighbours {
    /// Shows nothing yet. What others show comes as [`Input::LanSeen`].
    #[must_use]
    pub const fn new(events: mpsc::Sender<Input>) -> Self {
        Self { events, running: None }
    }

    /// Shows these names in place of those before, each at the port of the addresses.
    pub fn show(&mut self, names: &[LanName], addresses: &[SocketAddr]) {
        if let Err(error) = self.try_show(names, addresses) {
            tracing::debug!(%error, "no multicast DNS");
            self.stop();
        }
    }

    fn try_show(&mut self, names: &[LanName], addresses: &[SocketAddr]) -> Result<(), mdns_sd::Error> {
        let Some(port) = addresses.first().map(SocketAddr::port).filter(|_| !names.is_empty()) else {
            self.stop();
            return Ok(());
        };
        let running = match self.running.take() {
            Some(running) => running,
            None => start(self.events.clone())?,
        };
        let running = self.running.insert(running);
        for gone in std::mem::take(&mut running.shown) {
            // What comes of it is of no interest.
            drop(running.daemon.unregister(&gone)?);
        }
        let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        for name in names {
            let name = spelt(name);
            let host = format!("{name}.local.");
            let info = ServiceInfo::new(TYPE, &name, &host, ips.as_slice(), port, None)?;
            running.shown.push(info.get_fullname().to_owned());
            running.daemon.register(info)?;
        }
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            // A thread that is gone needs no stopping.
            drop(running.daemon.shutdown());
        }
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(events: mpsc::Sender<Input>) -> Result<Running, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
    let seen = daemon.browse(TYPE)?;
    // It ends with the daemon above, whose channel closes then.
    let listening = move || {
        for event in seen.iter() {
            if let ServiceEvent::ServiceResolved(service) = event
                && let Some(input) = neighbour(&service)
                && events.blocking_send(input).is_err()
            {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("neighbours".to_owned()).spawn(listening) {
        tracing::debug!(%error, "no thread for multicast DNS");
    }
    Ok(Running {
        daemon,
        shown: Vec::new(),
    })
}

/// What a service of our type says; `None` where its name is none of ours.
fn neighbour(service: &ResolvedService) -> Option<Input> {
    let name = read(service.fullname.strip_suffix(TYPE)?.strip_suffix('.')?)?;
    let addresses: BTreeSet<SocketAddr> = service
        .addresses
        .iter()
        .map(|address| SocketAddr::new(address.to_ip_addr(), service.port))
        .collect();
    Some(Input::LanSeen {
        name,
        addresses: addresses.into_iter().collect(),
    })
}

fn spelt(name: &LanName) -> String {
    name.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(text: &str) -> Option<LanName> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    // A sign would pass for a digit.
    let digits = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|_| pair.iter().all(u8::is_ascii_hexdigit));
        u8::from_str_radix(pair?, 16).ok()
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(digits).collect();
    LanName::try_from(bytes?).ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_spelling() {
        let name = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252, 253, 254, 255];
        assert_eq!(read(&spelt(&name)), Some(name));
        for other in [
            "",
            "00",
            "zz010203040506070809fafbfcfdfeff",
            "printer of Ann",
            "+1020304050607080900a0b0c0d0e0f0",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
