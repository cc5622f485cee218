//! `/v1/invites`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;
use twocan_core::bounds::INVITE_LIFE_S;
use twocan_core::command::{Command, Reply};
use twocan_core::event::InviteView;
use twocan_core::ids::InviteId;

use super::extract::At;
use super::problem::Fault;
use super::router::{About, App, need_invite, unexpected};
use super::{extract, paging, view};

pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<api::List<api::Invite>>, Fault> {
    let id = |invite: &InviteView| invite.id.to_hex();
    Ok(Json(paging::page(
        &uri,
        &app.published().snapshot.invites,
        id,
        view::invite,
    )?))
}

pub(super) async fn create(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    let new: api::NewInvite = extract::json_or_default(body).await?;
    let expires_in_s = new.expires_in_s.unwrap_or(INVITE_LIFE_S);
    let reply = app.ask(Command::CreateInvite { expires_in_s }, About::Invite).await?;
    let Reply::Invite(id) = reply else {
        return Err(unexpected(&reply));
    };
    let published = app.published();
    let body = Json(view::invite(need_invite(&published, id)?));
    let location = [(header::LOCATION, format!("/v1/invites/{}", id.to_hex()))];
    Ok((StatusCode::CREATED, location, body).into_response())
}

pub(super) async fn remove(State(app): State<App>, At(id): At<InviteId>, body: Body) -> Result<StatusCode, Fault> {
    need_invite(&app.published(), id)?;
    extract::nothing(body).await?;
    app.ask(Command::DeleteInvite { invite: id }, About::Invite).await?;
    Ok(StatusCode::NO_CONTENT)
}
