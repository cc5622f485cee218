//! Each guard on each listener, alone and in order.

use super::World;
use super::fake::{call, call_id, contact_id};
use super::wire::{self, Answer, Request};
use twocan_core::event::CallState;

/// What can be wrong with a request, in the order in which it is to be noticed.
const FAULTS: [&str; 5] = ["host", "origin", "credential", "type", "id"];

fn request(host: &str, origin: Option<&str>, credential: Option<(&str, &str)>, kind: &str, call: u8) -> Request {
    let path = format!("/v1/calls/{}/answer", call_id(call).to_hex());
    let mut request = Request::new("POST", &path).header("Host", host);
    if let Some(origin) = origin {
        request = request.header("Origin", origin);
    }
    if let Some((name, value)) = credential {
        request = request.header(name, value);
    }
    request.body(kind, "{}")
}

/// A request with every fault from the `first` on and none before it.
fn faulty(first: usize, host: &str, origin: Option<&str>, credential: (&str, &str)) -> Request {
    let right = |fault: &str| FAULTS.iter().position(|known| *known == fault).unwrap() < first;
    request(
        if right("host") { host } else { "evil.example" },
        if right("origin") {
            origin
        } else {
            Some("http://evil.example")
        },
        right("credential").then_some(credential),
        if right("type") {
            "application/json"
        } else {
            "text/plain"
        },
        if right("id") { 1 } else { 200 },
    )
}

const CODES: [&str; 4] = ["wrong_host", "wrong_origin", "", "wrong_type"];

