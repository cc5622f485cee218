//! Every `sh` example of the cookbook, from top to bottom, against real daemons.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use twocan_tests::home::Home;
use twocan_tests::root;
use twocan_tests::wait::at_most;

const COOKBOOK: Duration = Duration::from_secs(60);

/// The fenced examples, each with the line at which it begins.
fn examples(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = !inside && line == "```sh";
            if inside {
                found.push((number + 2, String::new()));
            }
        } else if inside && let Some((_, example)) = found.last_mut() {
            writeln!(example, "{line}").unwrap();
        }
    }
    found
}

#[tokio::test]
async fn every_example_of_the_cookbook_works() {
    let text = std::fs::read_to_string(root().join("api-docs/cookbook.md")).unwrap();
    let examples = examples(&text);
    assert_eq!(examples.len(), text.matches("```sh\n").count());
    for noun in [
        "status", "me", "key", "contacts", "invites", "door", "calls", "events", "page", "privacy", "media",
    ] {
        assert!(text.contains(&format!("/{noun}")), "no example of {noun}");
    }
    let (ann, bob) = (Home::up("Ann").await, Home::up("Bob").await);
    let mut script = "set -euo pipefail\n".to_owned();
    for (line, example) in &examples {
        writeln!(script, "echo '== line {line}'\n{example}").unwrap();
    }
    script.push_str("echo '== done'\n");
    let run = Command::new("bash")
        .args(["-c", &script])
        .env("ANN", ann.path())
        .env("BOB", bob.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = at_most("the cookbook", COOKBOOK, run).await.expect("bash");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success() && out.contains("== done"), "{out}\n{err}");
}
