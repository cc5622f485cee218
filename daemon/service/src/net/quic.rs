//! How QUIC is set up: everything that quinn is told once.
//!
//! quinn's keep-alive and idle time-out are off, since presence has its own keep-alive and a timer for each connection
//! would wake an idle daemon. Connections never migrate: a path change is a new connection. Exactly one stream may be
//! opened, by the dialer; what a peer may make us hold is bounded by the windows below.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    AckFrequencyConfig, ClientConfig, ConnectionId, Endpoint, EndpointConfig, MtuDiscoveryConfig, NoneTokenStore,
    ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use twocan_core::bounds;
use twocan_core::ids::{DeviceKey, Token};

use super::cid::CidKey;
use super::congestion::Constant;
use super::socket::Gate;
use super::tls::Tls;

/// Bytes of control frames that a peer may have sent and we not read.
const CONTROL_WINDOW: u32 = 128 * 1024;
/// Bytes of control frames written and not yet acknowledged.
const SEND_WINDOW: u64 = 256 * 1024;
/// Bytes of datagrams waiting to be sent; when full, the oldest go.
pub(super) const DATAGRAMS_OUT: usize = 64 * 1024;
/// Bytes of datagrams waiting to be read. One turn of quinn's socket loop can bring a whole key frame before a reader
/// runs.
const DATAGRAMS_IN: usize = 512 * 1024;
/// The round trip assumed before one is measured: a lost first flight is repeated after three times that.
const FIRST_RTT: Duration = Duration::from_millis(150);
/// Packets that may go unacknowledged for 25 ms. Nothing waits for the acknowledgement of a datagram, and what is lost shows by
/// a gap at once.
const UNACKNOWLEDGED: u32 = 32;
/// Connection attempts that passed the gate and wait to be taken up.
const INCOMING: usize = 64;
/// Bytes held for one such attempt.
const INCOMING_BYTES: u64 = 64 * 1024;

/// Starts quinn on the socket, in the runtime that runs the caller.
pub(super) fn endpoint(gate: Arc<Gate>, cids: CidKey, tls: &Tls) -> anyhow::Result<Endpoint> {
    let mut config = EndpointConfig::default();
    config.supported_versions(vec![1]);
    config.grease_quic_bit(false);
    config.cid_generator(move || Box::new(cids.clone()));
    let server = server_config(tls)?;
    let endpoint: io::Result<Endpoint> =
        Endpoint::new_with_abstract_socket(config, Some(server), gate, Arc::new(TokioRuntime));
    endpoint.context("QUIC endpoint")
}

/// How connections are answered: those of contacts, or with a door's key those of strangers.
pub(super) fn server_config(tls: &Tls) -> anyhow::Result<ServerConfig> {
    let crypto = QuicServerConfig::try_from(tls.server()?).context("QUIC needs AES-128-GCM")?;
    let mut transport = transport(bounds::MTU_SAFE);
    transport.max_concurrent_bidi_streams(VarInt::from_u32(1));
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport))
        .migration(false)
        .max_incoming(INCOMING)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(INCOMING_BYTES * 16);
    Ok(config)
}

/// The configuration of one dial: `peer` alone may answer, and `token` is the first packets' destination.
pub(super) fn client_config(tls: &Tls, peer: DeviceKey, token: Token, mtu: u16) -> anyhow::Result<ClientConfig> {
    let crypto = QuicClientConfig::try_from(tls.client(peer)?).context("QUIC needs AES-128-GCM")?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport(mtu)))
        .token_store(Arc::new(NoneTokenStore))
        .initial_dst_cid_provider(Arc::new(move || ConnectionId::new(&token.0)));
    Ok(config)
}

/// The configuration of a ring at somebody's door: whoever is there may answer.
pub(super) fn door_client_config(tls: &Tls) -> anyhow::Result<ClientConfig> {
    let crypto = QuicClientConfig::try_from(tls.client_to_anybody()?).context("QUIC needs AES-128-GCM")?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport(bounds::MTU_SAFE)))
        .token_store(Arc::new(NoneTokenStore));
    Ok(config)
}

/// How long packets stay small after several losses of large ones in a row. Chance makes such rows where a path loses a few per cent, and a
/// browser's full packets then go in two halves, of which either may be lost; where large ones really vanish, the search ends at once.
const SMALL_AGAIN: Duration = Duration::from_millis(500);

fn transport(mtu: u16) -> TransportConfig {
    let mut search = MtuDiscoveryConfig::default();
    search.black_hole_cooldown(SMALL_AGAIN);
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(UNACKNOWLEDGED));
    let mut config = TransportConfig::default();
    config
        .ack_frequency_config(Some(acks))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(CONTROL_WINDOW))
        .receive_window(VarInt::from_u32(CONTROL_WINDOW))
        .send_window(SEND_WINDOW)
        .max_idle_timeout(None)
        .keep_alive_interval(None)
        .initial_rtt(FIRST_RTT)
        .mtu_discovery_config(Some(search))
        .initial_mtu(mtu.clamp(bounds::MTU_SAFE, bounds::MTU_PROVEN))
        .allow_spin(false)
        .datagram_receive_buffer_size(Some(DATAGRAMS_IN))
        .datagram_send_buffer_size(DATAGRAMS_OUT)
        .congestion_controller_factory(Arc::new(Constant));
    config
}
