//! `/docs`: the description of the API, to read and to try, offline, on the page listener.
//!
//! Swagger UI comes out of the binary. It styles itself from scripts, so these pages have a policy of their own; it still
//! loads from this origin alone.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::{Config, serve};

use super::problem::{Code, Fault};

/// Where it is.
pub(super) const PATH: &str = "/docs";

const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const INDEX: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Twocan: local API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"#;

/// No validator: it would send the description to a company.
const START: &str =
    "SwaggerUIBundle({ url: '/v1/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n";

/// The page.
pub(super) async fn index() -> impl IntoResponse {
    ([POLICY, (header::CONTENT_TYPE, "text/html; charset=utf-8")], INDEX)
}

/// What the page loads.
pub(super) async fn file(Asset(name): Asset) -> Result<Response, Fault> {
    if name == "start.js" {
        let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
        return Ok(([POLICY, kind], START).into_response());
    }
    let known = matches!(
        name.as_str(),
        "swagger-ui.css" | "swagger-ui-bundle.js" | "favicon-32x32.png"
    );
    let found = if known {
        serve(&name, Arc::new(Config::from("/v1/openapi.json"))).ok().flatten()
    } else {
        None
    };
    let file = found.ok_or(Code::NotFound)?;
    let mut response = ([POLICY], Body::from(file.bytes.into_owned())).into_response();
    let headers = response.headers_mut();
    let kind = file.content_type.parse().map_err(|_| Fault::new(Code::Internal))?;
    headers.insert(header::CONTENT_TYPE, kind);
    if file.gzpipped {
        headers.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The file's name in the path.
pub(super) struct Asset(String);

impl<S: Send + Sync> FromRequestParts<S> for Asset {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|Path(name)| Self(name)).map_err(|_| Code::NotFound.into())
    }
}
