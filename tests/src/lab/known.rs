//! Which cells of the matrix do not work, and why: the one table.
//!
//! A cell that fails without standing here fails its test; so does one that stands here and works. The table cannot lie.

use super::kind::Kind;
use super::pair::Pairing;

/// A reason, by the letter that stands for it in the table.
const REASONS: [(char, &str); 2] = [
    (
        'a',
        "nobody tells a daemon its address on the Internet, nor what came to the other side",
    ),
    ('t', "no relay: one side lets nothing pass but TCP to port 443"),
];

/// The upper half of the matrix, in the order of [`Kind::MATRIX`]; a dot is a cell that works.
const TABLE: [&str; 14] = [
    ".............t",
    " aaaaaaaaaaaat",
    "  aaaaaaaaaaat",
    "   aaaaaaaaaat",
    "    aaaaaaaaat",
    "     aaaaaaaat",
    "      aaaaaaat",
    "       aaaaaat",
    "        aaaaat",
    "         aaaat",
    "          aaat",
    "           aat",
    "            at",
    "             t",
];

/// The same for the pairs beside the matrix that do not work.
const BESIDE: [(Pairing, char); 8] = [
    (Pairing::Apart(Kind::LinuxClash, Kind::Linux), 'a'),
    (Pairing::Apart(Kind::LinuxClash, Kind::LinuxClash), 'a'),
    (Pairing::Apart(Kind::Firewall6, Kind::Firewall6), 'a'),
    (Pairing::Apart(Kind::NatPmp, Kind::Symmetric), 'a'),
    (Pairing::Apart(Kind::Upnp, Kind::Symmetric), 'a'),
    (Pairing::SameCarrier(Kind::CgnatEim), 'a'),
    (Pairing::SameCarrier(Kind::Cgnat), 'a'),
    (Pairing::SameCarrier(Kind::CgUpnp), 'a'),
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
