//! Names that people give: what may be shown on a screen, a notification or a terminal without misleading anybody.

use crate::bounds;

/// Whether a character changes the direction or the visibility of the text around it.
const fn misleads(letter: char) -> bool {
    matches!(letter,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// The name as typed, trimmed; `None` where it is empty, too long, or has control or direction characters.
#[must_use]
pub fn checked(name: &str) -> Option<String> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().take(bounds::NAME_CHARS + 1).count() <= bounds::NAME_CHARS;
    let plain = fits && !name.chars().any(|letter| letter.is_control() || misleads(letter));
    plain.then(|| name.to_owned())
}

/// A name that somebody else chose, made presentable; `fallback` where nothing is left of it.
#[must_use]
pub fn presentable(name: &str, fallback: &str) -> String {
    let kept: String = name
        .chars()
        .take(4 * bounds::NAME_CHARS)
        .filter(|letter| !letter.is_control() && !misleads(*letter))
        .take(bounds::NAME_CHARS)
        .collect();
    match kept.trim() {
        "" => fallback.to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// `wanted`, or `wanted 2`, `wanted 3`, … whichever is not taken. Names that differ in case only count as taken.
#[must_use]
pub fn untaken(wanted: &str, taken: &[&str]) -> String {
    let is_free = |name: &str| !taken.iter().any(|other| other.to_lowercase() == name.to_lowercase());
    if is_free(wanted) {
        return wanted.to_owned();
    }
    // One more candidate than names taken, so one of them is free.
    let numbered = (2..taken.len() + 3).map(|number| format!("{wanted} {number}"));
    numbered
        .into_iter()
        .find(|name| is_free(name))
        .unwrap_or_else(|| wanted.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tricks_are_refused_and_removed() {
        assert_eq!(checked("  Ann "), Some("Ann".into()));
        for bad in ["", " ", "a\nb", "a\u{202e}b", "a\u{200b}", &"x".repeat(65)] {
            assert_eq!(checked(bad), None, "{bad:?}");
        }
        assert_eq!(presentable("A\u{202e}n\nn", "?"), "Ann");
        assert_eq!(presentable("\u{202e}", "somebody"), "somebody");
    }

    #[test]
    fn a_clash_gets_a_number() {
        assert_eq!(untaken("Bob", &["Ann"]), "Bob");
        assert_eq!(untaken("Bob", &["bob", "Bob 2"]), "Bob 3");
    }
}