fn expected(first: usize, locked: &'static str) -> &'static str {
    match first {
        2 => locked,
        4 => "no_such_call",
        5 => "wrong_state",
        first => CODES[first],
    }
}

#[tokio::test]
async fn control_guards_are_in_order() {
    let world = World::new().await;
    let host = world.bound.control.to_string();
    let bearer = format!("Bearer {}", world.token);
    for first in 0..=5 {
        let request = faulty(first, &host, None, ("Authorization", &bearer));
        let answer = world.send(&request).await;
        assert_eq!(answer.code(), expected(first, "token_required"), "{}", request.text());
        let scheme = (answer.status == 401).then_some("Bearer");
        assert_eq!(answer.header("www-authenticate"), scheme);
        clean(&answer);
    }
}

#[tokio::test]
async fn page_guards_are_in_order() {
    let world = World::new().await;
    let host = world.bound.page.to_string();
    let origin = format!("http://{host}");
    let cookie = world.let_in().await;
    for first in 0..=5 {
        let request = faulty(first, &host, Some(&origin), ("Cookie", &cookie));
        let answer = world.send_page(&request).await;
        assert_eq!(answer.code(), expected(first, "page_locked"), "{}", request.text());
        let scheme = (answer.status == 401).then_some("Cookie");
        assert_eq!(answer.header("www-authenticate"), scheme);
        clean(&answer);
    }
}

#[tokio::test]
async fn the_unix_socket_checks_type_id_and_state() {
    let world = World::new().await;
    for (kind, call, code) in [
        ("text/plain", 200, "wrong_type"),
        ("application/json", 200, "no_such_call"),
    ] {
        let answer = world.send_unix(&request("any", None, None, kind, call)).await;
        assert_eq!(answer.code(), code);
    }
    let answer = world
        .send_unix(&request("any", None, None, "application/json", 1))
        .await;
    assert_eq!(
        answer.problem(),
        (409, "wrong_state".to_owned(), Some("ended".to_owned()))
    );
    clean(&answer);
    assert_eq!(
        world
            .send_unix(&Request::new("GET", "/v1/status").header("Host", "x"))
            .await
            .status,
        200
    );
}

/// No answer of any listener invites other origins.
fn clean(answer: &Answer) {
    assert!(
        !answer.header_names().any(|name| name.starts_with("access-control-")),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn control_hosts() {
    let world = World::new().await;
    let port = world.bound.control.port();
    let bearer = format!("Bearer {}", world.token);
    let cases = [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        ("127.0.0.1".to_owned(), 403),
        ("localhost".to_owned(), 403),
        (format!("127.0.0.1:{}", port ^ 1), 403),
        (format!("127.0.0.2:{port}"), 403),
        (format!("[::1]:{port}"), 403),
        (format!("localhost.:{port}"), 403),
        (format!("evil.example:{port}"), 403),
        (format!("127.0.0.1:{port}.evil.example"), 403),
        (String::new(), 403),
    ];
    for (host, status) in cases {
        for path in ["/v1/status", "/healthz", "/readyz"] {
            let request = Request::new("GET", path)
                .header("Host", &host)
                .header("Authorization", &bearer);
            assert_eq!(world.send(&request).await.status, status, "{host:?}");
        }
    }
    let bare = Request::new("GET", "/v1/status").header("Authorization", &bearer);
    assert_eq!(world.send(&bare).await.status, 403);
    let twice = world.control("GET", "/v1/status").header("Host", world.bound.control);
    assert_eq!(world.send(&twice).await.status, 403);
    let absolute = world.control("GET", "http://evil.example/v1/status");
    assert_eq!(world.send(&absolute).await.status, 403);
}

#[tokio::test]
async fn control_serves_no_browser() {
    let world = World::new().await;
    let own = format!("http://{}", world.bound.control);
    let cases = [
        ("Origin", own.as_str(), 403),
        ("Origin", "null", 403),
        ("Origin", "", 403),
        ("Referer", own.as_str(), 403),
        ("Sec-Fetch-Site", "same-origin", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "", 403),
        ("Sec-Fetch-Site", "none", 200),
    ];
    for (name, value, status) in cases {
        for path in ["/v1/status", "/healthz", "/readyz"] {
            let answer = world.send(&world.control("GET", path).header(name, value)).await;
            assert_eq!(answer.status, status, "{name}: {value:?} {path}");
        }
    }
    let twice = world
        .control("GET", "/v1/status")
        .header("Sec-Fetch-Site", "none")
        .header("Sec-Fetch-Site", "none");
    assert_eq!(world.send(&twice).await.status, 403);
}

#[tokio::test]
async fn tokens() {
    let world = World::new().await;
    let token = &world.token;
    assert_eq!(token.len(), 64);
    let cases = [
        (format!("Bearer {token}"), 200),
        (format!("bearer {token}"), 200),
        (token.clone(), 401),
        (format!("Basic {token}"), 401),
        (format!("Bearer {token}0"), 401),
        (format!("Bearer {}", &token[1..]), 401),
        (format!("Bearer {}", "0".repeat(64)), 401),
        ("Bearer ".to_owned(), 401),
        (String::new(), 401),
    ];
    for (value, status) in cases {
        let request = Request::new("GET", "/v1/status").header("Host", world.bound.control);
        let answer = world.send(&request.header("Authorization", &value)).await;
        assert_eq!(answer.status, status, "{value}");
        let challenge = (status == 401).then_some("Bearer");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    let none = Request::new("GET", "/v1/no/such").header("Host", world.bound.control);
    assert_eq!(world.send(&none).await.status, 401);
    for path in ["/healthz", "/readyz"] {
        let open = Request::new("GET", path).header("Host", world.bound.control);
        assert_eq!(world.send(&open).await.status, 200);
    }
}

#[tokio::test]
async fn page_hosts() {
    let world = World::new().await;
    let port = world.bound.page.port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 403),
        ("127.0.0.1".to_owned(), 403),
        (world.bound.control.to_string(), 403),
    ] {
        for path in ["/", "/healthz", "/v1/status"] {
            let cookie = world.let_in().await;
            let request = Request::new("GET", path).header("Host", &host).header("Cookie", cookie);
            assert_eq!(world.send_page(&request).await.status, status, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn page_origins() {
    let world = World::new().await;
    let cookie = world.let_in().await;
    let own = format!("http://{}", world.bound.page);
    let local = format!("http://localhost:{}", world.bound.page.port());
    let own = Some(own.as_str());
    // Method, Origin, Sec-Fetch-Site, Sec-Fetch-Mode.
    let cases = [
        ("GET", None, None, None, 200),
        ("GET", None, Some("same-origin"), Some("cors"), 200),
        ("GET", None, Some("none"), Some("navigate"), 200),
        ("GET", None, Some("none"), Some("cors"), 403),
        ("GET", None, Some("none"), None, 403),
        ("GET", None, Some("same-site"), Some("navigate"), 403),
        ("GET", None, Some("cross-site"), Some("navigate"), 403),
        ("GET", None, Some("cross-site"), Some("no-cors"), 403),
        ("GET", Some("http://evil.example"), None, None, 403),
        ("GET", own, Some("same-origin"), None, 200),
        ("PATCH", own, Some("same-origin"), Some("cors"), 200),
        ("PATCH", own, None, None, 200),
        ("PATCH", None, Some("same-origin"), None, 403),
        ("PATCH", None, None, None, 403),
        ("PATCH", own, Some("none"), Some("navigate"), 403),
        ("PATCH", own, Some("cross-site"), None, 403),
        ("PATCH", Some("null"), Some("same-origin"), None, 403),
        ("PATCH", Some(local.as_str()), Some("same-origin"), None, 403),
        (
            "PATCH",
            Some("http://evil.example"),
            Some("cross-site"),
            Some("navigate"),
            403,
        ),
    ];
    for (method, origin, site, mode, status) in cases {
        let mut request = Request::new(method, "/v1/me")
            .header("Host", world.bound.page)
            .header("Cookie", &cookie);
        for (name, value) in [("Origin", origin), ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)] {
            request = value
                .into_iter()
                .fold(request, |request, value| request.header(name, value));
        }
        if method == "PATCH" {
            request = request.json(r#"{"presence":"do_not_disturb"}"#);
        }
        let answer = world.send_page(&request).await;
        assert_eq!(answer.status, status, "{}", request.text());
    }
}

#[tokio::test]
async fn page_cookies() {
    let world = World::new().await;
    let cookie = world.let_in().await;
    let (name, value) = cookie.split_once('=').unwrap();
    assert_eq!(name, format!("twocan_{}", world.bound.page.port()));
    let cases = [
        (cookie.clone(), 200),
        (format!("a=b; {cookie}; c=d"), 200),
        (format!("{name}=planted; {cookie}"), 200),
        (format!("{name}=planted"), 401),
        (format!("{name}={}", value.to_uppercase()), 401),
        (format!("twocan_1={value}"), 401),
        (format!("{name}={}", world.token), 401),
        (String::new(), 401),
    ];
    for (sent, status) in cases {
        let request = Request::new("GET", "/v1/status")
            .header("Host", world.bound.page)
            .header("Cookie", &sent);
        assert_eq!(world.send_page(&request).await.status, status, "{sent}");
    }
    let token = Request::new("GET", "/v1/status").header("Host", world.bound.page);
    let token = token.header("Authorization", format!("Bearer {}", world.token));
    assert_eq!(world.send_page(&token).await.status, 401);
    let asset = Request::new("GET", "/js/app.js").header("Host", world.bound.page);
    assert_eq!(world.send_page(&asset).await.status, 401);
}

#[tokio::test]
async fn bodies_have_their_type() {
    let world = World::new().await;
    world.core.set_call(call(2, 1, true, CallState::Active));
    let contact = format!("/v1/contacts/{}", contact_id(1).to_hex());
    let media = format!("/v1/calls/{}/media", call_id(2).to_hex());
    let leg = format!("{media}/17");
    let sdpfrag = "application/trickle-ice-sdpfrag";
    let cases = [
        ("POST", "/v1/invites", Some("application/json"), "{}", 201),
        (
            "POST",
            "/v1/invites",
            Some("Application/JSON; charset=utf-8"),
            "{}",
            201,
        ),
        ("POST", "/v1/invites", None, "", 201),
        ("POST", "/v1/invites", None, "{}", 415),
        ("POST", "/v1/invites", Some("text/plain"), "", 415),
        (
            "POST",
            "/v1/invites",
            Some("application/x-www-form-urlencoded"),
            "{}",
            415,
        ),
        ("POST", "/v1/invites", Some("application/jsonx"), "{}", 415),
        ("PATCH", &contact, Some("application/merge-patch+json"), "{}", 415),
        ("DELETE", &contact, Some("text/plain"), "x", 415),
        ("POST", &media, Some("application/sdp"), "v=0", 201),
        ("POST", &media, Some("application/json"), "{}", 415),
        ("POST", &media, None, "", 415),
        ("PATCH", &leg, Some(sdpfrag), "a=x", 204),
        ("PATCH", &leg, Some("application/sdp"), "v=0", 415),
        ("DELETE", &leg, None, "", 200),
    ];
    for (method, path, kind, body, status) in cases {
        let mut request = world.control(method, path);
        request = match kind {
            Some(kind) => request.body(kind, body),
            None if body.is_empty() => request,
            None => request.header("Transfer-Encoding", "chunked"),
        };
        let mut text = request.text();
        if kind.is_none() && !body.is_empty() {
            text += &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        }
        let stream = tokio::net::TcpStream::connect(world.bound.control).await.unwrap();
        let answer = String::from_utf8(wire::raw(stream, text.as_bytes()).await).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{text}\n{answer}");
    }
}
