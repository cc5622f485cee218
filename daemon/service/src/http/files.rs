//! The page's files.
//!
//! A path whose last part has an extension is a file; every other path is a screen of the page, drawn by index.html.

use std::borrow::Cow;

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::{Code, Fault};

/// Finds a file by its path, without the first slash.
pub(super) type Files = fn(&str) -> Option<Cow<'static, [u8]>>;

#[derive(RustEmbed)]
#[folder = "../page"]
struct Embedded;

/// The files in the binary.
pub(super) fn embedded(path: &str) -> Option<Cow<'static, [u8]>> {
    Embedded::get(path).map(|file| file.data)
}

/// The answer to a request for a path that is no API route.
pub(super) fn serve(files: Files, method: &Method, path: &str) -> Result<Response, Fault> {
    let path = path.trim_start_matches('/');
    if path == "v1" || path.starts_with("v1/") || path.split('/').any(|part| part.starts_with('.')) {
        return Err(Code::NotFound.into());
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(Code::MethodNotAllowed.into());
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let wanted = if last.contains('.') { path } else { "index.html" };
    let data = files(wanted).ok_or(Code::NotFound)?;
    Ok(([(header::CONTENT_TYPE, content_type(wanted))], data.into_owned()).into_response())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "ogg" => "audio/ogg",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_in_the_binary() {
        assert!(embedded("index.html").is_some_and(|html| html.starts_with(b"<!doctype html>")));
        assert!(serve(embedded, &Method::GET, "/call/0102").is_ok());
        assert_eq!(
            serve(embedded, &Method::GET, "/none.js").err().map(|fault| fault.code),
            Some(Code::NotFound)
        );
    }
}
