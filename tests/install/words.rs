//! What a service manager hears of the daemon, on a socket that stands for it.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tempfile::TempDir;
use twocan_tests::home::Home;

const SOON: Duration = Duration::from_secs(10);

fn next(socket: &UnixDatagram) -> String {
    let mut words = [0; 512];
    let length = socket.recv(&mut words).expect("a word of the daemon's");
    String::from_utf8(words[..length].to_vec()).unwrap()
}

/// A home whose daemon tells its manager on a socket; its folder goes when it is dropped.
fn heard() -> (TempDir, UnixDatagram, Home) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut ann = Home::empty("Ann");
    ann.set("NOTIFY_SOCKET", path.to_str().unwrap());
    (folder, socket, ann)
}

#[tokio::test]
async fn ready_alive_and_stopping_are_told() {
    let (_folder, socket, mut ann) = heard();
    ann.set("WATCHDOG_USEC", "400000");
    ann.start().await;
    let ready = next(&socket);
    assert_eq!(ready, format!("READY=1\nSTATUS=The page is at {}\n", ann.ready().page));
    // An idle loop turns for this alone.
    for _ in 0..5 {
        assert_eq!(next(&socket), "WATCHDOG=1\n");
    }
    ann.stop().await;
    let mut words = next(&socket);
    while words == "WATCHDOG=1\n" {
        words = next(&socket);
    }
    assert!(words.starts_with("STOPPING=1\n"), "{words}");
}

/// Whose watchdog another process is meant to feed does not feed it.
#[tokio::test]
async fn another_processs_watchdog_is_not_fed() {
    let (_folder, socket, mut ann) = heard();
    ann.set("WATCHDOG_USEC", "100000");
    ann.set("WATCHDOG_PID", "1");
    ann.start().await;
    assert!(next(&socket).starts_with("READY=1\n"));
    ann.stop().await;
    assert!(next(&socket).starts_with("STOPPING=1\n"));
}
