//! One listener's whole answer: guard, routes, headers, and a net under all of it.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tower::Service as _;

use super::guard::Guard;
use super::page;
use super::problem::{Code, Fault};

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
}

impl Site {
    pub(super) const fn new(guard: Guard, router: Router) -> Self {
        Self { guard, router }
    }

    /// Answers one request. Never fails and never unwinds.
    pub(super) async fn answer(&self, request: Request<Body>) -> Response {
        let (head, body) = request.into_parts();
        let mut response = match self.guard.check(&head, !body.is_end_stream()) {
            Ok(()) => self.route(Request::from_parts(head, body)).await,
            Err(fault) => self.refuse(&head, fault),
        };
        self.dress(response.headers_mut());
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

    fn refuse(&self, head: &Parts, fault: Fault) -> Response {
        let for_people = matches!(self.guard, Guard::Page(_)) && !head.uri.path().starts_with("/v1/");
        if for_people && fault.code == Code::PageLocked {
            return page::locked(fault);
        }
        fault.into_response()
    }

    fn dress(&self, headers: &mut HeaderMap) {
        let page = match self.guard {
            Guard::Unix | Guard::Control(_) => None,
            Guard::Page(_) => Some(PAGE),
        };
        for (name, value) in ALWAYS.into_iter().chain(page.into_iter().flatten()) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
