//! Which pairs do not find each other, and why: the one table.
//!
//! A pair that fails without standing here fails its test; so does one that stands here and works. The table cannot lie.

use super::pair::Pairing;

/// The pairs, the first of the two inviting, and the reason. Every pair works.
const KNOWN: [(Pairing, &str); 0] = [];

/// Why a pair does not find each other; `None` where it does.
#[must_use]
pub fn known(pairing: Pairing) -> Option<&'static str> {
    let found = KNOWN.iter().find(|(known, _)| *known == pairing);
    found.map(|(_, why)| *why)
}
