//! The routes, and what their handlers share.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::watch;
use twocan_core::command::{Command, Reply};
use twocan_core::event::{CallView, ContactView};
use twocan_core::ids::{CallId, ContactId, InviteId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::entrance::Entrance;
use super::hub::Published;
use super::metrics::Meters;
use super::once::{Kept, once};
use super::pastes::Pastes;
use super::problem::{Code, Fault, of_refusal};
use super::seam::{Clips, Echoes, Legs, Loop};
use super::{
    calls, clip, contacts, docs, door, events, files, invites, key, me, media, metrics, network, openapi, page, pastes,
    privacy, test_call, view,
};

/// What handlers share.
#[derive(Clone)]
pub(super) struct App {
    pub(super) core: Loop,
    pub(super) legs: Arc<dyn Legs>,
    /// Absent in a daemon without built-in clip.
    pub(super) clips: Option<Arc<dyn Clips>>,
    /// Absent in a daemon that is Echo itself.
    pub(super) echoes: Option<Arc<dyn Echoes>>,
    pub(super) entrance: Arc<Entrance>,
    pub(super) pastes: Arc<Pastes>,
    pub(super) kept: Arc<Kept>,
    pub(super) meters: Arc<Meters>,
    /// Becomes true when the daemon shuts down.
    pub(super) closing: watch::Receiver<bool>,
}

/// The routes of the control listener and the Unix socket.
pub(super) fn control(app: App) -> Router {
    let routes: Router<App> = described(&app.kept).into();
    finish(routes.fallback(no_route), app)
}

/// The same, and the page's files.
pub(super) fn page(app: App, files: files::Files) -> Router {
    let enter = format!("{}{{code}}", page::ENTER);
    let shown = move |method: Method, uri: Uri| async move { files::serve(files, &method, uri.path()) };
    let routes: Router<App> = described(&app.kept).into();
    let routes = routes
        .route(&enter, get(page::enter))
        .route(docs::PATH, get(docs::index))
        .route(&format!("{}/{{file}}", docs::PATH), get(docs::file))
        .fallback(shown);
    finish(routes, app)
}

fn finish(routes: Router<App>, app: App) -> Router {
    routes.method_not_allowed_fallback(wrong_method).with_state(app)
}

/// Every route that both doors lead to, with its description. What creates something answers once for each key.
pub(super) fn described(kept: &Arc<Kept>) -> OpenApiRouter<App> {
    creating()
        .route_layer(from_fn_with_state(Arc::clone(kept), once))
        .merge(other())
}

fn creating() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(contacts::list, contacts::add))
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::take_reply))
        .routes(routes!(calls::list, calls::start))
        .routes(routes!(media::attach))
        .routes(routes!(clip::stats, clip::attach))
        .routes(routes!(page::open))
        .routes(routes!(pastes::create))
        .routes(routes!(test_call::start))
}

fn other() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(me::healthz))
        .routes(routes!(me::readyz))
        .routes(routes!(metrics::show))
        .routes(routes!(openapi::show))
        .routes(routes!(me::status))
        .routes(routes!(me::show, me::edit))
        .routes(routes!(key::show, key::put))
        .routes(routes!(privacy::show))
        .routes(routes!(privacy::erase))
        .routes(routes!(events::stream))
        .routes(routes!(contacts::show, contacts::edit, contacts::remove))
        .routes(routes!(contacts::ping))
        .routes(routes!(contacts::verify))
        .routes(routes!(invites::remove))
        .routes(routes!(invites::code))
        .routes(routes!(pastes::show))
        .routes(routes!(door::show, door::put))
        .routes(routes!(network::show))
        .routes(routes!(network::check))
        .routes(routes!(network::with_contact))
        .routes(routes!(calls::show, calls::edit, calls::see))
        .routes(routes!(calls::answer))
        .routes(routes!(calls::decline))
        .routes(routes!(calls::hang_up))
        .routes(routes!(calls::keep))
        .routes(routes!(calls::verify))
        .routes(routes!(media::trickle, media::detach))
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
        let state = match self {
            Self::Me | Self::Paste | Self::Invite => return None,
            Self::Contact(_) if code == Code::Blocked => "blocked",
            Self::Contact(id) if code == Code::Unreachable => view::reachable_name(contact(published, id)?.reachable),
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
