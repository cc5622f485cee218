//! `/v1/status`, `/v1/me`, `/healthz`, `/readyz`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use twocan_api as api;
use twocan_core::command::{Command, Reply};

use super::problem::{Code, Fault};
use super::router::{About, App, unexpected};
use super::{extract, view};

/// The process answers. Needs no token.
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "service",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The daemon is up and can be asked. Needs no token.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "service",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain")))]
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Fault> {
    if !app.core.is_up() {
        return Err(Code::ShuttingDown.into());
    }
    view::status(&app.published()).ok_or(Code::NotReady)?;
    Ok("ready\n")
}

/// The daemon: addresses, oneself, standing warnings.
#[utoipa::path(get, path = "/v1/status", operation_id = "getStatus", tag = "status",
    responses((status = 200, description = "The status", body = api::Status)))]
pub(super) async fn status(State(app): State<App>) -> Result<Json<api::Status>, Fault> {
    let status = view::status(&app.published()).ok_or(Code::NotReady)?;
    Ok(Json(status))
}

/// Oneself.
#[utoipa::path(get, path = "/v1/me", operation_id = "getMe", tag = "me",
    responses((status = 200, description = "Oneself", body = api::Me)))]
pub(super) async fn show(State(app): State<App>) -> Result<Json<api::Me>, Fault> {
    let published = app.published();
    let me = published.snapshot.me.as_ref().ok_or(Code::NotReady)?;
    Ok(Json(view::me(me)))
}

async fn act(app: &App, command: Command) -> Result<(), Fault> {
    let reply = app.ask(command, About::Me).await?;
    let Reply::Done = reply else {
        return Err(unexpected(&reply));
    };
    Ok(())
}

/// Changes one's name, whether this device rings, and what a second caller meets.
#[utoipa::path(patch, path = "/v1/me", operation_id = "editMe", tag = "me",
    request_body(content = api::MePatch, content_type = "application/json", description = "What to change"),
    responses((status = 200, description = "Oneself", body = api::Me)))]
pub(super) async fn edit(State(app): State<App>, body: Body) -> Result<Json<api::Me>, Fault> {
    let patch: api::MePatch = extract::json(body).await?;
    let will_ring = patch.presence.map(view::will_ring);
    if patch.name.is_some() || will_ring.is_some() || patch.second_call.is_none() {
        let name = patch.name;
        act(&app, Command::EditMe { name, will_ring }).await?;
    }
    if let Some(second_call) = patch.second_call {
        let waits = view::waits(second_call);
        act(&app, Command::SetSecondCall { waits }).await?;
    }
    show(State(app)).await
}
