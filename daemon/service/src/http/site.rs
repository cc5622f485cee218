//! One listener's whole answer: guard, routes, headers, and a net under all of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use axum::response::{Html, IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tower::Service as _;
use twocan_api::Problem;

use super::guard::Guard;
use super::metrics::{Door, Meters};
use super::problem::{Code, Fault};
use super::words;

/// On every answer of every listener.
const ALWAYS: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// On every answer of the page listener: the page loads from its own origin alone, nobody frames it, and it tells
/// nobody where it was.
const PAGE: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What one listener serves.
pub(super) struct Site {
    guard: Guard,
    router: Router,
    meters: Arc<Meters>,
}

impl Site {
    pub(super) const fn new(guard: Guard, router: Router, meters: Arc<Meters>) -> Self {
        Self { guard, router, meters }
    }

    /// Answers one request. Never fails and never unwinds.
    pub(super) async fn answer(&self, request: Request<Body>) -> Response {
        let (head, body) = request.into_parts();
        let looks = looks(&head);
        let mut response = match self.guard.check(&head, !body.is_end_stream()) {
            Ok(()) => self.route(Request::from_parts(head, body)).await,
            Err(fault) => fault.into_response(),
        };
        if looks {
            response = self.for_people(response);
        }
        self.dress(response.headers_mut());
        self.meters.count(self.door(), response.status());
        response
    }

    async fn route(&self, request: Request<Body>) -> Response {
        let mut router = self.router.clone();
        let routed = AssertUnwindSafe(async move { router.call(request).await })
            .catch_unwind()
            .await;
        match routed {
            Ok(Ok(response)) => response,
            Err(_) => {
                tracing::error!("a handler of the local API panicked");
                Fault::new(Code::Internal).into_response()
            }
        }
    }

    /// Shows a problem as a page where a person's browser asked for one.
    fn for_people(&self, response: Response) -> Response {
        match (&self.guard, response.extensions().get::<Problem>()) {
            (Guard::Page(_), Some(problem)) => {
                let page = words::problem_page(&problem.title, &problem.detail);
                (response.status(), Html(page)).into_response()
            }
            (Guard::Unix | Guard::Control(_), _) | (Guard::Page(_), None) => response,
        }
    }

    const fn door(&self) -> Door {
        match self.guard {
            Guard::Unix => Door::Unix,
            Guard::Control(_) => Door::Control,
            Guard::Page(_) => Door::Page,
        }
    }

    fn dress(&self, headers: &mut HeaderMap) {
        let page = match self.guard {
            Guard::Unix | Guard::Control(_) => None,
            Guard::Page(_) => Some(PAGE),
        };
        for (name, value) in ALWAYS.into_iter().chain(page.into_iter().flatten()) {
            // A handler may set its own, as the documentation's pages do.
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
    }
}

/// Whether a browser asks for something to show in its window.
fn looks(head: &Parts) -> bool {
    let accepted = head.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html")) && !head.uri.path().starts_with("/v1/")
}
