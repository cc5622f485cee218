//! Commands that need no daemon: settings, completions, man pages.

use std::fs;

use crate::fake::{Ran, twocan};

fn run(home: &std::path::Path, line: &str) -> Ran {
    Ran::of(twocan(home, line).wait_with_output().unwrap())
}

#[test]
fn settings_are_checked_as_the_daemon_reads_them() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    let none = run(home.path(), "config check");
    assert!(
        none.code == Some(0) && none.out.contains("every setting has its default"),
        "{none:?}"
    );

    fs::write(&file, "[network]\nudp = \"0.0.0.0:2226\"\nport_maping = true\n").unwrap();
    let misspelt = run(home.path(), "config check");
    assert_eq!((misspelt.code, misspelt.out.as_str()), (Some(1), ""), "{misspelt:?}");
    for part in [
        "config.toml line 3",
        "unknown key network.port_maping",
        "did you mean network.port_mapping?",
    ] {
        assert!(misspelt.err.contains(part), "{part}: {misspelt:?}");
    }

    fs::write(&file, "[history]\nkeep = \"30d\"\n").unwrap();
    let idle = run(home.path(), "config check");
    assert!(
        idle.code == Some(0) && idle.out.contains("Without effect in this version: history.keep."),
        "{idle:?}"
    );
    let body = run(home.path(), "--json config check").json();
    assert_eq!(body["without_effect"], serde_json::json!(["history.keep"]));
}

#[test]
fn every_shell_completes_every_subcommand() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(home.path(), &format!("completions {shell}"));
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{shell}");
        for subcommand in ["invite", "verify", "hangup"] {
            assert!(ran.out.contains(subcommand), "{shell} does not know {subcommand}");
        }
    }
    assert_eq!(run(home.path(), "completions cmd").code, Some(2));
}

#[test]
fn every_subcommand_has_a_page() {
    let home = tempfile::tempdir().unwrap();
    let first = run(home.path(), "man");
    assert!(first.code == Some(0) && first.out.contains(".TH twocan 1"), "{first:?}");
    let folder = home.path().join("pages");
    let written = run(home.path(), &format!("man --folder {}", folder.display()));
    assert_eq!(written.code, Some(0), "{written:?}");
    let help = run(home.path(), "help").out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names: Vec<_> = listed.map_while(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 15, "{help}");
    for name in names.iter().filter(|name| **name != "help") {
        let page = fs::read_to_string(folder.join(format!("twocan-{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    let nowhere = run(home.path(), "man --folder /dev/null/pages");
    assert!(
        nowhere.code == Some(1) && nowhere.err.contains("Name a folder"),
        "{nowhere:?}"
    );
}
