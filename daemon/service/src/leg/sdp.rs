//! Reading an SDP offer (RFC 8866, RFC 8829) as far as a leg needs it. Unknown lines are skipped; whatever is wrong is
//! a [`BadOffer`], never a guess.

use super::dtls::Fingerprint;

/// Media sections of one offer.
const SECTIONS_MOST: usize = 16;
/// Payload types, extensions, SSRCs or feedback lines of one section.
const LINES_MOST: usize = 256;

/// Why an offer cannot be answered; the text is for its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadOffer(pub(super) &'static str);

/// What a section carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Video,
    /// Data channels and the like: refused.
    Other,
}

/// `a=sendrecv` and its like, seen from the offerer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) send: bool,
    pub(super) receive: bool,
}

/// One rtpmap with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) payload_type: u8,
    /// `opus/48000/2`, as written.
    pub(super) rtpmap: String,
    /// The text after `a=fmtp:PT `, or empty.
    pub(super) fmtp: String,
    /// The texts after `a=rtcp-fb:PT `.
    pub(super) feedback: Vec<String>,
}

impl Format {
    /// The value of one fmtp parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.fmtp
            .split(';')
            .filter_map(|part| part.trim().split_once('='))
            .find_map(|(key, value)| key.trim().eq_ignore_ascii_case(name).then(|| value.trim()))
    }
}

/// One `m=` section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) kind: Kind,
    /// `audio`, `video`, `application`, …
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) mid: Option<String>,
    /// As it stood in the `m=` line.
    pub(super) format_list: Vec<String>,
    pub(super) formats: Vec<Format>,
    /// Id and URI.
    pub(super) extensions: Vec<(u8, String)>,
    /// Without those that retransmit.
    pub(super) ssrc: Option<u32>,
    pub(super) rtx_ssrc: Option<u32>,
    pub(super) flow: Flow,
    /// `m=` port 0 without bundle-only: the offerer itself turned the section off.
    pub(super) off: bool,
    pub(super) mux: bool,
    pub(super) reduced_size: bool,
}

/// Everything a leg needs of an offer.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) ufrag: String,
    pub(super) fingerprints: Vec<Fingerprint>,
    /// `a=setup:passive`: we must speak DTLS first.
    pub(super) passive: bool,
    pub(super) bundle: Vec<String>,
    pub(super) sections: Vec<Section>,
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    /// Where something is missing without which no leg can be.
    pub(super) fn parse(text: &str) -> Result<Self, BadOffer> {
        let mut reader = Reader::default();
        for line in text.lines() {
            if let Some((kind, value)) = line.trim_end().split_once('=') {
                reader.line(kind, value)?;
            }
        }
        reader.finish()
    }
}

/// The fragment of a trickle PATCH (RFC 8840): the user-name fragment, where it says one.
pub(super) fn fragment_ufrag(fragment: &str) -> Option<&str> {
    fragment
        .lines()
        .find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:"))
}

#[derive(Default)]
struct Reader {
    ufrag: Option<String>,
    fingerprints: Vec<Fingerprint>,
    setup: Option<String>,
    bundle: Vec<String>,
    session_flow: Option<Flow>,
    sections: Vec<Section>,
}

