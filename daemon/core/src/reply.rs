//! Reply links: what an invitee sends back by hand where neither of the two finds the other by itself.
//!
//! `twocan-reply:` and base64url without padding of a CBOR map. It says where the invitee is, to the one who made the invite and
//! to nobody else (see [`crate::reach::record::seal_word`]); it carries no name, no key and no secret. As with a link, the last
//! field is a checksum.

use minicbor::{Decode, Encode};

use crate::crypto;
use crate::invite::{BASE64, LinkError, payload};

/// The scheme, with its colon.
pub const SCHEME: &str = "twocan-reply:";
/// The version that this code writes, and the highest that it reads.
pub const VERSION: u8 = 1;
/// Bytes of the sealed word: the largest record fits.
pub const WORD: usize = 320;

/// What a reply link says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReplyLink {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// Names the invite to whoever made it: see [`crate::invite::hint`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub hint: [u8; 8],
    /// The sealed word.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub word: Vec<u8>,
    /// The first bytes of SHA-256 over the map without this field.
    #[cbor(n(3), with = "minicbor::bytes")]
    check: Option<[u8; 4]>,
}

#[derive(Decode)]
#[cbor(map)]
struct VersionOnly {
    #[n(0)]
    version: u8,
}

impl ReplyLink {
    /// A reply of the current version.
    #[must_use]
    pub const fn new(hint: [u8; 8], word: Vec<u8>) -> Self {
        Self {
            version: VERSION,
            hint,
            word,
            check: None,
        }
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let whole = Self {
            check: Some(self.checksum()),
            ..self.clone()
        };
        crate::invite::to_text(SCHEME, &whole)
    }

    /// Whether a text holds a reply link, whole or not.
    #[must_use]
    pub fn is_in(text: &str) -> bool {
        text.to_ascii_lowercase().contains(SCHEME)
    }

    /// Finds the reply link in a pasted text, as forgiving as [`crate::invite::Link::find`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn find(text: &str) -> Result<Self, LinkError> {
        use base64::Engine as _;
        let bytes = BASE64.decode(payload(text, SCHEME)?).map_err(|_| LinkError::Damaged)?;
        let version: VersionOnly = crate::cbor::decode(&bytes).ok_or(LinkError::Damaged)?;
        if version.version > VERSION {
            return Err(LinkError::Newer);
        }
        let reply: Self = crate::cbor::decode(&bytes).ok_or(LinkError::Damaged)?;
        if reply.check != Some(reply.checksum()) {
            return Err(LinkError::Damaged);
        }
        Ok(Self { check: None, ..reply })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_survives_what_mail_does_to_it() {
        let reply = ReplyLink::new([7; 8], vec![9; WORD]);
        let text = reply.to_text();
        assert!(text.len() < 500, "{}", text.len());
        let (front, back) = text.split_at(60);
        for pasted in [
            text.clone(),
            format!("Here you are: {text}."),
            format!("> {front}\r\n> {back}\n> greetings"),
            text.replacen("twocan-reply:", "TWOCAN-REPLY:", 1),
        ] {
            assert!(ReplyLink::is_in(&pasted));
            assert_eq!(ReplyLink::find(&pasted), Ok(reply.clone()), "{pasted}");
        }
        assert!(crate::invite::Link::find(&text).is_err());
        assert!(!ReplyLink::is_in("twocan:abc"));
        let newer = ReplyLink {
            version: VERSION + 1,
            ..reply
        };
        assert_eq!(ReplyLink::find(&newer.to_text()), Err(LinkError::Newer));
        assert_eq!(ReplyLink::find("twocan-reply:AAAA"), Err(LinkError::Damaged));
    }
}
