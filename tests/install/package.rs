//! The Debian package, made of the programs under test, in a fresh Debian 12.
//!
//! `./tests/run` lays that system's files down once, in `target/debian12.tar`. How large the real package is and that it can be
//! made twice alike `./tests/run package` shows.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use twocan_tests::{binary, root};

use super::*;

/// The package; making it takes a while, so it is made once for all that is to be seen of it.
fn package(out: &Path) -> PathBuf {
    let programs = tempfile::tempdir().unwrap();
    for program in [binary::twocan(), binary::tray()] {
        let copy = programs.path().join(program.file_name().unwrap());
        std::fs::copy(program, &copy).unwrap();
        std::fs::set_permissions(copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let target = tempfile::tempdir().unwrap();
    done(
        Command::new(root().join("packaging/deb/build"))
            .arg("--programs")
            .arg(programs.path())
            .arg("--out")
            .arg(out)
            .env("CARGO_TARGET_DIR", target.path()),
    );
    let found = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let packages: Vec<PathBuf> = found.collect();
    assert_eq!(packages.len(), 1, "{packages:?}");
    packages[0].clone()
}

/// A command inside of the fresh system.
fn inside(system: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("chroot");
    command
        .arg(system)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// What dpkg and its helpers write down themselves, and the device that is none here.
fn of_the_package(lines: Vec<String>) -> Vec<String> {
    let own = ["var/lib/dpkg", "var/log", "var/cache", " dev/null"];
    lines
        .into_iter()
        .filter(|line| !own.iter().any(|folder| line.contains(folder)))
        .collect()
}

#[test]
fn a_fresh_debian_takes_and_loses_it() {
    let out = tempfile::tempdir().unwrap();
    let package = package(out.path());
    let lintian = run(Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error"])
        .arg(&package));
    let said = String::from_utf8_lossy(&lintian.stdout).into_owned();
    assert!(lintian.status.success(), "{said} {lintian:?}");

    let system = tempfile::tempdir().unwrap();
    let laid_down = root().join("target/debian12.tar");
    assert!(
        laid_down.is_file(),
        "{} is missing: run ./tests/run",
        laid_down.display()
    );
    done(
        Command::new("tar")
            .args(["-x", "--exclude=./dev/*", "-C"])
            .arg(system.path())
            .arg("-f")
            .arg(&laid_down),
    );
    let before = of_the_package(tree(system.path()));
    let there = system.path().join("tmp/twocan.deb");
    std::fs::copy(&package, &there).unwrap();

    // Nothing is to be fetched: what it needs is in every Debian.
    done(&mut inside(system.path(), &["dpkg", "-i", "/tmp/twocan.deb"]));
    std::fs::remove_file(&there).unwrap();
    assert!(done(&mut inside(system.path(), &["twocan", "--version"])).starts_with("twocan "));
    assert!(done(&mut inside(system.path(), &["twocan-tray", "--version"])).starts_with("twocan-tray "));
    let checked = done(&mut inside(system.path(), &["dpkg", "--verify", "twocan"]));
    assert_eq!(checked, "");
    let status = run(&mut inside(system.path(), &["twocan", "status"]));
    assert_eq!(
        status.status.code(),
        Some(3),
        "nothing runs before somebody wants it: {status:?}"
    );
    for path in [
        "usr/lib/systemd/user/twocan.service",
        "usr/lib/systemd/system/twocan.service",
        "usr/share/applications/twocan.desktop",
        "usr/share/applications/twocan-tray.desktop",
    ] {
        assert!(system.path().join(path).is_file(), "{path}");
    }
    let notices = done(Command::new("zcat").arg(system.path().join("usr/share/doc/twocan/third-party.gz")));
    for part in [
        "\nquinn 0",
        "\nzbus 5",
        "Permission is hereby granted",
        "Apache License",
    ] {
        assert!(notices.contains(part), "{part}");
    }
    let enabled = tree(&system.path().join("etc"));
    assert!(
        !enabled.iter().any(|line| line.contains("twocan")),
        "nothing starts by itself: {enabled:?}"
    );

    // Over itself, as an upgrade does, then away.
    std::fs::copy(&package, &there).unwrap();
    done(&mut inside(system.path(), &["dpkg", "-i", "/tmp/twocan.deb"]));
    std::fs::remove_file(&there).unwrap();
    done(&mut inside(system.path(), &["dpkg", "--purge", "twocan"]));
    let after = of_the_package(tree(system.path()));
    let left: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    let missed: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    assert!(
        left.is_empty() && missed.is_empty(),
        "left {left:#?}, missed {missed:#?}"
    );
}
