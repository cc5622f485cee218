//! Passphrases that the user types: from the terminal without an echo, else one line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Mutex;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::print::Out;

/// The longest line that is read.
const MOST_BYTES: u64 = 8192;

/// How the terminal was before its echo was taken away, as long as it is.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The passphrase that opens the key. Blocks.
pub(crate) fn passphrase(out: Out) -> Result<Zeroizing<String>, String> {
    if io::stdin().is_terminal() {
        typed(out, "Passphrase:")
    } else {
        line()
    }
}

/// A passphrase that shall seal the key: typed twice, for nobody sees it. Blocks.
pub(crate) fn new_passphrase(out: Out) -> Result<Zeroizing<String>, String> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let first = typed(out, "New passphrase:")?;
    let second = typed(out, "The same again:")?;
    if first == second {
        Ok(first)
    } else {
        Err("the two are not the same".to_owned())
    }
}

/// Gives the terminal its echo back, where a question was broken off.
pub(crate) fn restore_terminal() {
    let before = BEFORE.lock().ok().and_then(|mut before| before.take());
    if let Some(before) = before {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &before);
    }
}

fn typed(out: Out, question: &str) -> Result<Zeroizing<String>, String> {
    let unusable = |error: nix::Error| format!("the terminal cannot be used: {error}");
    let before = tcgetattr(io::stdin()).map_err(unusable)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    silent.local_flags.insert(LocalFlags::ECHONL);
    if let Ok(mut kept) = BEFORE.lock() {
        *kept = Some(before);
    }
    let read = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent)
        .map_err(unusable)
        .and_then(|()| {
            out.ask(question);
            line()
        });
    restore_terminal();
    read
}

fn line() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let mut stdin = io::Read::take(io::stdin().lock(), MOST_BYTES);
    stdin
        .read_line(&mut text)
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(
            "start Twocan in a terminal, give the passphrase on standard input, or hand it over as systemd's credential \
             twocan.passphrase"
                .to_owned(),
        );
    }
    Ok(Zeroizing::new(line.to_owned()))
}
