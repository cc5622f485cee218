//! What the command line knows of itself: completions for shells, and man pages. Both are made from the arguments'
//! own descriptions, so they cannot fall behind.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;

/// Whose completions.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell that is to complete.
    shell: Shell,
}

/// Where man pages go.
#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// Write a page for the program and for each subcommand into this folder, instead of printing the first.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Prints the script that makes a shell complete.
pub(crate) fn completions(args: &Completions, out: Out) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Args::command(), "twocan", &mut script);
    out.raw(&script);
    Exit::Done
}

/// Prints the man page, or writes all of them.
pub(crate) fn manual(args: &Manual, out: Out) -> Done {
    let command = super::Args::command();
    let Some(folder) = &args.folder else {
        out.raw(&page(command).map_err(|error| failed("standard output", &error))?);
        return Ok(Exit::Done);
    };
    write_all(command, folder).map_err(|error| failed(&folder.display().to_string(), &error))?;
    Ok(Exit::Done)
}

fn failed(place: &str, error: &std::io::Error) -> Failure {
    let text = format!("The man pages cannot be written to {place}: {error}.");
    Failure::new(Exit::Failed, text, "Name a folder that you may write to.")
}

fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

/// `twocan.1`, `twocan-up.1`, …
fn write_all(command: Command, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
