//! The command line, one file a noun.

mod add;
mod answer;
mod call;
mod calls;
mod config;
mod contacts;
mod doctor;
mod door;
mod events;
mod invite;
mod key;
mod manners;
mod open;
mod papers;
mod ping;
mod privacy;
mod status;
mod up;
mod verify;

pub(crate) use add::{Added, redeem, settle};
pub(crate) use call::{Clip, finish};

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::demo;
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::print::Out;
use crate::secret;

/// Two can talk. No third party can.
#[derive(Debug, Parser)]
#[command(name = "twocan", version, about, arg_required_else_help = true, after_help = CODES)]
pub(crate) struct Args {
    /// Print exactly the API's body on standard output, and words on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const CODES: &str = "Exit codes: 0 done (a call: it was answered), 1 failed, 2 usage or ambiguous name,\n3 daemon not \
                     running, 4 unreachable, 5 declined, busy or missed.";

/// One variant a subcommand.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon in the foreground.
    Up(up::Up),
    /// Show what the daemon is and what it warns of.
    Status,
    /// Make a link for somebody to call you by.
    Invite(invite::Invite),
    /// Add whoever sent you a link.
    Add(add::Add),
    /// List your contacts and whether a call would ring there.
    Contacts,
    /// List calls: running ones, those just ended, those missed.
    Calls,
    /// Call somebody; ends when the call ends.
    Call(call::Call),
    /// Answer the call that rings here.
    Answer(answer::Answer),
    /// Decline the call that rings here.
    Decline(calls::Which),
    /// Hang up.
    Hangup(calls::Which),
    /// Compare safety words with a contact: the same on both sides means that nobody sits between you.
    Verify(verify::Verify),
    /// Let strangers who know your address ring, for a time.
    Door(door::Door),
    /// Keep the stranger of a call as a contact; it takes both of you.
    Keep(door::Keeping),
    /// Hear nothing of a contact any more; it sees you as switched off.
    Block(manners::Whom),
    /// Hear a contact again.
    Unblock(manners::Whom),
    /// Let a contact use this device as a relay to others whom you both know: `relay for on WHO`; or hide your address
    /// from a contact, who then reaches you through relays alone: `relay only on WHO`.
    Relay(manners::Relay),
    /// Name a contact as introducer, who tells contacts of you both where you are if they named it, too; or take that back.
    Introducer(manners::Named),
    /// Answer a contact's calls by one click in the notification or the tray: `one-click on WHO`; or on the page, as usual: `off`.
    OneClick(manners::Named),
    /// Do not disturb: `on` rings at nobody's call, `off` rings again.
    Dnd(manners::Dnd),
    /// Measure the round trip to a contact.
    Ping(ping::Ping),
    /// Look at your network: what your router is like, and what would help; with a name, at both sides of the path.
    Doctor(doctor::Doctor),
    /// Show everything that is stored, and who can see what.
    Privacy,
    /// Show where the key is that seals your identity and contacts, or move it to another store.
    Key(key::Key),
    /// Follow everything that happens, until Ctrl-C.
    Events,
    /// Open the page in a browser, and print its one-time address.
    Open(open::Open),
    /// Read and check the settings.
    Config(config::Which),
    /// Print the completions of a shell; see its manual for where to put them.
    Completions(papers::Completions),
    /// Print the man page, or write the pages of all subcommands into a folder.
    Man(papers::Manual),
    /// Call Echo, a throw-away person on this machine: a test of everything.
    Demo(demo::Demo),
}

/// Runs one command to its end.
pub(crate) fn run(command: Command, out: Out) -> Done {
    let runtime = runtime()?;
    let exit = runtime.block_on(dispatch(command, out));
    // A blocking read of standard input must not hold up the end, nor leave the terminal without its echo.
    runtime.shutdown_background();
    secret::restore_terminal();
    exit
}

async fn dispatch(command: Command, out: Out) -> Done {
    match command {
        Command::Up(args) => up::run(args, out).await,
        Command::Status => status::run(out).await,
        Command::Invite(args) => invite::run(args, out).await,
        Command::Add(args) => add::run(args, out).await,
        Command::Contacts => contacts::run(out).await,
        Command::Calls => calls::list(out).await,
        Command::Call(args) => call::run(args, out).await,
        Command::Answer(args) => answer::run(args, out).await,
        Command::Decline(args) => calls::decline(args, out).await,
        Command::Hangup(args) => calls::hang_up(args, out).await,
        Command::Verify(args) => verify::run(args, out).await,
        Command::Door(args) => door::run(args, out).await,
        Command::Keep(args) => door::keep(args, out).await,
        Command::Block(args) => manners::block(args, true, out).await,
        Command::Unblock(args) => manners::block(args, false, out).await,
        Command::Relay(args) => manners::relay(args, out).await,
        Command::Introducer(args) => manners::introducer(args, out).await,
        Command::OneClick(args) => manners::one_click(args, out).await,
        Command::Dnd(args) => manners::dnd(args, out).await,
        Command::Ping(args) => ping::run(args, out).await,
        Command::Doctor(args) => doctor::run(args, out).await,
        Command::Privacy => privacy::run(out).await,
        Command::Key(args) => key::run(args, out).await,
        Command::Events => events::run(out).await,
        Command::Open(args) => open::run(args, out).await,
        Command::Config(args) => config::run(&args, out),
        Command::Completions(args) => Ok(papers::completions(&args, out)),
        Command::Man(args) => papers::manual(&args, out),
        Command::Demo(args) => demo::run(args, out).await,
    }
}

/// One thread: a client waits for one thing at a time, and the daemon's media has a thread of its own. A second one for its
/// loop and API would only be woken to wake the first.
fn runtime() -> Result<Runtime, Failure> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().map_err(|error| {
        let text = format!("The system gives no event queue: {error}.");
        Failure::new(Exit::Failed, text, "Close some programs and try again.")
    })
}

#[cfg(test)]
mod tests;
