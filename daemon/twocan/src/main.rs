//! `twocan`: the one binary. `twocan up` is the daemon; every other subcommand is a client of its local API.
//!
//! A command gives an [`exit::Exit`] or a [`failure::Failure`]; only `print` writes to the terminal. With `--json`
//! standard output carries exactly the API's bodies and everything for people goes to standard error.

mod browser;
mod cmd;
mod demo;
mod desktop;
mod exit;
mod failure;
mod follow;
mod pick;
mod print;
mod report;
mod secret;
mod session;
mod stop;
mod who;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = cmd::Args::parse();
    let out = print::Out::new(args.json);
    let exit = match cmd::run(args.command, out) {
        Ok(exit) => exit,
        Err(failure) => out.failure(&failure),
    };
    ExitCode::from(exit.code())
}
