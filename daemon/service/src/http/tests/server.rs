//! Starting, stopping, and what is refused below HTTP.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;
use twocan_core::event::CallState;

use super::fake::{call, media};
use super::wire::{Events, Request, raw};
use super::{PATIENCE, World, config, files, loopback};
use crate::http::guard::Guard;
use crate::http::listen::{Limits, Listener, run};
use crate::http::router::{self, App};
use crate::http::seam::{ServiceFacts, seam};
use crate::http::server::serve_files;
use crate::http::site::Site;

#[tokio::test]
async fn http_2_is_refused() {
    let world = World::new().await;
    for address in [world.bound.control, world.bound.page] {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        let answer = raw(TcpStream::connect(address).await.unwrap(), preface).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    }
    let upgrade = world.control("GET", "/v1/status");
    let upgrade = upgrade
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAAQAAP__");
    assert_eq!(world.send(&upgrade).await.status, 200);
}

#[tokio::test]
async fn files_are_private_and_removed() {
    let world = World::new().await;
    let config = config(&world.home);
    for path in [&config.sock_path, &config.token_path] {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let mut events = Events::open(world.bound.control, &world.control("GET", "/v1/events")).await;
    assert_eq!(events.next().await.unwrap().1, "snapshot");
    timeout(PATIENCE, world.bound.shutdown()).await.unwrap();
    assert!(events.next().await.is_none());
    assert!(!config.sock_path.exists() && !config.token_path.exists());
}

/// What is published at the very end, such as why a call is over, reaches every stream; which of the two a stream hears of
/// first is left to chance otherwise.
#[tokio::test]
async fn the_last_event_comes_before_the_end() {
    for _ in 0..12 {
        let world = World::new().await;
        let mut events = Events::open(world.bound.control, &world.control("GET", "/v1/events")).await;
        assert_eq!(events.next().await.unwrap().1, "snapshot");
        world.core.set_call(call(2, 1, true, CallState::Ringing));
        timeout(PATIENCE, world.bound.shutdown()).await.unwrap();
        assert_eq!(events.next().await.unwrap().1, "call");
        assert!(events.next().await.is_none());
    }
}

#[tokio::test]
async fn left_over_files_are_replaced() {
    let world = World::new().await;
    let config = config(&world.home);
    let World { bound, home: _home, .. } = world;
    bound.shutdown().await;
    std::fs::write(&config.token_path, "old").unwrap();
    drop(UnixListener::bind(&config.sock_path).unwrap());
    let (_publisher, handle, _inbox) = seam(ServiceFacts::default(), fixed_clock()).unwrap();
    let bound = serve_files(config.clone(), handle, media(&Arc::default()), files)
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(&config.token_path).unwrap().trim().len(), 64);
    let healthz = Request::new("GET", "/healthz").header("Host", "x");
    assert_eq!(super::wire::unix(&config.sock_path, &healthz).await.status, 200);
    let readyz = Request::new("GET", "/readyz").header("Host", "x");
    assert_eq!(super::wire::unix(&config.sock_path, &readyz).await.code(), "not_ready");
    drop(bound);
    assert!(!config.token_path.exists());
}

fn fixed_clock() -> crate::http::seam::Clock {
    Arc::new(|| twocan_core::time::Now {
        boot: Duration::ZERO,
        wall: 0,
        millis: 0,
    })
}

#[tokio::test]
async fn taken_and_foreign_addresses_are_named() {
    let home = tempfile::TempDir::new().unwrap();
    let holder = TcpListener::bind(loopback()).await.unwrap();
    let taken = holder.local_addr().unwrap();
    let name = std::fs::read_to_string("/proc/self/comm").unwrap();
    let me = format!("{} (pid {})", name.trim(), std::process::id());
    for (control, page, words) in [
        (
            loopback(),
            taken,
            format!("the page address http://{taken} is in use by {me}; stop it"),
        ),
        (
            taken,
            loopback(),
            format!("the control address http://{taken} is in use by {me}; stop it"),
        ),
        (
            ([0, 0, 0, 0], 0).into(),
            loopback(),
            "not a loopback address".to_owned(),
        ),
    ] {
        let (_publisher, handle, _inbox) = seam(ServiceFacts::default(), fixed_clock()).unwrap();
        let mut config = config(&home);
        (config.control, config.page) = (control, page);
        let error = serve_files(config, handle, media(&Arc::default()), files)
            .await
            .unwrap_err();
        assert!(format!("{error:#}").contains(&words), "{error:#}");
    }
}

#[tokio::test]
async fn another_user_is_turned_away() {
    let world = World::new().await;
    let path = world.home.path().join("other.sock");
    let stranger = nix::unistd::geteuid().as_raw() + 1;
    let listener = Listener::Unix(UnixListener::bind(&path).unwrap(), stranger);
    let site = Site::new(Guard::Unix, axum::Router::new(), Arc::default());
    let (_closing, stop) = watch::channel(false);
    let serving = tokio::spawn(run(listener, Arc::new(site), Limits::USUAL, stop));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    assert!(bytes.is_empty());
    serving.abort();
}

/// A listener of its own, with tight limits, that serves `/healthz` and an event stream.
async fn tight() -> (SocketAddr, watch::Sender<bool>) {
    let (publisher, core, _inbox) = seam(ServiceFacts::default(), fixed_clock()).unwrap();
    publisher.publish(twocan_core::event::Snapshot::default(), &[]);
    let (closing, stop) = watch::channel(false);
    let media = media(&Arc::default());
    let app = App {
        core,
        legs: media.legs,
        clips: media.clips,
        echoes: media.echoes,
        entrance: Arc::default(),
        kept: Arc::default(),
        pastes: Arc::default(),
        meters: Arc::default(),
        closing: stop.clone(),
    };
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits {
        connections: 1,
        head: Duration::from_millis(200),
        ..Limits::USUAL
    };
    let site = Site::new(Guard::Unix, router::control(app), Arc::default());
    tokio::spawn(run(Listener::Tcp(listener), Arc::new(site), limits, stop));
    (address, closing)
}

#[tokio::test]
async fn slow_heads_and_too_many_connections_wait_no_longer_than_allowed() {
    let (address, _closing) = tight().await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost:").await.unwrap();
    // The one place is taken until the slow head runs out of time; then this one is served.
    let healthz = Request::new("GET", "/healthz").header("Host", "x");
    assert_eq!(super::wire::tcp(address, &healthz).await.status, 200);
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, slow.read_to_end(&mut rest)).await.unwrap();
    assert!(
        ended.is_err() || rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"),
        "{rest:?}"
    );
}
