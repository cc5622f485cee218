//! The units and entries as the programs that read them judge them.

use super::*;

/// `systemd-analyze` ends well on unknown keys: what counts is that it says nothing.
fn says_nothing(unit: &Path, flags: &[&str]) {
    let output = analyze(&["verify"], flags, unit);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_us = said.lines().filter(|line| line.contains("twocan")).collect::<Vec<_>>();
    assert!(about_us.is_empty(), "{about_us:#?}");
    assert!(output.status.success(), "{output:?}");
}

fn analyze(what: &[&str], flags: &[&str], unit: &Path) -> Output {
    let runtime = tempfile::tempdir().unwrap();
    run(Command::new("systemd-analyze")
        .args(what)
        .args(flags)
        .arg(unit)
        .env("XDG_RUNTIME_DIR", runtime.path()))
}

/// A unit that starts a program that is there, and names no manual, since none is installed here.
fn on_this_machine(unit: &str, folder: &Path) -> std::path::PathBuf {
    let text = std::fs::read_to_string(packaging(unit)).unwrap();
    let text = text.replace("/usr/bin/twocan", "/usr/bin/true");
    let text = text.lines().filter(|line| !line.starts_with("Documentation="));
    let path = folder.join("twocan.service");
    std::fs::write(&path, text.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    path
}

#[test]
fn the_units_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    for (unit, flags) in [
        ("systemd/twocan.service", &["--user"][..]),
        ("systemd/twocan-system.service", &["--system"]),
    ] {
        says_nothing(&on_this_machine(unit, folder.path()), flags);
    }
    let path = on_this_machine("systemd/twocan.service", folder.path());
    let wrong = std::fs::read_to_string(&path).unwrap().replace("UMask=", "Umsk=");
    std::fs::write(&path, wrong).unwrap();
    let said = analyze(&["verify"], &["--user"], &path).stderr;
    assert!(
        String::from_utf8_lossy(&said).contains("Umsk"),
        "an unknown key is seen"
    );
}

/// What `systemd-analyze security` makes of a unit: 0 is best, 10 worst.
fn exposure(unit: &str, flags: &[&str]) -> f64 {
    let output = analyze(&["security", "--offline=true", "--no-pager"], flags, &packaging(unit));
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find(|line| line.contains("Overall exposure level"));
    let number = line.and_then(|line| line.split(": ").nth(1)?.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn the_units_leave_little_open() {
    let (user, system) = (
        exposure("systemd/twocan.service", &["--user"]),
        exposure("systemd/twocan-system.service", &[]),
    );
    assert!(user <= 6.2, "the user unit: {user}");
    assert!(system <= 2.0, "the unit of the machine: {system}");
}

#[test]
fn the_entries_are_right() {
    for entry in ["twocan.desktop", "twocan-tray.desktop"] {
        let said = done(Command::new("desktop-file-validate").arg(packaging(entry)));
        assert_eq!(said, "");
    }
    for untested in ["macos/twocan.plist", "windows/twocan.reg"] {
        let text = std::fs::read_to_string(packaging(untested)).unwrap();
        assert!(text.contains("UNTESTED"), "{untested}");
    }
    let plist = packaging("macos/twocan.plist");
    done(
        Command::new("python3")
            .args(["-c", "import plistlib, sys; plistlib.load(open(sys.argv[1], 'rb'))"])
            .arg(plist),
    );
}
