//! A phone without a screen: ICE, DTLS and SRTP over one plain socket, so that what a daemon costs is measured without a
//! browser beside it.
//!
//! It controls ICE, speaks DTLS first and takes whatever certificate comes: it tests speed, not trust.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc::crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc::dtls::config::{ConfigBuilder, ExtendedMasterSecretType};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};

use crate::api::Api;

/// What its offer calls VP8.
const VP8: u8 = 96;
/// The SSRC of its camera.
const CAMERA: u32 = 77;
/// Between two looks at what is due.
const LOOK: Duration = Duration::from_millis(100);
/// Between two checks that say that it is there, as browsers send them.
const CHECK: Duration = Duration::from_secs(2);
/// How long the handshakes may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connected phone.
pub struct Phone {
    /// Its socket, connected to the leg's.
    pub udp: UdpSocket,
    seal: Context,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Phone")
            .field("udp", &self.udp)
            .finish_non_exhaustive()
    }
}

impl Phone {
    /// Joins a call as a camera and a screen for VP8.
    ///
    /// # Panics
    /// If the daemon does not let it.
    pub async fn join(api: &Api, call: &str) -> Self {
        let crypto = rtc::crypto::default_provider().unwrap();
        let certificate = Certificate::generate_self_signed(vec!["phone.invalid".to_owned()], crypto.crypto()).unwrap();
        let offer = offer(&fingerprint(&crypto, &certificate));
        let answer = api.attach(call, &offer).await;
        let connected = tokio::task::spawn_blocking(move || Self::connect(&crypto, certificate, &answer));
        connected.await.unwrap()
    }

    /// One packet of its camera, protected: sequence number, then `size` bytes of payload.
    ///
    /// # Panics
    /// If the cipher refuses.
    pub fn packet(&mut self, sequence: u16, size: usize) -> Vec<u8> {
        self.seal.encrypt_rtp(&rtp(sequence, size)).unwrap().to_vec()
    }

    fn connect(crypto: &Arc<dyn RTCCryptoProvider>, certificate: Certificate, answer: &str) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.connect(loopback(answer)).unwrap();
        udp.set_read_timeout(Some(LOOK)).unwrap();
        let request = check(&udp, crypto, answer);
        let checks = udp.try_clone().unwrap();
        std::thread::spawn(move || {
            while checks.send(&request).is_ok() {
                std::thread::sleep(CHECK);
            }
        });
        let keys = keys(&udp, crypto, certificate);
        let seal = Context::new(
            &keys.keys.local_master_key,
            &keys.keys.local_master_salt,
            keys.profile,
            None,
            None,
            crypto.crypto(),
        );
        Self {
            udp,
            seal: seal.unwrap(),
        }
    }
}

/// An RTP packet of [`Phone`]'s camera, unprotected.
#[must_use]
pub fn rtp(sequence: u16, size: usize) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let mut packet = [&[0x80, VP8, high, low, 0, 0, 0, 9][..], &CAMERA.to_be_bytes()].concat();
    packet.resize(packet.len() + size, 0x5a);
    packet
}

/// The sequence number of a datagram that is RTP, protected or not.
#[must_use]
pub const fn sequence(datagram: &[u8]) -> Option<u16> {
    match datagram {
        [128..=191, kind, high, low, ..] if !matches!(kind, 192..=223) => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

fn offer(fingerprint: &str) -> String {
    format!(
        "v=0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF {VP8}\r\na=mid:0\r\na=rtcp-mux\r\na=sendrecv\r\n\
         a=ice-ufrag:phone\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\na=rtpmap:{VP8} VP8/90000\r\n\
         a=ssrc:{CAMERA} cname:x\r\n"
    )
}

fn fingerprint(crypto: &Arc<dyn RTCCryptoProvider>, certificate: &Certificate) -> String {
    let der = certificate.certificate[0].as_ref();
    let digest = crypto.crypto().hash(HashAlgorithm::Sha256, der).unwrap();
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// One check that nominates, and its answer; gives the check, which may be sent again.
fn check(udp: &UdpSocket, crypto: &Arc<dyn RTCCryptoProvider>, answer: &str) -> Vec<u8> {
    let username = format!("{}:phone", value(answer, "a=ice-ufrag:"));
    let password = value(answer, "a=ice-pwd:").to_owned();
    let mut request = Message::new();
    request.typ = BINDING_REQUEST;
    request.transaction_id = TransactionId::new();
    request.write_header();
    request.add(ATTR_USERNAME, username.as_bytes());
    request.add(ATTR_USE_CANDIDATE, &[]);
    MessageIntegrity::new_short_term_integrity_with_provider(password, crypto.crypto())
        .add_to(&mut request)
        .unwrap();
    FINGERPRINT.add_to(&mut request).unwrap();
    udp.send(&request.raw).unwrap();
    let mut response = Message::new();
    response
        .unmarshal_binary(&receive(udp).expect("an answer to the check"))
        .unwrap();
    assert_eq!(response.typ, BINDING_SUCCESS);
    request.raw
}

/// The DTLS handshake, and the SRTP keys that come of it.
fn keys(udp: &UdpSocket, crypto: &Arc<dyn RTCCryptoProvider>, certificate: Certificate) -> Config {
    let peer = udp.peer_addr().unwrap();
    let config = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(crypto))
        .with_certificates(vec![certificate])
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(true, None)
        .unwrap();
    let mut dtls = Endpoint::new(peer, TransportProtocol::UDP, None);
    dtls.connect(Instant::now(), peer, Arc::new(config), None).unwrap();
    let end = Instant::now() + PATIENCE;
    let mut done = false;
    while !done {
        assert!(Instant::now() < end, "no DTLS within {PATIENCE:?}");
        flush(udp, &mut dtls);
        match receive(udp) {
            Some(datagram) if (20..64).contains(&datagram[0]) => {
                let events = dtls
                    .read(Instant::now(), peer, None, BytesMut::from(&datagram[..]))
                    .unwrap();
                done = events
                    .iter()
                    .any(|event| matches!(event, EndpointEvent::HandshakeComplete));
            }
            Some(_) => {}
            None => dtls.handle_timeout(peer, Instant::now()).unwrap(),
        }
    }
    flush(udp, &mut dtls);
    let state = dtls.get_connection_state(peer).unwrap();
    let mut config = Config {
        profile: ProtectionProfile::AeadAes128Gcm,
        ..Config::default()
    };
    let material = state
        .export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())
        .unwrap();
    config
        .set_session_keys_from_keying_material(material.as_ref(), true)
        .unwrap();
    config
}

fn flush(udp: &UdpSocket, dtls: &mut Endpoint) {
    while let Some(flight) = dtls.poll_transmit() {
        udp.send(&flight.message).unwrap();
    }
}

fn receive(udp: &UdpSocket) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 2048];
    let length = udp.recv(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

fn loopback(answer: &str) -> SocketAddr {
    let candidate = answer.lines().find(|line| line.contains(" 127.0.0.1 ")).unwrap();
    let port = candidate.split(' ').nth(5).unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}
