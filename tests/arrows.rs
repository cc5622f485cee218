//! The house stands as designed: arrows run one way, and the core holds no clock, socket, thread, file or random order.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use cargo_metadata::{CargoOpt, MetadataCommand};
use twocan_tests::arrows::{Edge, Graph};
use twocan_tests::root;

/// Words that no line of the core's code may hold, comments aside.
const NOT_IN_CORE: [&str; 14] = [
    "Instant::now",
    "SystemTime",
    "HashMap",
    "HashSet",
    "RandomState",
    "thread::",
    "UdpSocket",
    "TcpStream",
    "std::fs",
    "std::env",
    "std::io",
    "SystemRandom",
    "tokio",
    "async fn",
];

fn graph() -> Graph {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::SomeFeatures(Vec::new()))
        // Of this platform alone: a machine that has just built everything has not fetched what others need.
        .other_options(vec![
            "--locked".to_owned(),
            "--offline".to_owned(),
            format!("--filter-platform={}", host()),
        ])
        .exec()
        .unwrap();
    Graph::new(&metadata)
}

/// The platform that tests are built for, as the compiler calls it.
fn host() -> String {
    let output = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

#[test]
fn arrows_run_one_way() {
    let wrong = graph().wrong();
    assert!(wrong.is_empty(), "wrong arrows:\n{}", wrong.join("\n"));
}

/// The tray's icon comes from crates that speak to the bus themselves: the real tree has them, and no GTK.
#[test]
fn the_tray_links_no_toolkit() {
    let reached = graph().reached("twocan-tray");
    for name in ["twocan-api", "tray-icon", "ksni", "zbus"] {
        assert!(reached.contains(name), "{name} is not there: {reached:?}");
    }
    let toolkit = |name: &&String| {
        ["gtk", "gdk", "glib", "gobject", "cairo", "pango", "qt"]
            .iter()
            .any(|it| name.starts_with(it))
    };
    assert_eq!(reached.iter().find(toolkit), None);
}

/// The graph is the real one, not an empty one that has nothing wrong.
#[test]
fn the_graph_is_whole() {
    let mut graph = graph();
    graph.ours("twocan-somewhere");
    assert_eq!(graph.wrong(), ["twocan-somewhere has no room in the house"]);
    graph.arrow("twocan-somewhere", "twocan-service", Edge::Always);
    graph.arrow("rand_core", "twocan-somewhere", Edge::Always);
    let wrong = graph.wrong();
    assert!(
        wrong
            .iter()
            .any(|line| line.starts_with("twocan-core reaches quinn: twocan-core → ")),
        "{wrong:?}"
    );
}

#[test]
fn every_wrong_arrow_is_caught() {
    let cases = [
        ("twocan-core", "twocan-api", Edge::Always),
        ("twocan-core", "twocan-service", Edge::ForTests),
        ("twocan-core", "tokio", Edge::Always),
        ("twocan-core", "axum", Edge::WithFeature),
        ("ring", "mio", Edge::Always),
        ("twocan-api", "twocan-core", Edge::Always),
        ("twocan-api", "tokio", Edge::Always),
        ("jiff", "hyper", Edge::Always),
        ("twocan-service", "twocan", Edge::Always),
        ("twocan-service", "twocan-tests", Edge::ForTests),
        ("twocan", "twocan-core", Edge::Always),
        ("twocan", "quinn", Edge::Always),
        ("twocan", "rtc", Edge::ForTests),
        ("twocan-tray", "twocan-core", Edge::Always),
        ("twocan-tray", "twocan-service", Edge::WithFeature),
        ("twocan-tray", "gtk", Edge::Always),
        ("ksni", "glib-sys", Edge::Always),
    ];
    for (from, to, edge) in cases {
        let mut graph = sound();
        assert_eq!(graph.wrong(), Vec::<String>::new());
        graph.arrow(from, to, edge);
        assert!(!graph.wrong().is_empty(), "{from} → {to} ({edge:?}) was not caught");
    }
}

/// Arrows that look alike and are right.
#[test]
fn right_arrows_pass() {
    let mut graph = sound();
    graph.arrow("twocan-api", "tokio", Edge::WithFeature);
    graph.arrow("twocan-core", "tokio", Edge::ForTests);
    graph.arrow("twocan-tests", "quinn", Edge::Always);
    graph.arrow("twocan-tray", "tokio", Edge::Always);
    assert_eq!(graph.wrong(), Vec::<String>::new());
}

/// A made-up house without a fault.
fn sound() -> Graph {
    let mut graph = Graph::default();
    for name in [
        "twocan-core",
        "twocan-api",
        "twocan-service",
        "twocan",
        "twocan-tray",
        "twocan-tests",
    ] {
        graph.ours(name);
    }
    for (from, to) in [
        ("twocan-core", "ring"),
        ("twocan-api", "jiff"),
        ("twocan-service", "twocan-core"),
        ("twocan-service", "twocan-api"),
        ("twocan-service", "quinn"),
        ("twocan-service", "rtc"),
        ("twocan-service", "axum"),
        ("quinn", "tokio"),
        ("tokio", "mio"),
        ("twocan", "twocan-service"),
        ("twocan", "twocan-api"),
        ("twocan-tray", "twocan-api"),
        ("twocan-tray", "tray-icon"),
        ("tray-icon", "ksni"),
        ("twocan-tests", "twocan-core"),
        ("twocan-tests", "twocan-service"),
    ] {
        graph.arrow(from, to, Edge::Always);
    }
    graph
}

#[test]
fn the_core_is_pure() {
    let mut found = Vec::new();
    for file in rust_files(&root().join("daemon/core/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            found.extend(impure(line).map(|word| format!("{}:{}: {word}", file.display(), number + 1)));
        }
    }
    assert!(
        found.is_empty(),
        "the core may not hold these words:\n{}",
        found.join("\n")
    );
}

#[test]
fn impure_lines_are_caught() {
    for line in [
        "let now = Instant::now();",
        "use std::collections::{BTreeMap, HashMap}; // sorted",
    ] {
        assert!(impure(line).next().is_some(), "{line}");
    }
    for line in ["//! No HashMap here.", "let at = now.boot; // never Instant::now"] {
        assert_eq!(impure(line).next(), None, "{line}");
    }
}

/// Clippy bans the same in the core, types and methods alike.
#[test]
fn clippy_guards_the_core() {
    let config = std::fs::read_to_string(root().join("daemon/core/clippy.toml")).unwrap();
    for path in [
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "std::thread::spawn",
        "std::net::UdpSocket",
        "std::collections::HashMap",
        "std::collections::HashSet",
    ] {
        assert!(
            config.contains(&format!("\"{path}\"")),
            "daemon/core/clippy.toml does not ban {path}"
        );
    }
}

fn impure(line: &str) -> impl Iterator<Item = &'static str> {
    let code = line.split("//").next().unwrap_or_default();
    NOT_IN_CORE.into_iter().filter(move |word| code.contains(word))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    assert!(!files.is_empty(), "no Rust file in {}", folder.display());
    files
}
