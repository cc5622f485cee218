//! `/v1/invites`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use twocan_api as api;
use twocan_core::bounds::{INVITE_LIFE_LEAST_S, INVITE_LIFE_MOST_S, INVITE_LIFE_S};
use twocan_core::command::{Command, Reply};
use twocan_core::event::InviteView;
use twocan_core::ids::InviteId;

use super::extract::At;
use super::problem::{Code, Fault};
use super::router::{About, App, need_invite, unexpected};
use super::{extract, paging, view};

/// Modules of white around a code (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// The open invites.
#[utoipa::path(get, path = "/v1/invites", operation_id = "listInvites", tag = "invites",
    params(api::ListQuery),
    responses((status = 200, description = "One page of them", body = api::List<api::Invite>)))]
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<api::List<api::Invite>>, Fault> {
    let id = |invite: &InviteView| invite.id.to_hex();
    Ok(Json(paging::page(
        &uri,
        &app.published().snapshot.invites,
        id,
        view::invite,
    )?))
}

/// Makes an invite; an empty body means all defaults.
#[utoipa::path(post, path = "/v1/invites", operation_id = "createInvite", tag = "invites",
    request_body(content = Option<api::NewInvite>, content_type = "application/json", description = "How long it may be redeemed"),
    responses((status = 201, description = "A new invite", body = api::Invite, headers(("location" = String, description = "Where it is")))))]
pub(super) async fn create(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    let new: api::NewInvite = extract::json_or_default(body).await?;
    let expires_in_s = new.expires_in_s.unwrap_or(INVITE_LIFE_S);
    let asked = app.ask(Command::CreateInvite { expires_in_s }, About::Invite).await;
    let reply = asked.map_err(|fault| fault.bounds("expires_in_s", INVITE_LIFE_LEAST_S..=INVITE_LIFE_MOST_S))?;
    let Reply::Invite(id) = reply else {
        return Err(unexpected(&reply));
    };
    let published = app.published();
    let body = Json(view::invite(need_invite(&published, id)?));
    let location = [(header::LOCATION, format!("/v1/invites/{}", id.to_hex()))];
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// Takes what an invitee has sent back by hand.
///
/// The invite's holder is looked for at the addresses that the reply tells, as long as the invite is open.
#[utoipa::path(post, path = "/v1/invites/replies", operation_id = "takeReply", tag = "invites",
    request_body(content = api::NewReply, content_type = "application/json", description = "The reply link, or the message around it"),
    responses((status = 202, description = "The invite that it answers; the contact comes as an event", body = api::Invite)))]
pub(super) async fn take_reply(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    let new: api::NewReply = extract::json(body).await?;
    let reply = app.ask(Command::TakeReply { text: new.reply }, About::Invite).await?;
    let Reply::Invite(id) = reply else {
        return Err(unexpected(&reply));
    };
    let published = app.published();
    Ok((StatusCode::ACCEPTED, Json(view::invite(need_invite(&published, id)?))).into_response())
}

/// An invite's link as a code to be scanned (QR).
#[utoipa::path(get, path = "/v1/invites/{id}/code", operation_id = "getInviteCode", tag = "invites",
    params(("id" = String, Path, description = "The invite's id")),
    responses((status = 200, description = "The code, black on white, with its quiet zone", body = String, content_type = "image/svg+xml")))]
pub(super) async fn code(State(app): State<App>, At(id): At<InviteId>) -> Result<Response, Fault> {
    let link = need_invite(&app.published(), id)?.link.clone();
    // The level that fits most: the code is shown on a screen, where nothing is torn off or stained.
    let made = QRBuilder::new(link).ecl(ECL::L).build();
    let code = made.map_err(|error| {
        tracing::error!(%error, "a link does not fit into a code");
        Code::Internal
    })?;
    let svg = SvgBuilder::default().margin(QUIET_ZONE).to_str(&code);
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

/// Takes an invite back.
#[utoipa::path(delete, path = "/v1/invites/{id}", operation_id = "deleteInvite", tag = "invites",
    params(("id" = String, Path, description = "The invite's id")),
    responses((status = 204, description = "It is worth nothing any more")))]
pub(super) async fn remove(State(app): State<App>, At(id): At<InviteId>, body: Body) -> Result<StatusCode, Fault> {
    need_invite(&app.published(), id)?;
    extract::nothing(body).await?;
    app.ask(Command::DeleteInvite { invite: id }, About::Invite).await?;
    Ok(StatusCode::NO_CONTENT)
}
