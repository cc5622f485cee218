//! What a leg accepts of an offer, and the answer that says so.
//!
//! The answer declares the far side's canonical SSRCs, so the page has its remote tracks before any packet comes. It
//! accepts each codec and header extension of the wire profile under the offer's own numbers; the leg's map translates.
//! Feedback is what two browsers need of each other; the daemon itself answers none of it.
//!
//! Who offers sends the first format of the answer. So those that the far side can show stand first, where it has said
//! what it can, and a leg that only sends gets no others.

use std::fmt::Write as _;
use std::net::SocketAddr;

use twocan_core::media::breaker::Pace;
use twocan_core::media::codecs::{self, Codec, Extension};
use twocan_core::media::flow::{FlowKind, Role};
use twocan_core::media::formats::{self, Formats};
use twocan_core::media::leg_map::{Mids, Negotiated, SendSsrcs};

use super::gate::Direction;
use super::ice::Credentials;
use super::sdp::{BadOffer, Flow, Format, Kind, Offer, Section};

/// Feedback that is passed through for video.
const VIDEO_FEEDBACK: [&str; 4] = ["transport-cc", "ccm fir", "nack", "nack pli"];
/// Feedback that is passed through for audio.
const AUDIO_FEEDBACK: [&str; 1] = ["transport-cc"];
/// A constant bitrate and no silence suppression: sizes and pauses of packets would tell what is said.
const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=1;cbr=1;usedtx=0";
/// What a Chromium encoder starts with, in kbit/s. Its own start is 0.3 Mbit/s, at which a 720p camera is scaled down for the
/// first half minute.
const VIDEO_START_KBIT: u32 = 1000;
/// What it may rise to, in kbit/s; its own ceiling for 720p is 1.7 Mbit/s. Its congestion control decides in between.
const VIDEO_MOST_KBIT: u32 = 6000;
/// Name of the one stream that audio and video belong to.
const STREAM: &str = "twocan";

/// The one audio and the one video section that a leg takes.
#[derive(Debug)]
pub(super) struct Accepted {
    audio: Option<Taken>,
    video: Option<Taken>,
}

#[derive(Debug)]
struct Taken {
    /// Index of the section.
    at: usize,
    codecs: Vec<(Codec, u8)>,
    extensions: Vec<(Extension, u8)>,
    flow: Flow,
}

/// The transport that the answer describes.
#[derive(Debug)]
pub(super) struct Transport<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) fingerprint: &'a str,
    pub(super) candidates: &'a [SocketAddr],
}

/// What else the answer says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Our side of the call.
    pub(super) role: Role,
    /// The most that the user lets video take, in kbit/s.
    pub(super) most_video_kbit: Option<u32>,
}

impl Accepted {
    /// Chooses the first usable section of each kind. `far` is what the far side can show.
    ///
    /// # Errors
    /// Where there is none, or where the two would need a transport each.
    pub(super) fn choose(offer: &Offer, far: Option<Formats>) -> Result<Self, BadOffer> {
        let audio = take(offer, Kind::Audio, &[Codec::Opus]);
        let video = take(offer, Kind::Video, &formats::VIDEO).map(|taken| taken.suited_to(far));
        if audio.is_none() && video.is_none() {
            return Err(BadOffer(
                "no section with Opus, VP8, VP9, H.264 or AV1 over UDP/TLS/RTP/SAVPF with rtcp-mux",
            ));
        }
        let both = audio.is_some() && video.is_some();
        let accepted = Self { audio, video };
        let bundled = |taken: &Taken| {
            offer
                .mid(taken.at)
                .is_some_and(|mid| offer.bundle.iter().any(|one| one == mid))
        };
        if both && !accepted.taken().all(bundled) {
            return Err(BadOffer("audio and video must be in one BUNDLE group"));
        }
        Ok(accepted)
    }

    /// Which way the leg's media goes. A leg that is inactive for now may do either later.
    pub(super) fn direction(&self) -> Direction {
        let sends = self.taken().any(|taken| taken.flow.send);
        let receives = self.taken().any(|taken| taken.flow.receive);
        match (sends, receives) {
            (true, false) => Direction::Send,
            (false, true) => Direction::Receive,
            (true, true) | (false, false) => Direction::Both,
        }
    }

    /// In which formats the leg can show a picture; `None` where it does not receive.
    pub(super) fn takes(&self) -> Option<Formats> {
        let receives = |taken: &&Taken| taken.flow.receive || !taken.flow.send;
        let shown = self.video.iter().filter(receives).flat_map(|taken| &taken.codecs);
        let shown = Formats::of(shown.map(|(codec, _)| *codec));
        self.direction().receives().then_some(shown)
    }