impl Reader {
    fn line(&mut self, kind: &str, value: &str) -> Result<(), BadOffer> {
        match kind {
            "m" => self.media(value),
            "a" => {
                let (name, value) = value.split_once(':').unwrap_or((value, ""));
                self.transport(name, value);
                match self.sections.last_mut() {
                    Some(section) => section.attribute(name, value)?,
                    None => self.session_flow = flow(name).or(self.session_flow),
                }
                self.revive_bundle_only(name);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn media(&mut self, value: &str) -> Result<(), BadOffer> {
        if self.sections.len() >= SECTIONS_MOST {
            return Err(BadOffer("too many media sections"));
        }
        let mut words = value.split_ascii_whitespace();
        let (Some(media), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
            return Err(BadOffer("a media line is incomplete"));
        };
        let kind = match media {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => Kind::Other,
        };
        self.sections.push(Section {
            kind,
            media: media.to_owned(),
            protocol: protocol.to_owned(),
            mid: None,
            format_list: words.take(LINES_MOST).map(str::to_owned).collect(),
            formats: Vec::new(),
            extensions: Vec::new(),
            ssrc: None,
            rtx_ssrc: None,
            flow: self.session_flow.unwrap_or(Flow {
                send: true,
                receive: true,
            }),
            off: port == "0",
            mux: false,
            reduced_size: false,
        });
        Ok(())
    }

    /// All sections are bundled, so the transport is said once, or says the same each time.
    fn transport(&mut self, name: &str, value: &str) {
        match name {
            "ice-ufrag" => self.ufrag = self.ufrag.take().or_else(|| Some(value.to_owned())),
            "setup" => self.setup = self.setup.take().or_else(|| Some(value.to_owned())),
            "group" => {
                if let Some(mids) = value.strip_prefix("BUNDLE") {
                    self.bundle = mids
                        .split_ascii_whitespace()
                        .take(SECTIONS_MOST)
                        .map(str::to_owned)
                        .collect();
                }
            }
            "fingerprint" => {
                if let Some((algorithm, value)) = value.split_once(' ')
                    && self.fingerprints.len() < LINES_MOST
                {
                    let (algorithm, value) = (algorithm.to_ascii_lowercase(), value.trim().to_ascii_uppercase());
                    self.fingerprints.push(Fingerprint { algorithm, value });
                }
            }
            _ => {}
        }
    }

    /// RFC 9143, section 6: port 0 with `a=bundle-only` is a section like any other.
    fn revive_bundle_only(&mut self, name: &str) {
        if name == "bundle-only"
            && let Some(section) = self.sections.last_mut()
        {
            section.off = false;
        }
    }

    fn finish(self) -> Result<Offer, BadOffer> {
        let ufrag = self
            .ufrag
            .filter(|ufrag| ufrag.len() <= 256)
            .ok_or(BadOffer("no a=ice-ufrag"))?;
        if self.fingerprints.is_empty() {
            return Err(BadOffer("no a=fingerprint"));
        }
        let passive = match self.setup.as_deref() {
            Some("passive") => true,
            Some("actpass" | "active") | None => false,
            Some(_) => return Err(BadOffer("a=setup is none of actpass, active, passive")),
        };
        if self.sections.is_empty() {
            return Err(BadOffer("no media section"));
        }
        Ok(Offer {
            ufrag,
            fingerprints: self.fingerprints,
            passive,
            bundle: self.bundle,
            sections: self.sections,
        })
    }
}

impl Section {
    fn attribute(&mut self, name: &str, value: &str) -> Result<(), BadOffer> {
        match name {
            "mid" => self.mid = Some(value.to_owned()).filter(|mid| mid.len() <= 64),
            "rtcp-mux" => self.mux = true,
            "rtcp-rsize" => self.reduced_size = true,
            "rtpmap" => {
                if let Some((format, rtpmap)) = self.format(value)? {
                    format.rtpmap = rtpmap.trim().to_owned();
                }
            }
            "fmtp" => {
                if let Some((format, fmtp)) = self.format(value)? {
                    format.fmtp = fmtp.trim().to_owned();
                }
            }
            "rtcp-fb" => self.feedback(value)?,
            "extmap" => self.extension(value),
            "ssrc" => self.source(value),
            "ssrc-group" => self.source_group(value),
            _ => self.flow = flow(name).unwrap_or(self.flow),
        }
        Ok(())
    }

    /// The format that `PT text` speaks of; `None` where PT is no payload type.
    fn format<'a>(&mut self, value: &'a str) -> Result<Option<(&mut Format, &'a str)>, BadOffer> {
        let (number, text) = value.split_once(' ').unwrap_or((value, ""));
        let Ok(payload_type) = number.parse::<u8>() else {
            return Ok(None);
        };
        let found = self
            .formats
            .iter()
            .position(|format| format.payload_type == payload_type);
        if found.is_none() {
            if self.formats.len() >= LINES_MOST {
                return Err(BadOffer("too many payload types"));
            }
            self.formats.push(Format {
                payload_type,
                ..Format::default()
            });
        }
        let at = found.unwrap_or(self.formats.len() - 1);
        Ok(self.formats.get_mut(at).map(|format| (format, text)))
    }

    fn feedback(&mut self, value: &str) -> Result<(), BadOffer> {
        if let Some(text) = value.strip_prefix("* ") {
            self.formats
                .iter_mut()
                .for_each(|format| format.feedback.push(text.trim().to_owned()));
            return Ok(());
        }
        if let Some((format, text)) = self.format(value)?
            && format.feedback.len() < LINES_MOST
        {
            format.feedback.push(text.trim().to_owned());
        }
        Ok(())
    }

    fn extension(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace();
        let id = words.next().and_then(|id| id.split('/').next()?.parse().ok());
        if let (Some(id), Some(uri)) = (id, words.next())
            && self.extensions.len() < LINES_MOST
        {
            self.extensions.push((id, uri.to_owned()));
        }
    }

    fn source(&mut self, value: &str) {
        let ssrc = value.split_ascii_whitespace().next().and_then(|ssrc| ssrc.parse().ok());
        if self.rtx_ssrc.is_none() || ssrc != self.rtx_ssrc {
            self.ssrc = self.ssrc.or(ssrc);
        }
    }

    /// `FID media rtx` (RFC 5576, section 4.2); only the first group, since only one stream is taken.
    fn source_group(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace();
        if words.next() != Some("FID") || self.rtx_ssrc.is_some() {
            return;
        }
        let mut numbers = words.map(str::parse::<u32>);
        if let (Some(Ok(media)), Some(Ok(rtx))) = (numbers.next(), numbers.next()) {
            (self.ssrc, self.rtx_ssrc) = (Some(media), Some(rtx));
        }
    }
}

fn flow(name: &str) -> Option<Flow> {
    match name {
        "sendrecv" => Some(Flow {
            send: true,
            receive: true,
        }),
        "sendonly" => Some(Flow {
            send: true,
            receive: false,
        }),
        "recvonly" => Some(Flow {
            send: false,
            receive: true,
        }),
        "inactive" => Some(Flow {
            send: false,
            receive: false,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
