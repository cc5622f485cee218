//! `/v1/calls`.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;
use twocan_core::command::{Command, Reply};
use twocan_core::event::CallView;
use twocan_core::ids::{CallId, ContactId};

use super::extract::At;
use super::hub::Published;
use super::problem::{Code, Fault};
use super::router::{About, App, need_call, unexpected};
use super::who::{Unclear, address, resolve};
use super::{extract, paging, view};

pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<api::List<api::Call>>, Fault> {
    let id = |call: &CallView| call.id.to_hex();
    Ok(Json(paging::page(&uri, &app.published().snapshot.calls, id, |call| {
        view::call(call, app.core.hub.now().boot)
    })?))
}

pub(super) async fn show(State(app): State<App>, At(id): At<CallId>) -> Result<Json<api::Call>, Fault> {
    render(&app, id)
}

/// 201 for a new call; 200 with the call that was there already, such as the ringing one that this answers.
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
        Reply::Done | Reply::Invite(_) | Reply::Contact(_) | Reply::Pong { .. } | Reply::Refused(_) => {
            Err(unexpected(&reply))
        }
    }
}

enum Whom {
    Contact(ContactId),
    Address(SocketAddr),
}

/// A contact that is called like an address goes before the address.
fn whom(published: &Published, to: &str) -> Result<Whom, Fault> {
    let known = resolve(&published.snapshot.contacts, to);
    if let (Err(Unclear::Nobody), Some(address)) = (&known, address(to)) {
        return Ok(Whom::Address(address));
    }
    known.map(Whom::Contact).map_err(|unclear| match unclear {
        Unclear::Nobody => Code::NoSuchContact.into(),
        Unclear::Several(names) => {
            let names = names.join(", ");
            Fault::new(Code::Ambiguous).detail(format!("Fitting: {names}. Write more of the name, or use the id."))
        }
    })
}

pub(super) async fn answer(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    act(&app, id, body, Command::Answer { call: id }).await
}

pub(super) async fn decline(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    // With one device a person, here is everywhere.
    let api::Decline { everywhere: _ } = extract::json_or_default(body).await?;
    app.ask(Command::Decline { call: id }, About::Call(id)).await?;
    render(&app, id)
}

pub(super) async fn hang_up(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    act(&app, id, body, Command::HangUp { call: id }).await
}

async fn act(app: &App, id: CallId, body: Body, command: Command) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    extract::nothing(body).await?;
    app.ask(command, About::Call(id)).await?;
    render(app, id)
}

/// Whether to keep the stranger of a call.
pub(super) async fn keep(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Call>, Fault> {
    need_call(&app.published(), id)?;
    let api::Keep { keep } = extract::json_or_default(body).await?;
    app.ask(Command::Keep { call: id, keep }, About::Call(id)).await?;
    render(&app, id)
}

/// The words of a call with a stranger, and the user's answer to them.
pub(super) async fn verify(State(app): State<App>, At(id): At<CallId>, body: Body) -> Result<Json<api::Safety>, Fault> {
    need_call(&app.published(), id)?;
    let verify: api::Verify = extract::json_or_default(body).await?;
    if let Some(result) = verify.result {
        let same = match result {
            api::SafetyResult::Same => true,
            api::SafetyResult::Different => false,
        };
        let asked = app.ask(Command::ComparedWithStranger { call: id, same }, About::Call(id));
        asked.await.map_err(|fault| match fault.code {
            Code::WrongState => Fault::new(Code::NoWords),
            _ => fault,
        })?;
    }
    let published = app.published();
    let stranger = need_call(&published, id)?.stranger.as_ref();
    Ok(Json(view::safety(&stranger.ok_or(Code::NoStranger)?.safety)))
}

/// The page says what it sends at the moment.
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

/// The user has seen that this call was missed.
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
