//! A network in which nothing happens wakes nobody.

use std::sync::mpsc::{RecvTimeoutError, channel};

use super::*;

/// How long to watch a sleeper.
const WATCH: Duration = Duration::from_millis(500);

#[test]
fn an_idle_link_does_not_wake_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    let (ready, is_ready) = channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        runtime.block_on(async {
            let linked = linked().await;
            ready.send(()).unwrap();
            let _ = stopped.await;
            drop(linked);
        });
    });
    is_ready.recv_timeout(PATIENCE).unwrap();
    let sleeps = || {
        let before = metrics.worker_park_count(0);
        assert_eq!(is_ready.recv_timeout(WATCH), Err(RecvTimeoutError::Timeout));
        metrics.worker_park_count(0) == before
    };
    assert!((0..20).any(|_| sleeps()), "still awake after ten seconds");
    assert!(sleeps() && sleeps(), "woken while idle");
    stop.send(()).unwrap();
    thread.join().unwrap();
}
