//! SRTP and SRTCP of one leg, on bytes alone.
//!
//! Each SRTCP packet must be encrypted (RFC 8827, section 6.5), and so authenticated: the crate's counter-mode cipher
//! takes one that says it is not encrypted without looking at its tag, therefore that is checked first.
//!
//! The crate's own way in and out parses each packet into structures and writes it again; that loses the length of RTP
//! padding, drops compounds with application feedback it does not know and writes junk into SDES padding. Here its
//! ciphers see nothing of a packet but SSRC, sequence number and the length of its header, so what goes in comes out.

use rtc::crypto::RTCCrypto;
use rtc::rtp::Header;
use rtc::shared::error::{Error, Result};
use rtc::srtp::config::Config;
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};

/// Packets that may overtake each other; on one machine few do.
const REPLAY_WINDOW: usize = 1024;

/// Both directions of one leg.
pub(super) struct Srtp {
    seal: Context,
    open: Context,
    /// Bytes from the E flag of an SRTCP packet to its end.
    rtcp_trailer: usize,
}

impl Srtp {
    pub(super) fn new(config: &Config, crypto: &dyn RTCCrypto) -> Result<Self> {
        let keys = &config.keys;
        let seal = Context::new(
            &keys.local_master_key,
            &keys.local_master_salt,
            config.profile,
            None,
            None,
            crypto,
        )?;
        let open = Context::new(
            &keys.remote_master_key,
            &keys.remote_master_salt,
            config.profile,
            Some(srtp_replay_protection(REPLAY_WINDOW)),
            Some(srtcp_replay_protection(REPLAY_WINDOW)),
            crypto,
        )?;
        let profile = config.profile;
        // RFC 3711, section 3.4: the tag stands behind the index; RFC 7714, section 9.2: the index stands last.
        let rtcp_trailer = 4 + profile.rtcp_auth_tag_len();
        Ok(Self {
            seal,
            open,
            rtcp_trailer,
        })
    }

    /// The RTP packet inside.
    pub(super) fn open_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>> {
        let header = header(packet)?;
        self.open.decrypt_rtp_with_header(packet, &header).map(Vec::from)
    }

    /// The RTCP compound inside.
    pub(super) fn open_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>> {
        let flags = packet
            .len()
            .checked_sub(self.rtcp_trailer)
            .and_then(|at| packet.get(at));
        if flags.is_none_or(|flags| flags & 0x80 == 0) {
            return Err(Error::RtcpFailedToVerifyAuthTag);
        }
        self.open.decrypt_rtcp(packet).map(Vec::from)
    }

    /// Protects an RTP packet.
    pub(super) fn seal_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>> {
        let header = header(packet)?;
        self.seal.encrypt_rtp_with_header(packet, &header).map(Vec::from)
    }

    /// Protects an RTCP compound.
    pub(super) fn seal_rtcp(&mut self, compound: &[u8]) -> Result<Vec<u8>> {
        self.seal.encrypt_rtcp(compound).map(Vec::from)
    }
}

/// A header of the same length, SSRC and sequence number (RFC 3550, section 5.1): all that the ciphers use. The length
/// is made of CSRCs, whatever it is made of in the packet.
fn header(packet: &[u8]) -> Result<Header> {
    let [first, _, s0, s1, _, _, _, _, a, b, c, d, ..] = *packet else {
        return Err(Error::ErrTooShortRtp);
    };
    if first >> 6 != 2 {
        return Err(Error::ErrTooShortRtp);
    }
    let mut words = usize::from(first & 0x0F);
    if first & 0x10 != 0 {
        let at = 12 + 4 * words;
        let Some([_, _, e0, e1]) = packet.get(at..at + 4) else {
            return Err(Error::ErrTooShortRtp);
        };
        words += 1 + usize::from(u16::from_be_bytes([*e0, *e1]));
    }
    if 12 + 4 * words > packet.len() {
        return Err(Error::ErrTooShortRtp);
    }
    Ok(Header {
        sequence_number: u16::from_be_bytes([s0, s1]),
        ssrc: u32::from_be_bytes([a, b, c, d]),
        csrc: vec![0; words],
        ..Header::default()
    })
}

#[cfg(test)]
mod tests;
