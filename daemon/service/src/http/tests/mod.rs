//! The API against a fake loop and fake legs, over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and JSON values answer a missing key with null"
)]

mod calls;
mod described;
mod fake;
mod guards;
mod once;
mod page;
mod pastes;
mod requests;
mod routes;
mod server;
mod stream;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use twocan_core::time::Now;

use self::fake::{FakeLegs, FakeLoop};
use self::wire::{Answer, Request};
use super::seam::{Clock, ServiceFacts, seam};
use super::server::{Bound, HttpConfig, serve_files};

/// Anything that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running API.
struct World {
    bound: Bound,
    home: TempDir,
    core: Arc<FakeLoop>,
    legs: Arc<FakeLegs>,
    boot_ms: Arc<AtomicU64>,
    token: String,
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn files(path: &str) -> Option<std::borrow::Cow<'static, [u8]>> {
    match path {
        "index.html" => Some(b"<!doctype html><title>index</title>".as_slice().into()),
        "js/app.js" => Some(b"export {};".as_slice().into()),
        _ => None,
    }
}

impl World {
    async fn new() -> Self {
        let home = TempDir::new().unwrap();
        let boot_ms = Arc::new(AtomicU64::new(1_000_000));
        let reading = Arc::clone(&boot_ms);
        let clock: Clock = Arc::new(move || Now {
            boot: Duration::from_millis(reading.load(Ordering::Relaxed)),
            wall: 1_800_000_000,
            millis: 0,
        });
        let facts = ServiceFacts {
            version: "0.0.0".to_owned(),
            pid: 42,
            udp: vec![loopback()],
            ring_sound: true,
            key: twocan_api::KeyPlace::default(),
            warnings: Vec::new(),
        };
        let (publisher, handle, inbox) = seam(facts, clock).unwrap();
        let core = FakeLoop::start(publisher, inbox);
        let legs = Arc::new(FakeLegs::default());
        let config = config(&home);
        let token_path = config.token_path.clone();
        let bound = serve_files(config, handle, fake::media(&legs), files).await.unwrap();
        let token = std::fs::read_to_string(token_path).unwrap().trim().to_owned();
        Self {
            bound,
            home,
            core,
            legs,
            boot_ms,
            token,
        }
    }

    /// A request as a script sends it to the control listener.
    fn control(&self, method: &str, path: &str) -> Request {
        Request::new(method, path)
            .header("Host", self.bound.control)
            .header("Authorization", format!("Bearer {}", self.token))
    }

    /// A request as the page sends it, with the cookie of a new session.
    async fn page(&self, method: &str, path: &str) -> Request {
        let cookie = self.let_in().await;
        let origin = format!("http://{}", self.bound.page);
        let request = Request::new(method, path)
            .header("Host", self.bound.page)
            .header("Cookie", cookie);
        let request = request.header("Sec-Fetch-Site", "same-origin");
        if method == "GET" {
            request
        } else {
            request.header("Origin", origin)
        }
    }

    /// The path of a new one-time code.
    async fn code(&self, open: &str) -> String {
        let body = serde_json::json!({ "path": open }).to_string();
        let answer = self.send(&self.control("POST", "/v1/page").json(&body)).await;
        assert_eq!(answer.status, 200);
        let url = answer.json()["url"].as_str().unwrap().to_owned();
        url.strip_prefix(&format!("http://{}", self.bound.page))
            .unwrap()
            .to_owned()
    }

    /// A new cookie pair.
    async fn let_in(&self) -> String {
        let enter = Request::new("GET", &self.code("/").await).header("Host", self.bound.page);
        let answer = self.send_page(&enter).await;
        assert_eq!(answer.status, 303);
        answer
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    }

    async fn send(&self, request: &Request) -> Answer {
        wire::tcp(self.bound.control, request).await
    }

    async fn send_page(&self, request: &Request) -> Answer {
        wire::tcp(self.bound.page, request).await
    }

    async fn send_unix(&self, request: &Request) -> Answer {
        wire::unix(&config(&self.home).sock_path, request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&self.control("GET", path)).await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(&self.control("POST", path).json(body)).await
    }
}

fn config(home: &TempDir) -> HttpConfig {
    HttpConfig {
        sock_path: home.path().join("run/api.sock"),
        token_path: home.path().join("run/api.token"),
        control: loopback(),
        page: loopback(),
    }
}
