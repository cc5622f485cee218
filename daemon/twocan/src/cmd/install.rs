//! `twocan install`: start by itself, and be found.

use std::path::PathBuf;

use crate::failure::Done;
use crate::install::{self, Wanted};
use crate::print::Out;

/// `twocan install`.
#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// Start the icon in the panel with the desktop, too.
    #[arg(long)]
    tray: bool,
    /// For all users of this machine, as root; starts nothing by itself.
    #[arg(long)]
    system: bool,
    /// Remove everything that was installed; identity, contacts and settings stay.
    #[arg(long)]
    uninstall: bool,
    /// With --system: put everything below this folder, as for a package.
    #[arg(long, value_name = "FOLDER", requires = "system", hide = true)]
    root: Option<PathBuf>,
    /// With --system: the folder of bin and share.
    #[arg(
        long,
        value_name = "FOLDER",
        requires = "system",
        hide = true,
        default_value = "/usr/local"
    )]
    prefix: PathBuf,
}

/// Installs, or removes.
pub(crate) async fn run(args: Install, out: Out) -> Done {
    let uninstall = args.uninstall;
    let wanted = Wanted {
        tray: args.tray,
        system: args.system,
        root: args.root,
        prefix: args.prefix,
    };
    if uninstall {
        install::uninstall(&wanted, out)
    } else {
        install::install(&wanted, out).await
    }
}
