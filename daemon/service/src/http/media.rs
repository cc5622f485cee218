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

pub(super) async fn attach(State(app): State<App>, At(call): At<MediaCall>, body: Body) -> Result<Response, Fault> {
    let call = find(&app.published(), &call)?.clone();
    if call.state == CallState::Ended {
        return Err(LegProblem::CallEnded.into());
    }
    let offer = extract::sdp(body).await?;
    let role = if call.incoming { Role::Callee } else { Role::Caller };
    let (leg, answer) = app.legs.offer(call.id, role, offer).await?;
    let headers = [
        (
            header::LOCATION,
            format!("/v1/calls/{}/media/{}", call.id.to_hex(), leg.0),
        ),
        (header::CONTENT_TYPE, "application/sdp".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

pub(super) async fn trickle(
    State(app): State<App>,
    At(call): At<MediaCall>,
    AtLeg(leg): AtLeg,
    body: Body,
) -> Result<StatusCode, Fault> {
    let call = find(&app.published(), &call)?.id;
    let fragment = extract::sdp(body).await?;
    app.legs.trickle(call, leg, fragment).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 200, as WHIP clients expect.
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
