//! Other programs, as a shell finds them.

use std::path::PathBuf;

pub(crate) use twocan_api::client::browser::find;

/// The command `twocan`: what `TWOCAN_BIN` names, else what lies beside this program, else what a shell would find.
pub(crate) fn twocan() -> Option<PathBuf> {
    let named = std::env::var_os("TWOCAN_BIN").filter(|value| !value.is_empty());
    if let Some(named) = named {
        return Some(PathBuf::from(named));
    }
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name("twocan"));
    beside.filter(|program| program.is_file()).or_else(|| find("twocan"))
}
