//! The description of the API (OpenAPI 3.1): the routes say what they take and give, this file adds what can go wrong.
//!
//! `api-docs/openapi.json` is this document; a test compares them. Each operation names every problem code that it can
//! answer with, so a client can match on `code`. What is common follows from the method and the path; the rest stands in
//! [`own`], by operation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema as _;
use utoipa::ToSchema as _;

use super::problem::Code;
use super::router;

/// This description.
#[utoipa::path(get, path = "/v1/openapi.json", operation_id = "getDescription", tag = "service",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text())
}

/// The document as text.
pub(super) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = serde_json::to_string_pretty(&document());
        // A JSON value always renders.
        text.unwrap_or_default() + "\n"
    });
    &TEXT
}

fn document() -> Value {
    let described = router::described(&std::sync::Arc::default()).into_openapi();
    let mut document = serde_json::to_value(described).unwrap_or_default();
    set(&mut document, "info", info());
    // Whichever listener gave the description.
    set(&mut document, "servers", json!([{ "url": "/" }]));
    set(&mut document, "security", json!([{ "token": [] }, { "cookie": [] }]));
    set(&mut document, "tags", tags());
    let schemas = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    if let Some(schemas) = schemas {
        describe_events(schemas);
        schemas.insert("Problem".to_owned(), schema::<twocan_api::Problem>());
    }
    if let Some(components) = document.get_mut("components") {
        set(components, "securitySchemes", security());
    }
    for (path, operations) in entries(document.get_mut("paths")) {
        for (method, operation) in entries(Some(operations)) {
            complete(path, method, operation);
        }
    }
    document
}

fn entries(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn schema<T: utoipa::PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// The stream's bodies are in no response of their own.
fn describe_events(schemas: &mut Map<String, Value>) {
    let mut used = Vec::new();
    twocan_api::Event::schemas(&mut used);
    used.push((twocan_api::Event::name().into_owned(), twocan_api::Event::schema()));
    for (name, schema) in used {
        schemas
            .entry(name)
            .or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
}

fn info() -> Value {
    json!({
        "title": "Twocan: local API",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "MIT OR Apache-2.0" },
        "description": "What the tray and the page can do, a script can do here. Three listeners, the same routes: the Unix socket \
            `run/api.sock` (no token), the control address (bearer token, programs only), the page's address (cookie, the page \
            only). Requests are checked in this order: Host, Origin with Referer and Sec-Fetch-Site, credential, content type, id, \
            state.\n\nErrors are problem documents (RFC 9457) with a stable `code`. Times are RFC 3339, durations and milliseconds \
            numbers, ids opaque strings; fields may join. Actions without fields take no body, or `{}`. A path without route \
            answers 404 `not_found`, a method that a path does not take 405 `method_not_allowed`, a head of more than 64 KiB 431, \
            all without touching anything. HTTP/1.1 only. Examples: api-docs/cookbook.md; events: api-docs/events.md."
    })
}

fn tags() -> Value {
    json!([
        { "name": "status", "description": "The daemon" },
        { "name": "me", "description": "Oneself" },
        { "name": "events", "description": "What changes" },
        { "name": "contacts", "description": "People you accepted" },
        { "name": "invites", "description": "One-use links" },
        { "name": "door", "description": "Whether strangers may ring" },
        { "name": "network", "description": "What this device looks like from outside" },
        { "name": "calls", "description": "Calls" },
        { "name": "media", "description": "What a call sends and shows here" },
        { "name": "service", "description": "For programs around it" },
    ])
}

fn security() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "On the control address: the content of `run/api.token`. The Unix socket needs none."
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "twocan_2227",
            "description": "On the page's address: given for a one-time code; the name carries the port."
        }
    })
}

/// Adds to an operation what it shares with others.
fn complete(path: &str, method: &str, operation: &mut Value) {
    if is_open(path) {
        set(operation, "security", json!([]));
    }
    if creates(path, method) {
        let parameter = json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same key with the same body gives the same answer and is carried out once; with another body it is \
                a problem. The last 256 keys are remembered while the daemon runs.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }
        });
        match operation.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(parameters) => parameters.push(parameter),
            None => set(operation, "parameters", json!([parameter])),
        }
    }
    simplify_body(operation);
    let id = operation
        .get("operationId")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in common(path, method).into_iter().chain(own(&id).iter().copied()) {
        let codes = by_status.entry(code.status()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    if let Some(responses) = operation.get_mut("responses") {
        for (status, codes) in by_status {
            set(responses, &status.to_string(), response(status, &codes));
        }
    }
}

/// A body that may be left out may not be `null` for that.
fn simplify_body(operation: &mut Value) {
    let schema = operation.pointer_mut("/requestBody/content/application~1json/schema");
    if let Some(schema) = schema
        && let Some(whole) = schema.pointer("/oneOf/0").cloned()
    {
        *schema = whole;
    }
}

fn response(status: u16, codes: &[Code]) -> Value {
    let lines: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.name(), code.title()))
        .collect();
    let names: Vec<_> = codes.iter().map(|code| code.name()).collect();
    let narrowed = json!({ "properties": { "status": { "const": status }, "code": { "enum": names } } });
    json!({
        "description": lines.join("\n\n"),
        "content": { "application/problem+json": {
            "schema": { "allOf": [{ "$ref": "#/components/schemas/Problem" }, narrowed] }
        } }
    })
}

fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// Whether the operation is behind the layer of `once.rs`.
fn creates(path: &str, method: &str) -> bool {
    let made = [
        "/contacts",
        "/invites",
        "/calls",
        "/media",
        "/clip",
        "/page",
        "/pastes",
        "/test-call",
    ];
    method == "post" && made.iter().any(|noun| path.ends_with(noun))
}

/// What the guards, the body and the path can bring about.
fn common(path: &str, method: &str) -> Vec<Code> {
    let mut codes = vec![Code::WrongHost, Code::WrongOrigin, Code::Internal];
    if !is_open(path) {
        codes.extend([Code::TokenRequired, Code::PageLocked]);
    }
    if method != "get" {
        codes.extend([Code::WrongType, Code::TooLarge, Code::TooSlow, Code::Malformed]);
    }
    if creates(path, method) {
        codes.extend([Code::BadKey, Code::KeyReused]);
    }
    for (part, code) in [
        ("/contacts/{id}", Code::NoSuchContact),
        ("/invites/{id}", Code::NoSuchInvite),
        ("/pastes/{id}", Code::NoSuchPaste),
        ("/calls/{id}", Code::NoSuchCall),
        ("/media", Code::NoCurrentCall),
        ("/{leg}", Code::NoSuchLeg),
    ] {
        if path.contains(part) {
            codes.push(code);
        }
    }
    codes
}

/// What can keep the key where it is.
const KEY_MOVE: &[Code] = &[
    Code::OutOfBounds,
    Code::BadPassphrase,
    Code::KeyringUnusable,
    Code::WrongState,
    Code::StoreFailed,
    Code::ShuttingDown,
];

/// What one operation alone can bring about; nothing for an operation that is not known.
fn own(operation: &str) -> &'static [Code] {
    match operation {
        "readyz" => &[Code::NotReady, Code::ShuttingDown],
        "getStatus" | "getMe" | "streamEvents" => &[Code::NotReady],
        "listContacts" | "listInvites" | "listCalls" => &[Code::BadQuery],
        "editMe" => &[Code::BadName, Code::StoreFailed, Code::NotReady, Code::ShuttingDown],
        "addContact" => &[
            Code::NoSuchContact,
            Code::InviteOwn,
            Code::InviteExpired,
            Code::InviteUsed,
            Code::InviteUnknown,
            Code::InviteBadProof,
            Code::TooMany,
            Code::InviteDamaged,
            Code::InviteNewer,
            Code::Blocked,
            Code::BadName,
            Code::StoreFailed,
            Code::ShuttingDown,
        ],
        "editContact" => &[
            Code::WrongState,
            Code::BadName,
            Code::OutOfBounds,
            Code::StoreFailed,
            Code::ShuttingDown,
        ],
        "deleteContact" | "deleteInvite" => &[Code::StoreFailed, Code::ShuttingDown],
        "verifyContact" => &[
            Code::Blocked,
            Code::NotAccepted,
            Code::Unreachable,
            Code::NoWords,
            Code::SafetyPause,
            Code::SafetyLimit,
            Code::SafetyFailed,
            Code::SafetyUnsupported,
            Code::StoreFailed,
            Code::ShuttingDown,
        ],
        "eraseData" => &[Code::OutOfBounds, Code::StoreFailed, Code::ShuttingDown],
        "pingContact" => &[Code::Unreachable, Code::ShuttingDown],
        "createInvite" => &[
            Code::NoSuchInvite,
            Code::TooMany,
            Code::OutOfBounds,
            Code::StoreFailed,
            Code::ShuttingDown,
        ],
        "takeReply" => &[
            Code::NoSuchInvite,
            Code::InviteDamaged,
            Code::InviteNewer,
            Code::InviteExpired,
            Code::InviteOwn,
            Code::ShuttingDown,
        ],
        "startCall" => &[
            Code::NoSuchContact,
            Code::NoSuchCall,
            Code::Ambiguous,
            Code::NotAccepted,
            Code::Blocked,
            Code::InCall,
            Code::BadAddress,
            Code::ShuttingDown,
        ],
        "checkNetwork" => &[Code::ShuttingDown],
        "setDoor" => &[Code::OutOfBounds, Code::ShuttingDown],
        "moveKey" => KEY_MOVE,
        "keepStranger" => &[
            Code::NoStranger,
            Code::CannotKeep,
            Code::WrongState,
            Code::TooMany,
            Code::StoreFailed,
            Code::ShuttingDown,
        ],
        "verifyStranger" => &[Code::NoStranger, Code::NoWords, Code::StoreFailed, Code::ShuttingDown],
        "answerCall" | "declineCall" | "hangUpCall" | "editCall" | "seeCall" => &[Code::WrongState, Code::ShuttingDown],
        "attachMedia" => &[Code::CallEnded, Code::TooManyLegs, Code::BadOffer, Code::NoInterface],
        "trickleMedia" => &[Code::CallEnded, Code::BadOffer],
        "attachClip" => &[
            Code::NotFound,
            Code::CallEnded,
            Code::TooManyLegs,
            Code::OutOfBounds,
            Code::NoInterface,
        ],
        "getClip" => &[Code::NoSuchLeg, Code::NotFound],
        "createPaste" | "getPaste" => &[Code::InviteDamaged, Code::InviteNewer, Code::ShuttingDown],
        "testCall" => &[Code::InCall, Code::NoEcho, Code::NoSuchCall, Code::NotFound],
        "openPage" => &[Code::BadPath, Code::NotReady],
        _ => &[],
    }
}
