//! `/v1/door`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use twocan_api as api;
use twocan_core::bounds;
use twocan_core::command::{Command, Reply};

use super::extract;
use super::problem::Fault;
use super::router::{About, App, unexpected};
use super::view;

/// The door, and where strangers would find it.
#[utoipa::path(get, path = "/v1/door", operation_id = "getDoor", tag = "door",
    responses((status = 200, description = "The door", body = api::Door)))]
pub(super) async fn show(State(app): State<App>) -> Json<api::Door> {
    let now = app.core.hub.now();
    Json(view::door(&app.published().snapshot.door, now.boot))
}

/// Opens the door to strangers for a time, anew if it is open; or closes it.
///
/// A call that came in goes on. Limits of who may ring outlive an opening.
#[utoipa::path(put, path = "/v1/door", operation_id = "setDoor", tag = "door",
    request_body(content = api::DoorPut, content_type = "application/json", description = "Whether it is open, and for how long"),
    responses((status = 200, description = "The door", body = api::Door)))]
pub(super) async fn put(State(app): State<App>, body: Body) -> Result<Json<api::Door>, Fault> {
    let put: api::DoorPut = extract::json(body).await?;
    let command = Command::SetDoor {
        open: put.open,
        for_s: put.seconds.unwrap_or(bounds::DOOR_LIFE_S),
    };
    let bounds = bounds::DOOR_LIFE_LEAST_S..=bounds::DOOR_LIFE_MOST_S;
    let asked = app.ask(command, About::Me).await;
    let reply = asked.map_err(|fault| fault.bounds("seconds", bounds))?;
    let Reply::Done = reply else {
        return Err(unexpected(&reply));
    };
    Ok(show(State(app)).await)
}
