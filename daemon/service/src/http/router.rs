//! The routes, and what their handlers share.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post};
use tokio::sync::watch;
use twocan_core::command::{Command, Reply};
use twocan_core::event::{CallView, ContactView};
use twocan_core::ids::{CallId, ContactId, InviteId};

use super::entrance::Entrance;
use super::hub::Published;
use super::idempotency::{self, Answers};
use super::problem::{Code, Fault, of_refusal};
use super::seam::{Clips, Legs, Loop};
use super::{calls, clip, contacts, door, events, files, invites, me, media, page, view};

/// What handlers share.
#[derive(Clone)]
pub(super) struct App {
    pub(super) core: Loop,
    pub(super) legs: Arc<dyn Legs>,
    /// Absent in a daemon without built-in clip.
    pub(super) clips: Option<Arc<dyn Clips>>,
    pub(super) entrance: Arc<Entrance>,
    pub(super) answers: Arc<Answers>,
    /// Becomes true when the daemon shuts down.
    pub(super) closing: watch::Receiver<bool>,
}

/// The routes of the control listener and the Unix socket.
pub(super) fn control(app: App) -> Router {
    finish(v1(Arc::clone(&app.answers)).fallback(no_route), app)
}

/// The same, and the page's files.
pub(super) fn page(app: App, files: files::Files) -> Router {
    let enter = format!("{}{{code}}", page::ENTER);
    let shown = move |method: Method, uri: Uri| async move { files::serve(files, &method, uri.path()) };
    finish(
        v1(Arc::clone(&app.answers))
            .route(&enter, get(page::enter))
            .fallback(shown),
        app,
    )
}

fn finish(routes: Router<App>, app: App) -> Router {
    routes.method_not_allowed_fallback(wrong_method).with_state(app)
}

fn v1(answers: Arc<Answers>) -> Router<App> {
    let once = from_fn_with_state(answers, idempotency::once);
    Router::new()
        .route("/healthz", get(me::healthz))
        .route("/readyz", get(me::readyz))
        .route("/v1/status", get(me::status))
        .route("/v1/me", get(me::show).patch(me::edit))
        .route("/v1/events", get(events::stream))
        .route(
            "/v1/contacts",
            get(contacts::list).merge(post(contacts::add).layer(once.clone())),
        )
        .route(
            "/v1/contacts/{id}",
            get(contacts::show).patch(contacts::edit).delete(contacts::remove),
        )
        .route("/v1/contacts/{id}/ping", post(contacts::ping))
        .route("/v1/contacts/{id}/verify", post(contacts::verify))
        .route(
            "/v1/invites",
            get(invites::list).merge(post(invites::create).layer(once.clone())),
        )
        .route("/v1/invites/{id}", delete(invites::remove))
        .route("/v1/door", get(door::show).put(door::put))
        .route("/v1/calls", get(calls::list).merge(post(calls::start).layer(once)))
        .route("/v1/calls/{id}", get(calls::show).patch(calls::edit).delete(calls::see))
        .route("/v1/calls/{id}/answer", post(calls::answer))
        .route("/v1/calls/{id}/decline", post(calls::decline))
        .route("/v1/calls/{id}/hangup", post(calls::hang_up))
        .route("/v1/calls/{id}/keep", post(calls::keep))
        .route("/v1/calls/{id}/verify", post(calls::verify))
        .route("/v1/calls/{id}/media", post(media::attach))
        .route(
            "/v1/calls/{id}/media/{leg}",
            patch(media::trickle).delete(media::detach),
        )
        .route("/v1/calls/{id}/clip", get(clip::stats).post(clip::attach))
        .route("/v1/page", post(page::open))
}

async fn no_route() -> Fault {
    Code::NotFound.into()
}

async fn wrong_method() -> Fault {
    Code::MethodNotAllowed.into()
}

/// What a command is about: names the missing thing and finds the state for a problem.
#[derive(Clone, Copy)]
pub(super) enum About {
    Me,
    Paste,
    Contact(ContactId),
    Invite,
    Call(CallId),
}

impl App {
    /// The newest picture.
    pub(super) fn published(&self) -> Arc<Published> {
        self.core.hub.published()
    }

    /// Has the loop do something. A refusal becomes its problem, with the state of what the command is about.
    pub(super) async fn ask(&self, command: Command, about: About) -> Result<Reply, Fault> {
        match self.core.ask(command).await {
            Some(Reply::Refused(refusal)) => {
                let code = of_refusal(refusal, about.missing());
                let state = about.state(code, &self.published());
                Err(Fault::new(code).state(state))
            }
            Some(reply) => Ok(reply),
            None => Err(Code::ShuttingDown.into()),
        }
    }
}

impl About {
    const fn missing(self) -> Code {
        match self {
            Self::Me | Self::Paste => Code::NotFound,
            Self::Contact(_) => Code::NoSuchContact,
            Self::Invite => Code::NoSuchInvite,
            Self::Call(_) => Code::NoSuchCall,
        }
    }

    fn state(self, code: Code, published: &Published) -> Option<String> {
        if code.status() != 409 {
            return None;
        }
        if code == Code::InCall {
            return Some("active".to_owned());
        }
        let state = match self {
            Self::Me | Self::Paste | Self::Invite => return None,
            Self::Contact(id) => view::contact_state_name(contact(published, id)?.state),
            Self::Call(id) => view::call_state_name(call(published, id)?.state),
        };
        Some(state.to_owned())
    }
}

/// A contact in the picture.
pub(super) fn contact(published: &Published, id: ContactId) -> Option<&ContactView> {
    published.snapshot.contacts.iter().find(|contact| contact.id == id)
}

/// A call in the picture.
pub(super) fn call(published: &Published, id: CallId) -> Option<&CallView> {
    published.snapshot.calls.iter().find(|call| call.id == id)
}

/// Fails where there is no such contact.
pub(super) fn need_contact(published: &Published, id: ContactId) -> Result<&ContactView, Fault> {
    contact(published, id).ok_or_else(|| Code::NoSuchContact.into())
}

/// Fails where there is no such call.
pub(super) fn need_call(published: &Published, id: CallId) -> Result<&CallView, Fault> {
    call(published, id).ok_or_else(|| Code::NoSuchCall.into())
}

/// Fails where there is no such invite.
pub(super) fn need_invite(published: &Published, id: InviteId) -> Result<&twocan_core::event::InviteView, Fault> {
    let found = published.snapshot.invites.iter().find(|invite| invite.id == id);
    found.ok_or_else(|| Code::NoSuchInvite.into())
}

/// The core answered a command with a reply that belongs to another.
pub(super) fn unexpected(reply: &Reply) -> Fault {
    tracing::error!(?reply, "the core gave a reply of another command");
    Code::Internal.into()
}
