//! Invites: a one-use secret with addresses and an expiry date, carried in a `twocan:` link.
//!
//! The link is `twocan:` and base64url without padding of a CBOR map. Its last field is a checksum, so that a link
//! which a mail program bent is told from one that was never valid. CBOR ends by itself, so whatever a mail program
//! glued to the end does no harm.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use minicbor::{Decode, Encode};

use crate::bounds;
use crate::crypto::{self, Secret};
use crate::ids::{DeviceKey, RootKey};
use crate::names;
use crate::reach::nat_report::NatKind;
use crate::time::UnixSeconds;

/// The scheme, with its colon.
pub const SCHEME: &str = "twocan:";
/// The version of links that this code writes, and the highest that it reads.
pub const VERSION: u8 = 1;

pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Link {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The inviter.
    #[n(1)]
    pub root: RootKey,
    /// The inviter's device.
    #[n(2)]
    pub device: DeviceKey,
    /// One-time X25519 key, to which the invitee's knocks are sealed.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub one_time: [u8; 32],
    /// Where the inviter's device may be reached.
    #[cbor(n(4), with = "crate::cbor::addresses")]
    pub candidates: Vec<SocketAddr>,
    /// The one-use secret.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// When it stops working.
    #[n(6)]
    pub expiry: UnixSeconds,
    /// The inviter's name for himself.
    #[n(7)]
    pub name: String,
    /// The first bytes of SHA-256 over the map without this field.
    #[cbor(n(8), with = "minicbor::bytes")]
    check: Option<[u8; 4]>,
    /// What NAT the inviter's device was behind; `None` where it did not know.
    #[n(9)]
    pub nat: Option<NatKind>,
    /// `true` where that lets in nobody to whom nothing was sent; `None` where nobody has shown it.
    #[n(10)]
    pub shut: Option<bool>,
}

/// Where an inviter's device may be reached, and what stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its addresses, best first.
    pub candidates: Vec<SocketAddr>,
    /// The kind of its NAT.
    pub nat: NatKind,
    /// Whether packets that nobody asked for are kept out.
    pub shut: bool,
}

#[derive(Decode)]
#[cbor(map)]
struct VersionOnly {
    #[n(0)]
    version: u8,
}

/// Why a pasted text is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No intact link in it.
    #[error("the link is damaged")]
    Damaged,
    /// Made by a newer Twocan.
    #[error("the link is of a newer version")]
    Newer,
}

impl Link {
    /// A link of the current version.
    #[must_use]
    pub fn new(
        root: RootKey,
        device: DeviceKey,
        keys: &InviteKeys,
        at: Whereabouts,
        expiry: UnixSeconds,
        name: &str,
    ) -> Self {
        Self {
            version: VERSION,
            root,
            device,
            one_time: crypto::agree_public(&keys.one_time),
            candidates: at.candidates,
            secret: keys.secret,
            expiry,
            name: name.to_owned(),
            check: None,
            nat: at.nat.known(),
            shut: at.shut.then_some(true),
        }
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let sealed = Self {
            check: Some(self.checksum()),
            ..self.clone()
        };
        to_text(SCHEME, &sealed)
    }

    /// Finds the link in a pasted text: line wraps, quote marks, words around it and trailing punctuation are forgiven.
    ///
    /// # Errors
    /// [`LinkError::Newer`] for a link of a higher version, [`LinkError::Damaged`] for everything else.
    pub fn find(text: &str) -> Result<Self, LinkError> {
        let bytes = BASE64.decode(payload(text, SCHEME)?).map_err(|_| LinkError::Damaged)?;
        let version: VersionOnly = crate::cbor::decode(&bytes).ok_or(LinkError::Damaged)?;
        if version.version > VERSION {
            return Err(LinkError::Newer);
        }
        let link: Self = crate::cbor::decode(&bytes).ok_or(LinkError::Damaged)?;
        if link.check != Some(link.checksum()) {
            return Err(LinkError::Damaged);
        }
        Ok(Self {
            name: names::presentable(&link.name, "somebody"),
            check: None,
            ..link
        })
    }

    /// The key of the tags of knocks about this invite.
    #[must_use]
    pub fn tag_key(&self) -> Secret {
        tag_key(&self.secret)
    }

    fn checksum(&self) -> [u8; 4] {
        let bare = Self {
            check: None,
            ..self.clone()
        };
        let [a, b, c, d, ..] = crypto::hash(&crate::cbor::encode(&bare));
        [a, b, c, d]
    }
}

/// The inviter's side of an invite.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InviteKeys {
    /// The one-use secret of the link.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// The secret half of the link's one-time key.
    #[n(1)]
    pub one_time: Secret,
}

/// The key of the tags of knocks about an invite, known to whoever holds its secret.
#[must_use]
pub fn tag_key(secret: &[u8; 16]) -> Secret {
    crypto::derive(secret, "invite tag", &[])
}