    /// Whether the leg numbers its pictures for transport-wide feedback and asks for that, as a sender does who controls
    /// its rate.
    pub(super) fn pace(&self, offer: &Offer) -> Pace {
        let controlled = self.video.as_ref().is_some_and(|taken| {
            let formats = offer.sections.get(taken.at).map(|section| section.formats.as_slice());
            let asks = |format: &Format| format.feedback.iter().any(|feedback| feedback == "transport-cc");
            let numbers = taken.extensions.iter().any(|(one, _)| *one == Extension::TransportCc);
            numbers && formats.unwrap_or_default().iter().any(asks)
        });
        if controlled { Pace::Controlled } else { Pace::Blind }
    }

    /// What the leg's map needs.
    pub(super) fn negotiated(&self, offer: &Offer) -> Negotiated {
        let section = |taken: &Option<Taken>| taken.as_ref().and_then(|taken| offer.sections.get(taken.at).cloned());
        let (audio, video) = (section(&self.audio), section(&self.video));
        let mut extensions: Vec<_> = self
            .taken()
            .flat_map(|taken| taken.extensions.iter().copied())
            .collect();
        extensions.sort_unstable();
        extensions.dedup();
        Negotiated {
            payload_types: self.taken().flat_map(|taken| taken.codecs.iter().copied()).collect(),
            extensions,
            ssrcs: SendSsrcs {
                audio: audio.as_ref().and_then(|section| section.ssrc),
                video: video.as_ref().and_then(|section| section.ssrc),
                video_rtx: video.as_ref().and_then(|section| section.rtx_ssrc),
            },
            mids: Mids {
                audio: audio.and_then(|section| section.mid),
                video: video.and_then(|section| section.mid),
            },
        }
    }

    fn taken(&self) -> impl Iterator<Item = &Taken> {
        self.audio.iter().chain(&self.video)
    }

    /// The answer's text.
    pub(super) fn answer(&self, offer: &Offer, terms: Terms, transport: &Transport<'_>) -> String {
        let mut out = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n");
        let mids: Vec<_> = self.in_order().filter_map(|taken| offer.mid(taken.at)).collect();
        if !mids.is_empty() {
            line(&mut out, format_args!("a=group:BUNDLE {}", mids.join(" ")));
        }
        line(&mut out, format_args!("a=msid-semantic: WMS {STREAM}"));
        for (at, section) in offer.sections.iter().enumerate() {
            match self.taken().find(|taken| taken.at == at) {
                Some(taken) => taken.section(&mut out, section, terms, offer.passive, transport),
                None => refuse(&mut out, section),
            }
        }
        out
    }

    fn in_order(&self) -> impl Iterator<Item = &Taken> {
        let mut taken: Vec<_> = self.taken().collect();
        taken.sort_by_key(|taken| taken.at);
        taken.into_iter()
    }
}

/// Candidates and credentials of a restarted transport, as the body of the answer to a PATCH (RFC 9725, section 4.3).
pub(super) fn restart_fragment(transport: &Transport<'_>) -> String {
    let mut out = String::new();
    line(&mut out, format_args!("a=ice-lite"));
    write_transport(&mut out, transport);
    out
}

impl Offer {
    fn mid(&self, at: usize) -> Option<&str> {
        self.sections.get(at)?.mid.as_deref()
    }
}

fn take(offer: &Offer, kind: Kind, wanted: &[Codec]) -> Option<Taken> {
    offer.sections.iter().enumerate().find_map(|(at, section)| {
        let usable = section.kind == kind && !section.off && section.mux && section.protocol.ends_with("RTP/SAVPF");
        let codecs = if usable {
            accept_codecs(section, wanted)
        } else {
            Vec::new()
        };
        let taken = Taken {
            at,
            codecs,
            extensions: accept_extensions(section),
            flow: section.flow,
        };
        (!taken.codecs.is_empty()).then_some(taken)
    })
}

/// Each wanted codec that is offered, each followed by its retransmissions.
fn accept_codecs(section: &Section, wanted: &[Codec]) -> Vec<(Codec, u8)> {
    let mut codecs = Vec::new();
    for codec in wanted {
        let Some(format) = section.formats.iter().find(|format| is_offer_of(*codec, format)) else {
            continue;
        };
        codecs.push((*codec, format.payload_type));
        let apt = format.payload_type.to_string();
        let repeats = |other: &&Format| {
            other.rtpmap.eq_ignore_ascii_case("rtx/90000") && other.parameter("apt") == Some(apt.as_str())
        };
        if let Some((rtx, format)) = codec.rtx().zip(section.formats.iter().find(repeats)) {
            codecs.push((rtx, format.payload_type));
        }
    }
    codecs
}

