//! `/v1/contacts`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;
use twocan_core::command::{Command, Reply};
use twocan_core::event::ContactView;
use twocan_core::ids::ContactId;

use super::extract::At;
use super::problem::{Code, Fault, of_invite};
use super::router::{About, App, contact, need_contact, unexpected};
use super::{extract, paging, view};

/// The contacts.
#[utoipa::path(get, path = "/v1/contacts", operation_id = "listContacts", tag = "contacts",
    params(api::ListQuery),
    responses((status = 200, description = "One page of them", body = api::List<api::Contact>)))]
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<api::List<api::Contact>>, Fault> {
    let boot = app.core.hub.now().boot;
    let id = |contact: &ContactView| contact.id.to_hex();
    let list = paging::page(&uri, &app.published().snapshot.contacts, id, |view| {
        view::contact(view, boot)
    })?;
    Ok(Json(list))
}

/// Adds a contact by an invite link.
///
/// 201 for a new contact; 200 where the link belongs to one that was there already. An inviter who refuses before this is
/// answered makes it a problem; one who refuses later makes it an event.
#[utoipa::path(post, path = "/v1/contacts", operation_id = "addContact", tag = "contacts",
    request_body(content = api::NewContact, content_type = "application/json", description = "The link, or the message around it"),
    responses((status = 201, description = "A new contact; `pending` until its own device confirms", body = api::Contact, headers(("location" = String, description = "Where it is"))), (status = 200, description = "The contact to whom this link belongs, which was there already", body = api::Contact)))]
pub(super) async fn add(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    let new: api::NewContact = extract::json(body).await?;
    let before = app.published();
    let command = Command::AddContact {
        link: new.link,
        name: new.name,
        temporary: new.temporary,
    };
    let reply = app.ask(command, About::Paste).await?;
    let Reply::Contact(id) = reply else {
        return Err(unexpected(&reply));
    };
    // On a short path the inviter's refusal can be quicker than this answer.
    let refused = |gone| app.core.hub.refusal(id).map_or(gone, |why| of_invite(why).into());
    let body = render(&app, id).map_err(refused)?;
    if contact(&before, id).is_some() {
        return Ok(body.into_response());
    }
    let location = [(header::LOCATION, format!("/v1/contacts/{}", id.to_hex()))];
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// One contact.
#[utoipa::path(get, path = "/v1/contacts/{id}", operation_id = "getContact", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 200, description = "The contact", body = api::Contact)))]
pub(super) async fn show(State(app): State<App>, At(id): At<ContactId>) -> Result<Json<api::Contact>, Fault> {
    render(&app, id)
}

/// Renames a contact, keeps a contested one, or changes its switches.
#[utoipa::path(patch, path = "/v1/contacts/{id}", operation_id = "editContact", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    request_body(content = api::ContactPatch, content_type = "application/json", description = "What to change"),
    responses((status = 200, description = "The contact", body = api::Contact)))]
pub(super) async fn edit(
    State(app): State<App>,
    At(id): At<ContactId>,
    body: Body,
) -> Result<Json<api::Contact>, Fault> {
    need_contact(&app.published(), id)?;
    let patch: api::ContactPatch = extract::json(body).await?;
    let accept = match patch.state {
        None => false,
        Some(api::ContactState::Accepted) => true,
        Some(api::ContactState::Pending | api::ContactState::Contested) => {
            return Err(Fault::new(Code::OutOfBounds).detail("`state` can only be set to `accepted`."));
        }
    };
    let switches = [
        patch.blocked,
        patch.relay,
        patch.relay_only,
        patch.introduces,
        patch.one_click,
    ];
    let is_switch = switches.iter().any(Option::is_some);
    if patch.name.is_some() || accept || !is_switch {
        let command = Command::EditContact {
            contact: id,
            name: patch.name,
            accept,
        };
        act(&app, id, command).await?;
    }
    if let Some(blocked) = patch.blocked {
        act(&app, id, Command::Block { contact: id, blocked }).await?;
    }
    if patch.relay.is_some() || patch.relay_only.is_some() {
        let command = Command::SetRelays {
            contact: id,
            relay: patch.relay,
            relay_only: patch.relay_only,
        };
        act(&app, id, command).await?;
    }
    if let Some(introduces) = patch.introduces {
        act(
            &app,
            id,
            Command::SetIntroducer {
                contact: id,
                introduces,
            },
        )
        .await?;
    }
    if let Some(one_click) = patch.one_click {
        act(&app, id, Command::SetOneClick { contact: id, one_click }).await?;
    }
    render(&app, id)
}

/// Does something with a contact that gives a contact.
async fn act(app: &App, id: ContactId, command: Command) -> Result<(), Fault> {
    match app.ask(command, About::Contact(id)).await? {
        Reply::Contact(_) | Reply::Done => Ok(()),
        reply @ (Reply::Invite(_)
        | Reply::CallStarted(_)
        | Reply::Call(_)
        | Reply::Pong { .. }
        | Reply::Paste(_)
        | Reply::Refused(_)) => Err(unexpected(&reply)),
    }
}

/// Makes safety words, or takes the user's answer to them.
///
/// Without `result` it returns when the words are there, within 5 s.
#[utoipa::path(post, path = "/v1/contacts/{id}/verify", operation_id = "verifyContact", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    request_body(content = Option<api::Verify>, content_type = "application/json", description = "What the user found"),
    responses((status = 200, description = "The safety words", body = api::Safety)))]
pub(super) async fn verify(
    State(app): State<App>,
    At(id): At<ContactId>,
    body: Body,
) -> Result<Json<api::Safety>, Fault> {
    need_contact(&app.published(), id)?;
    let verify: api::Verify = extract::json_or_default(body).await?;
    let command = match verify.result {
        None => Command::Verify { contact: id },
        Some(api::SafetyResult::Same) => Command::Compared {
            contact: id,
            same: true,
        },
        Some(api::SafetyResult::Different) => Command::Compared {
            contact: id,
            same: false,
        },
    };
    let is_answer = verify.result.is_some();
    act(&app, id, command).await.map_err(|fault| {
        if is_answer && fault.code == Code::WrongState {
            return Fault::new(Code::NoWords);
        }
        fault
    })?;
    let published = app.published();
    Ok(Json(view::safety(&need_contact(&published, id)?.safety)))
}

/// Deletes a contact and the keys shared with it.
#[utoipa::path(delete, path = "/v1/contacts/{id}", operation_id = "deleteContact", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn remove(State(app): State<App>, At(id): At<ContactId>, body: Body) -> Result<StatusCode, Fault> {
    need_contact(&app.published(), id)?;
    extract::nothing(body).await?;
    app.ask(Command::DeleteContact { contact: id }, About::Contact(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Proves the path to a contact now.
#[utoipa::path(post, path = "/v1/contacts/{id}/ping", operation_id = "pingContact", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 200, description = "The round trip", body = api::Pong)))]
pub(super) async fn ping(State(app): State<App>, At(id): At<ContactId>, body: Body) -> Result<Json<api::Pong>, Fault> {
    need_contact(&app.published(), id)?;
    extract::nothing(body).await?;
    let reply = app.ask(Command::Ping { contact: id }, About::Contact(id)).await?;
    let Reply::Pong { rtt_ms } = reply else {
        return Err(unexpected(&reply));
    };
    Ok(Json(api::Pong { rtt_ms }))
}

fn render(app: &App, id: ContactId) -> Result<Json<api::Contact>, Fault> {
    let published = app.published();
    let contact = need_contact(&published, id)?;
    Ok(Json(view::contact(contact, app.core.hub.now().boot)))
}
