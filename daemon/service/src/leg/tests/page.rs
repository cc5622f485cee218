//! A stand-in for a browser: checks with USE-CANDIDATE, speaks DTLS, sends and hears SRTP.

use std::net::SocketAddr;
use std::time::Instant;

use rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use tokio::net::UdpSocket;
use twocan_core::ids::{CallId, LegId};
use twocan_core::media::flow::Role;

use crate::leg::dtls::{Dtls, DtlsEvent, Fingerprint, Identity};
use crate::leg::gate::Direction;
use crate::leg::peer::Legs;
use crate::leg::srtp::Srtp;

use super::PATIENCE;

/// The stand-in's own numbers.
pub(super) const CAMERA: u32 = 77;
pub(super) const VP8: u8 = 96;

/// What a page hears.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Rtp(Vec<u8>),
    Rtcp(Vec<u8>),
    Closed,
}

pub(super) struct Page {
    pub(super) leg: LegId,
    pub(super) direction: Direction,
    pub(super) offer: String,
    udp: UdpSocket,
    to: SocketAddr,
    identity: Identity,
    dtls: Dtls,
    srtp: Option<Box<Srtp>>,
}

impl Page {
    pub(super) async fn connect(legs: &Legs, call: CallId, role: Role, direction: &str) -> Self {
        Self::join(legs, call, role, direction, true).await
    }

    pub(super) async fn connect_passive(legs: &Legs, call: CallId, role: Role) -> Self {
        Self::join(legs, call, role, "sendrecv", false).await
    }

    async fn join(legs: &Legs, call: CallId, role: Role, direction: &str, active: bool) -> Self {
        let identity = Identity::generate().unwrap();
        let setup = if active { "actpass" } else { "passive" };
        let offer = format!(
            "v=0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF {VP8}\r\na=mid:0\r\na=rtcp-mux\r\na={direction}\r\n\
             a=ice-ufrag:page\r\na=fingerprint:{}\r\na=setup:{setup}\r\na=rtpmap:{VP8} VP8/90000\r\n\
             a=ssrc:{CAMERA} cname:x\r\n",
            identity.fingerprint()
        );
        let answer = legs.offer(call, role, &offer).unwrap();
        let fingerprint = value(&answer.sdp, "a=fingerprint:sha-256 ");
        let fingerprint = Fingerprint {
            algorithm: "sha-256".to_owned(),
            value: fingerprint.to_owned(),
        };
        let dtls = Dtls::new(&identity, vec![fingerprint], active).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = loopback(&answer.sdp);
        let mut page = Self {
            leg: answer.leg,
            direction: answer.direction,
            offer,
            udp,
            to,
            identity,
            dtls,
            srtp: None,
        };
        page.check_with(&answer.sdp, "page").await;
        page.dtls.start(Instant::now());
        while page.srtp.is_none() {
            page.flush().await;
            let datagram = page.receive().await;
            assert!((20..64).contains(&datagram[0]), "nothing but DTLS before the keys");
            page.secure(&datagram);
        }
        page.flush().await;
        page
    }

    /// One check, and its answer.
    pub(super) async fn check_with(&mut self, answer: &str, own_ufrag: &str) {
        let username = format!("{}:{own_ufrag}", value(answer, "a=ice-ufrag:"));
        let crypto = self.identity.crypto.crypto();
        let mut request = Message::new();
        request.typ = BINDING_REQUEST;
        request.transaction_id = TransactionId::new();
        request.write_header();
        request.add(ATTR_USERNAME, username.as_bytes());
        request.add(ATTR_USE_CANDIDATE, &[]);
        let password = value(answer, "a=ice-pwd:").to_owned();
        MessageIntegrity::new_short_term_integrity_with_provider(password.clone(), crypto)
            .add_to(&mut request)
            .unwrap();
        FINGERPRINT.add_to(&mut request).unwrap();
        self.udp.send_to(&request.raw, self.to).await.unwrap();
        let mut response = Message::new();
        response.unmarshal_binary(&self.receive().await).unwrap();
        assert_eq!(
            (response.typ, response.transaction_id),
            (BINDING_SUCCESS, request.transaction_id)
        );
        MessageIntegrity::check(&mut response, password.as_bytes(), self.identity.crypto.crypto()).unwrap();
        FINGERPRINT.check(&response).unwrap();
    }

    pub(super) async fn send_rtp(&mut self, packet: &[u8]) {
        let sealed = self.srtp.as_mut().unwrap().seal_rtp(packet).unwrap();
        self.udp.send_to(&sealed, self.to).await.unwrap();
    }

    pub(super) async fn send_rtcp(&mut self, compound: &[u8]) {
        let sealed = self.srtp.as_mut().unwrap().seal_rtcp(compound).unwrap();
        self.udp.send_to(&sealed, self.to).await.unwrap();
    }

    /// The next thing that comes.
    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            let datagram = self.receive().await;
            let srtp = self.srtp.as_mut().unwrap();
            match (datagram[0], datagram[1]) {
                (128..=191, 192..=223) => return Heard::Rtcp(srtp.open_rtcp(&datagram).unwrap()),
                (128..=191, _) => return Heard::Rtp(srtp.open_rtp(&datagram).unwrap()),
                (_, _) if self.secure(&datagram) => return Heard::Closed,
                (_, _) => {}
            }
        }
    }

    /// The next RTP packet.
    pub(super) async fn hear_media(&mut self) -> Heard {
        loop {
            match self.hear().await {
                Heard::Rtcp(_) => {}
                heard @ (Heard::Rtp(_) | Heard::Closed) => return heard,
            }
        }
    }

    /// The next RTCP compound that begins with a packet of this type.
    pub(super) async fn hear_rtcp_of(&mut self, kind: u8) -> Vec<u8> {
        loop {
            if let Heard::Rtcp(compound) = self.hear().await
                && compound[1] == kind
            {
                return compound;
            }
        }
    }

    /// What closing a tab does.
    pub(super) async fn leave(&mut self) {
        self.dtls.close(Instant::now());
        self.flush().await;
    }

    /// Whether the other side closed.
    fn secure(&mut self, datagram: &[u8]) -> bool {
        let mut closed = false;
        for event in self.dtls.handle(datagram, Instant::now()) {
            match event {
                DtlsEvent::Keys(srtp) => self.srtp = Some(srtp),
                DtlsEvent::Closed => closed = true,
            }
        }
        closed
    }

    async fn flush(&mut self) {
        while let Some(flight) = self.dtls.transmit() {
            self.udp.send_to(&flight, self.to).await.unwrap();
        }
    }

    async fn receive(&self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        let (length, from) = tokio::time::timeout(PATIENCE, self.udp.recv_from(&mut buffer))
            .await
            .expect("a datagram in time")
            .unwrap();
        assert_eq!(from, self.to);
        buffer.truncate(length);
        buffer
    }
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

fn loopback(answer: &str) -> SocketAddr {
    let candidate = answer.lines().find(|line| line.contains(" 127.0.0.1 ")).unwrap();
    let port = candidate.split(' ').nth(5).unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}
