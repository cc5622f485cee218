//! What handlers take out of a request: ids of the path (404) and bodies (400, 408, 413).

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use twocan_core::bounds::PASTE_BYTES;
use twocan_core::ids::{CallId, ContactId, InviteId, LegId};

use super::problem::{Code, Fault};

/// Bytes of a JSON body, at most: a pasted text, each byte of it escaped at worst, and some fields.
pub(super) const JSON_BYTES: usize = 6 * PASTE_BYTES + 4096;
/// Bytes of a session description, at most.
pub(super) const SDP_BYTES: usize = 256 * 1024;
/// Bytes of a body that is too large that are read and thrown away, so that the refusal arrives.
const UNREAD_BYTES: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(10);

/// An id in the path, under the name `id`.
pub(super) struct At<T>(pub(super) T);

/// A leg's number in the path, under the name `leg`.
pub(super) struct AtLeg(pub(super) LegId);

/// An id that may stand in a path.
pub(super) trait PathId: Sized {
    /// What is said when there is no such thing.
    const MISSING: Code;

    fn parse(text: &str) -> Option<Self>;
}

impl PathId for ContactId {
    const MISSING: Code = Code::NoSuchContact;

    fn parse(text: &str) -> Option<Self> {
        Self::from_hex(text)
    }
}

impl PathId for InviteId {
    const MISSING: Code = Code::NoSuchInvite;

    fn parse(text: &str) -> Option<Self> {
        Self::from_hex(text)
    }
}

impl PathId for CallId {
    const MISSING: Code = Code::NoSuchCall;

    fn parse(text: &str) -> Option<Self> {
        Self::from_hex(text)
    }
}

/// A call of the media routes, where `current` stands for the one under way.
pub(super) enum MediaCall {
    Current,
    Id(CallId),
}

impl PathId for MediaCall {
    const MISSING: Code = Code::NoSuchCall;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "current" => Some(Self::Current),
            text => CallId::from_hex(text).map(Self::Id),
        }
    }
}

impl<S: Send + Sync, T: PathId> FromRequestParts<S> for At<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let text = param(parts, state, "id").await;
        text.and_then(|text| T::parse(&text))
            .map(Self)
            .ok_or_else(|| T::MISSING.into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtLeg {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let number = param(parts, state, "leg").await.and_then(|text| text.parse().ok());
        number
            .map(|number| Self(LegId(number)))
            .ok_or_else(|| Code::NoSuchLeg.into())
    }
}

/// A parameter of the path.
pub(super) async fn param<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    params
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// A JSON body.
pub(super) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Fault> {
    parse(&collect(body, JSON_BYTES).await?)
}

/// A JSON body that may be left out.
pub(super) async fn json_or_default<T: DeserializeOwned + Default>(body: Body) -> Result<T, Fault> {
    let bytes = collect(body, JSON_BYTES).await?;
    if bytes.is_empty() {
        Ok(T::default())
    } else {
        parse(&bytes)
    }
}

/// The body of an action that takes no fields: nothing, or an empty object.
pub(super) async fn nothing(body: Body) -> Result<(), Fault> {
    #[derive(Default, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let Nothing {} = json_or_default(body).await?;
    Ok(())
}

/// A session description, or a fragment of one.
pub(super) async fn sdp(body: Body) -> Result<String, Fault> {
    let bytes = collect(body, SDP_BYTES).await?;
    String::from_utf8(bytes.into()).map_err(|_| Fault::new(Code::BadOffer).detail("It is not UTF-8 text."))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    // Serde would take an array for the fields in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::new(Code::Malformed).detail("Send a JSON object."));
    }
    serde_json::from_slice(bytes).map_err(|error| Fault::new(Code::Malformed).detail(format!("{error}.")))
}

/// A whole body.
pub(super) async fn collect(body: Body, most: usize) -> Result<Bytes, Fault> {
    collect_within(body, most, BODY).await
}

async fn collect_within(body: Body, most: usize, within: Duration) -> Result<Bytes, Fault> {
    match tokio::time::timeout(within, read(body, most)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(Fault::new(Code::TooLarge).detail(format!("Send at most {most} bytes."))),
        Ok(Err(_)) => Err(Code::Malformed.into()),
        Err(_) => Err(Code::TooSlow.into()),
    }
}

/// At most this many bytes; `None` where there are more. Some of those are read all the same: a connection that is closed
/// with bytes unread is reset, and whoever still sends never sees the answer (RFC 9112, section 9.6).
async fn read(mut body: Body, most: usize) -> Result<Option<Bytes>, axum::Error> {
    let (mut kept, mut seen) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= most {
            kept.extend_from_slice(&data);
        } else if seen > most.saturating_add(UNREAD_BYTES) {
            break;
        }
    }
    Ok((seen <= most).then(|| kept.freeze()))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use twocan_api::MePatch;

    use super::*;

    #[test]
    fn only_objects_are_taken() {
        for (body, fits) in [
            ("{}", true),
            (" \n{}", true),
            ("[null, null]", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(parse::<MePatch>(body.as_bytes()).is_ok(), fits, "{body:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_given_up() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let fault = collect_within(body, 10, Duration::from_millis(10)).await.err();
        assert_eq!(fault.map(|fault| fault.code), Some(Code::TooSlow));
    }
}
