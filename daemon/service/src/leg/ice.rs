//! The ICE-lite half of a leg's connectivity (RFC 8445, section 2.5): it answers checks and does what the other side
//! nominates. It sends no checks and keeps no timers.
//!
//! A pair is *valid* once a check with our password has come over it; DTLS and media are heard on valid pairs only and
//! sent on the pair nominated last.

use std::net::SocketAddr;

use ring::rand::{SecureRandom, SystemRandom};
use rtc::crypto::RTCCrypto;
use rtc::stun::attributes::{ATTR_ICE_CONTROLLED, ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::error_code::{CODE_ROLE_CONFLICT, ErrorCodeAttribute};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Message, MessageType, Setter};
use rtc::stun::xoraddr::XorMappedAddress;

/// Valid pairs that are remembered.
const PAIRS_MOST: usize = 64;

/// One of our sockets and one address of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Index of the leg's socket.
    pub(super) socket: usize,
    /// The other end.
    pub(super) remote: SocketAddr,
}

/// A user-name fragment and password (RFC 8839, section 5.4).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) ufrag: String,
    pub(super) password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Credentials({})", self.ufrag)
    }
}

impl Credentials {
    /// New ones: 48 and 144 bits.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub(super) fn random() -> Result<Self, ring::error::Unspecified> {
        Ok(Self {
            ufrag: ice_chars(8)?,
            password: ice_chars(24)?,
        })
    }
}

/// Letters, digits, `+` and `/` (RFC 8839, section 5.4), six random bits each.
fn ice_chars(count: usize) -> Result<String, ring::error::Unspecified> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = vec![0; count];
    SystemRandom::new().fill(&mut random)?;
    Ok(random
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)))
        .map(|char| char::from(*char))
        .collect())
}

/// One session's ICE.
#[derive(Debug)]
pub(super) struct IceLite {
    local: Credentials,
    remote_ufrag: String,
    /// Valid until the restarted session nominates a pair.
    before_restart: Option<(Credentials, String)>,
    valid: Vec<Pair>,
    nominated: Option<Pair>,
}

/// What a datagram of the STUN class comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Answered; the other side is alive.
    Answer(Vec<u8>),
    /// Not for us.
    Ignore,
}

impl IceLite {
    pub(super) const fn new(local: Credentials, remote_ufrag: String) -> Self {
        Self {
            local,
            remote_ufrag,
            before_restart: None,
            valid: Vec::new(),
            nominated: None,
        }
    }

    pub(super) fn remote_ufrag(&self) -> &str {
        &self.remote_ufrag
    }

    /// Begins again with new credentials (RFC 8445, section 9); the pair in use stays until another is nominated.
    pub(super) fn restart(&mut self, local: Credentials, remote_ufrag: String) {
        let earlier = std::mem::replace(&mut self.local, local);
        self.before_restart = Some((earlier, std::mem::replace(&mut self.remote_ufrag, remote_ufrag)));
    }

    /// Where to send.
    pub(super) const fn nominated(&self) -> Option<Pair> {
        self.nominated
    }

    /// Whether a check came over this pair.
    pub(super) fn is_valid(&self, pair: Pair) -> bool {
        self.nominated == Some(pair) || self.valid.contains(&pair)
    }

    /// Answers one datagram whose first byte says STUN.
    pub(super) fn handle(&mut self, pair: Pair, datagram: &[u8], crypto: &dyn RTCCrypto) -> Check {
        let mut request = Message::new();
        if request.unmarshal_binary(datagram).is_err() || request.typ != BINDING_REQUEST {
            return Check::Ignore;
        }
        let Some((password, current)) = self.authenticate(&mut request, crypto) else {
            return Check::Ignore;
        };
        let answer = if request.contains(ATTR_ICE_CONTROLLED) {
            role_conflict(&request, &password, crypto)
        } else {
            self.accept(pair, request.contains(ATTR_USE_CANDIDATE), current);
            success(&request, pair.remote, &password, crypto)
        };
        answer.map_or(Check::Ignore, Check::Answer)
    }

    /// The password that the request was signed with, and whether it is the current one.
    fn authenticate(&self, request: &mut Message, crypto: &dyn RTCCrypto) -> Option<(String, bool)> {
        let username = String::from_utf8(request.get(ATTR_USERNAME).ok()?).ok()?;
        let fits = |(local, remote): &(&Credentials, &String)| username == format!("{}:{remote}", local.ufrag);
        let current = Some((&self.local, &self.remote_ufrag)).filter(fits);
        let earlier = self
            .before_restart
            .as_ref()
            .map(|(local, remote)| (local, remote))
            .filter(fits);
        let (credentials, _) = current.or(earlier)?;
        if !request.contains(ATTR_MESSAGE_INTEGRITY) {
            return None;
        }
        MessageIntegrity::check(request, credentials.password.as_bytes(), crypto).ok()?;
        Some((credentials.password.clone(), current.is_some()))
    }

    fn accept(&mut self, pair: Pair, nominate: bool, current: bool) {
        if !self.valid.contains(&pair) {
            if self.valid.len() >= PAIRS_MOST {
                self.valid.remove(0);
            }
            self.valid.push(pair);
        }
        if nominate || self.nominated.is_none() {
            self.nominated = Some(pair);
        }
        if nominate && current {
            self.before_restart = None;
        }
    }
}

fn success(request: &Message, to: SocketAddr, password: &str, crypto: &dyn RTCCrypto) -> Option<Vec<u8>> {
    let mapped = XorMappedAddress {
        ip: to.ip(),
        port: to.port(),
    };
    answer(request, BINDING_SUCCESS, &mapped, password, crypto)
}

/// We are lite, so the other side must control (RFC 8445, section 7.3.1.1).
fn role_conflict(request: &Message, password: &str, crypto: &dyn RTCCrypto) -> Option<Vec<u8>> {
    let conflict = ErrorCodeAttribute {
        code: CODE_ROLE_CONFLICT,
        reason: b"Role Conflict".to_vec(),
    };
    answer(request, BINDING_ERROR, &conflict, password, crypto)
}

fn answer(
    request: &Message,
    class: MessageType,
    body: &dyn Setter,
    password: &str,
    crypto: &dyn RTCCrypto,
) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.typ = class;
    message.transaction_id = request.transaction_id;
    message.write_header();
    body.add_to(&mut message).ok()?;
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto);
    integrity.add_to(&mut message).ok()?;
    FINGERPRINT.add_to(&mut message).ok()?;
    Some(message.raw)
}

#[cfg(test)]
mod tests;
