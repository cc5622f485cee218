//! The one place that writes to standard output and standard error.
//!
//! With `--json` standard output gets the API's bodies, one a line, and nothing else; what is meant for people goes to
//! standard error. A reader that went away (`twocan contacts | head`) is not an error. Text for people is stripped of
//! control characters first: names come from other people and must not steer the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use crate::exit::Exit;
use crate::failure::Failure;

/// Where a command's output goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    json: bool,
}

impl Out {
    /// `json` as the flag says.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a person sits at the terminal: they type into it and read what is told, and no script reads along.
    pub(crate) fn is_interactive(self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// A result: its body with `--json`, else the lines for people.
    pub(crate) fn result(self, json: &str, lines: &[String]) {
        self.stream(json, lines);
    }

    /// One of many results; false when nobody reads them any more.
    pub(crate) fn stream(self, json: &str, lines: &[String]) -> bool {
        if self.json {
            return to_stdout(json.trim_end());
        }
        lines.iter().all(|line| to_stdout(&plain(line)))
    }

    /// A line of a script's interest that is the same for people: the ready line, a URL.
    pub(crate) fn line(self, line: &str) {
        to_stdout(&plain(line));
    }

    /// Bytes that a program reads: a script, a page.
    #[expect(clippy::unused_self, reason = "everything that is printed is printed by an `Out`")]
    pub(crate) fn raw(self, bytes: &[u8]) {
        // A reader that went away is not an error.
        drop(io::stdout().lock().write_all(bytes));
    }

    /// Progress, for people.
    pub(crate) fn progress(self, line: &str) {
        if self.json {
            to_stderr(&plain(line));
        } else {
            to_stdout(&plain(line));
        }
    }

    /// A hint that is no part of the result.
    pub(crate) fn hint(self, line: &str) {
        to_stderr(&plain(line));
    }

    /// A question whose answer is typed behind it.
    #[expect(clippy::unused_self, reason = "everything that is printed is printed by an `Out`")]
    pub(crate) fn ask(self, question: &str) {
        let mut stderr = io::stderr().lock();
        drop(write!(stderr, "{} ", plain(question)).and_then(|()| stderr.flush()));
    }

    /// A failure and its next step; gives the exit code to end with.
    pub(crate) fn failure(self, failure: &Failure) -> Exit {
        if let (true, Some(json)) = (self.json, &failure.json) {
            to_stdout(json.trim_end());
        }
        for line in [&failure.text, &failure.fix] {
            if !line.is_empty() {
                to_stderr(&plain(line));
            }
        }
        failure.exit
    }
}

/// Whether somebody still reads.
fn to_stdout(line: &str) -> bool {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_ok()
}

fn to_stderr(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Text without characters that move the cursor, colour the terminal or turn the direction of writing.
fn plain(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|letter| {
            if steers(letter) && letter != '\n' {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

/// Rows with their columns aligned, two spaces between them and none at the end of a line.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let pad = |(cell, width): (&String, usize)| format!("{cell:width$}");
    let lines = rows
        .iter()
        .map(|row| row.iter().zip(widths).map(pad).collect::<Vec<_>>().join("  "));
    lines.map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(
            plain("A\u{1b}[31mnn\u{9b}\u{202e}\r"),
            "A\u{fffd}[31mnn\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(plain("Zoë 李\nb"), "Zoë 李\nb");
    }

    #[test]
    fn columns_align() {
        let rows = [
            ["●".into(), "Ann".into(), "yes".into()],
            ["○".into(), "Bartholomew".into(), String::new()],
        ];
        assert_eq!(table(&rows), ["●  Ann          yes", "○  Bartholomew"]);
    }
}
