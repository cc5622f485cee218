//! Install and stay: what is written and removed, what the service manager sees, and how an upgrade or a restart feels.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "install/clicked.rs"]
mod clicked;
#[path = "install/files.rs"]
mod files;
#[path = "install/manager.rs"]
mod manager;
#[path = "install/package.rs"]
mod package;
#[path = "install/restart.rs"]
mod restart;
#[path = "install/units.rs"]
mod units;
#[path = "install/words.rs"]
mod words;

use std::path::Path;
use std::process::{Command, Output};

/// Runs a program to its end.
fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// The same; gives what it printed.
fn done(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A file of the repository.
fn packaging(path: &str) -> std::path::PathBuf {
    twocan_tests::root().join("packaging").join(path)
}

/// Every file and folder below a folder, by its path there; a link with what it points to.
fn tree(folder: &Path) -> Vec<String> {
    let found = done(
        Command::new("find")
            .args([".", "-mindepth", "1", "-printf", "%y %P %l\\n"])
            .current_dir(folder),
    );
    let mut lines: Vec<String> = found.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.sort();
    lines
}
