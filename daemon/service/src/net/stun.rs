//! Where the configured STUN servers are. What is asked of them, and when, is the core's business; the questions go through the
//! one socket like knocks.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// A name that is not found by then is left out.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first IPv4 and the first IPv6 address of each `host:port`, in the order of the list: one name stands for one operator.
pub(super) async fn find(servers: &[String]) -> Vec<SocketAddr> {
    let found = join_all(servers.iter().map(|server| find_one(server))).await;
    let mut addresses = Vec::new();
    for address in found.into_iter().flatten() {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

async fn find_one(server: &str) -> Vec<SocketAddr> {
    let found: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host(server)).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a STUN server's name is not known");
            Vec::new()
        }
        Err(_) => {
            tracing::debug!("a STUN server's name is not found in time");
            Vec::new()
        }
    };
    let first = |ipv4: bool| found.iter().copied().find(|address| address.is_ipv4() == ipv4);
    [first(true), first(false)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn addresses_need_no_look_up_and_bad_names_are_left_out() {
        let servers = [
            "192.0.2.1:3478",
            "[2001:db8::1]:3478",
            "192.0.2.1:3478",
            "no.such.name.invalid:3478",
        ];
        let found = find(&servers.map(str::to_owned)).await;
        let wanted: [SocketAddr; 2] = ["192.0.2.1:3478".parse().unwrap(), "[2001:db8::1]:3478".parse().unwrap()];
        assert_eq!(found, wanted);
    }
}
