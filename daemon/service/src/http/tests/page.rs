//! The page's own routes.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::World;
use super::wire::Request;

#[tokio::test]
async fn codes_work_once() {
    let world = World::new().await;
    let path = world.code("/call/abc").await;
    let enter = Request::new("GET", &path).header("Host", world.bound.page);
    for look in [
        Request::new("HEAD", &path).header("Host", world.bound.page),
        enter.clone().header("Sec-Purpose", "prefetch"),
        enter
            .clone()
            .header("Sec-Fetch-Site", "cross-site")
            .header("Sec-Fetch-Mode", "navigate"),
    ] {
        assert!(world.send_page(&look).await.status >= 400);
    }
    let typed = enter
        .clone()
        .header("Sec-Fetch-Site", "none")
        .header("Sec-Fetch-Mode", "navigate");
    let answer = world.send_page(&typed).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/call/abc")));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; SameSite=Strict; HttpOnly; Path=/"), "{cookie}");
    assert_eq!(world.send_page(&enter).await.code(), "code_spent");

    let path = world.code("/").await;
    world.boot_ms.fetch_add(60_000, Ordering::Relaxed);
    let late = Request::new("GET", &path).header("Host", world.bound.page);
    assert_eq!(world.send_page(&late).await.code(), "code_spent");
}

#[tokio::test]
async fn pages_to_open() {
    let world = World::new().await;
    let page = world.post("/v1/page", "").await.json();
    assert_eq!(page["expires_at"], "2027-01-15T08:01:00Z");
    for path in [
        "",
        "call",
        "//evil.example",
        "/a//b",
        "/\\evil.example",
        "/x?y",
        "/x#y",
        "/a\nb",
        "http://x/",
    ] {
        let answer = world.post("/v1/page", &json!({ "path": path }).to_string()).await;
        assert_eq!(answer.code(), "bad_path", "{path}");
    }
    let own = world.page("POST", "/v1/page").await.json("{}");
    assert_eq!(world.send_page(&own).await.status, 200);
}

#[tokio::test]
async fn the_page() {
    let world = World::new().await;
    for (path, status, kind) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/call/0102", 200, "text/html; charset=utf-8"),
        ("/devices", 200, "text/html; charset=utf-8"),
        ("/js/app.js", 200, "text/javascript; charset=utf-8"),
        ("/js/none.js", 404, "application/problem+json"),
        ("/../secret.txt", 404, "application/problem+json"),
        ("/.git/config", 404, "application/problem+json"),
        ("/v1/nothing", 404, "application/problem+json"),
        ("/v1/status", 200, "application/json"),
    ] {
        let answer = world.send_page(&world.page("GET", path).await).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(kind)),
            "{path}"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for (path, status) in [("/call/x", 401), ("/enter/0000", 403)] {
        let request = Request::new("GET", path).header("Host", world.bound.page);
        let locked = world.send_page(&request.header("Accept", "text/html,*/*;q=0.8")).await;
        assert_eq!(
            (locked.status, locked.header("content-type")),
            (status, Some("text/html; charset=utf-8"))
        );
        assert!(locked.body.contains("twocan open"));
    }
    let post = world.page("POST", "/").await;
    assert_eq!(world.send_page(&post).await.code(), "method_not_allowed");
}
