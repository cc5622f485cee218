//! `/v1/calls/{id}/clip`: the built-in clip as a leg.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use twocan_api as api;
use twocan_core::event::CallState;
use twocan_core::ids::CallId;

use super::extract::At;
use super::problem::{Code, Fault};
use super::router::{App, need_call};
use super::seam::{Clips, LegProblem};
use super::{extract, media, view};

/// Seconds of clip, at most.
const SECONDS: u32 = 3600;

/// Attaches the built-in clip to a call, as a leg.
///
/// Nothing is sent before the call is active.
#[utoipa::path(post, path = "/v1/calls/{id}/clip", operation_id = "attachClip", tag = "media",
    params(("id" = String, Path, description = "The call's id")),
    request_body(content = api::NewClip, content_type = "application/json", description = "For how long"),
    responses((status = 204, description = "Attached")))]
pub(super) async fn attach(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<StatusCode, Fault> {
    let call = need_call(&app.published(), id)?.clone();
    let new: api::NewClip = extract::json(body).await?;
    if call.state == CallState::Ended {
        return Err(LegProblem::CallEnded.into());
    }
    if !(1..=SECONDS).contains(&new.seconds) {
        return Err(Fault::new(Code::OutOfBounds).detail(format!("`seconds` is from 1 to {SECONDS}.")));
    }
    clips(&app)?.attach(id, media::role(&call), new.seconds).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What came back of the clip.
///
/// The figures stay after the call has ended, as long as the call is listed.
#[utoipa::path(get, path = "/v1/calls/{id}/clip", operation_id = "getClip", tag = "media",
    params(("id" = String, Path, description = "The call's id")),
    responses((status = 200, description = "What came back so far", body = api::ClipStats)))]
pub(super) async fn stats(State(app): State<App>, At(id): At<CallId>) -> Result<Json<api::ClipStats>, Fault> {
    let published = app.published();
    let call = need_call(&published, id)?;
    let counted = clips(&app)?.stats(id).ok_or(Code::NoSuchLeg)?;
    let mut contacts = published.snapshot.contacts.iter();
    let path = match &call.stranger {
        Some(stranger) => stranger.path.as_ref(),
        None => contacts
            .find(|known| Some(known.id) == call.contact)
            .and_then(|contact| contact.path.as_ref()),
    };
    Ok(Json(api::ClipStats {
        rtt_ms: path.map(|path| view::milliseconds(path.rtt)),
        path: path.map(|path| view::path_kind(path.kind)),
        ..counted
    }))
}

fn clips(app: &App) -> Result<&Arc<dyn Clips>, Fault> {
    app.clips.as_ref().ok_or_else(|| Code::NotFound.into())
}
