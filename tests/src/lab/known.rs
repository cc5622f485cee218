//! Which cells of the matrix do not work, and why: the one table.
//!
//! A cell that fails without standing here fails its test; so does one that stands here and works. The table cannot lie.

use super::kind::Kind;
use super::pair::Pairing;

/// A reason, by the letter that stands for it in the table.
const REASONS: [(char, &str); 3] = [
    ('a', "nobody tells a daemon its address on the Internet"),
    (
        't',
        "no relay is set up: one side lets nothing pass but TCP to port 443",
    ),
    (
        'r',
        "no relay is set up: both sides choose other ports for each destination",
    ),
];

/// The upper half of the matrix, in the order of [`Kind::MATRIX`]; a dot is a cell that works.
const TABLE: [&str; 14] = [
    "............a.",
    " .............",
    "  ............",
    "   ...........",
    "    ..........",
    "     .........",
    "      ........",
    "       .......",
    "        ......",
    "         .....",
    "          ....",
    "           ...",
    "            ..",
    "             .",
];

/// The same for the pairs beside the matrix that do not work.
const BESIDE: [(Pairing, char); 0] = [];

/// Why a pair does not find each other; `None` where it does. The order of the two does not matter.
#[must_use]
pub fn known(pairing: Pairing) -> Option<&'static str> {
    let letter = in_table(pairing).or_else(|| {
        BESIDE
            .iter()
            .find(|(beside, _)| *beside == pairing)
            .map(|(_, why)| *why)
    })?;
    REASONS.iter().find(|(known, _)| *known == letter).map(|(_, why)| *why)
}

fn in_table(pairing: Pairing) -> Option<char> {
    let Pairing::Apart(one, other) = pairing else {
        return None;
    };
    let place = |kind| Kind::MATRIX.iter().position(|known| *known == kind);
    let (one, other) = (place(one)?, place(other)?);
    TABLE[one.min(other)].chars().nth(one.max(other))
}
