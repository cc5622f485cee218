//! schemathesis drives the API by its description: no server error, no status and no body that is not documented.
//!
//! `./tests/run` installs it. The event stream is left out, for it never ends, and so are erasing everything
//! and the test call, which starts a daemon of its own and is tried elsewhere.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use twocan_tests::root;
use twocan_tests::wait::at_most;

use super::attacker::answers;
use super::stage::Stage;

const RUN: Duration = Duration::from_secs(100);
/// Of more than a thousand requests, how many must have been carried out.
const PASSED: u64 = 200;

/// The settings, with the ids of what there is.
fn config(stage: &Stage, folder: &Path) -> String {
    let mut text = std::fs::read_to_string(root().join("tests/contract/schemathesis.toml")).unwrap();
    let hooks = root().join("tests/contract/schemathesis.py");
    text = text.replace("tests/contract/schemathesis.py", hooks.to_str().unwrap());
    for (noun, id) in [
        ("contacts", &stage.contact),
        ("invites", &stage.invite),
        ("calls", &stage.call),
    ] {
        // Nothing may delete them under the other requests: that is tried with ids that nobody has.
        let path = format!("/v1/{noun}/\\{{id\\}}");
        let operation = format!(
            "\n[[operations]]\ninclude-path-regex = '^{path}'\nexclude-method = ['DELETE']\nparameters = {{ \"path.id\" = '{id}' }}\n"
        );
        text.push_str(&operation);
    }
    let path = folder.join("schemathesis.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let program = root().join("target/schemathesis/bin/schemathesis");
    assert!(program.is_file(), "{} is missing: run ./tests/run", program.display());
    // With things to find, or most requests would end at a 404.
    let stage = Stage::set().await;
    let (ann, folder) = (&stage.ann, tempfile::tempdir().unwrap());
    let token = std::fs::read_to_string(ann.path().join("run/api.token")).unwrap();
    let description = root().join("api-docs/openapi.json").display().to_string();
    let (config, bearer) = (
        config(&stage, folder.path()),
        format!("Authorization: Bearer {}", token.trim()),
    );
    let run = Command::new(program)
        // It keeps what it finds where it runs.
        .current_dir(folder.path())
        .args(["--config-file", &config, "run", &description])
        .args(["--url", &ann.ready().control, "--header", &bearer])
        .args([
            "--exclude-path",
            "/v1/events",
            "--exclude-path",
            "/v1/data",
            "--exclude-path",
            "/v1/test-call",
            "--checks",
            "all",
        ])
        .args(["--max-examples", "5", "--request-timeout", "10"])
        .args(["--generation-database", "none", "--no-color"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = at_most("schemathesis", RUN, run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // It must have passed the guards.
    let done = answers(&stage, "control", "2xx").await;
    assert!(done > PASSED, "{done}: {said}");
}