fn is_offer_of(codec: Codec, format: &Format) -> bool {
    let fits = match codec {
        Codec::Opus | Codec::Vp8 => true,
        Codec::Vp9 => format.parameter("profile-id").is_none_or(|profile| profile == "0"),
        Codec::Av1 => format.parameter("profile").is_none_or(|profile| profile == "0"),
        Codec::H264 => {
            format.parameter("packetization-mode") == Some("1")
                && format
                    .parameter("profile-level-id")
                    .is_some_and(is_constrained_baseline)
        }
        Codec::Vp8Rtx | Codec::Vp9Rtx | Codec::H264Rtx | Codec::Av1Rtx => false,
    };
    fits && format.rtpmap.eq_ignore_ascii_case(codec.rtpmap())
}

/// RFC 6184, table 5: three ways to say the same profile.
fn is_constrained_baseline(profile_level_id: &str) -> bool {
    let byte = |at| {
        let digits = profile_level_id.get(at..at + 2)?;
        u8::from_str_radix(digits, 16).ok()
    };
    match (byte(0), byte(2)) {
        (Some(0x42), Some(constraints)) => constraints & 0x4F == 0x40,
        (Some(0x4D), Some(constraints)) => constraints & 0x8F == 0x80,
        (Some(0x58), Some(constraints)) => constraints & 0xCF == 0xC0,
        (Some(_) | None, Some(_) | None) => false,
    }
}

/// Only ids that fit the one-byte form (RFC 8285, section 4.2).
fn accept_extensions(section: &Section) -> Vec<(Extension, u8)> {
    let known = section.extensions.iter().filter(|(id, _)| (1..15).contains(id));
    known
        .filter_map(|(id, uri)| Some((Extension::from_uri(uri)?, *id)))
        .filter(|(extension, _)| *extension != Extension::Rid)
        .collect()
}

/// RFC 8829, section 5.3.1: a refused section keeps its place with port 0.
fn refuse(out: &mut String, section: &Section) {
    let formats = section.format_list.join(" ");
    line(
        out,
        format_args!("m={} 0 {} {formats}", section.media, section.protocol),
    );
    line(out, format_args!("c=IN IP4 0.0.0.0"));
    if let Some(mid) = &section.mid {
        line(out, format_args!("a=mid:{mid}"));
    }
    line(out, format_args!("a=inactive"));
}

impl Taken {
    /// Puts what the far side can show first, and leaves the rest away where the leg only sends; where nothing suits,
    /// all stays as it was, and what comes of it is held back at the gate.
    fn suited_to(mut self, far: Option<Formats>) -> Self {
        let suits = |codec: Codec| far.is_none_or(|far| far.contains(codec));
        self.codecs.sort_by_key(|(codec, _)| !suits(*codec));
        let only_sends = self.flow.send && !self.flow.receive;
        if only_sends && self.codecs.iter().any(|(codec, _)| suits(*codec)) {
            self.codecs.retain(|(codec, _)| suits(*codec));
        }
        self
    }

    fn section(&self, out: &mut String, section: &Section, terms: Terms, passive: bool, transport: &Transport<'_>) {
        let payload_types: Vec<_> = self.codecs.iter().map(|(_, number)| number.to_string()).collect();
        line(
            out,
            format_args!("m={} 9 {} {}", section.media, section.protocol, payload_types.join(" ")),
        );
        line(out, format_args!("c=IN IP4 0.0.0.0"));
        if let (Kind::Video, Some(most)) = (section.kind, terms.most_video_kbit) {
            // RFC 3890, section 6.2: in bit/s.
            line(out, format_args!("b=TIAS:{}", u64::from(most) * 1000));
        }
        if let Some(mid) = &section.mid {
            line(out, format_args!("a=mid:{mid}"));
        }
        write_transport(out, transport);
        line(out, format_args!("a=fingerprint:{}", transport.fingerprint));
        line(
            out,
            format_args!("a=setup:{}", if passive { "active" } else { "passive" }),
        );
        line(out, format_args!("a=rtcp-mux"));
        if section.reduced_size {
            line(out, format_args!("a=rtcp-rsize"));
        }
        line(out, format_args!("a={}", our_direction(self.flow)));
        for (extension, id) in &self.extensions {
            line(out, format_args!("a=extmap:{id} {}", extension.uri()));
        }
        self.codecs
            .iter()
            .for_each(|(codec, number)| write_codec(out, section, terms, *codec, *number));
        if self.flow.receive {
            write_sources(
                out,
                section.kind,
                terms.role.other(),
                self.codecs.iter().any(|(codec, _)| codec.rtx().is_some()),
            );
        }
    }
}

