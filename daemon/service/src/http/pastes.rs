//! `/v1/pastes`: links that somebody sent, held until the user has said what is to come of them.
//!
//! Whoever clicks a link in a mail has not decided anything yet: the page asks, and for that it needs the link. So the
//! link waits here and not in an address of the page, which browsers remember and may send elsewhere. Nothing happens
//! until the link is used like one that was pasted.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;
use twocan_core::command::{Command, PasteView, Reply};

use super::problem::{Code, Fault};
use super::router::{About, App, unexpected};
use super::{extract, secret, view};

/// How long a link is held.
const LIFE: Duration = Duration::from_mins(10);
/// Links held, at most; the oldest gives way.
const HELD: usize = 16;

/// The links that wait.
#[derive(Default)]
pub(super) struct Pastes {
    held: Mutex<VecDeque<Held>>,
}

struct Held {
    id: String,
    link: String,
    until: Duration,
}

impl Pastes {
    /// Holds a link; gives its id. `boot` is the present time since boot.
    fn hold(&self, link: String, boot: Duration) -> anyhow::Result<String> {
        let id = secret::random_hex::<16>()?;
        let mut held = self.lock();
        held.retain(|old| boot < old.until);
        if held.len() >= HELD {
            held.pop_front();
        }
        held.push_back(Held {
            id: id.clone(),
            link,
            until: boot.saturating_add(LIFE),
        });
        Ok(id)
    }

    fn get(&self, id: &str, boot: Duration) -> Option<String> {
        let held = self.lock();
        let mut waiting = held.iter().filter(|one| boot < one.until);
        waiting.find(|one| one.id == id).map(|one| one.link.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at a link that somebody sent, and holds it for the page to ask about.
///
/// Nothing comes of it until it is used. A link that cannot be used now says so in `why`.
#[utoipa::path(post, path = "/v1/pastes", operation_id = "createPaste", tag = "invites",
    request_body(content = api::NewPaste, content_type = "application/json", description = "The link, or the message around it"),
    responses((status = 201, description = "What it is", body = api::Paste, headers(("location" = String, description = "Where it is")))))]
pub(super) async fn create(State(app): State<App>, body: Body) -> Result<Response, Fault> {
    let new: api::NewPaste = extract::json(body).await?;
    let seen = look(&app, new.text).await?;
    let held = app.pastes.hold(seen.link.clone(), app.core.hub.now().boot);
    let id = held.map_err(|error| {
        tracing::error!(%error, "a link cannot be held");
        Code::Internal
    })?;
    let location = [(header::LOCATION, format!("/v1/pastes/{id}"))];
    Ok((StatusCode::CREATED, location, Json(view::paste(id, seen))).into_response())
}

/// A link that waits, as it stands now.
#[utoipa::path(get, path = "/v1/pastes/{id}", operation_id = "getPaste", tag = "invites",
    params(("id" = String, Path, description = "The paste's id")),
    responses((status = 200, description = "What it is", body = api::Paste)))]
pub(super) async fn show(State(app): State<App>, PasteInPath(id): PasteInPath) -> Result<Json<api::Paste>, Fault> {
    let held = app.pastes.get(&id, app.core.hub.now().boot);
    let seen = look(&app, held.ok_or(Code::NoSuchPaste)?).await?;
    Ok(Json(view::paste(id, seen)))
}

async fn look(app: &App, text: String) -> Result<PasteView, Fault> {
    let reply = app.ask(Command::LookAtPaste { text }, About::Paste).await?;
    let Reply::Paste(seen) = reply else {
        return Err(unexpected(&reply));
    };
    Ok(*seen)
}

/// The id of the path.
pub(super) struct PasteInPath(String);

impl<S: Send + Sync> FromRequestParts<S> for PasteInPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let id = extract::param(parts, state, "id").await;
        id.map(Self).ok_or_else(|| Code::NoSuchPaste.into())
    }
}