/// The key that seals knocks about an invite, known to the inviter and to the one invitee who made `shared`.
#[must_use]
pub fn pair_key(secret: &[u8; 16], shared: &Secret) -> Secret {
    crypto::derive(&shared.0, "invite pair", &[secret])
}

/// Which side of an invite proves that it holds the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who made it.
    Inviter,
    /// Who redeems it.
    Invitee,
}

/// The proof on the link: HMAC(secret, exporter ‖ side ‖ inviter's device ‖ invitee's device).
#[must_use]
pub fn proof(secret: &[u8; 16], exporter: &[u8; 32], side: Side, inviter: &DeviceKey, invitee: &DeviceKey) -> [u8; 32] {
    let side: &[u8] = match side {
        Side::Inviter => b"inviter",
        Side::Invitee => b"invitee",
    };
    crypto::mac(secret, &[b"twocan redeem", exporter, side, &inviter.0, &invitee.0])
}

/// Names an invite to somebody who holds its secret, and says nothing to anybody else.
#[must_use]
pub fn hint(secret: &[u8; 16]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = crypto::mac(secret, &[b"twocan invite hint"]);
    [a, b, c, d, e, f, g, h]
}

/// A scheme and what is behind it.
pub(crate) fn to_text<T: Encode<()>>(scheme: &str, value: &T) -> String {
    format!("{scheme}{}", BASE64.encode(crate::cbor::encode(value)))
}

/// The first link in a text, without what stood around it. It is not looked into.
pub(crate) fn bare(text: &str, scheme: &str) -> Result<String, LinkError> {
    Ok(format!("{scheme}{}", payload(text, scheme)?))
}

/// The base64url letters of the first link in a text, joined over wraps and quote marks.
pub(crate) fn payload(text: &str, scheme: &str) -> Result<String, LinkError> {
    let text: String = text.chars().take(bounds::PASTE_BYTES).collect();
    // ASCII lower case keeps byte positions.
    let start = text.to_ascii_lowercase().find(scheme).map_or(0, |at| at + scheme.len());
    let after = text.get(start..).ok_or(LinkError::Damaged)?;
    let mut letters: String = after
        .trim_start_matches('/')
        .chars()
        .filter(|letter| !forgiven(*letter))
        .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-' || *letter == '_')
        .collect();
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    if letters.is_empty() {
        Err(LinkError::Damaged)
    } else {
        Ok(letters)
    }
}

/// What mail and chat programs put into long words.
const fn forgiven(letter: char) -> bool {
    letter.is_ascii_whitespace()
        || matches!(
            letter,
            '>' | '|' | '"' | '\'' | '\u{200b}' | '\u{00ad}' | '\u{00a0}' | '\u{2060}' | '\u{feff}' | '='
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        let keys = InviteKeys {
            secret: [7; 16],
            one_time: Secret([8; 32]),
        };
        let to = vec![
            "11.1.2.3:2226".parse().expect("address"),
            "[2001:db9::7]:2226".parse().expect("address"),
        ];
        let at = Whereabouts {
            candidates: to,
            nat: NatKind::Hard,
            shut: true,
        };
        Link::new(RootKey([1; 32]), DeviceKey([2; 32]), &keys, at, 1_800_000_000, "Ann")
    }

    #[test]
    fn a_link_survives_what_mail_does_to_it() {
        let text = link().to_text();
        let (front, back) = text.split_at(60);
        let upper = text.replacen("twocan:", "TWOCAN:", 1);
        for pasted in [
            text.clone(),
            format!("Call me: {text}\nnot clickable? copy it into Twocan; how to get it: ask me"),
            format!("<{text}>."),
            format!("\u{201c}{text}\u{201d}!"),
            format!("> {front}\n> {back}\n> greetings"),
            format!("{front}=\r\n{back}"),
            format!("  {front} {back}  "),
            upper,
            text.replacen("twocan:", "twocan://", 1),
            text.replacen("twocan:", "", 1),
        ] {
            assert_eq!(Link::find(&pasted), Ok(link()), "{pasted}");
        }
    }

    #[test]
    fn every_changed_letter_is_noticed() {
        let text = link().to_text();
        for place in SCHEME.len()..text.len() - 1 {
            let mut bent = text.clone().into_bytes();
            if let Some(byte) = bent.get_mut(place) {
                *byte = if *byte == b'A' { b'B' } else { b'A' };
            }
            let bent = String::from_utf8(bent).expect("ASCII");
            assert!(Link::find(&bent).is_err(), "letter {place}");
        }
        for length in 0..text.len() - 2 {
            assert!(
                Link::find(text.get(..length).expect("ASCII")).is_err(),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn a_newer_link_is_called_newer() {
        let newer = Link {
            version: VERSION + 1,
            ..link()
        };
        assert_eq!(Link::find(&newer.to_text()), Err(LinkError::Newer));
    }
}
