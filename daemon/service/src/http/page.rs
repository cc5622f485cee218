//! `POST /v1/page` and the way in that it gives.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use twocan_api as api;

use super::entrance::CODE_LIFE;
use super::problem::{Code, Fault};
use super::router::App;
use super::{extract, guard, view};

/// Where a one-time code is used.
pub(super) const ENTER: &str = "/enter/";

/// Characters of a path to open, at most.
const PATH_CHARS: usize = 512;

/// Makes a one-time way in for the user's browser.
///
/// The URL works once, within 60 s; an empty body means the page's first screen.
#[utoipa::path(post, path = "/v1/page", operation_id = "openPage", tag = "service",
    request_body(content = Option<api::NewPage>, content_type = "application/json", description = "Which screen"),
    responses((status = 200, description = "The way in", body = api::PageUrl)))]
pub(super) async fn open(State(app): State<App>, body: Body) -> Result<Json<api::PageUrl>, Fault> {
    let new: api::NewPage = extract::json_or_default(body).await?;
    let path = new.path.unwrap_or_else(|| "/".to_owned());
    if !is_path(&path) {
        return Err(Code::BadPath.into());
    }
    let page = app.published().listeners.ok_or(Code::NotReady)?.page;
    let now = app.core.hub.now();
    let code = app.entrance.issue(path, now.boot).map_err(|error| internal(&error))?;
    Ok(Json(api::PageUrl {
        url: format!("{}{ENTER}{code}", view::origin(page)),
        expires_at: view::time(now.wall.saturating_add(CODE_LIFE.as_secs())),
    }))
}

/// A path on this origin and nothing else: a second slash or a backslash would name another host.
fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    path.len() <= PATH_CHARS && path.starts_with('/') && !path.contains("//") && path.bytes().all(plain)
}

/// Trades a code for a cookie. The one GET that changes something, and it can be done once.
pub(super) async fn enter(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
    CodeInPath(code): CodeInPath,
) -> Result<Response, Fault> {
    // Whatever only looks at a link must not use it up.
    if method != Method::GET || headers.contains_key("sec-purpose") || headers.contains_key("purpose") {
        return Err(Code::MethodNotAllowed.into());
    }
    let page = app.published().listeners.ok_or(Code::NotReady)?.page;
    let boot = app.core.hub.now().boot;
    let redeemed = app.entrance.redeem(&code, boot).map_err(|error| internal(&error))?;
    let (cookie, path) = redeemed.ok_or(Code::Spent)?;
    let name = guard::cookie_name(page);
    let headers = [
        (
            header::SET_COOKIE,
            format!("{name}={cookie}; SameSite=Strict; HttpOnly; Path=/"),
        ),
        (header::LOCATION, path),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The code of the path.
pub(super) struct CodeInPath(String);

impl<S: Send + Sync> FromRequestParts<S> for CodeInPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let code = extract::param(parts, state, "code").await;
        code.map(Self).ok_or_else(|| Code::Spent.into())
    }
}

fn internal(error: &anyhow::Error) -> Fault {
    tracing::error!(%error, "no page code");
    Code::Internal.into()
}
