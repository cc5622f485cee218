//! The pair matrix: its cells as they were measured, and the page that shows them.
//!
//! Each cell is measured in a lab of its own and kept under `target/lab` at once, so that a run that was stopped goes on where
//! it was; another build of the daemon begins anew. `tests/lab/MATRIX.md` is written from there and from nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::kind::Kind;
use super::pair::{Outcome, Pairing};
use crate::{binary, root};

/// What stands before the tables.
const HEAD: &str = "# Who reaches whom

Written by `./tests/run lab matrix`; not to be edited. Real daemons, one behind each type of router (the types are explained in
[README.md](README.md)), on one machine, without added delay. The row's person invites, the column's pastes the link. A cell works if both
show green within 40 s (15 s where it is known not to work) and a call of two seconds then passes sound and picture both ways. It shows the technique that got the packets through and the seconds
from the paste until both were green.

**L** within one network · **D** one side lets everybody in · **S** both sent at once · **M** a router mapped a port · **B** a port was guessed ·
**R** through a relay · **✉** after a reply link was sent back by hand · **✗** does not work

Two hard routers without a port mapper get a friend, Carol: the three become contacts at her place, then the two go home, and the seconds are from there. In a pair with
`udp-blocked` both have an account at one relay server in the configuration, on TLS and TCP 443. Without IPv4 there is no DHT, hence the reply link.
";

/// The cells measured so far.
#[derive(Debug, Default)]
pub struct Cells(BTreeMap<String, Value>);

impl Pairing {
    /// The cells beside the matrix.
    pub const OTHERS: [Self; 10] = [
        Self::Apart(Kind::LinuxClash, Kind::Linux),
        Self::Apart(Kind::LinuxClash, Kind::LinuxClash),
        Self::Apart(Kind::Firewall6, Kind::Firewall6),
        Self::Apart(Kind::NatPmp, Kind::Symmetric),
        Self::Apart(Kind::Upnp, Kind::Symmetric),
        Self::SameHome(Kind::Linux),
        Self::SameHome(Kind::Hairpin),
        Self::SameCarrier(Kind::CgnatEim),
        Self::SameCarrier(Kind::Cgnat),
        Self::SameCarrier(Kind::CgUpnp),
    ];

    /// The 105 pairs of the matrix.
    #[must_use]
    pub fn matrix() -> Vec<Self> {
        let kinds = Kind::MATRIX;
        (0..kinds.len())
            .flat_map(|row| (row..kinds.len()).map(move |column| Self::Apart(kinds[row], kinds[column])))
            .collect()
    }

    /// Its words on a command line.
    #[must_use]
    pub fn words(self) -> [&'static str; 2] {
        match self {
            Self::Apart(one, other) => [one.name(), other.name()],
            Self::SameHome(kind) => ["same-home", kind.name()],
            Self::SameCarrier(kind) => ["same-carrier", kind.name()],
        }
    }

    /// The pair that these words name.
    #[must_use]
    pub fn named(first: &str, second: &str) -> Option<Self> {
        let second = Kind::named(second)?;
        match first {
            "same-home" => Some(Self::SameHome(second)),
            "same-carrier" => second.has_carrier().then_some(Self::SameCarrier(second)),
            _ => Some(Self::Apart(Kind::named(first)?, second)),
        }
    }

    fn key(self) -> String {
        self.words().join(" ")
    }
}

impl Outcome {
    /// As it is kept.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "technique": self.technique.map(|technique| technique.letter().to_string()),
            "green_ms": self.green.map(|green| u64::try_from(green.as_millis()).unwrap_or(u64::MAX)),
            "by_hand": self.by_hand,
            "wrong": self.wrong,
        })
    }
}

impl Cells {
    /// What was measured before.
    #[must_use]
    pub fn load() -> Self {
        let text = std::fs::read_to_string(kept()).unwrap_or_default();
        Self(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Nothing yet.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether this pair was measured.
    #[must_use]
    pub fn has(&self, pairing: Pairing) -> bool {
        self.0.contains_key(&pairing.key())
    }

    /// Keeps what came of a pair, as [`Outcome::json`] tells it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn keep(&mut self, pairing: Pairing, outcome: Value) {
        self.0.insert(pairing.key(), outcome);
        std::fs::create_dir_all(kept().parent().unwrap()).unwrap();
        std::fs::write(kept(), serde_json::to_vec_pretty(&self.0).unwrap()).unwrap();
    }

    /// Writes `tests/lab/MATRIX.md`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn publish(&self) {
        std::fs::write(root().join("tests/lab/MATRIX.md"), self.page()).unwrap();
    }

    /// How many pairs of the matrix work, and how many were measured.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let measured: Vec<_> = Pairing::matrix()
            .into_iter()
            .filter_map(|pairing| self.0.get(&pairing.key()))
            .collect();
        (
            measured.iter().filter(|cell| cell["wrong"] == "").count(),
            measured.len(),
        )
    }

    fn page(&self) -> String {
        let mut text = HEAD.to_owned();
        let (works, measured) = self.count();
        let _ = writeln!(
            text,
            "\n{works} of {measured} pairs work ({} in all).\n",
            Pairing::matrix().len()
        );
        let names = Kind::MATRIX.map(Kind::name);
        let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
        for (at, row) in Kind::MATRIX.into_iter().enumerate() {
            let _ = write!(text, "| **{row}** |");
            for (column_at, column) in Kind::MATRIX.into_iter().enumerate() {
                let cell = if column_at < at {
                    String::new()
                } else {
                    self.cell(Pairing::Apart(row, column))
                };
                let _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        text += "\nBeside the matrix:\n\n| pair | |\n|---|---|\n";
        for pairing in Pairing::OTHERS {
            let [first, second] = pairing.words();
            let _ = writeln!(text, "| {first} × {second} | {} |", self.cell(pairing));
        }
        text + &self.failures()
    }

    fn cell(&self, pairing: Pairing) -> String {
        let Some(cell) = self.0.get(&pairing.key()) else {
            return "?".to_owned();
        };
        if cell["wrong"] != "" {
            return "✗".to_owned();
        }
        let seconds = cell["green_ms"].as_f64().unwrap_or_default() / 1000.0;
        let by_hand = if cell["by_hand"] == true { " ✉" } else { "" };
        format!("{} {seconds:.1}{by_hand}", cell["technique"].as_str().unwrap_or("?"))
    }

    fn failures(&self) -> String {
        let mut text = String::new();
        for pairing in Pairing::matrix().into_iter().chain(Pairing::OTHERS) {
            let [first, second] = pairing.words();
            if let Some(cell) = self.0.get(&pairing.key()).filter(|cell| cell["wrong"] != "") {
                let wrong: String = cell["wrong"].as_str().unwrap_or_default().chars().take(160).collect();
                let _ = writeln!(text, "- {first} × {second}: {wrong}");
            }
        }
        if text.is_empty() {
            return text;
        }
        format!("\nWhat does not work:\n\n{text}")
    }
}

/// Where the cells of this very binary are kept.
fn kept() -> PathBuf {
    let data = binary::twocan().metadata().unwrap();
    let built = data.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
    root().join(format!("target/lab/cells-{built}-{}.json", data.len()))
}