impl Terms {
    /// How a Chromium encoder is to behave.
    fn video_parameters(self) -> String {
        let most = self.most_video_kbit.unwrap_or(VIDEO_MOST_KBIT);
        let start = VIDEO_START_KBIT.min(most);
        format!("x-google-start-bitrate={start};x-google-max-bitrate={most}")
    }
}

/// What the offerer sends we receive.
const fn our_direction(theirs: Flow) -> &'static str {
    match (theirs.receive, theirs.send) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    }
}

fn write_transport(out: &mut String, transport: &Transport<'_>) {
    line(out, format_args!("a=ice-ufrag:{}", transport.credentials.ufrag));
    line(out, format_args!("a=ice-pwd:{}", transport.credentials.password));
    for (at, candidate) in (0u32..).zip(transport.candidates) {
        // RFC 8445, section 5.1.2.1: host type 126, local preference, component 1.
        let priority = (126 << 24) | ((65_535 - at) << 8) | 255;
        let (ip, port) = (candidate.ip(), candidate.port());
        line(
            out,
            format_args!("a=candidate:{} 1 udp {priority} {ip} {port} typ host", at + 1),
        );
    }
    line(out, format_args!("a=end-of-candidates"));
}

fn write_codec(out: &mut String, section: &Section, terms: Terms, codec: Codec, number: u8) {
    line(out, format_args!("a=rtpmap:{number} {}", codec.rtpmap()));
    let Some(format) = section.formats.iter().find(|format| format.payload_type == number) else {
        return;
    };
    match (codec.flow(), format.fmtp.as_str()) {
        (FlowKind::Audio, _) => line(out, format_args!("a=fmtp:{number} {OPUS_PARAMETERS}")),
        (FlowKind::Video, fmtp) => {
            let rates = terms.video_parameters();
            let parameters: Vec<_> = of_the_format(fmtp).chain([rates.as_str()]).collect();
            line(out, format_args!("a=fmtp:{number} {}", parameters.join(";")));
        }
        (FlowKind::VideoRtx | FlowKind::Rtcp, fmtp) => line(out, format_args!("a=fmtp:{number} {fmtp}")),
    }
    let passed: &[&str] = match codec.flow() {
        FlowKind::Audio => &AUDIO_FEEDBACK,
        FlowKind::Video => &VIDEO_FEEDBACK,
        FlowKind::VideoRtx | FlowKind::Rtcp => &[],
    };
    for feedback in passed
        .iter()
        .filter(|feedback| format.feedback.iter().any(|offered| offered == *feedback))
    {
        line(out, format_args!("a=rtcp-fb:{number} {feedback}"));
    }
}

/// The parameters that say which variant of a format it is. Those that describe the offerer's own stream (RFC 6184,
/// section 8.1) would be taken for the far side's.
fn of_the_format(fmtp: &str) -> impl Iterator<Item = &str> {
    let parts = fmtp.split(';').map(str::trim);
    parts.filter(|part| !part.is_empty() && !part.starts_with("sprop-"))
}

/// The far side's SSRCs (RFC 5576), so that its tracks exist at once.
fn write_sources(out: &mut String, kind: Kind, far: Role, rtx: bool) {
    let (flow, track) = match kind {
        Kind::Audio => (FlowKind::Audio, "audio"),
        Kind::Video => (FlowKind::Video, "video"),
        Kind::Other => return,
    };
    let (ssrc, rtx_ssrc, cname) = (
        codecs::ssrc(far, flow),
        codecs::ssrc(far, FlowKind::VideoRtx),
        codecs::cname(far),
    );
    line(out, format_args!("a=msid:{STREAM} {track}"));
    if rtx {
        line(out, format_args!("a=ssrc-group:FID {ssrc} {rtx_ssrc}"));
    }
    line(out, format_args!("a=ssrc:{ssrc} cname:{cname}"));
    if rtx {
        line(out, format_args!("a=ssrc:{rtx_ssrc} cname:{cname}"));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    write!(out, "{text}\r\n").ok();
}

#[cfg(test)]
mod tests;
