//! A test in a network and process namespace of its own.
//!
//! The test runs itself again under `unshare`: with a quiet network of one loopback and one veth pair, no way out, and
//! as the first process, so that whatever it started ends with it. Where namespaces are forbidden the test fails: it
//! must not be skipped in silence.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::geteuid;

/// Set inside.
const INSIDE: &str = "TWOCAN_TEST_NAMESPACE";

/// The address of the veth pair's near end.
pub const ADDRESS: &str = "10.77.0.1";

/// A link comes up within this.
const SETTLED: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Runs `test` inside. `name` is the test's own full name, as the test runner knows it.
///
/// # Panics
/// If the test fails, or there can be no namespace.
pub fn inside(name: &str, test: impl AsyncFnOnce()) {
    // Under another name the program inside would run no test at all, and end well.
    let thread = std::thread::current().name().map(str::to_owned);
    assert!(is_inside() || thread.as_deref() == Some(name), "{name} is {thread:?}");
    run_inside(&as_test(name), test);
}

/// The arguments with which a test program runs one test.
pub(crate) fn as_test(name: &str) -> [&str; 5] {
    [name, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"]
}

/// Runs `body` inside, in this program, started again with `args`.
///
/// # Panics
/// If it fails there, or there can be no namespace.
pub fn run_inside(args: &[&str], body: impl AsyncFnOnce()) {
    if is_inside() {
        network();
        run(body);
    } else {
        let mut command = again(args);
        assert_ends(&mut command);
    }
}

/// Runs `body` to its end.
pub(crate) fn run(body: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(body());
}

/// Whether this process is the one inside.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// A command that runs another inside.
pub(crate) fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    if !geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    unshare.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    unshare.stdin(Stdio::null());
    unshare
}

/// This program again, inside, with `args`.
pub(crate) fn again(args: &[&str]) -> Command {
    let mut command = unshare();
    command
        .arg(std::env::current_exe().unwrap())
        .args(args)
        .env(INSIDE, "1");
    command
}

/// Waits for the end of a program that runs inside.
///
/// # Panics
/// If it fails, or there can be no namespace.
pub(crate) fn assert_ends(command: &mut Command) {
    let status = command
        .stdin(Stdio::inherit())
        .status()
        .expect("unshare, of the package util-linux");
    assert!(
        status.success(),
        "{command:?} failed inside its namespace, or there can be none here: {status}"
    );
}

/// Loopback, and a veth pair with an address and a default route: browsers open no leg with loopback alone.
///
/// The pair has no addresses of IPv6: they would be usable a second later only, which is a change of network to
/// browsers, who give up what they were loading.
fn network() {
    for line in [
        "link set lo up",
        "link add twocan0 type veth peer name twocan1",
        "link set twocan0 addrgenmode none",
        "link set twocan1 addrgenmode none",
        "address add 10.77.0.1/24 dev twocan0",
        "link set twocan0 up",
        "link set twocan1 up",
        "route add default via 10.77.0.2 dev twocan0",
    ] {
        ip(line);
    }
    for end in ["twocan0", "twocan1"] {
        settle(end);
    }
}

/// Waits until the kernel has told everybody that a link is up, which it does late.
fn settle(link: &str) {
    let until = Instant::now() + SETTLED;
    while !shown(link).contains("state UP") {
        assert!(Instant::now() < until, "{link} does not come up: {}", shown(link));
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn shown(link: &str) -> String {
    let output = Command::new("ip").args(["link", "show", link]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes every datagram of more than `mtu` bytes, IP header included, too large for this namespace's loopback.
pub fn narrow(mtu: u16) {
    ip(&format!("link set lo mtu {mtu}"));
}

fn ip(line: &str) {
    let status = Command::new("ip")
        .args(line.split(' '))
        .status()
        .expect("ip, of the package iproute2");
    assert!(status.success(), "ip {line}: {status}");
}

/// The processes that run in this namespace beside the test itself, each by its command line.
///
/// # Panics
/// If `/proc` cannot be read.
#[must_use]
pub fn others() -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path();
        let pid: Option<u32> = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        let Ok(line) = std::fs::read(path.join("cmdline")) else {
            continue;
        };
        // What has ended but was not waited for has no command line.
        if pid.is_some_and(|pid| pid != std::process::id()) && !line.is_empty() {
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}
