//! From the click on Call to knowing that it rings there: on a warm link of ours, and beside it baresip, which is asked
//! by a bare socket, so that only the side that is called counts.

use std::fs;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use twocan_tests::chromium::STEP;
use twocan_tests::home::{Home, acquaint};

use super::row;

const CALLS: usize = 50;
const PORT: u16 = 5099;
const START: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(100);

const CONFIG: &str = "module_path /usr/lib/baresip/modules
module g711.so
module_app account.so
module_app menu.so
ring_aufile none
";

/// All rows.
pub(super) async fn ringing() {
    let mut ours = ours().await;
    let mut theirs = tokio::task::spawn_blocking(|| Baresip::start().calls()).await.unwrap();
    row("call → ringing, baresip (ms)", &mut theirs);
    row("call → ringing, both daemons (ms)", &mut ours);
}

async fn ours() -> Vec<f64> {
    let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
    acquaint(&ann, &bob).await;
    let to = bob.green("Ann", STEP).await["id"].clone();
    let mut events = bob.api().events().await;
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        let placed = bob.api().post("/v1/calls", json!({ "to": to })).await;
        assert_eq!(placed.status, 201, "{placed:?}");
        let rings = |event: &twocan_tests::api::Event| {
            event.name == "call" && event.data["id"] == placed.body["id"] && event.data["state"] == "ringing"
        };
        events.until("the ring", STEP, rings).await;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        // An unanswered call counts against who rings all the time, an answered one does not.
        let rung = ann.call("the ring", STEP, |call| call["state"] == "ringing").await;
        let rung = rung["id"].as_str().unwrap();
        for act in ["answer", "hangup"] {
            let done = ann.api().post(&format!("/v1/calls/{rung}/{act}"), json!({})).await;
            assert_eq!(done.status, 200, "{done:?}");
        }
        let over = |event: &twocan_tests::api::Event| {
            event.name == "call" && event.data["id"] == placed.body["id"] && event.data["state"] == "ended"
        };
        events.until("the end", STEP, over).await;
    }
    times
}

/// A telephone that waits for calls; it ends when it is dropped.
struct Baresip {
    child: Child,
    udp: UdpSocket,
    _folder: TempDir,
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Baresip {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("twocan-baresip-").tempdir().unwrap();
        let config = format!("sip_listen 127.0.0.1:{PORT}\n{CONFIG}");
        for (name, text) in [
            ("config", config.as_str()),
            ("accounts", "<sip:ann@127.0.0.1>;regint=0\n"),
            ("contacts", ""),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip, of the package baresip-core");
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.connect(("127.0.0.1", PORT)).unwrap();
        udp.set_read_timeout(Some(AGAIN)).unwrap();
        let telephone = Self {
            child,
            udp,
            _folder: folder,
        };
        telephone.wait();
        telephone
    }

    /// Until it answers a question that every telephone answers.
    fn wait(&self) {
        let end = Instant::now() + START;
        while self.udp.send(&self.message("OPTIONS", 0, "", "")).is_err() || self.hear().is_none() {
            assert!(Instant::now() < end, "baresip does not answer within {START:?}");
            std::thread::sleep(AGAIN);
        }
        while self.hear().is_some() {}
    }

    fn calls(&self) -> Vec<f64> {
        self.udp.set_read_timeout(Some(START)).unwrap();
        (1..=CALLS).map(|number| self.call(number)).collect()
    }

    /// From the INVITE to "180 Ringing", in milliseconds; then the call is taken back.
    fn call(&self, number: usize) -> f64 {
        const SPEECH: &str =
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
        let invite = self.message("INVITE", number, SPEECH, "");
        let began = Instant::now();
        self.udp.send(&invite).unwrap();
        self.until(" 180 ");
        let took = began.elapsed().as_secs_f64() * 1000.0;
        self.udp.send(&self.message("CANCEL", number, "", "")).unwrap();
        let refused = self.until(" 487 ");
        let to = refused
            .lines()
            .find_map(|line| line.strip_prefix("To:")?.split_once(";tag="));
        let tag = format!(";tag={}", to.unwrap().1.trim());
        self.udp.send(&self.message("ACK", number, "", &tag)).unwrap();
        took
    }

    fn until(&self, status: &str) -> String {
        loop {
            let heard = self.hear().expect("an answer of baresip");
            if heard.lines().next().is_some_and(|line| line.contains(status)) {
                return heard;
            }
        }
    }

    fn hear(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = self.udp.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// A request of RFC 3261 for call `number`.
    fn message(&self, method: &str, number: usize, body: &str, tag: &str) -> Vec<u8> {
        let own = self.udp.local_addr().unwrap();
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        format!(
            "{method} sip:ann@127.0.0.1:{PORT} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{number};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:bob@127.0.0.1>;tag=f{number}\r\nTo: <sip:ann@127.0.0.1>{tag}\r\n\
             Call-ID: c{number}\r\nCSeq: 1 {method}\r\nContact: <sip:bob@{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}
