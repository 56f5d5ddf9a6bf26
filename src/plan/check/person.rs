//! Whether two names are one person's: a second person has to look.

use std::collections::BTreeSet;

/// Whether everybody named in the one is named in the other too, however it is spelled.
pub fn are_all_among(checkers: &str, doers: &str) -> bool {
    let (checkers, doers) = (people(checkers), people(doers));
    let whole = |people: &[BTreeSet<String>]| people.iter().flatten().cloned().collect::<BTreeSet<String>>();
    !checkers.is_empty() && (whole(&checkers) == whole(&doers) || checkers.iter().all(|c| doers.contains(c)))
}

/// Whether anybody is named: a dash is nobody.
pub fn is_anybody(text: &str) -> bool {
    !people(text).is_empty()
}

/// The words of each name, in any order: "Doe, Jane" is "Jane Doe".
fn people(text: &str) -> Vec<BTreeSet<String>> {
    let text: String = text.chars().filter(|c| c.is_whitespace() || !crate::text::hidden(*c)).collect();
    let text = text.to_lowercase().replace(" and ", "\n");
    let words = |name: &str| {
        let words = name.split(|c: char| !c.is_alphanumeric());
        words.filter(|w| !w.is_empty()).map(str::to_owned).collect::<BTreeSet<String>>()
    };
    text.split(['\n', ',', ';', '/', '&', '+']).map(words).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_in_many_spellings() {
        for (a, b) in [
            ("Bob", "bob"),
            (" BOB ", "Bob"),
            ("Jane  Doe", "jane doe"),
            ("Jane\u{a0}Doe", "Jane Doe"),
            ("Jane\u{200b} Doe", "Jane Doe"),
            ("Doe, Jane", "Jane Doe"),
            ("jane.doe", "Jane Doe"),
            ("@bob", "Bob"),
            ("Bob", "Ann, Bob"),
            ("Bob", "Ann and Bob"),
            ("Bob / Ann", "Ann & Bob"),
            ("JÖRG", "Jörg"),
        ] {
            assert!(are_all_among(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_dash_is_nobody() {
        assert!(is_anybody("Bob") && !is_anybody(" - ") && !is_anybody(""));
    }

    #[test]
    fn two_persons_are_two() {
        for (a, b) in [
            ("Ann", "Bob"),
            ("", ""),
            ("", "Bob"),
            ("Bob", ""),
            ("Cleo, Bob", "Ann, Bob"),
            ("Doe, John", "Doe, Jane"),
            ("Jane", "Jane Doe"),
            ("-", "-"),
        ] {
            assert!(!are_all_among(a, b), "{a} {b}");
        }
    }
}
