//! What every request must pass before a route sees it, in this order: Host, origin, credential, content type.
//!
//! A browser can be made to send requests to loopback by any page on the Web, so the two TCP listeners trust nothing
//! that a browser adds by itself. The control listener serves no browser at all. The page listener serves one origin,
//! its own. The Unix socket cannot be reached from a browser; who connects to it is checked at accept.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, REFERER};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};

use super::entrance::Entrance;
use super::problem::{Code, Fault};
use super::secret::Secret;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// One listener's rules.
pub(super) enum Guard {
    /// The Unix socket: only the content type is left to check.
    Unix,
    /// The control listener.
    Control(Control),
    /// The page listener.
    Page(Page),
}

/// The control listener: programs only, with the token.
pub(super) struct Control {
    /// What Host may say.
    hosts: Vec<String>,
    token: Secret,
}

/// The page listener: one origin, with the cookie.
pub(super) struct Page {
    host: String,
    origin: String,
    cookie: String,
    entrance: Arc<Entrance>,
}

impl Control {
    pub(super) fn new(bound: SocketAddr, token: Secret) -> Self {
        let hosts = vec![bound.to_string(), format!("localhost:{}", bound.port())];
        Self { hosts, token }
    }
}

impl Page {
    pub(super) fn new(bound: SocketAddr, entrance: Arc<Entrance>) -> Self {
        Self {
            host: bound.to_string(),
            origin: format!("http://{bound}"),
            cookie: cookie_name(bound),
            entrance,
        }
    }
}

/// The cookie's name. Cookies ignore ports, so the name carries it.
pub(super) fn cookie_name(page: SocketAddr) -> String {
    format!("twocan_{}", page.port())
}

impl Guard {
    /// Checks a request's head; `has_body` tells whether bytes follow it.
    pub(super) fn check(&self, head: &Parts, has_body: bool) -> Result<(), Fault> {
        self.host(head)?;
        self.origin(head)?;
        self.credential(head)?;
        content_type(head, has_body)
    }

    fn host(&self, head: &Parts) -> Result<(), Fault> {
        let allowed = |host: &str| match self {
            Self::Unix => true,
            Self::Control(control) => control.hosts.iter().any(|known| known == host),
            Self::Page(page) => page.host == host,
        };
        if matches!(self, Self::Unix) {
            return Ok(());
        }
        // A request target in absolute form overrides Host (RFC 9112, section 3.2.2): both must be right.
        let target = head.uri.authority().is_none_or(|authority| allowed(authority.as_str()));
        match single(head, &HOST) {
            Header::One(host) if target && allowed(host) => Ok(()),
            Header::One(_) | Header::Absent | Header::Bad => Err(Code::WrongHost.into()),
        }
    }

    fn origin(&self, head: &Parts) -> Result<(), Fault> {
        let fine = match self {
            Self::Unix => true,
            Self::Control(_) => no_browser(head),
            Self::Page(page) => own_page(head, &page.origin),
        };
        if fine { Ok(()) } else { Err(Code::WrongOrigin.into()) }
    }

    fn credential(&self, head: &Parts) -> Result<(), Fault> {
        let path = head.uri.path();
        if matches!(path, "/healthz" | "/readyz") {
            return Ok(());
        }
        match self {
            Self::Unix => Ok(()),
            Self::Control(control) if bearer(head).is_some_and(|token| control.token.matches(token)) => Ok(()),
            Self::Control(_) => Err(Code::TokenRequired.into()),
            Self::Page(page) if path.starts_with(super::page::ENTER) || page.knows(head) => Ok(()),
            Self::Page(_) => Err(Code::PageLocked.into()),
        }
    }
}

impl Page {
    /// Whether any cookie of our name is one that we gave out. There may be several: any program on this machine can
    /// set one for the same host from another port.
    fn knows(&self, head: &Parts) -> bool {
        let lines = head
            .headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok());
        lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && self.entrance.admits(value))
    }
}

/// The control listener's rule: nothing that only browsers send.
fn no_browser(head: &Parts) -> bool {
    let site = match single(head, &SEC_FETCH_SITE) {
        Header::Absent => true,
        Header::One(site) => site == "none",
        Header::Bad => false,
    };
    site && !head.headers.contains_key(ORIGIN) && !head.headers.contains_key(REFERER)
}

/// The page listener's rule: our own page, or the user's own hand.
fn own_page(head: &Parts, own: &str) -> bool {
    let reads = reads_only(&head.method);
    let origin = match single(head, &ORIGIN) {
        Header::Absent => reads,
        Header::One(origin) => origin == own,
        Header::Bad => false,
    };
    let site = match single(head, &SEC_FETCH_SITE) {
        Header::Absent => true,
        Header::One("same-origin") => true,
        Header::One("none") => reads && matches!(single(head, &SEC_FETCH_MODE), Header::One("navigate")),
        Header::One(_) | Header::Bad => false,
    };
    origin && site
}

/// The type that a body must have: JSON, but session descriptions on the media routes.
fn content_type(head: &Parts, has_body: bool) -> Result<(), Fault> {
    // No route takes any other method, so there is no body to misread.
    if ![Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&head.method) {
        return Ok(());
    }
    let any = || has_body || head.headers.contains_key(CONTENT_TYPE);
    let wanted = match media_type(&head.method, head.uri.path()) {
        MediaType::Must(wanted) => Some(wanted),
        MediaType::NoRoute => None,
        MediaType::Json => any().then_some("application/json"),
    };
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let given = match single(head, &CONTENT_TYPE) {
        Header::One(value) => value.split(';').next().unwrap_or_default().trim(),
        Header::Absent | Header::Bad => "",
    };
    if given.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Fault::new(Code::WrongType).detail(format!("Send the body as {wanted}.")))
}

/// What a body has to be.
enum MediaType {
    /// This, and there must be one.
    Must(&'static str),
    /// JSON, if there is one.
    Json,
    /// Nobody reads it.
    NoRoute,
}

/// The body type of a route; the media routes have their own (RFC 9725, section 4).
fn media_type(method: &Method, path: &str) -> MediaType {
    let Some(rest) = path.strip_prefix("/v1/calls/") else {
        return MediaType::Json;
    };
    let mut parts = rest.split('/').skip(1);
    if parts.next() != Some("media") {
        return MediaType::Json;
    }
    match (parts.next().is_some(), method) {
        (false, &Method::POST) => MediaType::Must("application/sdp"),
        (true, &Method::PATCH) => MediaType::Must("application/trickle-ice-sdpfrag"),
        (true, &Method::DELETE) => MediaType::Json,
        (false | true, _) => MediaType::NoRoute,
    }
}

fn reads_only(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn bearer(head: &Parts) -> Option<&[u8]> {
    let Header::One(value) = single(head, &AUTHORIZATION) else {
        return None;
    };
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().as_bytes())
}

/// A header that may stand once.
enum Header<'a> {
    Absent,
    One(&'a str),
    /// It stands twice, or is no ASCII text.
    Bad,
}

fn single<'a>(head: &'a Parts, name: &HeaderName) -> Header<'a> {
    let mut values = head.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(value), None) => value.to_str().map_or(Header::Bad, Header::One),
        (Some(_), Some(_)) => Header::Bad,
    }
}
