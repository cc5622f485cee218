//! The router's port mapper: PCP, NAT-PMP or UPnP IGD, whichever answers and gives a port, in this order.
//!
//! One task keeps at most one mapping. It renews it before it runs out, tells the loop whenever its outer address is another, takes
//! a new one when it is asked to (the core suspects a rebooted router, or another network), and releases it at the end. Nothing is
//! asked before the core wants to know, so a socket on loopback asks nobody.

use std::future::pending;
use std::net::{SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use portmapper::{Client, Config, ProbeOutput, Protocol};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use twocan_core::io::Input;
use twocan_core::reach::nat_report::{Known, PortMapping};

use super::Shared;

/// A router that has not said by then whether it maps ports does not.
const PROBE: Duration = Duration::from_secs(4);
/// One protocol has this long to give a port.
const GRANT: Duration = Duration::from_secs(4);
/// A release takes no longer, or the mapping is left to run out.
const RELEASE: Duration = Duration::from_secs(1);

/// A handle to the task, which ends with the last of them.
#[derive(Debug)]
pub(super) struct PortMapper(mpsc::Sender<Wish>);

#[derive(Debug)]
enum Wish {
    /// A mapping, made anew where there is one.
    Map,
    /// None any more.
    Release(oneshot::Sender<()>),
}

impl PortMapper {
    /// Starts the task, in the runtime of the caller; it does nothing until it is asked.
    pub(super) fn start(shared: &Arc<Shared>) -> Option<Self> {
        let port = NonZeroU16::new(shared.local().port())?;
        // One wish may wait: what is under way may be about a network that is gone, what waits is not.
        let (wishes, inbox) = mpsc::channel(1);
        // The task must not keep the network alive.
        let shared = Arc::downgrade(shared);
        let tell = move |mapping: PortMapping| {
            let shared = shared.upgrade();
            async move {
                if let Some(shared) = shared {
                    shared.tell(Input::Mapping(mapping)).await;
                }
            }
        };
        tokio::spawn(keep(port, inbox, tell));
        Some(Self(wishes))
    }

    /// Asks for a mapping.
    pub(super) fn ask(&self) {
        let _ = self.0.try_send(Wish::Map);
    }

    /// Gives the mapping back. Where the task is busy with another one, that is left to run out.
    pub(super) async fn release(&self) {
        let (done, released) = oneshot::channel();
        let release = async {
            if self.0.send(Wish::Release(done)).await.is_ok() {
                let _ = released.await;
            }
        };
        if timeout(RELEASE * 2, release).await.is_err() {
            tracing::debug!("the router's port mapping is left to run out");
        }
    }
}

/// The mapping that stands.
struct Mapping {
    client: Client,
    external: watch::Receiver<Option<SocketAddrV4>>,
}

impl Mapping {
    async fn changed(mapping: &mut Option<Self>) -> Option<SocketAddrV4> {
        if let Some(mapping) = mapping
            && mapping.external.changed().await.is_ok()
        {
            return *mapping.external.borrow_and_update();
        }
        pending().await
    }

    /// The library takes one message after the other, so the answer to the second tells that the first is done.
    async fn release(self) {
        self.client.deactivate();
        if timeout(RELEASE, self.client.probe()).await.is_err() {
            tracing::debug!("the router's port mapping is left to run out");
        }
    }
}

async fn keep<F: Future<Output = ()>>(
    port: NonZeroU16,
    mut inbox: mpsc::Receiver<Wish>,
    tell: impl Fn(PortMapping) -> F,
) {
    let mut held: Option<Mapping> = None;
    let mut known = PortMapping {
        enabled: true,
        ..PortMapping::default()
    };
    loop {
        tokio::select! {
            wish = inbox.recv() => match wish {
                Some(Wish::Map) => {
                    if let Some(mapping) = held.take() {
                        mapping.release().await;
                    }
                    (held, known) = map(port).await;
                    tell(known).await;
                }
                Some(Wish::Release(done)) => {
                    if let Some(mapping) = held.take() {
                        mapping.release().await;
                    }
                    let _ = done.send(());
                }
                None => return,
            },
            external = Mapping::changed(&mut held) => {
                known.external = external.map(SocketAddr::V4);
                tell(known).await;
            }
        }
    }
}

/// Asks who maps ports, then each of them for one until one gives it.
async fn map(port: NonZeroU16) -> (Option<Mapping>, PortMapping) {
    let found = probe(&Client::new(config(true, true, true))).await;
    let mut known = PortMapping {
        enabled: true,
        upnp: Known::from(found.upnp),
        nat_pmp: Known::from(found.nat_pmp),
        pcp: Known::from(found.pcp),
        external: None,
    };
    let ways = [
        (found.pcp, config(false, false, true)),
        (found.nat_pmp, config(false, true, false)),
        (found.upnp, config(true, false, false)),
    ];
    for (_, config) in ways.into_iter().filter(|(is_there, _)| *is_there) {
        if let Some((mapping, external)) = grant(config, port).await {
            known.external = Some(SocketAddr::V4(external));
            return (Some(mapping), known);
        }
    }
    (None, known)
}

const fn config(enable_upnp: bool, enable_nat_pmp: bool, enable_pcp: bool) -> Config {
    Config {
        enable_upnp,
        enable_pcp,
        enable_nat_pmp,
        protocol: Protocol::Udp,
    }
}

async fn probe(client: &Client) -> ProbeOutput {
    match timeout(PROBE, client.probe()).await {
        Ok(Ok(Ok(found))) => found,
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => ProbeOutput {
            upnp: false,
            pcp: false,
            nat_pmp: false,
        },
    }
}

/// A client that knows one protocol alone uses that, once it has found it.
async fn grant(config: Config, port: NonZeroU16) -> Option<(Mapping, SocketAddrV4)> {
    let client = Client::new(config);
    probe(&client).await;
    let mut external = client.watch_external_address();
    client.update_local_port(port);
    let granted = timeout(GRANT, external.wait_for(Option::is_some)).await.ok();
    let address = granted.and_then(Result::ok).and_then(|address| *address);
    address.map(|address| (Mapping { client, external }, address))
}
