//! What happens where namespaces are forbidden: a test is skipped loudly and counted, in CI it fails.
//!
//! Each skipped test leaves a file in `target/skipped`, which `./tests/run` counts and names at its end.

use crate::namespace::{is_inside, unshare};
use crate::root;

/// Whether this test is skipped: there can be no namespace here, and this is not CI.
pub(super) fn is_skipped(name: &str) -> bool {
    if is_inside() {
        return false;
    }
    let output = unshare()
        .arg("true")
        .output()
        .expect("unshare, of the package util-linux");
    if output.status.success() {
        return false;
    }
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(
        !in_ci(std::env::var("CI").ok().as_deref()),
        "{name} needs network namespaces, and CI must not skip it: {why}"
    );
    eprintln!("SKIPPED {name}: no network namespaces here: {why}");
    let folder = root().join("target/skipped");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name.replace("::", ".")), why.as_bytes()).unwrap();
    true
}

/// Whether the variable `CI` says so.
fn in_ci(variable: Option<&str>) -> bool {
    variable.is_some_and(|value| !["", "0", "false"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::in_ci;

    #[test]
    fn ci_is_what_says_so() {
        assert!(in_ci(Some("true")) && in_ci(Some("1")));
        assert!(!in_ci(None) && !in_ci(Some("")) && !in_ci(Some("false")));
    }
}
