//! Which cells of the matrix do not work, and why: the one table.
//!
//! A cell that fails without standing here fails its test; so does one that stands here and works. The table cannot lie.

use super::kind::Kind;
use super::pair::Pairing;

/// A reason, by the letter that stands for it in the table.
const REASONS: [(char, &str); 5] = [
    (
        'b',
        "no port is guessed: one side chooses another one for each destination",
    ),
    (
        'r',
        "no friend's relay: both sides choose another port for each destination",
    ),
    (
        'c',
        "an early packet of the other side takes the mapping away: the first knocks live as long as any",
    ),
    ('6', "first contact needs the DHT, and that has no IPv6"),
    ('t', "no relay server: one side lets nothing pass but TCP to port 443"),
];

/// The upper half of the matrix, in the order of [`Kind::MATRIX`]; a dot is a cell that works.
const TABLE: [&str; 14] = [
    ".............t",
    " .....bbb...bt",
    "  ...........t",
    "   ..........t",
    "    ..bbb...bt",
    "     .bbb...bt",
    "      .rrb..rt",
    "       rrb..rt",
    "        .b..rt",
    "         ...bt",
    "          ...t",
    "           ..t",
    "            rt",
    "             t",
];

/// The same for the pairs beside the matrix that do not work.
const BESIDE: [(Pairing, char); 5] = [
    (Pairing::Apart(Kind::LinuxClash, Kind::Linux), 'c'),
    (Pairing::Apart(Kind::LinuxClash, Kind::LinuxClash), 'c'),
    (Pairing::Apart(Kind::Firewall6, Kind::Firewall6), '6'),
    (Pairing::SameCarrier(Kind::Cgnat), 'r'),
    (Pairing::SameCarrier(Kind::CgUpnp), 'r'),
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (row, line) in TABLE.iter().enumerate() {
            assert_eq!(line.len(), Kind::MATRIX.len(), "{line:?}");
            for (column, letter) in line.chars().enumerate() {
                let meaning = letter == '.' || REASONS.iter().any(|(known, _)| *known == letter);
                assert_eq!(meaning, column >= row, "{line:?}: {letter:?}");
            }
        }
        assert!(BESIDE.iter().all(|(beside, why)| {
            Pairing::OTHERS.contains(beside) && REASONS.iter().any(|(known, _)| known == why)
        }));
    }
}
