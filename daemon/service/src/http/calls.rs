//! `/v1/calls`.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;
use twocan_api::who::{Known, Unclear, address, resolve};
use twocan_core::bounds::PORT;
use twocan_core::command::{Command, Reply};
use twocan_core::event::CallView;
use twocan_core::ids::{CallId, ContactId};

use super::extract::At;
use super::hub::Published;
use super::problem::{Code, Fault};
use super::router::{About, App, need_call, unexpected};
use super::{extract, paging, view};

/// The calls: those under way, those that ended within the last minute, and missed ones until they are seen.
#[utoipa::path(get, path = "/v1/calls", operation_id = "listCalls", tag = "calls",
    params(api::ListQuery),
    responses((status = 200, description = "One page of them", body = api::List<api::Call>)))]
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<api::List<api::Call>>, Fault> {
    let id = |call: &CallView| call.id.to_hex();
    Ok(Json(paging::page(&uri, &app.published().snapshot.calls, id, |call| {
        view::call(call, app.core.hub.now().boot)
    })?))
}

/// One call.
#[utoipa::path(get, path = "/v1/calls/{id}", operation_id = "getCall", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses((status = 200, description = "The call", body = api::Call)))]
pub(super) async fn show(State(app): State<App>, At(id): At<CallId>) -> Result<Json<api::Call>, Fault> {
    render(&app, id)
}

/// Calls a contact, or whoever is at an address whose door is open.
///
/// 201 for a new call; 200 with the call that was there already, such as the ringing one that this answers.
#[utoipa::path(post, path = "/v1/calls", operation_id = "startCall", tag = "calls",
    request_body(content = api::NewCall, content_type = "application/json", description = "Whom to call, and with what"),
    responses((status = 201, description = "A new call, dialing", body = api::Call, headers(("location" = String, description = "Where it is"))), (status = 200, description = "The call with this contact that was there already", body = api::Call)))]
pub(super) async fn start(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    let new: api::NewCall = extract::json(body).await?;
    let media = view::media(new.media);
    let (command, about) = match whom(&app.published(), &new.to)? {
        Whom::Contact(contact) => (Command::StartCall { contact, media }, About::Contact(contact)),
        Whom::Address(to) => (Command::CallAddress { to, media }, About::Me),
    };
    let reply = app.ask(command, about).await?;
    match reply {
        Reply::CallStarted(id) => {
            let location = [(header::LOCATION, format!("/v1/calls/{}", id.to_hex()))];
            Ok((StatusCode::CREATED, location, render(&app, id)?).into_response())
        }
        Reply::Call(id) => Ok(render(&app, id)?.into_response()),
        Reply::Done
        | Reply::Invite(_)
        | Reply::Contact(_)
        | Reply::Pong { .. }
        | Reply::Paste(_)
        | Reply::Refused(_) => Err(unexpected(&reply)),
    }
}

/// Whom somebody meant.
enum Whom {
    Contact(ContactId),
    Address(SocketAddr),
}

/// A contact that is called like an address goes before the address.
fn whom(published: &Published, to: &str) -> Result<Whom, Fault> {
    let contacts = published.snapshot.contacts.iter();
    let known: Vec<_> = contacts
        .map(|contact| Known {
            it: contact.id,
            id: contact.id.to_hex(),
            name: &contact.name,
            devices: contact.devices.iter().map(|device| device.name.as_str()).collect(),
        })
        .collect();
    let found = resolve(&known, to);
    if let (Err(Unclear::Nobody), Some(address)) = (&found, address(to, PORT)) {
        return Ok(Whom::Address(address));
    }
    found.map(Whom::Contact).map_err(|unclear| match unclear {
        Unclear::Nobody => Code::NoSuchContact.into(),
        Unclear::Several(names) => {
            let names = names.join(", ");
            Fault::new(Code::Ambiguous).detail(format!("Fitting: {names}. Write more of the name, or use the id."))
        }
    })
}

/// Answers a ringing call.
///
/// Opens the gate: from here on media passes.
#[utoipa::path(post, path = "/v1/calls/{id}/answer", operation_id = "answerCall", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses((status = 200, description = "The call, active", body = api::Call)))]
pub(super) async fn answer(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    act(&app, id, body, Command::Answer { call: id }).await
}

