//! What lies on the disk, who may read it, and what the logs do not say.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twocan_tests::home::{Home, acquaint};
use twocan_tests::running::UP;

fn mode(path: &Path) -> u32 {
    path.metadata()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o777
}

#[tokio::test]
async fn only_the_user_can_read() {
    let (ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    for file in ["state.sealed", "state.key", "run/api.token", "run/api.sock"] {
        assert_eq!(mode(&ann.path().join(file)), 0o600, "{file}");
    }
    for folder in [".", "run"] {
        assert_eq!(mode(&ann.path().join(folder)), 0o700, "{folder}");
    }
    assert!(
        ann.path()
            .join("run/api.sock")
            .metadata()
            .unwrap()
            .file_type()
            .is_socket()
    );
    let sealed = std::fs::read(ann.path().join("state.sealed")).unwrap();
    assert!(
        !sealed.windows(3).any(|bytes| bytes == b"Bob"),
        "a contact's name lies in the open"
    );
}

/// Any damaged byte is noticed; the generation before is used; identity stays.
#[tokio::test]
async fn damage_is_noticed() {
    let (mut ann, bob) = tokio::join!(Home::up("Ann"), Home::up("Bob"));
    acquaint(&ann, &bob).await;
    let person = ann.json(&["status"]).await["person"]["id"].clone();
    ann.stop().await;
    let path = ann.path().join("state.sealed");
    let mut sealed = std::fs::read(&path).unwrap();
    let middle = sealed.len() / 2;
    sealed[middle] ^= 1;
    std::fs::write(&path, sealed).unwrap();
    ann.start().await;
    let status = ann.json(&["status"]).await;
    assert_eq!(status["person"]["id"], person, "{status}");
    let warnings = status["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning["code"].as_str().unwrap().contains("state")),
        "{status}"
    );
}

/// Without its key the state cannot be opened; that never makes a new identity.
#[tokio::test]
async fn a_lost_key_makes_no_new_identity() {
    let mut ann = Home::up("Ann").await;
    ann.stop().await;
    std::fs::remove_file(ann.path().join("state.key")).unwrap();
    let before = std::fs::read(ann.path().join("state.sealed")).unwrap();
    let up = ann.twocan(&UP).await;
    let up = up.exited(1);
    assert!(!up.stdout.contains("ready"), "{up:?}");
    assert_eq!(std::fs::read(ann.path().join("state.sealed")).unwrap(), before);
}

/// One raw request to the control listener over TCP: the status it gets.
async fn status_of(origin: &str, head: &str) -> u16 {
    let mut stream = TcpStream::connect(origin.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    stream
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A browser cannot speak to the control listener, with or without the token; a script with it can.
#[tokio::test]
async fn the_token_file_opens_the_control_listener_to_scripts_only() {
    let ann = Home::up("Ann").await;
    let control = ann.ready().control.clone();
    let host = control.strip_prefix("http://").unwrap();
    let token = std::fs::read_to_string(ann.path().join("run/api.token")).unwrap();
    let get = |rest: &str| format!("GET /v1/status HTTP/1.1\r\nHost: {host}{rest}");
    let bearer = format!("\r\nAuthorization: Bearer {}", token.trim());

    assert_eq!(status_of(&control, &get(&bearer)).await, 200);
    assert_eq!(status_of(&control, &get("")).await, 401);
    assert_eq!(status_of(&control, &get("\r\nAuthorization: Bearer wrong")).await, 401);
    for forged in [
        format!("\r\nOrigin: {control}"),
        "\r\nReferer: https://example.org/".to_owned(),
        "\r\nSec-Fetch-Site: cross-site".to_owned(),
        "\r\nSec-Fetch-Site: same-origin".to_owned(),
    ] {
        assert_eq!(
            status_of(&control, &get(&format!("{bearer}{forged}"))).await,
            403,
            "{forged}"
        );
    }
    let other_host = format!("GET /v1/status HTTP/1.1\r\nHost: twocan.example{bearer}");
    let refused = status_of(&control, &other_host).await;
    assert!([400, 403, 421].contains(&refused), "{refused}");
    assert_eq!(
        status_of(&control, &format!("GET /healthz HTTP/1.1\r\nHost: {host}")).await,
        200
    );
}

/// Logs that people send around name nobody and no address. ERROR means a bug of ours.
#[tokio::test]
async fn logs_name_nobody() {
    let (mut ann, mut bob) = tokio::join!(Home::up("Annabella"), Home::up("Bobadilla"));
    acquaint(&ann, &bob).await;
    let call = ann.json(&["call", "Bobadilla", "--detach"]).await;
    bob.call("the ring", twocan_tests::home::GREEN, |seen| seen["id"] == call["id"])
        .await;
    bob.json(&["answer"]).await;
    ann.json(&["hangup"]).await;
    let udp = [ann.ready().udp.to_string(), bob.ready().udp.to_string()];
    let secret = std::fs::read_to_string(ann.path().join("run/api.token")).unwrap();
    ann.stop().await;
    bob.stop().await;
    for line in ann.log().lines().chain(bob.log().lines()) {
        assert!(!line.contains(secret.trim()), "a secret: {line}");
        assert!(!line.contains(" ERROR "), "a bug of ours: {line}");
        let loud = [" INFO ", " WARN "].iter().any(|level| line.contains(level));
        let named = ["Annabella", "Bobadilla", &udp[0], &udp[1]]
            .into_iter()
            .any(|word| line.contains(word));
        assert!(!(loud && named), "a name or an address above DEBUG: {line}");
    }
}
