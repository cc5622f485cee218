//! `POST /v1/test-call`: a call with Echo, a throw-away person on this machine who sends back what it gets.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;
use twocan_core::event::CallState;

use super::problem::{Code, Fault};
use super::router::{App, need_call};
use super::{extract, view};

/// Calls Echo.
///
/// Echo becomes a contact for as long as the call lasts, over a link and a connection as real as anybody's. Answers once
/// the call is there, within half a minute.
#[utoipa::path(post, path = "/v1/test-call", operation_id = "testCall", tag = "calls",
    responses((status = 201, description = "The call, dialing", body = api::Call, headers(("location" = String, description = "Where it is")))))]
pub(super) async fn start(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    extract::nothing(body).await?;
    let calls = &app.published().snapshot.calls;
    if calls.iter().any(|call| call.state != CallState::Ended) {
        return Err(Code::InCall.into());
    }
    let id = app.echoes.as_ref().ok_or(Code::NotFound)?.call().await?;
    let published = app.published();
    let call = need_call(&published, id)?;
    let location = [(header::LOCATION, format!("/v1/calls/{}", id.to_hex()))];
    let body = Json(view::call(call, app.core.hub.now().boot));
    Ok((StatusCode::CREATED, location, body).into_response())
}