/// Declines a ringing call.
#[utoipa::path(post, path = "/v1/calls/{id}/decline", operation_id = "declineCall", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    request_body(content = Option<api::Decline>, content_type = "application/json", description = "Where to stop ringing"),
    responses((status = 200, description = "The call, ended", body = api::Call)))]
pub(super) async fn decline(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    // With one device a person, here is everywhere.
    let api::Decline { everywhere: _ } = extract::json_or_default(body).await?;
    app.ask(Command::Decline { call: id }, About::Call(id)).await?;
    render(&app, id)
}

/// Ends a call, or one's own try at one.
#[utoipa::path(post, path = "/v1/calls/{id}/hangup", operation_id = "hangUpCall", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses((status = 200, description = "The call, ended", body = api::Call)))]
pub(super) async fn hang_up(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    act(&app, id, body, Command::HangUp { call: id }).await
}

async fn act(app: &App, id: CallId, body: Body, command: Command) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    extract::nothing(body).await?;
    app.ask(command, About::Call(id)).await?;
    render(app, id)
}

/// Says whether to keep the stranger of a call as a contact.
///
/// When both sides want it, `contact` names the new contact. A yes cannot be taken back: the other side has been told.
#[utoipa::path(post, path = "/v1/calls/{id}/keep", operation_id = "keepStranger", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    request_body(content = Option<api::Keep>, content_type = "application/json", description = "Whether to keep this person; yes unless told"),
    responses((status = 200, description = "The call", body = api::Call)))]
pub(super) async fn keep(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    let api::Keep { keep } = extract::json_or_default(body).await?;
    app.ask(Command::Keep { call: id, keep }, About::Call(id)).await?;
    render(&app, id)
}

/// Gives the safety words of a call with a stranger, and takes the user's answer to them.
///
/// They make themselves once the call was answered. `different` ends the call.
#[utoipa::path(post, path = "/v1/calls/{id}/verify", operation_id = "verifyStranger", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    request_body(content = Option<api::Verify>, content_type = "application/json", description = "What the user found"),
    responses((status = 200, description = "The safety words", body = api::Safety)))]
pub(super) async fn verify(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Safety>, Fault> {
    need_call(&app.published(), id)?;
    let verify: api::Verify = extract::json_or_default(body).await?;
    if let Some(result) = verify.result {
        let same = match result {
            api::SafetyResult::Same => true,
            api::SafetyResult::Different => false,
        };
        let asked = app.ask(Command::ComparedWithStranger { call: id, same }, About::Call(id));
        asked.await.map_err(|fault| {
            if fault.code == Code::WrongState {
                return Fault::new(Code::NoWords);
            }
            fault
        })?;
    }
    let published = app.published();
    let stranger = need_call(&published, id)?.stranger.as_ref();
    Ok(Json(view::safety(&stranger.ok_or(Code::NoStranger)?.safety)))
}

/// Says what one's own page sends at the moment.
///
/// The other side sees it as `peer_media`: muted, or camera off. It stops nothing by itself.
#[utoipa::path(patch, path = "/v1/calls/{id}", operation_id = "editCall", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    request_body(content = api::CallPatch, content_type = "application/json", description = "What is sent from now on"),
    responses((status = 200, description = "The call", body = api::Call)))]
pub(super) async fn edit(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    let patch: api::CallPatch = extract::json(body).await?;
    let media = patch.media.unwrap_or_default();
    let command = Command::SetSends {
        call: id,
        audio: media.audio,
        video: media.video,
    };
    app.ask(command, About::Call(id)).await?;
    render(&app, id)
}

/// Takes a missed call off the list: the user has seen it.
#[utoipa::path(delete, path = "/v1/calls/{id}", operation_id = "seeCall", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses((status = 204, description = "It is off the list")))]
pub(super) async fn see(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<StatusCode, Fault> {
    need_call(&app.published(), id)?;
    extract::nothing(body).await?;
    app.ask(Command::SeeMissed { call: id }, About::Call(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn render(app: &App, id: CallId) -> Result<Json<api::Call>, Fault> {
    let published = app.published();
    Ok(Json(view::call(need_call(&published, id)?, app.core.hub.now().boot)))
}
