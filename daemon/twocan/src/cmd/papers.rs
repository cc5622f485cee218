//! What the command line knows of itself: completions for shells, and man pages. Both are made from the arguments'
//! own descriptions, so they cannot fall behind.

use std::ffi::OsString;
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
    out.raw(&completion_script(args.shell));
    Exit::Done
}

/// The script that makes a shell complete.
pub(crate) fn completion_script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Args::command(), "twocan", &mut script);
    script
}

/// All man pages, by their file names.
pub(crate) fn man_pages() -> Result<Vec<(OsString, Vec<u8>)>, Failure> {
    let made = || {
        let folder = tempfile::tempdir()?;
        write_all(super::Args::command(), folder.path())?;
        let mut pages = Vec::new();
        for entry in std::fs::read_dir(folder.path())? {
            let entry = entry?;
            pages.push((entry.file_name(), std::fs::read(entry.path())?));
        }
        pages.sort();
        Ok(pages)
    };
    made().map_err(|error| failed("a temporary folder", &error))
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
