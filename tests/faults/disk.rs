//! A full disk: a home on a file system of its own that is as small as a state, and then filled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use twocan_tests::home::{GREEN, Home, acquaint};
use twocan_tests::namespace::inside;
use twocan_tests::running::UP;

/// How long the media of the call plays, in seconds: long enough for all that is tried meanwhile.
const PLAYED: u32 = 8;
/// How long that may take, ring and report included.
const CALL: Duration = Duration::from_secs(30);
/// Packets of sound that one second holds.
const SOUND: f64 = 50.0;

/// A small file system; taken away when this is dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one where `home` will lie. Only within a mount namespace of one's own.
    pub(crate) fn under(home: &Home) -> Self {
        fs::create_dir(home.path()).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k,mode=700", "none"])
            .arg(home.path())
            .status();
        assert!(mounted.unwrap().success(), "no file system of memory here");
        Self(home.path())
    }

    /// Leaves no room.
    pub(crate) fn fill(&self) {
        let error = fs::write(self.filler(), vec![0; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
    }

    /// Leaves room again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(Path::new(&self.0)).status());
    }
}

/// What would change is refused with 507 and changes nothing, `status` warns, and the call goes on as if nothing were.
/// With room again everything works, and the warning is gone.
#[test]
fn disk_full() {
    inside("disk::disk_full", async || {
        let mut ann = Home::empty("Ann");
        let disk = SmallDisk::under(&ann);
        ann.begin_life().await;
        let bob = Home::up("Bob").await;
        acquaint(&ann, &bob).await;
        let seconds = PLAYED.to_string();
        let clip = ["--headless", "--seconds", &seconds];
        let calling = ann.begin(&[&["--json", "call", "Bob"][..], &clip].concat());
        let ring = bob.call("a ring", GREEN * 5, |call| call["state"] == "ringing").await;
        let answering = bob.begin(&[&["--json", "answer"][..], &clip].concat());
        let id = ring["id"].clone();
        ann.call("a call", GREEN * 5, |call| {
            call["id"] == id && call["state"] == "active"
        })
        .await;

        disk.fill();
        changes_are_refused(&ann).await;
        let call = &ann.api().list("/v1/calls").await[0];
        assert_eq!(
            (&call["state"], &call["reconnecting"]),
            (&json!("active"), &json!(false)),
            "{call}"
        );
        for command in [calling, answering] {
            let report = command.end(CALL).await.exited(0).json();
            assert_eq!(report["reason"]["code"], "hung_up", "{report}");
            let heard = report["audio_packets"].as_f64().unwrap();
            assert!(heard >= SOUND * f64::from(PLAYED - 2), "sound broke off: {report}");
        }

        disk.free();
        ann.json(&["invite"]).await;
        let status = ann.json(&["status"]).await;
        assert!(!warns(&status), "the disk has room: {status}");
        ann.restart().await;
        ann.green("Bob", GREEN * 5).await;
    });
}

async fn changes_are_refused(ann: &Home) {
    let api = ann.api();
    let before = ann.json(&["status"]).await["person"].clone();
    for answer in [
        api.post("/v1/invites", json!({})).await,
        api.patch("/v1/me", json!({ "name": "Anna" })).await,
    ] {
        assert_eq!(answer.status, 507, "{answer:?}");
        assert_eq!(answer.kind, "application/problem+json");
        assert_eq!(answer.body["code"], "store_failed");
    }
    assert_eq!(api.list("/v1/invites").await, Vec::<serde_json::Value>::new());
    let refused = ann.twocan(&["invite"]).await.exited(1).stderr;
    for part in [
        "The change could not be written to the disk, so nothing was changed.",
        "Free some space or make the state folder writable, then try again.",
    ] {
        assert!(refused.contains(part), "not said: {part}\n{refused}");
    }
    let status = ann.json(&["status"]).await;
    assert_eq!(status["person"], before);
    assert!(warns(&status), "{status}");
    let said = ann.twocan(&["status"]).await.exited(0).stdout;
    assert!(
        said.contains(
            "warning: The disk is full, read-only or broken: nothing that changes here can be stored. Calls go on."
        ),
        "{said}"
    );
    assert!(said.contains("Free some space, or make the state folder writable; Twocan tries again by itself."));
}

fn warns(status: &serde_json::Value) -> bool {
    let mut warnings = status["warnings"].as_array().unwrap().iter();
    warnings.any(|warning| warning["code"] == "not_stored")
}

/// A first start without room: no daemon, and nobody who would be forgotten again.
#[test]
fn disk_full_at_the_first_start() {
    inside("disk::disk_full_at_the_first_start", async || {
        let mut ann = Home::empty("Ann");
        let disk = SmallDisk::under(&ann);
        disk.fill();
        let up = ann.twocan(&UP).await.exited(1);
        assert!(up.stderr.contains("No space left on device"), "{up:?}");
        assert!(
            up.stderr
                .contains("see that the disk has room, or let TWOCAN_HOME name a folder of your own."),
            "{up:?}"
        );
        disk.free();
        ann.start().await;
    });
}
