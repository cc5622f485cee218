//! `/v1/calls/{id}/media`: the page and any WHIP tool attach here (RFC 9725).

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use twocan_core::event::{CallState, CallView};
use twocan_core::media::flow::Role;

use super::extract;
use super::extract::{At, AtLeg, MediaCall};
use super::hub::Published;
use super::problem::{Code, Fault};
use super::router::{App, need_call};
use super::seam::LegProblem;

/// Attaches local media to a call: WHIP, RFC 9725.
///
/// The leg takes the place of another one of the same direction.
#[utoipa::path(post, path = "/v1/calls/{id}/media", operation_id = "attachMedia", tag = "media",
    params(("id" = String, Path, description = "The call's id, or `current` for the one under way")),
    request_body(content = String, content_type = "application/sdp", description = "An SDP offer"),
    responses((status = 201, description = "The SDP answer", body = String, content_type = "application/sdp", headers(("location" = String, description = "The leg")))))]
pub(super) async fn attach(State(app): State<App>, At(call): At<MediaCall>, body: Body) -> Result<Response, Fault> {
    let call = find(&app.published(), &call)?.clone();
    if call.state == CallState::Ended {
        return Err(LegProblem::CallEnded.into());
    }
    let offer = extract::sdp(body).await?;
    let (leg, answer) = app.legs.offer(call.id, role(&call), offer).await?;
    let headers = [
        (
            header::LOCATION,
            format!("/v1/calls/{}/media/{}", call.id.to_hex(), leg.0),
        ),
        (header::CONTENT_TYPE, "application/sdp".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// Adds candidates to a leg, or restarts its ICE: RFC 8840.
#[utoipa::path(patch, path = "/v1/calls/{id}/media/{leg}", operation_id = "trickleMedia", tag = "media",
    params(("id" = String, Path, description = "The call's id, or `current` for the one under way"), ("leg" = String, Path, description = "The leg's number, as in Location")),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "An SDP fragment"),
    responses((status = 204, description = "Taken"), (status = 200, description = "The fragment that answers a restart", body = String, content_type = "application/trickle-ice-sdpfrag")))]
pub(super) async fn trickle(
    State(app): State<App>,
    At(call): At<MediaCall>,
    AtLeg(leg): AtLeg,
    body: Body,
) -> Result<Response, Fault> {
    let call = find(&app.published(), &call)?.id;
    let fragment = extract::sdp(body).await?;
    Ok(match app.legs.trickle(call, leg, fragment).await? {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(restarted) => ([(header::CONTENT_TYPE, "application/trickle-ice-sdpfrag")], restarted).into_response(),
    })
}

/// Takes a leg off its call; 200, as WHIP clients expect.
#[utoipa::path(delete, path = "/v1/calls/{id}/media/{leg}", operation_id = "detachMedia", tag = "media",
    params(("id" = String, Path, description = "The call's id, or `current` for the one under way"), ("leg" = String, Path, description = "The leg's number, as in Location")),
    responses((status = 200, description = "It is off")))]
pub(super) async fn detach(
    State(app): State<App>,
    At(call): At<MediaCall>,
    AtLeg(leg): AtLeg,
    body: Body,
) -> Result<StatusCode, Fault> {
    let call = find(&app.published(), &call)?.id;
    extract::nothing(body).await?;
    app.legs.close(call, leg).await?;
    Ok(StatusCode::OK)
}

/// Our side of a call.
pub(super) const fn role(call: &CallView) -> Role {
    if call.incoming { Role::Callee } else { Role::Caller }
}

/// The call meant. `current` is the active one, else the one that dials or rings.
fn find<'a>(published: &'a Published, call: &MediaCall) -> Result<&'a CallView, Fault> {
    match call {
        MediaCall::Id(id) => need_call(published, *id),
        MediaCall::Current => {
            let going = published
                .snapshot
                .calls
                .iter()
                .filter(|call| call.state != CallState::Ended);
            going
                .max_by_key(|call| call.state == CallState::Active)
                .ok_or_else(|| Code::NoCurrentCall.into())
        }
    }
}
