//! The DTLS half of a leg: one association, over whichever pair ICE uses, and from it the SRTP keys (RFC 5764).
//!
//! The other side is who the offer says it is: its certificate must have one of the offer's fingerprints.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ring::digest;
use rtc::crypto::RTCCryptoProvider;
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::shared::error::{Error, Result};
use rtc::srtp::config::{Config as SrtpConfig, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::protection_profile::ProtectionProfile;

use super::srtp::Srtp;

/// The endpoint keeps associations by address; ours has one, which survives a change of pair.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
/// On one machine an answer takes a few milliseconds, so a flight that is lost is repeated soon.
const FLIGHT: Duration = Duration::from_millis(150);

/// The daemon's own certificate and crypto, shared by all legs of one run.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) crypto: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Identity")
    }
}

impl Identity {
    /// A new self-signed certificate (ECDSA P-256).
    pub(super) fn generate() -> Result<Self> {
        let crypto = rtc::crypto::default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let certificate = Certificate::generate_self_signed(vec!["leg.invalid".to_owned()], crypto.crypto())?;
        Ok(Self { crypto, certificate })
    }

    /// What follows `a=fingerprint:`.
    pub(super) fn fingerprint(&self) -> String {
        let der = self.certificate.certificate.first().map_or(&[][..], |der| der.as_ref());
        format!("sha-256 {}", hex(digest::digest(&digest::SHA256, der).as_ref()))
    }
}

/// One `a=fingerprint` of the offer (RFC 8122).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// `sha-256` and the like, lower case.
    pub(super) algorithm: String,
    /// Upper-case hexadecimal with colons.
    pub(super) value: String,
}

impl Fingerprint {
    fn fits(&self, certificate: &[u8]) -> bool {
        let algorithm = match self.algorithm.as_str() {
            "sha-256" => &digest::SHA256,
            "sha-384" => &digest::SHA384,
            "sha-512" => &digest::SHA512,
            _ => return false,
        };
        hex(digest::digest(algorithm, certificate).as_ref()) == self.value
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(":")
}

/// What comes of the association.
pub(super) enum DtlsEvent {
    /// The handshake is done.
    Keys(Box<Srtp>),
    /// The other side closed it.
    Closed,
}

/// One association.
pub(super) struct Dtls {
    endpoint: Endpoint,
    /// Set while we are to speak first.
    connect: Option<Arc<HandshakeConfig>>,
    crypto: Arc<dyn RTCCryptoProvider>,
}

impl std::fmt::Debug for Dtls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Dtls")
    }
}

impl Dtls {
    /// Waits for the other side's first flight, or sends ours at [`Self::start`] where `active`.
    pub(super) fn new(identity: &Identity, peer: Vec<Fingerprint>, active: bool) -> Result<Self> {
        let config = Arc::new(handshake(identity, peer).build(active, None)?);
        let (connect, serve) = if active {
            (Some(config), None)
        } else {
            (None, Some(config))
        };
        let endpoint = Endpoint::new(PEER, TransportProtocol::UDP, serve);
        Ok(Self {
            endpoint,
            connect,
            crypto: Arc::clone(&identity.crypto),
        })
    }

    /// ICE has a pair.
    pub(super) fn start(&mut self, now: Instant) {
        if let Some(config) = self.connect.take()
            && let Err(error) = self.endpoint.connect(now, PEER, config, None)
        {
            tracing::debug!(%error, "DTLS cannot start");
        }
    }

    /// Takes one datagram of the DTLS class. A datagram that does not check is dropped, as on any UDP path.
    pub(super) fn handle(&mut self, datagram: &[u8], now: Instant) -> Vec<DtlsEvent> {
        let events = self
            .endpoint
            .read(now, PEER, None, BytesMut::from(datagram))
            .unwrap_or_else(|error| {
                tracing::debug!(%error, "DTLS datagram dropped");
                Vec::new()
            });
        events.into_iter().filter_map(|event| self.event(event)).collect()
    }

    /// Application data belongs to data channels, which are never accepted.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the crate's enum is open")]
    fn event(&self, event: EndpointEvent) -> Option<DtlsEvent> {
        match event {
            EndpointEvent::HandshakeComplete => self.keys().map(|keys| DtlsEvent::Keys(Box::new(keys))),
            EndpointEvent::PeerClosed => Some(DtlsEvent::Closed),
            _ => None,
        }
    }

    fn keys(&self) -> Option<Srtp> {
        let state = self.endpoint.get_connection_state(PEER)?;
        let mut config = SrtpConfig {
            profile: profile(state.srtp_protection_profile())?,
            ..SrtpConfig::default()
        };
        let material = state
            .export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())
            .ok()?;
        config
            .set_session_keys_from_keying_material(material.as_ref(), state.is_client())
            .ok()?;
        Srtp::new(&config, self.crypto.crypto()).ok()
    }

    /// The next datagram to send.
    pub(super) fn transmit(&mut self) -> Option<BytesMut> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&PEER)
    }

    /// Repeats a flight that was not answered.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.endpoint.handle_timeout(PEER, now) {
            tracing::debug!(%error, "DTLS handshake gives up");
        }
    }

    /// Queues a `close_notify`.
    pub(super) fn close(&mut self, now: Instant) {
        self.endpoint.close(now).ok();
    }
}

fn handshake(identity: &Identity, peer: Vec<Fingerprint>) -> ConfigBuilder {
    ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&identity.crypto))
        .with_certificates(vec![identity.certificate.clone()])
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        // Certificates are self-signed on both sides: the fingerprint is the proof, not a chain.
        .with_insecure_skip_verify(true)
        .with_verify_peer_certificate(Some(Arc::new(move |chain, _| {
            let fits = chain
                .first()
                .is_some_and(|leaf| peer.iter().any(|fingerprint| fingerprint.fits(leaf)));
            if fits {
                Ok(())
            } else {
                Err(Error::ErrNoMatchingCertificateFingerprint)
            }
        })))
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .with_flight_interval(FLIGHT)
}

/// `None` for profiles that were not offered.
#[expect(clippy::wildcard_enum_match_arm, reason = "the crate's enum is open")]
const fn profile(negotiated: SrtpProtectionProfile) -> Option<ProtectionProfile> {
    match negotiated {
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Some(ProtectionProfile::AeadAes128Gcm),
        SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => Some(ProtectionProfile::AeadAes256Gcm),
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Some(ProtectionProfile::Aes128CmHmacSha1_80),
        _ => None,
    }
}
