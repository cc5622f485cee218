//! TLS of links: version 1.3, raw Ed25519 public keys both ways (RFC 7250), X25519MLKEM768.
//!
//! The dialer pins the one key that may answer; the listener takes any Ed25519 key and reports it, for who that is
//! the first message shows. No server name, no tickets, no resumption, no early data: nothing in a handshake links it
//! to another one.

use std::sync::Arc;

use anyhow::Context;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use twocan_core::ids::DeviceKey;
use zeroize::Zeroizing;

/// The application protocol of links.
const ALPN: &[u8] = b"twocan/1";
/// The application protocol of calls through a door.
const DOOR_ALPN: &[u8] = b"twocan-door/1";
/// PKCS #8 wrapping of a 32-byte Ed25519 seed, up to the seed (RFC 8410, section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// SubjectPublicKeyInfo of an Ed25519 key, up to the key (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Makes the TLS configurations of one device.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    identity: Arc<CertifiedKey>,
    alpn: &'static [u8],
}

impl Tls {
    /// For the device whose Ed25519 key grows from `seed`.
    pub(super) fn new(seed: &[u8; 32]) -> anyhow::Result<Self> {
        Self::with(seed, ALPN)
    }

    /// For one side of a door, under a key that is thrown away afterwards.
    pub(super) fn for_door(seed: &[u8; 32]) -> anyhow::Result<Self> {
        Self::with(seed, DOOR_ALPN)
    }

    fn with(seed: &[u8; 32], alpn: &'static [u8]) -> anyhow::Result<Self> {
        let pkcs8 = Zeroizing::new([&PKCS8[..], seed].concat());
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8.as_slice()));
        let key = aws_lc_rs::sign::any_supported_type(&der).context("device key")?;
        let spki = key.public_key().context("device key has no public half")?;
        let identity = CertifiedKey::new(vec![CertificateDer::from(spki.to_vec())], key);
        Ok(Self {
            provider: Arc::new(provider()),
            identity: Arc::new(identity),
            alpn,
        })
    }

    /// The listener's side.
    pub(super) fn server(&self) -> anyhow::Result<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .context("TLS 1.3")?
            .with_client_cert_verifier(self.check(None))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::clone(
                &self.identity,
            ))));
        config.alpn_protocols = vec![self.alpn.to_vec()];
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.max_early_data_size = 0;
        Ok(config)
    }

    /// The dialer's side, which accepts `peer` and nobody else.
    pub(super) fn client(&self, peer: DeviceKey) -> anyhow::Result<ClientConfig> {
        self.client_that_checks(self.check(Some(peer)))
    }

    /// The side that rings at a door, where any key may answer: who that is shows once the call was.
    pub(super) fn client_to_anybody(&self) -> anyhow::Result<ClientConfig> {
        self.client_that_checks(self.check(None))
    }

    fn check(&self, expected: Option<DeviceKey>) -> Arc<KeyCheck> {
        Arc::new(KeyCheck {
            expected,
            algorithms: self.algorithms(),
        })
    }

    fn client_that_checks(&self, verifier: Arc<KeyCheck>) -> anyhow::Result<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .context("TLS 1.3")?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::clone(
                &self.identity,
            ))));
        config.alpn_protocols = vec![self.alpn.to_vec()];
        config.enable_sni = false;
        config.enable_early_data = false;
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// Makes one key share for nothing: the first of a process takes some 60 ms, while the library gathers entropy.
    pub(super) fn warm_up(&self) {
        for group in &self.provider.kx_groups {
            if let Err(error) = group.start() {
                tracing::error!(%error, "no key shares can be made");
            }
        }
    }

    fn algorithms(&self) -> WebPkiSupportedAlgorithms {
        self.provider.signature_verification_algorithms
    }
}

/// The key in a SubjectPublicKeyInfo; `None` unless it is Ed25519, encoded the one way there is.
pub(super) fn device_key(spki: &[u8]) -> Option<DeviceKey> {
    spki.strip_prefix(&SPKI)?.try_into().ok().map(DeviceKey)
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    }
}

fn presented(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<DeviceKey, Error> {
    let key = intermediates.is_empty().then(|| device_key(end_entity)).flatten();
    key.ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))
}

fn verify(
    message: &[u8],
    spki: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if signed.scheme != SignatureScheme::ED25519 {
        return Err(Error::InvalidCertificate(CertificateError::BadSignature));
    }
    verify_tls13_signature_with_raw_key(
        message,
        &SubjectPublicKeyInfoDer::from(spki.as_ref()),
        signed,
        algorithms,
    )
}

fn no_tls12() -> Error {
    Error::General("TLS 1.2 is not spoken".into())
}

