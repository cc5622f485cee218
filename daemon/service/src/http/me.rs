//! `/v1/status`, `/v1/me`, `/healthz`, `/readyz`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use twocan_api as api;
use twocan_core::command::{Command, Reply};

use super::problem::{Code, Fault};
use super::router::{About, App, unexpected};
use super::{extract, view};

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The loop is up and has shown its first picture.
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Fault> {
    if !app.core.is_up() {
        return Err(Code::ShuttingDown.into());
    }
    view::status(&app.published()).ok_or(Code::NotReady)?;
    Ok("ready\n")
}

pub(super) async fn status(State(app): State<App>) -> Result<Json<api::Status>, Fault> {
    let status = view::status(&app.published()).ok_or(Code::NotReady)?;
    Ok(Json(status))
}

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
