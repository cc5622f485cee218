//! `/v1/network` and `/v1/contacts/{id}/network`: the doctor.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use twocan_api as api;
use twocan_core::command::{Command, Reply};
use twocan_core::ids::ContactId;

use super::extract::{self, At};
use super::problem::Fault;
use super::router::{About, App, need_contact, unexpected};
use super::view;

/// What this device looks like from outside.
#[utoipa::path(get, path = "/v1/network", operation_id = "getNetwork", tag = "network",
    responses((status = 200, description = "What is known", body = api::Network)))]
pub(super) async fn show(State(app): State<App>) -> Json<api::Network> {
    let boot = app.core.hub.now().boot;
    Json(view::network(&app.published().snapshot.network, boot))
}

/// Looks now, and returns when that is done, within ten seconds or so.
///
/// Asks the STUN servers and the router. Asked again within 5 s it returns what is known.
#[utoipa::path(post, path = "/v1/network/check", operation_id = "checkNetwork", tag = "network",
    responses((status = 200, description = "What is known", body = api::Network)))]
pub(super) async fn check(State(app): State<App>, body: Body) -> Result<Json<api::Network>, Fault> {
    extract::nothing(body).await?;
    let reply = app.ask(Command::CheckNetwork, About::Me).await?;
    let Reply::Done = reply else {
        return Err(unexpected(&reply));
    };
    Ok(show(State(app)).await)
}

/// What both sides are behind, and what that means for a path.
#[utoipa::path(get, path = "/v1/contacts/{id}/network", operation_id = "getContactNetwork", tag = "network",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 200, description = "Both sides", body = api::ContactNetwork)))]
pub(super) async fn with_contact(
    State(app): State<App>,
    At(id): At<ContactId>,
) -> Result<Json<api::ContactNetwork>, Fault> {
    let published = app.published();
    let contact = need_contact(&published, id)?;
    let boot = app.core.hub.now().boot;
    Ok(Json(view::contact_network(&published.snapshot.network, contact, boot)))
}