/// The checks of a far side's key: that it is held, and, where one is `expected`, that it is this one. The dialer of a contact
/// expects; the listener, and whoever rings at a door, takes any Ed25519 key and reports it.
#[derive(Debug)]
struct KeyCheck {
    expected: Option<DeviceKey>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl KeyCheck {
    fn check(&self, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<(), Error> {
        let shown = presented(end_entity, intermediates)?;
        if self.expected.is_none_or(|expected| expected == shown) {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }
}

/// What TLS wants of either side's verifier beside the check of the key itself.
macro_rules! raw_keys_of_tls13 {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _cert: &CertificateDer<'_>,
            _signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(no_tls12())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify(message, cert, signed, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for KeyCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates)?;
        Ok(ServerCertVerified::assertion())
    }

    raw_keys_of_tls13!();
}

impl ClientCertVerifier for KeyCheck {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates)?;
        Ok(ClientCertVerified::assertion())
    }

    raw_keys_of_tls13!();
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::unwrap_in_result, reason = "tests")]

    use rustls::quic::{ClientConnection, Connection, ServerConnection, Version};
    use rustls::{HandshakeKind, NamedGroup, ProtocolVersion};

    use super::*;

    fn key(tls: &Tls) -> DeviceKey {
        device_key(tls.identity.end_entity_cert().unwrap()).unwrap()
    }

    /// Passes handshake bytes to and fro; ends with the two connections or the first complaint.
    fn shake(client: ClientConfig, server: ServerConfig) -> Result<(Connection, Connection), Error> {
        let name = ServerName::try_from("twocan").unwrap();
        let client = ClientConnection::new(Arc::new(client), Version::V1, name, Vec::new())?;
        let server = ServerConnection::new(Arc::new(server), Version::V1, Vec::new())?;
        let (mut client, mut server) = (Connection::from(client), Connection::from(server));
        for _ in 0..4 {
            pass(&mut client, &mut server)?;
            pass(&mut server, &mut client)?;
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        Ok((client, server))
    }

    fn pass(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
        loop {
            let mut bytes = Vec::new();
            let keys = from.write_hs(&mut bytes);
            if !bytes.is_empty() {
                to.read_hs(&bytes)?;
            }
            if keys.is_none() {
                return Ok(());
            }
        }
    }

    #[test]
    fn the_handshake_is_hybrid_mutual_and_unlinkable() {
        let (dialer, listener) = (Tls::new(&[1; 32]).unwrap(), Tls::new(&[2; 32]).unwrap());
        let (client, server) = shake(dialer.client(key(&listener)).unwrap(), listener.server().unwrap()).unwrap();
        for side in [&client, &server] {
            assert_eq!(
                side.negotiated_key_exchange_group().unwrap().name(),
                NamedGroup::X25519MLKEM768
            );
            assert_eq!(side.protocol_version(), Some(ProtocolVersion::TLSv1_3));
            assert_eq!(side.alpn_protocol(), Some(ALPN));
            assert_eq!(side.handshake_kind(), Some(HandshakeKind::Full));
        }
        let seen = |side: &Connection| device_key(side.peer_certificates().unwrap().first().unwrap()).unwrap();
        assert_eq!((seen(&client), seen(&server)), (key(&listener), key(&dialer)));
        assert!(matches!(server, Connection::Server(server) if server.server_name().is_none()));
    }

    #[test]
    fn another_listener_is_refused() {
        let (dialer, listener) = (Tls::new(&[1; 32]).unwrap(), Tls::new(&[2; 32]).unwrap());
        let pinned = dialer.client(key(&dialer)).unwrap();
        let refused = shake(pinned, listener.server().unwrap()).unwrap_err();
        assert_eq!(
            refused,
            Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
        );
    }

    #[test]
    fn a_dialer_without_key_or_with_classical_exchange_is_refused() {
        let (dialer, listener) = (Tls::new(&[1; 32]).unwrap(), Tls::new(&[2; 32]).unwrap());
        let mut nameless = dialer.client(key(&listener)).unwrap();
        nameless.client_auth_cert_resolver = Arc::new(Nobody);
        assert!(shake(nameless, listener.server().unwrap()).is_err());

        let groups = vec![aws_lc_rs::kx_group::X25519];
        let classical = CryptoProvider {
            kx_groups: groups,
            ..aws_lc_rs::default_provider()
        };
        let classical = Tls {
            provider: Arc::new(classical),
            ..dialer
        };
        assert!(shake(classical.client(key(&listener)).unwrap(), listener.server().unwrap()).is_err());
    }

    #[test]
    fn only_the_one_encoding_of_an_ed25519_key_is_read() {
        let spki = [&SPKI[..], &[7; 32]].concat();
        assert_eq!(device_key(&spki), Some(DeviceKey([7; 32])));
        assert_eq!(device_key(spki.get(..43).unwrap()), None);
        assert_eq!(device_key(&[&spki[..], &[0]].concat()), None);
        assert_eq!(device_key(&[7; 44]), None);
    }

    #[derive(Debug)]
    struct Nobody;

    impl rustls::client::ResolvesClientCert for Nobody {
        fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
            None
        }

        fn only_raw_public_keys(&self) -> bool {
            true
        }

        fn has_certs(&self) -> bool {
            false
        }
    }
}
